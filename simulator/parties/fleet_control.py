"""The control API's part for meters of the same process: how each does, and faults switched on and off while they serve.

A fault that is switched on begins now or later, and one that is switched off ends now: what a meter has shown stays as it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from headend.http.described_api import party_of
from headend.http.examples import Replies, documented
from headend.wire import Instant
from meters.calendar import INTERVAL_S, Seconds, floor_interval, iso, seconds
from meters.device.meter import EmulatedMeter
from meters.errors import MeterError
from meters.faults.fault import ALWAYS, FOR_EVER, Fault
from meters.faults.kinds import KINDS, Channel, FaultKind, Span
from meters.faults.replies import silences
from meters.shown import Wire
from simulator.runtime.driver import Runtime
from simulator.smt.doors.both.bodies import BusinessErrorReply

#: Faults that may be switched on at a time: a meter looks through all of its own. A default of this project.
MOST = 1000
#: Kinds that say what has always been, which nothing can be switched to.
_NEVER = {Span.ALWAYS}


class Health(StrEnum):
    """How a meter does."""

    OK = "ok"
    #: It answers at times, late or wrongly.
    FLAKY = "flaky"
    #: It does not answer now.
    DEAD = "dead"
    #: It answers as it should, and something else is wrong with it.
    FAULTY = "faulty"


class FaultAsked(BaseModel):
    """A fault to switch on."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"kind": "dead", "esiid": "10443729924385485"}]}
    )

    kind: FaultKind
    esiid: str = Field(pattern=r"^[0-9]{1,22}$", examples=["10443729924385485"])
    meterNumber: str | None = Field(default=None, max_length=32, description="Where two meters are at the ESI ID.")
    first: Instant | None = Field(default=None, description="Begins then, not before now; now unless given.")
    until: Instant | None = Field(
        default=None, description="Is over then; lasts until it is switched off unless given."
    )
    params: dict[str, float] = Field(
        default_factory=dict, description="As its kind takes them.", examples=[{"factor": 40}]
    )
    channel: Channel | None = Field(default=None, description="Of a fault of intervals: which channels it takes.")


class FaultState(BaseModel):
    """A fault of a meter that is or will be."""

    id: str = Field(examples=["fault-1"])
    active: bool = Field(description="Whether it acts now.")
    kind: FaultKind
    does: str
    esiid: str
    meterNumber: str
    first: str | None = Field(description="Null: it has always been.")
    until: str | None = Field(description="Null: until it is switched off.")
    params: dict[str, float]
    declared: bool = Field(description="Whether it was there from the beginning; else it was switched on here.")
    lasting: bool = Field(
        description="Whether it has always been, or happens at an instant: then it cannot be switched off."
    )


class FaultList(BaseModel):
    """Faults that are or will be, by id."""

    faults: list[FaultState]


class MeterTold(BaseModel):
    """How one meter does."""

    esiid: str
    meterNumber: str
    gateway: int = Field(description="From 1 on.")
    unit: int = Field(description="Modbus unit id.")
    state: Health
    faults: list[FaultKind] = Field(description="That act now.")
    note: str = Field(description="What a magic ESI ID does; empty for others.")


class MeterList(BaseModel):
    """The meters of this process."""

    at: str
    counts: dict[Health, int] = Field(description="Of all of them.")
    meters: list[MeterTold] = Field(description="Of these those that were asked for.")
    leftOut: int


class MetersAsked(BaseModel):
    """Which meters. A name that is not known is refused."""

    model_config = ConfigDict(extra="forbid")

    state: Health | None = Field(default=None, description="That do so.")
    esiid: str | None = Field(default=None, pattern=r"^[0-9]{1,22}$")
    most: int = Field(default=100, ge=0, le=10_000, description="Given at most.")
    skip: int = Field(default=0, ge=0, le=1_000_000, description="So many are left out before: to page on.")


class _Placed(NamedTuple):
    meter: EmulatedMeter
    gateway: int
    unit: int


@dataclass(slots=True)
class _Kept:
    """A fault by its id."""

    fault: Fault
    meter: EmulatedMeter
    declared: bool


class LoginTold(BaseModel):
    """A log-in of the test bed's own."""

    role: str = Field(examples=["customer"])
    username: str
    password: str = Field(description="Invented, as everything here; of this test bed alone.")
    duns: str = Field(description="Empty for who has none.")


class SpecialTold(BaseModel):
    """An ESI ID with something special."""

    esiid: str
    meterNumber: str
    note: str = Field(description="What it does.")


class BedTold(BaseModel):
    """The test bed: where each part is, who may log in, which ESI IDs are special."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "smtUrl": "http://127.0.0.1:8600",
                    "headendUrl": "http://127.0.0.1:8610",
                    "rorUrl": "http://127.0.0.1:8650",
                    "ftpsHost": "127.0.0.1",
                    "ftpsPort": 8621,
                    "policy": "smt-today",
                    "veePreset": "oncor",
                    "keysFile": "/home/tester/ami-out/sandbox/keys.json",
                    "logins": [
                        {"role": "customer", "username": "customer.one", "password": "customer-one-1", "duns": ""}
                    ],
                    "esiids": [
                        {
                            "esiid": "10443729924385485",
                            "meterNumber": "907055285",
                            "note": "ordinary; the customer's own",
                        }
                    ],
                }
            ]
        }
    )

    smtUrl: str
    headendUrl: str
    rorUrl: str = Field(description="Empty without a retailer's desk.")
    ftpsHost: str
    ftpsPort: int
    policy: str = Field(description="The throttle.")
    veePreset: str
    keysFile: str = Field(description="With the keys of the links, on its machine.")
    logins: list[LoginTold]
    esiids: list[SpecialTold]


class FleetControl:
    """The meters behind the gateways of this process, and their faults."""

    def __init__(
        self,
        runtime: Runtime,
        gateways: Sequence[Mapping[int, EmulatedMeter]],
        notes: Mapping[str, str],
        touched: Callable[[EmulatedMeter], None],
        ready: Callable[[], Mapping[str, Any]],
    ) -> None:
        """notes: what is special about a meter, by its number. touched: told of a meter that may have something to tell. ready: the bed's ready line."""
        self._ready = ready
        self._runtime, self._notes, self._touched = runtime, notes, touched
        self._placed = [
            _Placed(meter, at, unit) for at, units in enumerate(gateways, 1) for unit, meter in units.items()
        ]
        self._faults = {
            f"declared-{number}": _Kept(fault, meter, declared=True)
            for number, (fault, meter) in enumerate(
                ((fault, one.meter) for one in self._placed for fault in one.meter.faults), 1
            )
        }
        self._count = 0

    def bed(self) -> BedTold:
        """The test bed as its ready line has it."""
        ready = self._ready()
        return BedTold(
            smtUrl=ready["smt_url"],
            headendUrl=ready["headend_url"],
            rorUrl=ready.get("ror_url", ""),
            ftpsHost=ready["ftps"]["host"],
            ftpsPort=ready["ftps"]["port"],
            policy=ready["policy"],
            veePreset=ready["vee_preset"],
            keysFile=ready["keys_file"],
            logins=[LoginTold(role=role, **{"duns": "", **login}) for role, login in ready["logins"].items()],
            esiids=[
                SpecialTold(esiid=one["esiid"], meterNumber=one["meter_number"], note=one["note"])
                for one in ready["esiids"]
            ],
        )

    def listed(self, asked: MetersAsked) -> MeterList:
        """The meters that are asked for, and how many of all do how."""
        now = self._runtime.now()
        states = [(one, _health(one.meter, now)) for one in self._placed]
        found = [
            (one, state)
            for one, state in states
            if asked.state in (None, state) and asked.esiid in (None, one.meter.identity.esiid)
        ]
        shown = found[asked.skip : asked.skip + asked.most]
        return MeterList(
            at=iso(now),
            counts=dict.fromkeys(Health, 0) | Counter(state for _, state in states),
            meters=[self._told(one, state, now) for one, state in shown],
            leftOut=len(found) - len(shown),
        )

    def _told(self, one: _Placed, state: Health, now: Seconds) -> MeterTold:
        return MeterTold(
            esiid=one.meter.identity.esiid,
            meterNumber=one.meter.number(now),
            gateway=one.gateway,
            unit=one.unit,
            state=state,
            faults=[fault.kind for fault in one.meter.faults if fault.covers(now)],
            note=self._notes.get(one.meter.identity.meter_number, ""),
        )

    def faults(self) -> list[FaultState]:
        """Those that are not over."""
        now = self._runtime.now()
        return [self._state(ident, kept) for ident, kept in self._faults.items() if kept.fault.until > now]

    def switch_on(self, asked: FaultAsked) -> FaultState:
        """Switch a fault on. Raises MeterError for one that cannot be, KeyError for an ESI ID, or meter, that there is none of."""
        meter = self._meter(asked.esiid, asked.meterNumber)
        fault = self._fault(asked)
        if sum(not kept.declared and kept.fault.until > self._runtime.now() for kept in self._faults.values()) >= MOST:
            raise MeterError("meters.fault.many", f"{MOST} faults are on.", mend="Switch some off.")
        meter.suffer((*meter.faults, fault))
        self._count += 1
        ident = f"fault-{self._count}"
        self._faults[ident] = kept = _Kept(fault, meter, declared=False)
        self._touched(meter)
        return self._state(ident, kept)

    def switch_off(self, ident: str) -> FaultState:
        """End a fault now. Raises KeyError for one that there is none of, MeterError for one that has no end."""
        kept, now = self._faults[ident], self._runtime.now()
        fault, meter = kept.fault, kept.meter
        if fault.until <= now:
            raise KeyError(ident)
        if fault.row.span not in (Span.SECONDS, Span.INTERVALS) and fault.first <= now:
            text = f"A {fault.kind} is no state that ends."
            raise MeterError("meters.fault.lasting", text, place=ident, mend="Switch off what has a span.")
        others = tuple(one for one in meter.faults if one is not fault)
        ends = _next_interval(now) if fault.row.span is Span.INTERVALS else now
        if fault.first < ends:
            kept.fault = replace(fault, until=min(ends, fault.until))
            meter.suffer((*others, kept.fault))
            told = self._state(ident, kept)
        else:
            # It never began.
            meter.suffer(others)
            told = self._state(ident, self._faults.pop(ident)).model_copy(update={"active": False})
        self._touched(meter)
        return told

    def _meter(self, esiid: str, number: str | None) -> EmulatedMeter:
        for one in self._placed:
            if one.meter.identity.esiid == esiid and number in (None, one.meter.identity.meter_number):
                return one.meter
        raise KeyError(esiid)

    def _fault(self, asked: FaultAsked) -> Fault:
        row, now = KINDS[asked.kind], self._runtime.now()
        place = f"{asked.kind} at {asked.esiid}"
        if row.span in _NEVER:
            text = f"A {asked.kind} has always been, or never."
            raise MeterError("meters.fault.span", text, place, "Begin a test bed with it: --faults FILE.")
        earliest = _next_interval(now) if row.span is Span.INTERVALS else now
        first = earliest if asked.first is None else seconds(int(asked.first.timestamp()))
        if first < earliest:
            text = f"It would begin before {iso(earliest)}, and what meters have shown stays as it was."
            raise MeterError("meters.fault.past", text, place, "Leave 'first' away: then it begins at once.")
        until = FOR_EVER if asked.until is None else seconds(int(asked.until.timestamp()))
        return Fault(asked.kind, asked.esiid, first, until, asked.params, "", asked.channel)

    def _state(self, ident: str, kept: _Kept) -> FaultState:
        fault = kept.fault
        return FaultState(
            id=ident,
            active=fault.covers(self._runtime.now()),
            kind=fault.kind,
            does=fault.row.does,
            esiid=fault.esiid,
            meterNumber=kept.meter.identity.meter_number,
            first=None if fault.first == ALWAYS else iso(fault.first),
            until=None if fault.until >= FOR_EVER else iso(fault.until),
            params=dict(fault.params),
            declared=kept.declared,
            lasting=fault.row.span not in (Span.SECONDS, Span.INTERVALS),
        )


def _next_interval(now: Seconds) -> Seconds:
    """The next bound of intervals: what one label has is all shown or all not."""
    begun = floor_interval(now)
    return now if begun == now else begun + INTERVAL_S


def _health(meter: EmulatedMeter, now: Seconds) -> Health:
    active = [fault.kind for fault in meter.faults if fault.covers(now)]
    if not active:
        return Health.OK
    if meter.reply(now).wire in (Wire.SILENT, Wire.NO_PATH) and FaultKind.FLAKY not in active:
        return Health.DEAD
    return Health.FLAKY if any(map(silences, active)) else Health.FAULTY


_ServedFleet = Annotated[FleetControl, party_of(FleetControl)]
_REFUSED: Replies = {
    400: documented("The body is not as documented, or the fault cannot be.", BusinessErrorReply),
    404: documented("There is no such meter, or no such fault.", BusinessErrorReply),
}
_KINDS_TOLD = "\n".join(
    f"* `{kind.value}` ({row.layer.value}): {row.does}"
    + "".join(f" `{name}`: {one.unit}, {one.least:g} to {one.most:g}." for name, one in row.parameters.items())
    for kind, row in KINDS.items()
    if row.span not in _NEVER
)


@cache
def router() -> APIRouter:
    """``GET /control/bed``, and the routes under ``/control/meters`` and ``/control/faults``."""
    routes = APIRouter(prefix="/control", tags=["Control"])

    @routes.get("/bed", summary="Where each part of the test bed is")
    async def bed(fleet: _ServedFleet) -> BedTold:
        """Tell addresses, log-ins and the ESI IDs with something special, as the test bed printed them when it was ready."""
        return fleet.bed()

    @routes.get("/meters", summary="The meters, and how each does")
    async def meters(asked: Annotated[MetersAsked, Query()], fleet: _ServedFleet) -> MeterList:
        """Tell by the truth of the emulated meters, whatever the head-end has heard: how many are ok, flaky, dead, faulty, and which."""
        return fleet.listed(asked)

    @routes.get("/faults", summary="Faults of meters that are or will be")
    async def listed(fleet: _ServedFleet) -> FaultList:
        return FaultList(faults=fleet.faults())

    @routes.post(
        "/faults",
        status_code=201,
        response_model=FaultState,
        responses=_REFUSED,
        summary="Switch a fault of a meter on",
        description=f"From now on, or from a later instant: what a meter has shown stays as it was.\n\n{_KINDS_TOLD}",
    )
    async def switch_on(asked: FaultAsked, fleet: _ServedFleet) -> FaultState | JSONResponse:
        try:
            return fleet.switch_on(asked)
        except KeyError:
            return _refuse(404, "control.faults.meter", f"There is no meter at {asked.esiid}.")
        except MeterError as error:
            return _refuse(400, error.code, f"{error.message} {error.mend}".strip())

    @routes.delete(
        "/faults/{ident}", response_model=FaultState, responses=_REFUSED, summary="Switch a fault of a meter off"
    )
    async def switch_off(ident: str, fleet: _ServedFleet) -> FaultState | JSONResponse:
        """End it now, or with the running quarter hour where it takes whole ones."""
        try:
            return fleet.switch_off(ident)
        except KeyError:
            return _refuse(404, "control.faults.unknown", f"No fault {ident[:40]} is on.")
        except MeterError as error:
            return _refuse(400, error.code, f"{error.message} {error.mend}".strip())

    return routes


def _refuse(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"errorCode": code, "errorMessage": message}, status_code=status)
