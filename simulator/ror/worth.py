"""What the ways that a cycle may go mean in dollars: the closed bill of each, the odds at the plan's edges, and what a read would be worth."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from headend.ports import BoolArray, LongArray
from meters.calendar import Seconds, day_of_interval
from simulator.ror.account import Account
from simulator.ror.billing.money import cents, usd
from simulator.ror.billing.plan import Edge, RatePlan
from simulator.ror.billing.sheet import Sheet, sheet
from simulator.ror.likely import NINETIETH, TENTH, Draws, quantile


@dataclass(frozen=True, slots=True)
class Outlook:
    """The closed bill of a cycle over the ways it may go, $ with tax: in eight of ten it lies between low and high."""

    low: Decimal
    middle: Decimal
    high: Decimal
    #: The mean.
    expected: Decimal

    def to_dict(self) -> dict[str, Any]:
        """JSON values: money as strings."""
        return {name: str(getattr(self, name)) for name in self.__slots__}


def closed_bills(plan: RatePlan, account: Account, draws: Draws) -> LongArray:
    """(k,) cents of the cycle's closed bill in each draw. Pure."""
    first, last = account.cycle_first, account.cycle_last
    full = account.full_cycle_days or account.cycle_days
    return _totals(sheet(plan, first, last, last, full, closed=True), draws, np.ones(len(draws.ends), np.bool_))


def outlook(bills: LongArray) -> Outlook:
    """What is told of (k,) closed bills in cents."""
    low, middle, high = (usd(round(quantile(bills, share))) for share in (TENTH, 0.5, NINETIETH))
    return Outlook(low, middle, high, usd(round(float(bills.mean()))))


def _totals(terms: Sheet, draws: Draws, counted: BoolArray) -> LongArray:
    """(k,) cents of each draw's bill. counted: (t,) the intervals that are billed."""
    size = (len(draws.wh), terms.windows.intervals)
    taken, given = np.zeros(size, np.int32), np.zeros(size, np.int32)
    billed = np.flatnonzero(counted)
    taken[:, billed], given[:, billed] = draws.wh[:, billed], draws.given[:, billed]
    return terms.bills(terms.windows.sums(taken), terms.windows.sums(given)).total


@dataclass(frozen=True, slots=True)
class EdgeDoubt:
    """An edge of the plan that the cycle may end on either side of: the odds of telling the wrong one."""

    edge: Edge
    #: $ between the bills on its two sides.
    apart: Decimal
    #: Shares of the ways in which the likelier side is the wrong one, now and once the gap is read.
    wrong: float
    wrong_after: float

    @property
    def worth(self) -> Decimal:
        """What a read is worth by it, $."""
        return cents(self.apart * Decimal(max(self.wrong - self.wrong_after, 0.0)))


@dataclass(frozen=True, slots=True)
class ReadWorth:
    """What it is worth to know the gap, $."""

    #: Wh of the gap in the middle of the ways.
    gap_wh: int
    #: By how much the bill to date is wrong in the mean if the gap is left out of it.
    bill: Decimal
    edges: tuple[EdgeDoubt, ...]

    @property
    def total(self) -> Decimal:
        """All of it."""
        return self.bill + sum((one.worth for one in self.edges), Decimal(0))

    def to_dict(self) -> dict[str, Any]:
        """JSON values: money and shares as strings, energy in whole Wh."""
        return {
            "gap_wh": self.gap_wh,
            "bill_usd": str(self.bill),
            "total_usd": str(self.total),
            "edges": [
                {
                    "at_wh": one.edge.wh,
                    "apart_usd": str(one.apart),
                    "wrong": f"{one.wrong:.4f}",
                    "wrong_after": f"{one.wrong_after:.4f}",
                    "worth_usd": str(one.worth),
                }
                for one in self.edges
            ],
        }


def read_worth(
    plan: RatePlan, account: Account, draws: Draws, gap: tuple[Seconds, Seconds], edges: dict[Edge, Decimal]
) -> ReadWorth:
    """What reading the unknown intervals of ``gap`` is worth. Pure.

    The bill to date, which leaves the gap out until it is read, loses that error; and at an edge the side told is the wrong one less often, times what lies between its sides.
    gap: UTC epoch seconds, within the cycle. edges: what lies between the bills on either side of each, $. What else is not known, holes and the rest
    of the cycle, stays so; how the gap and the rest hang together is not counted.
    """
    within = ~draws.known & (draws.ends > gap[0]) & (draws.ends <= gap[1])
    totals = draws.wh[:, within].sum(axis=1, dtype=np.int64)
    middle = int(np.argsort(totals, kind="stable")[len(totals) // 2])
    to_date = draws.ends <= gap[1]
    # Holes are the same, read or not.
    alone = Draws(
        draws.ends,
        np.where(within, draws.wh, draws.wh[middle]),
        np.where(within, draws.given, draws.given[middle]),
        draws.known,
        draws.days_used,
    )
    through = day_of_interval(gap[1])
    first, last = account.cycle_first, account.cycle_last
    full = account.full_cycle_days or account.cycle_days
    terms = sheet(plan, first, through, last, full, closed=through >= last)
    error = np.abs(_totals(terms, alone, to_date) - _totals(terms, alone, to_date & ~within)).mean()
    rest = draws.totals - totals
    ends = totals[:, None] + rest[None, :]
    doubts = []
    for edge, apart in edges.items():
        past = (ends >= edge.wh).mean(axis=1)
        wrong, after = min(past.mean(), 1 - past.mean()), np.minimum(past, 1 - past).mean()
        if wrong > 0:
            doubts.append(EdgeDoubt(edge, cents(abs(apart)), float(wrong), float(after)))
    return ReadWorth(int(totals[middle]), cents(Decimal(float(error)) / 100), tuple(doubts))
