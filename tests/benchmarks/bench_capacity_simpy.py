"""Full on-demand life cycles per second in the load engine, against bare simpy M/M/50 customers, interleaved in one run on one core."""

from __future__ import annotations

import gc
import json
import statistics
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date
from typing import Any

import numpy as np
import simpy

from headend.network.law import NetworkLaw, Try
from headend.wire import InquiryKind
from meters.calendar import day_start, floor_interval, micros, to_s, to_us
from simulator.capacity.model import Model, Sweep, TabledRequest
from simulator.smt.ondemand.middle import LOST, Middle, MiddleLaw
from simulator.smt.throttle.limits import Door, RequesterClass, Scope
from simulator.smt.throttle.policy import preset
from tests.simulator.capacity.engine.loads import NOON

ROUNDS = 7
CUSTOMERS = 20_000
SERVERS = 50
#: FR CR016.1, store first, at ten times the calls of a busy hour, a sixth of whom have called before: leases, refusals and meter reads all occur.
POLICY, CALLS, METERS, POINTS = "fr-cr016-1", 3740, 10_000, 800


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


def calls(rng: np.random.Generator) -> list[TabledRequest]:
    """An hour's requests with all their draws, ascending."""
    at_us = np.sort(to_us(NOON) + rng.integers(0, to_us(3600), CALLS))
    pickup, back, lost = MiddleLaw().draw(rng, CALLS)
    out, home, heard = NetworkLaw().tries(rng, CALLS)
    meters = rng.integers(0, METERS, CALLS)
    return [
        TabledRequest(
            str(row),
            InquiryKind.INTERVALS,
            str(meter),
            micros(at),
            day_start(date(2026, 8, 12)),
            floor_interval(to_s(micros(at))),
            {
                Scope.ESIID: str(meter),
                Scope.TDSP: "0",
                Scope.ACCESS_POINT: str(meter % POINTS),
                Scope.REQUESTER_CLASS: RequesterClass.ROR_CALL_CENTRE,
            },
            Door.API,
            Middle(micros(pickup[row]), micros(back[row]), LOST[int(lost[row])]),
            tuple(Try(micros(a), micros(b), bool(c)) for a, b, c in zip(out[row], home[row], heard[row], strict=True)),
            meter % POINTS,
        )
        for row, (at, meter) in enumerate(zip(at_us.tolist(), meters.tolist(), strict=True))
    ]


@contextmanager
def collector_paused() -> Generator[None, None, None]:
    """Pause the cycle collector: all requests live to the end, so passes over them free nothing and cost a fifth."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _rate(count: int, work: Callable[[], object]) -> float:
    with collector_paused():
        began = time.perf_counter()
        work()
        return count / (time.perf_counter() - began)


def run() -> list[dict[str, Any]]:
    """The row of ``bench.json``: medians of interleaved rounds, the collector paused for both, as a study's cells run.

    Draws are made before, on both sides; ours then takes every request through the processes that run live.
    """
    rng = np.random.default_rng(1)
    gaps = rng.exponential(1.0, CUSTOMERS).tolist()
    services = rng.exponential(0.9 * SERVERS, CUSTOMERS).tolist()
    requests, sweeps = calls(rng), [Sweep(to_us(NOON), NOON)]
    ours, bare = [], []
    for _ in range(ROUNDS):
        ours.append(_rate(CALLS, lambda: Model(preset(POLICY), sweeps, to_us(NOON)).run(requests)))
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
