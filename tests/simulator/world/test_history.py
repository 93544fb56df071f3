"""Posted days made on the modelled transport are what live days leave: the same LSE files, the same store, the same repository."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import numpy as np

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
        # The fourth meter was silent in the batches of the 7th and the 8th: the 9th's corrects them.
        assert [day.day for _, day in posted[0]] == [6, 7, 8, 7, 8, 9]
        esiids = sorted(meter.identity.esiid for meter in world.meters)
        for esiid in esiids:
            ours, theirs = (each.headend_store.window(esiid, day_start(FIRST), NOW) for each in (live, modelled))
            assert np.array_equal(ours.ends, theirs.ends)
            assert np.array_equal(ours.wh, theirs.wh)
            assert np.array_equal(ours.present, theirs.present)
            assert live.smt.store.last_vee_end(esiid) == modelled.smt.store.last_vee_end(esiid)
        for day in days(FIRST, date(2026, 3, 9)):
            ours_vee, theirs_vee = (each.headend_store.vee_day(esiids, day).delivered for each in (live, modelled))
            for column in ("wh", "status", "method", "scaled", "start_wh", "stop_wh"):
                assert np.array_equal(getattr(ours_vee, column), getattr(theirs_vee, column)), (day, column)
        # The result codes of every posted file are there in the live run, and all good.
        home = live.files.home(live.market.tdsp_login.username)
        for name, _ in posted[0]:
            result = (home / f"{name}.result.csv").read_text().splitlines()
            assert all(",00," in row for row in result[1:])
