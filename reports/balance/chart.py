"""The charts of a statement: the cycle's usage day by day with the band of where it goes and the plan's edges; the day by hour beside a usual one.

A page has them of the kit; the picture for slides and letters (``--png``) is drawn by matplotlib.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meters.calendar import Seconds, day_end, days
from reports.chart_parts import COLOURS, INCHES, INK, MUTED, PAPER, bare, save
from simulator.ror.errors import RorError
from simulator.ror.expected.likely import NINETIETH, TENTH, quantile
from simulator.ror.statement import Statement
from simulator.web.charts import Chart, Column
from simulator.web.kinds import ACTUAL, MISSING
from simulator.web.lines import KNOWN, MIDDLE, Band, Line, Lines
from simulator.web.parts import Table
from simulator.web.plot import Rule

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Marks below a cycle's days.
_MARKS = 4
#: Edges are drawn up to so much above the highest way.
_IN_SIGHT = 1.25
_KNOWN, _AHEAD = COLOURS["actual"], COLOURS["estimated"]


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

    figure = Figure(figsize=(INCHES, 8.0), layout="constrained")
    of_cycle, of_day = figure.subplots(2, 1, height_ratios=(3, 2))
    _cycle(of_cycle, told)
    _hours(of_day, told)
    of_cycle.legend(loc="lower right", frameon=False, fontsize=9)
    of_day.legend(loc="upper left", ncols=3, frameon=False, fontsize=9)
    of_cycle.set_title(
        f"{told.plan.name}, {told.account.cycle_first} to {told.account.cycle_last}", loc="left", color=INK
    )
    try:
        save(figure, path)
    except OSError as error:
        text = f"The picture cannot be written: {error.strerror}."
        raise RorError("ror.balance.png", text, str(path), "Name another --png.") from None


def cycle_chart(told: Statement) -> tuple[Lines, Table]:
    """The cycle's usage by day with the band of where it goes and the plan's edges; and the same in words."""
    account, (known, ahead) = told.account, _courses(told)
    lines = [Line(KNOWN, "known", known.days.tolist(), known.middle.tolist())]
    bands, top = [], float(known.high[-1])
    if not told.closed:
        lines.append(Line(MIDDLE, "the middle of them", ahead.days.tolist(), ahead.middle.tolist()))
        bands.append(
            Band("eight of ten ways that it may go", ahead.days.tolist(), ahead.low.tolist(), ahead.high.tolist())
        )
        top = float(ahead.high[-1])
    days = [f"{account.cycle_first + timedelta(days=day):%b %d}" for day in range(account.cycle_days)]
    chart = Lines(
        "Usage of the cycle by day, kWh",
        (0, account.cycle_days),
        [(day, days[day]) for day in range(0, len(days), -(-len(days) // _MARKS))],
        _plain,
        lines,
        bands,
        rules=[
            Rule(at, f"{_plain(at)} kWh: {one.odds} of 100", f"{one.edge.text}: {one.odds} of 100")
            for one in told.edges
            for at in (one.edge.wh / 1000,)
            if 0 < at <= top * _IN_SIGHT
        ],
    )
    rows = [
        [days[min(int(at), len(days) - 1)], *(f"{value:,.3f}" for value in values)]
        for of in (known, ahead)
        # What a day comes to is told of its end.
        for at, *values in zip((of.days[1:] - 0.5).tolist(), *(one[1:].tolist() for one in of[1:]), strict=True)
    ]
    return chart, Table(["Up to", "one of ten below, kWh", "middle", "one of ten above"], rows)


def hours_chart(told: Statement) -> Chart | None:
    """KWh by hour of the last day, beside a usual one and the base load; None without one."""
    pattern = told.pattern
    if pattern.base_w is None:
        return None
    hours = [f"{hour:02d}:00" for hour in range(len(pattern.day_wh))]
    return Chart(
        f"Usage by hour of {pattern.day}",
        ("hour", "hours"),
        hours,
        [(hour, hours[hour][:2]) for hour in range(0, len(hours), 3)],
        Column([MISSING if wh is None else ACTUAL for wh in pattern.day_wh], [wh or 0 for wh in pattern.day_wh]),
        line=pattern.usual_wh,
        rules=[Rule(pattern.base_w, "base load")],
    )


def _courses(told: Statement) -> tuple[Course, Course]:
    """What is known, and where it goes."""
    account = told.account
    known_to = account.cycle_start if told.stand is None else told.stand.to
    return course_of(told, account.cycle_start, known_to), course_of(told, known_to, account.cycle_end)


def _plain(kwh: float) -> str:
    return f"{kwh:,g}"


def course_of(told: Statement, first: Seconds, last: Seconds) -> Course:
    """Where the cycle's usage goes from an instant to another one, by midnights. UTC epoch seconds."""
    draws, begin = told.projection.draws, told.account.cycle_start
    midnights = [day_end(day) for day in days(told.account.cycle_first, told.account.cycle_last)]
    at = np.array([first, *(one for one in midnights if first < one < last), last], np.int64)
    sums = np.concatenate([np.zeros((len(draws.wh), 1)), np.cumsum(draws.wh, axis=1, dtype=np.float64)], axis=1)
    upto = sums[:, np.searchsorted(draws.ends, at, side="right")]
    band = (np.array([quantile(of, share) / 1000 for of in upto.T]) for share in (TENTH, 0.5, NINETIETH))
    return Course((at - begin) / 86_400, *band)


def _cycle(axes: Axes, told: Statement) -> None:
    """kWh of the cycle, from its first day on."""
    account, (known, ahead) = told.account, _courses(told)
    axes.plot(known.days, known.middle, color=_KNOWN, linewidth=2.4, label="known")
    if not told.closed:
        said = "eight of ten ways that it may go"
        axes.fill_between(ahead.days, ahead.low, ahead.high, color=_AHEAD, alpha=0.25, linewidth=0, label=said)
        axes.plot(ahead.days, ahead.middle, color=_AHEAD, linewidth=1.6, linestyle="--", label="the middle of them")
    top = max(float(ahead.high[-1]) * 1.15, 1.0)
    for place, edge in enumerate(one for one in told.edges if 0 < one.edge.wh / 1000 <= top * _IN_SIGHT):
        top = max(top, edge.edge.wh / 1000 * 1.08)
        axes.axhline(edge.edge.wh / 1000, color=MUTED, linestyle=":", linewidth=1.2)
        axes.annotate(
            f"{edge.edge.text}: {edge.odds} of 100", (0, edge.edge.wh / 1000), (4, 3 - 13 * (place % 2)), textcoords="offset points", fontsize=9, color=INK,
            parse_math=False, bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.5, "alpha": 0.8},
        )  # fmt: skip
    bare(axes)
    axes.set_xlim(0, account.cycle_days)
    axes.set_ylim(0, top)
    step = max(1, round(account.cycle_days / 10))
    ticks = range(0, account.cycle_days + 1, step)
    axes.set_xticks(ticks, [f"{account.cycle_first + timedelta(days=day):%m-%d}" for day in ticks])
    axes.set_ylabel("kWh of the cycle")


def _hours(axes: Axes, told: Statement) -> None:
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
    hours = range(0, 25, 3)
    axes.set_xticks(hours, [f"{hour:02d}:00" for hour in hours])
    axes.set_xlim(0, 24)
    axes.set_ylim(0, 1.3 * max([0.1, *(wh for _, wh in known), *(wh for wh in usual if wh is not None)]))
    axes.set_ylabel("kWh per hour")
