"""What the kit's macros take, and how values become the rows beside a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from markupsafe import Markup, escape

from simulator.web.charts import Chart, Stacks
from simulator.web.kinds import KINDS, MISSING, fill
from simulator.web.lines import Lines, shape
from simulator.web.plot import Rule
from simulator.web.rows import Rows, point
from simulator.web.words import kwh


class LegendRow(NamedTuple):
    """A kind that occurs: how often, and how much energy that is."""

    kind: str
    word: str
    #: How many there are, with what they are: ``64 quarter hours``.
    many: str
    #: Wh; None where there is no value to add.
    wh: int | None


class Step(NamedTuple):
    """A step of a request: what it is called, when it came about (empty: not yet), how it stands: ``done``, ``now``, ``open``, ``bad``."""

    word: str
    at: str
    how: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How a request stands, in words."""

    headline: str
    #: ``waits``, ``good`` or ``bad``.
    tone: str
    steps: Sequence[Step]
    #: Sentences below it.
    told: Sequence[str] = field(default=())
    #: Where to ask how it goes on; empty once it has ended.
    poll: str = ""


class Problem(NamedTuple):
    """What is wrong, where, and what to do: never a traceback."""

    code: str
    what: str
    mend: str


class Part(NamedTuple):
    """A part of a whole: of which kind, what it is called, its size (not below nought), and how that is told."""

    kind: str
    word: str
    size: float
    told: str


def part_bar(parts: Sequence[Part], label: str) -> Markup:
    """A lying bar of parts, as wide as there is room; label: read aloud in its place. Its legend is the macro ``part_legend``."""
    whole = sum(one.size for one in parts) or 1
    x, drawn = 0.0, []
    for one in parts:
        wide = 100 * one.size / whole
        drawn.append(
            f'<rect data-kind="{one.kind}" x="{x:.2f}%" y="0" width="{wide:.2f}%" height="34"{fill(one.kind)}>'
            f"<title>{escape(one.word)}: {escape(one.told)}</title></rect>"
        )
        x += wide
    return Markup(
        f'<svg class="parted" width="100%" height="34" role="img" aria-label="{escape(label)}">{"".join(drawn)}</svg>'
    )


class LineRow(NamedTuple):
    """A row of the legend of lines: a piece of it, its word, and what is told of it."""

    piece: Markup
    word: str
    told: str


class Table(NamedTuple):
    """What a chart shows, in words: heads, and rows of as many cells. The first column names the row, the others are numbers."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


def legend_of(chart: Chart) -> list[LegendRow]:
    """The kinds that occur in what is delivered, in the order of the table."""
    column = chart.delivered
    found = {
        kind: [column.value(index) for index, its in enumerate(column.kinds) if its == kind]
        for kind in KINDS
        if kind in column.kinds
    }
    return _legend(found, chart.unit)


def stack_legend(chart: Stacks) -> list[LegendRow]:
    """The kinds that occur, in the order of the table: in how many places, and how much."""
    found = {kind: [wh for wh in chart.parts.get(kind, ()) if wh] for kind in KINDS}
    return _legend({kind: wh for kind, wh in found.items() if wh}, chart.unit)


def _legend(found: Mapping[str, Sequence[int]], unit: tuple[str, str]) -> list[LegendRow]:
    return [
        LegendRow(kind, KINDS[kind].word, f"{len(wh):,} {unit[len(wh) > 1]}", None if kind == MISSING else sum(wh))
        for kind, wh in found.items()
    ]


def line_legend(chart: Lines) -> list[LineRow]:
    """Its lines, bands, points, and the rules that have a word."""
    line = '<line x2="26" y1="8" y2="8" data-look="{}"/>'
    found = [(line.format(one.look), one.word, one.told) for one in chart.lines]
    found += [
        ('<rect x="1" y="2" width="24" height="12" data-look="band"/>', one.word, one.told) for one in chart.bands
    ]
    # Of points that are called the same there is one row.
    points = {(one.look, one.word): one for one in chart.points}.values()
    found += [(f'<g transform="translate(13 8)">{shape(one.look)}</g>', one.word, one.told) for one in points]
    return _pieces([*found, *_ruled(chart.rules)])


def row_legend(chart: Rows) -> list[LineRow]:
    """Its bars and points, and the rules that have a word."""
    bar = '<rect width="26" height="16" data-legend="{0}"{1}/>'
    found = [(bar.format(one.kind, fill(one.kind)), one.word, "") for one in chart.bars]
    found += [(f'<g transform="translate(13 8)">{point(one.kind)}</g>', one.word, "") for one in chart.points]
    return _pieces([*found, *_ruled(chart.rules)])


def _ruled(rules: Sequence[Rule]) -> list[tuple[str, str, str]]:
    piece = '<g class="rule"><line x2="26" y1="8" y2="8" data-look="rule"/></g>'
    return [(piece, one.word, "") for one in rules if one.word]


def _pieces(found: Sequence[tuple[str, str, str]]) -> list[LineRow]:
    return [
        LineRow(Markup(f'<svg width="26" height="16" aria-hidden="true">{drawn}</svg>'), word, told)
        for drawn, word, told in found
    ]


def stack_table(chart: Stacks, first: str) -> Table:
    """Of each place the kWh of each kind that occurs. first: head of the names."""
    kinds = [one.kind for one in stack_legend(chart)]
    rows = [
        [name, *(kwh(chart.parts[kind][index]) if chart.parts[kind][index] else "" for kind in kinds)]
        for index, name in enumerate(chart.names)
    ]
    return Table([first, *(f"{KINDS[kind].word}, kWh" for kind in kinds)], rows)


def rows_of(chart: Chart, *, closed: bool = False) -> Markup:
    """The rows of the table that says what the chart draws: time, kWh and how it is known; of what is received, of other days.

    Unless closed without the tags that HTML closes by itself: a served page has a hundred of them.
    """
    cell, row = ("</td>", "</tr>") if closed else ("", "")
    return Markup(
        "".join(f"<tr>{cell.join([*_cells(chart, index), ''])}{row}" for index in range(len(chart.delivered.kinds)))
    )


def _cells(chart: Chart, index: int) -> list[str]:
    cells = [f"<td>{escape(chart.names[index])}"]
    for column in (chart.delivered, chart.received):
        if column is None:
            continue
        if index >= len(column.kinds) or column.kinds[index] == MISSING:
            cells += ["<td>", "<td>no value"]
        else:
            cells += [f"<td>{kwh(column.wh[index])}", f"<td>{KINDS[column.kinds[index]].word}"]
    if len(chart.line):
        beside = chart.line[index] if index < len(chart.line) else None
        cells.append("<td>" if beside is None else f"<td>{kwh(beside)}")
    return cells
