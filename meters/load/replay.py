"""Replay: a premise whose load is that of a file, on every day since the era. What the file lacks repeats its like days.

A day that the file covers wholly is used as it is. Another one takes the day of its class nearest in the year, laid over it by the
local clock. Registers are kept as sums, grown year by year when asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from meters.calendar import INTERVAL_S, day_of, days, interval_ends, intervals_in
from meters.day_kinds import SLOTS, DayClass, day_class, same_clock
from meters.errors import MeterError
from meters.load.replay_file import Quarters, read_quarters
from meters.load.shape import ERA, since_era
from meters.load.truth import DayLoad

#: Days of the year, with a leap day.
_YEAR = 366


class ReplayedLoad:
    """Given days, and on all others their like days. It is a ``PremiseLoad``; several threads may ask."""

    def __init__(self, given: Mapping[date, DayLoad]) -> None:
        """given: whole days, each (n,). Raises MeterError when there is none."""
        if not given:
            raise MeterError("meters.replay.no_day", "There is not one whole day to replay.")
        self._given = dict(sorted(given.items()))
        self._totals = {day: _sum(load) for day, load in self._given.items()}
        self._lock = threading.Lock()
        #: (midnights, 2) Wh delivered and received since the era.
        self._sums = np.zeros((1, 2), np.int64)
        self._nearest = {kind: _nearest(self._given, kind) for kind in {day_class(day) for day in self._given}}

    @property
    def given(self) -> tuple[date, ...]:
        """The days that are replayed as they are, ascending."""
        return tuple(self._given)

    def registers(self, day: date) -> tuple[int, int]:
        """As in ``PremiseLoad``: 0 and 0 at the era."""
        at = since_era(day)
        with self._lock:
            while len(self._sums) <= at:
                begins = ERA + timedelta(days=len(self._sums) - 1)
                year = np.array([self._total(one) for one in days(begins, date(begins.year, 12, 31))], np.int64)
                self._sums = np.concatenate([self._sums, self._sums[-1] + np.cumsum(year, axis=0)])
            delivered, received = self._sums[at]
        return int(delivered), int(received)

    def day(self, day: date) -> DayLoad:
        """As in ``PremiseLoad``."""
        since_era(day)
        like = self._like(day)
        if self._as_it_is(day, like):
            return self._given[like]
        # Where the like day had no such hour, its clock went forward, the hour before stands in.
        at = same_clock(day, like)
        at = np.where(at < 0, np.roll(at, 4), at)
        return DayLoad(*(channel[at] for channel in self._given[like]))

    def thermal(self, day: date) -> NDArray[np.float64]:
        """As in ``PremiseLoad``: a file does not say what it cools."""
        return np.zeros(intervals_in(day))

    def _total(self, day: date) -> tuple[int, int]:
        like = self._like(day)
        return self._totals[like] if self._as_it_is(day, like) else _sum(self.day(day))

    @staticmethod
    def _as_it_is(day: date, like: date) -> bool:
        """Whether the like day need not be laid over by the clock: most clocks go round once."""
        return like == day or intervals_in(day) == intervals_in(like) == SLOTS

    def _like(self, day: date) -> date:
        """The given day that stands for a day: itself, or the nearest of its class, or, if the class is not given, the nearest."""
        if day in self._given:
            return day
        nearest = self._nearest.get(day_class(day)) or next(iter(self._nearest.values()))
        return nearest[_place(day)]


def read_replay(path: Path) -> ReplayedLoad:
    """The load of an SMT interval CSV or of a plain profile (``start,wh`` or ``start,kwh``, if need be with ``received_wh`` or ``_kwh``).

    Starts of a profile are ISO 8601, local or with an offset. A day is whole that has every interval of what is delivered; what is not
    listed as received is 0. Raises MeterError with file and line for what cannot be read, and when no day is whole.
    """
    whole = _whole_days(read_quarters(path))
    if not whole:
        raise MeterError(
            "meters.replay.no_day",
            "The file covers not one whole local day.",
            place=str(path),
            mend="Give every quarter hour from midnight to midnight, Central Prevailing Time.",
        )
    return ReplayedLoad(whole)


def _whole_days(quarters: Quarters) -> dict[date, DayLoad]:
    whole = {}
    for day in sorted({day_of(start) for start in quarters.delivered}):
        starts = (interval_ends(day) - INTERVAL_S).tolist()
        if all(start in quarters.delivered for start in starts):
            whole[day] = DayLoad(
                _kept([quarters.delivered[start] for start in starts]),
                _kept([quarters.received.get(start, 0) for start in starts]),
            )
    return whole


def _sum(load: DayLoad) -> tuple[int, int]:
    return int(load.delivered.sum(dtype=np.int64)), int(load.received.sum(dtype=np.int64))


def _kept(wh: list[int]) -> NDArray[np.int32]:
    column = np.array(wh, np.int32)
    column.flags.writeable = False
    return column


def _nearest(given: Mapping[date, DayLoad], kind: DayClass) -> list[date]:
    """By place in the year, the given day of a class that is nearest round the year; of two as near, the later one."""
    candidates = sorted((day for day in given if day_class(day) is kind), reverse=True)
    places = np.array([_place(day) for day in candidates])
    away = np.abs(np.arange(_YEAR)[:, None] - places)
    return [candidates[k] for k in np.minimum(away, _YEAR - away).argmin(axis=1)]


def _place(day: date) -> int:
    """0 to 365: where a day stands in a year that has a leap day."""
    return (date(2020, day.month, day.day) - date(2020, 1, 1)).days
