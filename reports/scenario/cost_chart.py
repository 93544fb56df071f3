"""The chart of a cycle's cost: to date on VEE data, with the gap, and the ways on to its end with the credit edge between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from meters.calendar import day_end, day_of_interval, day_start
from reports.chart_parts import GRID, INK, KINDS, MUTED, bare
from scenarios.judging.facts import Facts
from scenarios.recording.actions import RecordedCall, Stand
from scenarios.recording.usage import Interval
from simulator.ror.usage import Quality

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from simulator.ror.plan import RatePlan


def cost_figure(facts: Facts, call: RecordedCall) -> Figure | None:
    """What the cycle costs up to each hour, and the ways on to its end: expected, low, high; beside it the last days large."""
    from matplotlib.figure import Figure

    stand, plan = call.stand, facts.recording.world.plan_terms
    if stand is None or plan is None:
        return None
    account = facts.scenario.account
    to, start, end = stand.to, day_start(account.cycle_first), day_end(account.cycle_last)
    figure = Figure(figsize=(11.0, 4.2), layout="constrained")
    whole, large = figure.subplots(1, 2, width_ratios=[1, 1], sharey=True)
    for axes in (whole, large):
        bare(axes)
        _cost_lines(axes, facts, plan, stand)
    whole.set_ylabel("$ with tax, cycle to date")
    days = cycle_days(facts)
    whole.set_xticks([day_start(day) for day in days[::7]], [f"{day:%b %d}" for day in days[::7]])
    whole.set_xlim(start, end)
    zoom = [day for day in days if day_end(day) > to - 2 * 86400]
    whole.axvspan(day_start(zoom[0]), end, color=GRID, alpha=0.45, linewidth=0)
    shown = zoom[:: max(1, len(zoom) // 5)]
    large.set_xticks([day_start(day) for day in shown], [f"{day:%b %d}" for day in shown])
    large.set_xlim(day_start(zoom[0]), end)
    large.tick_params(labelleft=False)
    _ends(large, stand, end)
    handles, labels = large.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=3, frameon=False, fontsize=9)
    return figure


def _cost_lines(axes: Axes, facts: Facts, plan: RatePlan, stand: Stand) -> None:
    account, usage, to = facts.scenario.account, facts.at_call, stand.to
    known = [(at, _bill(plan, facts, usage, at)) for at in _hours_of(day_start(account.cycle_first), to)]
    vee_to = max((one.end for one in usage if one.quality is not Quality.NON_VEE), default=to)
    vee = [one for one in known if one[0] <= vee_to]
    axes.plot(*_columns(vee), color=KINDS["actual"].colour, linewidth=2, label="on VEE data")
    if to > vee_to:
        rest = [one for one in known if one[0] >= vee_to]
        name = "with the non-VEE intervals of the gap"
        axes.plot(*_columns(rest), color=KINDS["meter"].colour, linewidth=3.2, label=name)
    for way in _ways(stand):
        points = list(_way(plan, facts, known[-1], to, way))
        axes.plot(*_columns(points), color=way.colour, linestyle=way.dash, linewidth=1.5, label=way.label)
    again = facts.rebilled
    if again is not None and again.vee_usd is not None and again.instant is not None:
        axes.plot(
            [again.instant],
            [float(again.vee_usd)],
            "D",
            color=INK,
            markerfacecolor="white",
            markersize=7,
            label="re-billed on VEE data",
        )
    axes.set_ylim(bottom=0)


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
        Way("projected, as usual", ahead.total_wh, stand.projected_bill.total_usd, INK, "--"),
        Way("projected, low end", ahead.low_wh, stand.projected_usd_at_low_usage, KINDS["actual"].colour, ":"),
        Way("projected, high end", ahead.high_wh, stand.projected_usd_at_high_usage, MUTED, "-."),
    )


def _ends(axes: Axes, stand: Stand, end: int) -> None:
    """Tell beside the end of each way what the cycle then costs, from the top, no two in one place."""
    step = 0.07 * axes.get_ylim()[1]
    y = float("inf")
    for way in sorted(_ways(stand), key=lambda one: -one.usd):
        y = min(float(way.usd), y - step)
        text = f"  ${way.usd} at {way.total_wh / 1000:,.0f} kWh"
        axes.annotate(text, (end, y), va="center", fontsize=9, color=way.colour, annotation_clip=False)
    for line in stand.bill.undecided:
        text = f"{line.kind} of ${abs(line.usd_exact):.2f}\n{line.text}: {line.standing}"
        axes.annotate(text, (0.98, 0.04), xycoords="axes fraction", ha="right", fontsize=9, color=MUTED)


def _columns(points: list[tuple[int, Decimal]]) -> tuple[list[int], list[float]]:
    return [at for at, _ in points], [float(cost) for _, cost in points]


def _hours_of(start: int, end: int) -> list[int]:
    return [*range(start + 3600, end, 3600), end]


def _bill(plan: RatePlan, facts: Facts, usage: list[Interval], at: int) -> Decimal:
    from simulator.ror.bill import bill_to_date

    by_day: defaultdict[date, int] = defaultdict(int)
    for one in usage:
        if one.end <= at:
            by_day[day_of_interval(one.end)] += one.wh
    account = facts.scenario.account
    return bill_to_date(plan, dict(by_day), account.cycle_first, day_of_interval(at), account.cycle_last).total


def _way(plan: RatePlan, facts: Facts, begins: tuple[int, Decimal], to: int, way: Way) -> Iterator[tuple[int, Decimal]]:
    """Hours from the bill told to the end of the cycle, what is to come spread evenly; the last point is the closed bill."""
    from simulator.ror.bill import bill_to_date

    account = facts.scenario.account
    end = day_end(account.cycle_last)
    known = sum(one.wh for one in facts.at_call if one.end <= to)
    yield begins
    for at in _hours_of(to, end)[:-1]:
        usage = known + (way.total_wh - known) * (at - to) // (end - to)
        yield at, bill_to_date(plan, usage, account.cycle_first, day_of_interval(at), account.cycle_last).total
    yield end, way.usd


def cycle_days(facts: Facts) -> list[date]:
    """The operating days of the account's cycle."""
    account = facts.scenario.account
    return [
        account.cycle_first + timedelta(days=at) for at in range((account.cycle_last - account.cycle_first).days + 1)
    ]
