"""How far the store reaches, meter by meter: what a head-end that comes up again need not read anew; and when it was last added to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from headend.ports import MeterKey, MeterRecords
from headend.store.rows import INTERVAL_DAYS, KNOWN, LATEST_SWEEP, MIDNIGHT_REGISTERS, Database, chunks
from headend.vee.quality import Channel
from meters.calendar import INTERVAL_S, Seconds, day_of, day_start, seconds


@dataclass(frozen=True, slots=True)
class Reach:
    """By meter, UTC epoch seconds: to where intervals are known without a break, and the last of the unbroken run of midnight registers."""

    intervals: dict[MeterKey, Seconds]
    midnights: dict[MeterKey, Seconds]


class CollectedStore:
    """What the head-end's store says of its own extent."""

    def __init__(self, database: Database, records: MeterRecords) -> None:
        """Use the store's database, whose tables are made with the others, and its records."""
        self._database = database
        self._records = records

    def reach(self, esiids: Sequence[str], since: Seconds) -> Reach:
        """How far the unbroken run of each meter at the ESI IDs goes that begins at ``since``, a local midnight in UTC epoch seconds.

        An interval that the meter itself has no value for is known. Without any, intervals reach to ``since`` and midnights to just before it.
        """
        meters = self._records.places_of(esiids)
        intervals = dict.fromkeys(meters, since)
        midnights = dict.fromkeys(meters, since - 1)
        day, register = INTERVAL_DAYS.c, MIDNIGHT_REGISTERS.c
        with self._database.reading() as connection:
            for chunk in chunks(sorted(set(esiids))):
                packed = sa.select(day.esiid, day.meter_number, day.day_start, day.flags).where(
                    day.esiid.in_(chunk), day.channel == int(Channel.LOAD), day.day_start >= since
                )
                known: dict[tuple[MeterKey, Seconds], NDArray[np.uint8]] = {}
                for esiid, number, start, flags in connection.execute(packed):
                    if (place := self._records.place(esiid, number)) is None:
                        continue
                    row = (place, start)
                    told = np.frombuffer(flags, np.uint8) & np.uint8(KNOWN)
                    known[row] = told | known.get(row, np.uint8(0))
                for meter, start in sorted(known):
                    if intervals[meter] == start:
                        intervals[meter] = start + INTERVAL_S * _unbroken(known[meter, start])
                taken = (
                    sa.select(register.esiid, register.meter_number, register.day_start)
                    .where(register.esiid.in_(chunk), register.day_start >= since)
                    .order_by(register.day_start)
                )
                for esiid, number, start in connection.execute(taken):
                    place = self._records.place(esiid, number)
                    if place is not None and _next_midnight(midnights[place]) == start:
                        midnights[place] = start
        return Reach(intervals, midnights)

    def newest_day(self) -> Seconds | None:
        """UTC epoch seconds at which the latest operating day begins that anything was collected of; None without any."""
        with self._database.reading() as connection:
            newest = connection.scalar(sa.select(sa.func.max(INTERVAL_DAYS.c.day_start)))
        return None if newest is None else seconds(newest)

    def note_sweep(self, at: Seconds) -> None:
        """A sweep in which a meter answered has ended. at: UTC epoch seconds."""
        self._sweep(at)

    def touch(self) -> None:
        """Write what is there once more: raises SQLAlchemyError where the store takes no writes."""
        self._sweep(LATEST_SWEEP.c.swept_at)

    def _sweep(self, at: Seconds | sa.ColumnElement[int]) -> None:
        with self._database.writing() as connection:
            if not connection.execute(sa.update(LATEST_SWEEP).values(swept_at=at)).rowcount:
                first = at if isinstance(at, int) else None
                connection.execute(sa.insert(LATEST_SWEEP).values(id=1, swept_at=first))

    def swept_at(self) -> Seconds | None:
        """UTC epoch seconds at which the latest such sweep ended; None before the first."""
        with self._database.reading() as connection:
            return connection.scalar(sa.select(LATEST_SWEEP.c.swept_at))


def _unbroken(known: NDArray[np.uint8]) -> int:
    """How many intervals of a day are known from its beginning on."""
    unknown = np.flatnonzero(known == 0)
    return int(unknown[0]) if len(unknown) else len(known)


def _next_midnight(at: Seconds) -> Seconds:
    """The first local midnight after an instant."""
    return day_start(day_of(at) + timedelta(days=1))
