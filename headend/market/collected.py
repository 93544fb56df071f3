"""What collection holds of a day of meters that are read as arrays, as VEE takes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from headend.ports import BoolArray, IntArray, LongArray, MeterKey, StatusArray
from headend.vee.records import Asset, Assets, DayBlock, OctetArray, Power
from meters.calendar import INTERVAL_S, day_start, intervals_in
from meters.events import EventKind


def block(
    day: date,
    meters: Sequence[MeterKey],
    sides: tuple[IntArray, IntArray],
    present: BoolArray,
    status: StatusArray,
    registers: tuple[LongArray, LongArray],
) -> DayBlock:
    """A day that was collected. sides: (m, n) Wh delivered and received, set to 0 where not present. registers: (m, 2) at the two midnights, delivered and received; -1: not read."""
    lacking = np.flatnonzero(~present.all(axis=1))
    for side in sides:
        side[lacking] *= present[lacking]
    (r0, received_r0), (r1, received_r1) = (np.ascontiguousarray(ends.T) for ends in registers)
    return DayBlock(
        day=day,
        meters=meters,
        delivered=sides[0],
        received=sides[1],
        status=status,
        present=present,
        delivered_r0=r0,
        received_r0=received_r0,
        have_r0=r0 >= 0,
        delivered_r1=r1,
        received_r1=received_r1,
        have_r1=r1 >= 0,
    )


def assets(
    multiplier: LongArray,
    business: BoolArray,
    records_number: LongArray,
    answered: BoolArray,
    told: tuple[LongArray, LongArray, LongArray, LongArray],
) -> Assets:
    """What records and headers say of m meters, (m,) each. told: number, multiplier, dials, clock error in s, of those that answered."""
    number, told_multiplier, dials, clock_error_s = told
    # Another number that answers is of a meter that came within the day: the records know yesterday's.
    asset = np.where(answered & (number != records_number), Asset.OTHER_NUMBER | Asset.EXCHANGED, 0)
    asset |= np.where(business, Asset.COMMERCIAL, 0)
    return Assets.plain(len(multiplier), multiplier)._replace(
        told_multiplier=np.where(answered, told_multiplier, multiplier),
        dials=np.where(answered, dials, 0),
        clock_error_s=np.where(answered, clock_error_s, 0),
        asset=asset.astype(np.uint8),
    )


def power(day: date, count: int, events: Iterable[tuple[int, int, str]]) -> NDArray[np.uint8]:
    """(m, n) ``Power`` by the day's events: whole intervals without power, or with an open switch. events: row, UTC epoch seconds, kind, by row and instant."""
    found: OctetArray = np.zeros((count, intervals_in(day)), np.uint8)
    since: dict[tuple[int, Power], int] = {}
    spans: list[tuple[int, Power, int, int]] = []
    for row, instant, kind in events:
        at = instant - day_start(day)
        if kind in (EventKind.LAST_GASP, EventKind.DISCONNECTED):
            since[row, Power.OUT if kind == EventKind.LAST_GASP else Power.SWITCH_OPEN] = at
        elif kind == EventKind.CONNECTED:
            spans.append((row, Power.SWITCH_OPEN, since.pop((row, Power.SWITCH_OPEN), 0), at))
        elif kind == EventKind.RESTORATION and (row, Power.OUT) in since:
            spans.append((row, Power.OUT, since.pop((row, Power.OUT)), at))
    spans += [(row, bit, at, found.shape[1] * INTERVAL_S) for (row, bit), at in since.items()]
    for row, bit, low, high in spans:
        found[row, -(-max(low, 0) // INTERVAL_S) : max(0, high // INTERVAL_S)] |= np.uint8(bit)
    return found
