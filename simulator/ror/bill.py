"""The bill as a pure function of plan, usage and days; exact decimals, rounded to cents only at the end.

A closed bill decides credits and fees by the usage billed. A bill to date leaves open what the rest of the cycle still decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

from simulator.ror.errors import RorError
from simulator.ror.plan import BillCredit, Direction, MinimumUsageFee, RatePlan

#: A share of days need not end as a decimal; it is kept to this, a ten-thousandth of a millionth of a dollar.
SHARE_STEP = Decimal("1e-10")
CENT = Decimal("0.01")

Usage = int | Mapping[date, int]


def cents(amount: Decimal) -> Decimal:
    """Round to whole cents, half up: what a customer is told."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def exact_text(amount: Decimal) -> str:
    """Write a decimal without exponent and without trailing zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(amount: Decimal) -> str:
    """Write a decimal as dollars: ``$89.83``, ``-$125.00``."""
    rounded = cents(amount)
    return f"-${-rounded:,}" if rounded < 0 else f"${rounded:,}"


def kwh(wh: int) -> str:
    """Write Wh as kWh with three decimals."""
    return f"{Decimal(wh).scaleb(-3):,.3f}"


class LineKind(StrEnum):
    """What a line of a bill is for."""

    BASE = "base charge"
    ENERGY = "energy charge"
    MINIMUM_USAGE = "minimum-usage fee"
    TDU_MONTHLY = "TDU delivery, monthly"
    TDU_ENERGY = "TDU delivery, per kWh"
    CREDIT = "bill credit"


class Standing(StrEnum):
    """Where a credit or fee stands while its cycle runs."""

    NOT_YET_EARNED = "not yet earned"
    #: Would count if the cycle ended now; the rest of the cycle can still change it.
    WOULD_APPLY = "would apply if the cycle ended now"


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line: $ before tax, exact; a credit is negative."""

    kind: LineKind
    text: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Undecided:
    """A credit (negative) or fee that the rest of the cycle decides; not in the bill's total."""

    kind: LineKind
    text: str
    amount: Decimal
    standing: Standing


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill over ``days`` of a cycle of ``cycle_days``. All amounts in $, exact."""

    plan: str
    first_day: date
    last_day: date
    days: int
    cycle_days: int
    usage_wh: int
    lines: tuple[BillLine, ...]
    undecided: tuple[Undecided, ...]
    tax_percent: Decimal
    notes: tuple[str, ...]

    @property
    def before_tax(self) -> Decimal:
        """Sum of the lines."""
        return sum((line.amount for line in self.lines), Decimal(0))

    @property
    def tax(self) -> Decimal:
        """Tax on the sum of the lines."""
        return self.before_tax * self.tax_percent.scaleb(-2)

    @property
    def total(self) -> Decimal:
        """What is owed, exact."""
        return self.before_tax + self.tax

    @property
    def total_cents(self) -> Decimal:
        """What is owed, rounded to cents."""
        return cents(self.total)

    @property
    def average_cents_per_kwh(self) -> Decimal | None:
        """Average price before tax as a fact label counts it, to 0.01 c/kWh; None without usage."""
        if not self.usage_wh:
            return None
        return (self.before_tax * 100_000 / self.usage_wh).quantize(CENT, ROUND_HALF_UP)

    def to_dict(self) -> dict[str, Any]:
        """JSON values: money and prices are strings, energy is whole Wh, days are ISO dates."""
        return {
            "plan": self.plan,
            "first_day": self.first_day.isoformat(),
            "last_day": self.last_day.isoformat(),
            "days": self.days,
            "cycle_days": self.cycle_days,
            "usage_wh": self.usage_wh,
            "lines": [
                {"kind": line.kind.value, "text": line.text, "usd_exact": exact_text(line.amount)}
                for line in self.lines
            ],
            "undecided": [
                {
                    "kind": line.kind.value,
                    "text": line.text,
                    "usd_exact": exact_text(line.amount),
                    "standing": line.standing.value,
                }
                for line in self.undecided
            ],
            "before_tax_usd": str(cents(self.before_tax)),
            "before_tax_usd_exact": exact_text(self.before_tax),
            "tax_percent": exact_text(self.tax_percent),
            "tax_usd": str(cents(self.tax)),
            "total_usd": str(self.total_cents),
            "total_usd_exact": exact_text(self.total),
            "average_cents_per_kwh": None
            if self.average_cents_per_kwh is None
            else exact_text(self.average_cents_per_kwh),
            "notes": list(self.notes),
        }


def bill(plan: RatePlan, usage: Usage, first_day: date, last_day: date, full_cycle_days: int | None = None) -> Bill:
    """Close the bill of a cycle: credits and fees are decided by the usage given.

    usage: Wh by operating day, or Wh in all (then spread evenly over the days where a TDU charge changes within the cycle).
    full_cycle_days: days of the whole cycle when the days billed are a part of it (a move), so that monthly charges are prorated;
    None bills a whole cycle. Raises RorError for usage outside the days, negative usage, days in disorder.
    """
    total, days, cycle_days = _checked(usage, first_day, last_day, full_cycle_days)
    lines = _charges(plan, usage, first_day, last_day, cycle_days)
    fee = plan.minimum_usage_fee
    if fee is not None and total < fee.free_from_wh:
        lines.append(_fee_line(fee))
    lines += [_credit_line(credit) for credit in plan.bill_credits if _in_band(credit, total)]
    notes = [] if days == cycle_days else [f"Monthly charges are prorated: {days} of {cycle_days} days."]
    return Bill(
        plan.name, first_day, last_day, days, cycle_days, total, tuple(lines), (), plan.tax_percent, tuple(notes)
    )


def bill_to_date(plan: RatePlan, usage: Usage, first_day: date, last_day: date, cycle_last_day: date) -> Bill:
    """Bill a running cycle up to and with ``last_day``, the day that runs counted whole.

    Monthly charges (base, TDU) accrue by the day, so that the bill to date grows evenly into the bill of the cycle. Usage of a cycle only grows:
    a credit or fee is a line as soon as nothing can change it any more (a credit without an upper end, once reached), and
    stands under ``undecided`` until then. Same arguments and errors as ``bill``.
    """
    total, days, cycle_days = _checked(usage, first_day, last_day, (cycle_last_day - first_day).days + 1)
    lines = _charges(plan, usage, first_day, last_day, cycle_days)
    undecided: list[Undecided] = []
    fee = plan.minimum_usage_fee
    if fee is not None and total < fee.free_from_wh:
        undecided.append(_open(_fee_line(fee), Standing.WOULD_APPLY))
    for credit in plan.bill_credits:
        line = _credit_line(credit)
        if total < credit.from_wh:
            undecided.append(_open(line, Standing.NOT_YET_EARNED))
        elif credit.until_wh is None:
            lines.append(line)
        elif total < credit.until_wh:
            undecided.append(_open(line, Standing.WOULD_APPLY))
    notes = [f"Bill to date: monthly charges accrue by the day, {days} of {cycle_days} days, the running day whole."]
    if undecided:
        notes.append("Credits and fees that the rest of the cycle decides are listed apart and not in the total.")
    return Bill(
        plan.name,
        first_day,
        last_day,
        days,
        cycle_days,
        total,
        tuple(lines),
        tuple(undecided),
        plan.tax_percent,
        tuple(notes),
    )


def _checked(usage: Usage, first_day: date, last_day: date, full_cycle_days: int | None) -> tuple[int, int, int]:
    """Give (total Wh, days billed, days of the cycle)."""
    days = (last_day - first_day).days + 1
    cycle_days = days if full_cycle_days is None else full_cycle_days
    if not 1 <= days <= cycle_days:
        raise RorError(
            "ror.bill.days",
            f"{first_day} to {last_day} is no part of a cycle of {cycle_days} days.",
            mend="Give a first and last day within the billing cycle.",
        )
    by_day = {first_day: usage} if isinstance(usage, int) else usage
    outside = [day for day in by_day if not first_day <= day <= last_day]
    if outside:
        raise RorError(
            "ror.bill.usage_outside",
            f"Usage of {min(outside)} lies outside the days billed, {first_day} to {last_day}.",
            mend="Give usage of the days billed only.",
        )
    negative = [day for day, wh in by_day.items() if wh < 0]
    if negative:
        raise RorError(
            "ror.bill.usage_negative", f"Usage of {min(negative)} is negative.", mend="Bill delivered usage."
        )
    return sum(by_day.values()), days, cycle_days


def _charges(plan: RatePlan, usage: Usage, first_day: date, last_day: date, cycle_days: int) -> list[BillLine]:
    """Give base, energy and TDU lines: everything that accrues."""
    days = [first_day + timedelta(days=i) for i in range((last_day - first_day).days + 1)]
    return [
        *_base(plan, len(days), cycle_days),
        *_energy(plan, usage if isinstance(usage, int) else sum(usage.values())),
        *_delivery(plan, usage, days, cycle_days),
    ]


def _base(plan: RatePlan, days: int, cycle_days: int) -> Iterator[BillLine]:
    if plan.base_charge:
        text = f"{days} of {cycle_days} days of {money(plan.base_charge)}"
        yield BillLine(LineKind.BASE, text, _share(plan.base_charge, days, cycle_days))


def _energy(plan: RatePlan, total: int) -> Iterator[BillLine]:
    """The usage by tier; without any, the only tier's line tells its price."""
    below = 0
    for tier in plan.energy:
        limit = None if tier.up_to_kwh is None else int(tier.up_to_kwh.scaleb(3))
        wh = total - below if limit is None else min(total, limit) - below
        if wh > 0 or (below == 0 and limit is None):
            yield _per_kwh(LineKind.ENERGY, Decimal(wh), tier.cents_per_kwh)
        if limit is None or total <= limit:
            break
        below = limit


def _delivery(plan: RatePlan, usage: Usage, days: list[date], cycle_days: int) -> Iterator[BillLine]:
    """The TDU's charges, two lines for each that is in force on some of the days."""
    for charge in dict.fromkeys(plan.tdu_on(day) for day in days):
        its_days = [day for day in days if plan.tdu_on(day) == charge]
        if isinstance(usage, int):
            its_wh = _share(Decimal(usage), len(its_days), len(days))
        else:
            its_wh = Decimal(sum(usage.get(day, 0) for day in its_days))
        text = f"{len(its_days)} of {cycle_days} days of {money(charge.monthly)}, in force from {charge.effective}"
        yield BillLine(LineKind.TDU_MONTHLY, text, _share(charge.monthly, len(its_days), cycle_days))
        yield _per_kwh(LineKind.TDU_ENERGY, its_wh, charge.cents_per_kwh)


def _per_kwh(kind: LineKind, wh: Decimal, cents_per_kwh: Decimal) -> BillLine:
    kwh = wh.scaleb(-3)
    text = f"{exact_text(kwh)} kWh at {exact_text(cents_per_kwh)} c/kWh"
    return BillLine(kind, text, kwh * cents_per_kwh.scaleb(-2))


def _share(amount: Decimal, part: int, whole: int) -> Decimal:
    """``amount x part / whole``; exact for the whole."""
    return amount if part == whole else (amount * part / whole).quantize(SHARE_STEP, ROUND_HALF_UP)


def _in_band(credit: BillCredit, wh: int) -> bool:
    return credit.from_wh <= wh and (credit.until_wh is None or wh < credit.until_wh)


def _fee_line(fee: MinimumUsageFee) -> BillLine:
    side = "below" if fee.direction is Direction.BELOW else "at or below"
    return BillLine(LineKind.MINIMUM_USAGE, f"for usage {side} {exact_text(fee.threshold_kwh)} kWh", fee.amount)


def _credit_line(credit: BillCredit) -> BillLine:
    side = "from" if credit.direction is Direction.AT_LEAST else "above"
    text = f"for usage {side} {exact_text(credit.from_kwh)} kWh"
    if credit.to_kwh is not None:
        text += f" {'below' if credit.direction is Direction.AT_LEAST else 'up to'} {exact_text(credit.to_kwh)} kWh"
    return BillLine(LineKind.CREDIT, text, -credit.amount)


def _open(line: BillLine, standing: Standing) -> Undecided:
    return Undecided(line.kind, line.text, line.amount, standing)
