"""Charts of what happened when, as SVG: a lane of each kind, spans and instants on it. Arrays in, text out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from markupsafe import Markup, escape

from simulator.web.plot import LATE, Tick, apart, mark

#: Pixels: a lane, of which its name and what stands on it, and what is below the last one.
_LANE, _NAME, _TEXT, _FOOT = 52, 18, 12, 26
#: Pixels of a letter, and of the plot on a phone and at a desk: what a name has room for.
_LETTER, _PHONE, _DESK = 7.4, 320, 650
#: Percentage of the plot below which a span is drawn as an instant.
_LEAST = 1.0


class Span(NamedTuple):
    """Something from one instant to another, or at one."""

    start: float
    end: float
    name: str


class Lane(NamedTuple):
    """Spans of one kind. ``colour``: its name in the palette's classes: ``accent``, ``good``, ``bad``, ``aside``."""

    name: str
    colour: str
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True)
class Lanes:
    """What a chart of lanes shows."""

    #: Read aloud in the place of the picture.
    label: str
    #: The first instant and the last.
    reach: tuple[float, float]
    ticks: Sequence[tuple[float, str]]
    #: Those with nothing within the reach are left out.
    lanes: Sequence[Lane]
    #: Marks that are left out where there is little room.
    spare: Sequence[tuple[float, str]] = field(default=())

    def shown(self) -> list[Lane]:
        """The lanes with what of them lies within the reach, by time."""
        first, last = self.reach
        cut = (
            one._replace(spans=sorted(span for span in one.spans if span.start <= last and span.end >= first))
            for one in self.lanes
        )
        return [one for one in cut if one.spans]


def lanes(chart: Lanes) -> Markup:
    """The chart."""
    first, last = chart.reach
    shown = chart.shown()

    def place(at: float) -> float:
        return 100 * (min(max(at, first), last) - first) / (last - first)

    drawn = []
    for index, lane in enumerate(shown):
        y = (index + 1) * _LANE
        drawn.append(f'<text x="0" y="{y - _LANE + _NAME}">{escape(lane.name)}</text>')
        drawn.append(f'<g class="lane {lane.colour}"><line class="grid" x2="100%" y1="{y}" y2="{y}"/>')
        drawn += _bars(lane.spans, place, y)
        drawn.append("</g>")
    foot = len(shown) * _LANE
    ticks = [
        Tick(place(at), text, spare, "end" if place(at) > LATE else "start")
        for found, spare in ((chart.ticks, False), (chart.spare, True))
        for at, text in found
    ]
    marks = [
        f'<line x1="{one.at:.2f}%" x2="{one.at:.2f}%" y1="{foot + 4}" y2="{foot + 9}"/>{mark(one, foot + _FOOT - 4)}'
        for one in apart(ticks)
    ]
    return Markup(
        f'<div class="plot"><svg class="lanes" width="100%" height="{foot + _FOOT + 2}" role="img" aria-label="{escape(chart.label)}">'
        f'{"".join(drawn)}<g class="ticks">{"".join(marks)}</g></svg></div>'
    )


def _bars(spans: Sequence[Span], place: Callable[[float], float], y: int) -> Iterator[str]:
    """Each span, and its name where that lies on no other's: at a desk, or on a phone too."""
    reached = {_PHONE: -1.0, _DESK: -1.0}
    for one in spans:
        begins, ends = place(one.start), place(one.end)
        told = f"<title>{escape(one.name)}</title>"
        if ends - begins < _LEAST:
            yield f'<circle cx="{begins:.2f}%" cy="{y}" r="5">{told}</circle>'
        else:
            yield f'<rect x="{begins:.2f}%" width="{ends - begins:.2f}%" y="{y - 4}" height="8">{told}</rect>'
        late = begins > LATE
        fits = {}
        for room, upto in reached.items():
            wide = len(one.name) * _LETTER
            x = ends / 100 * room - wide if late else begins / 100 * room
            fits[room] = x > upto and x + wide < room + _LETTER
            if fits[room]:
                reached[room] = x + wide + 4
        if fits[_DESK]:
            at, anchor = (ends, "end") if late else (begins, "start")
            yield mark(Tick(at, one.name, not fits[_PHONE], anchor), y - _TEXT)
