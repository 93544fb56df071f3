"""What the usage means for the bill: the edges of the plan in reach, and whether the question needs more than VEE data (S2)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from headend.ondemand.gap import gap
from meters.calendar import Seconds, ends_within, iso
from simulator.ror.account import Account
from simulator.ror.bill import Bill, bill
from simulator.ror.money import cents, kwh, money
from simulator.ror.plan import Edge, RatePlan, plan_edges
from simulator.ror.projection import Projection, expectation, project
from simulator.ror.usage import Energy, UsageRecord

#: Below this a call is not worth an on-demand read [D].
WORTH_ASKING = Decimal("1.00")
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
    #: Closed bills, $ with tax: one kWh below the edge, and at it.
    bill_below: Decimal
    bill_at: Decimal

    @property
    def worth(self) -> Decimal:
        """What crossing changes, $: negative makes the bill smaller."""
        return self.bill_at - self.bill_below

    def statement(self) -> str:
        """Tell the caller in one sentence or two."""
        so_far = (
            f"{kwh(self.to_go_wh)} kWh to go" if self.to_go_wh > 0 else f"passed by {kwh(-self.to_go_wh)} kWh already"
        )
        where = "within" if self.in_reach else "outside"
        ahead = self.projected_to_go_wh <= 0
        past = "is projected to reach it" if ahead else f"is projected {kwh(self.projected_to_go_wh)} kWh short of it"
        return (
            f"The {self.edge.text}: {so_far}, the cycle {past}, and the edge lies {where} the projected range. "
            f"One kWh below it the bill is {money(self.bill_below)}, at it {money(self.bill_at)}."
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON values: money as strings, energy in whole Wh."""
        return {
            "kind": self.edge.kind.value,
            "at_wh": self.edge.wh,
            "to_go_wh": self.to_go_wh,
            "projected_to_go_wh": self.projected_to_go_wh,
            "in_reach": self.in_reach,
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
    for edge in plan_edges(plan):
        below, at = (
            closed_bill(plan, account, projection.scaled(wh)).total for wh in (max(0, edge.wh - ONE_KWH), edge.wh)
        )
        found.append(
            EdgeWorth(
                edge,
                edge.wh - projection.known_wh,
                edge.wh - projection.total_wh,
                # Known usage cannot be taken back: an edge already passed is decided.
                projection.known_wh < edge.wh and projection.low_wh <= edge.wh <= projection.high_wh,
                below,
                at,
            )
        )
    return sorted(found, key=lambda one: (abs(one.projected_to_go_wh), one.edge.wh, one.edge.kind))


def decide(
    account: Account,
    question: Question,
    usage: UsageRecord,
    plan: RatePlan,
    now: Seconds,
    worth_asking: Decimal = WORTH_ASKING,
) -> Decision:
    """Decide whether the question needs the non-VEE intervals of the gap (S2). Pure.

    They are needed if the caller asks about now, whole intervals have passed since the VEE data end, and either an edge of the
    plan lies in the range that the cycle may end in, or the unknown energy is worth more than ``worth_asking`` dollars.
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
    if vee_end is None:
        return Decision(False, "SMT has no VEE data of this ESI ID, so there is no gap to fill behind them.", facts)
    if now <= account.cycle_start:
        return Decision(
            False, f"The cycle begins on {account.cycle_first}, after the call: nothing of it is used yet.", facts
        )
    missing = gap(vee_end, min(now, account.cycle_end))
    facts["gap_intervals"] = missing.intervals
    if not missing.intervals:
        return Decision(False, "VEE data reach to the last whole interval of the cycle: there is no gap.", facts)
    usual = expectation(usage)
    projection = project(usage, account, usual)
    # VEE data may still end before the cycle begins.
    gap_start = max(vee_end, account.cycle_start)
    unknown_wh = round(sum(usual.interval_wh(end) for end in ends_within(gap_start, missing.end)))
    unknown_usd = _energy_worth(plan, account, projection, unknown_wh)
    in_reach = [worth for worth in edge_worths(plan, account, projection) if worth.in_reach]
    facts |= {
        "hours_unknown": str(Decimal(missing.end - gap_start) / 3600),
        "unknown_wh": unknown_wh,
        "unknown_usd": str(cents(unknown_usd)),
        "projection": projection.to_dict(),
        "edges_in_reach": [worth.to_dict() for worth in in_reach],
    }
    until = "the call" if now <= account.cycle_end else "the end of the cycle"
    hours = f"VEE data end at {iso(vee_end)}, {_hours(missing.end - vee_end)} before {until}"
    if in_reach:
        first = in_reach[0]
        reach = f"{kwh(projection.low_wh)} to {kwh(projection.high_wh)} kWh"
        reason = f"{hours}, and the cycle may end at {reach}, on either side of an edge: {first.edge.text}."
        return Decision(True, reason, facts)
    if unknown_usd > worth_asking:
        reason = f"{hours}; the energy since then is worth about {money(unknown_usd)}, more than {money(worth_asking)}."
        return Decision(True, reason, facts)
    reason = (
        f"{hours}; the energy since then is worth about {money(unknown_usd)} and no edge of the plan is in reach: "
        "VEE data answer the question."
    )
    return Decision(False, reason, facts)


def _energy_worth(plan: RatePlan, account: Account, projection: Projection, unknown_wh: int) -> Decimal:
    """What the unknown energy costs by the kWh, $ with tax; edges apart."""
    plain = plan.model_copy(update={"bill_credits": (), "minimum_usage_fee": None})
    with_it, without = (
        closed_bill(plain, account, projection.scaled(wh)).total
        for wh in (projection.known_wh + unknown_wh, projection.known_wh)
    )
    return with_it - without


def _hours(seconds: Seconds) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours} h {rest // 60:02d}"
