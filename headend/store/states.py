"""How collection stands, a row a meter and ended operating day: attempts, why the last one failed, whether all is there, and when that changed last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from headend.ports import MeterKey
from headend.store.rows import INTERVAL_DAYS, Database, chunks
from headend.store.statements import Prepared
from meters.calendar import Seconds, day_end, day_of, day_start

#: Why an attempt failed: nobody answered, another meter than the records name did, or it did not have all of the day.
Cause = Literal["", "silent", "other meter", "incomplete"]
#: ``meter_number`` is the place's.
STATES = sa.Table(
    "collection_state",
    INTERVAL_DAYS.metadata,
    sa.Column("esiid", sa.String(22), primary_key=True),
    sa.Column("day_start", sa.BigInteger, primary_key=True),
    sa.Column("meter_number", sa.String(12), primary_key=True),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("cause", sa.String(16), nullable=False),
    sa.Column("complete", sa.Boolean, nullable=False),
    #: UTC epoch seconds of the latest attempt, and of the latest change of what is held since the day has ended.
    sa.Column("tried_at", sa.BigInteger),
    sa.Column("changed_at", sa.BigInteger),
    sa.Index("collection_state_day", "day_start"),
)
_HELD = sa.select(STATES).where(
    STATES.c.esiid.in_(sa.bindparam("esiids", expanding=True)),
    STATES.c.day_start.in_(sa.bindparam("starts", expanding=True)),
)
_CHANGED = sa.select(STATES.c.esiid, STATES.c.meter_number).where(
    STATES.c.day_start == sa.bindparam("start"), STATES.c.changed_at >= sa.bindparam("at")
)
_NAMES = tuple(column.name for column in STATES.columns)
_MINE = tuple(f"k_{column.name}" for column in STATES.primary_key)
_LET_GO = Prepared(
    sa.delete(STATES).where(*(column == sa.bindparam(f"k_{column.name}") for column in STATES.primary_key))
)
_ENTER = Prepared(sa.insert(STATES))


@dataclass(frozen=True, slots=True)
class DayState:
    """How the collection of a meter's operating day stands."""

    esiid: str
    day_start: Seconds
    meter_number: str
    attempts: int = 0
    #: Of the latest attempt that failed.
    cause: Cause = ""
    #: Every interval is known, and the registers at both midnights are.
    complete: bool = False
    tried_at: Seconds | None = None
    changed_at: Seconds | None = None

    @property
    def meter(self) -> MeterKey:
        """Whose day it is."""
        return MeterKey(self.esiid, self.meter_number)


class MeterDay(NamedTuple):
    """An operating day of a meter, by the midnight that begins it."""

    meter: MeterKey
    start: Seconds


def _key(of: MeterDay) -> tuple[str, Seconds, str]:
    """Its row's, as the columns stand."""
    return of.meter.esiid, of.start, of.meter.number


class Tried(NamedTuple):
    """That a sweep asked for an ended day, and what kept the meter from answering."""

    of: MeterDay
    cause: Cause


class StateStore:
    """The states of collection. Methods are synchronous; each is one transaction, or a part of the caller's."""

    def __init__(self, database: Database) -> None:
        """Use the store's database; its tables are made with the others."""
        self._database = database

    def note_tried(self, tried: Mapping[Seconds, Iterable[Tried]], span_s: Seconds) -> None:
        """Count the attempts of sweeps, by their instants (UTC epoch seconds), after what they brought was kept.

        span_s: what is asked again within so many seconds since the day's end, or since their last multiple, is the same attempt.
        """
        asked = {at: {one.of: one.cause for one in tried[at]} for at in sorted(tried)}
        with self._database.writing() as connection:
            rows = self._held(connection, dict.fromkeys(key for of_sweep in asked.values() for key in of_sweep))
            for at, of_sweep in asked.items():
                for key, cause in of_sweep.items():
                    row = rows[key]
                    ended = day_end(day_of(key.start))
                    last = row["tried_at"]
                    if last is None or (last - ended) // span_s != (at - ended) // span_s:
                        row["attempts"] += 1
                    row["tried_at"] = at
                    if cause or not row["complete"]:
                        row["cause"] = cause or "incomplete"
            self._write(connection, rows)

    def note_kept(self, connection: sa.Connection, complete: Mapping[MeterDay, bool], at: Seconds) -> None:
        """In the transaction that changes what is held of ended days: whether each is complete now. at: UTC epoch seconds."""
        rows = self._held(connection, complete)
        for key, row in rows.items():
            row |= {"complete": complete[key], "changed_at": at}
        self._write(connection, rows)

    def _held(self, connection: sa.Connection, keys: Iterable[MeterDay]) -> dict[MeterDay, dict[str, Any]]:
        """The rows of some days, new ones where there are none."""
        # The defaults of what stands behind the key.
        rows = {key: dict(zip(_NAMES, (*_key(key), 0, "", False, None, None), strict=True)) for key in keys}
        starts = sorted({key.start for key in rows})
        for esiids in chunks(sorted({key.meter.esiid for key in rows})):
            for held in connection.execute(_HELD, {"esiids": esiids, "starts": starts}).all():
                key = MeterDay(MeterKey(held[0], held[2]), held[1])
                if key in rows:
                    rows[key] = dict(zip(_NAMES, held, strict=True))
        return rows

    def _write(self, connection: sa.Connection, rows: Mapping[MeterDay, dict[str, Any]]) -> None:
        if rows:
            _LET_GO.execute(connection, *(dict(zip(_MINE, _key(key), strict=True)) for key in rows))
            _ENTER.execute(connection, *rows.values())

    def of_day(
        self, day: date, esiid: str = "", complete: bool | None = None, after: str = "", most: int | None = None
    ) -> list[DayState]:
        """The states of an operating day, by ESI ID and meter, from the first ESI ID behind ``after`` on; at most so many rows. All unless told otherwise."""
        rows = STATES.c
        chosen = sa.select(STATES).where(rows.day_start == day_start(day), rows.esiid > after)
        if esiid:
            chosen = chosen.where(rows.esiid == esiid)
        if complete is not None:
            chosen = chosen.where(rows.complete == complete)
        with self._database.reading() as connection:
            found = connection.execute(chosen.order_by(rows.esiid, rows.meter_number).limit(most))
            return [DayState(**row) for row in found.mappings()]

    def changed_since(self, day: date, at: Seconds) -> Sequence[MeterKey]:
        """Meters of whose day something came at an instant (UTC epoch seconds) or later."""
        with self._database.reading() as connection:
            return [MeterKey(*row) for row in connection.execute(_CHANGED, {"start": day_start(day), "at": at})]
