"""Small loads for the engine: everybody on few meters, so that limits, batches and access points are contended."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from meters.calendar import Seconds, epoch, to_us
from simulator.capacity.engine.law import Longs
from simulator.smt.throttle.limits import RequesterClass

NOON = epoch("2026-08-12T12:00")
NEVER_US = 1 << 61


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """``run.Requests``."""

    planned_us: Longs
    call: Longs
    esi: NDArray[np.int32]
    ror: NDArray[np.int16]
    requester_class: NDArray[np.int8]
    kind: NDArray[np.int8]
    door: NDArray[np.int8]
    access_point: NDArray[np.int16]
    tdsp: NDArray[np.int8]
    patience_us: Longs

    def first(self, count: int) -> Asked:
        """The first so many of them."""
        return Asked(*(getattr(self, one.name)[:count] for one in fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class Outs:
    """``run.Outages``: every third meter's last gasp is heard."""

    access_point: NDArray[np.int16]
    from_us: Longs
    to_us: Longs
    told_us: Longs

    def gasped(self, esi: NDArray[np.int32]) -> NDArray[np.bool_]:
        """See ``run.Outages``."""
        return np.equal(esi % 3, 0)


def load(
    count: int, meters: int, points: int, begins: Seconds = NOON, hours: float = 10.0, kinds: bool = True, seed: int = 1
) -> Asked:
    """Requests of all classes, kinds and doors. A tenth of them come at the same instants as others, some of those at whole half minutes."""
    rng = np.random.default_rng(seed)
    at = to_us(begins) + rng.integers(0, int(to_us(1) * 3600 * hours), count)
    some = rng.random(count) < 0.1
    at[some] -= at[some] % to_us(30)
    at.sort()
    esi = rng.integers(0, meters, count)
    classes = rng.integers(0, len(RequesterClass), count)
    patience = to_us(rng.exponential(120.0, count)).astype(np.int64)
    return Asked(
        planned_us=at,
        call=rng.permutation(count) * 1_000_003 + 17,
        esi=esi.astype(np.int32),
        ror=(esi % 7).astype(np.int16),
        requester_class=classes.astype(np.int8),
        kind=rng.choice(3, count, p=[0.7, 0.15, 0.15]).astype(np.int8) if kinds else np.zeros(count, np.int8),
        door=(rng.random(count) < 0.3).astype(np.int8),
        access_point=(esi % points).astype(np.int16),
        tdsp=(esi % points % 2).astype(np.int8),
        patience_us=np.where(classes == 3, NEVER_US, patience),
    )


def storm(points: int, begins: Seconds = NOON) -> Outs:
    """A third of the access points without power for an hour or four, some twice."""
    rng = np.random.default_rng(2)
    which = np.concatenate([np.arange(0, points, 3), np.arange(0, points, 6)])
    starts = to_us(begins) + to_us(3600 * (1 + 5 * (np.arange(len(which)) >= -(-points // 3))))
    length = rng.integers(to_us(3600), to_us(4 * 3600), len(which))
    return Outs(which.astype(np.int16), starts, starts + length, starts + to_us(10))
