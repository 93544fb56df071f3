"""The options that say which fleet a command means: --tdsp, --count, --seed, --mix, --faults, --replay."""

from __future__ import annotations

from pathlib import Path

from meters.fleet import Fleet
from meters.identity import tdsp
from meters.load.premises import HOMES, MARKET
from meters.load.replay import read_replay
from simulator.errors import SimulatorError
from simulator.world.fault_spec import read_happenings

MIXES = {"homes": HOMES, "market": MARKET}


def fleet_of(company: str, count: int, seed: int, mix: str, faults: Path | None, replay: Path | None) -> Fleet:
    """The fleet that was asked for; ``replay`` is the first meter's load. Raises a UserError naming the option or the file's line."""
    if mix not in MIXES:
        raise SimulatorError("meters.mix", f"There is no mix '{mix}'.", "--mix", f"Choose {', '.join(MIXES)}.")
    declared = read_happenings(faults)
    return Fleet(
        tdsp(company.upper()),
        seed,
        count,
        declared.rules,
        MIXES[mix],
        {1: read_replay(replay)} if replay is not None else {},
        declared.weather,
    )
