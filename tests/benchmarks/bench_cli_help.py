"""``ami --help`` as a whole process, beside the bare interpreter."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any

RUNS = 9


def seconds(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def run() -> list[dict[str, Any]]:
    helped, bare = [], []
    for _ in range(RUNS + 1):
        helped.append(seconds("import sys, ami; sys.argv = ['ami', '--help']; ami.main()"))
        bare.append(seconds("pass"))
    # The first run warms the disk cache.
    value, baseline = statistics.median(helped[1:]), statistics.median(bare[1:])
    return [
        {
            "name": "cli_help",
            "value": value,
            "unit": "s",
            "baseline": "bare interpreter",
            "baseline_value": baseline,
            "ratio": value / baseline,
        }
    ]
