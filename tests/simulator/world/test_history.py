"""Posted days made on the modelled transport are what live days leave: the same LSE files, the same store, the same repository."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import numpy as np

from headend.ports import MeterKey
from meters.calendar import day_start, days, epoch, to_us
from simulator.parties.sandbox import Sandbox, SandboxSettings
from simulator.runtime.clock import Clock, ClockMode
from simulator.smt.ondemand.middle import FixedMiddle
from simulator.smt.throttle.policy import preset
from simulator.world.fault_spec import FaultSpec
from simulator.world.meters import World, WorldSpec, build

FIRST = date(2026, 3, 6)
#: The night to 2026-03-08 is the spring-forward one.
NOW = epoch("2026-03-10T09:00")


def the_world() -> World:
    faults = (
        FaultSpec.model_validate(
            {"kind": "gap", "meter": 2, "first": datetime(2026, 3, 7, 13), "until": datetime(2026, 3, 7, 19)}
        ),
        FaultSpec.model_validate(
            {
                "kind": "spike",
                "meter": 3,
                "first": datetime(2026, 3, 8, 11),
                "until": datetime(2026, 3, 8, 11, 15),
                "factor": 40,
            }
        ),
        FaultSpec.model_validate(
            {"kind": "dead", "meter": 4, "first": datetime(2026, 3, 7, 10), "until": datetime(2026, 3, 9, 2)}
        ),
        *(
            FaultSpec.model_validate({"meter": meter, "kind": kind, "first": first, "until": until, **more})
            for meter, kind, first, until, more in (
                (5, "outage", datetime(2026, 3, 7, 22), datetime(2026, 3, 8, 0, 30), {}),
                # Its last gasp alone is heard before it answers, its restoration not before the batch.
                (6, "outage", datetime(2026, 3, 8, 13), datetime(2026, 3, 8, 18), {"restoration_s": 36_000}),
                (7, "disconnected", datetime(2026, 3, 8, 10), datetime(2026, 3, 9, 10), {}),
                (8, "outage", datetime(2026, 3, 9, 23), datetime(2026, 3, 10, 13), {}),
            )
        ),
    )
    return build(WorldSpec(meters=8, first_day=FIRST, faults=faults), 5)


def sandbox(world: World, out: Path, *, history: bool) -> Sandbox:
    out.mkdir()
    begin = NOW if history else day_start(FIRST)
    return Sandbox(
        SandboxSettings(
            world=world,
            clock=Clock(ClockMode.MANUAL, to_us(begin)),
            policy=preset("smt-today"),
            middle=FixedMiddle(1, 1),
            out=out,
            history=history,
        )
    )


async def test_modelled_history_leaves_what_live_days_leave(tmp_path: Path) -> None:
    world = the_world()
    async with (
        sandbox(world, tmp_path / "live", history=False) as live,
        sandbox(world, tmp_path / "modelled", history=True) as modelled,
    ):
        await live.runtime.run_until(NOW)
        await modelled.runtime.run_until(NOW)
        assert live.faults() == modelled.faults() == []
        posted = [
            [(file.name, file.operating_day) for file in each.headend_store.posted_files()] for each in (live, modelled)
        ]
        assert posted[0] == posted[1]
        # The fourth meter was silent in the batches of the 7th and the 8th: the 9th's corrects them. Of the fifth the outage's edge came late.
        assert [day.day for _, day in posted[0]] == [6, 7, 7, 8, 7, 8, 9]
        esiids = sorted(meter.identity.esiid for meter in world.meters)
        for esiid in esiids:
            ours, theirs = (each.headend_store.window(esiid, day_start(FIRST), NOW) for each in (live, modelled))
            assert np.array_equal(ours.ends, theirs.ends)
            assert np.array_equal(ours.wh, theirs.wh)
            assert np.array_equal(ours.present, theirs.present)
            assert live.smt.store.last_vee_end(esiid) == modelled.smt.store.last_vee_end(esiid)
        events = [each.headend_store.events for each in (live, modelled)]
        assert events[0].over(esiids, day_start(FIRST), NOW) == events[1].over(esiids, day_start(FIRST), NOW)
        assert events[0].latest() == events[1].latest()
        assert events[0].latest().answer.keys() == {meter_key(world, 6)}
        same_vee(live, modelled, esiids, date(2026, 3, 9))
        # The eighth is dark now: what it missed until then comes when it answers.
        for each in (live, modelled):
            await each.runtime.run_until(epoch("2026-03-11T02:00"))
        same_vee(live, modelled, esiids, date(2026, 3, 10))
        assert not live.headend_store.vee_day(esiids, date(2026, 3, 9)).delivered.status[7 - 1 :].any()
        # The result codes of every posted file are there in the live run, and all good.
        home = live.files.home(live.market.tdsp_login.username)
        for name, _ in posted[0]:
            result = (home / f"{name}.result.csv").read_text().splitlines()
            assert all(",00," in row for row in result[1:])


def meter_key(world: World, ordinal: int) -> MeterKey:
    identity = world.meters[ordinal - 1].identity
    return MeterKey(identity.esiid, identity.meter_number)


def same_vee(live: Sandbox, modelled: Sandbox, esiids: Sequence[str], last: date) -> None:
    stores = live.headend_store, modelled.headend_store
    for day in days(FIRST, last):
        ours_vee, theirs_vee = (each.vee_day(esiids, day).delivered for each in stores)
        for column in ("wh", "status", "method", "scaled", "start_wh", "stop_wh"):
            assert np.array_equal(getattr(ours_vee, column), getattr(theirs_vee, column)), (day, column)
        assert stores[0].findings.of_day(day) == stores[1].findings.of_day(day), day
