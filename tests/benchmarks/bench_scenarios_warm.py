"""Many scenarios in one warm process: CPU of one, its page included, and the most memory; beside the first one, which loads and compiles."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import Any

_RUNS = 5
#: Those of a few days; one plays five weeks and says more of sweeps than of scenarios.
_PLAYED = """
import json, resource, sys, tempfile, time
from pathlib import Path
began = time.process_time()
from reports.scenario.page import render_run
from scenarios.file.chosen import chosen
from scenarios.many import play, size
out = Path(tempfile.mkdtemp())
few = [one for one in chosen((), every=True) if size(one) < 100]
spent, most = [], []
for one in (few[0], *few):
    play(one, out / one.name, render_run)
    spent.append(time.process_time() - began - sum(spent))
    most.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
print(json.dumps([spent, most]))
"""


def run() -> list[dict[str, Any]]:
    runs = [json.loads(subprocess.check_output([sys.executable, "-c", _PLAYED], text=True)) for _ in range(_RUNS)]
    cpu = [(statistics.mean(spent[1:]), spent[0]) for spent, _ in runs]
    memory = [(most[-1], most[0]) for _, most in runs]
    return [_row("scenarios_warm", "CPU s", cpu), _row("scenarios_memory", "MB", memory)]


def _row(name: str, unit: str, pairs: list[tuple[float, float]]) -> dict[str, Any]:
    return {
        "name": name,
        "value": statistics.median(one for one, _ in pairs),
        "unit": unit,
        "baseline": "the first of a process",
        "baseline_value": statistics.median(other for _, other in pairs),
        "ratio": statistics.median(one / other for one, other in pairs),
    }
