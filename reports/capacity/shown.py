"""The charts of a study's page, of the kit, each with its table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import floor, log10
from typing import Any, NamedTuple

from reports.capacity.charts import HOURS, WAYS, Place, busy, courses, places, refused_by_hour, swung
from reports.capacity.compare import TOLD, USD, Judged
from simulator.capacity.outcome import Outcome
from simulator.web.kinds import ACTUAL, METER
from simulator.web.lines import DIAMOND, DOT, KNOWN, Band, Line, Lines, Point
from simulator.web.parts import Table
from simulator.web.plot import Moment, Rule
from simulator.web.rows import Marks, Rows, ShadeRow, Shades

#: Of a chart's width and height: what lies nearer has one label.
_NEAR = (0.09, 0.06)


class Drawn(NamedTuple):
    """Charts, what each is called, and what they show in words."""

    charts: Sequence[Any]
    titles: Sequence[str]
    table: Table


def charts(outcome: Outcome, chosen: Sequence[str], moved: str) -> dict[str, Drawn]:
    """Every one that there is something for, by its place on the page. chosen: whose resources; moved: under which policy assumptions are moved."""
    found = {
        "pareto": _pareto(outcome),
        "use": _use(outcome, chosen),
        "refused": _refused(outcome),
        "tornado": _tornado(outcome, moved),
        "knees": _knees(outcome),
    }
    return {name: one for name, one in found.items() if one.charts}


def _pareto(outcome: Outcome) -> Drawn:
    """What is told, and dollars, against what is moved on air and over HTTP. Policies by their number."""
    drawn, titles = [], []
    rows: defaultdict[int, list[str]] = defaultdict(list)
    for judged, title in ((TOLD, "told in the call, % (up is better)"), (USD, "dollars off (down is better)")):
        for way, where in WAYS.items():
            found = places(outcome, judged, way)
            if found:
                drawn.append(_front(judged, found))
                titles.append(f"{title}, by MB {where} a day")
            for one in found:
                rows[one.number] += [f"{one.megabytes:,.3g}", f"{_scaled(judged, one):,.3g}"]
    heads = [f"{head}, {where}" for what in ("told, %", "$ off") for where in WAYS.values() for head in ("MB", what)]
    table = [[f"{number}. {outcome.policy_names[number - 1]}", *cells] for number, cells in rows.items()]
    return Drawn(drawn, titles, Table(["Policy", *heads], table))


def _scaled(judged: Judged, one: Place) -> float:
    return one.value * (100 if judged is TOLD else 1)


def _front(judged: Judged, found: Sequence[Place]) -> Lines:
    """By powers of ten; what moves nothing stands at the left end."""
    some = [one.megabytes for one in found if one.megabytes] or [1.0]
    first, last = floor(log10(min(some))), log10(2.5 * max(some))
    begins = first - (0.5 if len(some) < len(found) else 0.1)
    at = {one.number: log10(one.megabytes) if one.megabytes else begins + 0.05 for one in found}
    front = sorted((one for one in found if one.on_front), key=lambda one: at[one.number])
    steps: list[tuple[float, float]] = []
    for one in front:
        steps += [(at[one.number], steps[-1][1])] if steps else []
        steps.append((at[one.number], _scaled(judged, one)))
    ticks = [(float(power), f"{10.0**power:,g}") for power in range(first, floor(last) + 1)]
    if len(some) < len(found):
        ticks.insert(0, (begins, "0"))
    values = [_scaled(judged, one) for one in found]
    wide, tall = last - begins, max(values) - min(values) or 1.0
    names = _labels([(at[one.number] / wide, _scaled(judged, one) / tall) for one in found], found)
    points = [
        Point(
            DOT if one.on_front else DIAMOND,
            "nobody gives more for less" if one.on_front else "somebody gives more for less",
            at[one.number],
            _scaled(judged, one),
            text=names[turn],
        )
        for turn, one in sorted(enumerate(found), key=lambda at: at[1].on_front)
    ]
    line = Line(KNOWN, "the front", [x for x, _ in steps], [y for _, y in steps])
    return Lines(judged.title, (begins, last), ticks, lambda value: f"{value:,g}", [line], points=points, nought=False)


def _labels(at: Sequence[tuple[float, float]], found: Sequence[Place]) -> list[str]:
    """(n,) numbers beside points: those that lie near each other have one label, at the first of them."""
    texts, left = [""] * len(at), list(range(len(at)))
    while left:
        x, y = at[left[0]]
        of = [one for one in left if abs(at[one][0] - x) < _NEAR[0] and abs(at[one][1] - y) < _NEAR[1]]
        texts[max(of, key=lambda one: at[one][0])] = ", ".join(str(found[one].number) for one in of)
        left = [one for one in left if one not in of]
    return texts


def _use(outcome: Outcome, policies: Sequence[str]) -> Drawn:
    """How busy access points and workers are over the day: a chart for each workload and policy."""
    drawn, titles, table = [], [], []
    for workload in outcome.workload_names:
        for policy in policies:
            found, hours = busy(outcome, workload, policy)
            if not found:
                continue
            rows = [ShadeRow(one.name, one.shares.tolist(), f"{100 * one.most:.0f} %") for one in found]
            step = 6 if len(hours) <= 110 else 24
            ticks = [(at, f"{hour:.0f}") for at, hour in enumerate(hours.tolist()) if hour % step == 0]
            titles.append(f"{workload}, {policy}")
            drawn.append(Shades(f"Busy shares by hours from midnight: {titles[-1]}", rows, ticks, "accent"))
            for one in found:
                when = hours[int(one.shares.argmax())]
                shares = [f"{100 * float(one.shares.mean()):.1f}", f"{100 * one.most:.1f}", f"{when:g}"]
                table.append([f"{titles[-1]}: {one.name}", *shares])
    return Drawn(drawn, titles, Table(["Resource", "mean, %", "highest, %", "at hour"], table))


def _refused(outcome: Outcome) -> Drawn:
    """Which share of each clock hour's requests a policy refuses."""
    found = refused_by_hour(outcome)
    # There are no shares of an hour without a request.
    shares = [[None if one != one else one for one in its.shares.tolist()] for its in found]
    if not found:
        return Drawn([], [], Table([], []))
    rows = [ShadeRow(one.policy, its) for one, its in zip(found, shares, strict=True)]
    ticks = [(hour, str(hour)) for hour in range(0, HOURS, 6)]
    table = [
        [str(hour), *("" if its[hour] is None else f"{100 * (its[hour] or 0.0):.1f}" for its in shares)]
        for hour in range(HOURS)
    ]
    chart = Shades("Share of the requests refused, by policy and hour of the clock", rows, ticks, "bad")
    return Drawn([chart], [], Table(["Hour", *(f"{one.policy}, %" for one in found)], table))


def _tornado(outcome: Outcome, policy: str) -> Drawn:
    """By how far each assumption moves what is told in the call, and the dollars, under a policy."""
    drawn, titles, table = [], [], []
    for judged, title, scale in ((TOLD, "told in the call, points", 100), (USD, "dollars off", 1)):
        found = swung(outcome, judged, policy)
        if not found:
            continue
        marks = []
        for kind, word in ((ACTUAL, "low"), (METER, "high")):
            ends = [getattr(one, word) for one in found]
            values = [None if end is None or end.mean is None else scale * end.mean for end in ends]
            halves = [None if end is None or not end.half else scale * end.half for end in ends]
            marks.append(Marks(kind, f"at its {word} value", values, halves))
        drawn.append(Rows(f"What each assumption moves: {title}", [one.title for one in found], lambda value: f"{value:,g}", marks, told=False))  # fmt: skip
        titles.append(title)
        for at, one in enumerate(found):
            cells = ["" if its.values[at] is None else f"{its.values[at]:+.3g}" for its in marks]
            table.append([f"{one.title}, {one.range}", title, *cells, one.workload])
    return Drawn(drawn, titles, Table(["Assumption", "what it moves", "low", "high", "workload"], table))


def _knees(outcome: Outcome) -> Drawn:
    """What a level asks of against the load, and where it is no longer kept."""
    drawn, titles, table = [], [], []
    for one in courses(outcome):
        whose = f"{one.policy}, {one.workload}"
        reach = (0.0, max(one.requests) * 1.02)
        drawn.append(
            Lines(
                f"{one.measure} by thousand requests a day: {whose}",
                reach,
                [(reach[1] * part / 4, f"{reach[1] * part / 4:,.3g}") for part in range(4)],
                lambda value: f"{value:,g}",
                [Line(KNOWN, "mean", one.requests, one.means)],
                [Band("95 % interval", one.requests, one.low, one.high)],
                points=[Point(DOT, "played", x, mean) for x, mean in zip(one.requests, one.means, strict=True)],
                rules=[Rule(one.bound, "level", "the level's bound")],
                moments=[] if one.knee is None else [Moment(one.knee, "knee")],
            )
        )
        titles.append(f"{whose}: {one.measure}, by thousand requests a day")
        for row in zip(one.requests, one.means, one.low, one.high, strict=True):
            requests, *figures = row
            table.append([whose, one.level, f"{1000 * requests:,.0f}", *(f"{of:,.3g}" for of in figures)])
    return Drawn(
        drawn, titles, Table(["Policy, workload", "level", "requests a day", "mean", "95 % from", "to"], table)
    )
