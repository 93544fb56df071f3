"""What meters told of outages and switches as bits of a day's intervals."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from headend.day.power import newly_told, told_power
from headend.ports import MeterKey, MeterRecords
from headend.store.events import Told
from headend.store.store import HeadEndStore
from headend.vee.records import Power
from meters.calendar import INTERVAL_S, day_start, epoch
from meters.events import EventKind, MeterEvent

DAY = date(2026, 8, 12)
METER = MeterKey("10443720000000017", "900000017")
#: Out, and over.
TOLD = Power.OUT | Power.OVER
GASP, BACK, OPEN, CLOSED = EventKind.LAST_GASP, EventKind.RESTORATION, EventKind.DISCONNECTED, EventKind.CONNECTED


def at(clock: str, kind: EventKind | None) -> Told:
    return epoch(f"2026-08-12T{clock}"), kind


@pytest.mark.parametrize(
    ("told", "bit", "intervals"),
    [
        ([at("01:00", GASP), at("02:00", BACK)], TOLD, range(4, 8)),
        ([at("01:00:01", GASP), at("01:59:59", BACK)], TOLD, range(5, 7)),
        ([at("02:00", BACK), at("01:00", GASP), at("01:30", GASP)], TOLD, range(4, 8)),
        # Nobody has told of the end, or of the beginning.
        ([at("23:00", GASP)], Power.OUT, range(92, 96)),
        ([(epoch("2026-08-09T10:00"), GASP), at("00:30", BACK)], TOLD, range(2)),
        ([(epoch("2026-08-09T10:00"), GASP), (epoch("2026-08-09T11:00"), BACK)], Power.OUT, ()),
        ([at("01:00", GASP), at("01:00", BACK)], Power.OUT, ()),
        # An answer tells that the power is back, and not since when; one within the second of the gasp came before it.
        ([at("01:00", GASP), at("04:00", None)], Power.OUT, ()),
        ([at("23:00", GASP), at("23:00", None)], Power.OUT, range(92, 96)),
        ([at("01:00", GASP), at("02:00", BACK), at("04:00", None)], TOLD, range(4, 8)),
        # Told of on the day after.
        ([at("23:00", GASP), (epoch("2026-08-13T02:00"), BACK)], TOLD, range(92, 96)),
        ([at("23:00", GASP), (epoch("2026-08-13T02:00"), None)], Power.OUT, ()),
        ([(epoch("2026-08-13T02:00"), GASP), (epoch("2026-08-13T03:00"), BACK)], TOLD, ()),
        ([at("01:00", OPEN), at("01:20", None), at("02:00", CLOSED)], Power.SWITCH_OPEN, range(4, 8)),
        ([at("01:00", EventKind.MOMENTARY), at("02:00", EventKind.CLOCK_SET)], Power.OUT, ()),
    ],
)
def test_intervals_that_are_dark_as_a_whole(told: list[Told], bit: Power, intervals: range) -> None:
    power = told_power(DAY, [MeterKey("1", "2"), METER], {METER: told})
    assert power.shape == (2, 96)
    assert not power[0].any()
    assert np.flatnonzero(power[1]).tolist() == list(intervals)
    assert set(power[1][list(intervals)].tolist()) <= {int(bit)}


@pytest.mark.parametrize(("day", "count"), [(date(2026, 3, 8), 92), (date(2026, 11, 1), 100)])
def test_a_day_of_another_length_is_dark_to_its_end(day: date, count: int) -> None:
    since = day_start(day) + 10 * INTERVAL_S
    power = told_power(day, [METER], {METER: [(since, GASP), (since, OPEN)]})
    assert power[0].tolist() == [0] * 10 + [3] * (count - 10)


def test_what_was_told_late_of_a_days_power_makes_it_another(tmp_path: Path) -> None:
    store = HeadEndStore(f"sqlite:///{tmp_path / 'headend.sqlite'}", MeterRecords())
    esiids = [f"1044372000000{row:04d}" for row in range(5)]
    late, ended, moved, ahead, answered = (MeterKey(esiid, "") for esiid in esiids)
    before, since = epoch("2026-08-13T00:30"), epoch("2026-08-13T01:00")
    gasp = epoch("2026-08-12T20:00")
    store.events.keep([MeterEvent(gasp, meter.esiid, "", GASP) for meter in (ended, answered)], before)
    # Told after the day was validated: beginning and end, the end alone, what is no outage, what is of another day, and that a meter is there.
    fresh = [MeterEvent(gasp, late.esiid, "", GASP), MeterEvent(gasp + 7_200, late.esiid, "", BACK)]
    fresh += [MeterEvent(since + 60, ended.esiid, "", BACK), MeterEvent(gasp, moved.esiid, "", EventKind.CLOCK_SET)]
    fresh += [MeterEvent(since + 60, ahead.esiid, "", GASP)]
    store.events.keep(fresh, since)
    store.events.keep_answer(answered, since)
    assert newly_told(store.events, DAY, since) == {late, ended, answered}
    assert newly_told(store.events, DAY, since + 1) == set()
    store.close()
