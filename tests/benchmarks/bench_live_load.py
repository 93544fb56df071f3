"""A workload played live on a clock that runs, beside ``capacity/model.py`` with the same draws: how far p50, p95 and the refusals are apart.

2,000 requests in an hour, with the sweep at its begin, at 30 times the wall's speed. Where the clock was not kept the row says so, and decides nothing.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from headend.network.law import NetworkLaw, SweepRule
from simulator.capacity.ends import COMPLETED, ENDS, REFUSED
from simulator.capacity.engine.law import Assumptions
from simulator.smt.ondemand.lifecycle import State
from simulator.smt.throttle.policy import preset
from tests.simulator.load.rig import both, live, modelled

REQUESTS, SPEED, HOURS, POLICY = 2000, 30.0, "12", preset("smt-today")
#: Of the model's p50: who asks later than that at the 95th percentile had no clock that was kept.
LATE = 0.01
ASSUMPTIONS = Assumptions(network=NetworkLaw(access_point_tps=1.0, slot_held_s=30.0, workers=20), batched=True)


def run() -> list[dict[str, Any]]:
    load = both(REQUESTS, ASSUMPTIONS, HOURS, times=12, portal=False)
    with tempfile.TemporaryDirectory() as out:
        lived = asyncio.run(live(load, POLICY, SweepRule.SHARES, Path(out), SPEED))
    model = modelled(load, POLICY, SweepRule.SHARES, lived.swept_us)
    rows = load.cast.workload.requests
    # When SMT had the answer: what its users wait for it by their polls is no part of the model.
    live_s = [
        (entry.last.at_us - int(rows.planned_us[row])) / 1e6
        for row, entry in lived.entries.items()
        if entry.last.state is State.COMPLETED
    ]
    model_s = [(one.history[-1][1] - one.history[0][1]) / 1e6 for one in model.values() if one.state is State.COMPLETED]
    played = lived.player.played()
    refused = Counter(played.codes[code] for code in played.rows.code[played.rows.end == REFUSED])
    expected = Counter(one.refusal.code for one in model.values() if one.state is State.REFUSED and one.refusal)
    figures = {
        "p50": (np.quantile(live_s, 0.5), np.quantile(model_s, 0.5)),
        "p95": (np.quantile(live_s, 0.95), np.quantile(model_s, 0.95)),
        **{code: (refused[code] / len(rows), expected[code] / len(rows)) for code in sorted({*refused, *expected})},
    }
    apart = {name: abs(ours - theirs) / max(theirs, 1e-9) for name, (ours, theirs) in figures.items()}
    worst = max(apart, key=lambda name: apart[name])
    said = ", ".join(f"{name} {ours:.4g} for {theirs:.4g}" for name, (ours, theirs) in figures.items())
    ends = Counter(ENDS[end].value for end in played.rows.end if end >= COMPLETED)
    late_s = np.quantile((lived.player.asked_us - played.rows.planned_us) / 1e6, 0.95)
    behind = bool(lived.behind or late_s > LATE * figures["p50"][1])
    note = "; inconclusive: the clock was not kept" if behind else ""
    return [
        {
            "name": "live_load",
            "value": apart[worst],
            "unit": f"apart at most, of the model's ({said}; {dict(sorted(ends.items()))}; asked {late_s:.2f} s late at p95){note}",
            "baseline": f"the model: {worst}",
            "baseline_value": float(figures[worst][1]),
            "ratio": float(figures[worst][0] / max(figures[worst][1], 1e-9)),
            "inconclusive": behind,
        }
    ]
