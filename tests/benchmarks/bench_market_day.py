"""A tenth of a market's day as a command, start-up included: CPU time and memory of all its processes, against the truth alone."""

from __future__ import annotations

import json
import resource
import subprocess
import tempfile
import threading
import time
from datetime import date
from pathlib import Path
from typing import Any

from headend.market.plan import PARTITION
from meters.fleet import Fleet
from meters.identity import tdsp
from meters.load.premises import MARKET
from tests.simulator.processes import AMI

METERS = 800_000


def run() -> list[dict[str, Any]]:
    """Give two rows: CPU seconds of a tenth of 8 million meters, and the most MB that its processes held at a time."""
    measured("--meters", "1000")
    cpu, _, memory = measured("--meters", str(METERS))
    small = measured("--meters", str(METERS // 10))[2]
    truth = _truth()
    said = "the same meters' truth alone, in this process"
    return [
        _row("market_day", cpu, "CPU s", said, truth),
        _row("market_day_memory", memory, "MB", "a tenth as many meters", small),
    ]


def measured(*words: str) -> tuple[float, float, float]:
    """CPU seconds, wall seconds, and the most MB at a time, of all processes of a run into a folder of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        command = [*AMI, "market-day", *words, "--json", "--out", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            most = 0.0
            ended = threading.Event()

            def watch() -> None:
                nonlocal most
                while not ended.wait(0.05):
                    most = max(most, _resident(process.pid) / 1e6)

            watcher = threading.Thread(target=watch)
            watcher.start()
            told, _ = process.communicate()
            ended.set()
            watcher.join()
        assert json.loads(told)["computed_meters"] == int(words[1])
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall, most


def _resident(pid: int) -> int:
    """Octets in memory of a process and all that it has started."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return pages * resource.getpagesize() + sum(_resident(int(child)) for child in children)


def _truth() -> float:
    fleet = Fleet(tdsp("ONCOR"), 1, METERS, (), MARKET)
    day = date(2026, 7, 15)
    fleet.partition(day, 1, 1)
    began = time.process_time()
    for _part in fleet.day(day, PARTITION):
        pass
    return time.process_time() - began


def _row(name: str, value: float, unit: str, baseline: str, compared: float) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "baseline": baseline,
        "baseline_value": compared,
        "ratio": value / compared,
    }
