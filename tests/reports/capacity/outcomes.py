"""Outcomes of load studies whose figures are known, for what draws and words them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from meters.calendar import epoch
from simulator.capacity.outcome import Assumption, Frame, Key, Knee, Observed, Outcome, Point, Throttle, Workload
from simulator.capacity.paired import Estimate
from simulator.capacity.told import GROUPS, Told
from simulator.capacity.workload.columns import CLASSES

#: Told in the call, dollars, tries at meters.
Figures = tuple[float, float, int]
DAY = "2026-08-12"
WORKERS = Assumption("workers", "tries under way at the head-end", "", 400, 100, 1000, "D", "ask a TDSP")
PATIENCE = Assumption("patience_s", "mean patience of a caller", "s", 120, 60, 240, "D", "callers hang up")
#: Another order of callers in each replication: the same for all policies, so that differences are sure where intervals overlap.
LUCK = (-0.02, 0.0, 0.03)


def told(share: float, usd: float, reads: int) -> Told:
    """One group's figures: an octet on air for each five tries, a fifth refused."""
    return Told(
        planned=100,
        again=0,
        told_in_call=share,
        told_meter=share,
        told_store=0.0,
        refused=0.2,
        meter_reads=reads,
        octets_on_air=reads * 500,
        http_calls=300,
        http_octets=0,
        p50_s=70.0,
        p95_s=140.0,
        usd=usd,
        unsatisfied=0.1,
        refused_by={"SMT-HOUR": 20},
    )


def groups(share: float, usd: float, reads: int) -> dict[str, Told]:
    """The same for every group."""
    return dict.fromkeys(GROUPS, told(share, usd, reads))


def outcome(
    by: Mapping[str, Sequence[Figures]],
    tornado: Sequence[Assumption] = (),
    changed: Mapping[tuple[str, str], Sequence[Figures]] | None = None,
    replications: int = len(LUCK),
    **fields: Any,
) -> Outcome:
    """by: of each policy its figures on one workload after the other. changed: the same by policy and change."""
    names = [f"day-{at}" for at in range(len(next(iter(by.values()))))]
    cells = {
        Key(workload, policy, change, at): groups(share + LUCK[at], usd + LUCK[at] / 10, reads + at)
        for (policy, change), of in {**{(one, ""): of for one, of in by.items()}, **(changed or {})}.items()
        for workload, (share, usd, reads) in zip(names, of, strict=True)
        for at in range(replications)
    }
    usual: dict[str, Any] = {
        "study": {"name": "small", "question": "Which throttle?", "levels": ["told_in_call>=0.45"]},
        "fingerprint": "0123456789abcdef",
        "workloads": [Workload(name, f"Title of {name}", 7, DAY, 1, 1000, 10, 5000.0) for name in names],
        "policies": [Throttle(name, f"Title of {name}", "store_first") for name in by],
        "replications": replications,
        "assumed": {"network": {"workers": 400}},
    }
    return Outcome(**usual | fields, cells=cells, tornado=tornado)


def asked(policies: Sequence[str], workloads: Sequence[str], shares: Sequence[float] = (0.5, 0.5)) -> Frame:
    """Each retailer's hundred requests of an hour, so many of them told; at 09 another hundred, refused."""
    rows = [
        (workload, policy, str(CLASSES[0]), f"ror-{at}", hour, is_told, code, requests)
        for workload in workloads
        for policy in policies
        for at, share in enumerate(shares)
        for hour, is_told, code, requests in (
            (8, True, "", round(100 * share)),
            (8, False, "", round(100 - 100 * share)),
            (9, False, "SMT-HOUR", 100),
        )
    ]
    names = ("workload", "policy", "class", "ror", "hour", "told", "code", "requests")
    return {name: np.asarray(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def used(policies: Sequence[str], workloads: Sequence[str]) -> Frame:
    """A day in which half of the workers are busy from noon to one, and all access points a quarter of the time."""
    spans = 289
    noon = (np.arange(spans) >= 144) & (np.arange(spans) < 156)
    cells = [(workload, policy) for workload in workloads for policy in policies]
    return {
        "workload": np.repeat([one for one, _ in cells], spans),
        "policy": np.repeat([one for _, one in cells], spans),
        "begins": np.tile(epoch(f"{DAY}T00:00") + 300 * np.arange(spans), len(cells)),
        "workers": np.tile(200.0 * noon, len(cells)),
        **{name: np.full(spans * len(cells), 0.25) for name in ("points_p50", "points_p90", "points_most")},
    }


def whole() -> Outcome:
    """An outcome with everything in it."""
    by: dict[str, list[Figures]] = {
        "smt-today": [(0.50, 0.30, 1000), (0.40, 0.40, 2000)],
        "smt-today-guarded:amount=8": [(0.50, 0.30, 900), (0.50, 0.35, 1500)],
        "store-only": [(0.52, 0.45, 0), (0.52, 0.45, 0)],
    }
    policies, workloads = list(by), ["day-0", "day-1"]
    changed = {
        (policy, WORKERS.change(end)): by[policy] for policy in ("smt-today", policies[1]) for end in ("low", "high")
    }
    knee = Knee(
        "day-0", "smt-today", "told_in_call>=0.45", "demand", 1.0, 4.0, 4.4, 3.0, 15_000.0, "workers at the head-end",
        {"workers at the head-end": 0.5},
        [Point(one, 5000.0 * one, Estimate(0.5, 0.01), Estimate(140.0 * one, 2.0)) for one in (1.0, 4.0, 4.4)],
    )  # fmt: skip
    made = outcome(by, [WORKERS], changed, knees=[knee])
    return replace(
        made,
        observed=[Observed("day-0", "smt-today", "an access point", 1, 10_800.0, 3600.0, 0.25, 0.0, 0.625, 1.875)],
        first={"asked": asked(policies, workloads), "use": used(policies, workloads)},
    )
