"""A meter's own clock against true time: pieces that each run at one pace, broken where it is set. Labels of intervals follow it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from meters.calendar import Seconds, seconds
from meters.faults.fault import FOR_EVER, Fault
from meters.faults.kinds import FaultKind

#: A day in milliseconds: a pace is how many of them a clock gains in a day.
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Piece:
    """From true time ``start`` on the clock shows t + offset + what it has gained since."""

    start: Seconds
    offset: Seconds
    gain_ms_a_day: int = 0

    def at(self, true: Seconds) -> Seconds:
        """The clock at a true time, whole seconds."""
        return true + self.offset + (true - self.start) * self.gain_ms_a_day // _DAY_MS

    def true(self, shown: Seconds) -> Seconds:
        """The first true time, not before ``start``, at which the clock shows at least that. Exact inverse of ``at``."""
        ahead = shown - self.start - self.offset
        return self.start + max(0, -(-ahead * _DAY_MS // (_DAY_MS + self.gain_ms_a_day)))


#: A right clock.
RIGHT = Piece(seconds(0), seconds(0))


def pieces(faults: Sequence[Fault], writes: Sequence[tuple[Seconds, Seconds]]) -> tuple[Piece, ...]:
    """The clock of a meter with these faults, set by hand at true times (at, shown); in order, the first from the beginning.

    A declared end of a fault sets the clock right.
    """
    # At one instant: what ends, then what begins, then what somebody writes.
    changes: list[tuple[Seconds, int, str, int]] = [(at, 2, "write", shown) for at, shown in writes]
    for fault in faults:
        if fault.kind is FaultKind.CLOCK_DRIFT:
            changes.append((fault.first, 1, "drift", round(fault.params["seconds_a_day"] * 1000)))
        elif fault.kind is FaultKind.CLOCK_SET:
            changes.append((fault.first, 1, "set", round(fault.params["seconds"])))
        else:
            continue
        if fault.until < FOR_EVER:
            changes.append((fault.until, 0, "right", 0))
    made = [RIGHT]
    # What is of one rank at one instant stays in its order: the last word counts.
    for at, _, what, value in sorted(changes, key=lambda change: change[:2]):
        last = made[-1]
        shown = last.at(at)
        if what == "drift":
            made.append(Piece(at, shown - at, value))
        elif what == "set":
            made.append(Piece(at, shown - at + value, last.gain_ms_a_day))
        elif what == "right":
            made.append(Piece(at, seconds(0)))
        else:
            made.append(Piece(at, value - at, last.gain_ms_a_day))
    return tuple(made)


def known(clock: Sequence[Piece], now: Seconds) -> Sequence[Piece]:
    """The pieces that have begun."""
    return clock[: max(1, bisect_right([piece.start for piece in clock], now))]
