"""Charts of bars by time as SVG made on the server: arrays in, text out. One element a value, which says of which kind it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from markupsafe import Markup, escape

from meters.calendar import INTERVAL_S, day_start, intervals_in, local
from meters.day_kinds import SLOTS
from simulator.web.kinds import KINDS, MISSING, fill
from simulator.web.plot import LATE, Measure, Moment, Rule, Tick, curve, measure_of, moments, plot, ruled
from simulator.web.words import kwh

#: Pixels of what stands for a value that there is not.
_STUB = 5
#: What charts of a day count.
QUARTER_HOURS = ("quarter hour", "quarter hours")
#: How much of its place a bar takes; from so many bars on they join, and what is rounded leaves no gap.
_GAP, _JOINED, _MANY = 0.92, 1.04, 200
#: Percentage of the plot that a bar takes, by how many a day has.
WIDTHS = {count: _GAP * 100 / count for count in (92, 96, 100)}
#: Percentage of the plot that a letter takes where it is narrowest with words on it.
_LETTER = 1.25
#: Bars on either side that the last word, which is never left out, can lie on.
_REACH = 3
#: Wh that a chart shows where nothing is used.
_NOTHING = 1_000


@dataclass(frozen=True, slots=True)
class Column:
    """Values of one direction, by time."""

    #: (n,) of ``KINDS``.
    kinds: Sequence[str]
    #: (n,) whole Wh; whatever it is where there is no value.
    wh: Sequence[int]

    def value(self, index: int) -> int:
        """Wh that count: none where there is no value."""
        return 0 if self.kinds[index] == MISSING else self.wh[index]


@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart of bars shows."""

    #: Read aloud in the place of the picture.
    label: str
    #: What one place along the time is, and several.
    unit: tuple[str, str]
    #: (n,) how each place along the time is called.
    names: Sequence[str]
    #: Places that are marked below: index and text.
    ticks: Sequence[tuple[int, str]]
    delivered: Column
    #: Received from the premise, downwards; may be shorter.
    received: Column | None = None
    #: (n,) Wh of other days, as a line; None where there is none.
    line: Sequence[int | None] = field(default=())
    #: Marks that are left out where there is little room.
    spare: Sequence[tuple[int, str]] = field(default=())
    #: By index of a place, which may lie between two.
    moments: Sequence[Moment] = field(default=())
    #: At Wh.
    rules: Sequence[Rule] = field(default=())


@dataclass(frozen=True, slots=True)
class Stacks:
    """What a chart of stacked bars shows: of each place along the time its parts by kind."""

    label: str
    unit: tuple[str, str]
    #: (n,)
    names: Sequence[str]
    ticks: Sequence[tuple[int, str]]
    #: By kind (n,) Wh, from the foot up in the order of ``KINDS``.
    parts: Mapping[str, Sequence[int]]
    #: Marks that are left out where there is little room.
    spare: Sequence[tuple[int, str]] = field(default=())
    #: Short texts above bars, by index; all but the last are left out where there is little room.
    words: Mapping[int, str] = field(default_factory=dict)


def day_ticks(day: date) -> list[tuple[int, str]]:
    """Every third hour of a day by the clock, as index of an interval and text; of the hour that comes twice the second."""
    starts = [(index, local(day_start(day) + index * INTERVAL_S)) for index in range(intervals_in(day))]
    marks = [(index, f"{at:%H}") for index, at in starts if at.minute == 0 and at.hour % 3 == 0]
    if len(starts) <= SLOTS:
        return marks
    # Where the second hour from 1 to 2 begins; there is no room for it beside the next mark.
    again = next((index, f"{at:%H %Z}") for index, at in starts if at.minute == 0 and at.fold and at.hour == 1)
    return [marks[0], again, *marks[2:]]


def bars(chart: Chart) -> Markup:
    """The chart, an axis of kWh beside it."""
    count, received = len(chart.names), chart.received
    line = [(index, wh) for index, wh in enumerate(chart.line) if wh is not None]
    most = max([*_values(chart.delivered), *(wh for _, wh in line), *(one.value for one in chart.rules), 0])
    most_down = max(_values(received), default=0) if received else 0
    # Both directions by one measure.
    measure = measure_of(-most_down, most or _NOTHING)
    width = 100 / max(count, 1)
    parts = [_group("delivered", chart.delivered, chart.names, width, measure, up=True)]
    if received and most_down:
        parts.append(_group("received", received, chart.names, width, measure, up=False))
    if line:
        parts.append(curve((((index + 0.5) * width, wh) for index, wh in line), "beside", measure))
    parts.append(ruled(chart.rules, measure))
    parts.append(moments(((one.at * width, one.text) for one in chart.moments), measure))
    return plot(chart.label, measure, _short, parts, _ticks(chart, width))


def stacks(chart: Stacks) -> Markup:
    """The chart, an axis of kWh beside it."""
    count = len(chart.names)
    width = 100 / max(count, 1)
    heights = [sum(max(wh[index], 0) for wh in chart.parts.values()) for index in range(count)]
    # Room for the words above the highest.
    measure = measure_of(0, max(heights, default=0) * (1.08 if chart.words else 1) or _NOTHING)
    return plot(
        chart.label, measure, _short, [*_stacked(chart, width, measure), *_words(chart, heights, measure)],
        _ticks(chart, width),
    )  # fmt: skip


def _stacked(chart: Stacks, width: float, measure: Measure) -> Iterator[str]:
    """A group of each kind that occurs."""
    below = [0] * len(chart.names)
    for kind in KINDS:
        part = chart.parts.get(kind, ())
        drawn = []
        for index, wh in enumerate(part):
            if wh > 0:
                told = f"{kwh(wh)} kWh, {KINDS[kind].word}"
                place = (index * width, measure.y(below[index] + wh), _GAP * width, wh * measure.pixels)
                drawn.append(_bar(kind, place, f"{chart.names[index]} {told}"))
            below[index] += max(wh, 0)
        if drawn:
            yield f'<g data-channel="{kind}">{"".join(drawn)}</g>'


def _words(chart: Stacks, heights: Sequence[int], measure: Measure) -> Iterator[str]:
    """What stands above bars, and above the neighbours that it is wider than; what would lie on the one to its right is left out."""
    width, free = 100 / max(len(heights), 1), 100.0
    for index, text in sorted(chart.words.items(), reverse=True):
        last = index == max(chart.words)
        half = len(text) * _LETTER / 2
        if not last and (index + 0.5) * width + half > free:
            continue
        late = last and (index + 0.5) * width + half > 100
        at, anchor = (100.0, "end") if late else ((index + 0.5) * width, "middle")
        free = at - (2 if late else 1) * half
        reach = _REACH if last else 1
        y = measure.y(max(heights[max(0, index - reach) : index + reach + 1])) - 4
        spare = "" if last else ' class="spare"'
        yield f'<text x="{at:.2f}%" y="{y:.1f}" text-anchor="{anchor}"{spare}>{escape(text)}</text>'


def _values(column: Column) -> list[int]:
    """(n,) Wh that count."""
    return [column.value(index) for index in range(len(column.kinds))]


def _group(channel: str, column: Column, names: Sequence[str], width: float, measure: Measure, *, up: bool) -> str:
    """The bars of one direction."""
    # Of the days' counts the stylesheet knows how wide a bar is.
    count = len(names)
    wide = None if count in WIDTHS else (_JOINED if count >= _MANY else _GAP) * width
    drawn = []
    for index, kind in enumerate(column.kinds):
        value = column.value(index)
        tall = _STUB if kind == MISSING else abs(value) * measure.pixels
        top = measure.y(0) - (tall if up else 0)
        told = "no value" if kind == MISSING else f"{kwh(value)} kWh"
        drawn.append(_bar(kind, (index * width, top, wide, tall), f"{names[index]} {told}"))
    return f'<g data-channel="{channel}" class="w{count if count < _MANY else "many"}">{"".join(drawn)}</g>'


def _bar(kind: str, place: tuple[float, float, float | None, float], told: str) -> str:
    """One of a kind. place: from the left and from the top, how wide and how tall; sidewards in percent, no width: the stylesheet has it."""
    x, y, wide, tall = place
    width = "" if wide is None else f'width="{wide:.2f}%" '
    return (
        f'<rect data-kind="{kind}" x="{x:.2f}%" y="{y:.1f}" {width}height="{tall:.1f}"{fill(kind)}>'
        f"<title>{escape(told)}</title></rect>"
    )


def _ticks(chart: Chart | Stacks, width: float) -> list[Tick]:
    """Marks from the beginning of their places on; a long one at the end of the plot to the end of its place, so that it stays within."""
    return [
        Tick((index + 1) * width, text, spare, "end")
        if len(text) > 2 and index * width > LATE
        else Tick(index * width, text, spare)
        for marks, spare in ((chart.ticks, False), (chart.spare, True))
        for index, text in marks
    ]


def _short(wh: float) -> str:
    """KWh of a line, without noughts at its end."""
    return f"{abs(wh) / 1000:g}"
