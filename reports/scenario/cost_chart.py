"""The chart of a cycle's cost: to date on VEE data, with the gap, and the ways on to its end with the credit edge between them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from headend.ports import IntArray, LongArray
from meters.calendar import INTERVAL_S, Seconds, day_end, day_of_interval, day_start, instants, seconds
from reports.chart_parts import GRID, INK, KINDS, MUTED, PAPER, WIDE, Width, bare, legend
from scenarios.records.actions import Stand
from scenarios.records.usage import Interval
from simulator.ror.usage import Quality

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from simulator.ror.billing.plan import RatePlan


class Line(NamedTuple):
    """What is drawn into both parts: instants, dollars, and how."""

    at: list[Seconds]
    usd: list[float]
    look: dict[str, Any]


class Cycle(NamedTuple):
    """Days of a billing cycle, both included, and how many its whole has."""

    first: date
    last: date
    full_days: int | None

    @property
    def days(self) -> list[date]:
        """Its operating days."""
        return [self.first + timedelta(days=at) for at in range((self.last - self.first).days + 1)]


class Costs(NamedTuple):
    """What the chart is drawn from. ``again``: when the bill was made again on VEE data, and what it came to."""

    usage: list[Interval]
    cycle: Cycle
    plan: RatePlan | None
    stand: Stand | None
    again: tuple[Seconds, Decimal] | None


def cost_figure(costs: Costs, width: Width) -> Figure | None:
    """What the cycle costs up to each hour, and the ways on to its end: expected, low, high; beside or below it the last days large."""
    from matplotlib.figure import Figure

    stand, cycle = costs.stand, costs.cycle
    if stand is None or costs.plan is None or stand.known_to is None:
        return None
    to, start, end = stand.known_to, day_start(cycle.first), day_end(cycle.last)
    beside = width is WIDE
    figure = Figure(figsize=(width.inches, 4.2 if beside else 7.0), layout="constrained")
    whole, large = figure.subplots(1, 2, sharey=True) if beside else figure.subplots(2, 1)
    lines = _cost_lines(costs, costs.plan, stand, to)
    for axes in (whole, large):
        bare(axes)
        for line in lines:
            axes.plot(line.at, line.usd, **line.look)
        axes.set_ylim(bottom=0)
    whole.set_ylabel("$ with tax, cycle to date")
    days = cycle.days
    weeks = days[:: 7 if beside else 14]
    whole.set_xticks([day_start(day) for day in weeks], [f"{day:%b %d}" for day in weeks])
    whole.set_xlim(start, end)
    zoom = [day for day in days if day_end(day) > to - 2 * 86400]
    whole.axvspan(day_start(zoom[0]), end, color=GRID, alpha=0.45, linewidth=0)
    shown = zoom[:: math.ceil(len(zoom) / (6 if beside else 3))]
    large.set_xticks([day_start(day) for day in shown], [f"{day:%b %d}" for day in shown])
    large.set_xlim(day_start(zoom[0]), end)
    large.tick_params(labelleft=not beside)
    _ends(large, stand, end)
    legend(figure, width, *large.get_legend_handles_labels())
    return figure


def _cost_lines(costs: Costs, plan: RatePlan, stand: Stand, to: Seconds) -> list[Line]:
    usage = costs.usage
    known = _bills(plan, costs, to)
    vee_to = max((interval.end for interval in usage if interval.quality is not Quality.NON_VEE), default=to)
    vee = [point for point in known if point[0] <= vee_to]
    lines = [_line(vee, color=KINDS["actual"].colour, linewidth=2, label="on VEE data")]
    if to > vee_to:
        rest = [point for point in known if point[0] >= vee_to]
        name = "with the non-VEE intervals of the gap"
        lines.append(_line(rest, color=KINDS["meter"].colour, linewidth=3.2, label=name))
    for way in _ways(stand):
        points = _way(plan, costs, known[-1], to, way)
        lines.append(_line(points, color=way.colour, linestyle=way.dash, linewidth=1.5, label=way.label))
    if stand.to > to:
        told, about = [(stand.to, stand.bill.total_usd)], "told, with what is expected"
        lines.append(_line(told, color=INK, linestyle="", marker="o", markersize=6, label=about))
    if costs.again is not None:
        look = {"linestyle": "", "marker": "D", "markerfacecolor": PAPER, "markersize": 7}
        lines.append(_line([costs.again], color=INK, label="re-billed on VEE data", **look))
    return lines


def _line(points: Iterable[tuple[Seconds, Decimal]], **look: Any) -> Line:
    drawn = list(points)
    return Line([at for at, _ in drawn], [float(cost) for _, cost in drawn], look)


class Way(NamedTuple):
    """A way from the bill told to the end of the cycle."""

    label: str
    total_wh: int
    usd: Decimal
    colour: str
    dash: str


def _ways(stand: Stand) -> tuple[Way, ...]:
    ahead = stand.projection
    return (
        Way("the middle of the ways it may go", ahead.total_wh, stand.projected_bill.total_usd, INK, "--"),
        Way("low end of eight of ten", ahead.low_wh, stand.projected_usd_at_low_usage, KINDS["actual"].colour, ":"),
        Way("high end of eight of ten", ahead.high_wh, stand.projected_usd_at_high_usage, MUTED, "-."),
    )


def _ends(axes: Axes, stand: Stand, end: Seconds) -> None:
    """Tell beside the end of each way what the cycle then costs, from the top, no two in one place."""
    step = 0.07 * axes.get_ylim()[1]
    y = float("inf")
    for way in sorted(_ways(stand), key=lambda one: -one.usd):
        y = min(float(way.usd), y - step)
        text = f"${way.usd} at {way.total_wh / 1000:,.0f} kWh"
        axes.annotate(
            text,
            (end, y),
            (6, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=way.colour,
            annotation_clip=False,
        )
    for line in stand.bill.undecided:
        text = f"{line.kind} of ${abs(line.usd):.2f}\n{line.text}:\n{line.standing}"
        axes.annotate(text, (0.98, 0.04), xycoords="axes fraction", ha="right", fontsize=9, color=MUTED)


def _hours_of(start: Seconds, end: Seconds) -> list[Seconds]:
    return [*instants(start + 3600, end, seconds(3600)), end]


def _bills(plan: RatePlan, costs: Costs, to: Seconds) -> list[tuple[Seconds, Decimal]]:
    """What the cycle costs up to each hour."""
    ends = np.array([interval.end for interval in costs.usage], dtype=np.int64)
    wh = np.array([interval.wh for interval in costs.usage], dtype=np.int32)
    start = day_start(costs.cycle.first)
    return [(at, _to_date(plan, costs.cycle, ends, wh, at)) for at in _hours_of(start, to)]


def _to_date(plan: RatePlan, cycle: Cycle, ends: LongArray, wh: IntArray, at: Seconds) -> Decimal:
    """The bill to date at an instant, of intervals of which later ones do not count."""
    from simulator.ror.billing.bill import bill_to_date
    from simulator.ror.usage import Energy

    used = np.searchsorted(ends, at, "right")
    energy = Energy(ends[:used], wh[:used], np.zeros(used, np.int32))
    through = day_of_interval(at)
    return bill_to_date(plan, energy, cycle.first, through, cycle.last, cycle.full_days).total


def _way(
    plan: RatePlan, costs: Costs, begins: tuple[Seconds, Decimal], to: Seconds, way: Way
) -> Iterator[tuple[Seconds, Decimal]]:
    """Hours from the bill told to the end of the cycle, what is to come spread evenly; the last point is the closed bill."""
    from simulator.ror.billing.windows import apportioned

    end = day_end(costs.cycle.last)
    known = [interval for interval in costs.usage if interval.end <= to]
    ahead = np.arange(to + INTERVAL_S, end + 1, INTERVAL_S, dtype=np.int64)
    ends = np.array([*(interval.end for interval in known), *ahead], dtype=np.int64)
    so_far = [interval.wh for interval in known]
    to_come = apportioned(way.total_wh - sum(so_far), np.ones(len(ahead), np.int64))
    wh = np.array([*so_far, *to_come], dtype=np.int32)
    yield begins
    yield from ((at, _to_date(plan, costs.cycle, ends, wh, at)) for at in _hours_of(to, end)[:-1])
    yield end, way.usd
