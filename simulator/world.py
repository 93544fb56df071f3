"""What a test bed is made of, as data: the meters and their faults, who serves and who owns what, the log-ins. Everything is invented."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from headend.ports import MeterAddress
from meters.calendar import day_end, epoch
from meters.errors import MeterError
from meters.faults import Fault
from meters.identity import MeterIdentity, Tdsp, make_meter_number, tdsp
from meters.load import scale_to
from meters.meter import EmulatedMeter
from meters.premises import make_premise
from simulator.errors import SimulatorError

#: Meters on the first gateway from which on a sandbox has faulty ones.
MIN_FAULTY = 5
#: No world reaches so far.
LAST_DAY = date(2099, 12, 31)
#: Units of one Modbus TCP gateway.
GATEWAY_UNITS = 247
#: The retailers of every world: of record for the first gateway's meters, and for all others.
ROR_DUNS, OTHER_ROR_DUNS = "9990001110000", "9990002220000"


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FaultSpec(_Spec):
    """A fault of one meter. Times are local (or carry an offset); without ``until`` it lasts."""

    kind: Literal["gap", "spike", "dead"]
    meter: int = Field(ge=1, description="Ordinal of the meter, from 1 on.")
    first: datetime
    until: datetime | None = None
    factor: float | None = None


class ScaleSpec(_Spec):
    """The premise uses so much over operating days first..last, both included."""

    first: date
    last: date
    kwh: Decimal = Field(gt=0, decimal_places=3)


class PremiseSpec(_Spec):
    """What is special about one premise."""

    meter: int = Field(ge=1)
    scale_to: ScaleSpec


class WorldSpec(_Spec):
    """A TDSP's meters and the market around them."""

    tdsp: str = "ONCOR"
    meters: int = Field(default=40, ge=4, le=10_000)
    gateways: int = Field(default=2, ge=1, le=10_000)
    first_day: date = Field(description="First operating day that is collected and posted.")
    premises: tuple[PremiseSpec, ...] = ()
    faults: tuple[FaultSpec, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.meters > self.gateways * GATEWAY_UNITS:
            raise ValueError(f"{self.meters} meters need at least {-(-self.meters // GATEWAY_UNITS)} gateways")
        for ordinal in (*(one.meter for one in self.premises), *(one.meter for one in self.faults)):
            if ordinal > self.meters:
                raise ValueError(f"there is no meter {ordinal}: the world has {self.meters}")
        return self


@dataclass(frozen=True, slots=True)
class World:
    """The built world. ``gateways``: meters by unit id, gateway by gateway; ``ordinals``: (gateway, unit id) by ESI ID."""

    spec: WorldSpec
    seed: int
    tdsp: Tdsp
    gateways: tuple[dict[int, EmulatedMeter], ...]
    faults: tuple[Fault, ...]

    @property
    def meters(self) -> list[EmulatedMeter]:
        """Every meter, in the order of its ordinal."""
        return [meter for units in self.gateways for meter in units.values()]

    def esiid(self, ordinal: int) -> str:
        """The ESI ID of a meter by its ordinal, from 1 on."""
        return self.meters[ordinal - 1].identity.esiid

    def addresses(self, host: str, ports: list[int]) -> list[MeterAddress]:
        """Where the head-end reaches each meter; a gateway is one access point here."""
        return [
            MeterAddress(
                esiid=meter.identity.esiid,
                meter_number=meter.identity.meter_number,
                host=host,
                port=ports[gateway],
                unit_id=unit_id,
                multiplier=meter.identity.multiplier,
                access_point=gateway,
            )
            for gateway, units in enumerate(self.gateways)
            for unit_id, meter in units.items()
        ]


def build(spec: WorldSpec, seed: int) -> World:
    """Make the meters of a world. Raises SimulatorError for what a fault or a premise cannot be."""
    company = tdsp(spec.tdsp)
    wanted = {one.meter: one.scale_to for one in spec.premises}
    per_gateway = -(-spec.meters // spec.gateways)
    gateways: list[dict[int, EmulatedMeter]] = [{} for _ in range(spec.gateways)]
    faults: list[Fault] = []
    for ordinal in range(1, spec.meters + 1):
        premise = make_premise(company, seed, ordinal)
        if ordinal in wanted:
            to = wanted[ordinal]
            premise = scale_to(seed, premise, to.first, to.last, int(to.kwh * 1000))
        own = [_fault(one, premise.esiid) for one in spec.faults if one.meter == ordinal]
        faults += own
        # A register that has run before: nothing of a reader may depend on its starting at nought.
        identity = MeterIdentity(
            make_meter_number(seed, ordinal), premise.esiid, initial_delivered_wh=1000 * (7919 * ordinal % 40_000)
        )
        gateway, unit = divmod(ordinal - 1, per_gateway)
        gateways[gateway][unit + 1] = EmulatedMeter(identity, premise, seed, own)
    return World(spec, seed, company, tuple(gateways), tuple(faults))


#: A fault without an end lasts until then: no run goes on so long.
_FOR_EVER = day_end(LAST_DAY)


def _fault(spec: FaultSpec, esiid: str) -> Fault:
    place = f"world.faults: {spec.kind} of meter {spec.meter}"
    first = epoch(spec.first, place=place)
    until = epoch(spec.until, place=place) if spec.until is not None else _FOR_EVER
    params = {} if spec.factor is None else {"factor": spec.factor}
    try:
        return Fault(spec.kind, esiid, first, until, params)
    except MeterError as error:
        raise SimulatorError(error.code, error.message, place=place, mend=error.mend) from None


def default_world(today: date, posted_to: date, meters: int, posted_days: int = 35) -> WorldSpec:
    """The world of a sandbox: so many days posted up to ``posted_to``, and the last meters of the first gateway faulty.

    today: the operating day that the sandbox begins in.
    """
    gateways = max(2, -(-meters // GATEWAY_UNITS))
    last = -(-meters // gateways)

    def at(days_ago: int, clock: str) -> datetime:
        return datetime.fromisoformat(f"{today - timedelta(days=days_ago)}T{clock}")

    faults: tuple[FaultSpec, ...] = ()
    # Three faulty ones and two ordinary ones need five meters on the first gateway.
    if last >= MIN_FAULTY:
        faults = (
            FaultSpec(kind="gap", meter=last - 2, first=at(9, "13:00"), until=at(9, "19:00")),
            FaultSpec(kind="spike", meter=last - 1, first=at(6, "11:00"), until=at(6, "11:15"), factor=40),
            FaultSpec(kind="dead", meter=last, first=at(2, "00:00")),
        )
    return WorldSpec(
        meters=meters,
        gateways=gateways,
        first_day=posted_to - timedelta(days=posted_days - 1),
        faults=faults,
    )
