"""CPU seconds of ``ami sandbox`` to its ready line: 40 meters, the magic ones beside them, and 35 posted days. Wall seconds would tell who else is at work."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_STARTS = 5


def run() -> list[dict[str, Any]]:
    """Give two rows: a start that finds its days kept, and one that makes them. The baseline is what ``ami meters serve`` with one meter takes, by turns with
    them: it imports the same kernels and makes no days.
    """
    kept, made, alone = [], [], []
    with tempfile.TemporaryDirectory() as days:
        # The first run compiles what is not compiled yet, and keeps its days.
        for _ in range(_STARTS + 1):
            with tempfile.TemporaryDirectory() as out:
                words = ("sandbox", "--port-base", "0", "--kept-days", days, "--out", out)
                kept.append(_cpu_s(*words))
                made.append(_cpu_s(*words, "--fresh"))
            alone.append(_cpu_s("meters", "serve", "--count", "1", "--no-special", "--port", "0"))
    baseline = statistics.median(alone[1:])
    return [
        {
            "name": name,
            "value": (value := statistics.median(times[1:])),
            "unit": "CPU s",
            "baseline": "meters serve, one meter",
            "baseline_value": baseline,
            "ratio": value / baseline,
        }
        for name, times in (("sandbox_start", kept), ("sandbox_start_made", made))
    ]


def _cpu_s(*command: str) -> float:
    """What a serving command, and what it has waited for, has taken of the CPU when it is ready; it is stopped then."""
    ami = Path(sys.executable).with_name("ami")
    # An installed ami has its modules compiled.
    compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen([str(ami), *command, "--json"], stdout=subprocess.PIPE, text=True, env=compiled) as server:
        assert server.stdout is not None
        server.stdout.readline()
        ticks = Path(f"/proc/{server.pid}/stat").read_text().rsplit(") ", 1)[1].split()[11:15]
        server.send_signal(signal.SIGINT)
        server.wait(30)
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
