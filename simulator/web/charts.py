"""Charts as SVG made on the server: arrays in, text out. One element an interval, which says of which kind it is.

Places along the time are percentages and everything else is pixels, so that a chart is as wide as the page has room and its text is never scaled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from math import ceil, floor, log10

from markupsafe import Markup, escape

from meters.calendar import INTERVAL_S, day_start, intervals_in, local
from meters.day_kinds import SLOTS
from simulator.web.kinds import MISSING, fill
from simulator.web.words import kwh

#: Pixels: the plot's height, the room above it, and for the marks of time below it.
PLOT, ABOVE, BELOW = 210, 8, 26
#: Pixels of what stands for a value that there is not.
_STUB = 5
#: Lines across the plot at most.
_LINES = 5
#: What charts of a day count.
QUARTER_HOURS = ("quarter hour", "quarter hours")
#: How much of its place a bar takes.
_GAP = 0.92
#: Percentage of the plot that a bar takes, by how many a day has.
WIDTHS = {count: _GAP * 100 / count for count in (92, 96, 100)}
#: Percentage of the plot from which on a long mark would leave it on a phone.
_LATE = 80
#: Of one step to the next decade.
_STEPS = (1, 2, 2.5, 5, 10)


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
    #: (n,) Wh of other days, as a line.
    line: Sequence[int] = field(default=())


def day_ticks(day: date) -> list[tuple[int, str]]:
    """Every third hour of a day by the clock, as index of an interval and text; of the hour that comes twice the second."""
    starts = [(index, local(day_start(day) + index * INTERVAL_S)) for index in range(intervals_in(day))]
    marks = [(index, f"{at:%H}") for index, at in starts if at.minute == 0 and at.hour % 3 == 0]
    if len(starts) <= SLOTS:
        return marks
    # Where the second hour from 1 to 2 begins; there is no room for it beside the next mark.
    again = next((index, f"{at:%H %Z}") for index, at in starts if at.minute == 0 and at.fold and at.hour == 1)
    return [marks[0], again, *marks[2:]]


def step_of(most: int) -> int:
    """How far apart lines are, whole Wh, so that a few of them reach ``most`` Wh: a number that is easy to count by."""
    raw = max(most, _LINES - 1) / (_LINES - 1)
    decade: float = 10 ** floor(log10(raw))
    return round(next(one * decade for one in _STEPS if one * decade >= raw))


def bars(chart: Chart) -> Markup:
    """The chart, an axis of kWh beside it."""
    count, received = len(chart.names), chart.received
    most = max([*_values(chart.delivered), *chart.line, 1])
    most_down = max(_values(received), default=0) if received else 0
    # Both directions by one measure.
    step = step_of(max(most, most_down))
    up, down = ceil(most / step), ceil(most_down / step)
    scale = PLOT / ((up + down) * step)
    zero = ABOVE + up * step * scale
    levels = [(turn * step, zero - turn * step * scale) for turn in range(-down, up + 1)]
    width = 100 / max(count, 1)
    parts = [_group("delivered", chart.delivered, chart.names, width, zero, -scale)]
    if received and most_down:
        parts.append(_group("received", received, chart.names, width, zero, scale))
    if len(chart.line):
        points = " ".join(f"{index + 0.5:g},{zero - wh * scale:.1f}" for index, wh in enumerate(chart.line))
        parts.append(
            f'<svg class="beside" width="100%" height="100%" viewBox="0 0 {count} {ABOVE + PLOT + BELOW}" preserveAspectRatio="none">'
            f'<polyline points="{points}" vector-effect="non-scaling-stroke"/></svg>'
        )
    marks = "".join(_mark(index, text, width) for index, text in chart.ticks)
    grid = "".join(
        f'<line x2="100%" y1="{y:.1f}" y2="{y:.1f}" class="{"line" if value else "zero"}"/>' for value, y in levels
    )
    axis = "".join(f'<text x="44" y="{y + 4:.1f}">{_short(abs(value))}</text>' for value, y in levels)
    tall = f'height="{ABOVE + PLOT + BELOW}"'
    return Markup(
        f'<div class="plot"><svg class="axis" width="48" {tall} aria-hidden="true">{axis}</svg>'
        f'<svg class="bars" width="100%" {tall} role="img" aria-label="{escape(chart.label)}">'
        f'<g class="grid">{grid}</g>{"".join(parts)}<g class="ticks">{marks}</g></svg></div>'
    )


def _values(column: Column) -> list[int]:
    """(n,) Wh that count."""
    return [column.value(index) for index in range(len(column.kinds))]


def _group(channel: str, column: Column, names: Sequence[str], width: float, zero: float, scale: float) -> str:
    """The bars of one direction; scale: pixels a Wh, negative upwards."""
    # Of the days' counts the stylesheet knows how wide a bar is.
    count = len(names)
    wide = "" if count in WIDTHS else f'width="{_GAP * width:.2f}%" '
    drawn = []
    for index, kind in enumerate(column.kinds):
        value = column.value(index)
        tall = _STUB if kind == MISSING else abs(value * scale)
        top = zero if scale > 0 else zero - tall
        told = "no value" if kind == MISSING else f"{kwh(value)} kWh"
        drawn.append(
            f'<rect data-kind="{kind}" x="{index * width:.2f}%" y="{top:.1f}" {wide}height="{tall:.1f}"{fill(kind)}>'
            f"<title>{escape(names[index])} {told}</title></rect>"
        )
    return f'<g data-channel="{channel}" class="w{count}">{"".join(drawn)}</g>'


def _mark(index: int, text: str, width: float) -> str:
    """The mark of a place along the time, from its beginning on; a long one at the end of the plot to the end of its place, so that it stays within."""
    late = len(text) > 2 and index * width > _LATE
    at, anchor = ((index + 1) * width, ' text-anchor="end"') if late else (index * width, "")
    return f'<text x="{at:.2f}%" y="{ABOVE + PLOT + 18}"{anchor}>{escape(text)}</text>'


def _short(wh: int) -> str:
    """KWh of a line, without noughts at its end."""
    return f"{wh / 1000:g}"
