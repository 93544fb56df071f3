"""A workload as it is written in YAML: the days, the fleet, who asks how often, and what is not ordinary about it.

Counts and shares that no source gives are defaults of this project, said beside their fields [D].
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from headend.wire import InquiryKind
from meters.identity import TDSPS
from simulator.capacity.workload.columns import POLL_US, POLLS
from simulator.capacity.workload.curves import shipped_curves
from simulator.input.mistakes import day_or_time, did_you_mean
from simulator.input.yaml_text import ClockTime
from simulator.smt.throttle.limits import Door, RequesterClass

#: Access points and retailers are numbered in 16 bits, TDSPs in 8.
MOST_NUMBERED = 32_767
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[float, Field(ge=0, le=100_000_000)]
Instant = Annotated[datetime, BeforeValidator(day_or_time)]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2099, 11, 30)), BeforeValidator(day_or_time)]


class Asker(NamedTuple):
    """How a class asks unless told."""

    door: Door
    kind: InquiryKind
    #: Mean seconds of an exponential patience, of ``waits_s`` exactly so long; neither: it waits for ever.
    patience_s: float = 0.0
    waits_s: float = 0.0


#: Callers: DOMAIN §11. A portal's client gives up after its last poll: DOMAIN §4 [V].
ASKERS = {
    RequesterClass.ROR_CALL_CENTRE: Asker(Door.API, InquiryKind.INTERVALS, patience_s=120),
    RequesterClass.ROR_BULK: Asker(Door.API, InquiryKind.INTERVALS),
    RequesterClass.CUSTOMER: Asker(Door.PORTAL, InquiryKind.REGISTER, waits_s=POLLS * POLL_US / 1e6),
    RequesterClass.HOME_AUTOMATION: Asker(Door.PORTAL, InquiryKind.REGISTER, waits_s=POLLS * POLL_US / 1e6),
    RequesterClass.CSP: Asker(Door.API, InquiryKind.INTERVALS),
}


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _company(name: str) -> str:
    """The key of a TDSP, by its key or its name."""
    keys = {written.upper(): key for key, tdsp in TDSPS.items() for written in (key, tdsp.name)}
    if name.upper() not in keys:
        raise ValueError(f"'{name}' is no TDSP; {did_you_mean(name, [tdsp.name for tdsp in TDSPS.values()])}")
    return keys[name.upper()]


Company = Annotated[str, AfterValidator(_company)]


class TdspSpec(_Spec):
    """A wires company. 5,000 meters per access point: DOMAIN §7 [V]."""

    name: Company
    meters: int = Field(ge=1, le=20_000_000)
    meters_per_access_point: int = Field(default=5000, ge=1)


class RorSpec(_Spec):
    """A retailer and its share of the meters; the shares count against their sum."""

    name: str = Field(min_length=1, max_length=100)
    share: float = Field(gt=0, le=1_000_000)


def _distinct(entries: list[Any]) -> list[Any]:
    names = [one.name for one in entries]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"'{name}' is named twice; leave one out")
    return entries


class FleetSpec(_Spec):
    """Whose meters. ``seed``: of the invented ESI IDs, as the live test bed takes it."""

    tdsps: Annotated[list[TdspSpec], Field(min_length=1, max_length=20), AfterValidator(_distinct)]
    #: A few large retailers and many small ones [D]; all names are invented.
    rors: Annotated[list[RorSpec], Field(min_length=1, max_length=MOST_NUMBERED), AfterValidator(_distinct)] = [
        RorSpec(name=name, share=share)
        for name, share in (
            ("Pecan Bend", 0.30),
            ("Salt Fork", 0.22),
            ("Mesquite Flat", 0.14),
            ("Live Oak", 0.10),
            ("Dry Creek", 0.08),
            ("Blackland", 0.06),
            ("Caprock", 0.04),
            ("Piney Woods", 0.03),
            ("Coastal Bend", 0.02),
            ("High Plains", 0.01),
        )
    ]
    seed: int = Field(default=0, ge=0, lt=100_000_000)

    @model_validator(mode="after")
    def _numbered(self) -> Self:
        points = sum(-(-one.meters // one.meters_per_access_point) for one in self.tdsps)
        if points > MOST_NUMBERED:
            raise ValueError(
                f"there are {points:,} access points, and {MOST_NUMBERED:,} can be numbered; put more meters on each"
            )
        return self


def _curve(name: str) -> str:
    if name not in shipped_curves():
        raise ValueError(f"there is no curve '{name}'; {did_you_mean(name, shipped_curves())}")
    return name


class CallsSpec(_Spec):
    """How often a class asks on a weekday: for the gap's intervals, a register, a power status; and along which curve of the day."""

    reads: Count = 0
    registers: Count = 0
    statuses: Count = 0
    curve: Annotated[str, AfterValidator(_curve)] = "calls"

    def a_weekday(self) -> dict[InquiryKind, float]:
        """Counts by kind, those that are none left out."""
        counts = {
            InquiryKind.INTERVALS: self.reads,
            InquiryKind.REGISTER: self.registers,
            InquiryKind.POWER: self.statuses,
        }
        return {kind: count for kind, count in counts.items() if count}


class HomeAutomationSpec(_Spec):
    """Homes that read their register every hour. Share of the meters: DOMAIN §13 [C], 0.005 % to 0.5 %."""

    share: Share = 0.0003
    #: All of them within so many seconds after each full hour; left out: each at a time of its own in the hour.
    synchronised_within_s: float | None = Field(default=None, gt=0, le=3600)


class BillsSpec(_Spec):
    """Bills that arrive together, and the calls that follow. 0.10 calls a month, 0.35 of them of the bill, 0.5 of those for the gap: DOMAIN §11 [D]."""

    day: Day
    #: Share of the meters that are billed.
    share: Share
    calls_a_bill: Share = 0.0175
    #: Parts of the calls by days after, from the day itself on [D].
    days_after: list[Share] = Field(default=[0.35, 0.3, 0.2, 0.1, 0.05], min_length=1, max_length=31)

    @field_validator("days_after")
    @classmethod
    def _whole(cls, parts: list[float]) -> list[float]:
        if sum(parts) > 1 + 1e-9:
            raise ValueError(f"the parts add up to {sum(parts):g}; they are at most 1 together")
        return parts


class SurgeSpec(_Spec):
    """So many times the ordinary calls."""

    times: float = Field(ge=0, le=1000)
    classes: list[RequesterClass] = Field(
        default=[RequesterClass.ROR_CALL_CENTRE, RequesterClass.CUSTOMER], min_length=1
    )


class BulkSpec(_Spec):
    """A retailer's job that asks for many of its ESI IDs, one after the other, each day at a time."""

    at: ClockTime
    requests: int = Field(ge=1, le=10_000_000)
    a_second: float = Field(default=50, gt=0, le=100_000)
    #: Left out: the first one of the fleet.
    ror: str | None = None


class OutPoint(_Spec):
    """A point of the curve of meters without power."""

    at: Instant
    #: Of the TDSP's meters.
    share: Share


class StatusesSpec(_Spec):
    """Power statuses asked from inside an outage, through call centres [D]."""

    #: Of each meter when its power has gone, so long after in the mean (exponential), if it is still away then.
    a_meter: float = Field(default=0.085, ge=0, le=10)
    after_minutes: float = Field(default=40, gt=0, le=10_000)
    #: Of each meter for each whole weekday without power, along the curve of calls.
    a_day: float = Field(default=0.0, ge=0, le=10)


class GaspsSpec(_Spec):
    """Last gasps: the share of meters whose one is heard, and after how long the head-end has it [D]."""

    heard: Share = 0.6
    after_s: float = Field(default=60, ge=0, le=86_400)


class StormSpec(_Spec):
    """Power away from whole access points, by a curve: written here (``out``), or in a CSV file of ``at,out`` (``curve``)."""

    #: Left out: the first one of the fleet.
    tdsp: Company | None = None
    out: list[OutPoint] | None = Field(default=None, min_length=1)
    curve: str | None = None
    statuses: StatusesSpec = StatusesSpec()
    gasps: GaspsSpec = GaspsSpec()

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.out is None) == (self.curve is None):
            raise ValueError("a storm has either 'out' or 'curve'; write one of them")
        return self


def _name(name: str) -> str:
    if not name or len(name) > 60 or not all(letter.isalnum() or letter in "._-" for letter in name):
        raise ValueError(f"'{name}' is no name; write letters, digits, dots and hyphens, at most 60")
    return name


class WorkloadSpec(_Spec):
    """The whole file."""

    name: Annotated[str, AfterValidator(_name)]
    title: str = ""
    seed: int = Field(default=20260812, ge=0, lt=2**63)
    #: The first operating day, and how many.
    day: Day
    days: int = Field(default=1, ge=1, le=31)
    fleet: FleetSpec
    calls: dict[RequesterClass, CallsSpec] = {}
    home_automation: HomeAutomationSpec | None = None
    surge: SurgeSpec | None = None
    bills: list[BillsSpec] = []
    bulk: list[BulkSpec] = []
    storm: StormSpec | None = None
    #: CSV file of ``hour,class,calls``, beside the counts above.
    curve: str | None = None
    #: CSV or Parquet file of every request, beside those that are drawn.
    requests: str | None = None


def workload_schema() -> dict[str, Any]:
    """JSON Schema of a workload's file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **WorkloadSpec.model_json_schema()}
