"""Life cycles per CPU second in the compiled load engine, against bare simpy M/M/50 customers, interleaved in one run; a part of it row by row first."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from headend.network.law import NetworkLaw
from simulator.capacity.engine.law import Assumptions
from simulator.capacity.engine.run import play_load
from simulator.smt.throttle.policy import preset, preset_names
from tests.benchmarks.bench_capacity_simpy import CUSTOMERS, SERVERS, bare_customers, collector_paused
from tests.simulator.capacity.engine.loads import load, storm
from tests.simulator.capacity.engine.reference import Reference, lives_of

ROUNDS = 5
REQUESTS, METERS, POINTS = 1_000_000, 500_000, 800
#: The live processes take a third of a millisecond a request, so of each preset these are compared.
COMPARED = 20_000
POLICY = "fr-cr016-1"
#: A day with a storm: everything that can be contended is.
ASSUMED = Assumptions(network=NetworkLaw(slot_held_s=30.0, workers=400), batched=True, losing_mean_s=360.0)
#: Rows that have nothing beside them.
_ALONE = {"baseline": "-", "baseline_value": 0, "ratio": 0.0}


def compare() -> int:
    """Play a part of the load both ways under every preset; how many rows were alike. Raises AssertionError at the first that differs."""
    requests, outages = load(COMPARED, COMPARED // 4, 40, hours=6.0), storm(40)
    tight = Assumptions(network=NetworkLaw(slot_held_s=30.0, workers=25), batched=True, losing_mean_s=360.0)
    alike = 0
    for name in preset_names():
        lives = Reference(requests, outages, preset(name), tight, seed=5).run()
        assert lives_of(play_load(requests, outages, preset(name), tight, seed=5)) == lives, name
        alike += len(lives)
    return alike


def _rate(count: int, work: Callable[[], object]) -> float:
    with collector_paused():
        began = time.process_time()
        work()
        return count / (time.process_time() - began)


def run() -> list[dict[str, Any]]:
    """The rows of ``bench.json``: columns in, rows out, the table of the policy and all memory made on the way."""
    alike = compare()
    rng = np.random.default_rng(1)
    gaps = rng.exponential(1.0, CUSTOMERS).tolist()
    services = rng.exponential(0.9 * SERVERS, CUSTOMERS).tolist()
    requests, outages = load(REQUESTS, METERS, POINTS, hours=24.0), storm(POINTS)
    played = play_load(requests, outages, preset(POLICY), ASSUMED, seed=5)
    ours, bare = [], []
    for _ in range(ROUNDS):
        ours.append(_rate(len(played.rows), lambda: play_load(requests, outages, preset(POLICY), ASSUMED, seed=5)))
        bare.append(_rate(CUSTOMERS, lambda: bare_customers(gaps, services)))
    return [
        {
            "name": "capacity_compiled",
            "value": round(statistics.median(ours)),
            "unit": "life cycles/CPU s",
            "baseline": f"bare simpy M/M/{SERVERS}",
            "baseline_value": round(statistics.median(bare)),
            "ratio": round(statistics.median(one / other for one, other in zip(ours, bare, strict=True)), 1),
        },
        {
            "name": "capacity_memory",
            "value": round(played.octets / len(played.rows)),
            "unit": "octets a request",
            **_ALONE,
        },
        {"name": "capacity_alike", "value": alike, "unit": "rows as the live processes have them", **_ALONE},
    ]


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
