"""The chart of a load report: per level, how the planned requests end under each policy, latency and age of data beside the bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from simulator.capacity.outcome import Estimate, Outcome, Row

_LIGHT, _DARK = "white", "#1c2733"


class _Part(NamedTuple):
    label: str
    colour: str
    share: list[float]


def chart_svg(outcome: Outcome, rows: list[Row]) -> str:
    """One panel per level: how the planned requests end under each policy, with latency, hang-ups and age of data beside the bars."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    levels = outcome.study["levels"]
    n = len(outcome.policies)
    with mpl.rc_context({"svg.hashsalt": "load-report", "font.size": 10, "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(11.5, (0.62 * n + 1.0) * len(levels) + 0.5), layout="constrained")
        panels = figure.subplots(len(levels), 1, squeeze=False)[:, 0]
        for panel, level in zip(panels, levels, strict=True):
            _panel(panel, level, [row for row in rows if row.level == level["name"]])
        panels[-1].set_xlabel("% of the planned requests")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=5, frameon=False, fontsize=9)
        out = StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def _panel(panel: Any, level: Mapping[str, Any], rows: list[Row]) -> None:
    def shares(which: Callable[[Row], float]) -> list[float]:
        return [100 * which(row) / row.planned for row in rows]

    parts = [
        _Part("served, meter read", "#1f5f8b", shares(lambda r: _mean(r.served) - _mean(r.served_from_store))),
        _Part("served from the store", "#7fb2d1", shares(lambda r: _mean(r.served_from_store))),
        _Part("refused, store's data given", "#f0c27a", shares(lambda r: _mean(r.refused_with_store))),
        _Part("refused, no data", "#d9822b", shares(lambda r: _mean(r.refused) - _mean(r.refused_with_store))),
        _Part("failed", "#8c2f24", shares(lambda r: _mean(r.failed) + _mean(r.t_failed) + _mean(r.expired))),
    ]
    at = list(range(len(rows)))
    left = [0.0] * len(rows)
    for part in parts:
        panel.barh(at, part.share, left=left, color=part.colour, height=0.62, label=part.label)
        for y, (begin, width) in enumerate(zip(left, part.share, strict=True)):
            if width >= 5:
                dark = part.colour in ("#1f5f8b", "#8c2f24")
                panel.text(
                    begin + width / 2,
                    y,
                    f"{width:.1f} %",
                    ha="center",
                    va="center",
                    color=_LIGHT if dark else _DARK,
                )
        left = [a + b for a, b in zip(left, part.share, strict=True)]
    for y, row in enumerate(rows):
        panel.text(101.5, y, _beside(row), va="center", fontsize=9, color=_DARK)
    panel.set_yticks(at, [row.policy for row in rows])
    panel.invert_yaxis()
    panel.set_xlim(0, 100)
    panel.set_title(f"{level['name']}: {level['calls']:,} calls in the hour", loc="left", fontsize=11)
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.tick_params(left=False)


def _mean(one: Estimate) -> float:
    return one.mean or 0.0


def _beside(row: Row) -> str:
    if not row.served.mean:
        given = (
            f"\nthe refused are given data {_mean(row.refused_age_p50_min):.0f} min old"
            if row.refused_with_store.mean
            else ""
        )
        return "nobody served" + given
    return (
        f"p50 {_mean(row.p50_s):.0f} s, p95 {_mean(row.p95_s):.0f} s; data {_mean(row.age_p50_min):,.1f} min old\n"
        f"{_mean(row.answered_before_hang_up):.0f} % answered before hang-up; {_mean(row.meter_reads):,.0f} reads"
    )
