"""What ``ami meters truth`` prints: the truth in figures beside what others have published of the same, as lines or as JSON."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rich.text import Text

from meters.identity import tdsp
from reports.meter.truth_figures import figures

#: Whose homes are measured: ERCOT's days that they are held against are of its zone.
COMPANY = "ONCOR"
#: How sure a published figure is.
SURE = {
    "V": "read in a public source",
    "C": "follows from such",
    "M": "remembered, unchecked",
    "D": "a default of this project",
}


@dataclass(frozen=True, slots=True)
class Published:
    """What others have found of a figure: a row of ``published.csv``."""

    name: str
    group: str
    what: str
    unit: str
    low: float
    high: float
    #: A key of ``SURE``.
    sure: str
    source: str


@lru_cache(maxsize=1)
def published() -> tuple[Published, ...]:
    """Every row, in the order of the page."""
    with Path(__file__).with_name("published.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Published(**{**row, "low": float(row["low"]), "high": float(row["high"])})  # type: ignore[arg-type]
            for row in csv.DictReader(file)
        )


def truth_json(seed: int, year: int) -> dict[str, Any]:
    """The page as one document. Raises MeterError for a year without registers."""
    ours = figures(tdsp(COMPANY), seed, year)
    rows = [
        {
            "name": row.name,
            "group": row.group,
            "what": row.what,
            "unit": row.unit,
            "ours": ours[row.name],
            "published": [row.low, row.high],
            "within": row.low <= ours[row.name] <= row.high,
            "sure": row.sure,
            "source": row.source,
        }
        for row in published()
    ]
    return {"company": COMPANY, "seed": seed, "year": year, "figures": rows}


def truth_lines(page: dict[str, Any]) -> Iterator[Text]:
    """The page for people, a line a figure; what lies outside its range is marked."""
    yield Text(
        f"The truth of {COMPANY}'s made premises in {page['year']}, seed {page['seed']}, beside published figures"
    )
    group = ""
    for row in page["figures"]:
        if row["group"] != group:
            group = row["group"]
            yield Text()
            yield Text(f"{group:<58}{'ours':>8}  {'published':>13}", style="dim")
        low, high = row["published"]
        line = Text(f"  {row['what']:<56}{_number(row['ours']):>8}  {_number(low):>6} to {_number(high):<6}")
        line.append(f"{row['unit']:<4} [{row['sure']}] {row['source']}")
        if not row["within"]:
            line.append("  OUTSIDE", style="bold red")
        yield line
    yield Text()
    yield Text("; ".join(f"[{mark}] {meaning}" for mark, meaning in SURE.items()), style="dim")


def _number(value: float) -> str:
    """Three digits that count."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"
