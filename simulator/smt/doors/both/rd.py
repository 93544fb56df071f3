"""The ``RD`` text of SMT's 15-minute replies: 100 comma slots a day, placed by local clock, not by order.

Slots 8-11 hold the repeated 1 AM hour and are empty on every other day; slots 12-15 are empty on the spring day.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from headend.ports import BoolArray, IntArray
from meters.calendar import intervals_in
from meters.errors import UserError

SLOTS = 100
#: Stands for an interval without a value: its slot is empty.
NO_VALUE = -1

_SLOT = re.compile(r"(\d{0,6})\.(\d{3})-([AE])")


class RdError(UserError):
    """An RD text, or the intervals for one, that do not make an operating day."""


@lru_cache(maxsize=4)
def _slots_of(count: int) -> NDArray[np.int64]:
    """(count,) slot of each interval of a day of 92, 96 or 100 intervals, in order of time."""
    slots = np.arange(SLOTS)
    if count == 100:
        return slots
    skipped = range(8, 12) if count == 96 else range(8, 16)
    return np.delete(slots, skipped)


def rd_format(wh: IntArray, estimated: BoolArray, day: date) -> str:
    """Write the day's intervals as 100 slots of ``<kWh>-<A|E>``, ``.198-A``.

    wh: (n,) Wh of each interval in order of time, n = 92, 96 or 100 as the day has; NO_VALUE leaves the slot empty.
    estimated: (n,) True writes E. Raises RdError if n is not the day's.
    """
    count = intervals_in(day)
    if len(wh) != count or len(estimated) != count:
        raise RdError(
            "smt.rd.count",
            f"{day} has {count} intervals, {len(wh)} values and {len(estimated)} flags were given.",
            mend="Give one value and one flag per interval of the day.",
        )
    texts = [""] * SLOTS
    for slot, value, guess in zip(_slots_of(count).tolist(), wh.tolist(), estimated.tolist(), strict=True):
        if value >= 0:
            kwh, rest = divmod(value, 1000)
            texts[slot] = f"{kwh or ''}.{rest:03d}-{'E' if guess else 'A'}"
    return ",".join(texts)


def rd_parse(text: str, day: date) -> tuple[IntArray, BoolArray]:
    """Read 100 slots back into the day's intervals, in order of time.

    Returns (n,) Wh, NO_VALUE where the slot is empty, and (n,) True where estimated. Raises RdError for another count of
    slots, a slot that is no ``<kWh>-<A|E>`` with three decimals, or a value in a slot that the day does not have.
    """
    parts = text.split(",")
    if len(parts) != SLOTS:
        raise RdError(
            "smt.rd.slots", f"RD of {day} has {len(parts)} slots.", place="RD", mend="A day is written in 100 slots."
        )
    slots = _slots_of(intervals_in(day))
    beyond = set(range(SLOTS)) - set(slots.tolist())
    stray = sorted(slot for slot in beyond if parts[slot].strip())
    if stray:
        raise RdError(
            "smt.rd.stray",
            f"RD of {day} has a value in slot {stray[0]}, an hour that this day does not have.",
            place=f"RD slot {stray[0]}",
            mend="Slots 8-11 belong to the fall-back day; 12-15 are empty on the spring day.",
        )
    values = []
    for slot in slots.tolist():
        part = parts[slot].strip()
        # One more than a value has characters.
        value = _read(part[:13])
        if value is None:
            raise RdError(
                "smt.rd.value",
                f"RD of {day} has '{part[:20]}' in slot {slot}.",
                place=f"RD slot {slot}",
                mend="Write kWh with three decimals and A or E: 0.198-A.",
            )
        values.append(value)
    wh, estimated = zip(*values, strict=True)
    return np.array(wh, dtype=np.int32), np.array(estimated, dtype=np.bool_)


# A home's quarter hours are mostly of some hundred values.
@lru_cache(maxsize=1 << 14)
def _read(part: str) -> tuple[int, bool] | None:
    """Wh of a slot, and whether they are estimated; None: it is none."""
    if not part:
        return NO_VALUE, False
    found = _SLOT.fullmatch(part)
    return None if found is None else (int(found[1] or "0") * 1000 + int(found[2]), found[3] == "E")
