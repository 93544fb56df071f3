"""``make bench``: every benchmark, each a ratio taken in one run beside what it is compared with; a table, and ``ami-out/bench.json``.

value and baseline are medians of the runs, ratio is the median of the runs' own ratios, so it need not be their quotient.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

#: Budgets of DESIGN: by name, the least value and the least ratio (None: no bound); of ``AT_MOST`` the greatest value.
AT_LEAST: dict[str, tuple[float | None, float | None]] = {
    "truth": (20.0, None),
    "fleet": (20.0, None),
    "modbus_collection": (None, 0.60),
    "modbus_server": (None, 0.60),
    "modbus_server_header": (None, 0.60),
    "smt_status_poll": (None, 0.50),
    "front": (None, 0.95),
    "web_page": (None, 0.50),
    "wire_scenario": (None, 0.77),
    "wire_status_poll": (None, 0.50),
    "wire_chain": (20_000.0, None),
    "certify_judge": (20_000.0, None),
    "certify_judge_apart": (20_000.0, None),
    "hourly_homes": (0.90, None),
    "capacity_simpy": (20_000.0, 0.15),
    "capacity_compiled": (None, 12.0),
    "capacity_alike": (280_000.0, None),
    "live_inquiry": (100.0, None),
    "vee_validation": (150.0, 10.0),
    "vee_validation_polars": (None, 20.0),
    "vee_validation_pandas": (None, 40.0),
    "vee_batch": (100.0, None),
    "lse_read": (500.0, 20.0),
    "lse_write": (500.0, 20.0),
    "bill_windows": (200.0, None),
    "bill_many": (1.0, 50.0),
}
AT_MOST: dict[str, float] = {
    "cli_help": 0.4,
    "balance": 2.0,
    "meters_start": 10.0,
    "sandbox_start": 3.0,
    "midnight_read": 0.2,
    "meters_memory": 1500.0,
    "meters_memory_read": 1500.0,
    "vee_live": 2.0,
    "lse_memory": 150.0,
    "capacity_memory": 200.0,
    "smt_files": 50.0,
    "scenarios_warm": 0.5,
    "scenarios_memory": 400.0,
    "live_load": 0.10,
    "web_page_months": 1000.0,
    "web_first_paint": 300.0,
    "web_waiting": 1.2,
    "desk_at_once": 1000.0,
    "certify_judge_memory": 200.0,
    "certify_plan_headend": 90.0,
    "certify_plan_ror": 90.0,
    "certify_flight": 180.0,
    "market_day": 12.0,
    "market_day_memory": 3000.0,
}
#: Those that take minutes: run where they are named.
ON_REQUEST = {"smt_day"}


def budget(name: str) -> str:
    """The budget in words; empty for a row without one."""
    if name in AT_MOST:
        return f"<= {AT_MOST[name]:g}"
    value, ratio = AT_LEAST.get(name, (None, None))
    bounds = [*([f">= {value:,g}"] if value else []), *([f"ratio >= {ratio:g}"] if ratio else [])]
    return ", ".join(bounds)


def met(row: dict[str, Any]) -> str:
    """Whether a row keeps its budget; empty for a row without one."""
    if row.get("inconclusive"):
        return "inconclusive"
    if row["name"] in AT_MOST:
        return "yes" if row["value"] <= AT_MOST[row["name"]] else "NO"
    if row["name"] not in AT_LEAST:
        return ""
    value, ratio = AT_LEAST[row["name"]]
    kept = (value is None or row["value"] >= value) and (ratio is None or row["ratio"] >= ratio)
    return "yes" if kept else "NO"


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all; 1 if a budget is not kept."""
    folder = Path(__file__).parent
    known = sorted(path.stem.removeprefix("bench_") for path in folder.glob("bench_*.py"))
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"bench.unknown: there is no benchmark '{unknown[0]}'. Choose of: {', '.join(known)}.", file=sys.stderr)
        return 2
    rows: list[dict[str, Any]] = []
    for name in names or [one for one in known if one not in ON_REQUEST]:
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"tests.benchmarks.bench_{name}").run()
    out = Path("ami-out")
    out.mkdir(exist_ok=True)
    (out / "bench.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    table = Table("name", "value", "unit", "baseline", "baseline value", "ratio", "budget", "kept")
    for row in rows:
        table.add_row(
            row["name"],
            f"{row['value']:,.4g}" if row["value"] < 1000 else f"{row['value']:,.0f}",
            row["unit"],
            row["baseline"],
            f"{row['baseline_value']:,.4g}" if row["baseline_value"] < 1000 else f"{row['baseline_value']:,.0f}",
            f"{row['ratio']:.3f}",
            budget(row["name"]),
            met(row),
        )
    Console(width=150).print(table)
    return 1 if any(met(row) == "NO" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
