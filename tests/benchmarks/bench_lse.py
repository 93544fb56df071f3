"""LSE files read and written, beside a plain loop over the ``csv`` module that does the same with the same octets; and the memory that a whole file takes.

CPU time of one process. Both sides give the same values, to the watt-hour, and the same octets, or there is no figure.
"""

from __future__ import annotations

import csv
import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from headend.lse import reader
from headend.lse.format import LseColumns
from headend.lse.writer import write
from meters.calendar import epoch

ROUNDS, RECORDS, WHOLE_FILE = 5, 20_000, 50_000
NAME = "1039940674000IntervalData20260813073000001.lse"
DAY, POSTED_AT = "2026-08-12", epoch("2026-08-13T07:30")

#: Reads a file in a process of its own, and tells the most memory that it ever took, MB.
READS = f"""
import sys
from headend.lse import reader
findings = []
with open(sys.argv[1], "rb", buffering=0) as stream:
    print(sum(map(len, reader.blocks(stream, {NAME!r}, findings))), len(findings))
print(int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024)
"""


def records(count: int, first: int = 0) -> LseColumns:
    """A day of as many meters, up to 3 kWh an interval, one in a hundred estimated."""
    rng = np.random.default_rng(first)
    wh = rng.integers(0, 3000, (count, 96)).astype(np.int32)
    start = rng.integers(0, 10**8, count)
    return LseColumns(
        np.array([b"1044372%010d" % meter for meter in range(first, first + count)]),
        np.full(count, 4, np.uint8),
        np.full(count, DAY, "datetime64[D]"),
        start,
        start + wh.sum(axis=1),
        wh,
        rng.random((count, 96)) < 0.01,
        np.full(count, POSTED_AT, np.int64),
        np.zeros(count, np.int64),
        np.ones(count, np.int64),
    )


def _read(content: bytes) -> int:
    findings: list[Any] = []
    return sum(int(block.wh.sum()) for block in reader.blocks(io.BytesIO(content), NAME, findings)) - len(findings)


def _read_by_csv(content: bytes) -> int:
    total = 0
    for row in csv.reader(io.StringIO(content.decode("ascii"))):
        if row[0] == "10000000":
            wh = [round(1000 * float(value)) for value in row[1::3]]
            late = [mark == "E" for mark in row[2::3]]
            total += sum(wh) if len(late) == 96 else 0
    return total


def _written(columns: LseColumns, out: io.BytesIO) -> bytes:
    """``out``: has had the size before, so that no page of it is new."""
    out.seek(0)
    write(columns, out)
    return b""


def _written_by_csv(columns: LseColumns) -> bytes:
    out = io.StringIO(newline="")
    table = csv.writer(out, lineterminator="\n")
    day = DAY.replace("-", "")
    sides = (columns.esiid.tolist(), columns.start_wh.tolist(), columns.stop_wh.tolist())
    for esiid, start, stop, values, late in zip(*sides, columns.wh.tolist(), columns.estimated.tolist(), strict=True):
        table.writerow(["00000001", esiid.decode(), "4", f"{day}000000", f"{day}235900", "Y", "N"])
        readings = [f"{start / 1000:.3f}", f"{stop / 1000:.3f}"]
        table.writerow(["00000002", *readings, "1", "0", "1", "0", "900", "01", "", "", "", ""])
        table.writerow(["00000003", ""])
        table.writerow(["00000004", "20260813073000", "M"])
        triplets = [(f"{wh / 1000:.3f}", "E" if mark else "A", "") for wh, mark in zip(values, late, strict=True)]
        table.writerow(["10000000", *(field for triplet in triplets for field in triplet)])
    return out.getvalue().encode("ascii")


def _cpu_s(call: Callable[[], object], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - began) / times


def _memory_mb(count: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.lse"
        with path.open("wb") as out:
            for first in range(0, count, 500):
                write(records(500, first), out)
        told = subprocess.run([sys.executable, "-c", READS, path], capture_output=True, text=True, check=True)
    read, memory = told.stdout.splitlines()
    assert read == f"{count} 0", read
    return float(memory)


def run() -> list[dict[str, Any]]:
    """Give the rows: read, written, memory of a whole file."""
    columns, out = records(RECORDS), io.BytesIO()
    write(columns, out)
    content = out.getvalue()
    assert _read(content) == _read_by_csv(content) == columns.wh.sum()
    assert _written_by_csv(columns) == content
    megas, rows = len(content) / 1e6, []
    ways: tuple[tuple[str, Callable[[], object], Callable[[], object]], ...] = (
        ("lse_read", lambda: _read(content), lambda: _read_by_csv(content)),
        ("lse_write", lambda: _written(columns, out), lambda: _written_by_csv(columns)),
    )
    for name, ours, theirs in ways:
        pairs = [(megas / _cpu_s(ours, 20), megas / _cpu_s(theirs, 1)) for _ in range(ROUNDS)]
        value, beside = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(one / other for one, other in pairs)
        told = {"name": name, "value": value, "unit": "MB/CPU s", "baseline": "a csv loop, the same octets"}
        rows.append(told | {"baseline_value": beside, "ratio": ratio})
    memory, little = _memory_mb(WHOLE_FILE), _memory_mb(500)
    told = {"name": "lse_memory", "value": memory, "unit": "MB at most", "baseline": "500 records"}
    return [*rows, told | {"baseline_value": little, "ratio": memory / little}]
