"""By how many dollars callers are told a wrong bill, by what was not known: the table that ``ami plan value`` makes, as arrays for a load study.

What makes it is the retailer's; here it is read. ``value.parquet`` is the shipped one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meters.errors import UserError, reason

FloatArray = NDArray[np.float32]
SHIPPED = Path(__file__).with_name("value.parquet")
#: Under this name the file's metadata say what it is a result of: seed, homes, a hash of each plan, a hash of the code.
KEY = b"ami.value"
#: What a row is of, and what is in it; dollars of abs(told - true).
OF = ("season", "kind", "hour", "gap", "unknown", "bill", "plan")
FIGURES = ("mean_kwh", "mean_usd", "p50_usd", "p90_usd", "p99_usd", "unsatisfied")
TO_DATE, CLOSING = "to date", "closing"
#: The ways to a bill, and how each fills what it does not know. With the meter nothing is unknown.
WAYS = {
    "VEE": "left out",
    "VEE + usual day": "usual day",
    "VEE + like days": "like days",
    "store": "left out",
    "store + usual day": "usual day",
    "store + meter": "usual day",
}
#: Quarter hours that may be unknown, none among them.
MOST_UNKNOWN = 192
HOURS = 24
_SEASONS = ("winter", "spring", "summer", "autumn")
_NAMES: dict[str, Sequence[str]] = {
    "season": _SEASONS,
    "kind": ("weekday", "weekend"),
    "gap": tuple(dict.fromkeys(WAYS.values())),
    "bill": (TO_DATE, CLOSING),
}


def season_of(day: date) -> str:
    """The season of a day; winter begins with December."""
    return _SEASONS[day.month % 12 // 3]


@dataclass(frozen=True, slots=True, eq=False)
class ValueTable:
    """A table and what it is a result of."""

    #: ``seed``, ``homes``, ``plans`` (name: hash), ``code``.
    key: dict[str, Any]
    #: The columns ``OF``, ``calls``, ``FIGURES``, each (r,).
    columns: dict[str, NDArray[Any]]
    #: Those of text as places in ``_NAMES`` and the plans: quicker to look through.
    _places: dict[str, NDArray[np.int8]] = field(init=False)

    def __post_init__(self) -> None:
        """Look the names up."""
        names = {**_NAMES, "plan": self.plans}
        places = {name: np.full(len(self.columns["calls"]), -1, np.int8) for name in names}
        for name, known in names.items():
            for at, one in enumerate(known):
                places[name][self.columns[name] == one] = at
        object.__setattr__(self, "_places", places)

    @property
    def plans(self) -> list[str]:
        """The names of the plans, in order."""
        return list(self.key["plans"])

    def names(self, column: str) -> list[str]:
        """What it has of a column of text, in the usual order."""
        known = _NAMES.get(column, self.plans)
        return [one for at, one in enumerate(known) if (self._places[column] == at).any()]

    def rows(self, **of: Any) -> NDArray[np.bool_]:
        """(r,) the rows that are of all that is named: ``season="summer", gap="left out"``."""
        chosen = np.ones(len(self.columns["calls"]), np.bool_)
        for name, one in of.items():
            known = _NAMES.get(name, self.plans if name == "plan" else ())
            chosen &= self._places[name] == known.index(one) if known else self.columns[name] == one
        return chosen

    def mean(self, figure: str, **of: Any) -> float:
        """A mean or a share over all calls of some rows; NaN without any. No quantile: those of parts tell none of the whole."""
        chosen = self.rows(**of)
        calls = self.columns["calls"][chosen]
        return float(np.average(self.columns[figure][chosen], weights=calls)) if len(calls) else float("nan")

    def packed(self, season: str, kind: str, way: str, figure: str = "mean_usd", bill: str = TO_DATE) -> FloatArray:
        """(24, 193, p) a figure by hour of the call, quarter hours unknown and plan; in between what the table has, in a straight line.

        NaN for an hour of which nothing is known. With the meter nothing is ever unknown, whatever the quarter hours.
        """
        chosen = np.flatnonzero(self.rows(season=season, kind=kind, gap=WAYS[way], bill=bill))
        hour, unknown, value = (self.columns[name][chosen] for name in ("hour", "unknown", figure))
        its = np.unique(unknown)
        grid = np.full((HOURS, len(its), len(self.plans)), np.nan, np.float32)
        grid[hour, np.searchsorted(its, unknown), self._places["plan"][chosen]] = value
        quarters = np.arange(MOST_UNKNOWN + 1) * (way != "store + meter")
        if not len(its):
            return np.full((HOURS, len(quarters), len(self.plans)), np.nan, np.float32)
        above = np.clip(np.searchsorted(its, quarters), 1, len(its) - 1)
        part = ((quarters - its[above - 1]) / (its[above] - its[above - 1]))[:, None]
        between: FloatArray = grid[:, above - 1] * (1 - part) + grid[:, above] * part
        return between.astype(np.float32)


def read_value(path: Path = SHIPPED) -> ValueTable:
    """Read a table that ``ami plan value --out`` has made. Raises UserError for a file that is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    mend = "Name a file that 'ami plan value --homes N --out FILE.parquet' has made."
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise UserError("capacity.value.unreadable", f"{reason(error)}.", str(path), mend) from None
    told = (table.schema.metadata or {}).get(KEY)
    lacking = [name for name in (*OF, "calls", *FIGURES) if name not in table.column_names]
    if told is None or lacking:
        text = f"It has no column '{lacking[0]}'." if lacking else "It does not say what it is a result of."
        raise UserError("capacity.value.other", text, str(path), mend)
    columns = {name: table[name].to_numpy() for name in table.column_names}
    return ValueTable(json.loads(told), columns)
