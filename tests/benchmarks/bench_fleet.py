"""A day of a company's meters in partitions of arrays, faults and all, on one core, against the load alone."""

from __future__ import annotations

import statistics
import time
from datetime import date
from typing import Any

from meters.calendar import day_end, day_start, seconds
from meters.faults.kinds import FaultKind
from meters.faults.rules import FaultRule
from meters.fleet import Fleet
from meters.identity import tdsp
from meters.load.premises import MARKET, PremiseArrays
from meters.load.truth import day_intervals

_DAY = date(2026, 7, 15)
_METERS = 100_000
_ROUNDS = 5


def run() -> list[dict[str, Any]]:
    """Give one row: million intervals a second; one meter in a hundred has a gap of two hours that day, one in 500 is dead."""
    rules = [
        FaultRule(FaultKind.GAP, day_start(_DAY), day_end(_DAY), rate=0.01, every="day", length_s=seconds(7200)),
        FaultRule(FaultKind.DEAD, rate=0.002),
    ]
    fleet = Fleet(tdsp("ONCOR"), 1, _METERS, rules, MARKET)
    premises = PremiseArrays.generate(1, tdsp("ONCOR"), _METERS, 1, MARKET)
    ours, bare = [], []
    for _ in range(_ROUNDS + 1):
        began = time.perf_counter()
        for _part in fleet.day(_DAY):
            pass
        ours.append(_METERS * 96 / (time.perf_counter() - began) / 1e6)
        began = time.perf_counter()
        day_intervals(1, premises, _DAY)
        bare.append(_METERS * 96 / (time.perf_counter() - began) / 1e6)
    # The first round compiled.
    return [
        {
            "name": "fleet",
            "value": statistics.median(ours[1:]),
            "unit": "M intervals/s",
            "baseline": "the same meters' load alone, in one array",
            "baseline_value": statistics.median(bare[1:]),
            "ratio": statistics.median(a / b for a, b in zip(ours[1:], bare[1:], strict=True)),
        }
    ]
