"""Recomputes the average prices that a plan's fact label prints, so that a typing error in a plan file is found before a customer does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from simulator.ror.billing.plan import RatePlan
from simulator.ror.billing.sheet import Measure, sheet
from simulator.ror.errors import RorError

#: The usages that a fact label prints, in months of so many days.
LABEL_KWH, LABEL_DAYS = (500, 1000, 2000), 30


@dataclass(frozen=True, slots=True)
class LabelFinding:
    """Something wrong with a plan's fact label."""

    code: str
    kwh: Decimal
    text: str
    #: c/kWh as printed; None if the label leaves it out.
    printed: Decimal | None
    #: c/kWh recomputed, before tax.
    computed: Decimal


def label_price(plan: RatePlan, kwh: Decimal) -> Decimal:
    """The average price of a month of some usage under the charges of the label's day (or the newest), before tax, c/kWh to four decimals.

    The usage is the same in every quarter hour. kwh: above 0.
    """
    wh = int(kwh.scaleb(3))
    first = plan.fact_label.on if plan.fact_label is not None else plan.tdu[-1].effective
    last = first + timedelta(days=LABEL_DAYS - 1)
    terms = sheet(plan, first, last, last, LABEL_DAYS, closed=True)
    billed = terms.bills(terms.windows.spread(wh))
    # An average has decimals of a cent: what is rounded on a bill is not rounded here.
    micros = Decimal(0)
    for line, counted, price in zip(terms.lines, billed.wh[0].tolist(), billed.price[0].tolist(), strict=True):
        if line.measure is Measure.AMOUNT:
            micros += price if counted == 0 else 0
        elif line.measure is not Measure.TAX:
            micros += Decimal(price * counted).scaleb(-3)
    return (micros / wh / 10).quantize(Decimal("0.0001"))


def label_rows(plan: RatePlan) -> list[tuple[Decimal, Decimal | None, Decimal]]:
    """(kWh, c/kWh as printed, c/kWh recomputed) of the usages that a label has, and of those that it should have."""
    prices = plan.fact_label.prices if plan.fact_label is not None else ()
    printed = {price.kwh: price.cents_per_kwh for price in prices}
    return [(kwh, printed.get(kwh), label_price(plan, kwh)) for kwh in sorted({*map(Decimal, LABEL_KWH), *printed})]


def check_fact_label(plan: RatePlan) -> list[LabelFinding]:
    """Recompute the label's averages; empty if all agree, or the plan has no label.

    A finding is a usage of 500, 1,000 or 2,000 kWh that the label leaves out, or a price off by more than half of its last digit.
    """
    findings = []
    for kwh, found, computed in label_rows(plan) if plan.fact_label is not None else ():
        if found is None:
            text = f"The label has no average price at {kwh:f} kWh; it would be {computed} c/kWh."
            findings.append(LabelFinding("ror.fact_label.missing", kwh, text, None, computed))
        elif abs(found - computed) > Decimal(5).scaleb(int(found.as_tuple().exponent) - 1):
            text = f"The label prints {found} c/kWh at {kwh:f} kWh; the plan gives {computed} c/kWh."
            findings.append(LabelFinding("ror.fact_label.differs", kwh, text, found, computed))
    return findings


def label_mistakes(plan: RatePlan, place: str) -> list[RorError]:
    """What is wrong with a label, as errors of a file; also that no charges are in force on its day."""
    try:
        return [RorError(one.code, one.text, place, "Mend the label or the plan.") for one in check_fact_label(plan)]
    except RorError as error:
        return [RorError(error.code, error.message, f"{place}: {error.place}", error.mend)]
