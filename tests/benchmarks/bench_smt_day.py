"""A tenth of a large TDSP's day at SMT: 400,000 ESI IDs in eight files, posted over FTPS, loaded, and split for two RORs. Takes minutes, so it is run by its name.

``python -m tests.benchmarks smt_day``
"""

from __future__ import annotations

import time
from typing import Any

from tests.benchmarks.bench_lse import WHOLE_FILE
from tests.benchmarks.bench_smt_files import post, smt

FILES = 8


def run() -> list[dict[str, Any]]:
    """Give the rows: time from the first octet to the last share, memory, growth of the database."""
    with smt(FILES * WHOLE_FILE) as (ready, taken_in):
        began = time.perf_counter()
        octets = sum(post(ready, range(at * WHOLE_FILE, (at + 1) * WHOLE_FILE), at + 1) for at in range(FILES))
        posted_s = time.perf_counter() - began
        told = taken_in(FILES)
        took_s = time.perf_counter() - began
    assert told["results"] == [{"00": WHOLE_FILE}] * FILES, told["results"]
    assert (told["shares"], told["shares_octets"]) == (2 * FILES, octets), told
    megas = octets / 1e6
    rows = [
        ("smt_day", took_s, "s, 400,000 ESI IDs", "the last file is there", posted_s),
        ("smt_day_cpu", told["cpu_s"], "CPU s of SMT", "MB posted", megas),
        ("smt_day_memory", told["memory"], "MB at most", "when ready", ready["memory"]),
        ("smt_day_database", told["database"] / 1e6, "MB more", "MB posted", megas),
        (
            "smt_day_held",
            1000 * told["held_s"][0],
            "ms held at most",
            "CPU ms of a turn at most",
            1000 * told["held_s"][1],
        ),
    ]
    return [
        {
            "name": name,
            "value": value,
            "unit": unit,
            "baseline": beside,
            "baseline_value": other,
            "ratio": value / other,
        }
        for name, value, unit, beside, other in rows
    ]
