"""The charts of a statement: the cycle's usage day by day with the band of where it goes and the plan's edges; the day by hour beside a usual one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meters.calendar import Seconds, day_end, days
from reports.chart_parts import INK, KINDS, MUTED, NARROW, PAPER, WIDE, Width, bare, inline, legend, svg
from simulator.ror.errors import RorError
from simulator.ror.expected.likely import NINETIETH, TENTH, quantile
from simulator.ror.statement import Statement

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_KNOWN, _AHEAD = KINDS["actual"].colour, KINDS["estimated"].colour


class Course(NamedTuple):
    """kWh of the cycle up to instants, in the middle of its ways and at both ends of the band."""

    #: Days since it began. The charts do not show that a day of the clock's change has an hour more or less.
    days: NDArray[np.float64]
    low: NDArray[np.float64]
    middle: NDArray[np.float64]
    high: NDArray[np.float64]


def write_png(told: Statement, path: Path) -> None:
    """Draw both charts into a file. Raises RorError where it cannot be written."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDE.inches, 8.0), layout="constrained")
    of_cycle, of_day = figure.subplots(2, 1, height_ratios=(3, 2))
    _cycle(of_cycle, told, WIDE)
    _hours(of_day, told, WIDE)
    of_cycle.legend(loc="lower right", frameon=False, fontsize=9)
    of_day.legend(loc="upper left", ncols=3, frameon=False, fontsize=9)
    of_cycle.set_title(
        f"{told.plan.name}, {told.account.cycle_first} to {told.account.cycle_last}", loc="left", color=INK
    )
    try:
        figure.savefig(path, format="png", dpi=100, metadata={"Software": None})
    except OSError as error:
        text = f"The picture cannot be written: {error.strerror}."
        raise RorError("ror.balance.png", text, str(path), "Name another --png.") from None


def charts(told: Statement, width: Width) -> dict[str, str]:
    """Both as parts of a page, by name; one of which there is nothing is empty."""

    def cycle() -> Figure:
        figure, axes = _figure(width, 4.2)
        _cycle(axes, told, width)
        legend(figure, width)
        return figure

    def hours() -> Figure | None:
        if told.pattern.base_w is None:
            return None
        figure, axes = _figure(width, 3.2)
        _hours(axes, told, width)
        legend(figure, width)
        return figure

    drawn = {"cycle": svg(f"balance-cycle-{width.name}", cycle), "hours": svg(f"balance-hours-{width.name}", hours)}
    return {name: inline(document) if document else "" for name, document in drawn.items()}


def both_widths(told: Statement) -> Mapping[str, Mapping[str, str]]:
    """By chart and by width."""
    sized = {width.name: charts(told, width) for width in (WIDE, NARROW)}
    return {name: {width: its[name] for width, its in sized.items()} for name in ("cycle", "hours")}


def _figure(width: Width, inches: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width.inches, inches), layout="constrained")
    return figure, figure.subplots()


def course_of(told: Statement, first: Seconds, last: Seconds) -> Course:
    """Where the cycle's usage goes from an instant to another one, by midnights. UTC epoch seconds."""
    draws, begin = told.projection.draws, told.account.cycle_start
    midnights = [day_end(day) for day in days(told.account.cycle_first, told.account.cycle_last)]
    at = np.array([first, *(one for one in midnights if first < one < last), last], np.int64)
    sums = np.concatenate([np.zeros((len(draws.wh), 1)), np.cumsum(draws.wh, axis=1, dtype=np.float64)], axis=1)
    upto = sums[:, np.searchsorted(draws.ends, at, side="right")]
    band = (np.array([quantile(of, share) / 1000 for of in upto.T]) for share in (TENTH, 0.5, NINETIETH))
    return Course((at - begin) / 86_400, *band)


def _cycle(axes: Axes, told: Statement, width: Width) -> None:
    """kWh of the cycle, from its first day on."""
    account = told.account
    known_to = account.cycle_start if told.stand is None else told.stand.to
    known, ahead = course_of(told, account.cycle_start, known_to), course_of(told, known_to, account.cycle_end)
    axes.plot(known.days, known.middle, color=_KNOWN, linewidth=2.4, label="known")
    if not told.closed:
        said = "eight of ten ways that it may go"
        axes.fill_between(ahead.days, ahead.low, ahead.high, color=_AHEAD, alpha=0.25, linewidth=0, label=said)
        axes.plot(ahead.days, ahead.middle, color=_AHEAD, linewidth=1.6, linestyle="--", label="the middle of them")
    top = max(float(ahead.high[-1]) * 1.15, 1.0)
    for place, edge in enumerate(one for one in told.edges if 0 < one.edge.wh / 1000 <= top * 1.25):
        top = max(top, edge.edge.wh / 1000 * 1.08)
        axes.axhline(edge.edge.wh / 1000, color=MUTED, linestyle=":", linewidth=1.2)
        words = (
            f"{edge.edge.text}: {edge.odds} of 100"
            if width is WIDE
            else f"{edge.edge.wh / 1000:g} kWh: {edge.odds} of 100"
        )
        axes.annotate(
            words, (0, edge.edge.wh / 1000), (4, 3 - 13 * (place % 2)), textcoords="offset points", fontsize=9, color=INK,
            parse_math=False, bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.5, "alpha": 0.8},
        )  # fmt: skip
    bare(axes)
    axes.set_xlim(0, account.cycle_days)
    axes.set_ylim(0, top)
    step = max(1, round(account.cycle_days / (10 if width is WIDE else 4)))
    ticks = range(0, account.cycle_days + 1, step)
    axes.set_xticks(ticks, [f"{account.cycle_first + timedelta(days=day):%m-%d}" for day in ticks])
    axes.set_ylabel("kWh of the cycle")


def _hours(axes: Axes, told: Statement, width: Width) -> None:
    """kWh by hour of the local day."""
    pattern = told.pattern
    known = [(hour, wh / 1000) for hour, wh in enumerate(pattern.day_wh) if wh is not None]
    usual = [None if wh is None else wh / 1000 for wh in pattern.usual_wh]
    axes.bar(
        [hour + 0.5 for hour, _ in known], [wh for _, wh in known], width=0.84, color=_KNOWN, label=f"{pattern.day}"
    )
    if pattern.base_w is not None:
        steps = [np.nan if wh is None else wh for wh in usual]
        axes.stairs(steps, range(25), baseline=None, color=INK, linewidth=1.8, label="a usual day")
        axes.axhline(pattern.base_w / 1000, color=_AHEAD, linewidth=1.2, linestyle="--", label="base load")
    bare(axes)
    hours = range(0, 25, 3 if width is WIDE else 6)
    axes.set_xticks(hours, [f"{hour:02d}:00" for hour in hours])
    axes.set_xlim(0, 24)
    axes.set_ylim(0, 1.3 * max([0.1, *(wh for _, wh in known), *(wh for wh in usual if wh is not None)]))
    axes.set_ylabel("kWh per hour")
