"""What a premise may take in days that are not known: as many ways as there are stretches of days of other homes that are like its own.

A retailer has seen many homes. What comes after days like this home's, in this season, is told by what came after theirs: with weather, absence and the
turn of the season in it, day after day as they hang together. Each such stretch is a draw; nothing is assumed about how draws are distributed.

The stretches are in ``stretches.npz``, made by ``tests/simulator/ror/expected/stretches.py`` from generated homes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headend.ports import BoolArray, IntArray, LongArray
from meters.calendar import day_end, day_of_interval, day_start, days, interval_ends, intervals_in, seconds
from meters.day_kinds import SLOTS, DayClass, clock_slots, day_class
from simulator.ror.usage import Quality, UsageRecord

FloatArray = NDArray[np.float64]
#: Days of a stretch that went before, on which likeness is judged, and days after.
BEFORE, AFTER = 14, 35
#: Stretches that are taken: enough for a tenth on either side [D].
DRAWS = 100
#: How far apart in the year two stretches are as unlike as two of one standard deviation in another respect [D].
SEASON_DAYS = 25.0
#: A day of less says nothing of a ratio, Wh.
_LEAST_WH = 50.0
#: Days of two kinds that are needed before a home's own difference between them counts in full [D].
_KIND_DAYS = 4.0
#: Below the first and above the second lies a tenth.
TENTH, NINETIETH = 0.1, 0.9


def quantile(of: NDArray[Any], share: float) -> float:
    """The value below which so much of what comes lies. of: (k,) draws. What comes is one more of their kind, so k of them have k + 1 places for it."""
    return float(np.quantile(of, share, method="weibull"))


def middle_of(values: LongArray) -> int:
    """Where the middle one of some values is, in an order that hangs on nothing else."""
    return int(np.argsort(values, kind="stable")[len(values) // 2])


class Stretches(NamedTuple):
    """Stretches of days of generated homes, each ``BEFORE`` + ``AFTER`` days."""

    #: (s, 49) Wh a day, weekends and holidays brought to the level of weekdays.
    wh: FloatArray
    #: (s,) day of the year on which the part after begins, 1 to 366.
    season: NDArray[np.int16]
    #: (12, 96) the shape of a mean home's day in each month, by quarter hour of the local clock; its sum is 1.
    shapes: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """What the intervals of a span may have taken: where it is known that, in every draw, and elsewhere one of the ways it may have gone."""

    #: (t,) UTC epoch seconds at which they end.
    ends: LongArray
    #: (k, t) Wh taken from the grid, and given to it: those as on the home's own days, whatever the draw.
    wh: IntArray
    given: IntArray
    #: (t,) False where what was taken is drawn.
    known: BoolArray
    #: Whole days of this premise that the draws rest on.
    days_used: int

    @property
    def totals(self) -> LongArray:
        """(k,) Wh of the whole span."""
        totals: LongArray = self.wh.sum(axis=1, dtype=np.int64)
        return totals


@cache
def stretches() -> Stretches:
    """The shipped ones."""
    with np.load(Path(__file__).with_name("stretches.npz")) as held:
        return Stretches(1000 * held["kwh"].astype(np.float64), held["season"], held["shapes"].astype(np.float64))


def weekend_share(wh: FloatArray, weekend: BoolArray) -> FloatArray:
    """(m,) what a day of the weekend takes by a weekday's of each home, drawn towards 1 where few days tell. wh: (m, n) Wh, NaN: not known. weekend: (n,)."""
    known = ~np.isnan(wh)
    filled = np.where(known, wh, 0.0)
    counts = [(known & which).sum(axis=1) for which in (weekend, ~weekend)]
    means = [
        (filled * which).sum(axis=1) / np.maximum(count, 1)
        for which, count in zip((weekend, ~weekend), counts, strict=True)
    ]
    fewest = np.minimum(*counts)
    own = np.clip(means[0] / np.maximum(means[1], _LEAST_WH), 0.2, 5.0)
    share: FloatArray = own ** (np.where(fewest > 0, fewest, 0) / (fewest + _KIND_DAYS))
    return share


def paths(before: FloatArray, weekend: BoolArray, first: date, held: Stretches | None = None) -> FloatArray:
    """(k, 14 + 35) Wh a day as it may have been and may be, weekends and holidays brought to the level of weekdays.

    before: (14,) Wh of the days before ``first``; NaN: not known as a whole. weekend: (14,) which of them are of that kind. Pure.
    """
    held = held or stretches()
    known = ~np.isnan(before)
    apart = np.abs(held.season - first.timetuple().tm_yday)
    distance: FloatArray = (np.minimum(apart, 365 - apart) / SEASON_DAYS) ** 2
    if not known.any():
        return held.wh[_nearest(distance)]
    share = weekend_share(before[None], weekend)[0]
    own = np.maximum(before / np.where(weekend, share, 1.0), _LEAST_WH)[known]
    theirs = np.maximum(held.wh[:, :BEFORE][:, known], _LEAST_WH)
    levels = theirs.mean(axis=1)
    level = own.mean()
    for mine, of_all in zip(_traits(np.log(own / level)[None]), _traits(np.log(theirs / levels[:, None])), strict=True):
        distance = distance + ((of_all - mine) / max(float(of_all.std()), 1e-9)) ** 2
    chosen = _nearest(distance)
    ratio: FloatArray = held.wh[chosen] / levels[chosen, None] * level
    return ratio


def _traits(logs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """By what stretches resemble each other: how much their days vary, and where the latest three stand."""
    return logs.std(axis=1), logs[:, -3:].mean(axis=1)


def _nearest(distance: FloatArray) -> NDArray[np.int64]:
    """The nearest, in an order that hangs on nothing else."""
    return np.sort(np.argsort(distance, kind="stable")[:DRAWS])


def draw(record: UsageRecord, first: date, last: date) -> Draws:
    """The days from ``first`` to ``last`` as they may have gone, and go, behind what a record knows of them and of the days before. Pure."""
    own = _whole_days(record)
    begin = max(own) + timedelta(days=1) if own else first
    before = [begin - timedelta(days=back) for back in range(BEFORE, 0, -1)]
    daily = np.array([own[day].total_wh() if day in own else np.nan for day in before], np.float64)
    weekend = np.array([day_class(day) is DayClass.WEEKEND for day in before])
    # Without a day of its own it may be any home of the season, whose weekdays and weekends are not told apart.
    share = float(weekend_share(daily[None], weekend)[0])
    ways = paths(daily, weekend, begin)
    # What has not been through VEE comes without what was given: that is drawn, as what was taken of the others is.
    unposted = record.quality == Quality.NON_VEE
    like = [
        day
        for day in sorted(own, reverse=True)
        if (begin - day).days <= 2 * BEFORE and (own[day].quality != Quality.NON_VEE).all()
    ]
    over = days(first, last)
    ends = np.concatenate([interval_ends(day) for day in over])
    wh, given = np.zeros((2, len(ways), len(ends)), np.int32)
    known = np.isin(ends, record.ends)
    held = record.within(day_start(first), day_end(last))
    wh[:, known], given[:, known] = held.wh, held.given
    begins = 0
    for at, day in enumerate(over):
        its = slice(begins, begins := begins + intervals_in(day))
        missing = ~known[its]
        ungiven = missing | np.isin(ends[its], record.ends[unposted])
        if not ungiven.any():
            continue
        total = ways[:, _column((day - begin).days)] * (share if day_class(day) is DayClass.WEEKEND else 1.0)
        shape, back = _shapes(day, at, like, own, len(ways))
        # No meter counts more in an interval than a file can tell.
        wh[:, its][:, missing] = np.minimum(np.rint(total[:, None] * shape)[:, missing], np.iinfo(np.int32).max)
        given[:, its][:, ungiven] = back[:, ungiven]
    return Draws(ends, wh, given, known, int((~np.isnan(daily)).sum()))


def _column(ahead: int) -> int:
    """Where a stretch tells of a day so many days after its middle; beyond its ends its outermost fortnight again."""
    if -BEFORE <= ahead < AFTER:
        return BEFORE + ahead
    return ahead % BEFORE if ahead < 0 else BEFORE + AFTER - BEFORE + (ahead - AFTER) % BEFORE


def _whole_days(record: UsageRecord) -> dict[date, UsageRecord]:
    """The days of which a record knows every interval: the latest that may count."""
    if not len(record.ends):
        return {}
    latest = day_of_interval(seconds(record.ends[-1]))
    recent = [latest - timedelta(days=back) for back in range(2 * BEFORE + 1)]
    of_days = {day: record.within(day_start(day), day_end(day)) for day in recent}
    return {day: held for day, held in of_days.items() if len(held.ends) == intervals_in(day)}


def _shapes(
    day: date, at: int, like: Sequence[date], own: dict[date, UsageRecord], count: int
) -> tuple[FloatArray, IntArray]:
    """(k, n) how each draw's day is spread over its intervals, and Wh given: as one of the home's own days of that kind, by turns.

    Without one that took anything it is spread as a mean home's day.
    """
    slots = clock_slots(day)
    own_days = ([one for one in like if day_class(one) is day_class(day)] or list(like))[:BEFORE]
    mean = stretches().shapes[day.month - 1][slots]
    spread, back = [], []
    for one in own_days:
        on_face = np.zeros((2, SLOTS))
        on_face[:, clock_slots(one)] = own[one].wh, own[one].given
        taken = on_face[0, slots]
        spread.append(taken / taken.sum() if taken.any() else mean / mean.sum())
        back.append(on_face[1, slots].astype(np.int32))
    if not spread:
        return np.broadcast_to(mean / mean.sum(), (count, len(slots))), np.zeros((count, len(slots)), np.int32)
    turns = (np.arange(count) + at) % len(spread)
    return np.array(spread)[turns], np.array(back)[turns]
