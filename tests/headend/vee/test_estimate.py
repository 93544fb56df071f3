from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from headend.vee.estimate import PastDay, estimate_gaps, flat, gaps, interpolate, like_day_mean

from headend.vee.quality import Method
from meters.calendar import intervals_in
from meters.day_kinds import DayClass, day_class, off_peak_holidays, same_clock

WEDNESDAY = date(2026, 8, 12)
SPRING = date(2026, 3, 8)
FALL = date(2026, 11, 1)


def _past(day: date, wh: int, holes: slice = slice(0, 0)) -> PastDay:
    n = intervals_in(day)
    actual = np.ones(n, np.bool_)
    actual[holes] = False
    return PastDay(day, np.full(n, wh, np.int32), actual)


def _estimate(
    begin: int,
    end: int,
    *,
    past: tuple[PastDay, ...] = (),
    before: int | None = None,
    power_failed: tuple[int, ...] = (),
    day: date = WEDNESDAY,
) -> tuple[list[int], set[Method]]:
    n = intervals_in(day)
    wh = np.arange(n, dtype=np.int32) * 10
    good = np.ones(n, np.bool_)
    good[begin:end] = False
    failed = np.zeros(n, np.bool_)
    failed[list(power_failed)] = True
    out, method = estimate_gaps(day, np.where(good, wh, 0).astype(np.int32), good, failed, before, past)
    assert (out[good] == wh[good]).all()
    assert (method[good] == Method.MEASURED).all()
    return out[begin:end].tolist(), {Method(one) for one in method[begin:end]}


def test_straight_line_between_100_and_200_over_three_intervals() -> None:
    # 100 + 100 j / 4
    assert interpolate(100, 200, 3).tolist() == [125, 150, 175]


def test_straight_line_downwards_is_rounded_to_whole_wh() -> None:
    # 100 - 50 j / 3 = 83.33, 66.67
    assert interpolate(100, 50, 2).tolist() == [83, 67]


def test_gaps_are_found_at_both_ends_and_in_the_middle() -> None:
    assert gaps(np.array([False, True, False, False, True, False])) == [(0, 1), (2, 4), (5, 6)]
    assert gaps(np.array([True, True])) == []
    assert gaps(np.array([False, False])) == [(0, 2)]


def test_flat_repeats_the_neighbour() -> None:
    assert flat(7, 3).tolist() == [7, 7, 7]


def test_gap_of_two_hours_is_interpolated() -> None:
    values, how = _estimate(10, 18)
    assert values == [100, 110, 120, 130, 140, 150, 160, 170]
    assert how == {Method.INTERPOLATED}


def test_gap_of_two_hours_and_a_quarter_takes_like_days() -> None:
    values, how = _estimate(10, 19, past=(_past(WEDNESDAY - timedelta(days=1), 55),))
    assert values == [55] * 9
    assert how == {Method.LIKE_DAY}


def test_gap_at_midnight_takes_its_left_neighbour_from_the_day_before() -> None:
    # before = 50, the first good interval is number 2 with 20 Wh: 50 - 30 j / 3.
    assert _estimate(0, 2, before=50) == ([40, 30], {Method.INTERPOLATED})


def test_gap_with_one_neighbour_is_flat() -> None:
    assert _estimate(0, 2) == ([20, 20], {Method.FLAT})
    assert _estimate(94, 96) == ([930, 930], {Method.FLAT})


def test_neighbour_with_a_power_failure_does_not_count() -> None:
    assert _estimate(10, 12, power_failed=(9,)) == ([120, 120], {Method.FLAT})
    past = (_past(WEDNESDAY - timedelta(days=1), 55),)
    assert _estimate(10, 12, power_failed=(9, 12), past=past) == ([55, 55], {Method.LIKE_DAY})


def test_nothing_to_go_by_gives_zero() -> None:
    assert _estimate(0, 96) == ([0] * 96, {Method.ZERO})


def test_like_day_mean_is_of_the_latest_three_of_the_class_in_whole_wh() -> None:
    # Tuesday 11th, Monday 10th, Friday 7th: (100 + 200 + 302) / 3 = 200.67; the weekend and Thursday 6th do not count.
    past = [
        _past(date(2026, 8, 6), 9999),
        _past(date(2026, 8, 7), 302),
        _past(date(2026, 8, 8), 9999),
        _past(date(2026, 8, 9), 9999),
        _past(date(2026, 8, 10), 200),
        _past(date(2026, 8, 11), 100),
    ]
    mean, used = like_day_mean(WEDNESDAY, 0, 4, past)
    assert mean.tolist() == [201] * 4
    assert used == [date(2026, 8, 11), date(2026, 8, 10), date(2026, 8, 7)]


def test_like_day_with_an_estimate_in_the_gap_is_passed_over() -> None:
    past = [_past(date(2026, 8, 11), 100, slice(2, 3)), _past(date(2026, 8, 10), 200, slice(4, 5))]
    mean, used = like_day_mean(WEDNESDAY, 0, 4, past)
    assert mean.tolist() == [200] * 4
    assert used == [date(2026, 8, 10)]


def test_like_days_reach_90_days_back_and_never_forward() -> None:
    at_90 = WEDNESDAY - timedelta(days=90)
    assert day_class(at_90) is DayClass.WEEKDAY
    assert like_day_mean(WEDNESDAY, 0, 1, [_past(at_90, 5)])[1] == [at_90]
    assert like_day_mean(WEDNESDAY, 0, 1, [_past(at_90, 5)], back_days=89)[1] == []
    assert like_day_mean(WEDNESDAY, 0, 1, [_past(WEDNESDAY, 5), _past(date(2026, 8, 13), 5)])[1] == []


@pytest.mark.parametrize(
    "holiday",
    [
        date(2026, 1, 1),
        date(2026, 5, 25),
        date(2026, 7, 4),
        date(2026, 9, 7),
        date(2026, 11, 26),
        date(2026, 12, 25),
        # 4 July 2027 is a Sunday.
        date(2027, 7, 5),
    ],
)
def test_holiday_counts_as_weekend(holiday: date) -> None:
    assert holiday in off_peak_holidays(holiday.year)
    assert day_class(holiday) is DayClass.WEEKEND


def test_ordinary_days_fall_into_their_classes() -> None:
    assert day_class(WEDNESDAY) is DayClass.WEEKDAY
    assert day_class(date(2026, 8, 15)) is DayClass.WEEKEND


def test_days_of_100_and_92_intervals_are_laid_over_96_by_the_local_clock() -> None:
    before = FALL - timedelta(days=7)
    # 01:00 begins at index 4; the fall-back day has it twice, at 4 and 8; its 02:00 is at 12, an ordinary day's at 8.
    assert same_clock(FALL, before)[[3, 4, 7, 8, 11, 12, 99]].tolist() == [3, 4, 7, 4, 7, 8, 95]
    assert same_clock(before, FALL)[[4, 8, 95]].tolist() == [4, 12, 99]
    ordinary = SPRING + timedelta(days=7)
    # 02:00 (index 8 to 11) does not exist on the spring-forward day; its 03:00 is at 8, an ordinary day's at 12.
    assert same_clock(ordinary, SPRING)[[7, 8, 11, 12, 95]].tolist() == [7, -1, -1, 8, 91]
    assert same_clock(SPRING, ordinary)[[7, 8, 91]].tolist() == [7, 12, 95]
    assert same_clock(FALL, FALL).tolist() == list(range(100))


def test_spring_day_is_no_like_day_for_the_hour_that_it_lacks() -> None:
    ordinary = SPRING + timedelta(days=7)
    assert like_day_mean(ordinary, 6, 9, [_past(SPRING, 5)])[1] == []
    assert like_day_mean(ordinary, 12, 20, [_past(SPRING, 5)])[1] == [SPRING]


def test_whole_fall_back_day_is_estimated_from_days_of_96() -> None:
    past = (_past(FALL - timedelta(days=1), 7), _past(FALL - timedelta(days=7), 9))
    assert _estimate(0, 100, past=past, day=FALL) == ([8] * 100, {Method.LIKE_DAY})
