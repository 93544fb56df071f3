"""The bill of one customer in words: the lines that apply, each quantity x price = amount in whole cents, whose sum it is.

A closed bill decides credits and fees by the usage billed. A bill to date leaves open what the rest of the cycle still decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

import numpy as np

from simulator.ror.billing.money import CENT, cents, exact_text, usd
from simulator.ror.billing.plan import ENDLESS, RatePlan
from simulator.ror.billing.sheet import Billed, Line, LineKind, Measure, Sheet, credit_line, fee_line, half_up, sheet
from simulator.ror.errors import RorError
from simulator.ror.usage import Energy

#: A register and the sum of its intervals may differ by so many Wh, times the multiplier: the market's check.
REGISTER_WITHIN_WH = 2_000

#: Wh in all, the same in every quarter hour; or intervals.
Usage = int | Energy


class Standing(StrEnum):
    """Where a credit or fee stands while its cycle runs."""

    NOT_YET_EARNED = "not yet earned"
    #: Would count if the cycle ended now; the rest of the cycle can still change it.
    WOULD_APPLY = "would apply if the cycle ended now"


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line: $, in cents; a credit is negative."""

    kind: LineKind
    text: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Undecided(BillLine):
    """A credit (negative) or fee that the rest of the cycle decides; not in the bill's total."""

    standing: Standing


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill over ``days`` of a cycle of ``cycle_days``. All amounts in $, in whole cents."""

    plan: str
    first_day: date
    last_day: date
    days: int
    cycle_days: int
    #: What credits and fees are decided by; of the register read where the bill rests on one.
    usage_wh: int
    #: The sum of the intervals billed.
    intervals_wh: int
    by_register: bool
    lines: tuple[BillLine, ...]
    undecided: tuple[Undecided, ...]
    notes: tuple[str, ...]

    @property
    def before_tax(self) -> Decimal:
        """Sum of the lines that are no tax."""
        return sum((line.amount for line in self.lines if line.kind is not LineKind.TAX), Decimal(0))

    @property
    def total(self) -> Decimal:
        """What is owed: the sum of the lines."""
        return sum((line.amount for line in self.lines), Decimal(0))

    @property
    def average_cents_per_kwh(self) -> Decimal | None:
        """Average price before tax as a fact label counts it, to 0.01 c/kWh; None without usage."""
        if not self.usage_wh:
            return None
        return (self.before_tax * 100_000 / self.usage_wh).quantize(CENT, ROUND_HALF_UP)

    def to_dict(self) -> dict[str, Any]:
        """JSON values: money and prices are strings, energy is whole Wh, days are ISO dates."""
        average = self.average_cents_per_kwh
        return {
            "plan": self.plan,
            "first_day": self.first_day.isoformat(),
            "last_day": self.last_day.isoformat(),
            "days": self.days,
            "cycle_days": self.cycle_days,
            "usage_wh": self.usage_wh,
            "intervals_wh": self.intervals_wh,
            "lines": [_line_dict(line) for line in self.lines],
            "undecided": [_line_dict(line) | {"standing": line.standing.value} for line in self.undecided],
            "before_tax_usd": str(cents(self.before_tax)),
            "total_usd": str(cents(self.total)),
            "average_cents_per_kwh": None if average is None else exact_text(average),
            "notes": list(self.notes),
        }


def _line_dict(line: BillLine) -> dict[str, Any]:
    return {"kind": line.kind.value, "text": line.text, "usd": str(line.amount)}


def bill(
    plan: RatePlan,
    usage: Usage,
    first_day: date,
    last_day: date,
    full_cycle_days: int | None = None,
    *,
    register_wh: int | None = None,
    multiplier: int = 1,
) -> Bill:
    """Close the bill of a cycle: credits and fees are decided by the usage billed.

    usage: intervals, or Wh in all, then the same in every quarter hour. full_cycle_days: days of the whole cycle when the days billed
    are a part of it (a switch, a move), so that what is prorated is; None bills a whole cycle. register_wh: what the billed register
    read (867_03) has of the cycle, times the meter's multiplier; it is the usage billed, and what it has more or less than the intervals is a
    line. Raises RorError for usage outside the days, negative usage, days in disorder.
    """
    days = (last_day - first_day).days + 1
    cycle_days = days if full_cycle_days is None else full_cycle_days
    _check_days(first_day, last_day, days, cycle_days)
    if register_wh is not None and register_wh < 0:
        raise RorError("ror.bill.usage_negative", "The register runs back.", mend="Give what it went on by.")
    terms = sheet(plan, first_day, last_day, last_day, cycle_days, closed=True)
    used, billed = _billed(terms, usage, register_wh)
    notes = [] if days == cycle_days else [f"Monthly charges are prorated: {days} of {cycle_days} days."]
    within = REGISTER_WITHIN_WH * multiplier
    if register_wh is not None and abs(register_wh - used) > within:
        notes.append(
            f"The register has {_kwh(register_wh)} kWh and the intervals {_kwh(used)}: "
            f"they differ by more than {_kwh(within)} kWh, 2 kWh x multiplier."
        )
    counted = used if register_wh is None else register_wh
    by_register, lines = register_wh is not None, _lines(terms, billed)
    return Bill(plan.name, first_day, last_day, days, cycle_days, counted, used, by_register, lines, (), tuple(notes))


def bill_to_date(
    plan: RatePlan,
    usage: Usage,
    first_day: date,
    last_day: date,
    cycle_last_day: date,
    full_cycle_days: int | None = None,
) -> Bill:
    """Bill a running cycle up to and with ``last_day``, the day that runs counted whole.

    Monthly charges (base, TDU) accrue by the day, so that the bill to date grows evenly into the bill of the cycle. Usage of a cycle only grows:
    a credit or fee is a line as soon as nothing can change it any more (a credit without an upper end, once reached), and
    stands under ``undecided`` until then. Same arguments and errors as ``bill``.
    """
    days, cycle = (last_day - first_day).days + 1, (cycle_last_day - first_day).days + 1
    full = cycle if full_cycle_days is None else full_cycle_days
    _check_days(first_day, last_day, days, min(cycle, full))
    terms = sheet(plan, first_day, last_day, cycle_last_day, full, closed=False)
    used, billed = _billed(terms, usage, None)
    undecided: list[Undecided] = []
    fee = plan.minimum_usage_fee
    if fee is not None and used < fee.free_from_wh:
        undecided.append(_open(fee_line(fee, cycle, full), Standing.WOULD_APPLY))
    for credit in plan.bill_credits:
        line = credit_line(credit, cycle, full)
        if used < credit.from_wh:
            undecided.append(_open(line, Standing.NOT_YET_EARNED))
        elif used < credit.until_wh < ENDLESS:
            undecided.append(_open(line, Standing.WOULD_APPLY))
    notes = [f"Bill to date: monthly charges accrue by the day, {days} of {full} days, the running day whole."]
    if undecided:
        notes.append("Credits and fees that the rest of the cycle decides are listed apart and not in the total.")
    lines = _lines(terms, billed)
    return Bill(plan.name, first_day, last_day, days, full, used, used, False, lines, tuple(undecided), tuple(notes))


def _check_days(first_day: date, last_day: date, days: int, cycle_days: int) -> None:
    if not 1 <= days <= cycle_days:
        raise RorError(
            "ror.bill.days",
            f"{first_day} to {last_day} is no part of a cycle of {cycle_days} days.",
            mend="Give a first and last day within the billing cycle.",
        )


def _billed(terms: Sheet, usage: Usage, register_wh: int | None) -> tuple[int, Billed]:
    """Wh of the intervals, and the bill."""
    if isinstance(usage, int):
        if usage < 0:
            raise RorError("ror.bill.usage_negative", "Usage is negative.", mend="Bill delivered usage.")
        taken = terms.windows.spread(usage)
        given = np.zeros_like(taken)
    else:
        taken, given = terms.windows.energies(usage)
    register = None if register_wh is None else np.array([register_wh], dtype=np.int64)
    return int(taken.sum()), terms.bills(taken, given, register)


def _lines(terms: Sheet, billed: Billed) -> tuple[BillLine, ...]:
    """The lines that apply: an amount in its band, a price with a quantity, and what is told in any case."""
    rows = zip(terms.lines, billed.wh[0].tolist(), billed.price[0].tolist(), billed.cents[0].tolist(), strict=True)
    return tuple(
        BillLine(line.kind, _text(line, wh, price), usd(amount))
        for line, wh, price, amount in rows
        if (wh == 0 if line.measure in (Measure.AMOUNT, Measure.TAX) else wh != 0 or line.always)
    )


def _text(line: Line, wh: int, price: int) -> str:
    if line.measure in (Measure.AMOUNT, Measure.TAX):
        return line.text
    name = f"{line.text}: " if line.text else ""
    return f"{name}{_kwh(wh)} kWh at {exact_text(Decimal(abs(price)).scaleb(-4))} c/kWh"


def _kwh(wh: int) -> str:
    return exact_text(Decimal(wh).scaleb(-3))


def _open(line: Line, standing: Standing) -> Undecided:
    amount = usd(half_up(line.price * line.part, line.whole * 10_000))
    return Undecided(line.kind, line.text, amount, standing)
