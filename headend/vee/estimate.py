"""The estimation ladder for one meter's day: straight line, flat, mean of like days, zero. The first rung that holds is taken.

Source of the rungs: EEI UBP Vol. 2 (2000) and DASMMD; Texas TDSPs each have their own ladder, and the 2 h limit is Californian.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from headend.ports import BoolArray, IntArray
from headend.vee.quality import Method
from headend.vee.records import OctetArray
from meters.calendar import INTERVAL_S
from meters.day_kinds import day_class, same_clock

#: Longest gap that neighbours may fill, seconds (DASMMD: 2 h).
INTERPOLATE_S = 7200
#: How many like days are averaged; fewer if fewer are there (that is a default of this project).
LIKE_DAYS = 3
#: How far back like days are looked for, days.
BACK_DAYS = 90


@dataclass(frozen=True, slots=True, eq=False)
class PastDay:
    """One earlier VEE'd day of the same meter and channel."""

    day: date
    #: (intervals,) Wh.
    wh: IntArray
    #: (intervals,) True where the value is actual.
    actual: BoolArray


def interpolate(left_wh: int, right_wh: int, count: int) -> IntArray:
    """Straight line between two good neighbours: L + (R - L) (j + 1) / (count + 1) for j = 0 .. count - 1, in whole Wh."""
    steps = np.arange(1, count + 1)
    return np.rint(left_wh + (right_wh - left_wh) * steps / (count + 1)).astype(np.int32)


def flat(wh: int, count: int) -> IntArray:
    """One value for the whole gap: that of the only good neighbour."""
    return np.full(count, wh, dtype=np.int32)


def gaps(good: BoolArray) -> list[tuple[int, int]]:
    """Runs [begin, end) of intervals that are not good, ascending."""
    edges = np.flatnonzero(np.diff(np.concatenate(([True], good, [True]))))
    return [(int(begin), int(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def like_day_mean(
    day: date, begin: int, end: int, past: Sequence[PastDay], back_days: int = BACK_DAYS
) -> tuple[IntArray, list[date]]:
    """Mean of the latest like days for the intervals [begin, end) of ``day``, in whole Wh, with the days that were used.

    A like day is of the same class (weekday; weekend or holiday), at most ``back_days`` back, and all its intervals at those clock times
    are actual. past: in any order. Without a like day both results are empty.
    """
    used: list[date] = []
    picked: list[NDArray[np.int32]] = []
    for earlier in sorted(past, key=lambda candidate: candidate.day, reverse=True):
        if not 0 < (day - earlier.day).days <= back_days or day_class(earlier.day) is not day_class(day):
            continue
        at = same_clock(day, earlier.day)[begin:end]
        if (at < 0).any() or not earlier.actual[at].all():
            continue
        used.append(earlier.day)
        picked.append(earlier.wh[at])
        if len(picked) == LIKE_DAYS:
            break
    if not picked:
        return np.zeros(0, dtype=np.int32), []
    return np.rint(np.mean(picked, axis=0)).astype(np.int32), used


def estimate_gaps(
    day: date,
    wh: IntArray,
    good: BoolArray,
    power_failed: BoolArray,
    before: int | None,
    past: Sequence[PastDay],
) -> tuple[IntArray, OctetArray]:
    """Give every interval of one meter's day that is not good an estimate.

    wh, good, power_failed: (intervals,) of the day. before: Wh of the last interval of the day before, None unless it is actual and without
    a power failure. Returns (intervals,) Wh and (intervals,) ``Method``. A gap of at most 2 h between two good neighbours gets a straight
    line, with one good neighbour that one's value; a neighbour with a power failure does not count, and what follows the day is not known
    here. A longer gap, or one without neighbours, gets the mean of like days, and without those 0.
    """
    out = wh.copy()
    method = np.full(wh.shape, Method.MEASURED, dtype=np.uint8)
    anchor = good & ~power_failed
    for begin, end in gaps(good):
        left = before
        if begin > 0:
            left = int(wh[begin - 1]) if anchor[begin - 1] else None
        right = int(wh[end]) if end < len(wh) and anchor[end] else None
        near = (end - begin) * INTERVAL_S <= INTERPOLATE_S
        if near and left is not None and right is not None:
            values, how = interpolate(left, right, end - begin), Method.INTERPOLATED
        elif near and (left is not None or right is not None):
            values, how = flat(left if left is not None else right or 0, end - begin), Method.FLAT
        else:
            values, used = like_day_mean(day, begin, end, past)
            how = Method.LIKE_DAY
            if not used:
                values, how = flat(0, end - begin), Method.ZERO
        out[begin:end], method[begin:end] = values, how
    return out, method
