"""What every chart of the kit stands in: a measure in easy numbers up its side, marks along its foot, and marks from side to side and from top to foot.

Places along the foot are percentages and everything else is pixels, so that a chart is as wide as the page has room and its text is never scaled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import ceil, floor, log10
from typing import NamedTuple

from markupsafe import Markup, escape

#: Pixels: the plot's height, the room above it, and for the marks below it.
PLOT, ABOVE, BELOW = 210, 8, 26
#: Lines across the plot at most, one each way from nought not counted.
_LINES = 5
#: Of one step to the next decade.
_STEPS = (1, 2, 2.5, 5, 10)
#: Percentage of the plot from which on a long text would leave it on a phone.
LATE = 80
#: Up to which one that is centred would leave it on the left, and so on the right.
_EARLY = 6
_MIDDLE = 50
#: Pixels of a mark's letter at most and between two marks; and of the plot where it is narrowest, and where there is room for spare marks.
_LETTER, _CLEAR, PHONE, ROOM = 8, 4, 280, 620


class Tick(NamedTuple):
    """A mark below the plot. ``at``: percentage from the left. ``spare``: left out where there is little room."""

    at: float
    text: str
    spare: bool = False
    #: Which part of the text stands at the place: ``start``, ``middle``, ``end``.
    anchor: str = "start"


class Rule(NamedTuple):
    """A line from side to side, at a value. ``text``: short, written on it; ``word``: what the legend calls it, empty: it has no row."""

    value: float
    text: str
    word: str = ""


class Moment(NamedTuple):
    """A line from top to foot, at a place along the foot, with a short text."""

    at: float
    text: str


class Measure(NamedTuple):
    """How high a value stands: ``lines`` steps from ``bottom`` on fill ``tall`` pixels."""

    bottom: float
    step: float
    lines: int
    tall: int = PLOT

    @property
    def pixels(self) -> float:
        """Of one unit."""
        return self.tall / (self.step * self.lines)

    def y(self, value: float) -> float:
        """Pixels from the top of the drawing."""
        return ABOVE + self.tall - (value - self.bottom) * self.pixels

    @property
    def levels(self) -> list[float]:
        """Values of its lines, from the bottom up."""
        return [self.bottom + turn * self.step for turn in range(self.lines + 1)]


def step_of(most: float) -> float:
    """How far apart lines are, so that a few of them reach ``most``: a number that is easy to count by."""
    raw = most / (_LINES - 1)
    decade: float = 10.0 ** floor(log10(raw))
    # What rounding has put a hair above a step is that step.
    return next(one * decade for one in _STEPS if one * decade >= raw * (1 - 1e-9))


def measure_of(low: float, high: float, tall: int = PLOT, *, nought: bool = True) -> Measure:
    """A measure that holds values from ``low`` to ``high``, and nought unless it need not."""
    if nought:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        high += 1.0
    step = step_of(max(high, -low) if low <= 0 <= high else high - low)
    down, up = ceil(-low / step - 1e-9), ceil(high / step - 1e-9)
    return Measure(-down * step, step, down + up, tall)


def plot(
    label: str, measure: Measure, written: Callable[[float], str], inside: Iterable[str], ticks: Sequence[Tick]
) -> Markup:
    """A drawing in its frame. label: read aloud in its place. written: how a value stands at its line. inside: elements, ``x`` in percent, ``y`` by the measure."""
    tall = ABOVE + measure.tall + BELOW
    levels = [(value, measure.y(value)) for value in measure.levels]
    axis = "".join(f'<text x="44" y="{y + 4:.1f}">{escape(written(value))}</text>' for value, y in levels)
    grid = "".join(
        f'<line x2="100%" y1="{y:.1f}" y2="{y:.1f}" class="{"line" if value else "zero"}"/>' for value, y in levels
    )
    marks = "".join(mark(tick, ABOVE + measure.tall + 18) for tick in apart(ticks))
    return Markup(
        f'<div class="plot"><svg class="axis" width="48" height="{tall}" aria-hidden="true">{axis}</svg>'
        f'<svg class="bars" width="100%" height="{tall}" role="img" aria-label="{escape(label)}">'
        f'<g class="grid">{grid}</g>{"".join(inside)}<g class="ticks">{marks}</g></svg></div>'
    )


def apart(ticks: Iterable[Tick]) -> list[Tick]:
    """The marks of which none lies on another. Of two that would, the one further left goes, a spare one before any other: altogether, or where there is little room."""
    taken, kept = {PHONE: list[tuple[float, float]](), ROOM: list[tuple[float, float]]()}, dict[int, Tick]()
    for index, tick in sorted(enumerate(ticks), key=lambda one: (one[1].spare, -one[1].at)):
        spans = {room: span(tick, room) for room in taken}
        fits = {
            room: all(end + _CLEAR <= its[0] or its[1] + _CLEAR <= start for its in taken[room])
            for room, (start, end) in spans.items()
        }
        if fits[ROOM]:
            kept[index] = tick._replace(spare=tick.spare or not fits[PHONE])
            for room in (ROOM,) if kept[index].spare else taken:
                taken[room].append(spans[room])
    return [kept[index] for index in sorted(kept)]


def beside(at: float) -> str:
    """Which part of a text stands at a place, so that it is centred below it, and at the ends of the plot within that."""
    return "start" if at < _EARLY else "end" if at > 100 - _EARLY else "middle"


def span(tick: Tick, room: float) -> tuple[float, float]:
    """From where to where a mark reaches at most, in a plot of so many pixels."""
    wide = len(tick.text) * _LETTER
    start = tick.at / 100 * room - {"start": 0.0, "middle": 0.5, "end": 1.0}[tick.anchor] * wide
    return start, start + wide


def mark(tick: Tick, y: float) -> str:
    """A mark, so many pixels from the top."""
    spare = ' class="spare"' if tick.spare else ""
    anchor = "" if tick.anchor == "start" else f' text-anchor="{tick.anchor}"'
    return f'<text x="{tick.at:.2f}%" y="{y}"{anchor}{spare}>{escape(tick.text)}</text>'


def ruled(rules: Iterable[Rule], measure: Measure) -> str:
    """Lines from side to side with their texts."""
    return "".join(
        f'<g class="rule"><line x2="100%" y1="{y:.1f}" y2="{y:.1f}"/><text x="4" y="{y - 4:.1f}">{escape(one.text)}</text></g>'
        for one in rules
        for y in (measure.y(one.value),)
    )


def moments(found: Iterable[tuple[float, str]], measure: Measure) -> str:
    """Lines from top to foot with their texts, which stand on the side where there is room; one without a text parts what is beside it. Places in percent."""
    drawn = []
    for at, text in found:
        side = 'text-anchor="end" dx="-5"' if at > _MIDDLE else 'dx="5"'
        told = f'<text x="{at:.2f}%" y="{ABOVE + 11}" {side}>{escape(text)}</text>' if text else ""
        drawn.append(
            f'<g class="{"moment" if text else "parting"}">'
            f'<line x1="{at:.2f}%" x2="{at:.2f}%" y1="{ABOVE}" y2="{ABOVE + measure.tall}"/>{told}</g>'
        )
    return "".join(drawn)


def curve(points: Iterable[tuple[float, float]], look: str, measure: Measure, *, closed: bool = False) -> str:
    """A line of a look through points, or an area within them; ``x`` in percent, ``y`` a value. It is as thick whatever the chart's width."""
    tag = "polygon" if closed else "polyline"
    drawn = " ".join(f"{x * 10:.1f},{measure.y(value):.1f}" for x, value in points)
    return (
        f'<svg class="curve" width="100%" height="100%" viewBox="0 0 1000 {ABOVE + measure.tall + BELOW}" preserveAspectRatio="none">'
        f'<{tag} data-look="{look}" points="{drawn}" vector-effect="non-scaling-stroke"/></svg>'
    )
