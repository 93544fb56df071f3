"""Who may speak on the links between the parties: what a stranger tried, and a party with another's key, each refused without effect."""

from __future__ import annotations

import hmac
import json
import os
from dataclasses import asdict, astuple
from pathlib import Path

import pytest
from pydantic import HttpUrl

from headend.http.links import HeadEndLink, LinkKeys, bearing
from headend.ports import MeterKey
from meters.errors import UserError
from simulator.parties.keys_file import kept_keys
from tests.simulator.parties.test_sturdy import inquiry
from tests.simulator.sandboxes import Rig as Parties
from tests.simulator.sandboxes import rig as parties
from tests.simulator.smt.rig import KEYS

JSON = {"content-type": "application/json"}

#: Of the link with another TDSP.


async def read(made: Parties) -> int:
    """How many inquiries of the head-end's have been answered or are open, and how many tries at meters those cost."""
    text = (await made.http.get(f"{made.sandbox.headend_server.url}/metrics")).text
    counted = [line.split(" ")[1] for line in text.splitlines() if line.startswith(("ami_headend_inquiries_total", "ami_headend_meter_reads_total", "ami_headend_open"))]  # fmt: skip
    return int(sum(map(float, counted)))


async def test_a_stranger_at_the_head_end_reads_no_meter_and_has_nothing_posted_anywhere(made: Parties) -> None:
    url = f"{made.sandbox.headend_server.url}/inquiries"
    keys = made.sandbox.keys
    assert (await made.http.get(f"{made.sandbox.headend_server.url}/healthz")).json()["links"] == "keyed"
    for number in range(60):
        bearer = (None, keys.headend, keys.meters, keys.control, LinkKeys.make().smt)[number % 5]
        asked = inquiry(made, correlationId=str(number), replyTo="http://127.0.0.1:9/")
        reply = await made.http.post(url, json=asked, headers=bearing(bearer) if bearer else JSON)
        assert (reply.status_code, reply.json()["code"]) == (401, "headend.link.key")
    # Before a byte of it is read as JSON.
    assert (await made.http.post(url, content=b'{"a": ', headers=JSON)).status_code == 401
    port = made.sandbox.smt_server.port
    for reply_to in (
        "http://127.0.0.1:9/nobody",
        f"http://127.0.0.1:{port}@127.0.0.1:9/",
        f"http://127.0.0.1:{port}9/callbacks",
        f"http://127.0.0.1.example:{port}/callbacks",
        f"https://127.0.0.1:{port}/callbacks",
    ):
        asked = inquiry(made, replyTo=reply_to)
        reply = await made.http.post(url, json=asked, headers=bearing(keys.smt))
        assert (reply.status_code, reply.json()["code"], reply.json()["place"]) in (
            (403, "headend.link.reply_to", "replyTo"),
            (400, "headend.inquiry.malformed", "replyTo"),
        )
    await made.to("2026-08-12T18:00")
    assert await read(made) == 0
    text = (await made.http.get(f"{made.sandbox.headend_server.url}/metrics")).text
    assert 'ami_headend_requests_total{endpoint="/inquiries",outcome="http_401"} 61.0' in text
    assert made.esiid(1) not in text


async def test_a_stranger_tells_the_head_end_of_no_power_failure(made: Parties) -> None:
    meter = made.sandbox.settings.world.meters[0].identity
    gasp = {"esiid": meter.esiid, "meterNumber": meter.meter_number, "kind": "last_gasp", "at": "2026-08-12T17:39:00-05:00"}  # fmt: skip
    url, keys = f"{made.sandbox.headend_server.url}/events", made.sandbox.keys
    for headers in (JSON, bearing(keys.smt), bearing(keys.headend), bearing(LinkKeys.make().meters)):
        reply = await made.http.post(url, json={"events": [gasp]}, headers=headers)
        assert (reply.status_code, reply.json()["place"]) == (401, "authorization")
    await made.to("2026-08-12T17:45")
    assert made.sandbox.headend.events.power_failed_at(MeterKey(meter.esiid, meter.meter_number)) is None


async def test_a_head_end_with_open_links_answers_anyone_and_keeps_its_key_to_itself(tmp_path: Path) -> None:
    async with parties(tmp_path, posted_days=1, open_links=True) as made:
        asked = inquiry(made, replyTo="http://127.0.0.1:9/")
        assert (await made.http.post(f"{made.sandbox.headend_server.url}/inquiries", json=asked)).status_code == 202
        assert (await made.ask(made.esiid(1))).statusCode == "0"
    link = HeadEndLink(KEYS, ["http://smt:8600"], open=True)
    assert link.headers(HttpUrl("http://127.0.0.1:9/")) == JSON
    assert link.headers(HttpUrl("http://smt:8600/callbacks/1/2")) == bearing(KEYS.headend)


async def test_the_parties_of_a_sandbox_have_new_keys_each_time_which_leave_with_it(tmp_path: Path) -> None:
    seen = []
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        async with parties(tmp_path / folder, posted_days=1) as made:
            file = Path(made.sandbox.ready()["keys_file"])
            assert kept_keys(file) == made.sandbox.keys
            assert file.stat().st_mode & 0o777 == 0o600
            seen.append(made.sandbox.keys)
            assert (await made.ask(made.esiid(1))).statusCode == "0"
            told = json.dumps([made.sandbox.journal.entries(), made.sandbox.ready()], default=str)
            assert [key for key in astuple(made.sandbox.keys) if key in told + repr(made.sandbox.smt.config)] == []
        assert not file.exists()
    assert seen[0] != seen[1]


def test_keys_are_made_once_and_nobody_else_may_read_them(tmp_path: Path) -> None:
    file = tmp_path / "of" / "keys.json"
    made = kept_keys(file)
    assert kept_keys(file) == made
    assert [path.name for path in file.parent.iterdir()] == ["keys.json"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert len({*astuple(made), *astuple(LinkKeys.make())}) == 8
    assert [key for key in astuple(made) if key in repr(made)] == []
    assert made.seal("482915007734") == hmac.new(made.smt.encode(), b"482915007734", "sha256").hexdigest()


WHOLE = asdict(KEYS)


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (json.dumps(WHOLE), 0o640, "keys.open: --keys {file}: Others than its owner may read or write the keys (mode 0640)."),
        (json.dumps(WHOLE), 0o602, "keys.open: --keys {file}"),
        ("", 0o600, "keys.malformed: --keys {file}: This is no file of keys: the file: Invalid JSON"),
        ("[]", 0o600, "keys.malformed: --keys {file}"),
        (json.dumps({name: WHOLE[name] for name in ("smt", "headend", "meters")}), 0o600, "control: Field required"),
        (json.dumps(WHOLE | {"meters": "short-secret"}), 0o600, "meters: String should match"),
        (json.dumps(WHOLE | {"smt": "two words and more of them"}), 0o600, "smt: String should match"),
        (json.dumps(WHOLE | {"smt": 10**20}), 0o600, "smt: Input should be a valid string"),
        (json.dumps(WHOLE | {"head-end": "x" * 20}), 0o600, "head-end: Extra inputs"),
        ("\ud800", 0o600, "keys.unreadable: --keys {file}"),
    ],
)  # fmt: skip
def test_a_file_that_holds_no_keys_is_told_with_place_and_mend_and_without_a_key(
    tmp_path: Path, text: str, mode: int, said: str
) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    file.chmod(mode)
    with pytest.raises(UserError) as caught:
        kept_keys(file)
    assert said.format(file=file) in str(caught.value)
    assert caught.value.mend
    assert [key for key in (*WHOLE.values(), "short-secret", "two words", "x" * 20) if key in str(caught.value)] == []


def test_keys_of_another_user_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keys.json"
    kept_keys(file)
    owner = os.stat_result((0o100600, *file.stat()[1:4], 4711, *file.stat()[5:10]))
    monkeypatch.setattr(os, "fstat", lambda _: owner)
    with pytest.raises(UserError, match=r"keys\.open: .*The keys are another user's, who can read them"):
        kept_keys(file)


@pytest.mark.parametrize("place", ["/dev/null/keys.json", "."])
def test_a_place_where_no_keys_can_be_is_told(tmp_path: Path, place: str) -> None:
    with pytest.raises(UserError, match=r"keys\.unreadable: --keys "):
        kept_keys(tmp_path / place)


def test_keys_that_two_parties_make_at_once_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keys.json"
    link = os.link

    def late(source: str, target: Path) -> None:
        # The other one was quicker by this much.
        monkeypatch.setattr(os, "link", link)
        other.append(kept_keys(target))
        link(source, target)

    other: list[LinkKeys] = []
    monkeypatch.setattr(os, "link", late)
    assert kept_keys(file) == other[0]
