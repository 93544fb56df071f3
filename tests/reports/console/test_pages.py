"""Each page and each action over a real bed: what is shown equals what the control calls say, what cannot be is told, and nobody else's form counts."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import pytest

from reports.console.asked import LOOKS
from reports.console.bed import Bed, BedProblem
from reports.console.doings import DOINGS
from reports.console.door import TESTER, Console
from reports.console.picture import stations as stations_of
from simulator.web.visitors import Sessions
from tests.reports.console.visit import Visit, at_a_bed, stations, visiting
from tests.simulator.smt.doors.web.test_hostile import _RUNNING


@pytest.fixture(scope="module")
async def visit(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Visit]:
    async with at_a_bed(tmp_path_factory.mktemp("console"), special=True) as visit:
        yield visit


async def latest(visit: Visit, list_: str) -> str:
    """Of the faults, or complaints, the one that was switched on last, whoever did it; empty where none was."""
    told = await visit.control(list_)
    return str(max((one["id"] for one in told.get(list_, []) if "-" in one["id"]), default=""))


def esiid(visit: Visit, ordinal: int) -> str:
    assert visit.made is not None
    return visit.made.esiid(ordinal)


@pytest.mark.parametrize("path", [*(look.path for look in LOOKS), *(path for path, _ in TESTER), "kit"])
async def test_every_page_is_there_and_says_where_one_is(visit: Visit, path: str) -> None:
    page = await visit.get(path)
    assert page.status_code == 200, page.text
    assert page.headers["content-security-policy"].startswith("default-src 'self'; ")
    assert "console.broken" not in page.text
    if path != "kit":
        menu = re.search(r'href="/console/([\w]*)" aria-current="true"', page.text)
        assert menu is not None
        assert menu[1] == path


async def test_the_picture_counts_what_the_control_calls_count(visit: Visit) -> None:
    assert visit.made is not None
    await visit.did("fault", kind="dead", esiid=esiid(visit, 6))
    assert (await visit.post("ask", esiid=esiid(visit, 6), kind="REGISTER")).status_code == 303
    assert (await visit.post("ask", esiid=esiid(visit, 1), kind="REGISTER")).status_code == 303
    await visit.did("advance", seconds="3600")
    assert (await visit.post("ask", esiid=esiid(visit, 1), kind="REGISTER")).status_code == 409
    seen = stations(await visit.page())
    counts, meters = await visit.control("counts"), await visit.control("meters", most="0")
    assert {name: int(seen["Meters"][name]) for name in meters["counts"]} == meters["counts"]
    states = {one["state"].replace("_", "-"): f"{one['count']}" for one in counts["requests"]}
    assert states.items() <= seen["Requests at SMT"].items()
    assert states == {"completed": "1", "refused": "1", "failed": "1"}
    assert (seen["Throttle"]["refused"], seen["Throttle"]["failed"]) == ("1", "1")
    assert seen["Throttle"]["FR-CR016.1b"] == "1"
    assert seen["Throttle"][""] == visit.made.sandbox.settings.policy.name
    assert {f"code {code}": f"{count} records" for code, count in counts["posted"]["codes"].items()}.items() <= seen[
        "LSE files"
    ].items()
    await visit.did("fault-off", ident=await latest(visit, "faults"))


async def test_the_throttle_page_tells_of_the_esi_id_that_is_asked_for(visit: Visit) -> None:
    one, other = esiid(visit, 1), esiid(visit, 2)
    for its in (one, other):
        page = await visit.page("throttle", esiid=its)
        limits = (await visit.control("throttle", esiid=its))["limits"]
        shown = re.findall(r"Used <b>(\d+)</b>, held <b>(\d+)</b> of <b>(\d+)</b> .*? per ESI ID (\d+)", page)
        assert shown == [(f"{row['used']}", f"{row['held']}", f"{row['amount']}", its) for row in limits]


@pytest.mark.parametrize(
    "path",
    ["", "clock", "faults", "complaints", "files", "requests", "collection", "vee", "journal", "throttle?esiid=$"],
)
async def test_every_instant_is_told_with_its_zone(visit: Visit, path: str) -> None:
    await visit.did("complaint", kind="t_failed", esiids=esiid(visit, 2), until="2026-09-01T00:00:00-05:00")
    shown = (await visit.page(path.replace("$", esiid(visit, 1)))).partition("<main")[2]
    shown = re.sub(r"<pre>.*?</pre>|<form.*?</form>", "", shown, flags=re.DOTALL)
    assert not re.search(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?!:\d\d C[DS]T)", shown)
    if path not in ("", "requests", "throttle?esiid=$"):
        assert re.search(r"\d\d:\d\d:\d\d C[DS]T", shown)


async def test_the_first_page_leads_to_the_portal_and_where_there_is_a_desk_to_its_call_screen(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal = f'<a href="{(await visit.control("bed"))["smtUrl"]}/ui/">'
    page = await visit.page()
    assert (portal in page, "/desk/" in page) == (True, False)
    asked = Bed.get

    async def with_desk(bed: Bed, path: str, query: Any = None) -> Any:
        told = await asked(bed, path, query)
        return told | {"rorUrl": "http://127.0.0.1:8650"} if path == "/control/bed" else told

    monkeypatch.setattr(Bed, "get", with_desk)
    page = await visit.page()
    assert (portal in page, '<a href="http://127.0.0.1:8650/desk/">' in page) == (True, True)


async def test_requests_are_told_step_by_step_as_the_ledger_has_them(visit: Visit) -> None:
    lives = (await visit.control("requests"))["requests"]
    page = await visit.page("requests")
    assert re.findall(r"<summary><b>(\d+)</b>", page) == [life["correlationId"] for life in lives]
    assert len(re.findall(r'<li class="(?:done|bad)"><b>', page)) == sum(len(life["transitions"]) for life in lives)


async def test_meters_and_their_faults_are_the_ones_that_control_tells(visit: Visit) -> None:
    found = await visit.control("meters", most="50", state="dead")
    page = await visit.page("meters", state="dead")
    assert re.findall(r'<td class="k">(\d+)</td>', page) == [one["esiid"] for one in found["meters"]]
    shown = await visit.page("faults")
    faults = (await visit.control("faults"))["faults"]
    ends = [one["id"] for one in faults if not (one["lasting"] and one["active"])]
    assert sorted(re.findall(r'name="ident" value="([\w-]+)"', shown)) == sorted(ends)


async def test_a_day_of_the_head_end_is_told_and_one_without_a_batch_says_so(visit: Visit) -> None:
    page = await visit.page("vee")
    assert visit.made is not None
    batch = (
        await visit.made.http.get(
            f"{visit.made.sandbox.headend_url}/batches/2026-08-11",
            headers={"authorization": f"Bearer {visit.made.sandbox.keys.smt}"},
        )
    ).json()
    for one in batch["runs"][-1]["findings"]:
        assert f"{one['rule']} <b>{one['findings']}</b>" in page
    assert "VEE has not run over this day." in await visit.page("vee", day="2026-08-20")
    assert f"{batch['complete']} of {batch['meters']} meters are whole" in await visit.page("collection")


#: What is sent, and where it leads: action, fields, the calls' list that it changes.
DONE: list[tuple[str, dict[str, str], str]] = [
    ("advance", {"seconds": "60"}, "clock"),
    ("fault", {"kind": "spike", "esiid": "$", "params": "factor=40"}, "faults"),
    ("complaint", {"kind": "t_failed", "esiids": "$", "times": "2"}, "complaints"),
    ("complaint-off", {"ident": "latest"}, "complaints"),
    ("complaints-off", {}, "complaints"),
    ("fault-off", {"ident": "latest"}, "faults"),
]


@pytest.mark.process
async def test_each_action_changes_the_bed_and_says_what_it_called(visit: Visit) -> None:
    before: dict[str, Any] = {}
    for name, fields, list_ in DONE:
        before[list_] = await visit.control(list_)
        meant = {"$": esiid(visit, 2), "latest": await latest(visit, list_)}
        page = await visit.did(name, **{key: meant.get(one, one) for key, one in fields.items()})
        assert f"Done: {DOINGS[name].method} /control/" in page
        if name != "complaints-off":
            assert await visit.control(list_) != before[list_]
    assert {name for name, _, _ in DONE} | {"speed"} == set(DOINGS)


@pytest.mark.parametrize(
    ("name", "fields", "status", "code"),
    [
        ("advance", {"seconds": "soon"}, 400, "seconds"),
        ("advance", {"to": "yesterday"}, 400, "FIELD"),
        ("advance", {}, 400, "control.clock.malformed"),
        ("speed", {"speed": "60"}, 409, "control.clock.manual"),
        ("speed", {"speed": "nan"}, 400, "speed"),
        ("fault", {"kind": "spike", "esiid": "1", "params": "factor"}, 400, "params"),
        ("fault", {"kind": "dead", "esiid": "1"}, 404, "control.faults.meter"),
        ("fault-off", {"ident": "fault-99"}, 404, "control.faults.unknown"),
        ("fault-off", {"ident": "../clock"}, 404, "console.doing"),
        ("complaint", {"kind": "smt_maintenance"}, 400, "FIELD"),
        ("complaint-off", {"ident": ""}, 404, "console.doing"),
        ("bored", {}, 404, "console.doing"),
    ],
)
async def test_what_cannot_be_done_is_told_with_code_and_mend(
    visit: Visit, name: str, fields: dict[str, str], status: int, code: str
) -> None:
    reply = await visit.post(f"do/{name}", **fields)
    assert (reply.status_code, f"<code>{code}</code>" in reply.text) == (status, True), reply.text
    assert "Traceback" not in reply.text


async def test_a_form_counts_from_this_consoles_own_pages_alone(visit: Visit) -> None:
    path, token = "/console/do/advance", visit.console.token
    before = await visit.control("clock")
    for fields, headers in (
        ({"form_token": token}, {}),
        ({"form_token": token}, {"origin": "http://evil.example"}),
        ({"form_token": token}, {"sec-fetch-site": "cross-site"}),
        ({"form_token": "no"}, visit.sent),
        ({}, visit.sent),
    ):
        reply = await visit.http.post(path, data={"seconds": "60", **fields}, headers=headers)
        assert reply.status_code == 403, (fields, headers)
    assert (await visit.http.get("/console/", headers={"host": "evil.example"})).status_code == 421
    assert await visit.control("clock") == before


@pytest.mark.parametrize("text", _RUNNING)
async def test_what_is_typed_and_what_an_address_says_stays_text(visit: Visit, text: str) -> None:
    told = [
        await visit.get("meters", esiid=text, state=text, skip=text),
        await visit.get("vee", day=text),
        await visit.get("requests", esiid=text, done=text),
        await visit.get("throttle", esiid=f'1">{text}'),
        await visit.get("runs/" + text.replace("/", "").replace("?", "").replace("#", "")),
        await visit.get("scenarios", name=text),
        await visit.post("do/fault", kind=text, esiid=f'">{text}'),
        await visit.post("scenarios", text=f"name: {text}\n</textarea>{text}", do="lint"),
        await visit.post("ask", esiid=text, kind=text),
    ]
    for reply in told:
        assert text not in reply.text.replace("<form ", "") or "<" not in text
        assert "Traceback" not in reply.text
        assert "console.broken" not in reply.text


async def test_a_bed_that_is_gone_is_told_and_is_no_fault(tmp_path: Path) -> None:
    async with httpx.AsyncClient() as http:
        console = Console(Bed("http://127.0.0.1:9", http), tmp_path)
        async with visiting(tmp_path) as visit:
            visit.console.bed = console.bed
            reply = await visit.get("clock")
            assert (reply.status_code, "console.bed.silent" in reply.text) == (502, True)
    assert "ami sandbox" in reply.text


async def test_a_bed_that_was_begun_anew_with_other_keys_is_looked_at_as_before(visit: Visit, tmp_path: Path) -> None:
    assert visit.made is not None
    sandbox, keys = visit.made.sandbox, tmp_path / "keys.json"
    keys.touch(0o600)
    keys.write_text(json.dumps(asdict(sandbox.keys)), "utf-8")
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        bed = Bed(sandbox.smt_server.url, http, smt_key="of the bed before", keys=keys)
        assert (await bed.head_end("/batches/2026-08-11"))["operatingDay"] == "2026-08-11"
        keys.write_text(json.dumps(asdict(sandbox.keys) | {"smt": "k" * 32}), "utf-8")
        bed = Bed(sandbox.smt_server.url, http, smt_key="of the bed before", keys=keys)
        with pytest.raises(BedProblem, match="key"):
            await bed.head_end("/batches/2026-08-11")


async def test_where_there_is_a_password_nobody_sees_anything_before_it(tmp_path: Path) -> None:
    async with visiting(tmp_path, password="open sesame") as visit:
        for path in ("", "runs", "scenarios", "journal", "live", "runs/x/report"):
            reply = await visit.get(path)
            after = f"?next=/console/{path}" if path else ""
            assert (reply.status_code, reply.headers["location"]) == (303, f"/console/login{after}")
        for reply in (await visit.get("nix"), await visit.post("login/x"), await visit.get("login")):
            assert visit.console.token not in reply.text
        assert (await visit.post("scenarios", text="x")).status_code == 303
        assert (await visit.post("login", password="open")).status_code == 401
        foreign = await visit.http.post(
            "/console/login", data={"password": "open sesame"}, headers={"origin": "http://evil.example"}
        )
        assert (foreign.status_code, "set-cookie" in foreign.headers) == (403, False)
        let_in = await visit.post("login", password="open sesame")
        cookie = let_in.headers["set-cookie"]
        assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/console/"))
        assert (await visit.get("runs")).status_code == 200
        assert (await visit.post("login", password="open sesame", next="/console/runs")).headers["location"] == (
            "/console/runs"
        )
        assert (await visit.post("logout")).status_code == 303
        assert (await visit.get("runs")).status_code == 303


async def test_who_has_come_in_is_asked_again_when_the_session_is_over(tmp_path: Path) -> None:
    async with visiting(tmp_path, password="open sesame") as visit:
        wall = [1e9]
        visit.console.sessions = Sessions(lambda: wall[0], 60, 60)
        for later, status in ((0, 200), (59, 200), (60, 303)):
            wall[0] = 1e9
            await visit.post("login", password="open sesame")
            wall[0] += later
            assert (await visit.get("runs")).status_code == status


async def test_after_some_bad_passwords_none_is_looked_at_for_a_while(tmp_path: Path) -> None:
    async with visiting(tmp_path, password="open sesame") as visit:
        told = [(await visit.post("login", password=f"guess {n}")).status_code for n in range(6)]
        assert told == [401] * 5 + [403]
        reply = await visit.post("login", password="open sesame")
        assert (reply.status_code, "Too many log-ins have failed." in reply.text) == (403, True)


async def test_what_is_refused_before_it_is_read_is_a_page_too(visit: Visit) -> None:
    token, headers = visit.console.token, visit.sent
    for status, reply in (
        (413, await visit.post("scenarios", text="x" * (1 << 20))),
        (413, await visit.post("do/fault", esiid="x" * (1 << 16))),
        (421, await visit.http.get("/console/", headers={"host": "evil.example"})),
        (
            421,
            await visit.http.post("/console/journal", data={"form_token": token}, headers={**headers, "host": "a.b"}),
        ),
    ):
        assert (reply.status_code, reply.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert 'role="alert"' in reply.text
    # Whoever calls it by a wrong name learns no token.
    assert token not in reply.text


def test_a_station_that_does_not_keep_up_says_so() -> None:
    none = {"count": 0, "p50S": None, "p95S": None}
    told: dict[str, Any] = {
        "asked": {"day": "2026-08-11"},
        "bed": {"policy": "p"},
        "batch": None,
        "meters": {"counts": dict.fromkeys(("ok", "flaky", "dead", "faulty"), 0)},
        "headend": {"sweeps": "late", "store": "ok", "posting": "failing"},
        "smt": {"status": "ok", "clockLagS": 2.5},
        "counts": {
            "requests": [],
            "answered": none,
            "failed": none,
            "refused": {**none, "codes": {}},
            "posted": {"files": 0, "cut": 0, "codes": {}},
        },
    }
    assert [one.tone for one in stations_of(told)] == ["ok", "behind", "behind", "stopped", "behind", "ok"]
    told["headend"]["store"], told["smt"]["status"] = "unwritable", "degraded"
    assert [one.tone for one in stations_of(told)][1::3] == ["stopped", "stopped"]
