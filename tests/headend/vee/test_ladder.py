"""The rungs and the scaling by examples worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from headend.ports import MeterKey
from headend.vee.ladder import Rung
from headend.vee.lookback import look_back
from headend.vee.preset import USUAL, Preset
from headend.vee.quality import Channel, IntervalStatus, Method
from headend.vee.records import Asset, ChannelDay, History
from headend.vee.rules import limits
from meters.calendar import intervals_in
from meters.day_kinds import off_peak_holidays
from meters.status import Common, Condition, status_word
from tests.headend.vee.days import R0, WEDNESDAY, columns, estimated, history, past_of, ramp

SPRING, FALL = date(2026, 3, 8), date(2026, 11, 1)
FAIL = status_word(Common.POWER_FAIL, Condition.OK)
ZERO = MeterKey("0", "")
ROWS = np.zeros(1, np.int64)


def _gap(begin: int, end: int, **changes: object) -> dict[str, object]:
    present = np.ones((1, 96), np.bool_)
    present[0, begin:end] = False
    return {"present": present, "r1": [-1], **changes}


def _estimate(
    begin: int, end: int, days: dict[int, int] | None = None, last: int | None = None, **changes: object
) -> tuple[list[int], set[Method]]:
    """Values and methods of a gap in a day of 0, 10, 20 ... Wh without registers."""
    day = columns([10 * i for i in range(96)], **_gap(begin, end, **changes))
    out = estimated(day, look_back=past_of(history((ZERO,), days or {}, last)))
    return out.wh[0, begin:end].tolist(), {Method(one) for one in out.method[0, begin:end]}


# --- neighbours


def test_gap_of_two_hours_is_interpolated() -> None:
    assert _estimate(10, 18) == ([100, 110, 120, 130, 140, 150, 160, 170], {Method.INTERPOLATED})


def test_line_is_rounded_to_whole_wh() -> None:
    wh = ramp()
    wh[39], wh[42] = 100, 50
    # 100 - 50 j / 3 = 83.33, 66.67
    assert estimated(columns(wh, **_gap(40, 42))).wh[0, 40:42].tolist() == [83, 67]


def test_gap_of_two_hours_and_a_quarter_takes_like_days() -> None:
    assert _estimate(10, 19, {1: 55}) == ([55] * 9, {Method.LIKE_DAY})


def test_gap_over_midnight_takes_its_left_neighbour_from_the_day_before() -> None:
    # before = 50, the first good interval is number 2 with 20 Wh: 50 - 30 j / 3.
    assert _estimate(0, 2, {1: 7}, last=50) == ([40, 30], {Method.INTERPOLATED})


@pytest.mark.parametrize("why", ["estimated", "power failed", "two days before"])
def test_gap_over_midnight_leans_on_nothing_but_an_actual_end_of_the_day_before(why: str) -> None:
    held = history((ZERO,), {2 if why == "two days before" else 1: 300}, last=800)
    held.delivered[0].status[0, -1] = IntervalStatus.ESTIMATED if why == "estimated" else IntervalStatus.ACTUAL
    held.delivered[0].power_failed[0, -1] = why == "power failed"
    day = columns([400] * 96, **_gap(0, 3, r0=[R0], r1=[-1]))
    assert estimated(day, look_back=past_of(held)).wh[0, :3].tolist() == [400] * 3


def test_gap_with_one_neighbour_is_flat() -> None:
    assert _estimate(0, 2) == ([20, 20], {Method.FLAT})
    assert _estimate(94, 96) == ([930, 930], {Method.FLAT})


def test_neighbour_with_a_power_failure_does_not_count() -> None:
    status = np.zeros((1, 96), np.uint16)
    status[0, 9] = FAIL
    assert _estimate(10, 12, status=status) == ([120, 120], {Method.FLAT})
    status[0, 12] = FAIL
    assert _estimate(10, 12, {1: 55}, status=status) == ([55, 55], {Method.LIKE_DAY})


def test_nothing_to_go_by_gives_zero() -> None:
    assert _estimate(0, 96) == ([0] * 96, {Method.ZERO})


def test_where_estimation_is_stopped_nothing_is_made_up() -> None:
    assert _estimate(10, 12, {1: 55}, asset=[Asset.STOPPED]) == ([0, 0], {Method.ZERO})


def test_a_business_has_a_ladder_of_its_own() -> None:
    day = columns([10 * i for i in range(96)], **_gap(10, 12, asset=[Asset.COMMERCIAL]))
    preset = Preset(commercial=((Rung.LIKE_DAYS, 3, 90), (Rung.ZERO, 0, 0)), residential=USUAL)
    out = estimated(day, preset, past_of(history((ZERO,), {1: 55})))
    assert out.wh[0, 10:12].tolist() == [55, 55]


# --- like days


def _like(days: dict[date, int], on: date = WEDNESDAY, back_days: int = 90) -> list[int]:
    """Wh of the like days, the latest first."""
    ordered = sorted(days, reverse=True)
    held = tuple(_held(day, days[day]) for day in ordered)
    found = look_back(on, ROWS, History((ZERO,), tuple(ordered), held, held), Channel.LOAD, back_days)
    return [int(found.like[0, p].max()) for p in range(len(found.ages))]


def _held(day: date, wh: int) -> ChannelDay:
    shape = (1, intervals_in(day))
    return ChannelDay(np.full(shape, wh, np.int32), np.zeros(shape, np.uint8), np.zeros(shape, np.bool_))


def test_like_day_mean_is_of_the_latest_three_of_the_class_in_whole_wh() -> None:
    # Tuesday 11th, Monday 10th, Friday 7th: (100 + 200 + 302) / 3 = 200.67; the weekend and Thursday 6th do not count.
    assert _estimate(10, 20, {1: 100, 2: 200, 3: 9999, 4: 9999, 5: 302, 6: 9999}) == ([201] * 10, {Method.LIKE_DAY})


def test_fewer_than_three_like_days_are_averaged_too() -> None:
    assert _estimate(10, 20, {1: 100, 2: 201}) == ([151] * 10, {Method.LIKE_DAY})


def test_weekdays_saturdays_and_sundays_are_alike_among_themselves() -> None:
    week = {WEDNESDAY + timedelta(days=back): 10 + back for back in range(-14, 0)}
    saturday, sunday = date(2026, 8, 15), date(2026, 8, 16)
    assert len(_like(week)) == 10
    assert _like(week, saturday) == [week[date(2026, 8, 8)], week[date(2026, 8, 1)]]
    assert _like(week, sunday) == [week[date(2026, 8, 9)], week[date(2026, 8, 2)]]


def test_a_holiday_is_a_sunday() -> None:
    labor_day = date(2026, 9, 7)
    assert labor_day in off_peak_holidays(2026)
    assert _like({date(2026, 9, 6): 1, date(2026, 9, 5): 2, date(2026, 9, 4): 3}, labor_day) == [1]
    assert _like({labor_day: 1, date(2026, 9, 6): 2}, date(2026, 9, 8)) == []


def test_like_days_reach_so_many_days_back_and_never_forward() -> None:
    at_90 = WEDNESDAY - timedelta(days=90)
    assert _like({at_90: 5}) == [5]
    assert _like({at_90: 5}, back_days=89) == []
    assert _like({WEDNESDAY: 5, WEDNESDAY + timedelta(days=1): 5}) == []
    day = columns([100] * 96, **_gap(10, 20))
    short = Preset(
        residential=((Rung.LIKE_DAYS, 3, 2), (Rung.ZERO, 0, 0)), commercial=((Rung.LIKE_DAYS, 3, 90), (Rung.ZERO, 0, 0))
    )
    assert estimated(day, short, past_of(history((ZERO,), {5: 77}))).wh[0, 10:20].tolist() == [0] * 10


def test_like_day_with_an_estimate_in_the_gap_is_passed_over() -> None:
    held = history((ZERO,), {1: 100, 2: 200})
    held.delivered[0].status[0, 12] = IntervalStatus.ESTIMATED
    held.delivered[1].status[0, 21] = IntervalStatus.ESTIMATED
    day = columns([10] * 96, **_gap(10, 20))
    assert estimated(day, look_back=past_of(held)).wh[0, 10:20].tolist() == [200] * 10


def test_spring_day_is_no_like_day_for_the_hour_that_it_lacks() -> None:
    ordinary = SPRING + timedelta(days=7)
    found = look_back(
        ordinary, ROWS, History((ZERO,), (SPRING,), (_held(SPRING, 5),), (_held(SPRING, 5),)), Channel.LOAD, 90
    )
    assert np.flatnonzero(found.like[0, 0] < 0).tolist() == [8, 9, 10, 11]


def test_whole_fall_back_day_is_estimated_from_days_of_96() -> None:
    ages = FALL - timedelta(days=7), FALL - timedelta(days=14)
    held = tuple(_held(day, wh) for day, wh in zip(ages, (7, 9), strict=True))
    found = look_back(FALL, ROWS, History((ZERO,), ages, held, held), Channel.LOAD, 90)
    assert found.like.shape == (1, 2, 100)
    assert (found.like >= 0).all()


def test_a_meter_without_history_looks_back_on_nothing() -> None:
    held = history((MeterKey("another", ""),), {1: 55})
    found = look_back(WEDNESDAY, ROWS - 1, held, Channel.LOAD, 90)
    assert (found.before[0], found.estimated_days[0]) == (-1, 0)
    assert (found.like < 0).all()


# --- class profile


def test_a_class_profile_without_registers_is_of_the_daily_average() -> None:
    sound = [100] * 48 + [300] * 48
    present = np.ones((2, 96), np.bool_)
    present[1] = False
    preset = Preset(residential=((Rung.CLASS_PROFILE, 0, 0), (Rung.ZERO, 0, 0)))
    day = columns(sound, sound, present=present, r1=[R0 + 19_200, -1], average=[-1, 38_400])
    out = estimated(day, preset)
    assert out.wh[1].tolist() == [200] * 48 + [600] * 48
    assert not out.scaled.any()
    unknown = columns(sound, sound, present=present, r1=[R0 + 19_200, -1])
    assert (estimated(unknown, preset).method[1] == Method.ZERO).all()


def test_a_profile_is_of_the_meters_of_ones_class() -> None:
    home, shop = [100] * 48 + [300] * 48, [500] * 48 + [100] * 48
    present = np.ones((3, 96), np.bool_)
    present[2] = False
    asset = [0, Asset.COMMERCIAL, Asset.COMMERCIAL]
    day = columns(home, shop, shop, present=present, asset=asset)
    assert estimated(day).wh[2].tolist() == shop


# --- scaling


def _scale(values: list[int], lost: list[int], register: int, multiplier: int = 1) -> tuple[list[int], list[int]]:
    """A short day whose lost intervals stand at these values by the ladder: the class profile of a meter beside it."""
    present = np.ones((2, len(values)), np.bool_)
    present[1, lost] = False
    preset = Preset(
        limits=limits({"interval.spike": {"ratio": 100.0}}), residential=((Rung.CLASS_PROFILE, 0, 0), (Rung.ZERO, 0, 0))
    )
    day = columns(
        values,
        values,
        present=present,
        r1=[R0 + sum(values), R0 + register],
        multiplier=[multiplier] * 2,
        told_multiplier=[multiplier] * 2,
    )
    out = estimated(day, preset)
    return out.wh[1].tolist(), np.flatnonzero(out.scaled[1]).tolist()


def test_estimates_are_multiplied_by_what_the_registers_leave() -> None:
    # D = 1400 - (300 + 100) = 1000; the estimates are as 2 to 1: 666.67 and 333.33.
    assert _scale([300, 100, 200, 100], [2, 3], 1400) == ([300, 100, 667, 333], [2, 3])


def test_rounding_residue_goes_into_the_largest_estimate() -> None:
    # D = 100, estimates alike: 33 each, 1 left over for the first of equals.
    assert _scale([100, 100, 100], [0, 1, 2], 100)[0] == [34, 33, 33]
    # D = 101, estimates 1 to 3: 25.25 and 75.75, so 25 and 75 + 1.
    assert _scale([100, 300], [0, 1], 101)[0] == [25, 76]


def test_estimates_that_are_all_zero_get_equal_shares() -> None:
    # D = 110 - 10 = 100 over three.
    assert _scale([10, 0, 0, 0], [1, 2, 3], 110)[0] == [10, 34, 33, 33]


def test_nothing_owed_sets_the_estimates_to_zero() -> None:
    assert _scale([10, 5], [1], 10) == ([10, 0], [1])


def test_small_negative_remainder_zeroes_the_estimates() -> None:
    # D = 98 - 100 = -2, the tolerance is 2.
    assert _scale([100, 5], [1], 98) == ([100, 0], [1])


def test_good_intervals_beyond_the_registers_are_not_scaled() -> None:
    # D = 90 - 100 - 101 < -2; no interval can be lower by so much.
    assert _scale([100, 101, 5], [2], 90)[1] == []
