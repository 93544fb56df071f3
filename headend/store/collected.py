"""How far the store reaches, meter by meter: what a head-end that comes up again need not read anew; and when it was last added to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import sqlalchemy as sa

from headend.store.rows import INTERVAL_DAYS, KNOWN, LATEST_SWEEP, MIDNIGHT_REGISTERS, Database, chunks
from headend.vee.quality import Channel
from meters.calendar import INTERVAL_S, Seconds, day_of, day_start, seconds


@dataclass(frozen=True, slots=True)
class Reach:
    """By ESI ID, UTC epoch seconds: to where intervals are known without a break, and the last of the unbroken run of midnight registers."""

    intervals: dict[str, Seconds]
    midnights: dict[str, Seconds]


class CollectedStore:
    """What the head-end's store says of its own extent."""

    def __init__(self, database: Database) -> None:
        """Use the store's database; its tables are made with the others."""
        self._engine, self._writing = database

    def reach(self, esiids: Sequence[str], since: Seconds) -> Reach:
        """How far each ESI ID's unbroken run goes that begins at ``since``, a local midnight in UTC epoch seconds.

        An interval that the meter itself has no value for is known. Without any, intervals reach to ``since`` and midnights to just before it.
        """
        intervals = dict.fromkeys(esiids, since)
        midnights = dict.fromkeys(esiids, since - 1)
        day, register = INTERVAL_DAYS.c, MIDNIGHT_REGISTERS.c
        with self._engine.connect() as connection:
            for chunk in chunks(sorted(esiids)):
                packed = (
                    sa.select(day.esiid, day.day_start, day.flags)
                    .where(day.esiid.in_(chunk), day.channel == int(Channel.LOAD), day.day_start >= since)
                    .order_by(day.esiid, day.day_start)
                )
                for esiid, start, flags in connection.execute(packed):
                    if intervals[esiid] == start:
                        intervals[esiid] = start + INTERVAL_S * _known(flags)
                taken = (
                    sa.select(register.esiid, register.day_start)
                    .where(register.esiid.in_(chunk), register.day_start >= since)
                    .order_by(register.esiid, register.day_start)
                )
                for esiid, start in connection.execute(taken):
                    if _next_midnight(midnights[esiid]) == start:
                        midnights[esiid] = start
        return Reach(intervals, midnights)

    def newest_day(self) -> Seconds | None:
        """UTC epoch seconds at which the latest operating day begins that anything was collected of; None without any."""
        with self._engine.connect() as connection:
            newest = connection.scalar(sa.select(sa.func.max(INTERVAL_DAYS.c.day_start)))
        return None if newest is None else seconds(newest)

    def note_sweep(self, at: Seconds) -> None:
        """A sweep in which a meter answered has ended. at: UTC epoch seconds."""
        self._sweep(at)

    def touch(self) -> None:
        """Write what is there once more: raises SQLAlchemyError where the store takes no writes."""
        self._sweep(LATEST_SWEEP.c.swept_at)

    def _sweep(self, at: Seconds | sa.ColumnElement[int]) -> None:
        with self._writing.begin() as connection:
            if not connection.execute(sa.update(LATEST_SWEEP).values(swept_at=at)).rowcount:
                first = at if isinstance(at, int) else None
                connection.execute(sa.insert(LATEST_SWEEP).values(id=1, swept_at=first))

    def swept_at(self) -> Seconds | None:
        """UTC epoch seconds at which the latest such sweep ended; None before the first."""
        with self._engine.connect() as connection:
            return connection.scalar(sa.select(LATEST_SWEEP.c.swept_at))


def _known(flags: bytes) -> int:
    """How many intervals of a day are known from its beginning on."""
    unknown = np.flatnonzero((np.frombuffer(flags, np.uint8) & KNOWN) == 0)
    return int(unknown[0]) if len(unknown) else len(flags)


def _next_midnight(at: Seconds) -> Seconds:
    """The first local midnight after an instant."""
    return day_start(day_of(at) + timedelta(days=1))
