"""The charts of a scenario's report, of the kit. VEE actual, VEE estimated and non-VEE are told apart by colour, by pattern and in words.

Made from a recording alone; the same recording gives the same bytes.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import NamedTuple

from meters.calendar import INTERVAL_S, Seconds, day_end, day_of_interval, day_start, ends_within, local
from reports.scenario.cost_chart import CostChart, Costs, Cycle, cost_chart
from scenarios.judging.facts import Facts
from scenarios.records.actions import Pattern
from scenarios.records.usage import Interval
from simulator.ror.usage import Quality, Source
from simulator.web.charts import QUARTER_HOURS, Chart, Column, Stacks
from simulator.web.kinds import ACTUAL, ESTIMATED, KINDS, METER, MISSING, STORE
from simulator.web.plot import Moment

#: VEE days shown before the gap day.
DAYS_BEFORE = 3
#: Marks below a cycle's days, at about as many places.
_MARKS = 4


class Charts(NamedTuple):
    """What a page shows of usage and bill. None: there is nothing to show."""

    days: Chart
    daily: Stacks
    cost: CostChart | None
    hours: Chart | None
    #: What the day of the call is held against.
    usual: str


def charts(facts: Facts) -> Charts | None:
    """The charts of the call that the run is about; None where it had no usage."""
    call = facts.call
    if call is None or not facts.at_call:
        return None
    usage, account, again = facts.at_call, facts.account, facts.rebilled
    cycle = Cycle(account.cycle_first, account.cycle_last, account.full_cycle_days)
    asked = facts.at(facts.about) if facts.about is not None else usage[-1].end
    told = None if again is None or again.vee_usd is None or again.instant is None else (again.instant, again.vee_usd)
    cost = cost_chart(Costs(usage, cycle, facts.premise.plan_terms, call.stand, call.ahead, told))
    usual = f"A usual day (mean of {0 if call.stand is None else call.stand.projection.days_used} VEE days)"
    return Charts(_days(usage, asked), _daily(usage, cycle), cost, _hours(call.pattern, usage), usual)


def kind_of(quality: Quality, source: Source) -> str:
    """Key of ``KINDS`` for an interval."""
    if quality is Quality.VEE_ACTUAL:
        return ACTUAL
    if quality is Quality.VEE_ESTIMATED:
        return ESTIMATED
    return METER if source is Source.METER else STORE


def _days(usage: list[Interval], asked: Seconds) -> Chart:
    """Quarter hours of the last VEE days and the gap."""
    gap_day = day_of_interval(usage[-1].end)
    first, last = gap_day - timedelta(days=DAYS_BEFORE), max(day_end(gap_day), asked)
    shown = {one.end: one for one in usage if one.end > day_start(first)}
    begin = day_start(day_of_interval(min(shown)))
    ends = list(ends_within(begin, last))
    known = [shown.get(end) for end in ends if end <= usage[-1].end]
    column = Column(
        [MISSING if one is None else kind_of(one.quality, one.source) for one in known],
        [0 if one is None else one.wh for one in known],
    )
    starts = {end - INTERVAL_S: index for index, end in enumerate(ends)}
    by_clock = [(index, local(start)) for start, index in starts.items()]
    midnights = [(index, at) for index, at in by_clock if at.hour == at.minute == 0]
    return Chart(
        "Usage by quarter hour of the days around the gap",
        QUARTER_HOURS,
        [f"{at:%b %d %H:%M}" for _, at in by_clock],
        [(index, f"{at:%b %d}") for index, at in midnights],
        column,
        spare=[(index, f"{at:%H:%M}") for index, at in by_clock if at.hour == 12 and at.minute == 0],
        moments=[
            *(Moment(index, "") for index, _ in midnights[1:]),
            Moment((asked - begin) / INTERVAL_S, f"the call, {local(asked):%H:%M}"),
        ],
    )


def _daily(usage: list[Interval], cycle: Cycle) -> Stacks:
    """Totals by operating day, stacked by what the values have been through."""
    totals: defaultdict[date, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in usage:
        totals[day_of_interval(one.end)][kind_of(one.quality, one.source)] += one.wh
    days = cycle.days
    step = -(-len(days) // _MARKS)
    # Halved where there is room: of a short cycle each day.
    step, half = (step, 1) if step <= _MARKS - 1 else (step + step % 2, (step + 1) // 2)
    words = {}
    for at, day in enumerate(days):
        estimated, whole = totals[day][ESTIMATED], sum(totals[day].values())
        if estimated > 0:
            words[at] = f"{100 * estimated / whole:.0f} %"
    last = usage[-1]
    if last.quality is Quality.NON_VEE:
        words[days.index(day_of_interval(last.end))] = f"to {local(last.end):%H:%M}"
    marked = {at: f"{day:%b %d}" for at, day in enumerate(days)}
    return Stacks(
        "Usage by operating day of the billing cycle",
        ("day", "days"),
        list(marked.values()),
        [(at, marked[at]) for at in range(0, len(days), step)],
        {kind: [totals[day][kind] for day in days] for kind in KINDS},
        [(at, marked[at]) for at in range(0, len(days), half) if at % step],
        words,
    )


def _hours(pattern: Pattern, usage: list[Interval]) -> Chart | None:
    """The gap day by hour beside a usual one; of each hour the kind of what in it is least known."""
    if pattern.day is None or not any(one is not None for one in pattern.usual_wh):
        return None
    least = dict.fromkeys(range(24), 0)
    order = list(KINDS)
    for one in usage:
        if day_of_interval(one.end) == pattern.day:
            hour = local(one.end - INTERVAL_S).hour
            least[hour] = max(least[hour], order.index(kind_of(one.quality, one.source)))
    kinds = [MISSING if wh is None else order[least[hour]] for hour, wh in enumerate(pattern.day_wh)]
    hours = [f"{hour:02d}:00" for hour in range(len(pattern.day_wh))]
    return Chart(
        f"Usage by hour of {pattern.day}, against a usual day",
        ("hour", "hours"),
        hours,
        [(hour, hours[hour][:2]) for hour in range(0, len(hours), 3)],
        Column(kinds, [wh or 0 for wh in pattern.day_wh]),
        line=pattern.usual_wh,
    )
