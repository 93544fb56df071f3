"""Charts of lines, as SVG: a course and where it may go, edges that it meets, instants beside it. Arrays in, text out.

A fan is a line to now, and from there a band with the line of its middle:

    Lines("Bill of the cycle", (start, end), [(start, "Aug 01")], dollars,
          lines=[Line(KNOWN, "by now", at, usd), Line(MIDDLE, "the middle of the ways", ahead, usd_ahead)],
          bands=[Band("eight of ten ways", ahead, low, high)], rules=[Rule(108.0, "1,000 kWh", "the credit is earned")])
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup, escape

from simulator.web.plot import LATE, PLOT, Measure, Moment, Rule, Tick, beside, curve, measure_of, moments, plot, ruled


class Look(NamedTuple):
    """How a line is drawn: told by colour, by width and dashes, and in words."""

    #: Name of its colour in the palette.
    colour: str
    #: Pixels.
    width: float
    #: As SVG writes it; empty: none.
    dashes: str = ""


KNOWN, FRESH, MIDDLE, LOW, HIGH, BASE, BESIDE, BAND = (
    "known", "fresh", "middle", "low", "high", "base", "beside", "band",
)  # fmt: skip
LOOKS: dict[str, Look] = {
    KNOWN: Look("vee-actual", 2.4),
    #: What came last, and is not validated.
    FRESH: Look("from-meter", 3.6),
    MIDDLE: Look("ink", 1.8, "7 4"),
    LOW: Look("vee-actual", 1.8, "2 3"),
    HIGH: Look("muted", 1.8, "9 3 2 3"),
    BASE: Look("vee-estimated", 1.6, "4 3"),
    BESIDE: Look("ink", 1.6, "5 3"),
    #: The rim of a band; within it is the same colour, thin.
    BAND: Look("vee-estimated", 1.0),
}
#: Of a point.
DOT, DIAMOND = "dot", "diamond"


class Line(NamedTuple):
    """A course. ``at``: (n,) places along the foot, ascending; ``told``: what the legend adds to its word."""

    look: str
    word: str
    at: Sequence[float]
    values: Sequence[float]
    told: str = ""


class Band(NamedTuple):
    """What lies between two courses."""

    word: str
    at: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    told: str = ""


class Point(NamedTuple):
    """One value, of ``DOT`` or ``DIAMOND``."""

    look: str
    word: str
    at: float
    value: float
    told: str = ""
    #: Written beside it.
    text: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """What a chart of lines shows. Places along the foot are of any unit, and so are values."""

    #: Read aloud in the place of the picture.
    label: str
    #: The first place and the last.
    reach: tuple[float, float]
    #: Places that are marked below.
    ticks: Sequence[tuple[float, str]]
    #: How a value stands beside the plot.
    written: Callable[[float], str]
    lines: Sequence[Line] = field(default=())
    bands: Sequence[Band] = field(default=())
    points: Sequence[Point] = field(default=())
    rules: Sequence[Rule] = field(default=())
    moments: Sequence[Moment] = field(default=())
    #: Marks that are left out where there is little room.
    spare: Sequence[tuple[float, str]] = field(default=())
    #: From where to where the plot is shaded.
    shaded: tuple[float, float] | None = None
    #: Pixels.
    tall: int = PLOT
    #: Whether the measure begins at nought, so that a height is an amount; one that does not shows differences.
    nought: bool = True


def lines(chart: Lines) -> Markup:
    """The chart, its axis beside it."""
    values = [value for one in _within(chart) for value in one]
    measure = measure_of(min(values, default=0), max(values, default=0), chart.tall, nought=chart.nought)
    return plot(chart.label, measure, chart.written, _drawn(chart, measure), _ticks(chart))


def _within(chart: Lines) -> Iterator[list[float]]:
    """The values that lie within the reach, and those beside its ends that lines come from."""
    first, last = chart.reach
    for one in chart.lines:
        yield _between(one.at, one.values, first, last)
    for band in chart.bands:
        yield _between(band.at, band.low, first, last)
        yield _between(band.at, band.high, first, last)
    yield [one.value for one in chart.points if first <= one.at <= last]
    yield [one.value for one in chart.rules]


def _between(at: Sequence[float], values: Sequence[float], first: float, last: float) -> list[float]:
    pairs = list(zip(at, values, strict=True))
    crossing = [two[1] for one, two in pairwise(pairs) if one[0] < first < two[0]]
    return [value for place, value in pairs if first <= place <= last] + crossing


def _drawn(chart: Lines, measure: Measure) -> Iterator[str]:
    first, last = chart.reach

    def place(at: float) -> float:
        return 100 * (at - first) / (last - first)

    def course(at: Sequence[float], values: Sequence[float]) -> list[tuple[float, float]]:
        return [(place(x), value) for x, value in zip(at, values, strict=True)]

    if chart.shaded:
        begins, ends = (place(one) for one in chart.shaded)
        top, foot = measure.y(measure.levels[-1]), measure.y(measure.bottom)
        yield f'<rect class="shaded" x="{begins:.2f}%" width="{ends - begins:.2f}%" y="{top:.1f}" height="{foot - top:.1f}"/>'
    for band in chart.bands:
        rim = course(band.at, band.low) + course(band.at, band.high)[::-1]
        yield curve(rim, BAND, measure, closed=True)
    yield ruled(chart.rules, measure)
    for one in chart.lines:
        yield curve(course(one.at, one.values), one.look, measure)
    for point in chart.points:
        if first <= point.at <= last:
            yield _point(point, place(point.at), measure)
    yield moments(((place(one.at), one.text) for one in chart.moments), measure)


def _point(one: Point, at: float, measure: Measure) -> str:
    told = escape(f"{one.word}: {one.told}" if one.told else one.word)
    side = '<text x="-7" y="4" text-anchor="end">' if at > LATE else '<text x="7" y="4">'
    text = f"{side}{escape(one.text)}</text>" if one.text else ""
    return f'<svg x="{at:.2f}%" y="{measure.y(one.value):.1f}" class="point">{shape(one.look)}{text}<title>{told}</title></svg>'


def shape(look: str) -> str:
    """A point about nought."""
    return (
        f'<circle r="4.5" data-look="{look}"/>'
        if look == DOT
        else f'<path d="M-6,0 0,-6 6,0 0,6z" data-look="{look}"/>'
    )


def _ticks(chart: Lines) -> list[Tick]:
    """Marks below their places; at the ends of the plot beside them."""
    first, last = chart.reach
    found = []
    for marks, spare in ((chart.ticks, False), (chart.spare, True)):
        for where, text in marks:
            at = 100 * (where - first) / (last - first)
            found.append(Tick(at, text, spare, beside(at)))
    return found


def looks() -> str:
    """The stylesheet's rules that follow from the table."""
    return "".join(
        f"[data-look={name}]{{fill:none;stroke:var(--{one.colour});stroke-width:{one.width}"
        + (f";stroke-dasharray:{one.dashes}}}" if one.dashes else "}")
        for name, one in LOOKS.items()
    )
