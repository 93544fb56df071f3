"""A stranger's head-end before SMT: each rule for answers has a fault that it catches and a near miss that passes, and the ledger says which."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from headend.wire import InquiryKind
from meters.calendar import day_of, iso, to_s
from scenarios import twins
from simulator.parties import control
from simulator.runtime.serving import HttpServer, bind, url_of
from simulator.smt.ondemand.invariants import Author, breaches, from_ledger
from simulator.smt.ondemand.ledger import Entry, Transition
from simulator.smt.ondemand.lifecycle import BESIDE, State
from simulator.smt.ondemand.rules import RULES, UNALLOWED
from simulator.smt.registry.records import RorPeriod
from simulator.smt.registry.registry import Registry
from simulator.smt.throttle.limits import Scope
from simulator.smt.throttle.policy import preset
from tests.simulator.smt.rig import KEYS, PLAIN, ROR_DUNS, Rig, registry

TWIN = Path(twins.__path__[0]) / "headend.py"
FAULTS: dict[str, Any] = json.loads(TWIN.with_name("headend_faults.json").read_text("utf-8"))
CASES = [f"{rule}/{which}" for rule in FAULTS for which in ("fault", "near")]
ESIIDS = {case: str(99900000000001000 + number) for number, case in enumerate(CASES)}
#: Intervals of 70 that the retailer gets.
HANDED_ON = {"COLLECTED-EARLY/fault": 69, "DUPLICATE/fault": 69, "SOURCE-NOT-READ/fault": 64, "ENERGY-SIGN/fault": 70}
FROM_HEAD_ENDS = {rule.id for rule in RULES.values() if rule.author == "head-end"}


def told(case: str) -> dict[str, Any]:
    rule, _, which = case.partition("/")
    found: dict[str, Any] = FAULTS[rule][which]
    return found


def one_premise_a_case() -> Registry:
    first = registry()
    points = [replace(first.points[PLAIN], esiid=esiid, meter_number=esiid[-9:]) for esiid in ESIIDS.values()]
    periods = [RorPeriod(point.esiid, ROR_DUNS, date(2025, 1, 1)) for point in points]
    return Registry(points, first.entities.values(), periods, first.users.values())


class Twin:
    """The process, and what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        said: dict[str, Any] = json.loads(await asyncio.wait_for(self._process.stdout.readline(), 30))
        return said


@asynccontextmanager
async def twin(folder: Path, *words: str) -> AsyncIterator[Twin]:
    """It runs with nothing but the standard library to import."""
    keys = folder / "keys.json"
    keys.write_text(json.dumps(asdict(KEYS)), "utf-8")
    command = (sys.executable, "-I", str(TWIN), "--keys", str(keys), *words)
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    try:
        yield Twin(process)
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def before_it(folder: Path, head_end: str, policy: str = "fr-cr016-1") -> AsyncIterator[Rig]:
    bound = bind("127.0.0.1", 0, "SMT")
    rig = Rig(folder, policy, registered=one_premise_a_case(), links={"coastal": head_end}, reply_to=url_of(bound))
    rig.app.serve(control.router().routes, rig.runtime)
    async with rig:
        server = HttpServer(rig.app, bound)
        await server.start()
        try:
            yield rig
        finally:
            await server.stop()


async def ask(rig: Rig, head_end: Twin, cases: list[str], reference: str = "{}") -> dict[str, str]:
    """Ask for each and take them to their ends, but for those without an answer; the correlation id of each."""
    asked = {}
    for case in cases:
        kind = InquiryKind(FAULTS[case.partition("/")[0]]["kind"])
        path = "/powerstatus/" if kind is InquiryKind.POWER else "/odr/"
        read = {} if kind is InquiryKind.POWER else {"readType": kind.value}
        ack = await rig.asked(path, ESIID=ESIIDS[case], callReference=reference.format(case), **read)
        asked[case] = ack["correlationId"]
    await rig.wait(11)
    again = sum("again" in told(reference.format(case)) for case in cases if reference.format(case))
    for _ in range(len(cases) + again):
        assert (await head_end.line())["event"] == "called back"
    await rig.wait(65)
    return asked


def beside(entry: Entry) -> Iterator[Transition]:
    return (step for step in entry.transitions if step.state in BESIDE)


def test_every_rule_for_answers_has_its_fault_and_its_near_miss() -> None:
    assert set(FAULTS) == FROM_HEAD_ENDS
    assert {rule: {"fault", "near"} <= fault.keys() for rule, fault in FAULTS.items()} == dict.fromkeys(FAULTS, True)
    assert {rule for rule in FAULTS if FAULTS[rule]["fault"]["ends"] == "failed"} == {
        rule for rule in FROM_HEAD_ENDS if RULES[rule].fatal
    }
    assert len(TWIN.read_text("utf-8").splitlines()) <= 300


@pytest.mark.process
async def test_each_fault_of_a_strangers_head_end_has_its_verdict_in_the_ledger(tmp_path: Path) -> None:
    async with twin(tmp_path) as head_end, before_it(tmp_path, (await head_end.line())["headend_url"]) as rig:
        for esiid in ESIIDS.values():
            rig.post_days(count=1, esiid=esiid)
        await ask(rig, head_end, [case for case in CASES if told(case).get("spent")], reference="")
        asked = await ask(rig, head_end, CASES)
        status = {case: await rig.status(key) for case, key in asked.items()}
        unallowed = f"{UNALLOWED}/fault"
        # The read that nobody let in is used up: it stands beside the one that was, whose day it is.
        again = await rig.asked(ESIID=ESIIDS[unallowed])
        await rig.wait(46 * 60)
        entries = {case: rig.smt.ledger.entry(key) for case, key in asked.items()}
        all_of_them = rig.smt.ledger.audit(day=day_of(rig.runtime.now()))
    for case, entry in entries.items():
        assert entry is not None
        (rule, _, which), expected = case.partition("/"), told(case)
        assert entry.last.state.value == expected["ends"], case
        found = [(step.rule, step.field) for step in beside(entry)]
        if which == "near":
            assert found == [], case
            assert status[case].get("findings") is None
            continue
        assert found == [(rule, FAULTS[rule]["field"])], case
        (step,) = beside(entry)
        assert FAULTS[rule]["value"] in step.value, case
        assert step.state is (State.REJECTED if rule == "MALFORMED" else State.FOUND)
        assert entry.last.rule == (rule if RULES[rule].fatal else "")
        if RULES[rule].fatal:
            assert entry.last.reason == step.reason
            assert status[case]["statusReason"] == f"FAILED: {step.reason}"
            assert [one["code"] for one in status[case]["findings"]] == [rule]
    malformed = entries["MALFORMED/fault"]
    assert malformed is not None
    assert "meterReads" in malformed.last.reason
    read = entries[unallowed]
    assert read is not None
    assert iso(to_s(read.last.at_us)) in again["refusal"]["reason"]
    # What no fatal rule touches is handed on.
    assert {case: len(status[case]["intervals"]) for case in HANDED_ON} == HANDED_ON
    found_by_counting = breaches(
        preset("fr-cr016-1"), from_ledger(all_of_them, lambda filed: {Scope.ESIID: filed.esiid})
    )
    assert [(one.key, one.author) for one in found_by_counting] == [(asked[unallowed], Author.HEAD_END)]


@pytest.mark.process
async def test_a_strangers_head_end_sends_what_its_sweep_brought_and_the_next_call_is_answered_at_once(
    tmp_path: Path,
) -> None:
    async with (
        twin(tmp_path) as head_end,
        before_it(tmp_path, (await head_end.line())["headend_url"], "push-to-smt") as rig,
    ):
        esiid = next(iter(ESIIDS.values()))
        rig.post_days(count=1, esiid=esiid)
        first = await rig.asked(ESIID=esiid, readType="INTERVALS")
        await rig.wait(11)
        said = [await head_end.line() for _ in range(2)]
        await rig.wait(65)
        second = await rig.asked(ESIID=esiid, readType="INTERVALS")
        usual, at_once = [await rig.status(one["correlationId"]) for one in (first, second)]
    assert [(one["event"], one["status"]) for one in said] == [("pushed", 202), ("called back", 202)]
    assert [one["wh"] for one in at_once["intervals"]] == [one["wh"] for one in usual["intervals"]][:64]
    assert at_once["reachesTo"] == "2026-08-12T16:00:00-05:00"
