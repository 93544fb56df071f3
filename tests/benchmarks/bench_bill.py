"""Billing on one core: energies summed by price window, against a plain sum of the same; bills of a million, against one in words at a time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np

from simulator.ror.billing.bill import bill
from simulator.ror.billing.plan import shipped_plan
from simulator.ror.billing.sheet import sheet

_FIRST, _LAST = date(2026, 7, 1), date(2026, 7, 30)
_HOMES, _BILLS, _ONE_BY_ONE = 10_000, 1_000_000, 300
_ROUNDS = 5


def run() -> list[dict[str, Any]]:
    """Give two rows: million intervals a second, million bills a second."""
    seasons = sheet(shipped_plan("big-bend-seasons"), _FIRST, _LAST, _LAST, 30, closed=True)
    wh = np.random.default_rng(1).integers(0, 3000, (_HOMES, seasons.windows.intervals), dtype=np.int32)
    windows = _rates(wh.size, lambda: seasons.windows.sums(wh), wh.size, lambda: wh.sum(axis=1, dtype=np.int64))
    plan = shipped_plan("longhorn-thousand-24")
    terms = sheet(plan, _FIRST, _LAST, _LAST, 30, closed=True)
    taken = np.arange(500_000, 500_000 + _BILLS, dtype=np.int64)[:, None]
    many = _rates(
        _BILLS,
        lambda: terms.bills(taken),
        _ONE_BY_ONE,
        lambda: [bill(plan, 500_000 + at, _FIRST, _LAST) for at in range(_ONE_BY_ONE)],
    )
    return [
        _row("bill_windows", "M intervals/s", "numpy's sum of each home, without windows", windows),
        _row("bill_many", "M bills/s", "bills in words, one at a time", many),
    ]


def _row(name: str, unit: str, baseline: str, rates: tuple[float, float, float]) -> dict[str, Any]:
    value, bare, ratio = rates
    return {"name": name, "value": value, "unit": unit, "baseline": baseline, "baseline_value": bare, "ratio": ratio}


def _rates(
    count: int, ours: Callable[[], object], bare_count: int, bare: Callable[[], object]
) -> tuple[float, float, float]:
    """Medians of millions a CPU second of two passes, rounds taken in turn, and of the rounds' ratios."""
    rates = []
    for _ in range(_ROUNDS + 1):
        pair = []
        for each, once in ((count, ours), (bare_count, bare)):
            began = time.process_time()
            once()
            pair.append(each / (time.process_time() - began) / 1e6)
        rates.append(pair)
    # The first round compiled.
    kept = rates[1:]
    return (
        statistics.median(one for one, _ in kept),
        statistics.median(other for _, other in kept),
        statistics.median(one / other for one, other in kept),
    )
