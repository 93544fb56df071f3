"""SMT's repository of VEE usage: one row per (ESI ID, channel, operating day, revision), the intervals packed.

A later revision never deletes an earlier one: "L" asks for the latest, "A" for all. The days of a file are written some at a time, each a short transaction, so that
nobody waits long for the database, and are seen together, when the last of them is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any, Literal, NamedTuple

import numpy as np
from sqlalchemy import Connection, Engine, Row, bindparam, delete, exists, func, insert, select, tuple_

from headend.boundaries import boundary
from headend.lse.format import DayKey, Held, LseRecord
from headend.ports import BoolArray, IntArray
from headend.vee.quality import Channel
from meters.calendar import Seconds, day_end, day_of, day_start, days
from simulator.smt.database.engine import add_rows, reading, settle, writing
from simulator.smt.database.tables import interval_day, interval_loading, non_vee_day

#: "L": the latest revision of each day; "A": all.
Version = Literal["L", "A"]
#: ESI IDs that one statement names; SQLite's older default limit of parameters is 999.
_CHUNK = 400
_DAY = timedelta(days=1)
#: Days that one transaction writes: a few milliseconds' worth.
_AT_ONCE = 300
#: What is seen of the days: those of whole files.
_SEEN = ~exists().where(
    interval_loading.c.file_name == interval_day.c.file_name, interval_loading.c.posting == interval_day.c.posting
)
# What every request for intervals asks, made once: of an ESI ID's consumption.
_MINE = (interval_day.c.esiid == bindparam("esiid"), interval_day.c.channel == int(Channel.LOAD), _SEEN)
_FIRST_DAY, _LAST_DAY = (select(of(interval_day.c.day)).where(*_MINE) for of in (func.min, func.max))
_DAYS = select(interval_day.c.day).where(*_MINE, interval_day.c.day.between(bindparam("begin"), bindparam("end")))
_DAYS = _DAYS.distinct()
# And what every posted file asks.
_OF_FILE = interval_day.c.file_name == bindparam("file_name")
_LATEST_POSTING = select(func.max(interval_day.c.posting)).where(_OF_FILE)
_HAS_FILE = select(interval_day.c.file_name).where(_OF_FILE, _SEEN).limit(1)
_POSTED = (
    select(interval_day)
    .where(_OF_FILE, interval_day.c.posting == bindparam("posting"), interval_day.c.ror == bindparam("ror"))
    .order_by(interval_day.c.esiid, interval_day.c.day, interval_day.c.channel, interval_day.c.revision)
)
_HELD = (
    select(
        *(interval_day.c[name] for name in ("esiid", "channel", "day", "revision", "posted_at", "start_wh", "stop_wh"))
    )
    .where(
        interval_day.c.esiid.in_(bindparam("esiids", expanding=True)),
        interval_day.c.day.between(bindparam("first"), bindparam("last")),
    )
    .order_by(interval_day.c.revision)
)
_LOADING = select(interval_loading)
_SHOWN = delete(interval_loading).where(
    interval_loading.c.file_name == bindparam("file_name"), interval_loading.c.posting == bindparam("posting")
)

#: Of the days of a posting the non-VEE intervals go: VEE and non-VEE data of a day never lie beside each other.
_NOT_HELD_ANY_MORE = delete(non_vee_day).where(
    tuple_(non_vee_day.c.esiid, non_vee_day.c.day).in_(
        select(interval_day.c.esiid, interval_day.c.day).where(
            interval_day.c.file_name == bindparam("file_name"),
            interval_day.c.posting == bindparam("posting"),
            interval_day.c.channel == int(Channel.LOAD),
        )
    )
)


@dataclass(frozen=True, slots=True, eq=False)
class StoredDay:
    """One revision of one operating day of one channel. Instants in UTC epoch seconds, energy in Wh."""

    esiid: str
    channel: Channel
    day: date
    #: 1 is the first that was loaded.
    revision: int
    start_wh: int | None
    stop_wh: int | None
    #: (92, 96 or 100,)
    wh: IntArray
    #: (intervals,) True for ``E``.
    estimated: BoolArray
    posted_at: Seconds
    loaded_at: Seconds


class Loading(NamedTuple):
    """What is to be loaded of a file, by ESI ID, channel and day, and those of a day in the file's order."""

    file_name: str
    #: Which posting under that name it is, from 0 on.
    posting: int
    loaded_at: Seconds
    records: Sequence[LseRecord]
    revisions: list[int]
    #: DUNS number of each record's ROR; None for none.
    rors: list[str | None]

    @property
    def mark(self) -> dict[str, Any]:
        """What keeps it from being seen."""
        return {"file_name": self.file_name, "posting": self.posting}

    def rows(self, part: slice) -> list[dict[str, Any]]:
        """Some of it, as rows."""
        many = zip(self.records[part], self.revisions[part], self.rors[part], strict=True)
        return [
            _packed(record, revision, self.loaded_at, self.file_name, self.posting) | {"ror": ror}
            for record, revision, ror in many
        ]


class Midnight(NamedTuple):
    """The register at the end of an operating day."""

    at: Seconds
    wh: int


class VeeStore:
    """The repository. Every method is one transaction; safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        """Work on an open database (``engine.open_database``)."""
        self._engine = engine

    def load(self, records: Sequence[LseRecord], loaded_at: Seconds, file_name: str = "") -> int:
        """Keep records as the next revision of their days, all or none; returns which posting under the file's name they are, from 0 on."""
        loading = self.prepared(records, loaded_at, file_name)
        self.stage(loading)
        self.show(loading)
        return loading.posting

    def prepared(
        self,
        records: Sequence[LseRecord],
        loaded_at: Seconds,
        file_name: str = "",
        ror_of_record: Callable[[str, date], str | None] = lambda _esiid, _day: None,
    ) -> Loading:
        """What is to be staged and shown. Whoever does the three is the only one that loads."""
        with reading(self._engine) as connection:
            before = connection.scalar(_LATEST_POSTING, {"file_name": file_name})
            held = self._held(connection, records)
        # What lies beside each other in the table is written together; else each row would be a page of its own.
        records = sorted(records, key=lambda record: (record.esiid, record.channel, record.day))
        newest = {key: one.revision for key, one in held.items()}
        revisions = []
        for record in records:
            key = DayKey(record.esiid, record.channel, record.day)
            newest[key] = newest.get(key, 0) + 1
            revisions.append(newest[key])
        rors = [ror_of_record(record.esiid, record.day) for record in records]
        return Loading(file_name, 0 if before is None else int(before) + 1, loaded_at, records, revisions, rors)

    def stage(self, loading: Loading) -> None:
        """Write what nobody sees yet: all but the last rows, some in each transaction. What is cut off here ``sweep`` takes away."""
        for at in range(0, len(loading.records) - _AT_ONCE, _AT_ONCE):
            rows = loading.rows(slice(at, at + _AT_ONCE))
            with writing(self._engine) as connection:
                if at == 0:
                    connection.execute(insert(interval_loading), loading.mark)
                add_rows(connection, interval_day, rows)
            settle(self._engine)
            boundary("intake.staged")

    def show(self, loading: Loading) -> None:
        """Write the last rows, and let all be seen; in the caller's transaction if there is one."""
        rows = loading.rows(slice(max(0, len(loading.records) - 1) // _AT_ONCE * _AT_ONCE, None))
        with writing(self._engine) as connection:
            add_rows(connection, interval_day, rows)
            connection.execute(_SHOWN, loading.mark)
            connection.execute(_NOT_HELD_ANY_MORE, loading.mark)

    def sweep(self) -> None:
        """Take away what was staged and never shown. While nobody loads."""
        table = interval_day.c
        key = (table.esiid, table.channel, table.day, table.revision)
        with reading(self._engine) as connection:
            marks = connection.execute(_LOADING).mappings().all()
        for mark in marks:
            theirs = select(*key).filter_by(**mark)
            some = delete(interval_day).where(tuple_(*key).in_(theirs.limit(_AT_ONCE)))
            left = True
            while left:
                with writing(self._engine) as connection:
                    left = connection.execute(some).rowcount > 0
                    if not left:
                        connection.execute(delete(interval_loading).filter_by(**mark))

    def has_file(self, file_name: str) -> bool:
        """Whether records of a file of that name were loaded."""
        with reading(self._engine) as connection:
            return connection.scalar(_HAS_FILE, {"file_name": file_name}) is not None

    def days_of(self, file_name: str) -> set[DayKey]:
        """Of which days records of a file of that name were loaded."""
        table = interval_day.c
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(table.esiid, table.channel, table.day).where(table.file_name == file_name, _SEEN).distinct()
            )
            return {DayKey(row.esiid, Channel(row.channel), row.day) for row in rows}

    def posted(self, file_name: str, posting: int, ror: str) -> list[StoredDay]:
        """What one posting of a file brought for a ROR (DUNS number), by ESI ID, day, channel and revision."""
        asked = {"file_name": file_name, "posting": posting, "ror": ror}
        with reading(self._engine) as connection:
            return [_stored(row) for row in connection.execute(_POSTED, asked).all()]

    def newest_day(self) -> date | None:
        """The latest operating day that anything is held of."""
        with reading(self._engine) as connection:
            newest: date | None = connection.scalar(select(func.max(interval_day.c.day)).where(_SEEN))
        return newest

    def held(self, records: Iterable[LseRecord]) -> dict[DayKey, Held]:
        """What is held already of the days of some records, of those before them and after."""
        with reading(self._engine) as connection:
            return self._held(connection, records)

    def loaded(self, esiids: Iterable[str], day: date) -> set[str]:
        """Those of some ESI IDs of whose consumption something is held of a day."""
        table, found = interval_day.c, set[str]()
        with reading(self._engine) as connection:
            for chunk in _chunks(sorted(esiids)):
                of_day = (table.esiid.in_(chunk), table.channel == int(Channel.LOAD), table.day == day, _SEEN)
                found.update(connection.scalars(select(table.esiid).where(*of_day)))
        return found

    def day(self, esiid: str, channel: Channel, day: date, version: Version = "L") -> list[StoredDay]:
        """The revisions of one day, ascending; of "L" at most one."""
        return self.range(esiid, channel, day, day, version)

    def range(self, esiid: str, channel: Channel, first: date, last: date, version: Version = "L") -> list[StoredDay]:
        """The days from first to last, both included, by day and revision."""
        table = interval_day.c
        chosen = (
            select(interval_day)
            .where(table.esiid == esiid, table.channel == int(channel), table.day.between(first, last), _SEEN)
            .order_by(table.day, table.revision)
        )
        with reading(self._engine) as connection:
            found = [_stored(row) for row in connection.execute(chosen)]
        if version == "A":
            return found
        return list({one.day: one for one in found}.values())

    def last_vee_end(self, esiid: str) -> Seconds | None:
        """End of the last accepted VEE interval of the consumption channel, UTC epoch seconds; None without any (AMB-5)."""
        with reading(self._engine) as connection:
            day = connection.scalar(_LAST_DAY, {"esiid": esiid})
        return None if day is None else day_end(day)

    def last_midnight(self, esiid: str, not_after: Seconds) -> Midnight | None:
        """The latest posted midnight register of the consumption channel that is not after an instant."""
        table = interval_day.c
        latest = (
            select(table.day, table.stop_wh)
            .where(
                table.esiid == esiid,
                table.channel == int(Channel.LOAD),
                table.day < day_of(not_after),
                table.stop_wh.is_not(None),
                _SEEN,
            )
            .order_by(table.day.desc(), table.revision.desc())
            .limit(1)
        )
        with reading(self._engine) as connection:
            found = connection.execute(latest).first()
        return None if found is None else Midnight(day_end(found.day), found.stop_wh)

    def holes(self, esiid: str, since: Seconds, until: Seconds) -> list[tuple[Seconds, Seconds]]:
        """Stretches of days in [since, until) that the consumption channel lacks, UTC epoch seconds.

        Both are midnights. Days before the first one that was ever posted are no holes.
        """
        with reading(self._engine) as connection:
            first = connection.scalar(_FIRST_DAY, {"esiid": esiid})
            if first is None:
                return []
            begin, end = max(first, day_of(since)), day_of(until)
            posted = set(connection.scalars(_DAYS, {"esiid": esiid, "begin": begin, "end": end}))
        found: list[tuple[Seconds, Seconds]] = []
        for day in days(begin, end - _DAY):
            if day in posted:
                continue
            start = day_start(day)
            if found and found[-1][1] == start:
                found[-1] = (found[-1][0], day_end(day))
            else:
                found.append((start, day_end(day)))
        return found

    def _held(self, connection: Connection, records: Iterable[LseRecord]) -> dict[DayKey, Held]:
        wanted = {record.key for record in records}
        if not wanted:
            return {}
        first, last = min(key.day for key in wanted) - _DAY, max(key.day for key in wanted) + _DAY
        found: dict[DayKey, Held] = {}
        for esiids in _chunks(sorted({key.esiid for key in wanted})):
            asked = {"esiids": esiids, "first": first, "last": last}
            for esiid, channel, day, *one in connection.execute(_HELD, asked).all():
                found[DayKey(esiid, Channel(channel), day)] = Held(*one)
        return found


def _chunks(values: list[str]) -> Iterator[list[str]]:
    left = iter(values)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk


def _packed(record: LseRecord, revision: int, loaded_at: Seconds, file_name: str, posting: int) -> dict[str, Any]:
    return {
        "esiid": record.esiid,
        "channel": int(record.channel),
        "day": record.day,
        "revision": revision,
        "start_wh": record.start_reading_wh,
        "stop_wh": record.stop_reading_wh,
        "wh": record.wh.astype("<i4").tobytes(),
        "estimated": record.estimated.astype(np.uint8).tobytes(),
        "posted_at": record.posted_at,
        "loaded_at": loaded_at,
        "file_name": file_name,
        "posting": posting,
    }


def _stored(row: Row[Any]) -> StoredDay:
    return StoredDay(
        row.esiid,
        Channel(row.channel),
        row.day,
        row.revision,
        row.start_wh,
        row.stop_wh,
        np.frombuffer(row.wh, dtype="<i4").astype(np.int32, copy=False),
        np.frombuffer(row.estimated, dtype=np.uint8).astype(np.bool_),
        row.posted_at,
        row.loaded_at,
    )
