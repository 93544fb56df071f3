"""A file's quarter hours in their places, whatever order they come in: a later revision takes the place of an earlier one, the same again counts once, and of two
values that nothing tells apart neither is taken. Its memory hangs on the span of the file alone.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np

from headend.ports import BoolArray, IntArray, LongArray
from meters.calendar import INTERVAL_S, LAST_DAY, YEARS, day_end, day_start
from meters.kernels.jit import kernel
from simulator.ror.files.found import Tally

FIRST_DAY = date(YEARS.start, 1, 1)
#: The first quarter hour that has a place, by its number since the epoch, and how many have.
_FIRST = day_start(FIRST_DAY) // INTERVAL_S
_COUNT = day_end(LAST_DAY) // INTERVAL_S - _FIRST
#: Quarter hours of the hour that autumn repeats.
_HOUR = 4


class Values(NamedTuple):
    """Values as they come, (n,) each."""

    #: UTC epoch seconds at which they begin, on quarter hours, in the years that there are.
    starts: LongArray
    #: Wh, not negative.
    wh: LongArray
    estimated: BoolArray
    #: The later one counts.
    revision: LongArray
    #: Of the file.
    lines: LongArray
    #: Whether the file names the clock's hour alone, and the clock has it twice: the second value of it is the second hour's.
    twice: BoolArray


class _Held(NamedTuple):
    """What is held, by place, (span,) each."""

    wh: IntArray
    estimated: BoolArray
    revision: LongArray
    #: 0: there is none.
    lines: LongArray
    #: The line of another value for it; 0: there is none.
    other: LongArray


def _empty(count: int) -> _Held:
    wide = [np.zeros(count, np.int64) for _ in range(3)]
    return _Held(np.zeros(count, np.int32), np.zeros(count, np.bool_), *wide)


class Grid:
    """The values of one channel."""

    def __init__(self) -> None:
        """Without any."""
        #: The first place of what is held.
        self._first = 0
        self._held = _empty(0)
        #: Those that came again with the same value, and those that a later revision took the place of: how many, the first one's line.
        self._told = np.zeros((2, 2), np.int64)

    def put(self, values: Values) -> None:
        """Put values in their places."""
        if len(values.starts):
            places = values.starts // INTERVAL_S - _FIRST
            self._reach(int(places.min()), int(places.max()) + _HOUR)
            _put(values._replace(starts=places - self._first), *self._held, self._told)

    def _reach(self, first: int, last: int) -> None:
        """Have room for places: twice as much as before, so that few rows at a time cost no more than many."""
        span = len(self._held.wh)
        if span and self._first <= first and last < self._first + span:
            return
        begin = first if not span else max(0, self._first - span) if first < self._first else self._first
        end = last + 1 if last >= self._first + span else self._first + span
        begin, end = min(begin, first), max(end, min(begin + 2 * span, _COUNT), last + 1)
        wider = _empty(end - begin)
        at = self._first - begin
        for name in _Held._fields:
            getattr(wider, name)[at:][:span] = getattr(self._held, name)
        self._first, self._held = begin, wider

    def held(self, tally: Tally) -> tuple[LongArray, IntArray, BoolArray]:
        """(n,) UTC epoch seconds at which they end, ascending, Wh, whether they are estimated; what was left out is told."""
        (same, same_line), (older, older_line) = self._told.tolist()
        tally.tell(
            "twice",
            tally.line(same_line) if same else 0,
            "The value stands in the file already.",
            "It counts once.",
            same,
        )
        tally.tell(
            "superseded",
            tally.line(older_line) if older else 0,
            "A later revision of it is in the file.",
            "That one counts.",
            older,
        )
        held = self._held
        doubtful = np.flatnonzero(held.other)
        if len(doubtful):
            at = doubtful[held.other[doubtful].argmin()]
            first, other = (tally.line(int(lines[at])) for lines in (held.lines, held.other))
            text = f"The quarter hour has another value in line {first}, and nothing tells which one counts."
            tally.tell("differs", other, text, "Keep one of the two.", len(doubtful))
        known = np.flatnonzero((held.lines > 0) & (held.other == 0))
        ends = (known + self._first + _FIRST + 1) * INTERVAL_S
        return ends.astype(np.int64), held.wh[known], held.estimated[known]


@kernel
def _put(
    values: Values,
    held_wh: IntArray,
    held_estimated: BoolArray,
    held_revision: LongArray,
    held_lines: LongArray,
    other: LongArray,
    told: LongArray,
) -> None:
    """Put values whose starts are places."""
    places, wh, estimated, revision, lines, twice = values
    for row in range(len(places)):
        at = places[row]
        filled = held_lines[at] and held_revision[at] == revision[row]
        if twice[row] and filled:
            second = at + _HOUR
            # What comes a third time is one of the two again.
            if not (held_lines[second] and held_revision[second] == revision[row] and held_wh[at] == wh[row]):
                at = second
        if held_lines[at] and held_revision[at] == revision[row]:
            if held_wh[at] == wh[row] and held_estimated[at] == estimated[row]:
                told[0, 1] = told[0, 1] if told[0, 0] else lines[row]
                told[0, 0] += 1
            elif not other[at]:
                other[at] = lines[row]
            continue
        if held_lines[at]:
            older = held_lines[at] if held_revision[at] < revision[row] else lines[row]
            told[1, 1] = told[1, 1] if told[1, 0] else older
            told[1, 0] += 1
            if held_revision[at] > revision[row]:
                continue
        held_wh[at], held_estimated[at], held_revision[at], held_lines[at], other[at] = (
            wh[row], estimated[row], revision[row], lines[row], 0,
        )  # fmt: skip
