"""The exchanges of a run as a sequence diagram: parties as columns, an arrow from who asks to who is asked, each a link to its text.

Only what actions did is drawn, like ones behind each other as one arrow with their count; the traffic of every day is told in numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from markupsafe import escape

from headend.http.foreign import document
from meters.calendar import local, to_s
from scenarios.judging.exchanges import Traffic
from simulator.tap.chain import Exchange

#: Columns in their order, as far as they are in a run.
PARTIES = ("tester", "customer", "agent", "ROR", "CSP", "visitor", "SMT", "TDSP", "meters", "outside")
#: Arrows of one action that are drawn and told; of a longer one its beginning.
MOST_ROWS = 60
#: Characters of a body that a page shows.
MOST_TEXT = 2_000
_ROW, _CHAR = 30, 6.4
#: What it is drawn for, as the stylesheet names it.
WIDE, NARROW = "wide", "narrow"


class Row(NamedTuple):
    """Exchanges that are told as one: alike, and nothing between them."""

    first: Exchange
    last: Exchange
    numbers: tuple[int, ...]

    @property
    def bad(self) -> bool:
        """Whether it was refused or had no answer."""
        reply = self.first.reply
        return "error" in reply or int(reply.get("status", 0)) >= 400 or self.first.came.endswith(" 1")

    @property
    def text(self) -> str:
        """What was asked, what came, how often."""
        asked = "/".join(self.first.label.split("/")[:4])
        return f"{asked}: {self.first.came}" + (f", {len(self.numbers)} times" if self.last is not self.first else "")


class Scene(NamedTuple):
    """What one action did without another's doing between. ``more``: exchanges that are not shown."""

    ref: str
    rows: list[Row]
    more: int


def scenes(traffic: Traffic) -> list[Scene]:
    """The exchanges of all actions, as they followed each other."""
    found = sorted(((one.n, ref, one) for ref, its in traffic.actions.items() for one in its), key=lambda one: one[0])
    left = dict.fromkeys(traffic.actions, MOST_ROWS)
    told = []
    for ref, group in groupby(found, key=lambda one: one[1]):
        its = rows(one for _, _, one in group)
        shown = its[: left[ref]]
        left[ref] -= len(shown)
        told.append(Scene(ref, shown, sum(len(row.numbers) for row in its[len(shown) :])))
    return told


def rows(found: Iterable[Exchange]) -> list[Row]:
    """Exchanges as they are told: alike ones behind each other as one."""
    told = []
    for _, alike in groupby(found, key=lambda one: (one.wire, one.source, one.target, one.label, one.came)):
        its = list(alike)
        told.append(Row(its[0], its[-1], tuple(one.n for one in its)))
    return told


def spoken(exchange: Exchange) -> list[str]:
    """What was asked and what was answered, as texts."""
    return [_spoken(exchange.ask), _spoken(exchange.reply)]


def _spoken(part: dict[str, Any]) -> str:
    lines = []
    for name, value in part.items():
        if name == "headers":
            lines += [f"{header}: {text}" for header, text in value.items()]
        elif name == "body":
            lines += ["", _body(value)]
        elif isinstance(value, dict):
            lines += [f"{name} {key}: {one}" for key, one in value.items()]
        else:
            lines.append(f"{name}: {value}")
    return "\n".join(lines)


def _body(body: Any) -> str:
    if not isinstance(body, str):
        return "\n".join(f"{name}: {value}" for name, value in body.items())
    try:
        text = json.dumps(document(body), indent=1, ensure_ascii=False)
    except ValueError:
        text = body
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}\n... {len(text) - MOST_TEXT:,} characters more"


def sequence(found: Sequence[Scene], width: str, mark: str = "x") -> str:
    """The diagram as inline SVG, drawn for a width; empty where no action has an exchange. mark: what the ids of the texts of exchanges begin with."""
    there = {party for scene in found for row in scene.rows for party in (row.first.source, row.first.target)}
    columns = [party for party in PARTIES if party in there]
    if not columns:
        return ""
    # As wide as the least window of each leaves room for: what is drawn there has its size, and is larger in another.
    across = 328 if width == NARROW else 770
    left = 84 if width == NARROW else 150
    step = (across - left - 34) / max(1, len(columns) - 1)
    at = {party: left + index * step for index, party in enumerate(columns)}
    y, parts = 0.0, []
    for scene in found:
        if not scene.rows:
            continue
        day = f"{local(to_s(scene.rows[0].first.at_us)):%Y-%m-%d}"
        y += 26
        head = f'<text x="0" y="{y:.0f}" style="fill: var(--ink); font-weight: 600">{escape(scene.ref)}, {day}</text>'
        y += 20
        parts.append(head + "".join(_text(x, y, party, "middle", "muted") for party, x in at.items()))
        top = y + 6
        arrows = []
        for row in scene.rows:
            y += _ROW
            arrows.append(_arrow(row, at, y, across, mark))
        y += 10
        parts += [
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.0f}" y2="{y:.0f}" style="stroke: var(--grid); stroke-width: 1.5"/>'
            for x in at.values()
        ]
        parts += arrows
    drawn = "".join(parts)
    return f'<svg viewBox="0 0 {across} {y + 6:.0f}" font-size="12">{drawn}</svg>'


def _arrow(row: Row, at: dict[str, float], y: float, across: int, mark: str) -> str:
    start, end = at[row.first.source], at[row.first.target]
    towards = 1 if end > start else -1
    colour = "bad" if row.bad else "accent"
    room = int((across - 66) / _CHAR)
    text = row.text if len(row.text) <= room else f"{row.text[: room - 1]}…"
    wide = len(text) * _CHAR
    middle = min(max((start + end) / 2, 66 + wide / 2), across - wide / 2)
    clock = f"{local(to_s(row.first.at_us)):%H:%M:%S}"
    return (
        f'<a href="#{mark}{row.first.n}">{_text(0, y, clock, "start", "muted")}'
        f'<line x1="{start:.1f}" x2="{end:.1f}" y1="{y:.0f}" y2="{y:.0f}" style="stroke: var(--{colour}); stroke-width: 1.5"/>'
        f'<path d="M{end:.1f} {y:.0f}l{-7 * towards} -4v8z" style="fill: var(--{colour})"/>'
        f"{_text(middle, y - 5, text, 'middle', 'ink')}</a>"
    )


def _text(x: float, y: float, text: str, anchor: str, colour: str) -> str:
    """A text with a rim of paper, so that lines behind it do not cross it."""
    style = f"fill: var(--{colour}); stroke: var(--paper); stroke-width: 4; paint-order: stroke"
    return f'<text x="{x:.1f}" y="{y:.0f}" text-anchor="{anchor}" style="{style}">{escape(text)}</text>'
