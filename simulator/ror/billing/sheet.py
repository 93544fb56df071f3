"""The one bill engine: the lines of a plan over some days, as integers, and the bills of any number of homes from their energies by window.

Wh x micro-dollars per kWh are nano-dollars; each line is rounded to the cent, half up, and the bill is the sum of its lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from headend.ports import BoolArray, LongArray
from meters.kernels.jit import kernel
from simulator.ror.billing.money import exact_text, money
from simulator.ror.billing.plan import ENDLESS, BillCredit, Direction, MinimumUsageFee, Prorate, RatePlan, micros_usd
from simulator.ror.billing.windows import Window, Windows, cut
from simulator.ror.errors import RorError

#: Wh of a bill: beyond it the dearest price would leave 64 bits.
MOST_WH = 10**11


class LineKind(StrEnum):
    """What a line of a bill is for."""

    BASE = "base charge"
    ENERGY = "energy charge"
    EXPORT = "export credit"
    MINIMUM_USAGE = "minimum-usage fee"
    TDU_MONTHLY = "TDU delivery, monthly"
    TDU_ENERGY = "TDU delivery, per kWh"
    FREE_DELIVERY = "TDU delivery, credited"
    REGISTER = "register less intervals"
    CREDIT = "bill credit"
    TAX = "tax"


class Measure(IntEnum):
    """What a line multiplies its price with."""

    #: A share of days, where the usage lies in a band.
    AMOUNT = 0
    #: kWh taken, between two limits.
    TAKEN = 1
    #: kWh taken less those given, not below 0.
    BOUGHT = 2
    #: kWh given less those taken, not below 0.
    LEFT_OVER = 3
    GIVEN = 4
    #: What the register has that the intervals have not, at the average of what a kWh costs.
    REGISTER = 5
    #: All lines before it.
    TAX = 6


_AMOUNT, _BOUGHT, _LEFT_OVER, _GIVEN = (
    int(one) for one in (Measure.AMOUNT, Measure.BOUGHT, Measure.LEFT_OVER, Measure.GIVEN)
)
_REGISTER, _TAX = int(Measure.REGISTER), int(Measure.TAX)


class Line(NamedTuple):
    """One line. What it counts lies in ``[low, high)``: Wh of the tier, or of the usage that an amount takes."""

    kind: LineKind
    text: str
    measure: Measure
    #: Micro-dollars, or those per kWh; of a tax ten-thousandths of a percent. Negative: a credit.
    price: int
    #: (w,) windows that count; empty: all.
    windows: Sequence[bool] = ()
    low: int = 0
    high: int = ENDLESS
    #: Days of days.
    part: int = 1
    whole: int = 1
    #: Told even without a kWh.
    always: bool = False


class _Columns(NamedTuple):
    measure: LongArray
    price: LongArray
    windows: BoolArray
    low: LongArray
    high: LongArray
    part: LongArray
    whole: LongArray


class Billed(NamedTuple):
    """n bills of l lines."""

    #: (n, l) Wh that a line counts; -1: it does not apply.
    wh: LongArray
    #: (n, l) micro-dollars a kWh, or what else the line's price is.
    price: LongArray
    #: (n, l)
    cents: LongArray
    #: (n,)
    total: LongArray


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A plan over the days billed: its windows and lines."""

    windows: Windows
    lines: tuple[Line, ...]
    columns: _Columns = field(init=False)

    def __post_init__(self) -> None:
        """Lay the lines out in columns."""
        every = (True,) * len(self.windows.windows)
        numbers = (
            np.array([getattr(line, name) for line in self.lines], dtype=np.int64)
            for name in _Columns._fields
            if name != "windows"
        )
        measure, price, *rest = numbers
        masks = np.array([line.windows or every for line in self.lines], dtype=np.bool_)
        object.__setattr__(self, "columns", _Columns(measure, price, masks, *rest))

    def bills(self, taken: LongArray, given: LongArray | None = None, register: LongArray | None = None) -> Billed:
        """Bill n homes. taken, given: (n, w) Wh by window. register: (n,) Wh by the billed registers, which then decide the usage.

        Raises RorError for more energy than a bill takes.
        """
        given = np.zeros((0, taken.shape[1]), np.int64) if given is None else given
        counted = taken.sum(axis=1) if register is None else register
        for each in (taken.sum(axis=1), given.sum(axis=1), counted):
            if len(each) and each.max() > MOST_WH:
                text = f"{int(each.max())} Wh are more than a bill takes, {MOST_WH:,}."
                raise RorError("ror.bill.usage_too_much", text, mend="Mend the usage: Wh, not more.")
        shape = (len(taken), len(self.lines))
        billed = Billed(
            np.empty(shape, np.int64),
            np.empty(shape, np.int64),
            np.empty(shape, np.int64),
            np.empty(len(taken), np.int64),
        )
        bill_many(taken, given, counted, self.columns, billed)
        return billed


@kernel
def half_up(over: int, under: int) -> int:
    """A quotient as a whole number, half away from zero. under: above 0; twice ``over`` fits 64 bits."""
    if over < 0:
        return -((-2 * over + under) // (2 * under))
    return (2 * over + under) // (2 * under)


@kernel
def _counted(row: int, at: int, measure: int, taken: LongArray, given: LongArray, lines: _Columns) -> int:
    """Wh that a line by the kWh counts."""
    plus, minus = 0, 0
    for window in range(taken.shape[1]):
        if lines.windows[at, window]:
            plus += taken[row, window]
            minus += given[row, window] if len(given) > 0 else 0
    if measure == _BOUGHT:
        plus = max(plus - minus, 0)
    elif measure == _LEFT_OVER:
        plus = max(minus - plus, 0)
    elif measure == _GIVEN:
        plus = minus
    found: int = max(min(plus, lines.high[at]) - lines.low[at], 0)
    return found


@kernel
def bill_many(taken: LongArray, given: LongArray, counted: LongArray, lines: _Columns, out: Billed) -> None:
    """Bill each row. taken, given (or none): (n, w) Wh; counted: (n,) Wh that decide what depends on the usage of the cycle."""
    for row in range(len(taken)):
        total, before_tax, nano = 0, 0, 0
        intervals = taken[row].sum()
        for at in range(len(lines.measure)):
            measure, price, wh, cents = lines.measure[at], lines.price[at], -1, 0
            if measure == _AMOUNT:
                if lines.low[at] <= counted[row] < lines.high[at]:
                    wh, cents = 0, half_up(price * lines.part[at], lines.whole[at] * 10_000)
            elif measure == _TAX:
                wh, cents = 0, half_up(max(before_tax, 0) * price, 1_000_000)
            elif measure == _REGISTER:
                wh = counted[row] - intervals
                price = half_up(nano, intervals) if intervals > 0 else price
                cents = half_up(wh * price, 10_000_000)
            else:
                wh = _counted(row, at, measure, taken, given, lines)
                cents = half_up(wh * price, 10_000_000)
                if measure <= _BOUGHT:
                    nano += wh * price
            out.wh[row, at], out.price[row, at], out.cents[row, at] = wh, price, cents
            total += cents
            if measure != _TAX:
                before_tax = total
        out.total[row] = total


@lru_cache(maxsize=256)
def sheet(plan: RatePlan, first: date, last: date, closes: date, full_days: int, closed: bool) -> Sheet:
    """The lines of a plan from ``first`` through ``last``, of a cycle that ends with ``closes``, a part of one of ``full_days`` days.

    Monthly amounts accrue by the day. Of a cycle that is not closed, what its rest still decides is no line. Raises RorError where no TDU
    charge is in force.
    """
    windows = cut(plan, first, last)
    days, cycle = (last - first).days + 1, (closes - first).days + 1
    held = windows.days_held if last == closes else cut(plan, first, closes).days_held
    lines = [
        *_base(plan, days, full_days),
        *_energy(plan, windows.windows, held, full_days),
        *_export(plan, windows.windows),
        *_delivery(plan, windows.windows, first, days, full_days),
        *([Line(LineKind.REGISTER, "", Measure.REGISTER, _usual_price(plan, windows))] if closed else []),
        *_by_usage(plan, cycle, full_days, closed),
        *(
            Line(LineKind.TAX, f"{exact_text(tax.percent)} % {tax.name}", Measure.TAX, int(tax.percent.scaleb(4)))
            for tax in plan.taxes
        ),
    ]
    return Sheet(windows, tuple(lines))


def _share(prorate: Prorate, days: int, full_days: int) -> tuple[int, int]:
    return (days, full_days) if prorate is Prorate.DAYS else (1, 1)


def _base(plan: RatePlan, days: int, full_days: int) -> Iterator[Line]:
    base = plan.base_charge
    if base is not None and base.amount:
        part, whole = _share(base.prorate, days, full_days)
        text = (
            f"{days} of {full_days} days of {money(base.amount)}"
            if base.prorate is Prorate.DAYS
            else money(base.amount)
        )
        yield Line(LineKind.BASE, text, Measure.AMOUNT, micros_usd(base.amount), (), 0, base.until_wh, part, whole)


def _energy(plan: RatePlan, windows: Sequence[Window], held: Sequence[int], full_days: int) -> Iterator[Line]:
    """The usage by price and tier; the first line is told without any usage too."""
    measure = Measure.BOUGHT if plan.export is not None and plan.export.way == "net" else Measure.TAKEN
    told = False
    for at, price in enumerate(plan.energy):
        mask = [window.price == at and not window.free_energy for window in windows]
        for low, high, micros in price.steps if any(mask) else ():
            if price.prorate is Prorate.DAYS:
                low, high = (
                    min(half_up(limit * held[at], full_days), ENDLESS) if limit < ENDLESS else limit
                    for limit in (low, high)
                )
            yield Line(LineKind.ENERGY, price.name, measure, micros, mask, low, high, always=not told)
            told = True
    for name in dict.fromkeys(window.free_energy for window in windows if window.free_energy):
        yield Line(LineKind.ENERGY, name, measure, 0, [window.free_energy == name for window in windows])


def _export(plan: RatePlan, windows: Sequence[Window]) -> Iterator[Line]:
    if plan.export is None:
        return
    price = -int(plan.export.cents_per_kwh.scaleb(4))
    if plan.export.way == "sell_all":
        yield Line(LineKind.EXPORT, "given to the grid", Measure.GIVEN, price)
        return
    bought_as = [window.free_energy or window.price for window in windows]
    for one in dict.fromkeys(bought_as):
        mask = [other == one for other in bought_as]
        yield Line(LineKind.EXPORT, "given beyond what was taken", Measure.LEFT_OVER, price, mask)


def _delivery(plan: RatePlan, windows: Sequence[Window], first: date, days: int, full_days: int) -> Iterator[Line]:
    """The TDU's charges, two lines for each that is in force on some of the days, and what is credited of them."""
    over = [plan.tdu_on(date.fromordinal(first.toordinal() + at)) for at in range(days)]
    for charge in dict.fromkeys(over):
        part, micros = over.count(charge), int(charge.cents_per_kwh.scaleb(4))
        text = f"{part} of {full_days} days of {money(charge.monthly)}, in force from {charge.effective}"
        yield Line(
            LineKind.TDU_MONTHLY, text, Measure.AMOUNT, micros_usd(charge.monthly), (), 0, ENDLESS, part, full_days
        )
        mask = [window.tdu == charge for window in windows]
        yield Line(LineKind.TDU_ENERGY, "", Measure.TAKEN, micros, mask, always=True)
        for name in dict.fromkeys(window.free_delivery for window in windows if window.free_delivery):
            free = [window.tdu == charge and window.free_delivery == name for window in windows]
            yield Line(LineKind.FREE_DELIVERY, name, Measure.TAKEN, -micros, free)


def _usual_price(plan: RatePlan, windows: Windows) -> int:
    """Micro-dollars that a kWh of a home costs that takes the same all day and stays in the first tiers: where no interval says better."""
    nano = sum(
        int(length)
        * (
            (0 if one.free_energy else plan.energy[one.price].steps[0][2])
            + (0 if one.free_delivery else int(one.tdu.cents_per_kwh.scaleb(4)))
        )
        for one, length in zip(windows.windows, windows.lengths(), strict=True)
    )
    return half_up(nano, windows.intervals)


def _by_usage(plan: RatePlan, cycle: int, full_days: int, closed: bool) -> Iterator[Line]:
    """Fee and credits; while the cycle runs only credits that nothing can take away any more."""
    fee = plan.minimum_usage_fee
    if fee is not None and closed:
        yield fee_line(fee, cycle, full_days)
    yield from (credit_line(one, cycle, full_days) for one in plan.bill_credits if closed or one.until_wh == ENDLESS)


def fee_line(fee: MinimumUsageFee, cycle: int, full_days: int) -> Line:
    """The line of a minimum-usage fee. cycle: days of the cycle, of ``full_days``."""
    side = "below" if fee.direction is Direction.BELOW else "at or below"
    text = f"for usage {side} {exact_text(fee.threshold_kwh)} kWh"
    return _amount(LineKind.MINIMUM_USAGE, text, fee.amount, fee.prorate, 0, fee.free_from_wh, cycle, full_days)


def credit_line(credit: BillCredit, cycle: int, full_days: int) -> Line:
    """The line of a bill credit. cycle: days of the cycle, of ``full_days``."""
    side = "from" if credit.direction is Direction.AT_LEAST else "above"
    text = f"for usage {side} {exact_text(credit.from_kwh)} kWh"
    if credit.to_kwh is not None:
        text += f" {'below' if credit.direction is Direction.AT_LEAST else 'up to'} {exact_text(credit.to_kwh)} kWh"
    return _amount(
        LineKind.CREDIT, text, -credit.amount, credit.prorate, credit.from_wh, credit.until_wh, cycle, full_days
    )


def _amount(
    kind: LineKind, text: str, amount: Decimal, prorate: Prorate, low: int, high: int, cycle: int, full_days: int
) -> Line:
    part, whole = _share(prorate, cycle, full_days)
    if part != whole:
        text = f"{part} of {whole} days of {money(abs(amount))} {text}"
    return Line(kind, text, Measure.AMOUNT, micros_usd(amount), (), low, high, part, whole)
