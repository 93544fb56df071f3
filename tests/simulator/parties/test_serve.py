"""What a serving command says when its party is up, with what it was asked for; and what it refuses before it opens anything. In this process: nothing is served for long."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from simulator.runtime import until_stopped
from tests.simulator.processes import fails_here, invoked, patience


async def _not_at_all(parts: Sequence[Coroutine[Any, Any, None]]) -> None:
    for one in parts:
        one.close()


@pytest.fixture(autouse=True)
def _ends_when_it_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(until_stopped, "_for_ever", _not_at_all)


def said(*words: str) -> str:
    done = invoked(*words)
    assert done.exit_code == 0, done.exception or done.output
    return done.stdout


def test_meters_tell_their_gateways_where_events_go_and_what_is_kept(tmp_path: Path) -> None:
    keys, ledger, state = tmp_path / "keys.json", tmp_path / "ledger", tmp_path / "state.json"
    few = ("--port", "0", "--clock", "real", "--date", "2026-08-12", "--count", "4")
    told = said(
        *("meters", "serve", *few, "--events-to", "http://127.0.0.1:9/events"),
        *("--keys", str(keys), "--ledger", str(ledger), "--state", str(state)),
    )
    assert told.startswith("ami meters serve: ")
    for words in (
        f"events are sent to http://127.0.0.1:9/events, with the key in {keys}",
        f"ledger of faults in {ledger}",
        f"what is written to them is kept in {state}",
        "Magic ESI IDs, on port ",
    ):
        assert words in told, words
    assert list(ledger.iterdir())
    plain = said("meters", "serve", *few, "--no-special")
    for words in ("events are sent", "ledger", "Magic", "is kept in"):
        assert words not in plain, words


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--events-to", "nowhere"), "meters.events_to"),
        (("--host", "999.1.1.1"), "meters.host"),
    ],
)
def test_meters_that_cannot_be_served_are_refused_with_the_option(words: tuple[str, str], code: str) -> None:
    refused = fails_here("meters", "serve", *words)
    assert refused.startswith(f"{code}: {words[0]}")


def test_a_sandbox_tells_addresses_log_ins_and_special_esi_ids(tmp_path: Path) -> None:
    few = ("sandbox", "--count", "4", "--port-base", "0", "--clock", "manual", "--out", str(tmp_path / "out"))
    # At two o'clock the day before is not posted yet.
    told = said(*few, "--date", "2026-08-12T02:00", "--tls", "--open-links")
    assert told.startswith("ami sandbox: ")
    for words in ("browser    https://", "--cacert ", "customer.one / ", "policy smt-today", "18 s to the pick-up"):
        assert words in told, words
    posted = sorted(path.name for path in (tmp_path / "out").rglob("*.lse"))
    assert len(posted) >= 35
    assert not [name for name in posted if "IntervalData20260812" in name]


def test_a_sandbox_cannot_begin_before_there_are_days_behind_it() -> None:
    assert fails_here("sandbox", "--date", "2020-01-20").startswith("sandbox.date: --date")


def test_smt_alone_tells_whom_it_asks_by_url_or_by_the_others_ready_line(tmp_path: Path) -> None:
    out = ("--out", str(tmp_path / "smt"), "--port", "0", "--ftps-port", "0", "--clock", "manual")
    told = said("smt", "serve", *out, "--date", "2026-08-12", "--headend", "http://127.0.0.1:9/", "--open-links")
    assert "is asked at http://127.0.0.1:9\n" in told
    assert "file site" in told
    ready = tmp_path / "headend.json"
    line = json.loads(said("smt", "serve", *out, "--json"))
    ready.write_text(json.dumps(line | {"headend_url": "http://127.0.0.1:7"}), "utf-8")
    assert "is asked at http://127.0.0.1:7\n" in said("smt", "serve", *out, "--headend", str(ready))
    assert "no head-end is linked" in said("smt", "serve", *out)


@pytest.mark.process
def test_smt_answers_at_its_start_what_was_posted_and_nobody_answered_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve = ("smt", "serve", "--out", str(tmp_path), "--port", "0", "--ftps-port", "0", "--clock", "manual", "--json")
    login = json.loads(said(*serve))["logins"]["tdsp"]
    home = next(path for path in tmp_path.rglob(login["username"]) if path.is_dir())
    name = "1039940674000IntervalData20260811073000001.lse"
    answer, told = home / f"{name}.result.csv", []

    async def until_it_is_answered(parts: Sequence[Coroutine[Any, Any, None]]) -> None:
        going = asyncio.gather(*parts)
        async with asyncio.timeout(patience()):
            while not answer.exists():
                await asyncio.sleep(0.01)
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)

    monkeypatch.setattr(until_stopped, "_for_ever", until_it_is_answered)
    (home / "a-folder").mkdir()
    # An upload that was cut off is no file yet.
    (home / f"{name.replace('1.lse', '2.lse')}.part").write_text("00000001", "utf-8")
    # A file that it has taken in is answered late: the same again.
    for _ in range(2):
        (home / name).write_text("this is no LSE file\n", "utf-8")
        said(*serve)
        told.append(answer.read_text("utf-8"))
        answer.unlink()
    assert told[0] == told[1]
    assert ",F2,sort code: " in told[0]
    assert [path.name for path in home.glob("*.result.csv")] == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--role", "chief"), "smt.role"),
        (("--role", "worker", "--fresh"), "smt.role"),
        (("--role", "worker"), "smt.database.workers"),
        (("--headend", "ftp://127.0.0.1"), "smt.headend"),
        (("--headend", "127.0.0.1:9"), "smt.headend"),
    ],
)
def test_an_smt_that_cannot_be_served_is_refused_with_the_option(
    words: tuple[str, ...], code: str, tmp_path: Path
) -> None:
    assert fails_here("smt", "serve", "--out", str(tmp_path), *words).startswith(f"{code}: ")
