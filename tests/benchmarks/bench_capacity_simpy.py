"""Full on-demand life cycles per second in the load engine, against bare simpy M/M/50 customers, interleaved in one run on one core."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import simpy
from simulator.capacity.demand import draw

from simulator.capacity.outcome import Cell
from simulator.capacity.run import collector_paused, run_drawn
from simulator.capacity.study import load_study

ROUNDS = 7
CUSTOMERS = 20_000
SERVERS = 50
STUDY = Path(__file__).parents[2] / "scenarios" / "capacity" / "first-look.yaml"
#: FR CR016.1, store first, at ten times the calls: leases, refusals and meter reads all occur.
CELL = Cell(policy=2, level=1, replication=0)


def bare_customers(gaps: list[float], services: list[float]) -> None:
    """An M/M/c queue as simpy's own examples write it: one process, one request and two time-outs per customer."""
    env = simpy.Environment()
    servers = simpy.Resource(env, SERVERS)

    def customer(service: float) -> Generator[simpy.Event, Any, None]:
        with servers.request() as turn:
            yield turn
            yield env.timeout(service)

    def arrivals() -> Generator[simpy.Event, Any, None]:
        for gap, service in zip(gaps, services, strict=True):
            yield env.timeout(gap)
            env.process(customer(service))

    env.process(arrivals())
    env.run()


def _rate(count: int, work: Callable[[], object]) -> float:
    with collector_paused():
        began = time.perf_counter()
        work()
        return count / (time.perf_counter() - began)


def run() -> list[dict[str, Any]]:
    """The row of ``bench.json``: medians of interleaved rounds, the collector paused for both, as a study's cells run.

    Draws are made before, on both sides; ours then builds the day so far, runs the hour and fills the columns.
    """
    rng = np.random.default_rng(1)
    gaps = rng.exponential(1.0, CUSTOMERS).tolist()
    services = rng.exponential(0.9 * SERVERS, CUSTOMERS).tolist()
    study = load_study(STUDY)
    demand = draw(study, study.spec.levels[CELL.level], CELL.replication)
    ours, bare = [], []
    for _ in range(ROUNDS):
        ours.append(_rate(len(demand.requests), lambda: run_drawn(study, CELL, demand)))
        bare.append(_rate(CUSTOMERS, lambda: bare_customers(gaps, services)))
    value, baseline = statistics.median(ours), statistics.median(bare)
    return [
        {
            "name": "capacity_simpy",
            "value": round(value),
            "unit": "life cycles/s",
            "baseline": f"bare simpy M/M/{SERVERS}",
            "baseline_value": round(baseline),
            "ratio": round(value / baseline, 3),
        }
    ]


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
