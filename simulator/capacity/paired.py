"""Policies held against each other over the same callers: paired differences, regret over workloads, and which of them can be told apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Estimate(NamedTuple):
    """Mean over the replications and half the width of its 95 % confidence interval; None where there is nothing to take it of."""

    mean: float | None
    half: float | None


def estimate(values: Iterable[float]) -> Estimate:
    """Mean and half-width of the 95 % confidence interval (Student t) over replications; those without a value (NaN) are left out."""
    kept = [value for value in values if value == value]
    n = len(kept)
    if n == 0:
        return Estimate(None, None)
    mean = sum(kept) / n
    if n == 1:
        return Estimate(mean, None)
    variance = sum((value - mean) ** 2 for value in kept) / (n - 1)
    return Estimate(mean, t_quantile(n - 1) * (variance / n) ** 0.5)


#: Student's t, 97.5 %, 1 to 30 degrees of freedom. Source: any printed table of the distribution.
_T975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def t_quantile(freedom: int) -> float:
    """97.5 % quantile of Student's t: from the table, beyond it by the first three terms of the expansion around the normal (error < 1e-4).

    Source: Abramowitz and Stegun, 26.7.5.
    """
    if freedom <= len(_T975):
        return _T975[freedom - 1]
    z = NormalDist().inv_cdf(0.975)
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


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
