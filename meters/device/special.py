"""Magic ESI IDs: meters that always do the same wrong (or merely special) thing, so that a tester can ask for an outcome by its ESI ID.

They are the same in every fleet of a company, whatever the seed: prefix, nines with an 8 at the end, eight digits that count. The rows stand in
``special.json``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from meters.calendar import Seconds, day_of, day_start, floor_interval
from meters.device.energy import Share
from meters.device.meter import EmulatedMeter, Keep
from meters.faults.fault import ALWAYS, FOR_EVER, Fault
from meters.faults.kinds import KINDS, FaultKind, Span
from meters.identity import MeterIdentity, Premise, Tdsp
from meters.load.truth import GeneratedLoad
from meters.load.weather import Weather


@dataclass(frozen=True, slots=True)
class SpecialFault:
    """A fault of a special meter, from and to so many minutes after its fleet came up (None: always, for ever)."""

    kind: FaultKind
    params: dict[str, float] = field(default_factory=dict)
    first_min: int | None = None
    until_min: int | None = None
    #: It begins at the last point before that of so many minutes each from local midnight on. What was long ago, or shows in what was, is then the same whenever
    #: in the span between two of them a fleet comes up.
    grid_min: int | None = None


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


def _special(row: dict[str, Any]) -> Special:
    faults = tuple(SpecialFault(FaultKind(fault.pop("kind")), **fault) for fault in row.pop("faults", ()))
    return Special(**row, faults=faults)


SPECIALS = tuple(map(_special, json.loads(Path(__file__).with_name("special.json").read_text("utf-8"))))
_MWH = 1_000_000
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


def special_meters(
    tdsp: Tdsp, seed: int, since: Seconds, keep: Keep | None = None, weather: Weather = ()
) -> list[tuple[EmulatedMeter, str]]:
    """Every special meter with its note, one ESI ID each. since: UTC epoch seconds at which the fleet comes up. keep: what they are told."""
    premises = {special.number: _premise(tdsp, special) for special in SPECIALS}
    made = []
    for special in SPECIALS:
        premise = premises[special.swapped_with or special.number]
        faults = [_fault(tdsp, special, fault, since) for fault in special.faults]
        load = GeneratedLoad(seed, premise, weather)
        meter = EmulatedMeter(_identity(tdsp, special), premise, seed, faults, load=load, keep=keep)
        made.append((meter, special.note))
    return made


def two_meters(
    tdsp: Tdsp, seed: int, keep: Keep | None = None, weather: Weather = ()
) -> list[tuple[EmulatedMeter, str]]:
    """Two meters at one ESI ID, with their notes."""
    premise, identity = _premise(tdsp, TWO_METERS), _identity(tdsp, TWO_METERS)
    second = MeterIdentity(special_meter_number(TWO_METERS.number + 1), identity.esiid)
    shares = (Share(_FIRST_SHARE), Share(_FIRST_SHARE, rest=True))
    load = GeneratedLoad(seed, premise, weather)
    return [
        (EmulatedMeter(each, premise, seed, load=load, share=share, keep=keep), f"{TWO_METERS.note} {what}")
        for each, share, what in zip(
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
        initial_delivered_wh=_MWH * special.number,
        three_phase=special.three_phase,
    )


def _fault(tdsp: Tdsp, special: Special, fault: SpecialFault, since: Seconds) -> Fault:
    begins = floor_interval(since) if KINDS[fault.kind].span is Span.INTERVALS else since
    first = ALWAYS if fault.first_min is None else begins + 60 * fault.first_min
    if fault.grid_min:
        midnight = day_start(day_of(first))
        first = midnight + (first - midnight) // (60 * fault.grid_min) * 60 * fault.grid_min
    return Fault(
        fault.kind,
        special_esiid(tdsp, special.number),
        first,
        FOR_EVER if fault.until_min is None else begins + 60 * fault.until_min,
        fault.params,
        "" if special.swapped_with is None else special_esiid(tdsp, special.swapped_with),
    )
