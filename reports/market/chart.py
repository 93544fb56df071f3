"""The charts of a market's day: what each company delivered, hour by hour, and what its rules found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from headend.vee.rules import RULES, Severity
from meters.calendar import INTERVAL_S, interval_ends, local, seconds
from reports.chart_parts import KINDS, MUTED, WIDE, Width, bare, legend, svg
from simulator.web.palette import light

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Of the companies, from the bottom up.
_COLOURS = ("served-read", "served-store", "from-store", "refused-store", "failed")


def day_svg(found: Mapping[str, Any], width: Width = WIDE) -> str:
    """GW that were delivered in each interval, the companies upon each other."""

    def draw() -> Figure:
        from matplotlib.figure import Figure

        ends = interval_ends(date.fromisoformat(found["day"]))
        profiles = [[4 * wh / 1e9 for wh in one["profile_wh"]] for one in found["tdsps"].values()]
        figure = Figure(figsize=(width.inches, 3.6), layout="constrained")
        axes = figure.subplots()
        names = [one["name"] for one in found["tdsps"].values()]
        axes.stackplot(range(len(ends)), profiles, labels=names, colors=[light(one) for one in _COLOURS], step="post")
        every = 12 if width is WIDE else 24
        hours = [local(seconds(end - INTERVAL_S)).strftime("%H:%M") for end in ends[::every]]
        axes.set_xticks(range(0, len(ends), every), hours)
        axes.set_xlim(0, len(ends) - 1)
        axes.set_ylabel("GW delivered")
        bare(axes)
        legend(figure, width)
        return figure

    return svg(f"market-day-{width.name}", draw)


def findings_svg(found: Mapping[str, Any], width: Width = WIDE) -> str:
    """How many findings each rule told, on a logarithmic axis."""

    def draw() -> Figure | None:
        from matplotlib.figure import Figure

        told = found["all"]["findings"]
        if not told:
            return None
        figure = Figure(figsize=(width.inches, 0.3 * len(told) + 1.1), layout="constrained")
        axes = figure.subplots()
        for severity, kind in ((Severity.ESTIMATE, "estimated"), (Severity.TELL, "actual")):
            at = [place for place, rule in enumerate(told) if RULES[rule].severity is severity]
            counts = [list(told.values())[place] for place in at]
            label = "intervals are estimated" if severity is Severity.ESTIMATE else "told, no value changes"
            axes.barh(at, counts, color=KINDS[kind].colour, hatch=KINDS[kind].hatch, edgecolor="white", label=label)
            for place, count in zip(at, counts, strict=True):
                axes.text(count, place, f" {count:,}", va="center", fontsize=8.5, color=MUTED)
        axes.set_yticks(range(len(told)), list(told))
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.set_xlim(0.8, 20 * max(told.values()))
        axes.set_xlabel("findings")
        bare(axes)
        axes.grid(axis="y", visible=False)
        legend(figure, width)
        return figure

    return svg(f"market-findings-{width.name}", draw)
