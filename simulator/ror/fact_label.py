"""Recomputes the average prices that a plan's fact label prints, so that a typing error in a plan file is found before a customer does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from simulator.ror.bill import bill
from simulator.ror.plan import RatePlan

#: The usages that a fact label prints.
LABEL_KWH = (500, 1000, 2000)
#: Labels print tenths or hundredths of a cent.
TOLERANCE_CENTS = Decimal("0.05")
_LABEL_DAYS = 30


@dataclass(frozen=True, slots=True)
class LabelFinding:
    """Something wrong with a plan's fact label."""

    code: str
    kwh: int
    text: str
    #: c/kWh as printed; None if the label leaves it out.
    printed: Decimal | None
    #: c/kWh recomputed, before tax.
    computed: Decimal


def check_fact_label(plan: RatePlan) -> list[LabelFinding]:
    """Recompute the label's averages under the newest TDU charge, before tax; empty if all agree.

    A finding is a usage of 500, 1,000 or 2,000 kWh that the label leaves out, or a price off by more than 0.05 c/kWh.
    """
    printed = {price.kwh: price.cents_per_kwh for price in plan.fact_label}
    first_day = plan.tdu_charges[-1].effective
    findings = []
    for kwh in sorted({*map(Decimal, LABEL_KWH), *(usage for usage in printed if usage > 0)}):
        wh = int(kwh.scaleb(3))
        month = bill(plan, wh, first_day, first_day + timedelta(days=_LABEL_DAYS - 1))
        computed = (month.before_tax * 100_000 / wh).quantize(Decimal("0.0001"))
        found = printed.get(kwh)
        if found is None:
            text = f"The label has no average price at {kwh:f} kWh; it would be {computed} c/kWh."
            findings.append(LabelFinding("ror.fact_label.missing", int(kwh), text, None, computed))
        elif abs(found - computed) > TOLERANCE_CENTS:
            text = f"The label prints {found} c/kWh at {kwh:f} kWh; the plan gives {computed} c/kWh."
            findings.append(LabelFinding("ror.fact_label.differs", int(kwh), text, found, computed))
    return findings
