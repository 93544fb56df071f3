"""What this premise usually takes: the projection of a cycle's usage and the pattern of its day.

One expectation serves both: the mean energy of an interval by day class and local hour over the recent whole VEE days.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from meters.calendar import (
    INTERVAL_S,
    Seconds,
    day_end,
    day_of_interval,
    day_start,
    days,
    interval_ends,
    intervals_in,
    local,
    seconds,
)
from simulator.ror.account import Account
from simulator.ror.usage import Energy, UsageRecord
from simulator.ror.windows import apportioned

#: Recent VEE days that an expectation is made of: two weeks have every day of the week twice [D].
RECENT_DAYS = 14
#: A band of this many standard errors holds about nine cycles of ten, if days vary independently [D].
BAND = 1.645


@dataclass(frozen=True, slots=True)
class Expectation:
    """What an interval of this premise usually takes. Wh per interval as exact sums and counts."""

    #: Wh and count of intervals by (weekend, local hour).
    sums: dict[tuple[bool, int], tuple[int, int]]
    #: Days the sums are made of.
    days: tuple[date, ...]
    #: Mean Wh of a day and standard deviation between days of one class.
    daily_mean_wh: float
    daily_spread_wh: float

    def interval_wh(self, end: Seconds) -> float:
        """Expected Wh of the interval that ends at ``end``; the other day class stands in where one has no days."""
        begins = local(end - INTERVAL_S)
        weekend = begins.weekday() >= 5
        for key in ((weekend, begins.hour), (not weekend, begins.hour)):
            if key in self.sums:
                wh, count = self.sums[key]
                return wh / count
        return 0.0


@dataclass(frozen=True, slots=True)
class Projection:
    """Usage of the whole cycle: what is known plus what is expected for every interval that is not. Whole Wh."""

    known_wh: int
    expected_wh: int
    low_wh: int
    high_wh: int
    #: Every interval of the cycle as it is known or expected, so that each is priced at its time.
    energy: Energy
    #: Days that the expectation is made of.
    days_used: int

    @property
    def total_wh(self) -> int:
        """The likeliest usage of the cycle."""
        return self.known_wh + self.expected_wh

    def scaled(self, total_wh: int) -> Energy:
        """The cycle with another usage in all, at the same times."""
        wh = self.energy.wh if self.total_wh else np.ones_like(self.energy.wh)
        return self.energy._replace(wh=apportioned(total_wh, wh.astype(np.int64)).astype(np.int32))

    def to_dict(self) -> dict[str, Any]:
        """JSON values; energy is whole Wh."""
        return {
            "known_wh": self.known_wh,
            "expected_wh": self.expected_wh,
            "total_wh": self.total_wh,
            "low_wh": self.low_wh,
            "high_wh": self.high_wh,
            "days_used": self.days_used,
        }


@dataclass(frozen=True, slots=True)
class HourlyPattern:
    """Energy by hour of the local day, Wh per hour."""

    #: 24 means over the recent VEE days; None where there are none.
    usual_wh: tuple[int | None, ...]
    #: The day that the non-VEE intervals reach into.
    day: date | None
    #: 24 values of that day; None where the hour is not known as a whole.
    day_wh: tuple[int | None, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON values; energy is whole Wh."""
        return {
            "usual_wh": list(self.usual_wh),
            "day": None if self.day is None else self.day.isoformat(),
            "day_wh": list(self.day_wh),
        }


def expectation(record: UsageRecord) -> Expectation:
    """Learn from the last 14 whole VEE days of a record what an interval usually takes. Pure."""
    vee = record.vee()
    daily: defaultdict[date, list[tuple[int, int]]] = defaultdict(list)
    for end, wh in zip(vee.ends.tolist(), vee.wh.tolist(), strict=True):
        daily[day_of_interval(end)].append((local(end - INTERVAL_S).hour, wh))
    whole = sorted(day for day, parts in daily.items() if len(parts) == intervals_in(day))[-RECENT_DAYS:]
    sums: defaultdict[tuple[bool, int], tuple[int, int]] = defaultdict(lambda: (0, 0))
    totals: defaultdict[bool, list[int]] = defaultdict(list)
    for day in whole:
        weekend = day.weekday() >= 5
        totals[weekend].append(sum(wh for _, wh in daily[day]))
        for hour, wh in daily[day]:
            so_far, count = sums[weekend, hour]
            sums[weekend, hour] = (so_far + wh, count + 1)
    everything = [wh for class_totals in totals.values() for wh in class_totals]
    mean = sum(everything) / len(everything) if everything else 0.0
    squares = sum((wh - sum(total) / len(total)) ** 2 for total in totals.values() for wh in total)
    free = len(everything) - len(totals)
    return Expectation(dict(sums), tuple(whole), mean, math.sqrt(squares / free) if free > 0 else 0.0)


def project(record: UsageRecord, account: Account, usual: Expectation | None = None) -> Projection:
    """Project the cycle's usage: known intervals plus the expectation for each one that is missing, holes included.

    That is the mean of the same day class over 14 VEE days for each whole day to come, and its hourly pattern for the rest of the running one.
    The band is BAND standard errors of m independent days and of the mean of n: spread x sqrt(m + m^2/n). Pure.
    """
    usual = expectation(record) if usual is None else usual
    cycle = record.within(account.cycle_start, account.cycle_end)
    ends = np.concatenate([interval_ends(day) for day in days(account.cycle_first, account.cycle_last)])
    wh, given = np.zeros((2, len(ends)), np.int32)
    known = np.isin(ends, cycle.ends)
    wh[known], given[known] = cycle.wh, cycle.given
    known_wh = cycle.total_wh()
    expected_wh = 0
    for day in days(account.cycle_first, account.cycle_last):
        its = np.flatnonzero(~known & (ends > day_start(day)) & (ends <= day_end(day)))
        # What is rounded off an interval is in the next one, so that a day is its expectation to half a Wh.
        upto = np.cumsum([0.0, *(usual.interval_wh(end) for end in ends[its].tolist())])
        wh[its] = np.diff(np.round(upto)).astype(np.int32)
        expected_wh += int(wh[its].sum())
    days_used = len(usual.days)
    away = expected_wh / usual.daily_mean_wh if usual.daily_mean_wh else 0.0
    error = BAND * usual.daily_spread_wh * math.sqrt(away + away * away / max(days_used, 1))
    middle = known_wh + expected_wh
    low, high = max(known_wh, round(middle - error)), round(middle + error)
    return Projection(known_wh, expected_wh, low, high, Energy(ends, wh, given), days_used)


def hourly_pattern(record: UsageRecord, usual: Expectation | None = None) -> HourlyPattern:
    """Give the usual day by hour, of all recent VEE days, and beside it the day that non-VEE intervals reach into. Pure."""
    usual = expectation(record) if usual is None else usual
    means: list[int | None] = []
    for hour in range(24):
        parts = [usual.sums[key] for key in ((False, hour), (True, hour)) if key in usual.sums]
        count = sum(part[1] for part in parts)
        means.append(round(sum(part[0] for part in parts) * 4 / count) if count else None)
    end = record.vee_end()
    behind = record.only(record.ends > end) if end is not None else record
    if not len(behind.ends):
        return HourlyPattern(tuple(means), None, (None,) * 24)
    day = day_of_interval(seconds(behind.ends[-1]))
    today = record.within(day_start(day), day_end(day))
    known = dict(zip(today.ends.tolist(), today.wh.tolist(), strict=True))
    hours: defaultdict[int, list[int | None]] = defaultdict(list)
    for end in interval_ends(day).tolist():
        hours[local(end - INTERVAL_S).hour].append(known.get(end))
    values: list[int | None] = []
    for hour in range(24):
        parts_known = [wh for wh in hours[hour] if wh is not None]
        whole = bool(parts_known) and len(parts_known) == len(hours[hour])
        # The repeated hour of the fall-back day has eight intervals: the value stays Wh per hour.
        values.append(round(sum(parts_known) * 4 / len(parts_known)) if whole else None)
    return HourlyPattern(tuple(means), day, tuple(values))
