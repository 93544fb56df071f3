"""A rate plan is a small YAML file: what it charges for, when, and what its fact label prints.

Money is exact decimal from the file's text on, and whole micro-dollars in the bill. Every threshold comes down to one thing: the
first Wh at which the bill changes.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from simulator.input.mistakes import day_or_time, did_you_mean, mistakes_of
from simulator.input.yaml_text import ExactLoader, UnreadableFile, YamlProblem, read_yaml_file
from simulator.ror.errors import RorError

#: Where the shipped plans are, and the charges of each TDSP.
PLANS, TDU = Path(__file__).parent / "plans", Path(__file__).parent / "tdu"
M = TypeVar("M", bound=BaseModel)
#: kWh without an upper end, in Wh: more than any bill takes.
ENDLESS = 1 << 62

Usd = Annotated[Decimal, Field(ge=0, le=100_000, decimal_places=6)]
#: c/kWh to four decimals: whole micro-dollars.
CentsPerKwh = Annotated[Decimal, Field(ge=0, le=1000, decimal_places=4)]
Kwh = Annotated[Decimal, Field(ge=0, le=100_000_000, decimal_places=3)]
Percent = Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)]
#: What a bill can reach.
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2099, 11, 30)), BeforeValidator(day_or_time)]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Direction(StrEnum):
    """On which side of a threshold an amount applies, and whether the threshold itself belongs to it."""

    BELOW = "below"
    AT_MOST = "at_most"
    AT_LEAST = "at_least"
    ABOVE = "above"


class Prorate(StrEnum):
    """What a cycle that is a part of a whole one (a switch, a move) is charged or credited of a monthly amount."""

    #: Its share by days.
    DAYS = "days"
    WHOLE = "whole"


class DayKind(StrEnum):
    """Kinds of days. A Saturday that is a holiday is both; a weekday is none."""

    WEEKDAY = "weekday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"
    #: The six that ERCOT counts as off-peak.
    HOLIDAY = "holiday"


def _wh(kwh: Decimal) -> int:
    """Whole Wh of kWh with at most three decimals."""
    return int(kwh.scaleb(3))


def micros_usd(amount: Decimal) -> int:
    """Whole micro-dollars of dollars with at most six decimals."""
    return int(amount.scaleb(6))


_HOURS = re.compile(r"([01]\d|2[0-3]):(00|15|30|45)-([01]\d|2[0-4]):(00|15|30|45)", re.ASCII)


def quarters(hours: str) -> range | tuple[int, ...]:
    """The quarter hours of the local clock, 0 to 95, of ``HH:MM-HH:MM``; one that ends before it begins goes over midnight."""
    found = _HOURS.fullmatch(hours)
    first, until = (int(found[at]) * 4 + int(found[at + 1]) // 15 for at in (1, 3)) if found else (0, 0)
    if first == until or until > 96:
        raise ValueError(f"'{hours}' are no hours; write them as 20:00-05:00, on quarter hours")
    return range(first, until) if first < until else (*range(until), *range(first, 96))


def _checked_hours(hours: str) -> str:
    quarters(hours)
    return hours


class When(_Part):
    """Quarter hours by the local clock at which they begin. What is not written does not restrict."""

    #: 1 to 12.
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = Field((), max_length=12)
    days: tuple[DayKind, ...] = Field((), max_length=4)
    #: ``20:00-05:00``.
    hours: tuple[Annotated[str, AfterValidator(_checked_hours)], ...] = Field((), max_length=24)
    first_day: Day | None = None
    last_day: Day | None = None

    @property
    def always(self) -> bool:
        """Whether it restricts nothing."""
        return not (self.months or self.days or self.hours or self.first_day or self.last_day)


class Tier(_Part):
    """Price of what a price's kWh take beyond the previous tier. The last tier has no limit."""

    #: kWh of the billing cycle at this price's times up to which the tier holds; None: no limit.
    up_to_kwh: Kwh | None = None
    cents_per_kwh: CentsPerKwh


class EnergyPrice(When):
    """What energy costs at some times. The first price of the list whose times fit holds."""

    name: str = Field("", max_length=100)
    cents_per_kwh: CentsPerKwh | None = None
    #: Instead of one price.
    tiers: tuple[Tier, ...] = Field((), max_length=20)
    #: ``days``: the tiers' limits shrink with the share of a whole cycle's days on which the price holds.
    prorate: Prorate = Prorate.WHOLE

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if (self.cents_per_kwh is None) is not bool(self.tiers):
            raise ValueError("a price has cents_per_kwh or tiers; write one of the two")
        limits = [tier.up_to_kwh for tier in self.tiers]
        inner = [limit for limit in limits[:-1] if limit is not None]
        if limits and (limits[-1] is not None or len(inner) != len(limits) - 1):
            raise ValueError("every tier but the last needs up_to_kwh, the last has none")
        if any(b <= a for a, b in pairwise([Decimal(0), *inner])):
            raise ValueError("tiers must ascend")
        return self

    @property
    def steps(self) -> list[tuple[int, int, int]]:
        """(from Wh, up to Wh, micro-dollars per kWh) of each tier."""
        tiers = self.tiers or (Tier(cents_per_kwh=self.cents_per_kwh or Decimal(0)),)
        ends = [ENDLESS if tier.up_to_kwh is None else _wh(tier.up_to_kwh) for tier in tiers]
        return [(a, b, int(tier.cents_per_kwh.scaleb(4))) for a, b, tier in zip([0, *ends], ends, tiers, strict=False)]


class FreeWindow(When):
    """Times at which energy costs nothing, delivery is credited, or both."""

    name: Name
    free: Literal["energy", "delivery", "both"]


class BaseCharge(_Part):
    """$ per billing cycle."""

    amount: Usd
    #: kWh of a cycle from which it falls away.
    waived_from_kwh: Kwh | None = None
    prorate: Prorate = Prorate.DAYS

    @property
    def until_wh(self) -> int:
        """The first Wh of a cycle's usage at which it falls away."""
        return ENDLESS if self.waived_from_kwh is None else _wh(self.waived_from_kwh)


class MinimumUsageFee(_Part):
    """A fee in cycles of low usage."""

    threshold_kwh: Kwh
    direction: Literal[Direction.BELOW, Direction.AT_MOST]
    #: $ per billing cycle.
    amount: Usd
    prorate: Prorate = Prorate.WHOLE

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
    amount: Usd
    prorate: Prorate = Prorate.WHOLE

    @property
    def from_wh(self) -> int:
        """The first Wh of a cycle's usage that earns the credit."""
        return _wh(self.from_kwh) + (self.direction is Direction.ABOVE)

    @property
    def until_wh(self) -> int:
        """The first Wh beyond the band."""
        return ENDLESS if self.to_kwh is None else _wh(self.to_kwh) + (self.direction is Direction.ABOVE)

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.to_kwh is not None and self.to_kwh <= self.from_kwh:
            raise ValueError("to_kwh must be above from_kwh")
        return self


class TduCharge(_Part):
    """What the wires company charges from a date on, passed through by the retailer."""

    effective: Day
    #: $ per month, by the day.
    monthly: Usd
    cents_per_kwh: CentsPerKwh


class Export(_Part):
    """What is paid for the kWh that a premise gives.

    net: they make up for kWh bought at times of the same price, and what is left over is paid. sell_all: all of them are paid.
    Delivery is charged on every kWh taken in both ways.
    """

    way: Literal["net", "sell_all"]
    cents_per_kwh: CentsPerKwh


class Tax(_Part):
    """A tax on the sum of all charges and credits before taxes."""

    name: Name
    percent: Percent


class LabelPrice(_Part):
    """An average price that the fact label prints for a month of some usage."""

    kwh: Annotated[Kwh, Field(gt=0)]
    #: Before tax, with as many decimals as the label prints.
    cents_per_kwh: CentsPerKwh


class FactLabel(_Part):
    """The averages of the fact label, for use that is the same all day."""

    #: The charges of this day count.
    on: Day
    prices: tuple[LabelPrice, ...] = Field((), max_length=20)


class _TduFile(_Part):
    tdsp: Name
    charges: tuple[TduCharge, ...] = Field(min_length=1)


def tdu_files() -> dict[str, Path]:
    """The files of TDU charges, one a TDSP, by name."""
    return {path.stem: path for path in sorted(TDU.glob("*.yaml"))}


def _charges_of(written: Any) -> Any:
    if not isinstance(written, str):
        return written
    files = tdu_files()
    if written not in files:
        raise ValueError(f"there is no file of TDU charges '{written}'; {did_you_mean(written, files)}")
    return _read(files[written], _TduFile).charges


def _ascending(charges: tuple[TduCharge, ...]) -> tuple[TduCharge, ...]:
    if any(b.effective <= a.effective for a, b in pairwise(charges)):
        raise ValueError("charges must ascend by effective date")
    return charges


def _always_priced(prices: tuple[EnergyPrice, ...]) -> tuple[EnergyPrice, ...]:
    if not prices[-1].always:
        raise ValueError("the last price of energy holds whenever no other does; write it without times")
    return prices


class RatePlan(_Part):
    """What a retailer charges for a billing cycle."""

    name: Name
    #: The name of a TDSP's file of charges (``oncor``), or charges of one's own.
    tdu: Annotated[
        tuple[TduCharge, ...],
        Field(min_length=1, max_length=100),
        BeforeValidator(_charges_of),
        AfterValidator(_ascending),
    ]
    energy: Annotated[tuple[EnergyPrice, ...], Field(min_length=1, max_length=50), AfterValidator(_always_priced)]
    base_charge: BaseCharge | None = None
    free: tuple[FreeWindow, ...] = Field((), max_length=20)
    minimum_usage_fee: MinimumUsageFee | None = None
    bill_credits: tuple[BillCredit, ...] = Field((), max_length=20)
    export: Export | None = None
    taxes: tuple[Tax, ...] = Field((), max_length=20)
    fact_label: FactLabel | None = None

    def tdu_on(self, day: date) -> TduCharge:
        """Give the TDU charge in force on a day. Raises RorError for a day before the first one."""
        in_force = [charge for charge in self.tdu if charge.effective <= day]
        if not in_force:
            raise RorError(
                "ror.plan.tdu_undated",
                f"Plan '{self.name}' has no TDU charge in force on {day}.",
                place="tdu",
                mend=f"Add the charge that was in force before {self.tdu[0].effective}.",
            )
        return in_force[-1]


def plan_schema() -> dict[str, Any]:
    """The JSON Schema of a plan file."""
    schema = RatePlan.model_json_schema()
    charges = schema["properties"]["tdu"]
    schema["properties"]["tdu"] = {"anyOf": [{"enum": [*tdu_files()]}, charges], "title": charges.pop("title")}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


class EdgeKind(StrEnum):
    """What changes at an edge of a plan."""

    BASE_WAIVED = "base charge falls away"
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
    """List the plan's edges by ascending usage; pure. Tiers are edges of the whole usage where one price holds at all times."""
    edges: list[Edge] = []
    base = plan.base_charge
    if base is not None and base.waived_from_kwh:
        text = f"base charge of ${base.amount:,.2f} falls away at {base.waived_from_kwh:,f} kWh"
        edges.append(Edge(kind=EdgeKind.BASE_WAIVED, wh=base.until_wh, text=text))
    for tier in plan.energy[0].tiers[:-1] if len(plan.energy) == 1 and not plan.free else ():
        if tier.up_to_kwh is not None:
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
        if credit.to_kwh is not None:
            text = f"bill credit of ${credit.amount:,.2f} is lost {side} {credit.to_kwh:,f} kWh"
            edges.append(Edge(kind=EdgeKind.CREDIT_LOST, wh=credit.until_wh, text=text))
    return sorted(edges, key=lambda edge: (edge.wh, edge.kind))


@cache
def shipped_plans() -> dict[str, Path]:
    """The plans that come with the test bed, by name."""
    return {path.stem: path for path in sorted(PLANS.glob("*.yaml"))}


@cache
def shipped_plan(name: str) -> RatePlan:
    """One of the plans that come with the test bed. Raises RorError when there is none of that name."""
    return load_plan(PLANS / f"{name}.yaml")


def named_plan(name: str) -> Path:
    """The file of a shipped plan, or the path as it is given."""
    return shipped_plans().get(name, Path(name))


def load_plan(path: Path | str) -> RatePlan:
    """Read a plan file. Raises RorError of its first mistake, with line and field."""
    return _read(Path(path), RatePlan)


def plan_mistakes(path: Path) -> tuple[RatePlan | None, list[RorError]]:
    """A plan, or everything that is wrong with its file, each with its line."""
    try:
        return _read(path, RatePlan), []
    except _MistakesError as error:
        return None, error.all
    except RorError as error:
        return None, [error]


class _MistakesError(RorError):
    """The first of several mistakes."""

    def __init__(self, found: list[RorError]) -> None:
        super().__init__(found[0].code, found[0].message, found[0].place, found[0].mend)
        self.all = found


def _read(path: Path, model: type[M]) -> M:
    place = path.name
    try:
        written = read_yaml_file(path, ExactLoader, place)
    except UnreadableFile as error:
        text = f"The plan cannot be read: {error.problem}."
        mend = f"Name a YAML file that is there, or a shipped plan. {did_you_mean(path, shipped_plans())}"
        raise RorError("ror.plan.unreadable", text, error.place, mend) from None
    except YamlProblem as error:
        text = f"The plan is not YAML: {error.problem}."
        raise RorError("ror.plan.malformed", text, error.place, "Mend that line.") from None
    if not isinstance(written.value, dict):
        raise RorError("ror.plan.malformed", "A plan is a list of fields.", place=place, mend="Begin with name: ...")
    try:
        return model.model_validate(written.value)
    except ValidationError as error:
        found = mistakes_of(error, written.value, model, "ror.plan.field")
        told = [
            RorError(
                one.code, one.message, written.where(one.loc) if one.loc else f"{place}:{written.line(())}", one.mend
            )
            for one in found
        ]
        raise _MistakesError(told) from None
