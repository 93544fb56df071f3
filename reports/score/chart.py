"""The charts of a scorecard: what was found of each kind, false alarms, energy that is wrong, errors of estimates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from reports.chart_parts import INK, MUTED, NARROW, WIDE, Width, bare, inline, legend, svg
from reports.score.text import F1, FALSE, LOCATED
from simulator.web.palette import light

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Marks of what is compared: colour and shape, so that neither is needed alone.
_FIRST, _SECOND, _THIRD = (light("vee-actual"), "o"), (light("vee-estimated"), "^"), (light("from-store"), "s")


class Drawn(NamedTuple):
    """A chart in each of its widths, and what it says."""

    svgs: Mapping[str, str]
    label: str
    caption: str


def charts(figures: Mapping[str, Any]) -> dict[str, Drawn]:
    """Every chart that there is something for, by its place on the page."""
    found = {
        "kinds": (_kinds, "Share of fault-days found, by kind", f"Targets: F1 {F1:g}, located {LOCATED:g} (kinds that corrupt intervals)."),
        "rules": (_rules, "False alarms, by rule", f"Innocent meter-days of 10,000 on which the rule was told; {FALSE:g} are allowed."),
        "energy": (_energy, "Energy wrong as A, by kind of fault on its day", "A day of two kinds counts for both."),
        "estimates": (_estimates, "Error of estimates", "Sum of the absolute errors, % of what flowed, beside two naive estimates of the same intervals."),
    }  # fmt: skip
    made = {}
    for name, (draw, label, caption) in found.items():
        svgs = {width.name: svg(f"score-{name}-{width.name}", _sized(draw, figures, width)) for width in (WIDE, NARROW)}
        if all(svgs.values()):
            made[name] = Drawn({width: inline(document) for width, document in svgs.items()}, label, caption)
    return made


_Draw = Callable[[Mapping[str, Any], Width], "Figure | None"]


def _sized(draw: _Draw, figures: Mapping[str, Any], width: Width) -> Callable[[], Figure | None]:
    return lambda: draw(figures, width)


def _lying(names: Sequence[str], width: Width) -> tuple[Figure, Axes]:
    """A row for each name, the first on top."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width.inches, 0.27 * len(names) + 1.3), layout="constrained")
    axes = figure.subplots()
    bare(axes)
    axes.grid(axis="x", color=light("grid"), linewidth=0.8)
    axes.set_yticks(range(len(names)), names, color=INK)
    axes.set_ylim(len(names) - 0.4, -0.6)
    return figure, axes


def _dots(axes: Axes, columns: Iterable[tuple[str, tuple[str, str], Sequence[float | None]]]) -> None:
    for name, (colour, mark), values in columns:
        at = [(value, row) for row, value in enumerate(values) if value is not None]
        axes.plot([x for x, _ in at], [y for _, y in at], mark, color=colour, label=name, markersize=6, clip_on=False)


def _bars(axes: Axes, values: Sequence[float], width: Width) -> None:
    axes.barh(range(len(values)), values, color=_FIRST[0], height=0.6)
    for row, value in enumerate(values):
        axes.annotate(f" {value:,.2f}", (value, row), va="center", fontsize=9, color=MUTED)
    axes.set_xlim(0, max([*values, 1e-9]) * (1.1 if width is WIDE else 1.3))


def _kinds(figures: Mapping[str, Any], width: Width) -> Figure | None:
    rows = {kind: row for kind, row in figures["kinds"].items() if row.get("f1") is not None}
    if not rows:
        return None
    figure, axes = _lying(list(rows), width)
    located = [row["located"] if row["class"] == "corrupt" else None for row in rows.values()]
    axes.axvline(F1, color=MUTED, linewidth=0.8, linestyle="--")
    _dots(
        axes,
        [
            ("precision", _THIRD, [row["precision"] for row in rows.values()]),
            ("seen", _FIRST, [row["seen"] for row in rows.values()]),
            ("located", _SECOND, located),
        ],
    )
    axes.set_xlim(0, 1)
    axes.set_xlabel("share")
    legend(figure, width)
    return figure


def _rules(figures: Mapping[str, Any], width: Width) -> Figure | None:
    rows = {rule: row["false_alarms_per_10000"] or 0.0 for rule, row in figures["rules"].items()}
    if not rows:
        return None
    figure, axes = _lying(list(rows), width)
    _bars(axes, list(rows.values()), width)
    axes.axvline(FALSE, color=MUTED, linewidth=0.8, linestyle="--")
    axes.set_xlim(0, max(1.2 * FALSE, axes.get_xlim()[1]))
    axes.set_xlabel("per 10,000 innocent meter-days")
    return figure


def _energy(figures: Mapping[str, Any], width: Width) -> Figure | None:
    rows = {kind: wh / 1000 for kind, wh in figures["wrong_as_a_wh"].items() if wh}
    if not rows:
        return None
    figure, axes = _lying(list(rows), width)
    _bars(axes, list(rows.values()), width)
    axes.set_xlabel("kWh")
    return figure


def _estimates(figures: Mapping[str, Any], width: Width) -> Figure | None:
    rows = [row for row in figures["estimates"] if row["engine"]["error_percent"] is not None]
    if not rows:
        return None
    between = ", " if width is WIDE else "\n"
    named = [f"{row['method'].replace('_', ' ')}, {row['gap']}{between}registers {'known' if row['registers'] else 'not known'}" for row in rows]  # fmt: skip
    figure, axes = _lying(named, width)
    if width is NARROW:
        figure.set_figheight(0.45 * len(rows) + 1.6)
    _dots(
        axes,
        [
            (said, mark, [row[name]["error_percent"] for row in rows])
            for said, name, mark in (
                ("the mean meter's day, as high", "profile", _THIRD),
                ("yesterday at the same time", "yesterday", _SECOND),
                ("the engine", "engine", _FIRST),
            )
        ],
    )
    axes.set_xlim(left=0)
    axes.set_xlabel("error, %")
    legend(figure, width)
    return figure
