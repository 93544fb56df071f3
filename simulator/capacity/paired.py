"""Policies held against each other over the same callers: paired differences, regret over workloads, and which of them can be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.capacity.outcome import Estimate, estimate

Floats = NDArray[np.float64]


def difference(one: Floats, other: Floats) -> Estimate:
    """Mean of one less other over replications with the same callers, and half of its 95 % interval (Student t)."""
    return estimate((one - other).tolist())


def differs(by: Estimate) -> bool:
    """Whether a difference's 95 % interval leaves 0 out. A single replication has none."""
    return by.mean is not None and by.half is not None and abs(by.mean) > by.half


class Regret(NamedTuple):
    """What each policy lacks of the best one, on the workload where it lacks most. Means over replications."""

    #: (p, r) by policy and replication.
    series: Floats
    #: (p,) that workload's place.
    where: Sequence[int]

    @property
    def estimates(self) -> list[Estimate]:
        """Of each policy."""
        return [estimate(one) for one in self.series.tolist()]

    @property
    def leaders(self) -> list[int]:
        """The policy of the least regret, and those that cannot be told apart from it, by regret."""
        order = np.argsort(self.series.mean(axis=1), kind="stable").tolist()
        least = self.series[order[0]]
        return [order[0], *(at for at in order[1:] if not differs(difference(self.series[at], least)))]


def regret_of(values: Floats) -> Regret:
    """Regret of policies. values: (w, p, r) by workload, policy and replication, more is better.

    The best policy of each workload, and each policy's worst workload, are those of the means, so that noise of single replications chooses neither.
    """
    means = values.mean(axis=2)
    best = means.argmax(axis=1)
    lacks = values[np.arange(len(values)), best][:, None] - values
    where = lacks.mean(axis=2).argmax(axis=0)
    return Regret(lacks[where, np.arange(values.shape[1])], where.tolist())
