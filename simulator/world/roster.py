"""Finds one meter by its ESI ID: whose it is, behind which gateway, what is special about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from meters.calendar import Seconds, day_start
from meters.device.meter import EmulatedMeter
from meters.errors import MeterError
from meters.fleet import GATEWAY_METERS, Fleet
from meters.identity import TDSPS, Premise, Tdsp, ordinal_of
from meters.load.lookalikes import with_lookalikes
from meters.load.truth import GeneratedLoad, PremiseLoad
from simulator.errors import SimulatorError
from simulator.world.fleet import magic_meters

#: A magic ESI ID's faults count from when its fleet comes up: for a day that is looked at, from its noon. Default of this project.
_UP_AT_S = 12 * 3600
_MEND = "'ami meters list' names the fleet's, 'ami meters list --special' the magic ones."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a meter is read: gateway and unit id, both from 1 on."""

    gateway: int
    unit: int
    #: Number in its fleet, from 1 on, as fault files count; None for a magic ESI ID.
    meter: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """A meter and what is known of it besides."""

    tdsp: Tdsp
    meter: EmulatedMeter
    #: The premise at its ESI ID; in a swap it measures another's.
    premise: Premise
    #: What the premise uses.
    load: PremiseLoad
    #: None: its ordinal is beyond the fleet's count.
    place: Place | None
    #: What a magic ESI ID does.
    note: str = ""
    replayed: bool = False
    #: Numbers of the other meters at its ESI ID.
    beside: tuple[str, ...] = ()


def company_of(esiid: str) -> Tdsp:
    """Whose ESI ID it is, by prefix and length. Raises SimulatorError for one that is nobody's."""
    for company in TDSPS.values():
        if esiid.isascii() and esiid.isdigit() and esiid.startswith(company.prefix) and len(esiid) == company.digits:
            return company
    begins = ", ".join(f"{tdsp.prefix} ({tdsp.key}, {tdsp.digits} digits)" for tdsp in TDSPS.values())
    raise SimulatorError(
        "meters.esiid.unknown", "This is no company's ESI ID.", esiid or "ESIID", f"They begin {begins}. {_MEND}"
    )


def place_of(ordinal: int) -> Place:
    """Where ``ami meters serve`` puts the meter with that ordinal."""
    gateway, unit = divmod(ordinal - 1, GATEWAY_METERS)
    return Place(gateway + 1, unit + 1, ordinal)


def magic(fleet: Fleet, since: Seconds) -> list[tuple[EmulatedMeter, str, Place]]:
    """Every meter at a magic ESI ID, its note, and where it is read: behind the gateway after the fleet's last.

    since: UTC epoch seconds at which the fleet comes up.
    """
    gateway = -(-fleet.count // GATEWAY_METERS) + 1
    made = magic_meters(fleet, since)
    return [(meter, note, Place(gateway, unit, None)) for unit, (meter, note) in enumerate(made, 1)]


def find(fleet: Fleet, esiid: str, day: date, meter_number: str = "") -> Found:
    """The meter at an ESI ID of the fleet's company and seed, with its faults; also one beyond the fleet's count.

    day: a magic one's faults count from its noon. meter_number: which, where there are several; the first unless given. Raises SimulatorError for one that there is none of.
    """
    specials = magic(fleet, day_start(day) + _UP_AT_S)
    here = [special for special in specials if special[0].identity.esiid == esiid]
    if here:
        premise = next(one.premise for one, _, _ in specials if one.premise.esiid == esiid)
        load: PremiseLoad = GeneratedLoad(fleet.seed, premise, fleet.weather)
        found = [Found(fleet.tdsp, meter, premise, load, place, note) for meter, note, place in here]
    else:
        try:
            ordinal = ordinal_of(fleet.tdsp, fleet.seed, esiid)
        except MeterError as error:
            raise SimulatorError(error.code, error.message, error.place, _MEND) from None
        premise = fleet.premise(ordinal)
        load = with_lookalikes(fleet.load(ordinal), fleet.lookalikes(ordinal), premise)
        place = place_of(ordinal) if 1 <= ordinal <= fleet.count else None
        replayed = ordinal in fleet.loads
        found = [Found(fleet.tdsp, fleet.meter(ordinal), premise, load, place, replayed=replayed)]
    numbers = [one.meter.identity.meter_number for one in found]
    if meter_number and meter_number not in numbers:
        raise SimulatorError(
            "meters.meter_number.unknown",
            f"There is no meter {meter_number} at {esiid}.",
            "--meter",
            f"There is {' and '.join(numbers)}.",
        )
    at = numbers.index(meter_number) if meter_number else 0
    return replace(found[at], beside=tuple(numbers[:at] + numbers[at + 1 :]))
