"""What the usage means for the bill: the edges of the plan in reach, and whether the question needs more than VEE data (S2)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from headend.ondemand.gap import GAP_LIMIT, gap
from meters.calendar import INTERVAL_S, Seconds, iso
from simulator.ror.account import Account
from simulator.ror.billing.bill import Bill, bill
from simulator.ror.billing.money import cents, kwh, money
from simulator.ror.billing.plan import Edge, EdgeKind, RatePlan, plan_edges
from simulator.ror.expected.projection import Projection, project
from simulator.ror.expected.worth import closed_bills, outlook, read_worth
from simulator.ror.usage import Energy, UsageRecord

#: A cycle that began longer ago than a read reaches back is none of a customer who came just now.
READ_REACHES_S = GAP_LIMIT * INTERVAL_S
#: How far below an edge "just below" is: customers and labels count whole kWh.
ONE_KWH = 1_000


class Question(StrEnum):
    """What the caller asks."""

    #: What do I owe by now, and where is this bill going?
    BALANCE = "balance"
    #: What was my last bill, and is it paid?
    LAST_BILL = "last_bill"


@dataclass(frozen=True, slots=True)
class EdgeWorth:
    """An edge of the plan seen from a cycle's usage."""

    edge: Edge
    #: Wh that the cycle so far lacks to the edge; negative: it is past.
    to_go_wh: int
    #: The same from the projected usage of the cycle.
    projected_to_go_wh: int
    #: Whether the edge lies within the projected range.
    in_reach: bool
    #: Of a hundred ways that the cycle may go those that reach it, and the middle bill of those and of the others, $ with tax; None: there are none.
    odds: int
    bill_if: Decimal | None
    bill_if_not: Decimal | None
    #: Closed bills, $ with tax: one kWh below the edge, and at it.
    bill_below: Decimal
    bill_at: Decimal

    @property
    def worth(self) -> Decimal:
        """What crossing changes, $: negative makes the bill smaller."""
        return self.bill_at - self.bill_below

    def statement(self) -> str:
        """Tell the caller in one sentence."""
        so_far = (
            f"{kwh(self.to_go_wh)} kWh to go" if self.to_go_wh > 0 else f"passed by {kwh(-self.to_go_wh)} kWh already"
        )
        if self.to_go_wh <= 0:
            return f"The {self.edge.text}: {so_far}."
        of_those = (
            f"; the bill is about {money(self.bill_if)} then and {money(self.bill_if_not)} otherwise"
            if self.bill_if is not None and self.bill_if_not is not None
            else ""
        )
        return f"The {self.edge.text}: {so_far}, and {self.odds} of 100 ways that the cycle may go reach it{of_those}."

    def to_dict(self) -> dict[str, Any]:
        """JSON values: money as strings, energy in whole Wh."""
        return {
            "kind": self.edge.kind.value,
            "at_wh": self.edge.wh,
            "to_go_wh": self.to_go_wh,
            "projected_to_go_wh": self.projected_to_go_wh,
            "in_reach": self.in_reach,
            "odds": self.odds,
            "bill_if_usd": None if self.bill_if is None else str(self.bill_if),
            "bill_if_not_usd": None if self.bill_if_not is None else str(self.bill_if_not),
            "bill_below_usd": str(cents(self.bill_below)),
            "bill_at_usd": str(cents(self.bill_at)),
            "worth_usd": str(cents(self.worth)),
            "statement": self.statement(),
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """S2: whether the question needs more than VEE data. ``facts`` are JSON values."""

    needs_more: bool
    reason: str
    facts: dict[str, Any]


def closed_bill(plan: RatePlan, account: Account, usage: Energy) -> Bill:
    """Close the account's cycle with some usage of it. Pure."""
    return bill(plan, usage, account.cycle_first, account.cycle_last, account.full_cycle_days)


def edge_worths(plan: RatePlan, account: Account, projection: Projection) -> list[EdgeWorth]:
    """Weigh every edge of the plan for this cycle, the nearest to the projected usage first. Pure."""
    found = []
    totals, bills = projection.draws.totals, closed_bills(plan, account, projection.draws)
    for edge in plan_edges(plan):
        below, at = (
            closed_bill(plan, account, projection.scaled(wh)).total for wh in (max(0, edge.wh - ONE_KWH), edge.wh)
        )
        past = totals >= edge.wh
        then, otherwise = (outlook(bills[side]).middle if side.any() else None for side in (past, ~past))
        found.append(
            EdgeWorth(
                edge,
                edge.wh - projection.known_wh,
                edge.wh - projection.total_wh,
                # Known usage cannot be taken back: an edge already passed is decided.
                projection.known_wh < edge.wh and projection.low_wh <= edge.wh <= projection.high_wh,
                round(100 * float(past.mean())),
                then,
                otherwise,
                below,
                at,
            )
        )
    return sorted(found, key=lambda one: (abs(one.projected_to_go_wh), one.edge.wh, one.edge.kind))


def decide(account: Account, question: Question, usage: UsageRecord, plan: RatePlan, now: Seconds) -> Decision:
    """Decide whether the question needs the non-VEE intervals of the gap (S2). Pure.

    They are needed if the caller asks about now, whole intervals have passed since the VEE data end, or since a customer without any came, and it is
    worth more than the account's ``worth_asking`` dollars to know them.
    now: UTC epoch seconds.
    """
    vee_end = usage.vee_end()
    facts: dict[str, Any] = {
        "question": question.value,
        "vee_end": None if vee_end is None else iso(vee_end),
        "cycle_first": account.cycle_first.isoformat(),
        "cycle_last": account.cycle_last.isoformat(),
    }
    if question is Question.LAST_BILL:
        return Decision(False, "The question is about the last bill: the retailer's own record answers it.", facts)
    if vee_end is None and now - account.own_start > READ_REACHES_S:
        return Decision(False, "SMT has no VEE data of this ESI ID, so there is no gap to fill behind them.", facts)
    if now <= account.cycle_start:
        return Decision(
            False, f"The cycle begins on {account.cycle_first}, after the call: nothing of it is used yet.", facts
        )
    # VEE data may still end before the cycle begins.
    expected_from = account.expected_from(vee_end)
    known_to = expected_from if vee_end is None else vee_end
    missing = gap(known_to, min(now, account.cycle_end))
    facts["gap_intervals"] = missing.intervals
    if missing.end <= expected_from:
        return Decision(False, "VEE data reach to the last whole interval of the cycle: there is no gap.", facts)
    projection = project(usage, account)
    gap_start = max(missing.start, expected_from)
    weighed = edge_worths(plan, account, projection)
    steps = {one.edge: one.worth for one in weighed if one.edge.kind is not EdgeKind.TIER}
    worth = read_worth(plan, account, projection.draws, expected_from, (gap_start, missing.end), steps)
    facts |= {
        "hours_unknown": str(Decimal(missing.end - expected_from) / 3600),
        "projection": projection.to_dict(),
        "edges_in_reach": [one.to_dict() for one in weighed if one.in_reach],
        "read_worth": worth.to_dict(),
        "worth_asking_usd": str(account.worth_asking),
    }
    until = "the call" if now <= account.cycle_end else "the end of the cycle"
    known = "The customer came" if vee_end is None else "VEE data end"
    hours = f"{known} at {iso(known_to)}, {_hours(missing.end - known_to)} before {until}"
    parts = [f"{money(worth.bill)} of error in the bill to date"]
    parts += [
        f"{money(one.worth)} at an edge ({one.edge.text}), whose wrong side would be told "
        f"{100 * one.wrong:.0f} of 100 times, and {100 * one.wrong_after:.0f} once it is read"
        for one in worth.edges
        if one.worth
    ]
    value = f"{hours}; to read the gap instead of expecting it is worth {money(worth.total)}: {' and '.join(parts)}"
    asked = money(account.worth_asking)
    if worth.total > account.worth_asking:
        return Decision(True, f"{value}. That is more than {asked}.", facts)
    return Decision(
        False, f"{value}. That is no more than {asked}: VEE data and what is expected answer the question.", facts
    )


def _hours(seconds: Seconds) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours} h {rest // 60:02d}"
