"""Where the cycle goes, with the odds at its edges, and the day by hour beside the usual one: taken from the record of a call. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from meters.calendar import epoch, local
from simulator.ror.desk.web.rests import told_stand
from simulator.ror.desk.wire import CoursePoint
from simulator.web.bills import BillRow, Fan, Side
from simulator.web.lines import BASE, FRESH, KNOWN, MIDDLE, Band, Line, Lines
from simulator.web.parts import Table
from simulator.web.plot import Rule
from simulator.web.words import instant, kwh, money

#: Days of history that an expectation is made of, where there are as many.
_WHOLE_HISTORY = 14
#: Every how many days one is marked below.
_MARKED = 7
#: An edge so much above all that may come is not drawn.
_NEAR = 1.25


class Pattern(NamedTuple):
    """A day by hour beside the usual one."""

    chart: Lines
    day: str
    table: Table
    #: What the day is compared with, what it took and they, how much more that is, and what of it the weather makes, kWh; in words.
    beside: list[tuple[str, str, str, str, str]]
    usual: str


def fan_of(answer: Mapping[str, Any], course: Sequence[CoursePoint]) -> Fan | None:
    """Where the cycle goes; None where there is nothing to go by, or it is over."""
    stand = told_stand(answer)
    if stand is None or not course or epoch(stand["to"]) >= epoch(course[-1].at):
        return None
    ahead, bills = stand["projection"], stand["projected_usd"]
    rows = [
        BillRow("Nine of ten end above (P10)", kwh(ahead["low_wh"]), money(Decimal(bills["low"])), "ahead-low"),
        BillRow("In the middle (P50)", kwh(ahead["total_wh"]), money(Decimal(bills["middle"])), "ahead-middle"),
        BillRow("Nine of ten end below (P90)", kwh(ahead["high_wh"]), money(Decimal(bills["high"])), "ahead-high"),
        BillRow("In the mean", "", money(Decimal(bills["expected"])), "ahead-mean"),
    ]
    days_used = ahead["days_used"]
    short = (
        ""
        if days_used >= _WHOLE_HISTORY
        else f"Only {days_used} whole days before are known: the range is wide, and says less than it seems."
    )
    table = Table(
        ["Up to", "P10, kWh", "P50, kWh", "P90, kWh"],
        [(instant(epoch(one.at)), *(kwh(wh) for wh in (one.low_wh, one.middle_wh, one.high_wh))) for one in course],
    )
    return Fan(_course(stand, course, answer["edges"]), table, rows, list(_sides(answer["edges"])), short)


def _course(stand: Mapping[str, Any], course: Sequence[CoursePoint], edges: Sequence[Mapping[str, Any]]) -> Lines:
    at = [float(epoch(one.at)) for one in course]
    to = float(epoch(stand["to"]))
    known = [place for place, when in enumerate(at) if when <= to]
    ahead = [place for place, when in enumerate(at) if when >= to]
    top = course[-1].high_wh * _NEAR
    drawn = [at[place] for place in ahead]
    marks = [
        (when, f"{local(epoch(one.at)):%b %d}")
        for when, one in zip(at, course, strict=True)
        if local(epoch(one.at)).hour == 0
    ]
    low, high = ([getattr(course[place], side) / 1000 for place in ahead] for side in ("low_wh", "high_wh"))
    return Lines(
        "kWh of the cycle so far, and where it may go",
        (at[0], at[-1]),
        marks[:-2:_MARKED],
        lambda value: f"{value:,g}",
        lines=[
            Line(KNOWN, "so far", [at[place] for place in known], [course[place].middle_wh / 1000 for place in known]),
            Line(MIDDLE, "the middle of the ways that it may go", drawn, [course[place].middle_wh / 1000 for place in ahead]),
        ],
        bands=[Band("eight of ten of them (P10 to P90)", drawn, low, high)],
        rules=[Rule(one["at_wh"] / 1000, f"{one['at_wh'] / 1000:,g} kWh") for one in edges if one["at_wh"] <= top],
    )  # fmt: skip


def _sides(edges: Sequence[Mapping[str, Any]]) -> Iterator[Side]:
    for one in edges:
        if one["to_go_wh"] <= 0:
            to_go = f"passed by {kwh(-one['to_go_wh'])} kWh"
        else:
            to_go = f"{kwh(one['to_go_wh'])} kWh to go"
        bills = ("" if one[name] is None else money(Decimal(one[name])) for name in ("bill_if_usd", "bill_if_not_usd"))
        said = one["statement"].partition(":")[0].removeprefix("The ")
        yield Side(said, f"{one['at_wh'] / 1000:,g} kWh", to_go, one["odds"], *bills)


def pattern_of(answer: Mapping[str, Any]) -> Pattern | None:
    """The day that is told of beside the usual one; None where neither is known."""
    pattern = answer["pattern"]
    usual, day = pattern["usual_wh"], pattern["day_wh"]
    if all(wh is None for wh in (*usual, *day)):
        return None
    lines = [
        Line(look, word, [hour + 0.5 for hour in known], [values[hour] / 1000 for hour in known])
        for look, word, values in ((BASE, "the usual day", usual), (FRESH, f"{pattern['day']}, not validated", day))
        if (known := [hour for hour, wh in enumerate(values) if wh is not None])
    ]
    rows = [
        (f"{hour:02d}:00", *("not known" if one[hour] is None else kwh(one[hour]) for one in (day, usual)))
        for hour in range(24)
    ]
    beside = [
        (one["other"], kwh(one["wh"]), kwh(one["their_wh"]), _signed(one["more_wh"]), _by_weather(one))
        for one in pattern["beside"]
    ]
    base, peak = pattern["base_w"], pattern["peak_hour"]
    told = (
        ""
        if base is None or peak is None
        else f"Usually no less than {base / 1000:.2f} kW, and most from {peak:02d}:00 on."
    )
    label = "kWh by hour of the day"
    ticks = [(float(hour), f"{hour:02d}") for hour in range(0, 24, 3)]
    chart = Lines(label, (0.0, 24.0), ticks, lambda value: f"{value:,g}", lines=lines)
    table = Table(["Hour begins", f"{pattern['day'] or 'The day'}, kWh", "Usual, kWh"], rows)
    return Pattern(chart, pattern["day"] or "", table, beside, told)


def _signed(wh: int) -> str:
    return f"{'+' if wh > 0 else ''}{kwh(wh)}"


def _by_weather(one: Mapping[str, Any]) -> str:
    """What of a difference the heat outdoors makes, and the cold."""
    if one["heat_wh"] is None or one["cold_wh"] is None:
        return "not known"
    return f"heat {_signed(one['heat_wh'])}, cold {_signed(one['cold_wh'])}"


def places(fan: Fan | None, answer: Mapping[str, Any]) -> dict[str, str]:
    """Anchors of the figures of what is ahead and of the day, as sentences write them."""
    found: dict[str, str] = {}
    for row in fan.rows if fan is not None else ():
        for text in (row.usd, row.kwh):
            found.setdefault(text, row.anchor)
    for index, side in enumerate(_sides(answer["edges"])):
        figures = [side.reached, side.short, f"{side.odds} of 100", side.to_go.removeprefix("passed by ").split(" ")[0]]
        found = {text: f"edge-{index}" for text in figures if text} | found
    for index, one in enumerate(answer["pattern"]["beside"]):
        for wh in (one["wh"], one["more_wh"], one["heat_wh"] or 0, one["cold_wh"] or 0):
            found.setdefault(kwh(round(abs(wh) / 100) * 100)[:-2], f"beside-{index}")
    return found
