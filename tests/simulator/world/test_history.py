"""Posted days made on the modelled transport are what live days leave: the same LSE files, the same store, the same repository."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headend.day.times import DailyTimes
from headend.ports import MeterKey, MeterRecords
from headend.store.store import HeadEndStore
from meters.calendar import Seconds, day_start, days, epoch, seconds, to_us
from meters.load.truth import GeneratedLoad
from simulator.input.vee_preset import preset_of
from simulator.parties.sandbox import Sandbox, SandboxSettings
from simulator.runtime.clock import Clock, ClockMode
from simulator.smt.ondemand.middle import FixedMiddle
from simulator.smt.throttle.policy import preset as policy
from simulator.world import history
from simulator.world.fault_spec import FaultSpec
from simulator.world.history import make_history
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


def sandbox(world: World, out: Path, *, made: bool) -> Sandbox:
    out.mkdir()
    begin = NOW if made else day_start(FIRST)
    return Sandbox(
        SandboxSettings(
            world=world,
            clock=Clock(ClockMode.MANUAL, to_us(begin)),
            policy=policy("smt-today"),
            middle=FixedMiddle(1, 1),
            out=out,
            history=made,
        )
    )


async def test_modelled_history_leaves_what_live_days_leave(tmp_path: Path) -> None:
    world = the_world()
    async with (
        sandbox(world, tmp_path / "live", made=False) as live,
        sandbox(world, tmp_path / "modelled", made=True) as modelled,
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
        assert not live.headend_store.vee.day(esiids, date(2026, 3, 9)).delivered.status[7 - 1 :].any()
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
        ours_vee, theirs_vee = (each.vee.day(esiids, day).delivered for each in stores)
        for column in ("wh", "status", "method", "scaled", "start_wh", "stop_wh"):
            assert np.array_equal(getattr(ours_vee, column), getattr(theirs_vee, column)), (day, column)
        assert stores[0].findings.of_day(day) == stores[1].findings.of_day(day), day


#: What a meter records alike whoever reads it and when: by meter.
ALIKE: tuple[tuple[int, str, datetime | None, datetime | None, dict[str, int]], ...] = (
    (1, "gap", datetime(2026, 3, 7, 13), datetime(2026, 3, 7, 19), {}),
    (2, "stuck", datetime(2026, 3, 7, 2), datetime(2026, 3, 8, 5), {}),
    (3, "disconnected", datetime(2026, 3, 7, 10), datetime(2026, 3, 8, 10), {}),
    (4, "multiplier", None, None, {"value": 10}),
    (5, "zero_read", None, None, {}),
    (6, "zero_read", datetime(2026, 3, 7, 10), datetime(2026, 3, 8, 1), {}),
    (7, "stale", datetime(2026, 3, 7, 10), datetime(2026, 3, 8, 1), {}),
    (8, "flaky", None, None, {}),
)


def left_by(world: World, folder: Path) -> tuple[dict[str, list[Any]], list[tuple[str, bytes]]]:
    """Every row of a head-end's store after made days, by table, and the files that it posted."""
    files: list[tuple[str, bytes]] = []
    records = MeterRecords(world.addresses("", [0] * len(world.gateways)))
    folder.mkdir()
    store = HeadEndStore(f"sqlite:///{folder / 'headend.sqlite'}", records)
    every, preset = seconds(3600), preset_of(world.tdsp.key)
    times = DailyTimes(post=preset.post, seed=world.seed)

    def take_in(name: str, content: bytes, _at: Seconds) -> None:
        files.append((name, content))

    asyncio.run(make_history(world, store, NOW, every, times, take_in, preset))
    store.close()
    with closing(sqlite3.connect(folder / "headend.sqlite")) as held:
        names = [name for (name,) in held.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        names.remove("schema_version")
        return {name: sorted(map(repr, held.execute(f"SELECT * FROM {name}"))) for name in names}, files


def test_days_read_ahead_and_together_leave_what_each_sweep_alone_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = [
        {"meter": meter, "kind": kind} | ({"first": first, "until": until} if first else {}) | more
        for meter, kind, first, until, more in ALIKE
    ]
    spec = WorldSpec(
        meters=10, mix="market", first_day=FIRST, faults=tuple(FaultSpec.model_validate(fault) for fault in faults)
    )
    together = left_by(build(spec, 5), tmp_path / "together")
    monkeypatch.setattr(history, "_alike", lambda _fault, _sweeps: False)
    monkeypatch.setattr(GeneratedLoad, "foresee", lambda _loads, _day: None)
    assert left_by(build(spec, 5), tmp_path / "alone") == together
    assert len(together[1]) >= 4
    assert {"interval_day", "meter_told", "collection_state", "vee_day"} <= {
        name for name, rows in together[0].items() if rows
    }


async def test_a_day_that_is_cut_off_leaves_nothing_of_itself(tmp_path: Path) -> None:
    world = build(WorldSpec(meters=4, first_day=FIRST), 5)
    store = HeadEndStore("sqlite://", MeterRecords(world.addresses("", [0] * len(world.gateways))))
    preset = preset_of(world.tdsp.key)
    taken: list[str] = []

    def full(name: str, _content: bytes, _at: Seconds) -> None:
        if taken:
            raise OSError(28, "No space left on device")
        taken.append(name)

    times = DailyTimes(post=preset.post, seed=5)
    with pytest.raises(OSError, match="No space"):
        await make_history(world, store, NOW, seconds(4 * 3600), times, full, preset)
    esiids = sorted(meter.identity.esiid for meter in world.meters)
    assert [len(store.vee.day(esiids, day).meters) for day in (FIRST, FIRST + timedelta(days=1))] == [4, 0]
    assert store.posted_days() == {FIRST}
    store.close()
