"""A meter's day as a chart of characters: delivered above the axis, received below it, a mark under what is not as it should be.

Columns are quarter hours, or halves or hours where the terminal is narrow; labels are by the local clock, also where it is changed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from meters.calendar import INTERVAL_S, local, seconds

if TYPE_CHECKING:
    from rich.text import Text

Floats = NDArray[np.float64]

#: Rows of bars, above and below the axis together.
ROWS = 12
#: A row is one of these, times a power of ten.
_STEPS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0)
#: Columns left of the bars.
MARGIN = 7
#: A bar is cut off that is so many times as high as one in twenty is: a spike would flatten the day.
SPIKE = 4.0
#: How far a chart reaches over that one.
_ROOM = 1.5
_SHARE = 95
_BAR, _SURPLUS, _FLAGGED, _MISSING, _QUIET = "cyan", "green", "yellow", "red", "dim"


class Mark(NamedTuple):
    """What can be said of an interval."""

    name: str
    #: In a chart of letters.
    letter: str
    says: str
    #: There is no value.
    missing: bool = False


class Charted(Protocol):
    """A day that can be drawn; arrays are (n,), n = 92, 96 or 100, energy in Wh."""

    @property
    def starts(self) -> NDArray[np.int64]:
        """UTC epoch seconds at which the intervals begin."""

    @property
    def delivered(self) -> NDArray[np.int64]: ...
    @property
    def received(self) -> NDArray[np.int64]: ...
    @property
    def present(self) -> NDArray[np.bool_]: ...
    @property
    def marks(self) -> Sequence[Sequence[Mark]]:
        """Of each interval."""

    @property
    def mark_order(self) -> Sequence[Mark]:
        """Every mark, the more telling first."""

    @property
    def outdoors(self) -> Floats | None:
        """Degrees C; None where nobody knows."""


class Glyphs(NamedTuple):
    """What a chart is drawn with."""

    #: From a little to a whole cell, from below and from above.
    up: str
    down: str
    over: str
    under: str
    side: str
    side_tick: str
    line: str
    tick: str
    corner: str
    degree: str


UNICODE = Glyphs("▁▂▃▄▅▆▇█", "▔▀█", "▲", "▼", "│", "┤", "─", "┴", "┼", "°C")
ASCII = Glyphs(".:#", "':#", "^", "v", "|", "+", "-", "+", "+", "C")


def glyphs_for(encoding: str | None) -> Glyphs:
    """The block characters, or plain ones where an output's encoding has none."""
    try:
        "".join(UNICODE).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def intervals_per_column(n: int, width: int) -> int:
    """1, 2 or 4: the fewest with which a day of n intervals fits into so many characters."""
    return next((per for per in (1, 2) if MARGIN + n // per <= width), 4)


def ceiling(values: Floats) -> float:
    """How high a chart must reach for these, less a spike. values: (n,) not negative, NaN where there is none."""
    held = values[np.isfinite(values)]
    highest = float(held.max(initial=0.0))
    usual = float(np.percentile(held, _SHARE)) if len(held) else 0.0
    return usual * _ROOM if usual > 0 and highest > SPIKE * usual else highest


def chart(shown: Charted, width: int, glyphs: Glyphs) -> list[Text]:
    """The lines of the chart, without trailing blanks. width: characters of a line."""
    from rich.text import Text

    n = len(shown.starts)
    per = intervals_per_column(n, width)
    kw = np.where(shown.present, shown.delivered, np.nan) * (3600 / INTERVAL_S / 1000)
    back = np.where(shown.present, shown.received, np.nan) * (3600 / INTERVAL_S / 1000)
    over, under = np.maximum(kw, 0.0), back + np.maximum(-kw, 0.0)
    above, below = _means(over, per), _means(under, per)
    top, bottom = ceiling(above), ceiling(below)
    unit = _unit(top, bottom)
    up, down = max(1, _rows(top, unit)), _rows(bottom, unit)
    marks = _column_marks(shown, per)
    styles = [_FLAGGED if mark is not None else "" for mark in marks]
    lines = [Text(f"{'kW':>{MARGIN - 1}}", style=_QUIET)]
    for row in range(up - 1, -1, -1):
        bars = [_cell(value / unit - row, glyphs.up, glyphs.over, last=row == up - 1) for value in above]
        lines.append(
            _bars((row + 1) * unit, unit, bars, styles, _BAR, glyphs, labelled=(row + 1) % 3 == 0 or row == up - 1)
        )
    lines.append(_axis(shown, per, glyphs))
    for row in range(down):
        bars = [_cell(value / unit - row, glyphs.down, glyphs.under, last=row == down - 1) for value in below]
        labelled = (row + 1) % 3 == 0 or row == down - 1
        lines.append(_bars(-(row + 1) * unit, unit, bars, styles, _SURPLUS, glyphs, labelled=labelled))
    if any(marks):
        line = Text()
        line.append(f"{'marks':>{MARGIN - 1}} ", _QUIET)
        for mark in marks:
            style = _MISSING if mark is not None and mark.missing else _FLAGGED
            line.append(mark.letter if mark is not None else " ", style)
        lines.append(line)
    lines.append(_row_of(per, "", {at: f"{local(seconds(shown.starts[at])):%H}" for at in _thirds(shown)}))
    if shown.outdoors is not None:
        degrees = {at: f"{shown.outdoors[at]:.0f}" for at in _thirds(shown)}
        lines.append(_row_of(per, glyphs.degree, degrees))
    for line in lines:
        line.rstrip()
    return [line for line in lines if line.plain]


def _means(values: Floats, per: int) -> Floats:
    """(columns,) mean of the values that are there; NaN where none is."""
    grouped = values.reshape(-1, per)
    held = np.isfinite(grouped)
    counts = held.sum(axis=1)
    totals = np.where(held, grouped, 0.0).sum(axis=1)
    means: Floats = np.where(counts > 0, totals / np.maximum(counts, 1), np.nan)
    return means


def _unit(top: float, bottom: float) -> float:
    """kW of a row: the least round number with which all fits."""
    size = 10.0 ** math.floor(math.log10(max(top + bottom, 0.001) / ROWS))
    for step in _STEPS:
        if _rows(top, step * size) + _rows(bottom, step * size) <= ROWS:
            return step * size
    return 2 * _STEPS[-1] * size


def _rows(reach: float, unit: float) -> int:
    return math.ceil(reach / unit - 1e-9)


def _label(value: float, unit: float) -> str:
    """With as many decimals as a row's unit has."""
    digits = next((one for one in range(6) if abs(unit - round(unit, one)) < unit / 1000), 6)
    return f"{value:,.{digits}f}"


def _bars(
    reach: float, unit: float, bars: list[str], styles: list[str], style: str, glyphs: Glyphs, *, labelled: bool
) -> Text:
    """A row of bars. reach: kW at its outer edge, which is written beside it if ``labelled``; styles: of columns that have their own."""
    from rich.text import Text

    label, side = (_label(reach, unit), glyphs.side_tick) if labelled else ("", glyphs.side)
    # Styles are of the parts: the line's own would dim the bars.
    line = Text()
    line.append(f"{label:>{MARGIN - 1}}{side}", _QUIET)
    for its, run in groupby(zip(styles, bars, strict=True), key=lambda one: one[0]):
        line.append("".join(bar for _, bar in run), its or style)
    return line


def _cell(filled: float, levels: str, cut: str, *, last: bool) -> str:
    """One cell of a bar that reaches ``filled`` cells from this one's beginning on."""
    if not filled > 0:
        return " "
    if last and filled > 1 + 1e-9:
        return cut
    return levels[min(len(levels) - 1, max(0, math.ceil(filled * len(levels) - 0.5) - 1))]


def _axis(shown: Charted, per: int, glyphs: Glyphs) -> Text:
    from rich.text import Text

    line = [glyphs.line] * (len(shown.starts) // per)
    for at in _thirds(shown):
        line[at // per] = glyphs.tick
    return Text(f"{'0':>{MARGIN - 1}}{glyphs.corner}{''.join(line)}", style=_QUIET)


def _thirds(shown: Charted) -> list[int]:
    """Positions of the intervals that begin at every third hour of the local clock."""
    clock = [local(seconds(at)) for at in shown.starts]
    return [at for at, when in enumerate(clock) if when.minute == 0 and when.hour % 3 == 0]


def _row_of(per: int, label: str, words: dict[int, str]) -> Text:
    """A line of words under their columns."""
    from rich.text import Text

    line = f"{label:>{MARGIN - 1}} ".ljust(MARGIN)
    for at, word in words.items():
        line = line.ljust(MARGIN + at // per) + word
    return Text(line, style=_QUIET)


def _column_marks(shown: Charted, per: int) -> list[Mark | None]:
    """The most telling mark of each column."""
    found: list[Mark | None] = []
    for first in range(0, len(shown.marks), per):
        ones = [mark for marks in shown.marks[first : first + per] for mark in marks]
        found.append(min(ones, key=shown.mark_order.index) if ones else None)
    return found
