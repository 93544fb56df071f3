"""``ami balance`` over 24 months of a home with a roof, 140,160 rows of CSV: CPU of the whole process, beside a loop of ``csv`` over the same file."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from tests.simulator.ror.files.pages import HOME
from tests.simulator.ror.files.written import as_exported, csv_of, days_of

_RUNS = 5
_ASKED = "import sys, ami; sys.argv = ['ami', 'balance', sys.argv[1], '--plan', 'longhorn-thousand-24', '--cycle-first', '2026-07-16']; ami.main()"
_BARE = "import csv, sys; print(sum(float(row['USAGE_KWH']) for row in csv.DictReader(open(sys.argv[1]))))"


def run() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "usage.csv"
        path.write_bytes(
            as_exported(csv_of(days_of(replace(HOME, solar_w=5_000), date(2024, 8, 10), date(2026, 8, 9), 1)))
        )
        pairs = [(_cpu_s(_ASKED, path), _cpu_s(_BARE, path)) for _ in range(_RUNS + 1)]
    # The first run compiled.
    kept = pairs[1:]
    return [
        {
            "name": "balance",
            "value": statistics.median(one for one, _ in kept),
            "unit": "CPU s",
            "baseline": "the file's sum by csv.DictReader",
            "baseline_value": statistics.median(other for _, other in kept),
            "ratio": statistics.median(one / other for one, other in kept),
        }
    ]


def _cpu_s(code: str, path: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
