"""The pattern of a day: against closed forms where days are made by rule, and against the generator's own split into heat and the rest."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from meters.calendar import days, epoch, interval_ends, intervals_in
from meters.day_kinds import clock_slots
from meters.identity import TDSPS
from meters.load.premises import make_premise
from meters.load.truth import GeneratedLoad
from meters.load.weather import temperature
from simulator.ror.pattern import Beside, hourly_pattern
from simulator.ror.usage import UsageRecord, from_vee
from tests.cases import few

#: A Wednesday.
DAY = date(2026, 7, 15)


def record_of(first: date, last: date, extra: dict[date, int]) -> UsageRecord:
    """100 Wh in each quarter hour, 300 from 17:00 to 19:00, and so much more in each one of some days."""
    span = days(first, last)
    clocks = [clock_slots(day) for day in span]
    wh = [np.where((at >= 68) & (at < 76), 300, 100) + extra.get(day, 0) for day, at in zip(span, clocks, strict=True)]
    ends = np.concatenate([interval_ends(day) for day in span])
    return from_vee(ends, np.concatenate(wh).astype(np.int32), np.zeros(len(ends), np.bool_))


def test_base_load_and_peak_are_those_of_the_rule() -> None:
    pattern = hourly_pattern(record_of(DAY - timedelta(days=20), DAY, {}), DAY)
    assert (pattern.base_w, pattern.peak) == (400, 16)
    assert pattern.usual_sentence() == ("Usually it takes no less than 0.40 kW, and most from 16:00 to 19:00: 2.8 kWh.")


def test_a_day_is_beside_the_day_before_a_week_before_and_days_like_it() -> None:
    extra = {DAY: 30, DAY - timedelta(days=1): 10, DAY - timedelta(days=7): 40}
    pattern = hourly_pattern(record_of(DAY - timedelta(days=20), DAY, extra), DAY)
    before, week, alike = pattern.beside
    assert (before.more_wh, week.more_wh) == (20 * 96, -10 * 96)
    # The four weekdays before: Tuesday's 10, Monday, Friday and Thursday none.
    assert alike.days == tuple(DAY - timedelta(days=back) for back in (1, 2, 5, 6))
    assert alike.more_wh == 96 * 30 - 96 * 10 / 4
    assert (before.heat_wh, before.cold_wh) == (None, None)
    assert pattern.day_sentence() == (
        "On 2026-07-15 the 24 hours known took 14.1 kWh: 1.9 kWh more than the day before; "
        "1.0 kWh less than a week before; 2.6 kWh more than the last 4 days like it."
    )


def test_of_a_running_day_the_hours_known_are_compared_with_the_same_ones() -> None:
    record = record_of(DAY - timedelta(days=20), DAY, {DAY: 8})
    running = record.only(record.ends <= epoch("2026-07-15T06:30"))
    pattern = hourly_pattern(running, DAY)
    assert {one.quarter_hours for one in pattern.beside} == {26}
    assert {one.more_wh for one in pattern.beside} == {26 * 8}
    assert pattern.day_wh[5:8] == (432, None, None)


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2025, 11, 2)])
def test_days_of_the_clocks_change_are_compared_by_the_clock(day: date) -> None:
    record = record_of(day - timedelta(days=20), day + timedelta(days=1), {day: 8})
    changed, after = (hourly_pattern(record, one) for one in (day, day + timedelta(days=1)))
    assert changed.beside[0].quarter_hours == intervals_in(day)
    assert after.beside[0].quarter_hours == min(96, intervals_in(day))
    assert changed.beside[0].more_wh == 8 * intervals_in(day)
    if intervals_in(day) == 92:
        assert changed.day_wh[2] is None


def test_with_one_day_that_lacks_an_hour_behind_it_a_pattern_is_still_told() -> None:
    spring = date(2026, 3, 8)
    pattern = hourly_pattern(record_of(spring, spring, {}))
    assert pattern.usual_wh[2] is None
    assert pattern.peak == 16


def test_without_a_day_there_is_nothing_to_tell() -> None:
    record = record_of(DAY, DAY, {})
    pattern = hourly_pattern(record.only(record.ends < record.ends[0]))
    assert (pattern.base_w, pattern.peak, pattern.day) == (None, None, None)
    assert pattern.day_sentence() == pattern.usual_sentence() == ""


#: What is told of a difference, heat and cold in Wh.
WORDS = [
    ((3_100, 2_400, 0), "3.1 kWh more than x, 2.4 of them heat"),
    ((-3_100, -2_400, 0), "3.1 kWh less than x, 2.4 of them for less heat"),
    ((3_100, 0, 900), "3.1 kWh more than x, 0.9 of them cold"),
    ((3_100, -900, 0), "3.1 kWh more than x, though the heat alone makes 0.9 less"),
    ((1_400, 1_900, 0), "1.4 kWh more than x, though the heat alone makes 1.9 more"),
    ((1_400, 99, -99), "1.4 kWh more than x"),
]


@pytest.mark.parametrize(("wh", "words"), WORDS)
def test_what_the_weather_made_is_told_where_it_made_something(wh: tuple[int, int, int], words: str) -> None:
    more, heat, cold = wh
    assert Beside("x", (), 96, 10_000 + more, 10_000, heat, cold).words() == words


def test_heat_is_what_follows_the_degrees_above_neither() -> None:
    """Days that take 5 Wh a degree in each quarter hour above 18.3 C, and 3 below, are told so to the Wh."""
    span = days(DAY - timedelta(days=40), DAY)
    degrees = {day: 18.3 + 12 * np.sin(np.arange(intervals_in(day)) / 7 + day.day) for day in span}

    def outdoors(day: date) -> NDArray[np.float64]:
        return degrees[day]

    made = {day: [np.maximum(one - 18.3, 0) * 5, np.maximum(18.3 - one, 0) * 3] for day, one in degrees.items()}
    wh = np.concatenate([np.rint(200 + sum(made[day])) for day in span]).astype(np.int32)
    ends = np.concatenate([interval_ends(day) for day in span])
    beside = hourly_pattern(from_vee(ends, wh, np.zeros(len(ends), np.bool_)), DAY, outdoors).beside[0]
    heat, cold = ((made[DAY][at] - made[DAY - timedelta(days=1)][at]).sum() for at in (0, 1))
    assert beside.heat_wh is not None
    assert beside.cold_wh is not None
    assert abs(beside.heat_wh - heat) < 60
    assert abs(beside.cold_wh - cold) < 60
    few = from_vee(ends[-96 * 15 :], wh[-96 * 15 :], np.zeros(96 * 15, np.bool_))
    assert hourly_pattern(few, DAY, outdoors).beside[0].heat_wh is None


@pytest.mark.parametrize("month", few(1, [7, 1, 10]))
def test_what_is_told_of_the_weather_is_near_what_the_generator_cools_and_heats_by(month: int) -> None:
    seed, told, true = 77, [], []
    drawn = np.random.default_rng(month)
    for at in range(40):
        premise = make_premise(list(TDSPS.values())[at % 5], seed, at)
        if premise.solar_w or not premise.klass.startswith("RES"):
            continue
        load, last = GeneratedLoad(seed, premise), date(2026, month, 10) + timedelta(days=int(drawn.integers(15)))
        span = days(last - timedelta(days=40), last)
        taken = {day: load.day(day).delivered for day in span}
        thermal = {day: float((load.thermal(day) * taken[day]).sum()) for day in span}
        ends = np.concatenate([interval_ends(day) for day in span])
        record = from_vee(ends, np.concatenate([*taken.values()]).astype(np.int32), np.zeros(len(ends), np.bool_))
        for one in hourly_pattern(record, last, lambda day, zone=premise.zone: temperature(seed, zone, day)).beside:  # type: ignore[misc]
            told.append((one.heat_wh or 0) + (one.cold_wh or 0))
            true.append(thermal[last] - float(np.mean([thermal[day] for day in one.days])))
    found, made = np.array(told), np.array(true)
    assert len(found) >= 90
    assert np.corrcoef(found, made)[0, 1] > 0.75
    assert np.abs(found - made).mean() < 0.75 * np.abs(made).mean()
