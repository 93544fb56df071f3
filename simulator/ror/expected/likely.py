"""What a premise may take in days that are not known: as many ways as there are stretches of days of other homes that are like its own.

A retailer has seen many homes. What comes after days like this home's, in this season, is told by what came after theirs: with weather, absence and the
turn of the season in it, day after day as they hang together. Each such stretch is a draw; nothing is assumed about how draws are distributed.
A home that has given to the grid has a roof, and its stretches are of homes with one: what they took and what they gave, under the same sun.

The stretches are in ``stretches.npz``, made by ``tests/simulator/ror/expected/stretches.py`` from generated homes.
"""

from __future__ import annotations

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
#: How often it counts that what roofs give varies alike from day to day: nothing else tells how cloudy their sky is. Weighed on other seeds than those tried [D].
_CLOUDS = 4.0
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


class Roofs(NamedTuple):
    """Stretches of days of generated homes with a roof."""

    #: What they took: as those of homes without one are.
    taken: Stretches
    #: (s, 49) Wh a day that they gave to the grid.
    given: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """What the intervals of a span may have taken: where it is known that, in every draw, and elsewhere one of the ways it may have gone."""

    #: (t,) UTC epoch seconds at which they end.
    ends: LongArray
    #: (k, t) Wh taken from the grid, and given to it.
    wh: IntArray
    given: IntArray
    #: (t,) False where what was taken is drawn.
    known: BoolArray
    #: Whole days of this premise that the draws rest on.
    days_used: int
    #: Whether one of them tells of a roof; without it they are those of a home that has none.
    roof: bool = False

    @property
    def totals(self) -> LongArray:
        """(k,) Wh of the whole span."""
        totals: LongArray = self.wh.sum(axis=1, dtype=np.int64)
        return totals


def _held(*names: str) -> tuple[NDArray[Any], ...]:
    with np.load(Path(__file__).with_name("stretches.npz")) as held:
        return tuple(held[name] for name in names)


@cache
def stretches() -> Stretches:
    """The shipped ones."""
    kwh, season = _held("kwh", "season")
    return Stretches(1000 * kwh.astype(np.float64), season)


@cache
def roofs() -> Roofs:
    """The shipped ones."""
    kwh, season, given = _held("roof_kwh", "roof_season", "roof_given_kwh")
    return Roofs(Stretches(1000 * kwh.astype(np.float64), season), 1000 * given.astype(np.float64))


@cache
def shapes() -> FloatArray:
    """(12, 96) the shape of a mean home's day in each month, by quarter hour of the local clock; its sum is 1."""
    (held,) = _held("shapes")
    return held.astype(np.float64)


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
    distance, level, levels = _apart(before, weekend, first, held)
    chosen = _nearest(distance)
    ratio: FloatArray = held.wh[chosen] / levels[chosen, None] * level
    return ratio


def roof_paths(
    before: FloatArray, gave: FloatArray, weekend: BoolArray, first: date, held: Roofs | None = None
) -> tuple[FloatArray, FloatArray]:
    """(k, 14 + 35) Wh a day of a home with a roof: taken, as ``paths`` gives it, and given. gave: (14,) Wh, one at least known. Pure."""
    held = held or roofs()
    distance, level, levels = _apart(before, weekend, first, held.taken)
    known = ~np.isnan(gave)
    own, theirs = (np.maximum(one, _LEAST_WH) for one in (gave[known], held.given[:, :BEFORE][:, known]))
    given, givens = own.mean(), theirs.mean(axis=1)
    # How much they give for what they take; how that which they give varies; and where it stands.
    distance = distance + _unlike(np.log(givens / levels), np.log(given / level))
    traits = [(one.std(axis=1), _traits(np.log(one))[1]) for one in _levelled(own, theirs)]
    for mine, of_all, counts in zip(*traits, (_CLOUDS, 1.0), strict=True):
        distance = distance + counts * _unlike(of_all, mine)
    chosen = _nearest(distance)
    taken = held.taken.wh[chosen] / levels[chosen, None] * level
    return taken, held.given[chosen] / givens[chosen, None] * given


def _apart(
    before: FloatArray, weekend: BoolArray, first: date, held: Stretches
) -> tuple[FloatArray, float, FloatArray]:
    """(s,) how unlike this home each stretch is by its season and by what was taken, this home's level, and (s,) theirs, Wh a day."""
    apart = np.abs(held.season - first.timetuple().tm_yday)
    distance: FloatArray = (np.minimum(apart, 365 - apart) / SEASON_DAYS) ** 2
    known = ~np.isnan(before)
    if not known.any():
        return distance, 1.0, np.ones(len(distance))
    share = weekend_share(before[None], weekend)[0]
    own = np.maximum(before / np.where(weekend, share, 1.0), _LEAST_WH)[known]
    theirs = np.maximum(held.wh[:, :BEFORE][:, known], _LEAST_WH)
    mine, of_all = (_traits(np.log(one)) for one in _levelled(own, theirs))
    for trait, others in zip(mine, of_all, strict=True):
        distance = distance + _unlike(others, trait)
    return distance, float(own.mean()), theirs.mean(axis=1)


def _levelled(own: FloatArray, theirs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(1, n) and (s, n) days by the mean of each home."""
    return (own / own.mean())[None], theirs / theirs.mean(axis=1, keepdims=True)


def _unlike(of_all: FloatArray, mine: FloatArray | float) -> FloatArray:
    """(s,) squares of how far apart they are in a respect, in standard deviations."""
    squares: FloatArray = ((of_all - mine) / max(float(of_all.std()), 1e-9)) ** 2
    return squares


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
    # What has not been through VEE comes without what was given: that is drawn, as what was taken of the others is.
    unposted = record.quality == Quality.NON_VEE
    like = {
        day: int(own[day].given.sum(dtype=np.int64))
        for day in sorted(own, reverse=True)
        if (begin - day).days <= 2 * BEFORE and (own[day].quality != Quality.NON_VEE).all()
    }
    roof = any(like.values())
    if roof:
        ways, back_ways = roof_paths(daily, _given_before(like), weekend, begin)
    else:
        ways = paths(daily, weekend, begin)
        back_ways = np.zeros_like(ways)
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
        column = _column((day - begin).days)
        total = ways[:, column] * (share if day_class(day) is DayClass.WEEKEND else 1.0)
        shape, back = _shapes(day, at, like, own, back_ways[:, column])
        wh[:, its][:, missing] = _whole(total, shape)[:, missing]
        given[:, its][:, ungiven] = _whole(back_ways[:, column], back)[:, ungiven]
    return Draws(ends, wh, given, known, int((~np.isnan(daily)).sum()), roof)


def _given_before(posted: dict[date, int]) -> FloatArray:
    """(14,) Wh given on each day of the fortnight that ends with the latest posted one; NaN: not known."""
    latest = max(posted)
    return np.array([posted.get(latest - timedelta(days=back), np.nan) for back in range(BEFORE - 1, -1, -1)])


def _whole(total: FloatArray, shape: FloatArray) -> FloatArray:
    """(k, n) whole Wh of (k,) days spread so. No meter counts more in an interval than a file can tell."""
    most: FloatArray = np.minimum(np.rint(total[:, None] * shape), np.iinfo(np.int32).max)
    return most


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
    day: date, at: int, like: dict[date, int], own: dict[date, UsageRecord], given: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(k, n) how each draw's day is spread over its intervals, and what it gives: as one of the home's own days of that kind, by turns.

    Without one that took anything it is spread as a mean home's day. Under a roof the sunnier draw is spread as the sunnier day. like: what those days
    gave, Wh. given: (k,) Wh that each draw gives.
    """
    slots = clock_slots(day)
    mean = shapes()[day.month - 1][slots]
    turns = np.arange(len(given)) + at
    if not like:
        return np.broadcast_to(mean / mean.sum(), (len(given), len(slots))), np.zeros((len(given), len(slots)))
    own_days = [one for one in like if day_class(one) is day_class(day)]
    if not own_days or (given.any() and not any(like[one] for one in own_days)):
        own_days = list(like)
    own_days = own_days[:BEFORE]
    if given.any():
        own_days.sort(key=like.__getitem__)
        turns = np.argsort(np.argsort(given, kind="stable"), kind="stable") * len(own_days) // len(given)
    on_face = np.zeros((2, len(own_days), SLOTS))
    for row, one in enumerate(own_days):
        on_face[:, row, clock_slots(one)] = own[one].wh, own[one].given
    taken, back = on_face[:, :, slots]
    turns = turns % len(own_days)
    return _spread(taken, mean)[turns], _spread(back, back.sum(axis=0))[turns]


def _spread(days: FloatArray, otherwise: FloatArray) -> FloatArray:
    """(d, n) shares of each of (d, n) days in its sum; of one that has nothing those of another (n,); 0 where that has nothing either."""
    some = np.where(days.any(axis=1, keepdims=True), days, otherwise)
    shares: FloatArray = some / np.maximum(some.sum(axis=1, keepdims=True), 1e-9)
    return shares
