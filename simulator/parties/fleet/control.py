"""The meters of the same process as a tester has them: how each does, and faults switched on and off while they serve.

A fault that is switched on begins now or later, and one that is switched off ends now: what a meter has shown stays as it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from meters.calendar import INTERVAL_S, Seconds, floor_interval, iso, seconds
from meters.device.meter import EmulatedMeter
from meters.errors import MeterError
from meters.faults.fault import ALWAYS, FOR_EVER, Fault
from meters.faults.kinds import KINDS, FaultKind, Span
from meters.faults.replies import silences
from meters.shown import Wire
from simulator.parties.fleet.wire import (
    NEVER,
    BedTold,
    FaultAsked,
    FaultState,
    Health,
    LoginTold,
    MeterList,
    MetersAsked,
    MeterTold,
    SpecialTold,
)
from simulator.runtime.driver import Runtime

#: Faults that may be switched on at a time: a meter looks through all of its own. A default of this project.
MOST = 1000


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
        if row.span in NEVER:
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
