"""Magic ESI IDs: meters that always do the same wrong (or merely special) thing, so that a tester can ask for an outcome by its ESI ID.

They are the same in every fleet of a company, whatever the seed: prefix, nines with an 8 at the end, eight digits that count.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from meters.calendar import floor_interval
from meters.device.energy import Share
from meters.device.meter import EmulatedMeter, Keep
from meters.faults.fault import ALWAYS, FOR_EVER, Fault
from meters.faults.kinds import KINDS, FaultKind, Span
from meters.identity import MeterIdentity, Premise, Tdsp

_H = 3600


@dataclass(frozen=True, slots=True)
class SpecialFault:
    """A fault of a special meter; ``first`` and ``until`` count from when its fleet came up (None: always, for ever)."""

    kind: FaultKind
    params: dict[str, float] = field(default_factory=dict)
    first: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Special:
    """One magic ESI ID."""

    #: Its last digits.
    number: int
    #: What it does, and what a tester gets.
    note: str
    faults: tuple[SpecialFault, ...] = ()
    klass: str = "RESHIWR"
    scale: float = 1.0
    solar_w: int = 0
    ev_wh: int = 0
    multiplier: int = 1
    three_phase: bool = False
    #: Number of the special whose premise it measures, for a swap.
    swapped_with: int | None = None


SPECIALS: tuple[Special, ...] = (
    Special(
        1,
        "never answers: a read fails after its retries, a power status is UNKNOWN, the allowance comes back",
        (SpecialFault(FaultKind.DEAD),),
    ),
    Special(
        2,
        "answers every request 2 wall seconds late, which is too late for a head-end on a fast clock",
        (SpecialFault(FaultKind.SLOW, {"seconds": 2}),),
    ),
    Special(3, "its registers read 0: a read completes with 0", (SpecialFault(FaultKind.ZERO_READ),)),
    Special(
        4,
        "shows what it showed 24 h ago, clock and all: yesterday's read comes back, and is told as FAILED",
        (SpecialFault(FaultKind.STALE),),
    ),
    Special(5, "Modbus exception 0x0B, gateway target failed to respond", (SpecialFault(FaultKind.EXCEPTION),)),
    Special(6, "Modbus exception 0x06, device busy", (SpecialFault(FaultKind.EXCEPTION, {"code": 6}),)),
    Special(
        7,
        "its gateway has no path to it: no answer (on a manual clock Modbus exception 0x0A)",
        (SpecialFault(FaultKind.NO_PATH),),
    ),
    Special(8, "replies carry a wrong transaction id", (SpecialFault(FaultKind.WRONG_TRANSACTION),)),
    Special(9, "replies carry a wrong unit id", (SpecialFault(FaultKind.WRONG_UNIT),)),
    Special(10, "replies carry a wrong length", (SpecialFault(FaultKind.WRONG_LENGTH),)),
    Special(11, "flaky: answers all day or not at all, every other day by chance", (SpecialFault(FaultKind.FLAKY),)),
    Special(
        12,
        "without power since 5 minutes after the start, last gasp told: a power status is OFF",
        (SpecialFault(FaultKind.OUTAGE, first=300),),
    ),
    Special(
        13,
        "without power since 5 minutes after the start, last gasp lost: a power status is UNKNOWN",
        (SpecialFault(FaultKind.OUTAGE, {"last_gasp": 0}, first=300),),
    ),
    Special(
        14,
        "without power from 5 to 65 minutes after the start, both told: OFF, then ON",
        (SpecialFault(FaultKind.OUTAGE, first=300, until=300 + _H),),
    ),
    Special(15, "its service switch is open: ON, switch OPEN, intervals of 0", (SpecialFault(FaultKind.DISCONNECTED),)),
    Special(
        16,
        "recording stopped 6 h before the start: a read completes with missing intervals",
        (SpecialFault(FaultKind.GAP, first=-6 * _H),),
    ),
    Special(
        17,
        "its clock is 10 minutes fast since a day before the start",
        (SpecialFault(FaultKind.CLOCK_SET, {"seconds": 600}, first=-24 * _H),),
    ),
    Special(
        18,
        "its clock gains 2 minutes a day since 5 days before the start",
        (SpecialFault(FaultKind.CLOCK_DRIFT, {"seconds_a_day": 120}, first=-5 * 24 * _H),),
    ),
    Special(19, "every interval shows one value", (SpecialFault(FaultKind.STUCK, first=-24 * _H),)),
    Special(20, "intervals are negative", (SpecialFault(FaultKind.NEGATIVE, first=-24 * _H),)),
    Special(21, "intervals are 0 though power flows", (SpecialFault(FaultKind.ZERO, first=-24 * _H),)),
    Special(
        22,
        "programmed with multiplier 10 where the records have 1: energy seems a tenth",
        (SpecialFault(FaultKind.MULTIPLIER, {"value": 10}),),
    ),
    Special(
        23,
        "exchanged an hour after the start: another meter number answers",
        (SpecialFault(FaultKind.EXCHANGE, first=_H),),
    ),
    Special(
        24,
        "its five-dial register passes 99,999 kWh an hour after the start",
        (SpecialFault(FaultKind.ROLLOVER, {"dials": 5}, first=_H),),
    ),
    Special(25, "in test mode", (SpecialFault(FaultKind.TEST_MODE, first=-24 * _H),)),
    Special(26, "swapped with the next one: measures its load", (SpecialFault(FaultKind.SWAP),), swapped_with=27),
    Special(
        27,
        "swapped with the one before: measures its load",
        (SpecialFault(FaultKind.SWAP),),
        scale=2.0,
        swapped_with=26,
    ),
    Special(28, "sound; a home with solar panels: surplus in channel 1", solar_w=7000),
    Special(29, "sound; a home with an electric car", ev_wh=10_000),
    Special(30, "sound; a small business, three phases", klass="BUSNODEM", three_phase=True),
    Special(
        31,
        "sound; a business behind current transformers, multiplier 40",
        klass="BUSMEDLF",
        multiplier=40,
        three_phase=True,
    ),
)
#: The second meter at the ESI ID of this special: the first measures 60 %, the second the rest.
TWO_METERS = Special(32, "two meters at one ESI ID: this one measures", scale=2.0)
_FIRST_SHARE = 60


def special_esiid(tdsp: Tdsp, number: int) -> str:
    """The magic ESI ID with that number."""
    nines = "9" * (tdsp.digits - len(tdsp.prefix) - 9)
    return f"{tdsp.prefix}{nines}8{number:08d}"


def special_meter_number(number: int) -> str:
    """The invented meter number at the magic ESI ID with that number."""
    return f"6{number:08d}"


def special_meters(tdsp: Tdsp, seed: int, since: int, keep: Keep | None = None) -> list[tuple[EmulatedMeter, str]]:
    """Every special meter with its note, one ESI ID each. since: UTC epoch seconds at which the fleet comes up. keep: what they are told."""
    premises = {special.number: _premise(tdsp, special) for special in SPECIALS}
    made = []
    for special in SPECIALS:
        premise = premises[special.swapped_with or special.number]
        faults = [_fault(tdsp, special, fault, since) for fault in special.faults]
        made.append((EmulatedMeter(_identity(tdsp, special), premise, seed, faults, keep=keep), special.note))
    return made


def two_meters(tdsp: Tdsp, seed: int, keep: Keep | None = None) -> list[tuple[EmulatedMeter, str]]:
    """Two meters at one ESI ID, with their notes."""
    premise, identity = _premise(tdsp, TWO_METERS), _identity(tdsp, TWO_METERS)
    second = MeterIdentity(special_meter_number(TWO_METERS.number + 1), identity.esiid)
    shares = (Share(_FIRST_SHARE), Share(_FIRST_SHARE, rest=True))
    return [
        (EmulatedMeter(one, premise, seed, share=share, keep=keep), f"{TWO_METERS.note} {what}")
        for one, share, what in zip(
            (identity, second), shares, (f"{_FIRST_SHARE} % of the load", "the rest of the load"), strict=True
        )
    ]


def _premise(tdsp: Tdsp, special: Special) -> Premise:
    return Premise(
        special_esiid(tdsp, special.number), tdsp.zone, special.klass, special.scale, special.solar_w, special.ev_wh
    )


def _identity(tdsp: Tdsp, special: Special) -> MeterIdentity:
    return MeterIdentity(
        special_meter_number(special.number),
        special_esiid(tdsp, special.number),
        special.multiplier,
        initial_delivered_wh=1_000_000 * special.number,
        three_phase=special.three_phase,
    )


def _fault(tdsp: Tdsp, special: Special, fault: SpecialFault, since: int) -> Fault:
    begins = floor_interval(since) if KINDS[fault.kind].span is Span.INTERVALS else since
    return Fault(
        fault.kind,
        special_esiid(tdsp, special.number),
        ALWAYS if fault.first is None else begins + fault.first,
        FOR_EVER if fault.until is None else begins + fault.until,
        fault.params,
        "" if special.swapped_with is None else special_esiid(tdsp, special.swapped_with),
    )
