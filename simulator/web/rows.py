"""Charts of rows, each below its name, as SVG: lying bars and points by one measure, and shares as so much of a colour. Arrays in, text out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import ceil, floor, log10
from typing import NamedTuple

from markupsafe import Markup, escape

from simulator.web.kinds import ACTUAL, ESTIMATED, KINDS, fill
from simulator.web.plot import Rule, Tick, apart, beside, mark, measure_of

#: Pixels: a row's name, a bar and what is between two, from one point of a row to the next, a row of shades, what is below the last row.
_NAME, _BAR, _BETWEEN, _POINT, _SHADE, _FOOT = 20, 12, 2, 7, 14, 26
#: Percentage of the drawing that rows take where something is written beside them.
_BESIDE = 84.0
#: Where a measure by powers of ten begins, of its first line.
_SEEN = 0.7
#: So many steps a shade has.
_STEPS = 20


class Marks(NamedTuple):
    """Values of all rows, of one thing: drawn as its kind is, and told in words. ``half``: of their intervals, if any."""

    #: Of ``KINDS``.
    kind: str
    word: str
    #: (n,) None where there is none.
    values: Sequence[float | None]
    half: Sequence[float | None] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """What a chart of bars and points shows."""

    #: Read aloud in the place of the picture.
    label: str
    #: (n,)
    names: Sequence[str]
    #: How a value stands at the foot and beside a bar.
    written: Callable[[float], str]
    bars: Sequence[Marks] = field(default=())
    points: Sequence[Marks] = field(default=())
    #: Lines from top to foot; their text stands at the foot of their legend.
    rules: Sequence[Rule] = field(default=())
    #: By powers of ten, of values above nought.
    powers: bool = False
    #: Whether bars have their value beside them.
    told: bool = True

    @property
    def marks(self) -> Sequence[Marks]:
        """All of them."""
        return [*self.bars, *self.points]


class _Scale(NamedTuple):
    low: float
    high: float
    ticks: Sequence[float]
    powers: bool
    #: Percentage that the highest value stands at.
    wide: float

    def place(self, value: float) -> float:
        """Percent from the left."""
        if self.powers:
            low, high, value = log10(self.low), log10(self.high), log10(max(value, self.low))
        else:
            low, high = self.low, self.high
        return self.wide * (value - low) / (high - low)


def rows(chart: Rows) -> Markup:
    """The chart."""
    scale, tall = _scale(chart), _tall(chart)
    foot = tall * len(chart.names)
    drawn = [
        f'<g class="grid"><line x1="{at:.2f}%" x2="{at:.2f}%" y1="0" y2="{foot + 4}" class="{"line" if value else "zero"}"/></g>'
        for value in scale.ticks
        for at in (scale.place(value),)
    ]
    for row, name in enumerate(chart.names):
        y = row * tall
        drawn.append(f'<text x="0" y="{y + _NAME - 5}" class="name">{escape(name)}</text>')
        y += _NAME
        held = [(its, value) for its in chart.bars if (value := its.values[row]) is not None]
        for turn, (one, value) in enumerate(held):
            drawn += _bar(chart, one, row, value, y + turn * (_BAR + _BETWEEN), scale)
        # Each at a height of its own, so that none hides another.
        for turn, one in enumerate(chart.points):
            drawn += _dot(chart, one, row, y + (turn + 1) * _POINT, scale)
    drawn += [
        f'<g class="rule"><line x1="{at:.2f}%" x2="{at:.2f}%" y1="0" y2="{foot}"/></g>'
        for one in chart.rules
        for at in (scale.place(one.value),)
    ]
    return _framed(chart.label, drawn, [(scale.place(one), chart.written(one)) for one in scale.ticks], foot)


def _tall(chart: Rows) -> int:
    # A bar that there is not takes no room.
    most = max((sum(its.values[row] is not None for its in chart.bars) for row in range(len(chart.names))), default=0)
    return _NAME + most * (_BAR + _BETWEEN) + (len(chart.points) + 1 if chart.points else 0) * _POINT + 4


def _scale(chart: Rows) -> _Scale:
    found = [one.value for one in chart.rules]
    for its in chart.marks:
        half = its.half or [None] * len(its.values)
        for value, more in zip(its.values, half, strict=True):
            if value is not None:
                found += [value - (more or 0.0), value + (more or 0.0)]
    wide = _BESIDE if chart.told and chart.bars else 100.0
    if chart.powers:
        last = max(1, ceil(log10(max(found, default=1.0))))
        first = min(0, floor(log10(min((one for one in found if one > 0), default=1.0))))
        ticks = [10.0**power for power in range(first, last + 1)]
        # What is as small as the first line is seen, too.
        return _Scale(_SEEN * ticks[0], ticks[-1], ticks, powers=True, wide=wide)
    levels = measure_of(min(found, default=0.0), max(found, default=0.0)).levels
    return _Scale(levels[0], levels[-1], levels, powers=False, wide=wide)


def _bar(chart: Rows, its: Marks, row: int, value: float, y: float, scale: _Scale) -> Iterator[str]:
    nought = scale.place(scale.low if scale.powers else 0.0)
    at = scale.place(value) if value or not scale.powers else nought
    told = chart.written(value)
    yield (
        f'<rect data-kind="{its.kind}" x="{min(nought, at):.2f}%" width="{abs(at - nought):.2f}%" y="{y}" height="{_BAR}"'
        f"{fill(its.kind)}><title>{escape(chart.names[row])}, {escape(its.word)}: {escape(told)}</title></rect>"
    )
    if its.half and its.half[row]:
        ends = [scale.place(value - (its.half[row] or 0.0)), scale.place(value + (its.half[row] or 0.0))]
        yield f'<line class="spread" x1="{ends[0]:.2f}%" x2="{ends[1]:.2f}%" y1="{y + _BAR / 2}" y2="{y + _BAR / 2}"/>'
    if chart.told:
        yield f'<text x="{max(nought, at):.2f}%" dx="4" y="{y + _BAR - 1}">{escape(told)}</text>'


def _dot(chart: Rows, its: Marks, row: int, y: float, scale: _Scale) -> Iterator[str]:
    value = its.values[row]
    if value is not None:
        told = f"{escape(chart.names[row])}, {escape(its.word)}: {escape(chart.written(value))}"
        yield f'<svg x="{scale.place(value):.2f}%" y="{y}" class="point">{point(its.kind)}<title>{told}</title></svg>'


def point(kind: str) -> str:
    """A point about nought: its shape, too, says of which kind it is."""
    paint = f'data-of="{kind}"' if KINDS[kind].lines else f'data-kind="{kind}"'
    if kind == ACTUAL:
        return f'<circle r="5" {paint}/>'
    path = "M0,-6 6,5H-6z" if kind == ESTIMATED else "M-5,-5H5V5H-5z"
    return f'<path d="{path}" {paint}/>'


class ShadeRow(NamedTuple):
    """(columns,) shares from 0 to 1, None of nothing; ``told``: what stands after its name."""

    name: str
    shares: Sequence[float | None]
    told: str = ""


@dataclass(frozen=True, slots=True)
class Shades:
    """What a chart of shares shows: the darker, the more."""

    label: str
    rows: Sequence[ShadeRow]
    #: Columns that are marked below: where each begins, and a text.
    ticks: Sequence[tuple[int, str]]
    #: Of the palette's classes: ``accent``, ``good``, ``bad``, ``aside``.
    colour: str


def shades(chart: Shades) -> Markup:
    """The chart: what is alike and stands side by side is drawn as one."""
    count = max((len(one.shares) for one in chart.rows), default=0) or 1
    tall, drawn = _NAME + _SHADE + 4, []
    for turn, row in enumerate(chart.rows):
        y = turn * tall
        told = f"{row.name}: {row.told}" if row.told else row.name
        drawn.append(f'<text x="0" y="{y + _NAME - 5}" class="name">{escape(told)}</text>')
        drawn.append(
            f'<g class="lane {chart.colour}"><rect class="ground" width="100%" y="{y + _NAME}" height="{_SHADE}"/>'
        )
        at = 0
        for step, its in groupby(round(_STEPS * min(max(one or 0.0, 0.0), 1.0)) for one in row.shares):
            wide = len(list(its))
            if step:
                drawn.append(
                    f'<rect x="{100 * at / count:.2f}%" width="{100 * wide / count:.2f}%" y="{y + _NAME}" height="{_SHADE}" fill-opacity="{step / _STEPS:g}"/>'
                )
            at += wide
        drawn.append("</g>")
    ticks = [(100 * at / count, text) for at, text in chart.ticks if at <= count]
    return _framed(chart.label, drawn, ticks, tall * len(chart.rows))


def _framed(label: str, drawn: Sequence[str], ticks: Sequence[tuple[float, str]], foot: int) -> Markup:
    found = [Tick(at, text, anchor=beside(at)) for at, text in ticks]
    marks = "".join(mark(one, foot + _FOOT - 8) for one in apart(found))
    return Markup(
        f'<div class="plot"><svg class="lanes" width="100%" height="{foot + _FOOT}" role="img" aria-label="{escape(label)}">'
        f'{"".join(drawn)}<g class="ticks">{marks}</g></svg></div>'
    )
