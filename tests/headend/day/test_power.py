"""What meters told of outages and switches as bits of a day's intervals."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from headend.day.power import told_power
from headend.ports import MeterKey
from headend.store.events import Told
from headend.vee.records import Power
from meters.calendar import INTERVAL_S, day_start, epoch
from meters.events import EventKind

DAY = date(2026, 8, 12)
METER = MeterKey("10443720000000017", "900000017")
GASP, BACK, OPEN, CLOSED = EventKind.LAST_GASP, EventKind.RESTORATION, EventKind.DISCONNECTED, EventKind.CONNECTED


def at(clock: str, kind: EventKind | None) -> Told:
    return epoch(f"2026-08-12T{clock}"), kind


@pytest.mark.parametrize(
    ("told", "bit", "intervals"),
    [
        ([at("01:00", GASP), at("02:00", BACK)], Power.OUT, range(4, 8)),
        ([at("01:00:01", GASP), at("01:59:59", BACK)], Power.OUT, range(5, 7)),
        ([at("02:00", BACK), at("01:00", GASP), at("01:30", GASP)], Power.OUT, range(4, 8)),
        # Nobody has told of the end, or of the beginning.
        ([at("23:00", GASP)], Power.OUT, range(92, 96)),
        ([(epoch("2026-08-09T10:00"), GASP), at("00:30", BACK)], Power.OUT, range(2)),
        ([(epoch("2026-08-09T10:00"), GASP), (epoch("2026-08-09T11:00"), BACK)], Power.OUT, ()),
        ([at("01:00", GASP), at("01:00", BACK)], Power.OUT, ()),
        # An answer tells that the power is back, and not since when; one within the second of the gasp came before it.
        ([at("01:00", GASP), at("04:00", None)], Power.OUT, ()),
        ([at("23:00", GASP), at("23:00", None)], Power.OUT, range(92, 96)),
        ([at("01:00", GASP), at("02:00", BACK), at("04:00", None)], Power.OUT, range(4, 8)),
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
