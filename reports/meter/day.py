"""One operating day as one meter holds it the next morning: registers, intervals, what is said of each, and what the premise used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meters.calendar import INTERVAL_S, Seconds, day_end, day_start, interval_ends, iso, local, seconds
from meters.faults.fault import ALWAYS, FOR_EVER, Fault, Happening
from meters.faults.kinds import FaultKind, Layer, Span
from meters.faults.lookalike import Lookalike
from meters.fleet import Fleet
from meters.identity import MeterIdentity
from meters.load.truth import DayLoad
from meters.load.weather import temperature
from meters.shown import Reply, Wire
from meters.status import Common, Condition, common_nibble, delivered_condition
from reports.text_chart import Mark
from simulator.world.roster import Found

Wh = NDArray[np.int64]
#: How long after its end a day is read.
READ_AFTER_S = 3600


def _condition(channel: Condition) -> Callable[[NDArray[np.uint16]], NDArray[np.bool_]]:
    return lambda status: delivered_condition(status) == channel


def _common(flag: Common) -> Callable[[NDArray[np.uint16]], NDArray[np.bool_]]:
    return lambda status: (common_nibble(status) & np.uint16(flag)) != 0


#: By what the status says; of several at one interval a chart shows the first.
_BY_STATUS: tuple[tuple[Mark, Callable[[NDArray[np.uint16]], NDArray[np.bool_]]], ...] = (
    (Mark("stopped", "x", "no value, recording was stopped", missing=True), _condition(Condition.STOPPED)),
    (Mark("skipped", "s", "no value, skipped", missing=True), _condition(Condition.SKIPPED)),
    (Mark("power_fail", "P", "the power failed"), _common(Common.POWER_FAIL)),
    (Mark("overflow", "o", "the pulse counter overflowed"), _condition(Condition.OVERFLOW)),
    (Mark("partial", "p", "less than a whole interval"), _condition(Condition.PARTIAL)),
    (Mark("long", "l", "more than a whole interval"), _condition(Condition.LONG)),
    (Mark("test_mode", "t", "test mode"), _condition(Condition.TEST_MODE)),
    (Mark("configuration", "g", "configuration changed"), _condition(Condition.CONFIGURATION_CHANGED)),
    (Mark("clock_forward", "f", "clock set forward"), _common(Common.CLOCK_FORWARD)),
    (Mark("clock_back", "b", "clock set back"), _common(Common.CLOCK_BACK)),
)
_NOT_YET = Mark("not_recorded", "-", "not recorded yet by the meter's clock", missing=True)
_SWITCH = Mark("switch_open", "d", "service switch open")
_SILENT = Mark("silent_fault", "*", "wrong by a fault that its status does not tell")
#: Every mark, the more telling first.
MARKS = (_NOT_YET, *(mark for mark, _ in _BY_STATUS), _SWITCH, _SILENT)
_SILENT_KINDS = (FaultKind.SPIKE, FaultKind.STUCK, FaultKind.NEGATIVE, FaultKind.ZERO)


@dataclass(frozen=True, slots=True, eq=False)
class MeterDay:
    """What a meter holds of a day. Energy in Wh by the multiplier of the records; arrays are (n,), n = 92, 96 or 100."""

    found: Found
    day: date
    #: When it is read, UTC epoch seconds: an hour after the day has ended.
    now: Seconds
    #: Who answers then.
    identity: MeterIdentity
    reply: Reply
    #: UTC epoch seconds at which the intervals end.
    ends: Wh
    delivered: Wh
    received: Wh
    present: NDArray[np.bool_]
    #: (n,) per interval every mark, the most telling first.
    marks: tuple[tuple[Mark, ...], ...]
    #: Raw registers at the two midnights, delivered and received; None where the meter holds none.
    begin: tuple[int, int] | None
    end: tuple[int, int] | None
    #: What the premise used, if a fault may have made another thing of it.
    used: DayLoad | None
    #: Degrees C outdoors; None for a replayed load, of which nobody knows the weather.
    outdoors: NDArray[np.float64] | None
    #: Faults that touch the day, in order.
    faults: tuple[Fault, ...]
    #: Look-alikes that touch it.
    lookalikes: tuple[Lookalike, ...]

    @property
    def multiplier(self) -> int:
        """Of the records: energy in Wh = raw value x this."""
        return self.found.meter.identity.multiplier

    @property
    def starts(self) -> Wh:
        """UTC epoch seconds at which the intervals begin."""
        return self.ends - INTERVAL_S

    @property
    def mark_order(self) -> tuple[Mark, ...]:
        """Every mark, the more telling first."""
        return MARKS

    @property
    def marked(self) -> list[Mark]:
        """The marks that occur as an interval's first, in the order of ``MARKS``."""
        firsts = {marks[0] for marks in self.marks if marks}
        return [mark for mark in MARKS if mark in firsts]

    @property
    def totals(self) -> tuple[int, int]:
        """Wh delivered and received by the intervals."""
        return int(self.delivered.sum()), int(self.received.sum())

    @property
    def by_registers(self) -> tuple[int, int] | None:
        """Wh delivered and received by the registers; None where one is lacking, another meter's, or fell."""
        if self.begin is None or self.end is None or min(self.end[0] - self.begin[0], self.end[1] - self.begin[1]) < 0:
            return None
        return (self.end[0] - self.begin[0]) * self.multiplier, (self.end[1] - self.begin[1]) * self.multiplier

    def extreme(self, channel: Wh, *, highest: bool) -> int | None:
        """Position of the highest or lowest value that is there, the first of several; None if there is none."""
        held = np.flatnonzero(self.present)
        if not len(held):
            return None
        return int(held[np.argmax(channel[held]) if highest else np.argmin(channel[held])])

    def span_text(self, at: int) -> str:
        """``17:15 to 17:30`` by the local clock; in the hour that comes twice with the zone."""
        first, last = local(seconds(self.starts[at])), local(seconds(self.ends[at]))
        twice = len(self.ends) > 96 and first.hour == 1
        return f"{first:%H:%M} to {last:%H:%M}" + (f" {first.tzname()}" if twice else "")


def meter_day(found: Found, fleet: Fleet, day: date) -> MeterDay:
    """Read a day from a meter, an hour after its end. Raises MeterError outside the years that have registers."""
    meter, start, end = found.meter, day_start(day), day_end(day)
    now = end + READ_AFTER_S
    window = meter.window(start, end, now)
    ends = interval_ends(day)
    recorded = ends <= meter.clock(now)
    multiplier = meter.identity.multiplier
    present = window.present & recorded
    wh = [np.where(present, channel, 0).astype(np.int64) * multiplier for channel in window[:2]]
    faults = tuple(
        sorted((fault for fault in meter.faults if _touches(fault, start, now)), key=lambda fault: fault.first)
    )
    return MeterDay(
        found,
        day,
        now,
        meter.identity_at(now),
        meter.reply(now),
        ends,
        wh[0],
        wh[1],
        present,
        _marks(window.status, recorded, ends - INTERVAL_S, faults),
        meter.midnight(day, now),
        meter.midnight(day + timedelta(days=1), now),
        found.load.day(day) if meter.faults and not found.beside else None,
        None if found.replayed else temperature(fleet.seed, found.premise.zone, day, fleet.weather),
        faults,
        tuple(one for one in meter.lookalikes if _touches(one, start, end)),
    )


def _touches(fault: Happening, start: Seconds, now: Seconds) -> bool:
    """Whether a fault can be seen in what is read: one of the installation leaves its traces for good."""
    lasting = fault.row.layer is Layer.METER and fault.row.span in (Span.ALWAYS, Span.INSTANT)
    return fault.first < now and (lasting or fault.until > start)


def _marks(
    status: NDArray[np.uint16], recorded: NDArray[np.bool_], starts: Wh, faults: Sequence[Fault]
) -> tuple[tuple[Mark, ...], ...]:
    where = {mark: found(status) for mark, found in _BY_STATUS} | {_NOT_YET: ~recorded}
    for mark, kinds in ((_SWITCH, (FaultKind.DISCONNECTED,)), (_SILENT, _SILENT_KINDS)):
        where[mark] = np.zeros(len(status), np.bool_)
        for fault in faults:
            if fault.kind in kinds:
                where[mark] |= (starts < fault.until) & (starts + INTERVAL_S > fault.first)
    made = []
    for at in range(len(status)):
        its = tuple(mark for mark in MARKS if where[mark][at])
        # Of what is not there yet nothing else is known.
        made.append(its[:1] if its and its[0] is _NOT_YET else its)
    return tuple(made)


def fault_text(fault: Happening) -> str:
    """A fault in a few words: ``spike (factor 40) 2026-08-06 11:00 to 11:15``."""
    params = ", ".join(f"{name} {value:g}" for name, value in fault.params.items())
    if fault.other:
        params = f"with {fault.other}"
    if fault.channel is not fault.row.channel:
        params = ", ".join(filter(None, (params, str(fault.channel))))
    words = f"{fault.kind} ({params})" if params else str(fault.kind)
    if fault.row.span is Span.ALWAYS:
        return words
    first = f"{local(fault.first):%Y-%m-%d %H:%M}"
    if fault.row.span is Span.INSTANT:
        return f"{words} at {first}"
    if fault.first <= ALWAYS:
        return words if fault.until >= FOR_EVER else f"{words} until {local(fault.until):%Y-%m-%d %H:%M}"
    if fault.until >= FOR_EVER:
        return f"{words} from {first} on"
    until = local(fault.until)
    return (
        f"{words} {first} to {until:%H:%M}"
        if until.date() == local(fault.first).date()
        else (f"{words} {first} to {until:%Y-%m-%d %H:%M}")
    )


def fault_json(fault: Happening) -> dict[str, Any]:
    """JSON values of a fault; null where it has no beginning or no end."""
    timed = fault.row.span is not Span.ALWAYS
    entry: dict[str, Any] = {
        "kind": str(fault.kind),
        "first": iso(fault.first) if timed and fault.first > ALWAYS else None,
        "until": iso(fault.until) if timed and fault.row.span is not Span.INSTANT and fault.until < FOR_EVER else None,
        "params": dict(fault.params),
    }
    more = {"other": fault.other, "channel": fault.channel and str(fault.channel)}
    return entry | {name: value for name, value in more.items() if value}


def wire_text(reply: Reply) -> str:
    """What a read an hour after the day's end gets."""
    late = f", {reply.delay_s:g} s late" if reply.delay_s else ""
    return {
        Wire.ANSWER: f"it answers{late}",
        Wire.SILENT: "it does not answer",
        Wire.NO_PATH: "its gateway has no path to it",
        Wire.EXCEPTION: f"Modbus exception {reply.code:#04x}",
        Wire.WRONG_TRANSACTION: "its reply carries a wrong transaction id",
        Wire.WRONG_UNIT: "its reply carries a wrong unit id",
        Wire.WRONG_LENGTH: "its reply carries a wrong length",
    }[reply.wire]


def to_json(shown: MeterDay) -> dict[str, Any]:
    """JSON values of the day; registers raw, all other energy in Wh."""
    found, identity = shown.found, shown.identity
    premise, place = found.premise, found.place

    def register(taken: tuple[int, int] | None) -> dict[str, int] | None:
        return None if taken is None else {"delivered": taken[0], "received": taken[1]}

    def channels(pair: tuple[int, int] | None) -> dict[str, int] | None:
        return None if pair is None else {"delivered_wh": pair[0], "received_wh": pair[1]}

    def point(at: int | None, channel: Wh) -> dict[str, Any] | None:
        return None if at is None else {"end": iso(seconds(shown.ends[at])), "wh": int(channel[at])}

    entry: dict[str, Any] = {
        "esiid": found.meter.identity.esiid,
        "meter_number": identity.meter_number,
        "tdsp": found.tdsp.key,
        "meter": None if place is None else place.meter,
        "gateway": None if place is None else place.gateway,
        "unit": None if place is None else place.unit,
        "class": premise.klass,
        "zone": premise.zone,
        "scale": premise.scale,
        "solar_w": premise.solar_w,
        "ev_wh_a_day": premise.ev_wh,
        "phases": 3 if identity.three_phase else 2,
        "multiplier": shown.multiplier,
        "multiplier_on_the_wire": identity.multiplier,
        "replayed": found.replayed,
        "special": found.note or None,
        "other_meters": list(found.beside),
        "date": str(shown.day),
        "read_at": iso(shown.now),
        "on_the_wire": str(shown.reply.wire),
        "raw_registers": {"begin": register(shown.begin), "end": register(shown.end)},
        "total": channels(shown.totals),
        "total_by_registers": channels(shown.by_registers),
        "load": None
        if shown.used is None
        else channels((int(shown.used.delivered.sum(dtype=np.int64)), int(shown.used.received.sum(dtype=np.int64)))),
        "highest": point(shown.extreme(shown.delivered, highest=True), shown.delivered),
        "lowest": point(shown.extreme(shown.delivered, highest=False), shown.delivered),
        "highest_received": point(shown.extreme(shown.received, highest=True), shown.received),
        "faults": [fault_json(fault) for fault in shown.faults],
        "lookalikes": [fault_json(one) for one in shown.lookalikes],
    }
    entry["intervals"] = [
        {
            "end": iso(seconds(shown.ends[at])),
            "delivered_wh": int(shown.delivered[at]) if shown.present[at] else None,
            "received_wh": int(shown.received[at]) if shown.present[at] else None,
            "marks": [mark.name for mark in shown.marks[at]],
            **({} if shown.outdoors is None else {"outdoors_c": round(float(shown.outdoors[at]), 2)}),
        }
        for at in range(len(shown.ends))
    ]
    return entry
