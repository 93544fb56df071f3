"""What a certification takes of an afternoon: each role's plan against the stranger's system that is shipped, and a flight of both, beside our own CPU time.

Wall seconds, since most of them are waited: the strangers start for each call, and the clock stands until nothing more is asked. Each has to end in a certificate.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.scenarios.certify.flights import flown
from tests.scenarios.certify.matrix import certified


def _row(name: str, play: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as made:
        began, spent = time.monotonic(), time.process_time()
        found = play(Path(made) / "it")
        wall, cpu = time.monotonic() - began, time.process_time() - spent
    assert found["certificate"], found["why"]
    told = {"unit": "s", "baseline": "CPU time of our process", "baseline_value": cpu}
    # Who has to share his cores with many learns nothing of what it takes on two.
    crowded = os.getloadavg()[0] > 2 * (os.cpu_count() or 1)
    return {"name": name, "value": wall, **told, "ratio": wall / cpu, "inconclusive": crowded}


def run() -> list[dict[str, Any]]:
    return [
        _row("certify_plan_headend", lambda out: certified("headend", out)),
        _row("certify_plan_ror", lambda out: certified("ror", out)),
        _row("certify_flight", flown),
    ]
