"""The charts of a scenario's report, as inline SVG. VEE actual, VEE estimated and non-VEE are told apart by colour and by hatching.

Drawn from a recording alone; the same recording gives the same bytes.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from meters.calendar import INTERVAL_S, Seconds, day_end, day_of_interval, day_start, ends_within, local
from reports.chart_parts import INK, KINDS, MUTED, PAPER, WIDE, Width, bare, inline, legend, svg
from reports.scenario.cost_chart import Costs, Cycle, cost_figure
from scenarios.judging.facts import Facts
from scenarios.records.actions import Pattern
from scenarios.records.usage import Interval
from simulator.ror.usage import Quality, Source

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: VEE days shown before the gap day.
DAYS_BEFORE = 3


def charts(facts: Facts, width: Width = WIDE) -> dict[str, str]:
    """The SVGs by name, drawn for a width; a chart without data is left out."""
    call = facts.call
    if call is None or not facts.at_call:
        return {}
    usage, account, again = facts.at_call, facts.account, facts.rebilled
    cycle = Cycle(account.cycle_first, account.cycle_last, account.full_cycle_days)
    asked = facts.at(facts.about) if facts.about is not None else usage[-1].end
    told = None if again is None or again.vee_usd is None or again.instant is None else (again.instant, again.vee_usd)
    days_used = 0 if call.stand is None else call.stand.projection.days_used
    drawn = {
        "days": _drawn("days", width, _days, usage, asked),
        "daily": _drawn("daily", width, _daily, usage, cycle),
        "cost": _drawn("cost", width, cost_figure, Costs(usage, cycle, facts.premise.plan_terms, call.stand, told)),
        "hours": _drawn("hours", width, _hours, call.pattern, days_used),
    }
    return {name: chart for name, chart in drawn.items() if chart}


#: Charts drawn of late, by the digest of what they were drawn from: scenarios of one world often show the same, and drawing takes longer than playing.
_KEPT: dict[bytes, str] = {}
#: A default of this project.
MOST_KEPT = 128


def _drawn(name: str, width: Width, draw: Callable[..., Figure | None], *of: object) -> str:
    """A chart as a part of a page. of: all that it is drawn from; what is told the same is drawn once."""
    key = sha256(repr((name, width, of)).encode()).digest()
    if key not in _KEPT:
        if len(_KEPT) >= MOST_KEPT:
            del _KEPT[next(iter(_KEPT))]
        chart = svg(f"scenario-{name}-{width.name}", lambda: draw(*of, width))
        _KEPT[key] = inline(chart) if chart else ""
    return _KEPT[key]


def kind_of(quality: Quality, source: Source) -> str:
    """Key of ``KINDS`` for an interval."""
    if quality is Quality.VEE_ACTUAL:
        return "actual"
    if quality is Quality.VEE_ESTIMATED:
        return "estimated"
    return "meter" if source is Source.METER else "store"


def _figure(width: Width, height: float) -> tuple[Figure, Axes]:
    """Axes of so many inches, and room for the lines of a legend that has its names one below the other."""
    from matplotlib.figure import Figure

    lines = len(KINDS) // width.columns
    figure = Figure(figsize=(width.inches, height + 0.18 * (lines - 1)), layout="constrained")
    axes = figure.subplots()
    bare(axes)
    return figure, axes


def _days(usage: list[Interval], asked: Seconds, width: Width) -> Figure | None:
    """Quarter hours of the last VEE days and the gap."""
    gap_day = day_of_interval(usage[-1].end)
    first = day_start(gap_day - timedelta(days=DAYS_BEFORE))
    shown = [interval for interval in usage if interval.end > first]
    figure, axes = _figure(width, 3.6)
    edges = [shown[0].end - INTERVAL_S, *ends_within(shown[0].end - INTERVAL_S, shown[-1].end)]
    for key, kind in KINDS.items():
        its = {end: wh / 1000 for end, wh, quality, source in shown if kind_of(quality, source) == key}
        if its:
            axes.stairs(
                [its.get(end, math.nan) for end in edges[1:]],
                edges,
                fill=True,
                facecolor=kind.colour,
                hatch=kind.hatch,
                edgecolor=PAPER if kind.hatch else kind.colour,
                linewidth=0,
                label=kind.label,
            )
    days = sorted({day_of_interval(interval.end) for interval in shown})
    for day in days[1:]:
        axes.axvline(day_start(day), color=MUTED, linewidth=0.7)
    axes.axvline(asked, color=INK, linewidth=1, linestyle="--")
    axes.annotate(
        f"the call, {local(asked):%H:%M}",
        (asked, 1),
        (4, 0),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        va="top",
        fontsize=9,
    )
    ticks = [day_start(day) + hours * 3600 for day in days for hours in ((0, 6, 12, 18) if width is WIDE else (0,))]
    axes.set_xticks(ticks, [_tick(tick) for tick in ticks], fontsize=8.5)
    axes.set_xlim(first, max(day_end(gap_day), asked))
    axes.set_ylabel("kWh per 15 minutes")
    legend(figure, width)
    return figure


def _tick(at: Seconds) -> str:
    when = local(at)
    return f"{when:%a %m-%d}" if when.hour == 0 else f"{when:%H:%M}"


def _daily(usage: list[Interval], cycle: Cycle, width: Width) -> Figure | None:
    """Totals by operating day, stacked by what the values have been through."""
    totals: defaultdict[date, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for end, wh, quality, source in usage:
        totals[day_of_interval(end)][kind_of(quality, source)] += wh
    figure, axes = _figure(width, 3.4)
    days = cycle.days
    below = [0.0] * len(days)
    for key, kind in KINDS.items():
        part = [totals[day][key] / 1000 if day in totals else 0.0 for day in days]
        if any(part):
            axes.bar(
                range(len(days)),
                part,
                bottom=below,
                width=0.8,
                color=kind.colour,
                hatch=kind.hatch,
                edgecolor=PAPER if kind.hatch else kind.colour,
                linewidth=0,
                label=kind.label,
            )
        below = [low + one for low, one in zip(below, part, strict=True)]
    a_label = "%\nestimated" if width is WIDE else "%"
    for at, day in enumerate(days):
        estimated = totals[day]["estimated"] if day in totals else 0
        if estimated:
            share = 100 * estimated / sum(totals[day].values())
            _label(axes, f"{share:.0f} {a_label}", at, below)
    last = usage[-1]
    if last.quality is Quality.NON_VEE:
        at = days.index(day_of_interval(last.end))
        _label(axes, f"to {local(last.end):%H:%M}", at, below)
    step = 1 if width is WIDE else 7
    axes.set_xticks(
        range(0, len(days), step),
        [f"{day:%d}" if day.day > step and at else f"{day:%b %d}" for at, day in enumerate(days) if at % step == 0],
        fontsize=8.5,
    )
    axes.set_xlim(-0.6, len(days) - 0.4)
    axes.set_ylim(0, max(below) * 1.18)
    axes.set_ylabel("kWh per operating day")
    legend(figure, width)
    return figure


def _label(axes: Axes, text: str, at: int, heights: list[float]) -> None:
    """A word above a bar, and above the neighbours that it is wider than."""
    y = max(heights[max(0, at - 1) : at + 2])
    axes.annotate(text, (at, y), (0, 3), textcoords="offset points", ha="center", va="bottom", fontsize=8.5)


def _hours(pattern: Pattern, days: int, width: Width) -> Figure | None:
    """The gap day by hour beside a usual one."""
    if pattern.day is None or not any(one is not None for one in pattern.usual_wh):
        return None
    figure, axes = _figure(width, 3.2)
    day = [(hour, wh / 1000) for hour, wh in enumerate(pattern.day_wh) if wh is not None]
    usual = [(hour, wh / 1000) for hour, wh in enumerate(pattern.usual_wh) if wh is not None]
    store = KINDS["store"]
    axes.bar(
        [hour + 0.5 for hour, _ in day],
        [wh for _, wh in day],
        width=0.84,
        color=store.colour,
        label=f"{pattern.day}, the hours known",
    )
    axes.stairs(
        [wh for _, wh in usual],
        [hour for hour, _ in usual] + [usual[-1][0] + 1],
        baseline=None,
        color=INK,
        linewidth=1.8,
        label=f"a usual day (mean of {days} VEE days)",
    )
    hours = range(0, 25, 3 if width is WIDE else 6)
    axes.set_xticks(hours, [f"{hour:02d}:00" for hour in hours])
    axes.set_xlim(0, 24)
    axes.set_ylabel("kWh per hour")
    legend(figure, width)
    return figure
