"""A scenario played: how far it is told while it goes on, what comes late is waited for, a clock that runs, and the days before that go to another's site."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from headend.lse.writer import RESULT_SUFFIX
from headend.ports import HeadEndError
from meters.calendar import epoch
from scenarios.file.schema import Scenario
from scenarios.judging.verdict import judge
from scenarios.outside.party import Outside, OutsideSmt
from scenarios.running import runner
from scenarios.running.runner import AFTERMATH_S, Run, SoFar, begin, run
from simulator.parties.keys_file import kept_keys
from simulator.runtime.until_stopped import run_stoppable
from simulator.verdicts import Mark
from simulator.world.market import ROR_LOGIN
from tests.scenarios.short import scenario, short_balance, short_last_bill

AT = "2026-08-12T09:00"


def looks(*more: dict[str, Any], **said: Any) -> Scenario:
    """A day is posted, and a tester looks at SMT's health."""
    written = short_last_bill() | said
    written["world"] |= {"meters": 4, "faults": []}
    first = {"do": "look", "ref": "first", "at": AT, "what": "health"}
    written["timeline"] = [one | {"expect": {"health": "ok"}} for one in (first, *more)]
    return scenario(written)


def played(said: Scenario, out: Path, *how: Any) -> Run:
    return run_stoppable(run(said, out, *how))


def outside(tmp_path: Path, **said: Any) -> Outside:
    keys = tmp_path / "keys.json"
    kept_keys(keys)
    return Outside(keys=keys, ports=0, **{"role": "ror", "patience_s": 5.0, **said})


def test_how_far_it_is_grows_to_the_whole_and_what_is_there_by_then_can_be_judged(tmp_path: Path) -> None:
    told: list[tuple[SoFar, int]] = []
    later = {"do": "look", "ref": "later", "at": "2026-08-12T15:00", "what": "queue", "expect": {"open": 0}}
    written = looks().model_dump(mode="json", exclude_none=True, serialize_as_any=True)
    written["timeline"].append(later)
    done = played(scenario(written), tmp_path, lambda so_far: told.append((so_far, len(so_far.recording().actions))))
    shares = [so_far.share for so_far, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert told[0][0].states == {"first": "waiting", "later": "waiting"}
    assert told[-1][0].states == {"first": "over", "later": "over"}
    assert (told[0][1], told[-1][1]) == (0, 2)
    assert told[-1][0].at == epoch("2026-08-12T15:00") + AFTERMATH_S
    assert judge(done.recording).mark is Mark.PASSED


def test_what_comes_after_a_call_that_takes_long_is_waited_for_beyond_the_run_s_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "AFTERMATH_S", 300)
    written = short_balance() | {"middle": {"pickup_s": 700, "return_s": 60}}
    call = {**written["timeline"][0], "patience_s": 3600, "verifies": []}
    then = {"do": "look", "ref": "then", "after": call["ref"], "at": "+0m", "what": "queue", "expect": {"open": 0}}
    ends: list[SoFar] = []
    done = played(scenario(written | {"timeline": [call, then]}), tmp_path, ends.append)
    assert done.recording.begun["then"] > epoch("2026-08-12T17:30") + 700
    assert [one.states["then"] for one in ends[-2:]] == ["waiting", "over"]
    assert ends[-1].at == ends[-2].at + 300
    assert "then" in done.recording.actions


def test_what_a_run_leaves_is_told_by_addresses_and_lies_in_its_folder(tmp_path: Path) -> None:
    done = played(looks(), tmp_path)
    assert set(done.addresses) & {"event", "logins", "keys_file"} == set()
    assert {"smt_url", "headend_url"} <= set(done.addresses)
    assert sorted(path.suffix for path in (tmp_path / "lse").iterdir()) == [".csv", ".lse"]
    assert {"wire.jsonl", "ror", "headend.sqlite"} <= {path.name for path in tmp_path.iterdir()}


def test_a_complaint_of_the_scenario_is_on_in_its_window(tmp_path: Path) -> None:
    sick = {"kind": "text_503", "first": "2026-08-12T08:59", "until": "2026-08-12T09:01"}
    written = looks(complaints=[sick]).model_dump(mode="json", exclude_none=True, serialize_as_any=True)
    asked = {"do": "http", "path": "/v2/odr/", "login": ROR_LOGIN.username, "body": {}}
    written["timeline"] = [
        asked | {"ref": "in", "at": AT, "expect": {"status": 503}},
        asked | {"ref": "out", "at": "2026-08-12T09:05", "expect": {"status": 400}},
    ]
    done = played(scenario(written), tmp_path)
    assert [one.failures for one in judge(done.recording).judged if one.failures] == []


def test_on_a_clock_that_runs_it_begins_a_minute_before_the_first_action(tmp_path: Path) -> None:
    seen: list[int] = []
    said = looks()
    done = played(said, tmp_path / "out", None, outside(tmp_path, speed=3600.0, began=lambda now: seen.append(now())))
    assert seen == [begin(said)] == [epoch(AT) - 60]
    assert done.recording.actions["first"].model_dump()["health"] == "ok"


def test_a_fault_while_the_clock_runs_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("scenarios.actions.market.look._queue", broken)
    queue = looks().model_dump(mode="json", exclude_none=True, serialize_as_any=True)
    queue["timeline"] = [{"do": "look", "ref": "q", "at": AT, "what": "queue", "expect": {"open": 0}}]
    with pytest.raises(ZeroDivisionError):
        played(scenario(queue), tmp_path / "out", None, outside(tmp_path, speed=3600.0))


@pytest.mark.parametrize("answered", [True, False])
def test_the_days_before_are_posted_at_a_site_that_is_not_ours_and_must_be_answered(
    tmp_path: Path, answered: bool
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    their = OutsideSmt("http://127.0.0.1:9", moved=False, inbox=inbox)
    by_us = outside(tmp_path, role="smt", smt=their, patience_s=5.0 if answered else 0.1)
    said = looks().model_dump(mode="json", exclude_none=True, serialize_as_any=True)
    said["timeline"] = [{"do": "look", "ref": "q", "at": AT, "what": "queue", "expect": {"open": 0}}]

    async def answering() -> None:
        while True:
            for file in inbox.glob("*.lse"):
                file.with_name(f"{file.name}{RESULT_SUFFIX}").write_text("00\n")
            await asyncio.sleep(0.01)

    async def both() -> Run:
        answers = asyncio.ensure_future(answering()) if answered else None
        try:
            return await run(scenario(said), tmp_path / "out", None, by_us)
        finally:
            if answers is not None:
                answers.cancel()

    if not answered:
        with pytest.raises(HeadEndError, match=r"headend\.posting\.not_answered"):
            run_stoppable(both())
        return
    run_stoppable(both())
    ours = {path.name: path.read_bytes() for path in (tmp_path / "out" / "lse").glob("*.lse")}
    assert ours
    assert {path.name: path.read_bytes() for path in inbox.glob("*.lse")} == ours
