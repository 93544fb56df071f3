"""The usage record: VEE wins, qualities stay apart, a hole stays a hole."""

from __future__ import annotations

import itertools
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headend.wire import ServedInterval
from meters.calendar import INTERVAL_S, Seconds, day_end, day_start, interval_ends, local
from simulator.ror.errors import RorError
from simulator.ror.usage import Quality, Source, UsageRecord, empty, from_gap, from_vee, merge

DAY = date(2026, 8, 11)
MIDNIGHT = day_end(DAY)


def vee_day(day: date = DAY, wh: int = 400) -> UsageRecord:
    ends = interval_ends(day)
    return from_vee(ends, np.full(len(ends), wh, dtype=np.int32), np.arange(len(ends)) < 2)


def served(end: Seconds, wh: int = 500, source: str = "store") -> ServedInterval:
    return ServedInterval.model_validate(
        {"end": local(end), "wh": wh, "source": source, "collectedAt": local(end + 600), "status": 0x2000}
    )


def test_qualities_and_sources_stay_apart() -> None:
    gap = from_gap([served(MIDNIGHT + 2 * INTERVAL_S, source="meter"), served(MIDNIGHT + INTERVAL_S)])
    record = merge(vee_day(), gap)
    assert record.wh_of(Quality.VEE_ESTIMATED) == 800
    assert record.wh_of(Quality.NON_VEE) == 1000
    assert [record.count_of(source) for source in Source] == [96, 1, 1]
    assert record.vee_end() == MIDNIGHT
    assert record.total_wh() == 96 * 400 + 1000
    assert record.status.tolist() == [0] * 96 + [0x2000] * 2


def test_vee_wins_over_non_vee_for_the_same_interval() -> None:
    record = merge(vee_day(), from_gap([served(MIDNIGHT, wh=9_000)]))
    assert record.total_wh() == 96 * 400


def test_non_vee_never_fills_a_hole_inside_the_vee_part() -> None:
    vee = vee_day()
    holed = vee.only(vee.ends != MIDNIGHT - 4 * INTERVAL_S)
    record = merge(holed, from_gap([served(MIDNIGHT - 4 * INTERVAL_S)]))
    assert record.holes(day_start(DAY), MIDNIGHT) == [(MIDNIGHT - 5 * INTERVAL_S, MIDNIGHT - 4 * INTERVAL_S)]


def test_a_record_without_intervals_is_all_hole() -> None:
    assert empty().holes(MIDNIGHT, MIDNIGHT + 3600) == [(MIDNIGHT, MIDNIGHT + 3600)]
    assert empty().vee_end() is None


@given(st.sets(st.integers(1, 96)))
def test_holes_and_values_make_the_whole_day(kept: set[int]) -> None:
    day = vee_day()
    record = day.only(np.isin(np.arange(1, 97), list(kept)))
    holes = record.holes(day_start(DAY), MIDNIGHT)
    assert sum(end - start for start, end in holes) // INTERVAL_S + len(record.ends) == 96
    assert all(a[1] < b[0] for a, b in itertools.pairwise(holes))


@pytest.mark.parametrize(("ends", "wh", "code"), [
    ([900, 900], [1, 1], "ror.usage.order"),
    ([1800, 900], [1, 1], "ror.usage.order"),
    ([901], [1], "ror.usage.order"),
    ([900], [-1], "ror.usage.negative"),
    ([900, 1800], [1], "ror.usage.lengths"),
])  # fmt: skip
def test_intervals_that_are_no_record_are_refused(ends: list[int], wh: list[int], code: str) -> None:
    with pytest.raises(RorError) as caught:
        UsageRecord(
            np.array(ends, dtype=np.int64),
            np.array(wh, dtype=np.int32),
            np.zeros(len(ends), np.int8),
            np.zeros(len(ends), np.int8),
            np.zeros(len(ends), np.int32),
        )
    assert caught.value.code == code
