"""The chart of a load report: per level, how the planned requests end under each policy, latency and age of data below the bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from reports.chart_parts import MUTED, NARROW, WIDE, Width, legend, svg
from simulator.web.palette import light

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from simulator.capacity.outcome import Estimate, Outcome, Row

#: Percent of the bar's whole that a word in it needs.
_ROOM = {WIDE: 5, NARROW: 15}


def _mean(estimate: Estimate) -> float:
    return estimate.mean or 0.0


class Part(NamedTuple):
    """One way to end: its name, its colour and that of the word in it, how many requests ended so."""

    label: str
    colour: str
    ink: str
    ended: Callable[[Row], float]


PARTS = (
    Part("served, meter read", "served-read", "paper", lambda row: _mean(row.served) - _mean(row.served_from_store)),
    Part("served from the store", "served-store", "ink", lambda row: _mean(row.served_from_store)),
    Part("refused, store's data given", "refused-store", "ink", lambda row: _mean(row.refused_with_store)),
    Part("refused, no data", "refused", "paper", lambda row: _mean(row.refused) - _mean(row.refused_with_store)),
    Part("failed", "failed", "paper", lambda row: _mean(row.failed) + _mean(row.t_failed) + _mean(row.expired)),
)


def chart_svg(outcome: Outcome, rows: list[Row], width: Width = WIDE) -> str:
    """One panel per level: how the planned requests end under each policy; above the bar its name, below it latency, hang-ups and age of data."""

    def draw() -> Figure:
        from matplotlib.figure import Figure

        levels = outcome.study["levels"]
        lines = -(-len(PARTS) // width.columns)
        height = len(levels) * (0.9 * len(outcome.policies) + 0.6) + 0.2 * lines + 0.4
        figure = Figure(figsize=(width.inches, height), layout="constrained")
        panels = figure.subplots(len(levels), 1, squeeze=False)[:, 0]
        for panel, level in zip(panels, levels, strict=True):
            _panel(panel, level, [row for row in rows if row.level == level["name"]], width)
        panels[-1].set_xlabel("% of the planned requests")
        legend(figure, width, *panels[0].get_legend_handles_labels())
        return figure

    return svg(f"load-report-{width.name}", draw)


def _panel(panel: Axes, level: Mapping[str, Any], rows: list[Row], width: Width) -> None:
    left = [0.0] * len(rows)
    for part in PARTS:
        shares = [100 * part.ended(row) / row.planned for row in rows]
        panel.barh(range(len(rows)), shares, left=left, color=light(part.colour), height=0.36, label=part.label)
        for y, (begin, share) in enumerate(zip(left, shares, strict=True)):
            if share >= _ROOM[width]:
                middle = begin + share / 2
                panel.text(middle, y, f"{share:.1f} %", ha="center", va="center", fontsize=9, color=light(part.ink))
        left = [a + b for a, b in zip(left, shares, strict=True)]
    for y, row in enumerate(rows):
        panel.text(0, y - 0.22, row.policy, va="bottom", fontweight="bold", fontsize=9)
        panel.text(
            0, y + 0.22, (", " if width is WIDE else ",\n").join(_below(row)), va="top", fontsize=8.5, color=MUTED
        )
    panel.set_yticks([])
    panel.set_ylim(len(rows) - 0.4, -0.55)
    panel.set_xlim(0, 100)
    panel.set_title(f"{level['name']}: {level['calls']:,} calls in the hour", loc="left", fontsize=11)
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.tick_params(colors=MUTED)


def _below(row: Row) -> list[str]:
    if not row.served.mean:
        given = row.refused_with_store.mean
        return ["nobody served"] + (
            [f"the refused are given data {_mean(row.refused_age_p50_min):.0f} min old"] if given else []
        )
    return [
        f"p50 {_mean(row.p50_s):.0f} s, p95 {_mean(row.p95_s):.0f} s, data {_mean(row.age_p50_min):,.1f} min old",
        f"{_mean(row.answered_before_hang_up):.0f} % answered before hang-up, {_mean(row.meter_reads):,.0f} reads",
    ]
