"""What a test bed is made of, as data: the meters and their faults, who serves and who owns what, the log-ins. Everything is invented."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from headend.network.law import Span
from headend.ports import MeterAddress
from meters.calendar import Seconds, day_end, day_of, day_start, to_us
from meters.device.account import ledger_of
from meters.device.counting import exchanged_number
from meters.device.energy import WHOLE, Share
from meters.device.installation import install
from meters.device.meter import EmulatedMeter
from meters.device.special import special_meters, two_meters
from meters.errors import MeterError
from meters.faults.fault import Fault
from meters.faults.kinds import FaultKind
from meters.faults.ledger import LedgerEntry
from meters.faults.lookalike import Lookalike
from meters.faults.rules import FaultRule, Roster, expand, lookalikes
from meters.fleet import GATEWAY_METERS
from meters.identity import Premise, Tdsp, tdsp
from meters.load.lookalikes import refuse_roofless
from meters.load.premises import HOMES, MARKET, make_premise
from meters.load.replay import read_replay
from meters.load.truth import GeneratedLoad, PremiseLoad, scale_to
from meters.load.weather import Weather
from simulator.errors import SimulatorError
from simulator.world.fault_spec import Declared, FaultSpec, Happenings
from simulator.world.market_spec import MarketSpec

#: Meters on the first gateway from which on a sandbox has faulty ones.
MIN_FAULTY = 5
#: Units of one Modbus TCP gateway.
GATEWAY_UNITS = GATEWAY_METERS
#: Whose meters, unless told.
USUAL_TDSP = "ONCOR"
_NOTHING = Happenings()


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScaleSpec(_Spec):
    """The premise uses so much over operating days first..last, both included."""

    first: date
    last: date
    kwh: Decimal = Field(gt=0, decimal_places=3)


class BesideSpec(_Spec):
    """The second of two meters at one ESI ID: beside which one, and how much of the load it measures; the first one measures the rest."""

    meter: int = Field(ge=1)
    percent: int = Field(ge=1, le=99)


class PremiseSpec(_Spec):
    """What is special about one premise; what is left out is as the world's mix draws it."""

    meter: int = Field(ge=1)
    mix: Literal["homes", "market"] | None = None
    klass: str | None = Field(default=None, description="ERCOT profile type: RESHIWR, RESLOWR, BUSNODEM, BUSMEDLF.")
    zone: str | None = Field(default=None, description="ERCOT weather zone.")
    scale: float | None = Field(default=None, gt=0, description="Use against the class average.")
    solar_kw: float | None = Field(default=None, ge=0, le=1000, description="Rated power of solar panels.")
    ev_kwh_a_day: float | None = Field(default=None, ge=0, le=1000, description="What an electric car charges.")
    multiplier: int | None = Field(default=None, ge=1, le=100_000)
    beside: BesideSpec | None = Field(
        default=None, description="Its meter measures a part of another one's load, at that one's ESI ID."
    )
    scale_to: ScaleSpec | None = None
    replay: Path | None = Field(
        default=None,
        description="A customer's SMT interval CSV, or a CSV profile, that the premise's load is taken from.",
    )

    @model_validator(mode="after")
    def _of_one_load(self) -> Self:
        said = self.model_fields_set - {"meter", "beside", "multiplier"}
        if self.beside is not None and said:
            raise ValueError(f"its load is that of meter {self.beside.meter}; leave {min(said)} out, or say it there")
        return self


class WorldSpec(Declared):
    """A TDSP's meters and the market around them."""

    tdsp: str = USUAL_TDSP
    meters: int = Field(default=40, ge=4, le=10_000)
    gateways: int = Field(default=2, ge=1, le=10_000)
    first_day: date = Field(description="First operating day that is collected and posted.")
    mix: Literal["homes", "market"] = Field(
        default="homes", description="Plain homes, or a market with roofs, cars and small businesses."
    )
    special: bool = Field(default=False, description="The magic ESI IDs too, on a gateway of their own.")
    premises: tuple[PremiseSpec, ...] = ()
    market: MarketSpec = MarketSpec()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.meters > self.gateways * GATEWAY_UNITS:
            raise ValueError(f"{self.meters} meters need at least {-(-self.meters // GATEWAY_UNITS)} gateways")
        named = [premise.meter for premise in self.premises]
        named += [ordinal for spec in (*self.faults, *self.lookalikes) for ordinal in spec.ordinals]
        named += [ordinal for _, ordinal in self.market.named]
        for ordinal in named:
            if ordinal > self.meters:
                raise ValueError(f"there is no meter {ordinal}: the world has {self.meters}")
        for fault in self._apart():
            raise ValueError(fault)
        return self

    def _apart(self) -> Iterator[str]:
        """What keeps two meters from being at one ESI ID."""
        firsts = [second.meter for second in self.beside.values()]
        for ordinal, second in self.beside.items():
            if second.meter >= ordinal or second.meter in self.beside:
                yield f"meter {ordinal} is beside meter {second.meter}; name an earlier one that is beside none"
            if firsts.count(second.meter) > 1:
                yield f"two meters are beside meter {second.meter}; an ESI ID has two at most"
            if ordinal in (named for _, named in self.market.named):
                yield f"the market names meter {ordinal}, whose ESI ID is that of meter {second.meter}; name that one"

    @property
    def beside(self) -> dict[int, BesideSpec]:
        """Meters that are the second at an ESI ID, by ordinal."""
        return {premise.meter: premise.beside for premise in self.premises if premise.beside is not None}

    @property
    def per_gateway(self) -> int:
        """Meters of every gateway; the last may have fewer."""
        return -(-self.meters // self.gateways)


@dataclass(frozen=True, slots=True)
class World:
    """The built world. ``gateways``: meters by unit id, gateway by gateway; the special ones, if any, behind the last."""

    spec: WorldSpec
    seed: int
    tdsp: Tdsp
    gateways: tuple[dict[int, EmulatedMeter], ...]
    faults: tuple[Fault, ...]
    #: What is special about each meter at a magic ESI ID, by its number.
    special: dict[str, str]
    #: What is declared of the weather.
    weather: Weather = ()

    @property
    def placed(self) -> list[tuple[int, int, EmulatedMeter]]:
        """The meters in the order of their ordinals, each with its gateway, from 0 on, and its unit id."""
        return [(gateway, unit, meter) for gateway, units in enumerate(self.gateways) for unit, meter in units.items()]

    @property
    def meters(self) -> list[EmulatedMeter]:
        """The meters, in the order of their ordinals."""
        return [meter for _, _, meter in self.placed]

    def esiid(self, ordinal: int) -> str:
        """The ESI ID of a meter by its ordinal, from 1 on."""
        return self.meters[ordinal - 1].identity.esiid

    def exchanges(self, meter: EmulatedMeter) -> tuple[tuple[Seconds, str], ...]:
        """Exchanges of a meter by the records: from which midnight they know the new one, and its number.

        The records follow a day behind; of a magic meter they never hear.
        """
        if meter.identity.meter_number in self.special:
            return ()
        exchanged = sorted(fault.first for fault in meter.faults if fault.kind is FaultKind.EXCHANGE)
        return tuple(
            (day_end(day_of(first)), exchanged_number(meter.identity.meter_number, after))
            for after, first in enumerate(exchanged, 1)
        )

    def number_at(self, meter: EmulatedMeter, at: Seconds) -> str:
        """Number of the meter that hangs there by the records at an instant, UTC epoch seconds."""
        known = (number for since, number in reversed(self.exchanges(meter)) if since <= at)
        return next(known, meter.identity.meter_number)

    def ledger(self, start: Seconds, end: Seconds) -> list[LedgerEntry]:
        """What the faults did to the meters in [start, end), UTC epoch seconds."""
        return ledger_of(self.meters, start, end)

    def dark(self) -> dict[int, list[Span]]:
        """When an access point has no power: by its number, the outages that all its meters have."""
        out = {
            gateway: set.intersection(
                *({(f.first, f.until) for f in one.faults if f.kind is FaultKind.OUTAGE} for one in units.values())
            )
            for gateway, units in enumerate(self.gateways)
        }
        return {at: [Span(to_us(first), to_us(until)) for first, until in sorted(spans)] for at, spans in out.items()}

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
                exchanges=self.exchanges(meter),
                phases=3 if meter.identity.three_phase else 1,
            )
            for gateway, unit_id, meter in self.placed
        ]


def build(spec: WorldSpec, seed: int, since: Seconds | None = None, more: Happenings = _NOTHING) -> World:
    """Make the meters of a world. Raises SimulatorError for what a fault or a premise cannot be.

    since: UTC epoch seconds from which the special meters' faults count; the first operating day's beginning unless given.
    more: beside what the world declares.
    """
    company = tdsp(spec.tdsp)
    wanted = {premise.meter: premise for premise in spec.premises}
    declared = spec.happenings(lambda section, _: f"world.{section}")
    # First what is declared beside it: by rate it hits whom it hits wherever these meters are served.
    rules, weather = more.rules + declared.rules, more.weather + declared.weather
    premises = [_premise(spec, company, seed, at, wanted.get(at), weather) for at in range(1, spec.meters + 1)]
    faults, alike = _drawn(spec, seed, premises, rules)
    gateways: list[dict[int, EmulatedMeter]] = [{} for _ in range(spec.gateways)]
    for index, meter in enumerate(_meters(premises, wanted, seed, faults, alike, weather)):
        gateway, unit = divmod(index, spec.per_gateway)
        gateways[gateway][unit + 1] = meter
    notes: dict[str, str] = {}
    if spec.special:
        magic = special_meters(company, seed, day_start(spec.first_day) if since is None else since, weather=weather)
        magic += two_meters(company, seed, weather=weather)
        gateways.append({unit: meter for unit, (meter, _) in enumerate(magic, 1)})
        notes = {meter.identity.meter_number: note for meter, note in magic}
    hung = tuple(fault for units in gateways for meter in units.values() for fault in meter.faults)
    return World(spec, seed, company, tuple(gateways), hung, notes, weather)


def _meters(
    premises: list[Premise],
    wanted: dict[int, PremiseSpec],
    seed: int,
    faults: list[Fault],
    alike: list[Lookalike],
    weather: Weather,
) -> Iterator[EmulatedMeter]:
    """The meters at the premises, in their order; a swapped one measures another's."""
    own: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults:
        own[fault.esiid].append(fault)
    ordinals = {premise.esiid: ordinal for ordinal, premise in enumerate(premises, 1)}
    firsts = {one.beside.meter: one.beside for one in wanted.values() if one.beside is not None}
    for ordinal, premise in enumerate(premises, 1):
        special, mine, share = wanted.get(ordinal), own[premise.esiid], WHOLE
        beside = special and special.beside
        if beside:
            # Its faults are its own; the ESI ID and the load are the first one's.
            premise = premises[beside.meter - 1]
            mine, share = (
                [replace(fault, esiid=premise.esiid) for fault in mine],
                Share(100 - beside.percent, rest=True),
            )
        elif ordinal in firsts:
            share = Share(100 - firsts[ordinal].percent)
        identity = install(premise, seed, ordinal)
        if special is not None and special.multiplier is not None:
            identity = replace(identity, multiplier=special.multiplier)
        measured = next((ordinals[fault.other] for fault in mine if fault.other), ordinals[premise.esiid])
        load = _replayed(wanted.get(measured)) or GeneratedLoad(seed, premises[measured - 1], weather)
        there = premises[measured - 1]
        its = [one for one in alike if one.esiid == there.esiid]
        yield EmulatedMeter(identity, there, seed, mine, load=load, share=share, lookalikes=its)


def _premise(
    spec: WorldSpec, company: Tdsp, seed: int, ordinal: int, special: PremiseSpec | None, weather: Weather
) -> Premise:
    mix = special.mix if special is not None and special.mix is not None else spec.mix
    premise = make_premise(company, seed, ordinal, MARKET if mix == "market" else HOMES)
    if special is None:
        return premise
    fields: dict[str, Any] = {
        "klass": special.klass,
        "zone": special.zone,
        "scale": special.scale,
        "solar_w": None if special.solar_kw is None else round(special.solar_kw * 1000),
        "ev_wh": None if special.ev_kwh_a_day is None else round(special.ev_kwh_a_day * 1000),
    }
    premise = replace(premise, **{name: value for name, value in fields.items() if value is not None})
    if special.scale_to is not None:
        to = special.scale_to
        premise = scale_to(seed, premise, to.first, to.last, int(to.kwh * 1000), weather)
    return premise


def _replayed(special: PremiseSpec | None) -> PremiseLoad | None:
    if special is None or special.replay is None:
        return None
    return read_replay(special.replay)


def _drawn(
    spec: WorldSpec, seed: int, premises: list[Premise], rules: Sequence[FaultRule]
) -> tuple[list[Fault], list[Lookalike]]:
    by_esiid = {premise.esiid: premise for premise in premises}
    esiids = list(by_esiid)
    roster = Roster.of(esiids, [index // spec.per_gateway for index in range(len(esiids))])
    try:
        refuse_roofless(rules, seed, roster, by_esiid.__getitem__)
        return expand(rules, seed, roster), lookalikes(rules, seed, roster)
    except MeterError as error:
        raise SimulatorError(error.code, error.message, place=error.place, mend=error.mend) from None


def default_world(today: date, posted_to: date, meters: int, posted_days: int = 35, special: bool = False) -> WorldSpec:
    """The world of a sandbox: so many days posted up to ``posted_to``, and the last meters of the first gateway faulty.

    today: the operating day that the sandbox begins in. special: with the magic ESI IDs.
    """
    gateways = max(2, -(-meters // GATEWAY_UNITS))
    last = -(-meters // gateways)

    def at(days_ago: int, clock: str) -> datetime:
        return datetime.fromisoformat(f"{today - timedelta(days=days_ago)}T{clock}")

    faults: tuple[FaultSpec, ...] = ()
    # Three faulty ones and two ordinary ones need five meters on the first gateway.
    if last >= MIN_FAULTY:
        faults = (
            FaultSpec(kind=FaultKind.GAP, meter=last - 2, first=at(9, "13:00"), until=at(9, "19:00")),
            FaultSpec.model_validate(
                {"kind": "spike", "meter": last - 1, "first": at(6, "11:00"), "until": at(6, "11:15"), "factor": 40}
            ),
            FaultSpec(kind=FaultKind.DEAD, meter=last, first=at(2, "00:00")),
        )
    return WorldSpec(
        meters=meters,
        gateways=gateways,
        first_day=posted_to - timedelta(days=posted_days - 1),
        mix="market",
        special=special,
        faults=faults,
    )
