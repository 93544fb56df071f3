"""Generating a day's intervals on one core, against the least that random numbers of that kind can cost: Philox alone."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meters.identity import tdsp
from meters.jit import kernel
from meters.load import day_intervals
from meters.philox import Word, philox4x32, words
from meters.premises import PremiseArrays

_DAY = date(2026, 7, 15)
_METERS = 20_000
_ROUNDS = 7


def run() -> list[dict[str, Any]]:
    """Give one row: million intervals a second on one core."""
    premises = PremiseArrays.generate(1, tdsp("ONCOR"), _METERS)
    sums = np.empty(_METERS, np.uint64)
    ours, bare = _rates(
        lambda: day_intervals(1, premises, _DAY), lambda: _philox_only(*words(1), premises.hashes, 12, sums)
    )
    return [
        {
            "name": "truth",
            "value": ours,
            "unit": "M intervals/s",
            "baseline": "the same count of Philox4x32-10 calls and nothing else",
            "baseline_value": bare,
            "ratio": ours / bare,
        }
    ]


def _rates(*passes: Callable[[], object]) -> list[float]:
    """Median million intervals a second of each pass, rounds taken in turn."""
    taken: list[list[float]] = [[] for _ in passes]
    for _ in range(_ROUNDS + 1):
        for times, once in zip(taken, passes, strict=True):
            began = time.perf_counter()
            once()
            times.append(time.perf_counter() - began)
    # The first round compiled.
    return [_METERS * 96 / statistics.median(times[1:]) / 1e6 for times in taken]


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
