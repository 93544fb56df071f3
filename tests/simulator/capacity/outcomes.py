"""Outcomes made by hand, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulator.capacity.outcome import Key, Outcome, Throttle, Workload
from simulator.capacity.told import GROUPS, Told

#: Told in the call and dollars, by workload, policy and replication.
Figures = Sequence[Sequence[Sequence[tuple[float, float]]]]
FIRST_IS_BEST: Figures = [
    [[(0.50, 0.30), (0.60, 0.20)], [(0.40, 0.20), (0.49, 0.11)]],
    [[(0.50, 0.10), (0.60, 0.10)], [(0.40, 0.10), (0.50, 0.10)]],
]
POLICIES = ("smt-today", "store-only")
ASSUMED = {
    "network": {"workers": 400, "slot_held_s": 30.0},
    "middle": {"pickup_every_s": 30.0},
    "batched": True,
    "losing_mean_s": 360.0,
    "patience_s": 120.0,
    "again_share": 0.15,
    "posted_s": 27_000,
}


def told(share: float, usd: float) -> Told:
    return Told(100, 10, share, share, 0.0, 0.2, 50, 100, 400, 90_000, 70.0, 140.0, usd, 0.1, {"SMT-HOUR": 22})


def cells(figures: Figures, change: str = "") -> Mapping[Key, Mapping[str, Told]]:
    return {
        Key(f"day-{workload}", POLICIES[policy], change, replication): dict.fromkeys(GROUPS, told(*one))
        for workload, policies in enumerate(figures)
        for policy, of in enumerate(policies)
        for replication, one in enumerate(of)
    }


def made(figures: Figures) -> Outcome:
    names = POLICIES[: len(figures[0])]
    return Outcome(
        study={"name": "made", "question": "Which one?"},
        fingerprint="0123456789abcdef",
        workloads=[
            Workload(f"day-{at}", f"Day {at}", 7, "2026-08-12", 1, 4000, 4, 100.0) for at in range(len(figures))
        ],
        policies=[Throttle(name, f"The policy {name}", "store_first") for name in names],
        replications=len(figures[0][0]),
        assumed=ASSUMED,
        cells=cells(figures),
    )
