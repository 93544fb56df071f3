"""What quarter hours that are not known may be expected to have taken, by the days of their kind before: the usual day, or those of like weather.

Arrays of many homes of one weather zone; one home is n = 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from headend.ports import IntArray, LongArray
from meters.calendar import intervals_in
from meters.day_kinds import SLOTS, DayClass, day_class
from meters.kernels.jit import kernel

FloatArray = NDArray[np.float64]
#: Days that make the usual one, and how many days back any may lie: six weeks have some of other weather and are yet of the season [D].
USUAL_DAYS, BACK_DAYS = 10, 42
#: Degrees C apart at which a quarter hour counts 0.6 of one of the same weather [D].
LIKE_C = 1.5


def days_of_kind(kind: DayClass, known: Sequence[date]) -> list[int]:
    """Where the days of a kind are among the last six weeks of the known ones, the latest first.

    known: consecutive days. One of 92 or 100 intervals tells of none.
    """
    latest = range(len(known) - 1, max(len(known) - BACK_DAYS, 0) - 1, -1)
    return [at for at in latest if day_class(known[at]) is kind and intervals_in(known[at]) == SLOTS]


def by_weather(degrees: FloatArray, of: FloatArray) -> FloatArray:
    """(j, 96) how much each of j days counts at each quarter hour of the clock: the more, the nearer it was in temperature; the nearest counts 1.

    degrees: (j, 96) C outdoors on those days; of: (96,) on the day that is asked for.
    """
    apart = ((degrees - of) / LIKE_C) ** 2 / 2
    counts: FloatArray = np.exp(apart.min(axis=0, initial=np.inf) - apart)
    return counts


def usual_day(wh: IntArray, days: Sequence[int]) -> IntArray:
    """(n, 96) Wh by quarter hour of the clock: the mean of the latest ten days. wh, days: as in ``expected``."""
    latest = days[:USUAL_DAYS]
    return expected(wh, latest, np.ones((len(latest), SLOTS)))


def expected(wh: IntArray, days: Sequence[int], counts: FloatArray) -> IntArray:
    """(n, 96) Wh by quarter hour of the clock: a mean of some days in which each counts so much, to the Wh; 0 without any.

    wh: (n, d, 96) Wh of n homes. days: j of the d. counts: (j, 96), their sums above 0.
    """
    out = np.zeros((len(wh), SLOTS), np.int32)
    if len(days):
        _mean(wh, np.array(days, dtype=np.int64), counts, out)
    return out


@kernel
def _mean(wh: IntArray, days: LongArray, counts: FloatArray, out: IntArray) -> None:
    of = counts.sum(axis=0)
    total = np.empty(SLOTS)
    for home in range(len(wh)):
        total[:] = 0.0
        for at in range(len(days)):
            # Rows by themselves are added up several quarter hours at a time.
            row, count = wh[home, days[at]], counts[at]
            for slot in range(SLOTS):
                total[slot] += count[slot] * row[slot]
        for slot in range(SLOTS):
            out[home, slot] = np.rint(total[slot] / of[slot])
