"""The chart of a cycle's cost: to date on VEE data, with the gap, and the ways on to its end with the credit edge between them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headend.ports import LongArray
from meters.calendar import INTERVAL_S, Seconds, day_end, day_of_interval, day_start, instants, seconds
from scenarios.records.actions import Stand
from scenarios.records.usage import Interval
from simulator.ror.usage import Quality
from simulator.web.lines import DIAMOND, DOT, FRESH, HIGH, KNOWN, LOW, MIDDLE, Line, Lines, Point
from simulator.web.parts import Table
from simulator.web.words import dollars

if TYPE_CHECKING:
    from simulator.ror.billing.plan import RatePlan

#: Seconds of what is drawn large before the end of what is known.
_LARGE_S = 2 * 86_400
_TALL = 260
#: Marks below the days.
_MARKS = 4


class Cycle(NamedTuple):
    """Days of a billing cycle, both included, and how many its whole has."""

    first: date
    last: date
    full_days: int | None

    @property
    def days(self) -> list[date]:
        """Its operating days."""
        return [self.first + timedelta(days=at) for at in range((self.last - self.first).days + 1)]


class Costs(NamedTuple):
    """What the chart is drawn from. ``ahead``: the bill told, where it goes on; ``again``: when it was made again on VEE data, and what it came to."""

    usage: list[Interval]
    cycle: Cycle
    plan: RatePlan | None
    stand: Stand | None
    ahead: Stand | None
    again: tuple[Seconds, Decimal] | None


class CostChart(NamedTuple):
    """The cycle whole and its last days large, the same by day in words, and what the rest of the cycle decides."""

    drawn: tuple[Lines, Lines]
    table: Table
    undecided: Sequence[str]


class Course(NamedTuple):
    """(n,) instants and what the cycle costs up to each, $."""

    look: str
    word: str
    at: list[Seconds]
    usd: list[float]
    told: str = ""

    def since(self, begin: Seconds) -> Line:
        """As a line, from the last instant before one on."""
        first = max(0, next((index for index, at in enumerate(self.at) if at > begin), len(self.at)) - 1)
        return Line(self.look, self.word, self.at[first:], self.usd[first:], self.told)


def cost_chart(costs: Costs) -> CostChart | None:
    """What the cycle costs up to each hour, and the ways on to its end: the middle, low, high. None without a plan or a bill told."""
    stand, cycle = costs.stand, costs.cycle
    if stand is None or costs.plan is None or stand.known_to is None:
        return None
    start, end = day_start(cycle.first), day_end(cycle.last)
    courses = _courses(costs, costs.plan, stand.known_to)
    zoom = day_start(next(day for day in cycle.days if day_end(day) > stand.known_to - _LARGE_S))
    points = [
        Point(DIAMOND, "re-billed on VEE data", at, float(usd), f"${usd}") for at, usd in filter(None, (costs.again,))
    ]
    if stand.to > stand.known_to:
        total = stand.bill.total_usd
        points.append(Point(DOT, "told, with what is expected", stand.to, float(total), f"${total}"))
    drawn = tuple(
        Lines(
            label, (begin, end), _ticks(begin, cycle), dollars, [one.since(begin) for one in courses], points=points,
            shaded=(zoom, end) if begin < zoom else None, tall=_TALL, nought=begin == start,
        )
        for label, begin in (
            ("Cumulative cost of the billing cycle with its projection", start),
            ("The same, its last days large", zoom),
        )
    )  # fmt: skip
    undecided = [
        f"{one.kind.capitalize()} of ${abs(one.usd):.2f} {one.text}: {one.standing}" for one in stand.bill.undecided
    ]
    return CostChart((drawn[0], drawn[1]), _table(courses, cycle), undecided)


def _ticks(begin: Seconds, cycle: Cycle) -> list[tuple[float, str]]:
    """Midnights of some of the days."""
    days = [day for day in cycle.days if day_start(day) >= begin]
    return [(day_start(day), f"{day:%b %d}") for day in days[:: -(-len(days) // _MARKS)]]


def _table(courses: Sequence[Course], cycle: Cycle) -> Table:
    """What each course comes to at the end of each day, where it has got there."""
    upto = [(f"{day:%b %d}", day_end(day)) for day in cycle.days]
    told = [dict(zip(one.at, one.usd, strict=True)) for one in courses]
    rows = [[name, *(f"{its[at]:,.2f}" if at in its else "" for its in told)] for name, at in upto]
    return Table(["To the end of", *(f"$ {one.word}" for one in courses)], rows)


def _courses(costs: Costs, plan: RatePlan, to: Seconds) -> list[Course]:
    """To date on VEE data, with the gap if there is one, and the ways on."""
    usage, start, end = costs.usage, day_start(costs.cycle.first), day_end(costs.cycle.last)
    ends = np.array([one.end for one in usage], np.int64)
    wh = np.array([one.wh for one in usage], np.int64)
    at = _hours_of(start, to)
    usd = usd_to_date(plan, costs.cycle, ends, wh, at)
    vee_to = max((one.end for one in usage if one.quality is not Quality.NON_VEE), default=to)
    vee = sum(one <= vee_to for one in at)
    courses = [Course(KNOWN, "on VEE data", at[:vee], usd[:vee])]
    if to > vee_to:
        since = next(index for index, one in enumerate(at) if one >= vee_to)
        courses.append(Course(FRESH, "with the non-VEE intervals of the gap", at[since:], usd[since:]))
    known = ends <= to
    ahead = np.arange(to + INTERVAL_S, end + 1, INTERVAL_S, dtype=np.int64)
    hours = _hours_of(to, end)[:-1]
    for look, word, total_wh, closed in () if costs.ahead is None else _ways(costs.ahead):
        whole = np.concatenate([wh[known], _evenly(total_wh - int(wh[known].sum()), len(ahead))])
        then = usd_to_date(plan, costs.cycle, np.concatenate([ends[known], ahead]), whole, hours)
        told = f"${closed} at {total_wh / 1000:,.0f} kWh"
        courses.append(Course(look, word, [to, *hours, end], [usd[-1], *then, float(closed)], told))
    return courses


def _ways(stand: Stand) -> tuple[tuple[str, str, int, Decimal], ...]:
    """The ways from the bill told to the end of the cycle: look, word, Wh of the cycle, and its closed bill."""
    ahead = stand.projection
    return (
        (MIDDLE, "the middle of the ways it may go", ahead.total_wh, stand.projected_bill.total_usd),
        (LOW, "low end of eight of ten", ahead.low_wh, stand.projected_usd_at_low_usage),
        (HIGH, "high end of eight of ten", ahead.high_wh, stand.projected_usd_at_high_usage),
    )


def _evenly(wh: int, count: int) -> LongArray:
    """(count,) whole Wh, as even as they can be."""
    from simulator.ror.billing.windows import apportioned

    return np.asarray(apportioned(wh, np.ones(count, np.int64)), np.int64)


def _hours_of(start: Seconds, end: Seconds) -> list[Seconds]:
    return [*instants(start + 3600, end, seconds(3600)), end]


def usd_to_date(plan: RatePlan, cycle: Cycle, ends: LongArray, wh: LongArray, at: Sequence[Seconds]) -> list[float]:
    """(n,) $ of the bill to date at instants, as ``bill_to_date`` has each: those of a day are billed together.

    ends, wh: (k,) intervals from the cycle's beginning on; at: (n,) ascending.
    """
    from simulator.ror.billing.sheet import sheet

    full = len(cycle.days) if cycle.full_days is None else cycle.full_days
    dense = np.zeros((day_end(cycle.last) - day_start(cycle.first)) // INTERVAL_S, np.int64)
    dense[(ends - day_start(cycle.first)) // INTERVAL_S - 1] = wh
    found: list[float] = []
    for day, its in groupby(at, key=day_of_interval):
        terms = sheet(plan, cycle.first, day, cycle.last, full, closed=False)
        count = terms.windows.intervals
        window = np.repeat(terms.windows.of, np.diff(terms.windows.bounds))
        by_window = np.zeros((count + 1, len(terms.windows.windows)), np.int64)
        by_window[np.arange(count) + 1, window] = dense[:count]
        upto = (np.array(list(its), np.int64) - day_start(cycle.first)) // INTERVAL_S
        taken = by_window.cumsum(axis=0)[upto]
        found += (terms.bills(taken, np.zeros_like(taken)).total / 100).tolist()
    return found
