"""The figures of a market's day by company, from the totals that its files tell, and their lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

from headend.market import lse
from headend.market.partition import Totals
from headend.market.plan import Task
from headend.vee.rules import RULES

#: Heads of the table, and how each figure is told.
COLUMNS = (
    ("meters", "meters", "{:,}"),
    ("answered %", "answered_percent", "{:.2f}"),
    ("read %", "read_percent", "{:.3f}"),
    ("estimated %", "estimated_percent", "{:.3f}"),
    ("MWh out", "delivered_mwh", "{:,.0f}"),
    ("MWh back", "received_mwh", "{:,.0f}"),
    ("wrong A %", "wrong_as_a_percent", "{:.4f}"),
    ("wrong E %", "wrong_as_e_percent", "{:.4f}"),
)
ALL = "all"
#: The file of all figures.
SUMMARY = "summary.json"


def summary(tasks: Sequence[Task], totals: Mapping[str, Totals]) -> dict[str, Any]:
    """All figures, as ``summary.json`` has them: by company under ``tdsps``, of all together under ``all``."""
    first = tasks[0]
    names = {task.tdsp.key: task.tdsp.name for task in tasks}
    return {
        "day": first.day.isoformat(),
        "seed": first.fleet.seed,
        "folder": str(first.folder),
        "partitions": len(tasks),
        "octets": sum(task.intervals.stat().st_size + task.findings.stat().st_size for task in tasks),
        "lse": [str(lse.path(task)) for task in tasks if task.lse],
        "tdsps": {
            key: {"name": names[key], "preset": task.preset.name, "run_key": task.key, **figures(totals[key])}
            for key, task in {task.tdsp.key: task for task in tasks}.items()
        },
        ALL: figures(reduce(Totals.plus, totals.values())),
    }


def figures(of: Totals) -> dict[str, Any]:
    """Of some meters. Per cent of energy are of what flowed."""
    flowed = max(of.flowed_wh, 1)
    order = list(RULES)
    return {
        **of._asdict(),
        "answered_percent": 100 * of.answered / of.meters,
        "read_percent": 100 * of.read / of.intervals,
        "estimated_percent": 100 * of.estimated / of.posted,
        "delivered_mwh": of.delivered_wh / 1e6,
        "received_mwh": of.received_wh / 1e6,
        "wrong_as_a_percent": 100 * of.wrong_as_a_wh / flowed,
        "wrong_as_e_percent": 100 * of.wrong_as_e_wh / flowed,
        "findings": {rule: of.findings[rule] for rule in order if rule in of.findings},
    }


def rows(found: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Name and figures under ``COLUMNS`` of every company, and of all if there are several."""
    listed = [(one["name"], one) for one in found["tdsps"].values()]
    if len(listed) > 1:
        listed.append(("All", found[ALL]))
    return [(name, [shown.format(one[key]) for _, key, shown in COLUMNS]) for name, one in listed]


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """For a terminal: a line a company, then findings by rule."""
    yield f"operating day {found['day']}, seed {found['seed']}: {found['partitions']} partitions, {found['octets'] / 1e6:,.1f} MB in {found['folder']}"
    table = [["", *(head for head, _, _ in COLUMNS)], *([name, *cells] for name, cells in rows(found))]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for name, *cells in table:
        yield f"{name:<{widths[0]}}" + "".join(f"  {cell:>{w}}" for cell, w in zip(cells, widths[1:], strict=True))
    told = ", ".join(f"{rule} {count:,}" for rule, count in found[ALL]["findings"].items())
    yield f"findings: {told or 'none'}"
    if found["lse"]:
        yield f"{len(found['lse'])} LSE files beside {found['lse'][0]}"
