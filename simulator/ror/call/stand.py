"""The bill of a cycle to an instant, and where it is going, on what is known of its usage and what is expected of the rest. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from meters.calendar import Seconds, day_of_interval, floor_interval, iso, seconds
from simulator.ror.account import Account
from simulator.ror.billing.bill import Bill, bill, bill_to_date
from simulator.ror.billing.plan import RatePlan
from simulator.ror.call.analysis import READ_REACHES_S, closed_bill
from simulator.ror.call.basis import Hole, Part, holes_of, kinds_of, parts_of
from simulator.ror.expected.likely import middle_of
from simulator.ror.expected.projection import Projection, project
from simulator.ror.expected.worth import Outlook, billed, bills_to, closed_bills, outlook, sheet_to
from simulator.ror.usage import Energy, UsageRecord


@dataclass(frozen=True, slots=True)
class Stand:
    """The bill and what is to come, on some usage."""

    #: UTC epoch seconds to which the bill reaches: the instant that it was made for, or the end of its last interval.
    to: Seconds
    #: In the middle of the ways that what is unknown and expected may have gone.
    bill: Bill
    projection: Projection
    #: Closed bills of the cycle in the middle of the ways it may go, and at both ends of the band of its usage.
    projected: Bill
    projected_low: Bill
    projected_high: Bill
    #: The closed bill over all ways that the cycle may go.
    outlook: Outlook
    #: Stretches of the cycle without a value before the last that is known, be that behind the cycle, and why.
    holes: tuple[Hole, ...]
    #: End of the cycle's last known interval; None: none is.
    known_to: Seconds | None
    #: The bill over all ways that what is unknown and expected may have gone.
    owed: Outlook
    #: What ``bill`` and ``projected`` rest on.
    rests_on: tuple[Part, ...]
    projected_rests_on: tuple[Part, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON values: money as strings, energy in whole Wh, instants as ISO 8601 in Central time."""
        return {
            "to": iso(self.to),
            "known_to": None if self.known_to is None else iso(self.known_to),
            "bill": self.bill.to_dict(),
            "owed_usd": self.owed.to_dict(),
            "rests_on": [part.to_dict() for part in self.rests_on],
            "projection": self.projection.to_dict(),
            "projected_bill": self.projected.to_dict(),
            "projected_rests_on": [part.to_dict() for part in self.projected_rests_on],
            "projected_usd_at_low_usage": str(self.projected_low.total),
            "projected_usd_at_high_usage": str(self.projected_high.total),
            "projected_usd": self.outlook.to_dict(),
            "holes": [span_text(hole[:2]) | {"why": hole.why.value} for hole in self.holes],
        }


def span_text(span: tuple[Seconds, Seconds]) -> dict[str, str]:
    """Write ``[start, end)`` as ISO 8601 in Central time."""
    return {"start": iso(span[0]), "end": iso(span[1])}


def take_stand(
    account: Account,
    plan: RatePlan,
    record: UsageRecord,
    register_wh: int | None = None,
    now: Seconds | None = None,
    *,
    is_open: bool = True,
) -> Stand | None:
    """Bill a record to where it reaches, and project its cycle. Pure.

    now: UTC epoch seconds to which it is billed, with what is expected behind VEE data for what is not known; without it to the last interval that is known.
    is_open: whether more of the cycle comes; without it the last interval that is known ends the bill.
    None where nothing of the cycle is known, and no history of a customer who is not new says what to expect.
    """
    cycle = record.within(account.cycle_start, account.cycle_end)
    known_to = seconds(cycle.ends[-1]) if len(cycle.ends) else None
    to, expected_from = known_to or account.own_start, known_to or account.own_start
    if is_open and now is not None and (len(record.ends) or now - account.own_start <= READ_REACHES_S):
        to = max(to, floor_interval(min(now, account.cycle_end)))
        expected_from = account.expected_from(record.vee_end())
    if to <= account.own_start:
        return None
    projection = project(record, account, is_open=is_open)
    draws = projection.draws
    bills = bills_to(plan, account, draws, expected_from, to)
    middle, counted = middle_of(bills), billed(draws, expected_from, to)
    reached = draws.ends <= to
    # A hole is none that is billed.
    taken, given = (np.where(counted, wh[middle], 0)[reached] for wh in (draws.wh, draws.given))
    energy = Energy(draws.ends[reached], taken, given)
    its_bill = _bill_of(account, plan, energy, to, register_wh)
    kinds = kinds_of(account, record, draws.ends)
    rests_on = parts_of(
        sheet_to(plan, account, to), energy, kinds[reached], register_wh if its_bill.by_register else None
    )
    ways, total, ahead = outlook(bills), its_bill.total, outlook(closed_bills(plan, account, draws))
    owed = replace(ways, middle=total)
    usages = (projection.energy, projection.scaled(projection.low_wh), projection.scaled(projection.high_wh))
    projected, low, high = (closed_bill(plan, account, usage) for usage in usages)
    projected_rests_on = parts_of(sheet_to(plan, account, account.cycle_end), projection.energy, kinds)
    if its_bill.by_register or not is_open:
        # Nothing comes any more, whatever the intervals lack.
        owed = ahead = Outlook(total, total, total, total)
        projected = low = high = its_bill
        projected_rests_on = rests_on
    return Stand(
        to,
        its_bill,
        projection,
        projected,
        low,
        high,
        ahead,
        holes_of(kinds, draws.ends),
        known_to,
        owed,
        rests_on,
        projected_rests_on,
    )


def bill_at(
    account: Account, plan: RatePlan, record: UsageRecord, instant: Seconds, register_wh: int | None = None
) -> Bill:
    """Bill the cycle's known intervals up to an instant within the cycle; the closed bill when it is the cycle's end. Pure.

    register_wh: what the billed register read has of the cycle, which the closed bill rests on.
    """
    return _bill_of(account, plan, record.within(account.cycle_start, instant).energy, instant, register_wh)


def _bill_of(account: Account, plan: RatePlan, usage: Energy, instant: Seconds, register_wh: int | None) -> Bill:
    first, full = account.cycle_first, account.full_cycle_days
    if instant >= account.cycle_end:
        return bill(
            plan, usage, first, account.cycle_last, full, register_wh=register_wh, multiplier=account.multiplier
        )
    return bill_to_date(plan, usage, first, day_of_interval(instant), account.cycle_last, full)
