"""A request's row: what it was when it came, what became of it, and what is remembered of it while it is under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from meters.calendar import Micros, Seconds


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
    #: Position in ``outcome.ENDS``, -1 while it is not over; the number of what refused, -1; when it was over.
    end: int
    code: int
    done_us: Micros
    tries: int
    #: To where the intervals handed on reach, and when one may come back that was refused: UTC epoch seconds; 0 for none.
    reach: Seconds
    retry_at: Seconds
    #: The row that this one asks again for, -1.
    repeat_of: int
    #: Under way: microseconds of the way back, from where on the store lacked (UTC epoch seconds), flags, the head-end's outcome.
    back_us: Micros
    lacked: Seconds
    flags: int
    outcome: int


_LONG = ("planned_us", "call", "patience_us", "done_us", "back_us")
_SECONDS = ("reach", "retry_at", "lacked")
_NUMBERS = ("row", "esi", "place", "repeat_of")
_SMALL = ("ror", "access_point")
_TINY = ("attempt", "requester_class", "kind", "door", "tdsp", "gasped", "end", "code", "tries", "flags", "outcome")

_FIELDS = [
    (name, width)
    for names, width in ((_LONG, "i8"), (_SECONDS, "u4"), (_NUMBERS, "i4"), (_SMALL, "i2"), (_TINY, "i1"))
    for name in names
]
#: As ``Row`` says; the longest first, so that nothing lies between them.
ROW = np.dtype((np.record, np.dtype(_FIELDS, align=True)))
#: (n,) rows, an ``np.recarray``: a column is an attribute.
Rows = Any
