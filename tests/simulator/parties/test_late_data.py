"""A meter that is silent for two days and then answers: what the head-end tells of it, and what it does with what comes late."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from headend.http.links import bearing
from headend.store.partitions import State
from headend.vee.preset import Preset
from headend.vee.quality import Channel
from meters.calendar import Seconds, day_end, day_start, epoch, to_us
from meters.faults.kinds import FaultKind
from meters.faults.rules import FaultRule
from simulator.input.vee_preset import preset_of
from simulator.parties.sandbox import Sandbox, SandboxSettings
from simulator.runtime.clock import Clock, ClockMode
from simulator.smt.ondemand.middle import FixedMiddle
from simulator.smt.throttle.policy import preset
from simulator.smt.usage.store import StoredDay
from simulator.world.fault_spec import Happenings
from simulator.world.meters import build, default_world

FIRST, LAST = date(2026, 8, 5), date(2026, 8, 12)
LATE = 4
#: Silent from the afternoon of the 7th on; the sweep of the 9th at 20:00 brings all that was missed.
FROM, UNTIL = epoch("2026-08-07T14:00"), epoch("2026-08-09T19:00")


@asynccontextmanager
async def sandbox(out: Path, until: Seconds = UNTIL, vee: Preset | None = None) -> AsyncIterator[Sandbox]:
    dead = FaultRule(FaultKind.DEAD, FROM, until, meters=(LATE,))
    world = build(default_world(FIRST, FIRST, 8, 1, False), 5, day_start(FIRST), Happenings((dead,)))
    settings = SandboxSettings(
        world,
        Clock(ClockMode.MANUAL, to_us(day_start(FIRST))),
        preset("smt-today"),
        FixedMiddle(1, 1),
        out,
        history=False,
        vee=vee,
    )
    async with Sandbox(settings) as made:
        yield made
        assert made.faults() == []


async def told(made: Sandbox, path: str, **query: Any) -> Any:
    """What the head-end answers to a call."""
    async with httpx.AsyncClient(base_url=made.headend_server.url, trust_env=False) as http:
        reply = await http.get(path, params=query, headers=bearing(made.keys.smt))
    assert reply.status_code == 200, reply.text
    return reply.json()


async def test_every_day_has_a_state_that_says_what_is_missing_why_and_how_often_it_was_asked_for(
    tmp_path: Path,
) -> None:
    async with sandbox(tmp_path) as made:
        late = made.settings.world.esiid(LATE)
        await made.runtime.run_until(epoch("2026-08-09T12:00"))
        whole = await told(made, "/collection/2026-08-07")
        assert [(one["attempts"], one["cause"]) for one in whole["meters"] if one["complete"]] == [(1, "")] * 7
        (missing,) = (await told(made, "/collection/2026-08-07", complete=False))["meters"]
        # The midnight that ends the day, and the one after it; sweeps within a day of them are no attempts of their own.
        assert (missing["esiid"], missing["attempts"], missing["cause"]) == (late, 2, "silent")
        assert missing["lastAttemptAt"].startswith("2026-08-09T08:00")
        await made.runtime.run_until(epoch("2026-08-09T21:00"))
        days = [(await told(made, f"/collection/2026-08-0{day}", esiid=late))["meters"] for day in (6, 7, 8)]
        assert [(one["attempts"], one["cause"], one["complete"]) for (one,) in days] == [
            (1, "", True),
            (2, "silent", True),
            (1, "silent", True),
        ]
        assert (await told(made, "/collection/2026-08-09"))["meters"] == []
        paged = await told(made, "/collection/2026-08-08", limit=3)
        after = await told(made, "/collection/2026-08-08", after=paged["meters"][-1]["esiid"])
        assert (len(paged["meters"]), len(after["meters"])) == (3, 5)


async def test_what_comes_late_is_validated_again_and_posted_as_a_correction_of_that_meter_alone(
    tmp_path: Path,
) -> None:
    async with sandbox(tmp_path) as made:
        late, other = (made.settings.world.esiid(ordinal) for ordinal in (LATE, 1))
        await made.runtime.run_until(epoch("2026-08-09T12:00"))
        assert {day.day: day.estimated.all() for day in usage(made, late)} == {
            date(2026, 8, 5): 0,
            date(2026, 8, 6): 0,
        } | {
            date(2026, 8, 7): 0,
            date(2026, 8, 8): 1,
        }
        await made.runtime.run_until(epoch("2026-08-10T09:00"))
        notes = made.journal.entries()
        # The sweep at 20:00 brought what was missing; the next batch takes it.
        assert [note["ident"] for note in notes if note["kind"] == "VEE revision"] == ["2026-08-07", "2026-08-08"]
        posted = [file for file in made.headend_store.posted_files() if file.posted_at >= epoch("2026-08-10T00:00")]
        assert [(file.operating_day.day, file.records) for file in posted] == [(7, 1), (8, 1), (9, 8)]
        codes = [note["codes"] for note in notes if note["kind"] == "result codes"]
        assert codes[-3:] == [{"00": 1}, {"00": 1}, {"00": 8}]
        held = {day.day.day: day for day in usage(made, late)}
        assert [(held[day].revision, bool(held[day].estimated.any())) for day in (6, 7, 8, 9)] == [
            (1, False),
            (2, False),
            (2, False),
            (1, False),
        ]
        meter = made.settings.world.meters[LATE - 1]
        for day in (7, 8):
            begins = day_start(date(2026, 8, day))
            flowed = meter.window(begins, day_end(date(2026, 8, day)), epoch("2026-08-10T09:00"))
            assert held[day].wh.tolist() == (flowed.delivered * meter.identity.multiplier).tolist()
        assert {day.revision for day in usage(made, other)} == {1}
        report = await told(made, "/batches/2026-08-08")
        assert (report["meters"], report["complete"], report["completePercent"]) == (8, 8, 100.0)
        first, again = report["runs"]
        # One of eight meters had no interval in the first run, and all of them in the second.
        assert (first["meters"], first["actualPercent"], first["estimatedPercent"]) == (8, 87.5, 12.5)
        assert {"rule": "interval.missing", "findings": 2} in first["findings"]
        assert first["topOffenders"][0]["esiid"] == late
        assert (again["meters"], again["actualPercent"], again["findings"]) == (1, 100.0, [])
        assert [run["postedAt"][:16] for run in (first, again)] == ["2026-08-09T07:30", "2026-08-10T07:30"]
        await made.runtime.run_until(epoch("2026-08-11T09:00"))
        assert len(made.headend_store.posted_files()) == 8


async def test_three_estimated_days_running_are_told_until_the_meter_answers(tmp_path: Path) -> None:
    async with sandbox(tmp_path, epoch("2026-08-11T03:00")) as made:
        await made.runtime.run_until(epoch("2026-08-12T09:00"))
        told_of = {
            (note["kind"], note["ident"]): "estimate.prolonged" in note["findings"]
            for note in made.journal.entries()
            if note["kind"].startswith("VEE")
        }
    batches = {ident: prolonged for (kind, ident), prolonged in told_of.items() if kind == "VEE batch"}
    # The 7th has a morning; the 8th, the 9th and the 10th have nothing until the 11th at 04:00.
    assert [day for day, prolonged in batches.items() if prolonged] == ["2026-08-10"]
    revised = {ident: prolonged for (kind, ident), prolonged in told_of.items() if kind == "VEE revision"}
    assert revised == dict.fromkeys([f"2026-08-{day}" for day in ("07", "08", "09", "10")], False)


def usage(made: Sandbox, esiid: str) -> list[StoredDay]:
    """What SMT holds of an ESI ID's consumption, the latest revisions."""
    return made.smt.store.range(esiid, Channel.LOAD, FIRST, LAST)


async def test_a_day_goes_out_in_files_of_so_many_records_and_is_posted_when_all_are(
    tmp_path: Path,
) -> None:
    async with sandbox(tmp_path, vee=replace(preset_of("ONCOR"), partition=3)) as made:
        store = made.headend_store
        await made.runtime.run_until(epoch("2026-08-06T07:00"))
        assert store.posted_days() == set()
        await made.runtime.run_until(epoch("2026-08-06T09:00"))
        files = store.posted_files()
        assert [file.records for file in files] == [2, 3, 3]
        assert [file.name[-7:-4] for file in files] == ["001", "002", "003"]
        partitions = store.partitions.of_day(FIRST)
        assert [(one.run, one.part, one.state, one.name) for one in partitions] == [
            (1, part, State.POSTED, file.name) for part, file in enumerate(files, 1)
        ]
        assert store.posted_days() == {FIRST}
        held = [len(usage(made, made.settings.world.esiid(ordinal))) for ordinal in range(1, 9)]
        assert held == [1] * 8
        # No roof among them: channel 1 has nothing to tell.
        assert not made.smt.store.range(made.settings.world.esiid(1), Channel.GENERATION, FIRST, LAST)
