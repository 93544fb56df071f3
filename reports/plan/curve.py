"""The bills of a month by its usage, all in one pass of the bill engine, and the edges between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from headend.ports import LongArray
from meters.calendar import YEARS
from simulator.ror.billing.fact_label import LABEL_DAYS
from simulator.ror.billing.money import money, usd
from simulator.ror.billing.plan import Edge, RatePlan, plan_edges
from simulator.ror.billing.sheet import sheet
from simulator.ror.billing.windows import apportioned
from simulator.ror.errors import RorError

#: Rows of a table, and characters of its longest bar.
ROWS, BAR = 20, 40


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """What a month of some usage costs, with tax, if every quarter hour takes the same."""

    plan: RatePlan
    first: date
    #: (n,) Wh ascending; whole steps, and both sides of each edge.
    wh: LongArray
    #: (n,)
    cents: LongArray
    #: Those in reach.
    edges: tuple[Edge, ...]

    def at(self, wh: int) -> Decimal:
        """$ at a usage of the curve."""
        return usd(int(self.cents[np.searchsorted(self.wh, wh)]))


def month_of(plan: RatePlan, on: str) -> date:
    """The first day of a month, written 2026-08-01; the label's day unless given, or the newest TDU charge's. Raises RorError."""
    try:
        day = date.fromisoformat(on) if on else plan.fact_label.on if plan.fact_label else plan.tdu[-1].effective
    except ValueError:
        raise RorError("ror.plan.day", f"'{on}' is no day.", "--on", "Write it as 2026-08-01.") from None
    if not YEARS.start <= day.year < YEARS.stop - 1:
        raise RorError("ror.plan.day", f"{day} is out of range.", "--on", "Give a year from 2000 to 2098.")
    return day


def shown_to(plan: RatePlan) -> int:
    """kWh that are shown unless told: 2,000, or so many that the last edge has a quarter behind it."""
    last = max((edge.wh for edge in plan_edges(plan)), default=0) // 1000
    return min(max(2_000, -(-last * 5 // 4 // 500) * 500), 100_000)


def curve(plan: RatePlan, begins: date, up_to_kwh: int) -> Curve:
    """A month of 30 days. Raises RorError where no TDU charge is in force."""
    last = begins + timedelta(days=LABEL_DAYS - 1)
    edges = tuple(edge for edge in plan_edges(plan) if edge.wh <= up_to_kwh * 1000)
    steps = np.arange(0, up_to_kwh * 1000 + 1, up_to_kwh * 1000 // (ROWS * 10))
    wh = np.unique(np.concatenate([steps, *([edge.wh - 1, edge.wh] for edge in edges)])).astype(np.int64)
    terms = sheet(plan, begins, last, last, LABEL_DAYS, closed=True)
    lengths = terms.windows.lengths()
    taken = np.array([apportioned(int(each), lengths) for each in wh], dtype=np.int64)
    return Curve(plan, begins, wh, terms.bills(taken).total, edges)


def rows(drawn: Curve) -> Iterator[str]:
    """A row for each step with its bar; an edge between the rows where it lies."""
    top = max(int(drawn.cents.max()), 1)
    edges = list(drawn.edges)
    yield f"{'kWh':>7}  {'$ with tax':>10}  {'c/kWh':>6}"
    for wh in drawn.wh.tolist():
        while edges and edges[0].wh <= wh:
            edge = edges.pop(0)
            yield f"{'':7}  -- {edge.text}: {money(drawn.at(edge.wh - 1))} before, {money(drawn.at(edge.wh))} at it"
        if wh % (int(drawn.wh[-1]) // ROWS):
            continue
        cost = drawn.at(wh)
        average = f"{cost * 100_000 / wh:.2f}" if wh else "-"
        bar = "#" * max(round(float(cost) * 100 * BAR / top), 0)
        yield f"{wh / 1000:>7,.0f}  {cost:>10,.2f}  {average:>6}  {bar}".rstrip()
