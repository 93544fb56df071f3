"""Price windows: which quarter hours of the days billed cost the same, and the energy in each, summed once.

A window is one price of energy, one charge of the TDU, free or not. A repeated hour of the local clock has the prices of its first pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np

from headend.ports import BoolArray, IntArray, LongArray
from meters.calendar import INTERVAL_S, Seconds, day_start, days, intervals_in
from meters.day_kinds import SLOTS, clock_slots, off_peak_holidays
from meters.kernels.jit import kernel
from simulator.ror.billing.plan import DayKind, FreeWindow, RatePlan, TduCharge, When, quarters
from simulator.ror.errors import RorError
from simulator.ror.usage import Energy


class Window(NamedTuple):
    """What costs the same."""

    #: Index of the plan's price of energy.
    price: int
    tdu: TduCharge
    #: Names of the free windows that it lies in; empty: it is not free.
    free_energy: str
    free_delivery: str


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """The windows of some days. k quarter hours."""

    #: UTC epoch seconds at which the first day begins.
    start: Seconds
    intervals: int
    #: (w,)
    windows: tuple[Window, ...]
    #: (r + 1,) where each run of quarter hours of one window begins, and where the last one ends; (r,) its window.
    bounds: LongArray
    of: LongArray
    #: By price: days on which it holds at some time.
    days_held: tuple[int, ...]

    def lengths(self) -> LongArray:
        """(w,) quarter hours in each window."""
        return np.bincount(self.of, np.diff(self.bounds), len(self.windows)).astype(np.int64)

    def sums(self, wh: IntArray) -> LongArray:
        """(n, w) Wh by window. wh: (n, k) of n homes."""
        out = np.zeros((len(wh), len(self.windows)), np.int64)
        bill_windows(wh, self.bounds, self.of, out)
        return out

    def energies(self, energy: Energy) -> tuple[LongArray, LongArray]:
        """(1, w) Wh taken, and given, by window, of one home. Raises RorError for what lies outside the days, or is negative."""
        at = (energy.ends - self.start) // INTERVAL_S - 1
        if len(at) and (at.min() < 0 or at.max() >= self.intervals):
            raise RorError(
                "ror.bill.usage_outside",
                "Usage lies outside the days billed.",
                mend="Give usage of the days billed only.",
            )
        found = []
        for wh in (energy.wh, energy.given):
            if len(wh) and wh.min() < 0:
                raise RorError("ror.bill.usage_negative", "Usage is negative.", mend="Bill each channel by itself.")
            dense = np.zeros((1, self.intervals), np.int32)
            dense[0, at] = wh
            found.append(self.sums(dense))
        return found[0], found[1]

    def spread(self, wh: int) -> LongArray:
        """(1, w) Wh in all, the same in every quarter hour."""
        return apportioned(wh, self.lengths())[None, :]


def apportioned(total: int, shares: LongArray) -> LongArray:
    """(n,) whole numbers in proportion of shares, of which one is above 0, whose sum is the total."""
    upto = np.cumsum(shares, dtype=np.int64)
    whole = int(upto[-1])
    # Whole numbers of any size, where those of the machine would not do.
    exact = upto if int(np.abs(upto).max()) * (2 * abs(total) + 1) < 2**63 else upto.astype(object)
    return np.diff((2 * exact * total + whole) // (2 * whole), prepend=0).astype(np.int64)


@kernel
def bill_windows(wh: IntArray, bounds: LongArray, of: LongArray, out: LongArray) -> None:
    """Add the Wh of each home's quarter hours to its windows. wh: (n, k); bounds, of: runs, as in ``Windows``; out: (n, w)."""
    for row in range(len(wh)):
        for run in range(len(of)):
            total = 0
            for at in range(bounds[run], bounds[run + 1]):
                total += wh[row, at]
            out[row, of[run]] += total


def cut(plan: RatePlan, first: date, last: date) -> Windows:
    """Cut days, both included, into the plan's windows. Raises RorError where no TDU charge is in force."""
    over = days(first, last)
    price = np.full((len(over), SLOTS), len(plan.energy) - 1)
    for at in reversed(range(len(plan.energy))):
        price[_fits(plan.energy[at], over)] = at
    tdus = list(dict.fromkeys(plan.tdu_on(day) for day in over))
    tdu = np.array([tdus.index(plan.tdu_on(day)) for day in over])
    names = ["", *(free.name for free in plan.free)]
    parts = (
        price,
        np.broadcast_to(tdu[:, None], price.shape),
        *(_free(plan.free, what, over) for what in ("energy", "delivery")),
    )
    sizes = (len(plan.energy), len(tdus), len(names), len(names))
    # A number for each combination: sorted in no time.
    numbers = np.ravel_multi_index(parts, sizes)
    cells = np.concatenate([numbers[at, clock_slots(day)] for at, day in enumerate(over)])
    found, window = np.unique(cells, return_inverse=True)
    keys = zip(*(one.tolist() for one in np.unravel_index(found, sizes)), strict=True)
    edges = np.flatnonzero(np.diff(window)) + 1
    return Windows(
        day_start(first),
        sum(intervals_in(day) for day in over),
        tuple(Window(p, tdus[t], names[e], names[d]) for p, t, e, d in keys),
        np.array([0, *edges, len(window)], dtype=np.int64),
        window[[0, *edges]].astype(np.int64),
        tuple(int((price == at).any(axis=1).sum()) for at in range(len(plan.energy))),
    )


def _free(free: Sequence[FreeWindow], what: str, over: Sequence[date]) -> LongArray:
    """(days, quarter hours of the clock) 1 and up: the first of the windows that frees it; 0: none."""
    found = np.zeros((len(over), SLOTS), np.int64)
    for at in reversed(range(len(free))):
        if free[at].free in (what, "both"):
            found[_fits(free[at], over)] = at + 1
    return found


def _fits(when: When, over: Sequence[date]) -> BoolArray:
    """(days, quarter hours of the clock) which of them are meant."""
    clock = np.zeros(SLOTS, np.bool_)
    clock[[at for hours in when.hours for at in quarters(hours)] if when.hours else slice(None)] = True
    return np.array([_has_day(when, day) for day in over])[:, None] & clock


def _has_day(when: When, day: date) -> bool:
    first, last = when.first_day or day, when.last_day or day
    fits = first <= day <= last and (not when.months or day.month in when.months)
    return fits and (not when.days or not _kinds(day).isdisjoint(when.days))


def _kinds(day: date) -> set[DayKind]:
    holiday = day in off_peak_holidays(day.year)
    kinds = {DayKind.HOLIDAY} if holiday else set()
    if day.weekday() < 5:
        return kinds or {DayKind.WEEKDAY}
    return kinds | {DayKind.SATURDAY if day.weekday() == 5 else DayKind.SUNDAY}
