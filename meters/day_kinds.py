"""Which operating days resemble each other, and how days of 92, 96 and 100 intervals are laid over each other by the local clock."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

import numpy as np
from holidays.groups.christian import ChristianHolidays
from holidays.groups.international import InternationalHolidays
from holidays.holiday_base import HolidayBase
from numpy.typing import NDArray

from meters.calendar import INTERVAL_S, interval_ends, intervals_in, local

#: Quarter hours on the face of the local clock. Not the count of a day's intervals: see ``clock_slots``.
SLOTS = 96
#: The places of a day on which no clock is changed, as ``_clock_places`` gives them.
_USUAL = tuple((15 * slot, 0) for slot in range(SLOTS))


class DayClass(StrEnum):
    """Days of one class have one shape of load."""

    WEEKDAY = "weekday"
    #: Saturdays, Sundays and holidays.
    WEEKEND = "weekend"


class _OffPeak(HolidayBase, ChristianHolidays, InternationalHolidays):
    """The holidays that ERCOT counts as off-peak days (the NERC list), on the days of the US calendar.

    Made of what that calendar is made of: to ask the library for a country's loads those of all.
    """

    def __init__(self, *years: int) -> None:
        ChristianHolidays.__init__(self)
        InternationalHolidays.__init__(self)
        super().__init__(years=years, observed=False)

    def _populate_public_holidays(self) -> None:
        self._add_new_years_day("New Year's Day")
        self._add_holiday_last_mon_of_may("Memorial Day")
        self._add_holiday_jul_4("Independence Day")
        self._add_holiday_1st_mon_of_sep("Labor Day")
        self._add_holiday_4th_thu_of_nov("Thanksgiving Day")
        self._add_christmas_day("Christmas Day")


@lru_cache(maxsize=128)
def off_peak_holidays(year: int) -> frozenset[date]:
    """The six off-peak holidays of a year; one on a Sunday is kept on the Monday (federal offices would move a Saturday's too)."""
    return frozenset(day + timedelta(days=1) if day.weekday() == 6 else day for day in _OffPeak(year))


@lru_cache(maxsize=4096)
def day_class(day: date) -> DayClass:
    """The class of an operating day."""
    if day.weekday() >= 5 or day in off_peak_holidays(day.year):
        return DayClass.WEEKEND
    return DayClass.WEEKDAY


def like_days(day: date, back_days: int) -> list[date]:
    """The days before ``day`` that meters are estimated from, the latest first: weekdays, Saturdays, or Sundays and holidays among themselves."""
    before = (day - timedelta(days=back) for back in range(1, back_days + 1))
    return [one for one in before if _likeness(one) == _likeness(day)]


def _likeness(day: date) -> int:
    """0: weekday, 1: Saturday, 2: Sunday or holiday."""
    if day.weekday() == 6 or day in off_peak_holidays(day.year):
        return 2
    return int(day.weekday() == 5)


@lru_cache(maxsize=512)
def clock_slots(day: date) -> NDArray[np.intp]:
    """(n,) the quarter hour of the local clock, 0..95, at which each interval of the day begins.

    The spring day skips four, the autumn day has four twice.
    """
    slots = np.array([minute // 15 for minute, _ in _clock_places(day)], dtype=np.intp)
    slots.flags.writeable = False
    return slots


@lru_cache(maxsize=4096)
def same_clock(of: date, on: date) -> NDArray[np.intp]:
    """Where the intervals of one day are found on another, by local clock time.

    Returns (intervals of ``of``,) indexes into the day ``on``; -1 where ``on`` has no such time (its spring-forward hour). The second pass
    through a repeated hour is found at the second pass, or at the only one.
    """
    at = {place: index for index, place in enumerate(_clock_places(on))}
    found = np.array(
        [at.get((minute, fold), at.get((minute, 0), -1)) for minute, fold in _clock_places(of)], dtype=np.intp
    )
    found.flags.writeable = False
    return found


@lru_cache(maxsize=512)
def _clock_places(day: date) -> tuple[tuple[int, int], ...]:
    """(minute of the local day at which an interval begins, 1 for the second pass through the repeated hour)."""
    if intervals_in(day) == SLOTS:
        return _USUAL
    begins = [local(int(end) - INTERVAL_S) for end in interval_ends(day)]
    return tuple((when.hour * 60 + when.minute, when.fold) for when in begins)
