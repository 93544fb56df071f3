"""Generating days of a market's intervals on one core, both channels, against the least that such random numbers can cost: Philox alone."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meters.identity import tdsp
from meters.kernels.jit import kernel
from meters.kernels.philox import Word, philox4x32, words
from meters.load.premises import MARKET, PremiseArrays
from meters.load.truth import day_intervals

#: One of each season: hot, cold, mild.
_DAYS = (date(2026, 7, 15), date(2026, 1, 15), date(2026, 4, 15))
_METERS = 20_000
_ROUNDS = 7


def run() -> list[dict[str, Any]]:
    """Give one row: million intervals a second on one core."""
    premises = PremiseArrays.generate(1, tdsp("ONCOR"), _METERS, mix=MARKET)
    sums = np.empty(_METERS, np.uint64)
    ours, bare, ratio = _rates(
        lambda: [day_intervals(1, premises, day) for day in _DAYS],
        lambda: [_philox_only(*words(1), premises.hashes, 14, sums) for _ in _DAYS],
    )
    return [
        {
            "name": "truth",
            "value": ours,
            "unit": "M intervals/s",
            "baseline": "the same count of Philox4x32-10 calls and nothing else",
            "baseline_value": bare,
            "ratio": ratio,
        }
    ]


def _rates(ours: Callable[[], object], bare: Callable[[], object]) -> tuple[float, float, float]:
    """Medians of million intervals a second of two passes, rounds taken in turn, and of the rounds' ratios."""
    rates = []
    for _ in range(_ROUNDS + 1):
        spent = []
        for once in (ours, bare):
            began = time.perf_counter()
            once()
            spent.append(time.perf_counter() - began)
        rates.append([_METERS * 96 * len(_DAYS) / seconds / 1e6 for seconds in spent])
    # The first round compiled.
    kept = rates[1:]
    return (
        statistics.median(one for one, _ in kept),
        statistics.median(other for _, other in kept),
        statistics.median(one / other for one, other in kept),
    )


@kernel
def _philox_only(k0: Word, k1: Word, hashes: NDArray[np.uint64], calls: int, sums: NDArray[np.uint64]) -> None:
    mask, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    for row in range(len(hashes)):
        total = np.uint64(0)
        for block in range(calls):
            w0, w1, w2, w3 = philox4x32(
                hashes[row] & mask, hashes[row] >> half, np.uint64(739_000), np.uint64(block), k0, k1
            )
            total = total + w0 + w1 + w2 + w3
        sums[row] = total
