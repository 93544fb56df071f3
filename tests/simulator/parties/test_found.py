"""What VEE of a live day finds of meters that are not as the records have them, and of power by what they told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from headend.day.power import told_power
from headend.day.validated import validate_day
from headend.vee.findings import Finding, explain
from headend.vee.preset import Preset
from meters.calendar import day_end, day_start, epoch
from meters.faults.kinds import FaultKind
from meters.faults.rules import FaultRule
from tests.simulator.sandboxes import Rig, rig

DAY, NOON = date(2026, 8, 12), epoch("2026-08-12T12:00")
CLOCK, MULTIPLIER, NUMBER, DARK, SOUND = range(1, 6)
FAULTS = [
    FaultRule(FaultKind.CLOCK_SET, NOON - 60, NOON + 60, {"seconds": 400}, meters=(CLOCK,)),
    FaultRule(FaultKind.MULTIPLIER, params={"value": 10}, meters=(MULTIPLIER,)),
    FaultRule(FaultKind.EXCHANGE, NOON - 300, meters=(NUMBER,)),
    FaultRule(FaultKind.OUTAGE, NOON + 300, NOON + 6_900, meters=(DARK,)),
]


def found(on: Rig, ordinal: int) -> Sequence[Finding]:
    """What is found of one meter's day."""
    batch = validate_day(on.sandbox.headend_store, [on.esiid(ordinal)], DAY, Preset())
    return [explain(one, DAY) for one in batch.findings]


async def test_a_live_day_finds_clock_multiplier_and_number_and_knows_an_outage_by_its_events(tmp_path: Path) -> None:
    async with rig(tmp_path, "2026-08-12T09:40", posted_days=2, faults=FAULTS) as on:
        await on.to("2026-08-13T01:10")
        store = on.sandbox.headend_store
        said = {one.id: one.sentence for ordinal in (CLOCK, MULTIPLIER, NUMBER) for one in found(on, ordinal)}
        assert said["clock.off"] == "The meter's clock is 400 s from the head-end's; 180 s would pass."
        assert said["asset.multiplier"] == "The meter tells multiplier 10, the records have 1."
        assert said["asset.number"] == "Another meter than the records name answered."
        assert found(on, SOUND) == []
        # Nothing of the other meter's was taken, and nobody was silent: the records name it the day after.
        ((meter, header),) = store.told.of([on.esiid(NUMBER)], DAY).items()
        world = on.sandbox.settings.world
        assert header.other_number == world.meters[NUMBER - 1].identity_at(NOON).meter_number != meter.number
        sweeps = [entry for entry in on.sandbox.journal.entries() if entry["kind"] == "sweep"]
        refused = [entry for entry in sweeps if on.esiid(NUMBER) in entry.get("other_number", ())]
        assert [entry["ident"] for entry in refused] == [str(NOON + hours * 3600) for hours in (0, 4, 8)]
        assert not any(on.esiid(NUMBER) in entry["silent"] for entry in sweeps)
        # Dark from 12:05 to 13:55: six quarter hours are whole.
        dark = on.esiid(DARK)
        told = store.events.over([dark], day_start(DAY), day_end(DAY))
        power = told_power(DAY, store.records.places(dark), told)
        assert np.flatnonzero(power).tolist() == list(range(49, 55))
        assert found(on, DARK) == []
