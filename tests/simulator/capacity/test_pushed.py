"""Octets of what head-ends send SMT after each sweep, against the batches of a head-end's store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headend.ondemand.push import LARGEST, batches
from headend.ports import MeterAddress, MeterKey, MeterReading, MeterRecords
from headend.store.store import HeadEndStore
from meters.calendar import epoch, seconds
from meters.status import Common, Condition, status_word
from simulator.capacity.pushed import octets_a_sweep, octets_pushed
from simulator.smt.throttle.policy import preset

START = epoch("2026-08-12T12:00")
DAY = seconds(86400)


@pytest.mark.parametrize("intervals", [1, 16])
def test_a_sweep_of_a_fleet_costs_what_its_batches_have(intervals: int) -> None:
    esiids = [f"{10443720000000017 + n}" for n in range(300)]
    store = HeadEndStore("sqlite://", MeterRecords([MeterAddress(one, "1", "h", 1, 1, 1, 0) for one in esiids]))
    wh = np.full(intervals, 412, np.int32)
    status = np.full(intervals, status_word(Common.DST, Condition.OK), np.uint16)
    end = START + 900 * intervals
    readings = [MeterReading(one, "1", START, wh, wh * 0, status, wh > 0, end, 0, 0, 0) for one in esiids]
    store.keep(readings, end + 35, "sweep")
    made = batches(store, {MeterKey(one, "1"): end for one in esiids}, end + 40)
    store.close()
    # Each batch has its id and its brackets beside, and no comma behind its last.
    around = len('{"batchId":"0123456789abcdef","meters":[]}') - 1
    assert sum(len(one.body) - around for one in made) == 300 * octets_a_sweep(intervals)
    assert max(len(one.body) for one in made) <= LARGEST
    assert (len(made) > 1) == (intervals == 16)


def test_a_day_of_a_fleet_has_six_sweeps_of_sixteen_quarter_hours_and_none_where_nothing_is_sent() -> None:
    assert octets_pushed(preset("push-to-smt"), 4_000_000, DAY, 4) == 4_000_000 * 6 * octets_a_sweep(16)
    assert octets_pushed(preset("push-to-smt"), 10, 2 * DAY, 24) == 10 * 2 * octets_a_sweep(96)
    assert octets_pushed(preset("store-within"), 4_000_000, DAY, 4) == 0


def test_the_page_tells_what_a_sweep_costs() -> None:
    page = (Path(__file__).parents[3] / "docs" / "throttle.md").read_text(encoding="utf-8")
    day = octets_pushed(preset("push-to-smt"), 4_000_000, DAY, 4)
    assert f"{octets_a_sweep(16):,} octets a meter and sweep of four hours, so {day / 1e9:.0f} GB a day" in page
