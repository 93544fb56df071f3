"""After the next posting: the bill that was told, made again from VEE data for the same instant, and the difference (AMB-12)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import simpy

from headend.ports import Driver, Journal
from meters.calendar import Seconds, day_of_interval, iso
from simulator.ror.account import Account
from simulator.ror.billing.bill import Bill
from simulator.ror.billing.plan import RatePlan
from simulator.ror.call.inquiry import CallResult, trouble_dict
from simulator.ror.call.on_demand import Line, Trouble
from simulator.ror.call.stand import bill_at, span_text
from simulator.ror.client import SmtClient
from simulator.ror.errors import RorError

#: A bill told is right if it is within this share of the re-bill, or within this many dollars (AMB-12).
WITHIN_SHARE = Decimal("0.02")
WITHIN_USD = Decimal("1.00")


def allowed(vee_total: Decimal) -> Decimal:
    """How far off a bill that was told may be, $: ``WITHIN_SHARE`` of the re-bill, or ``WITHIN_USD`` where that is more."""
    return max(WITHIN_USD, abs(vee_total) * WITHIN_SHARE)


@dataclass(frozen=True, slots=True)
class Rebill:
    """The bill told against the bill of VEE data for the same instant. $ with tax, in cents."""

    call_reference: str
    rebilled_at: Seconds
    #: Instant to which both bills reach, UTC epoch seconds; None if no bill was told.
    instant: Seconds | None
    told: Bill | None
    vee: Bill | None
    #: VEE data reach to the instant.
    covered: bool
    #: Stretches of the cycle before the instant that VEE data still leave out, UTC epoch seconds.
    holes: tuple[tuple[Seconds, Seconds], ...]
    trouble: Trouble | None

    @property
    def difference(self) -> Decimal | None:
        """Told less re-billed, $; None while VEE data do not cover the instant."""
        if self.told is None or self.vee is None or not self.covered:
            return None
        return self.told.total - self.vee.total

    @property
    def satisfied(self) -> bool | None:
        """Whether the difference is at most 2 % or $1; None while it is not known."""
        if self.difference is None or self.vee is None:
            return None
        return abs(self.difference) <= allowed(self.vee.total)

    def to_dict(self) -> dict[str, Any]:
        """JSON values: money as strings, instants as ISO 8601 in Central time."""
        return {
            "call_reference": self.call_reference,
            "rebilled_at": iso(self.rebilled_at),
            "instant": None if self.instant is None else iso(self.instant),
            "covered": self.covered,
            "holes": [span_text(hole) for hole in self.holes],
            "told_usd": None if self.told is None else str(self.told.total),
            "vee_usd": None if self.vee is None else str(self.vee.total),
            "told_wh": None if self.told is None else self.told.usage_wh,
            "vee_wh": None if self.vee is None else self.vee.usage_wh,
            "difference_usd": None if self.difference is None else str(self.difference),
            "satisfied": self.satisfied,
            "vee_bill": None if self.vee is None else self.vee.to_dict(),
            "trouble": trouble_dict(self.trouble),
        }


def rebill(
    driver: Driver, client: SmtClient, account: Account, plan: RatePlan, call: CallResult, journal: Journal
) -> Generator[simpy.Event, Any, Rebill]:
    """Fetch the cycle's VEE data again and bill them for the instant of the bill that was told. Run it after the next posting."""
    stand = call.answer.told
    instant = None if stand is None else stand.to
    bill, covered, trouble = None, False, None
    holes: tuple[tuple[Seconds, Seconds], ...] = ()
    register_wh: int | None = None
    if instant is not None:
        line = Line(driver, f"{call.call_reference}/rebill")
        last = day_of_interval(instant)
        try:
            vee = yield line.exchange(
                "vee", lambda: client.intervals(account.esiid, account.cycle_first, last, call.call_reference)
            )
            if instant >= account.cycle_end:
                register_wh = yield line.exchange(
                    "register", lambda: client.register(*account.premise_cycle, call.call_reference)
                )
        except RorError as error:
            trouble = Trouble(error.code, error.message)
        else:
            covered = (vee.vee_end() or 0) >= instant
            holes = tuple(vee.holes(account.cycle_start, instant))
            bill = bill_at(account, plan, vee, instant, register_wh)
    result = Rebill(
        call.call_reference,
        driver.now(),
        instant,
        None if stand is None else stand.bill,
        bill,
        covered,
        holes,
        trouble,
    )
    journal.note(driver.now(), "ROR", "rebilled", call.call_reference, **result.to_dict())
    return result
