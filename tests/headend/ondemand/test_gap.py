"""The gap: never over 192 intervals, never into the VEE part, nothing lost between served and uncovered."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headend.ondemand.gap import GAP_LIMIT, Gap, gap
from headend.ports import HeadEndError
from meters.calendar import INTERVAL_S, Seconds, day_start, epoch, seconds

QUARTERS = st.integers(min_value=1_700_000, max_value=2_200_000).map(lambda n: n * INTERVAL_S)
DISTANCES = st.integers(min_value=-5 * 86_400, max_value=10 * 86_400)


@given(QUARTERS, DISTANCES)
def test_gap_is_never_over_192_intervals(vee_end: Seconds, distance: Seconds) -> None:
    found = gap(vee_end, vee_end + distance)
    assert 0 <= found.intervals <= GAP_LIMIT
    assert found.end - found.start == found.intervals * INTERVAL_S


@given(QUARTERS, DISTANCES)
def test_gap_never_reaches_into_the_vee_part(vee_end: Seconds, distance: Seconds) -> None:
    found = gap(vee_end, vee_end + distance)
    assert found.start >= vee_end
    assert found.uncovered is None or found.uncovered[0] >= vee_end


@given(QUARTERS, DISTANCES)
def test_served_and_uncovered_parts_make_the_whole_gap(vee_end: Seconds, distance: Seconds) -> None:
    now = vee_end + distance
    found = gap(vee_end, now)
    if found.uncovered is not None:
        assert found.intervals == GAP_LIMIT
        assert found.uncovered == (vee_end, found.start)
    else:
        assert found.start == vee_end
    if found.intervals:
        assert found.end <= now < found.end + INTERVAL_S


def test_a_call_at_17_40_after_last_midnight_needs_70_intervals() -> None:
    midnight = day_start(date(2026, 8, 12))
    assert gap(midnight, epoch("2026-08-12T17:40")) == Gap(midnight, epoch("2026-08-12T17:30"), None, 70)


def test_a_gap_of_65_h_40_leaves_the_oldest_17_and_a_half_hours_uncovered() -> None:
    posted = day_start(date(2026, 8, 10))
    found = gap(posted, epoch("2026-08-12T17:40"))
    assert found.intervals == 192
    assert found.uncovered == (posted, epoch("2026-08-10T17:30"))


@pytest.mark.parametrize("seconds", [0, 1, 899, -86_400])
def test_no_whole_interval_since_the_vee_end_is_no_gap(seconds: int) -> None:
    midnight = day_start(date(2026, 8, 12))
    assert gap(midnight, midnight + seconds) == Gap(midnight, midnight, None, 0)


@pytest.mark.parametrize(("first", "now", "left"), [
    (date(2026, 3, 7), "2026-03-09T12:00", "2026-03-07T11:00"),
    (date(2026, 10, 31), "2026-11-02T12:00", "2026-10-31T13:00"),
])  # fmt: skip
def test_48_hours_are_elapsed_time_also_over_a_dst_change(first: date, now: str, left: str) -> None:
    found = gap(day_start(first), epoch(now))
    assert found.intervals == 192
    assert found.start == epoch(left)


def test_a_vee_end_inside_an_interval_is_refused() -> None:
    with pytest.raises(HeadEndError, match=r"headend\.gap\.vee_end"):
        gap(seconds(1_700_000_001), seconds(1_700_100_000))
