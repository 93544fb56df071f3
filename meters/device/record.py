"""What a meter records under the labels of its own clock, before any fault of the record: raw intervals and their status.

Labels follow the clock, energy follows true time: each piece of the clock adds to a label what flowed while it showed that label.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from meters.calendar import INTERVAL_S, Seconds, day_end, interval_ends, local, seconds
from meters.device.clock import Piece
from meters.device.counting import Counting
from meters.device.energy import Energy
from meters.faults.fault import FOR_EVER, Fault
from meters.load.truth import ERA
from meters.status import Common, Condition, status_word

_CHANNELS = np.uint16(0x0FF0)
_MAX_RAW = np.iinfo(np.int32).max

#: Raw delivered, raw received, status words, each (n,).
Record = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint16]]


def recorded(
    day: date, energy: Energy, counting: Counting, clock: Sequence[Piece], after: int, outages: Sequence[Fault]
) -> Record:
    """The record under a day's labels.

    clock: the pieces that have begun. after: how many exchanges there have been. outages: the failures of the line.
    """
    status = good_status(day).copy()
    if day < ERA:
        status |= np.uint16(status_word(0, Condition.STOPPED))
        return np.zeros(len(status), np.int32), np.zeros(len(status), np.int32), status
    bounds = np.append(interval_ends(day) - INTERVAL_S, day_end(day))
    if len(clock) == 1 and not after:
        raw = np.diff(counting.pulses_of(energy.flowed_bounds(day)))
    else:
        raw = _by_clock(bounds, counting, clock, after, status)
    full: NDArray[np.bool_] = (raw[0] > _MAX_RAW) | (raw[1] > _MAX_RAW)
    raw = np.minimum(raw, _MAX_RAW)
    _say(Condition.OVERFLOW, full, status)
    for outage in outages:
        first, until = (_piece(clock, at).at(at) for at in (outage.first, outage.until))
        touched = (bounds[:-1] < until) & (bounds[1:] > first)
        status[touched] |= np.uint16(status_word(Common.POWER_FAIL, Condition.OK))
    return raw[0].astype(np.int32), raw[1].astype(np.int32), status


def running(label: Seconds, now: Seconds, counting: Counting, clock: Sequence[Piece], after: int) -> tuple[int, int]:
    """Raw energy, delivered and received, that has gone into the interval with that label by ``now``."""
    total = np.zeros(2, np.int64)
    for piece, stop in _with_ends(clock, now):
        low, high = piece.true(label), min(piece.true(label + INTERVAL_S), stop)
        if low < high:
            counted = counting.pulses(np.array([low, high]), after)
            total += counted[:, 1] - counted[:, 0]
    return min(int(total[0]), _MAX_RAW), min(int(total[1]), _MAX_RAW)


def shown_at(shown: Seconds, clock: Sequence[Piece]) -> Seconds | None:
    """The true instant at which the clock last came to show that; None if it never does. Jumped over: when it was set."""
    ends = _with_ends(clock, FOR_EVER)
    for index in range(len(clock) - 1, -1, -1):
        piece, stop = ends[index]
        if piece.at(piece.start) <= shown < piece.at(stop):
            return piece.true(shown)
        if index and clock[index - 1].at(piece.start) <= shown < piece.at(piece.start):
            return piece.start
    return None


def _by_clock(
    bounds: NDArray[np.int64], counting: Counting, clock: Sequence[Piece], after: int, status: NDArray[np.uint16]
) -> NDArray[np.int64]:
    """(2, n) raw energy by label, each piece of the clock adding what it saw; the status says what a set did."""
    raw = np.zeros((2, len(bounds) - 1), np.int64)
    # Seconds of a label that the clock showed, and that it took.
    seen, taken = np.zeros(len(bounds) - 1, np.int64), np.zeros(len(bounds) - 1, np.int64)
    # A meter records from when it was put in.
    installed = counting.installed(after)
    for piece, stop in _with_ends(clock, FOR_EVER):
        start = max(piece.start, installed)
        if start >= stop:
            continue
        first, last = piece.at(start), piece.at(stop)
        if last < bounds[0] or first >= bounds[-1]:
            continue
        # Whole seconds: a slow clock shows one of them twice, and the last label takes what flows until the piece ends.
        true = np.array([piece.true(bound) if bound <= last else stop for bound in bounds.tolist()])
        true = np.clip(true, start, stop)
        raw += np.diff(counting.pulses(true, after))
        taken += true[1:] - true[:-1]
        shown: NDArray[np.int64] = np.clip(bounds, first, last)
        seen += shown[1:] - shown[:-1]
    for before, then in itertools.pairwise(clock):
        came, went = before.at(then.start), then.at(then.start)
        if came != went:
            flag = Common.CLOCK_FORWARD if went > came else Common.CLOCK_BACK
            touched = (bounds[:-1] < max(came, went)) & (bounds[1:] > min(came, went))
            status[touched] |= np.uint16(status_word(flag, Condition.OK))
    _say(Condition.SKIPPED, taken == 0, status)
    if after:
        _say(Condition.STOPPED, (taken == 0) & (bounds[1:] <= _piece(clock, installed).at(installed)), status)
    _say(Condition.PARTIAL, (taken > 0) & (seen < INTERVAL_S), status)
    _say(Condition.LONG, seen > INTERVAL_S, status)
    return raw


def _say(condition: Condition, where: NDArray[np.bool_], status: NDArray[np.uint16]) -> None:
    status[where] = status[where] & ~_CHANNELS | np.uint16(status_word(0, condition))


def _piece(clock: Sequence[Piece], at: Seconds) -> Piece:
    """The piece of the clock in which an instant lies."""
    return next((piece for piece in reversed(clock) if piece.start <= at), clock[0])


def _with_ends(clock: Sequence[Piece], last: Seconds) -> list[tuple[Piece, Seconds]]:
    """Each piece with the instant at which the next begins; the last one's is ``last``."""
    return list(zip(clock, [*(piece.start for piece in clock[1:]), last], strict=True))


@lru_cache(maxsize=128)
def good_status(day: date) -> NDArray[np.uint16]:
    """(n,) status words of a day on which nothing is wrong: only whether saving time is in effect."""
    begins = interval_ends(day) - INTERVAL_S
    return np.array(
        [status_word(Common.DST if local(seconds(at)).dst() else 0, Condition.OK) for at in begins], np.uint16
    )
