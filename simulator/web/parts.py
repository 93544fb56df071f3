"""What the kit's macros take, and how values become the rows beside a chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from markupsafe import Markup, escape

from simulator.web.charts import Chart
from simulator.web.kinds import KINDS, MISSING
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


def legend_of(chart: Chart) -> list[LegendRow]:
    """The kinds that occur in what is delivered, in the order of the table."""
    column = chart.delivered
    rows = []
    for kind, one in KINDS.items():
        found = [index for index, its in enumerate(column.kinds) if its == kind]
        if found:
            wh = None if kind == MISSING else sum(column.wh[index] for index in found)
            rows.append(LegendRow(kind, one.word, f"{len(found)} {chart.unit[len(found) > 1]}", wh))
    return rows


def rows_of(chart: Chart) -> Markup:
    """The rows of the table that says what the chart draws: time, kWh and how it is known; of what is received, of other days."""
    return Markup("".join(_row(chart, index) for index in range(len(chart.delivered.kinds))))


def _row(chart: Chart, index: int) -> str:
    """A row without the tags that HTML closes by itself: a page has a hundred of them."""
    cells = [f"<td>{escape(chart.names[index])}"]
    for column in (chart.delivered, chart.received):
        if column is None:
            continue
        if index >= len(column.kinds) or column.kinds[index] == MISSING:
            cells.append("<td><td>no value")
        else:
            cells.append(f'<td class="n">{kwh(column.wh[index])}<td>{KINDS[column.kinds[index]].word}')
    if len(chart.line):
        cells.append(f'<td class="n">{kwh(chart.line[index])}' if index < len(chart.line) else "<td>")
    return f"<tr>{''.join(cells)}"
