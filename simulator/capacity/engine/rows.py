"""A request's row: what it was when it came, what became of it, and what is remembered of it while it is under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from meters.calendar import Micros, Seconds, micros, seconds
from meters.kernels.jit import lean_kernel


@dataclass(slots=True)
class Row:
    """One request, as compiled code sees it: a record of ``ROW``. Instants in microseconds since the epoch unless said."""

    planned_us: Micros
    #: Its own number.
    row: int
    #: What its draws are keyed by, and which attempt of its caller it is.
    call: int
    attempt: int
    #: Its meter, and that one's place among those that occur.
    esi: int
    place: int
    ror: int
    requester_class: int
    kind: int
    door: int
    access_point: int
    tdsp: int
    #: From the planned arrival to the hang-up.
    patience_us: Micros
    #: Whether the head-end hears its meter's last gasp.
    gasped: int
    #: Position in ``outcome.ENDS``, -1 while it is not over; the number of what refused, -1.
    end: int
    code: int
    #: When it was over; until then how long the way back takes.
    done_us: Micros
    tries: int
    #: To where the intervals handed on reach, and when one may come back that was refused, until it is over from where on the store lacked: UTC epoch
    #: seconds; 0 for none.
    reach: Seconds
    retry_at: Seconds
    #: The row that this one asks again for, -1.
    repeat_of: int
    #: Under way: flags, the head-end's outcome.
    flags: int
    outcome: int
    #: Its turn among what came and what ended at one microsecond, as it came and, times ``TURNS``, as it ended: what comes between two ends has its own.
    turns: int


_LONG = ("planned_us", "call", "patience_us", "done_us")
_SECONDS = ("reach", "retry_at")
_NUMBERS = ("row", "esi", "place", "repeat_of")
_SMALL = ("ror", "access_point")
_TINY = (
    "attempt",
    "requester_class",
    "kind",
    "door",
    "tdsp",
    "gasped",
    "end",
    "code",
    "tries",
    "flags",
    "outcome",
    "turns",
)

_FIELDS = [
    (name, width)
    for names, width in ((_LONG, "i8"), (_SECONDS, "u4"), (_NUMBERS, "i4"), (_SMALL, "i2"), (_TINY, "i1"))
    for name in names
]
#: More turns than this has an instant never; the last one is the last's.
TURNS = 8
#: As ``Row`` says; the longest first, so that nothing lies between them.
ROW = np.dtype((np.record, np.dtype(_FIELDS, align=True)))
#: (n,) rows, an ``np.recarray``: a column is an attribute.
Rows = Any
#: Columns of a row that come as they are, in the order in which ``fill`` takes them.
GIVEN = (
    "planned_us",
    "call",
    "esi",
    "ror",
    "requester_class",
    "kind",
    "door",
    "access_point",
    "tdsp",
    "patience_us",
)


@lean_kernel
def blank(one: Row, row: int) -> None:
    """Nothing has become of a row yet."""
    one.row, one.attempt, one.gasped = row, 0, 0
    one.end = one.code = one.outcome = one.repeat_of = -1
    one.tries, one.flags, one.turns, one.done_us = 0, 0, 0, micros(0)
    one.reach = one.retry_at = seconds(0)


@lean_kernel
def fill(
    r: Rows,
    number: Any,
    gasped: Any,
    planned_us: Any,
    call: Any,
    esi: Any,
    ror: Any,
    requester_class: Any,
    kind: Any,
    door: Any,
    access_point: Any,
    tdsp: Any,
    patience_us: Any,
) -> None:
    """Make the first rows of a load's columns. number: the place of each ESI ID."""
    for row in range(len(planned_us)):
        one = r[row]
        blank(one, row)
        one.planned_us, one.call, one.patience_us = planned_us[row], call[row], patience_us[row]
        one.esi, one.place, one.gasped = esi[row], number[esi[row]], gasped[row]
        one.ror, one.requester_class, one.kind, one.door = ror[row], requester_class[row], kind[row], door[row]
        one.access_point, one.tdsp = access_point[row], tdsp[row]
