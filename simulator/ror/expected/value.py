"""What callers are told when the last quarter hours before the call are not known: left out, or expected, billed beside the truth.

Arrays of many homes; each bill is of the one bill engine.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from headend.ports import IntArray, LongArray
from meters.calendar import intervals_in
from meters.day_kinds import SLOTS, DayClass, clock_slots, day_class
from meters.identity import Tdsp
from meters.kernels.jit import kernel
from meters.load.premises import PremiseArrays
from meters.load.truth import day_intervals
from meters.load.weather import CENTI, sky
from simulator.ror.billing.plan import RatePlan
from simulator.ror.billing.sheet import Sheet, sheet
from simulator.ror.billing.windows import Window, cut
from simulator.ror.expected.like_days import BACK_DAYS, FloatArray, by_weather, days_of_kind, expected, usual_day

#: Days of calls in a season, and of a billing cycle.
CALL_DAYS, CYCLE_DAYS = 30, 30
KINDS = tuple(DayClass)
#: How the quarter hours that are not known are filled.
FILLS = ("left out", "usual day", "like days")
#: Quarter hours before the call that are not known; of the closing bill, which also rests on days to come, fewer tell enough.
UNKNOWN = (0, 1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 56, 64, 72, 80, 96, 112, 128, 144, 160, 176, 192)
UNKNOWN_CLOSING = (0, 16, 96, 192)
#: Days that they may reach back into, the day of the call among them. None of these may be one of a clock change.
REACH = 3
_UNKNOWN = np.array(UNKNOWN)


class Span(NamedTuple):
    """The days around a season's calls."""

    days: tuple[date, ...]
    #: (d + 1,) where each begins among the intervals of all, and where the last one ends.
    starts: LongArray

    @classmethod
    def around(cls, first: date) -> Span:
        """From what a day before the first call may be like to the last cycle's end."""
        begin = first - timedelta(days=BACK_DAYS + REACH - 1)
        count = BACK_DAYS + REACH - 1 + CALL_DAYS + CYCLE_DAYS - 1
        over = tuple(begin + timedelta(days=at) for at in range(count))
        return cls(over, np.cumsum([0, *map(intervals_in, over)]))


class Call(NamedTuple):
    """A day of calls: places among the days of a span."""

    day: int
    #: The first and last day of the cycle.
    first: int
    last: int

    def dates(self, span: Span) -> tuple[date, date, date]:
        """The first day of the cycle, the day of the call, the last day of the cycle."""
        return span.days[self.first], span.days[self.day], span.days[self.last]


class Homes(NamedTuple):
    """What n homes of a zone took over a span."""

    #: (n, t) Wh by interval, and (n, d, 96) by day and quarter hour of the clock; 0 on days of a clock change.
    wh: IntArray
    by_day: IntArray
    #: (d, 96) degrees C outdoors.
    degrees: FloatArray

    @classmethod
    def of(cls, span: Span, wh: IntArray, degrees: FloatArray) -> Homes:
        """wh: (n, t). degrees: (d, 96)."""
        by_day = np.zeros((len(wh), len(span.days), SLOTS), np.int32)
        for at, (start, end) in enumerate(zip(span.starts[:-1], span.starts[1:], strict=True)):
            if end - start == SLOTS:
                by_day[:, at] = wh[:, start:end]
        return cls(wh, by_day, degrees)

    @classmethod
    def generated(cls, span: Span, seed: int, company: Tdsp, first: int, count: int) -> Homes:
        """Those of a company's ordinals from ``first`` on."""
        premises = PremiseArrays.generate(seed, company, count, first)
        wh = np.concatenate([day_intervals(seed, premises, day).delivered for day in span.days], axis=1)
        return cls.of(span, wh, sky(seed, company.zone, span.days[0], span.days[-1]).temperature / CENTI)


class Expected(NamedTuple):
    """What n homes may be expected to take about a day of calls, by how many days before it what is not known begins (b = 0, 1, 2)."""

    #: (fills, b, n, 3 x 96) Wh of the two days before and the day of the call.
    near: IntArray
    #: (b, n, kinds x 96) Wh of a usual day of each kind by quarter hour of the clock.
    usual: IntArray


def expect(homes: Homes, span: Span, call: Call) -> Expected:
    """Make it of the days before. Pure."""
    near = np.zeros((len(FILLS), REACH, len(homes.wh), REACH * SLOTS), np.int32)
    usual = np.zeros((REACH, len(homes.wh), len(KINDS) * SLOTS), np.int32)
    for back in range(REACH):
        known = span.days[: call.day - back]
        of_kind = {kind: days_of_kind(kind, known) for kind in KINDS}
        for at, kind in enumerate(KINDS):
            usual[back, :, at * SLOTS : (at + 1) * SLOTS] = usual_day(homes.by_day, of_kind[kind])
        for day in range(call.day - back, call.day + 1):
            kind = day_class(span.days[day])
            its = slice((REACH - 1 + day - call.day) * SLOTS, (REACH + day - call.day) * SLOTS)
            at = KINDS.index(kind)
            near[1, back, :, its] = usual[back, :, at * SLOTS : (at + 1) * SLOTS]
            days = of_kind[kind]
            counts = by_weather(homes.degrees[days], homes.degrees[day])
            near[2, back, :, its] = expected(homes.by_day, days, counts)
    return Expected(near, usual)


class Priced(NamedTuple):
    """A plan over a span."""

    plan: RatePlan
    #: w of them.
    windows: tuple[Window, ...]
    #: (t,) the window of each interval; -1 on days before the first that is billed.
    window: LongArray

    @classmethod
    def over(cls, plan: RatePlan, span: Span) -> Priced:
        """Raises RorError where no TDU charge is in force."""
        first = BACK_DAYS + REACH - CYCLE_DAYS
        billed = cut(plan, span.days[first], span.days[-1])
        of = np.repeat(billed.of, np.diff(billed.bounds))
        return cls(plan, billed.windows, np.concatenate([np.full(span.starts[first], -1), of]))

    def upto(self, homes: Homes, span: Span) -> LongArray:
        """(n, d + 1, w) Wh of n homes by window up to the midnights of the span."""
        sums = np.zeros((len(homes.wh), len(span.starts), len(self.windows)), np.int64)
        _add_up(homes.wh, self.window, span.starts, sums)
        return sums


class Sheeted(NamedTuple):
    """A bill's sheet, and where its windows are among those of the plan over the span."""

    sheet: Sheet
    columns: list[int]

    def cents(self, wh: LongArray) -> LongArray:
        """(...,) of bills. wh: (..., w)."""
        taken = wh.reshape(-1, wh.shape[-1])
        every = self.columns == list(range(wh.shape[-1]))
        return self.sheet.bills(taken if every else taken[:, self.columns]).total.reshape(wh.shape[:-1])


class Terms(NamedTuple):
    """A plan on a day of calls."""

    to_date: Sheeted
    closing: Sheeted
    #: (3 x 96,) the window of each interval of the two days before and the day of the call; -1 before the cycle.
    near: LongArray
    #: (kinds x 96, w) of how many quarter hours of the days to come each is.
    ahead: FloatArray

    @classmethod
    def of(cls, priced: Priced, span: Span, call: Call) -> Terms:
        """Raises RorError where no TDU charge is in force."""
        first, day, last = call.dates(span)
        bills = (
            sheet(priced.plan, first, day, last, CYCLE_DAYS, closed=False),
            sheet(priced.plan, first, last, last, CYCLE_DAYS, closed=True),
        )
        to_date, closing = (Sheeted(one, [*map(priced.windows.index, one.windows.windows)]) for one in bills)
        start, end = span.starts[call.day - REACH + 1], span.starts[call.day + 1]
        near = priced.window[start:end].copy()
        near[: max(span.starts[call.first] - start, 0)] = -1
        ahead = np.zeros((len(KINDS) * SLOTS, len(priced.windows)))
        for at in range(call.day + 1, call.last + 1):
            slots = KINDS.index(day_class(span.days[at])) * SLOTS + clock_slots(span.days[at])
            np.add.at(ahead, (slots, priced.window[span.starts[at] : span.starts[at + 1]]), 1)
        return cls(to_date, closing, near, ahead)


class Told(NamedTuple):
    """What n callers are told, by how what is not known is filled, and by how much that is. Cents and Wh."""

    #: (n, 3, u) bills to date; those without anything unknown are of the truth.
    to_date: LongArray
    #: (n, 3, u, w) Wh of them.
    wh: LongArray
    #: (n,) closing bills of the truth, and (n, 2, v) as they are projected with the gap expected.
    closed: LongArray
    projected: LongArray


def tell(homes: Homes, upto: LongArray, near: Expected, span: Span, call: Call, terms: Terms, edges: LongArray) -> Told:
    """Bill all ways to know what was taken before a call. Pure.

    upto: as ``Priced.upto`` gives it. edges: (n,) intervals of the two days before and the day of the call that are over at it.
    """
    count, windows = len(homes.wh), upto.shape[2]
    start, end = span.starts[call.day - REACH + 1], span.starts[call.day + 1]
    told = np.empty((count, len(FILLS), len(UNKNOWN), windows), np.int64)
    rest = np.zeros((count, REACH, windows), np.int64)
    before = upto[:, call.day] - upto[:, call.first]
    _walk(homes.wh[:, start:end], terms.near, edges, before, near.near, _UNKNOWN, told, rest)
    ahead = rest + np.rint(near.usual @ terms.ahead).astype(np.int64).transpose(1, 0, 2)
    begun = REACH - 1 - (edges[:, None] - UNKNOWN_CLOSING) // SLOTS
    known = told[:, 1:, [UNKNOWN.index(one) for one in UNKNOWN_CLOSING]]
    projected = known + ahead[np.arange(count)[:, None], begun][:, None]
    closed = upto[:, call.last + 1] - upto[:, call.first]
    return Told(terms.to_date.cents(told), told, terms.closing.cents(closed), terms.closing.cents(projected))


@kernel
def _add_up(wh: IntArray, window: LongArray, starts: LongArray, out: LongArray) -> None:
    for home in range(len(wh)):
        for day in range(len(starts) - 1):
            out[home, day + 1] = out[home, day]
            for at in range(starts[day], starts[day + 1]):
                if window[at] >= 0:
                    out[home, day + 1, window[at]] += wh[home, at]


@kernel
def _walk(
    wh: IntArray,
    window: LongArray,
    edges: LongArray,
    before: LongArray,
    near: IntArray,
    unknown: LongArray,
    told: LongArray,
    rest: LongArray,
) -> None:
    """Walk back from each home's edge, what is known before it taken out and what is expected put in.

    wh: (n, 3 x 96); window: of it; before: (n, w) Wh from the cycle's first day to the day of the call; near: as in ``Expected``.
    told: (n, fills, u, w) Wh; rest: (n, b, w) Wh expected of the day of the call from the edge on, added to.
    """
    fills, reach, homes, size = near.shape
    today = size - size // reach
    at_edge = np.empty(before.shape[1], np.int64)
    moved = np.empty(before.shape[1], np.int64)
    for home in range(homes):
        taken = wh[home]
        at_edge[:] = before[home]
        for at in range(today, edges[home]):
            at_edge[window[at]] += taken[at]
        for back in range(reach):
            usual = near[1, back, home]
            for at in range(edges[home], size):
                rest[home, back, window[at]] += usual[at]
            for fill in range(fills):
                put_in = near[fill, back, home]
                moved[:] = 0
                at = edges[home]
                for place in range(len(unknown)):
                    begin = edges[home] - unknown[place]
                    begun = reach - 1 - begin // (size // reach)
                    if begun > back:
                        break
                    while at > begin:
                        at -= 1
                        if window[at] >= 0:
                            moved[window[at]] += put_in[at] - taken[at]
                    if begun == back:
                        for one in range(len(moved)):
                            told[home, fill, place, one] = at_edge[one] + moved[one]
