"""A rate plan is a small YAML file: base charge, energy charge, minimum-usage fee, dated TDU charges, bill credits, tax, fact label.

Money is exact decimal from the file's text on. Every threshold comes down to one thing: the first Wh at which the bill changes.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from simulator.input.mistakes import mistakes_of
from simulator.input.yaml_text import ExactLoader, UnreadableFile, YamlProblem, read_yaml_file
from simulator.ror.errors import RorError

#: Where the shipped plans are.
PLANS = Path(__file__).parent / "plans"

Money = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=6)]
Kwh = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=3)]
Percent = Annotated[Decimal, Field(ge=0, le=100, decimal_places=6)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Direction(StrEnum):
    """On which side of a threshold an amount applies, and whether the threshold itself belongs to it."""

    BELOW = "below"
    AT_MOST = "at_most"
    AT_LEAST = "at_least"
    ABOVE = "above"


def _wh(kwh: Decimal) -> int:
    """Whole Wh of kWh with at most three decimals."""
    return int(kwh.scaleb(3))


class Tier(_Part):
    """Energy price of usage beyond the previous tier. The last tier has no limit."""

    #: kWh of the billing cycle up to which the price holds; None: no limit.
    up_to_kwh: Kwh | None = None
    #: c/kWh.
    cents_per_kwh: Money


class MinimumUsageFee(_Part):
    """A fee in cycles of low usage."""

    threshold_kwh: Kwh
    direction: Literal[Direction.BELOW, Direction.AT_MOST]
    #: $ per billing cycle.
    amount: Money

    @property
    def free_from_wh(self) -> int:
        """The first Wh of a cycle's usage at which the fee falls away."""
        return _wh(self.threshold_kwh) + (self.direction is Direction.AT_MOST)


class BillCredit(_Part):
    """A credit in cycles whose usage lies in a band: ``[from, to)`` for at_least, ``(from, to]`` for above."""

    from_kwh: Kwh
    #: None: no upper end.
    to_kwh: Kwh | None = None
    direction: Literal[Direction.AT_LEAST, Direction.ABOVE] = Direction.AT_LEAST
    #: $ per billing cycle.
    amount: Money

    @property
    def from_wh(self) -> int:
        """The first Wh of a cycle's usage that earns the credit."""
        return _wh(self.from_kwh) + (self.direction is Direction.ABOVE)

    @property
    def until_wh(self) -> int | None:
        """The first Wh beyond the band; None without an upper end."""
        return None if self.to_kwh is None else _wh(self.to_kwh) + (self.direction is Direction.ABOVE)

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.to_kwh is not None and self.to_kwh <= self.from_kwh:
            raise ValueError("to_kwh must be above from_kwh")
        return self


class TduCharge(_Part):
    """What the wires company charges from a date on, passed through by the retailer."""

    effective: date
    #: $ per month.
    monthly: Money
    #: c/kWh.
    cents_per_kwh: Money


class LabelPrice(_Part):
    """An average price that the fact label prints for a month of some usage."""

    kwh: Kwh
    #: c/kWh, before tax.
    cents_per_kwh: Money


class RatePlan(_Part):
    """What a retailer charges for a billing cycle."""

    name: str = Field(min_length=1)
    tdsp: str = ""
    #: $ per billing cycle.
    base_charge: Money = Decimal(0)
    energy: tuple[Tier, ...] = Field(min_length=1)
    minimum_usage_fee: MinimumUsageFee | None = None
    tdu_charges: tuple[TduCharge, ...] = Field(min_length=1)
    bill_credits: tuple[BillCredit, ...] = ()
    tax_percent: Percent = Decimal(0)
    fact_label: tuple[LabelPrice, ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        limits = [tier.up_to_kwh for tier in self.energy]
        inner = [limit for limit in limits[:-1] if limit is not None]
        if limits[-1] is not None or len(inner) != len(limits) - 1:
            raise ValueError("every tier of energy but the last needs up_to_kwh, the last has none")
        if any(b <= a for a, b in pairwise(inner)):
            raise ValueError("tiers of energy must ascend")
        starts = [charge.effective for charge in self.tdu_charges]
        if any(b <= a for a, b in pairwise(starts)):
            raise ValueError("tdu_charges must ascend by effective date")
        return self

    def tdu_on(self, day: date) -> TduCharge:
        """Give the TDU charge in force on a day. Raises RorError for a day before the first one."""
        in_force = [charge for charge in self.tdu_charges if charge.effective <= day]
        if not in_force:
            raise RorError(
                "ror.plan.tdu_undated",
                f"Plan '{self.name}' has no TDU charge in force on {day}.",
                place="tdu_charges",
                mend=f"Add the charge that was in force before {self.tdu_charges[0].effective}.",
            )
        return in_force[-1]


class EdgeKind(StrEnum):
    """What changes at an edge of a plan."""

    CREDIT_EARNED = "bill credit earned"
    CREDIT_LOST = "bill credit lost"
    FEE_ENDS = "minimum-usage fee falls away"
    TIER = "energy price changes"


class Edge(_Part):
    """A usage at which the bill changes other than by the kWh."""

    kind: EdgeKind
    #: First Wh of the cycle's usage on the far side.
    wh: int
    text: str


def plan_edges(plan: RatePlan) -> list[Edge]:
    """List the plan's edges by ascending usage; pure."""
    edges: list[Edge] = []
    for tier in plan.energy[:-1]:
        if tier.up_to_kwh is not None and tier.up_to_kwh > 0:
            text = f"energy price changes above {tier.up_to_kwh:,f} kWh"
            edges.append(Edge(kind=EdgeKind.TIER, wh=_wh(tier.up_to_kwh) + 1, text=text))
    fee = plan.minimum_usage_fee
    if fee is not None and fee.free_from_wh > 0:
        side = "at" if fee.direction is Direction.BELOW else "above"
        text = f"minimum-usage fee of ${fee.amount:,.2f} falls away {side} {fee.threshold_kwh:,f} kWh"
        edges.append(Edge(kind=EdgeKind.FEE_ENDS, wh=fee.free_from_wh, text=text))
    for credit in plan.bill_credits:
        side = "at" if credit.direction is Direction.AT_LEAST else "above"
        if credit.from_wh > 0:
            text = f"bill credit of ${credit.amount:,.2f} is earned {side} {credit.from_kwh:,f} kWh"
            edges.append(Edge(kind=EdgeKind.CREDIT_EARNED, wh=credit.from_wh, text=text))
        if credit.until_wh is not None:
            text = f"bill credit of ${credit.amount:,.2f} is lost {side} {credit.to_kwh:,f} kWh"
            edges.append(Edge(kind=EdgeKind.CREDIT_LOST, wh=credit.until_wh, text=text))
    return sorted(edges, key=lambda edge: (edge.wh, edge.kind))


@cache
def shipped_plan(name: str) -> RatePlan:
    """One of the plans that come with the test bed. Raises RorError when there is none of that name."""
    return load_plan(PLANS / f"{name}.yaml")


def load_plan(path: Path | str) -> RatePlan:
    """Read a plan file. Raises RorError naming file and field when it cannot be read or is no plan."""
    path = Path(path)
    place = path.name
    try:
        written = read_yaml_file(path, ExactLoader, place)
    except UnreadableFile as error:
        text, mend = f"The plan cannot be read: {error.problem}.", "Name a YAML file that is there."
        raise RorError("ror.plan.unreadable", text, error.place, mend) from None
    except YamlProblem as error:
        text = f"The plan is not YAML: {error.problem}."
        raise RorError("ror.plan.malformed", text, error.place, "Mend that line.") from None
    if not isinstance(written.value, dict):
        raise RorError("ror.plan.malformed", "A plan is a list of fields.", place=place, mend="Begin with name: ...")
    try:
        return RatePlan.model_validate(written.value)
    except ValidationError as error:
        raise written.error(mistakes_of(error, written.value, RatePlan, "ror.plan.field")[0], RorError) from None
