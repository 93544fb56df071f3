"""What the ways that a cycle may go mean in dollars: the closed bill of each, the odds at the plan's edges, and what a read would be worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np

from headend.ports import BoolArray, LongArray
from meters.calendar import Seconds, day_of_interval
from simulator.ror.account import Account
from simulator.ror.billing.money import cents, usd
from simulator.ror.billing.plan import Edge, RatePlan
from simulator.ror.billing.sheet import Sheet, sheet
from simulator.ror.expected.likely import NINETIETH, TENTH, Draws, middle_of, quantile


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


def sheet_to(plan: RatePlan, account: Account, instant: Seconds) -> Sheet:
    """The lines of the cycle's bill to an instant within it, UTC epoch seconds; at its end those of the closed bill."""
    first, last = account.cycle_first, account.cycle_last
    full = account.full_cycle_days or account.cycle_days
    return sheet(plan, first, day_of_interval(instant), last, full, closed=instant >= account.cycle_end)


def closed_bills(plan: RatePlan, account: Account, draws: Draws) -> LongArray:
    """(k,) cents of the cycle's closed bill in each draw. Pure."""
    return bills_to(plan, account, draws, account.cycle_start, account.cycle_end)


def bills_to(plan: RatePlan, account: Account, draws: Draws, expected_from: Seconds, instant: Seconds) -> LongArray:
    """(k,) cents of the cycle's bill to an instant in each draw. Pure.

    expected_from: UTC epoch seconds from which an unknown interval is billed as it is drawn; before it it is a hole, and not billed.
    """
    terms = sheet_to(plan, account, instant)
    over = slice(terms.windows.intervals)
    counts = billed(draws, expected_from, instant)[over]
    taken, given = (np.where(counts, wh[:, over], 0) for wh in (draws.wh, draws.given))
    return terms.bills(terms.windows.sums(taken), terms.windows.sums(given)).total


def billed(draws: Draws, expected_from: Seconds, instant: Seconds) -> BoolArray:
    """(t,) the intervals that a bill to an instant counts."""
    return (draws.ends <= instant) & (draws.known | (draws.ends > expected_from))


def outlook(bills: LongArray) -> Outlook:
    """What is told of (k,) closed bills in cents."""
    low, middle, high = (usd(round(quantile(bills, share))) for share in (TENTH, 0.5, NINETIETH))
    return Outlook(low, middle, high, usd(round(float(bills.mean()))))


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
    #: By how much less the bill to date, which has what is expected of the gap, is wrong in the mean once it is read.
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
    plan: RatePlan,
    account: Account,
    draws: Draws,
    expected_from: Seconds,
    gap: tuple[Seconds, Seconds],
    edges: dict[Edge, Decimal],
) -> ReadWorth:
    """What reading the unknown intervals of ``gap`` is worth. Pure.

    The bill to date, which has what is expected of them until they are read, loses the error of that; and at an edge the side told is the wrong one
    less often, times what lies between its sides. What else is not known, the rest of the cycle and what a gap is too long for, stays so; how the gap and the rest hang together
    is not counted. expected_from: as ``bills_to`` takes it. gap: UTC epoch seconds, within the cycle. edges: what lies between the bills on either side of each, $.
    """
    within = ~draws.known & (draws.ends > gap[0]) & (draws.ends <= gap[1])
    totals = draws.wh[:, within].sum(axis=1, dtype=np.int64)
    middle = middle_of(totals)
    read = replace(
        draws,
        wh=np.where(within, draws.wh[middle], draws.wh),
        given=np.where(within, draws.given[middle], draws.given),
    )
    before, after = (
        np.abs(bills - bills[middle_of(bills)]).mean()
        for bills in (bills_to(plan, account, one, expected_from, gap[1]) for one in (draws, read))
    )
    rest = draws.totals - totals
    ends = totals[:, None] + rest[None, :]
    doubts = []
    # At the cycle's end its bill is the closed one: what an edge changes is in it.
    for edge, apart in edges.items() if gap[1] < account.cycle_end else ():
        past = (ends >= edge.wh).mean(axis=1)
        wrong, wrong_after = min(past.mean(), 1 - past.mean()), np.minimum(past, 1 - past).mean()
        if wrong > 0:
            doubts.append(EdgeDoubt(edge, cents(abs(apart)), float(wrong), float(wrong_after)))
    return ReadWorth(int(totals[middle]), cents(Decimal(max(float(before - after), 0.0)) / 100), tuple(doubts))
