"""The charts of a scorecard: what was found of each kind, false alarms, energy that is wrong, errors of estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from reports.score.text import F1, FALSE, LOCATED
from simulator.web.kinds import ACTUAL, ESTIMATED, STORE
from simulator.web.parts import Table
from simulator.web.plot import Rule
from simulator.web.rows import Marks, Rows


class Drawn(NamedTuple):
    """A chart, what it shows in words, and what it says."""

    chart: Rows
    table: Table
    caption: str


def charts(figures: Mapping[str, Any]) -> dict[str, Drawn]:
    """Every chart that there is something for, by its place on the page."""
    found = {
        "kinds": _drawn(
            _kinds(figures),
            f"Share of fault-days, by kind. Targets: F1 {F1:g}, located {LOCATED:g} (kinds that corrupt intervals).",
        ),
        "rules": _drawn(
            _rules(figures),
            f"False alarms, by rule: innocent meter-days of 10,000 on which the rule was told; {FALSE:g} are allowed.",
        ),
        "energy": _drawn(
            _energy(figures),
            "Energy wrong as A, kWh, by kind of fault on its day. A day of two kinds counts for both.",
        ),
        "estimates": _drawn(
            _estimates(figures),
            "Sum of the absolute errors of estimates, % of what flowed, beside two naive estimates of the same intervals.",
        ),
    }
    return {name: one for name, one in found.items() if one.chart.names}


def _drawn(chart: Rows, caption: str) -> Drawn:
    cells = zip(*(one.values for one in chart.marks), strict=True)
    rows = [
        [name, *("" if value is None else f"{value:,.4g}" for value in its)]
        for name, its in zip(chart.names, cells, strict=True)
    ]
    return Drawn(chart, Table(["", *(one.word for one in chart.marks)], rows), caption)


def _bars(label: str, word: str, values: Mapping[str, float], rules: Sequence[Rule] = ()) -> Rows:
    return Rows(label, list(values), lambda value: f"{round(value, 2):,.7g}", [Marks(ACTUAL, word, list(values.values()))], rules=rules)  # fmt: skip


def _kinds(figures: Mapping[str, Any]) -> Rows:
    rows = {kind: row for kind, row in figures["kinds"].items() if row.get("f1") is not None}
    located = [row["located"] if row["class"] == "corrupt" else None for row in rows.values()]
    points = [
        Marks(STORE, "precision", [row["precision"] for row in rows.values()]),
        Marks(ACTUAL, "seen", [row["seen"] for row in rows.values()]),
        Marks(ESTIMATED, "located", located),
    ]
    return Rows("Share of fault-days found, by kind", list(rows), _number, points=points, rules=[Rule(F1, "", f"target of F1, {F1:g}")])  # fmt: skip


def _rules(figures: Mapping[str, Any]) -> Rows:
    rows = {rule: row["false_alarms_per_10000"] or 0.0 for rule, row in figures["rules"].items()}
    return _bars("False alarms by rule", "false alarms of 10,000", rows, [Rule(FALSE, "", f"{FALSE:g} are allowed")])


def _energy(figures: Mapping[str, Any]) -> Rows:
    rows = {kind: wh / 1000 for kind, wh in figures["wrong_as_a_wh"].items() if wh}
    return _bars("Energy wrong as A by kind of fault, kWh", "kWh", rows)


def _estimates(figures: Mapping[str, Any]) -> Rows:
    rows = [row for row in figures["estimates"] if row["engine"]["error_percent"] is not None]
    names = [f"{row['method'].replace('_', ' ')}, {row['gap']}, registers {'known' if row['registers'] else 'not known'}" for row in rows]  # fmt: skip
    points = [
        Marks(kind, word, [row[name]["error_percent"] for row in rows])
        for kind, word, name in (
            (STORE, "the mean meter's day, as high", "profile"),
            (ESTIMATED, "yesterday at the same time", "yesterday"),
            (ACTUAL, "the engine", "engine"),
        )
    ]
    return Rows("Error of estimates, %", names, _number, points=points)


def _number(value: float) -> str:
    return f"{value:,.4g}"
