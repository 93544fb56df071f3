from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from meters.calendar import intervals_in
from meters.day_kinds import SLOTS, DayClass, clock_slots, day_class, like_days, off_peak_holidays, same_clock

SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)
some_days = st.one_of(st.dates(date(2020, 1, 1), date(2040, 12, 31)), st.sampled_from([SPRING, AUTUMN]))


def test_weekends_and_off_peak_holidays_are_of_one_class() -> None:
    assert day_class(date(2026, 8, 12)) is DayClass.WEEKDAY
    assert day_class(date(2026, 8, 15)) is DayClass.WEEKEND
    assert day_class(date(2026, 11, 26)) is DayClass.WEEKEND
    assert len(off_peak_holidays(2026)) == 6


def test_a_sundays_holiday_is_kept_on_the_monday() -> None:
    # 2027-07-04 is a Sunday.
    assert day_class(date(2027, 7, 5)) is DayClass.WEEKEND


def test_the_clock_skips_an_hour_in_spring_and_repeats_one_in_autumn() -> None:
    assert sorted(set(range(SLOTS)) - set(clock_slots(SPRING).tolist())) == [8, 9, 10, 11]
    assert clock_slots(AUTUMN)[4:12].tolist() == [4, 5, 6, 7, 4, 5, 6, 7]


@given(day=some_days)
def test_every_interval_has_a_slot_and_slots_rise_but_for_the_repeated_hour(day: date) -> None:
    slots = clock_slots(day)
    assert slots.shape == (intervals_in(day),)
    assert (slots[0], slots[-1]) == (0, SLOTS - 1)
    assert (np.diff(slots) < 0).sum() == (intervals_in(day) > SLOTS)


@given(of=some_days, on=some_days)
def test_same_clock_finds_intervals_of_the_same_quarter_hour(of: date, on: date) -> None:
    at = same_clock(of, on)
    found = at >= 0
    assert (clock_slots(on)[at[found]] == clock_slots(of)[found]).all()
    assert (~found).sum() <= 4


def test_like_days_are_weekdays_saturdays_or_sundays_and_holidays_the_latest_first() -> None:
    # A week with Thanksgiving, a Thursday, in it.
    november = [date(2026, 11, day) for day in range(1, 31)]
    wednesday, saturday, holiday = november[24], november[27], november[25]
    assert [one.day for one in like_days(wednesday, 8)] == [24, 23, 20, 19, 18, 17]
    assert [one.day for one in like_days(saturday, 14)] == [21, 14]
    assert [one.day for one in like_days(holiday, 14)] == [22, 15]
    assert holiday not in like_days(november[29], 7)
    assert holiday in like_days(november[28], 7)
    assert like_days(wednesday, 0) == []
