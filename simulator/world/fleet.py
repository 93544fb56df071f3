"""A fleet behind its gateways, and as the world that a market is built around, so that parties in processes of their own speak of the same meters."""

from __future__ import annotations

from datetime import date
from typing import Any

from meters.calendar import Seconds
from meters.device.meter import EmulatedMeter, Keep
from meters.device.special import special_meters, two_meters
from meters.fleet import GATEWAY_METERS, Fleet
from simulator.errors import SimulatorError
from simulator.world.fleet_options import MIXES
from simulator.world.meters import World, WorldSpec

#: Meters that a market alone is made for.
MARKET_METERS = range(4, 10_001)


def magic_meters(fleet: Fleet, since: Seconds, keep: Keep | None = None) -> list[tuple[EmulatedMeter, str]]:
    """The meters at magic ESI IDs under the fleet's weather, each with its note. since, keep: as below."""
    return special_meters(fleet.tdsp, fleet.seed, since, keep, fleet.weather) + two_meters(
        fleet.tdsp, fleet.seed, keep, fleet.weather
    )


def behind_gateways(
    fleet: Fleet, special: bool, since: Seconds, keep: Keep | None = None
) -> tuple[list[list[EmulatedMeter]], dict[str, str]]:
    """The meters gateway by gateway, and what is special about some, by meter number.

    special: with the magic ESI IDs, on a gateway behind the last. since: UTC epoch seconds from which their faults count. keep: of each, what it is told.
    """
    behind: list[list[EmulatedMeter]] = []
    for meter in fleet.meters(keep):
        if not behind or len(behind[-1]) == GATEWAY_METERS:
            behind.append([])
        behind[-1].append(meter)
    if not special:
        return behind, {}
    magic = magic_meters(fleet, since, keep)
    behind.append([meter for meter, _ in magic])
    return behind, {meter.identity.meter_number: note for meter, note in magic}


def fleet_entry(fleet: Fleet, special: bool) -> dict[str, Any]:
    """The fleet in a ready line: what makes the same one elsewhere."""
    mix = next((name for name, one in MIXES.items() if one == fleet.mix), "")
    return {"tdsp": fleet.tdsp.key, "seed": fleet.seed, "count": fleet.count, "mix": mix, "special": special}


def world_of(fleet: Fleet, special: bool, first_day: date, since: Seconds) -> World:
    """The world around a fleet, for SMT's records.

    Raises SimulatorError for a fleet that no market is made for.
    """
    if fleet.count not in MARKET_METERS:
        raise SimulatorError(
            "market.meters",
            f"No market is made for {fleet.count} meters.",
            "--count",
            f"Give {MARKET_METERS.start} to {MARKET_METERS.stop - 1}, or the records with --registry.",
        )
    behind, notes = behind_gateways(fleet, special, since)
    gateways = tuple(dict(enumerate(meters, 1)) for meters in behind)
    spec = WorldSpec(
        tdsp=fleet.tdsp.key,
        meters=fleet.count,
        gateways=len(gateways) - special,
        first_day=first_day,
        special=special,
    )
    return World(spec, fleet.seed, fleet.tdsp, gateways, (), notes)
