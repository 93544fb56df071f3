"""The timeline of a run: the clock, faults of the account's meter, postings, requests under way, actions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from markupsafe import escape

from meters.calendar import Seconds, day_start, local, seconds, to_s
from reports.chart_parts import NARROW, Width
from scenarios.judging.facts import Facts

#: A day before the first action is shown, so that the posting it rests on is; and what the last one set going.
_BEFORE_S, _AFTER_S = 86_400, 1_200
_LANE = 50


class Span(NamedTuple):
    """Something from one instant to another, or at one."""

    start: Seconds
    end: Seconds
    name: str


def timeline(facts: Facts, width: Width) -> str:
    """It as inline SVG, drawn for a width."""
    actions = facts.scenario.timeline
    first = day_start(actions[0].at.date()) - _BEFORE_S
    last = max(facts.at(one) for one in actions) + _AFTER_S
    lanes: list[tuple[str, str, Iterable[Span]]] = [
        ("Actions", "accent", (Span(facts.at(one), facts.at(one), one.ref) for one in actions)),
        (
            "Requests under way",
            "served-read",
            (
                Span(one.submitted, to_s(one.last.at_us), one.call_reference or one.kind.value)
                for one in facts.recording.ledger
            ),
        ),
        (
            "Posted to SMT",
            "good",
            (
                Span(file.taken_in_at, file.taken_in_at, f"{day:%m-%d}")
                for day, files in facts.posted().items()
                for file in files
                if file.taken_in_at is not None
            ),
        ),
        (
            "Faults of this meter",
            "bad",
            (
                Span(one.first_end_local, one.last_end_local, one.kind)
                for one in facts.recording.world.faults
                if one.esiid == facts.esiid
            ),
        ),
    ]
    across = 360 if width is NARROW else 960
    scale = across / (last - first)
    y, parts = 0, []
    for name, colour, spans in lanes:
        shown = [one for one in spans if one.start <= last and one.end >= first]
        if not shown:
            continue
        y += _LANE
        parts.append(_text(0, y - 28, name, "muted") + _line(0, across, y, "grid", 1))
        reached = -1.0
        for one in sorted(shown):
            start, end = (max(first, one.start) - first) * scale, (min(last, one.end) - first) * scale
            parts.append(_line(start, max(end, start + 3), y, colour, 10))
            # A name that would lie on another is left out.
            wide = len(one.name) * 7.2
            x = min(start, across - wide)
            if x > reached:
                parts.append(_text(x, y - 9, one.name, "ink"))
                reached = x + wide + 4
    y += 22
    hours = 12 if width is NARROW or last - first > 3 * 86_400 else 6
    step = hours * 3600 if last - first < 7 * 86_400 else 86_400 * max(1, round((last - first) / 86_400 / 6))
    for at in range(first, last + 1, step):
        when = local(seconds(at))
        label = f"{when:%m-%d}" if when.hour == 0 else f"{when:%H:%M}"
        x = (at - first) * scale
        parts.append(_line_up(x, y - 18) + _text(min(x, across - 34), y, label, "muted"))
    return f'<svg viewBox="0 0 {across} {y + 6}" font-size="12">{"".join(parts)}</svg>'


def _line(start: float, end: float, y: int, colour: str, thick: int) -> str:
    style = f"stroke: var(--{colour}); stroke-width: {thick}"
    return f'<line x1="{start:.1f}" x2="{end:.1f}" y1="{y}" y2="{y}" style="{style}"/>'


def _line_up(x: float, y: int) -> str:
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 6}" style="stroke: var(--muted)"/>'


def _text(x: float, y: int, text: str, colour: str) -> str:
    return f'<text x="{x:.1f}" y="{y}" style="fill: var(--{colour})">{escape(text)}</text>'
