"""The head-end's tables and what is in a row: one meter, channel and operating day, its intervals packed as little-endian arrays."""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, timedelta
from typing import Any, TypeVar

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from headend.ports import BoolArray, HeadEndError, IntArray, LongArray, MeterReading, RegisterSnapshot
from headend.store.migrate import NewerDatabaseError, bring_up_to_date, versions_table
from headend.store.migrations import MIGRATIONS
from headend.store.statements import begin_writing, share, sharing, transaction
from headend.vee.quality import Channel, IntervalStatus
from headend.vee.records import ChannelDay, VeeDay
from meters.calendar import INTERVAL_S, Seconds, day_of, day_start, intervals_in

#: Flags of a stored interval: it was collected; the meter had a value; a read on demand brought it; it came before with another value.
KNOWN, PRESENT, ON_DEMAND, CHANGED = 1, 2, 4, 8
#: Flags of a VEE'd interval.
SCALED, POWER_FAILED = 1, 2
#: ESI IDs in one query.
_CHUNK = 500

#: A database in memory lives as long as its one connection, for which threads wait in turn.
_ONE_CONNECTION: dict[str, Any] = {
    "poolclass": sa.QueuePool,
    "pool_size": 1,
    "max_overflow": 0,
    "connect_args": {"check_same_thread": False},
}

_T = TypeVar("_T")
_meta = sa.MetaData()


def _meter_number() -> sa.Column[str]:
    """The meter's own, as it told it; empty in rows from before it was kept."""
    return sa.Column("meter_number", sa.String(12), primary_key=True)


INTERVAL_DAYS = sa.Table(
    "interval_day",
    _meta,
    sa.Column("esiid", sa.String(22), primary_key=True),
    sa.Column("channel", sa.SmallInteger, primary_key=True),
    sa.Column("day_start", sa.BigInteger, primary_key=True),
    _meter_number(),
    sa.Column("wh", sa.LargeBinary, nullable=False),
    sa.Column("status", sa.LargeBinary, nullable=False),
    sa.Column("collected_at", sa.LargeBinary, nullable=False),
    sa.Column("flags", sa.LargeBinary, nullable=False),
)
MIDNIGHT_REGISTERS = sa.Table(
    "midnight_register",
    _meta,
    sa.Column("esiid", sa.String(22), primary_key=True),
    sa.Column("day_start", sa.BigInteger, primary_key=True),
    _meter_number(),
    sa.Column("delivered_wh", sa.BigInteger, nullable=False),
    sa.Column("received_wh", sa.BigInteger, nullable=False),
)
VEE_DAYS = sa.Table(
    "vee_day",
    _meta,
    sa.Column("esiid", sa.String(22), primary_key=True),
    sa.Column("channel", sa.SmallInteger, primary_key=True),
    sa.Column("day_start", sa.BigInteger, primary_key=True),
    _meter_number(),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("wh", sa.LargeBinary, nullable=False),
    sa.Column("status", sa.LargeBinary, nullable=False),
    sa.Column("method", sa.LargeBinary, nullable=False),
    sa.Column("flags", sa.LargeBinary, nullable=False),
    sa.Column("start_wh", sa.BigInteger),
    sa.Column("stop_wh", sa.BigInteger),
    #: Of VEE over that day, which gave it.
    sa.Column("run", sa.Integer, nullable=False),
)
POSTED_FILES = sa.Table(
    "posted_file",
    _meta,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("operating_day", sa.Date, nullable=False),
    sa.Column("posted_at", sa.BigInteger, nullable=False),
    sa.Column("records", sa.Integer, nullable=False),
)
METER_EVENTS = sa.Table(
    "meter_event",
    _meta,
    sa.Column("esiid", sa.String(22), primary_key=True),
    sa.Column("at", sa.BigInteger, primary_key=True),
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("meter_number", sa.String(12), primary_key=True),
    sa.Column("received_at", sa.BigInteger, nullable=False),
)
#: Answers of meters that had told of a power failure and not of its end.
METER_ANSWERS = sa.Table(
    "meter_answer",
    _meta,
    sa.Column("esiid", sa.String(22), primary_key=True),
    sa.Column("at", sa.BigInteger, primary_key=True),
    _meter_number(),
)
#: What the headers that were read on a day told of the meter at a place, whose number by the records is in the key.
METER_TOLD = sa.Table(
    "meter_told",
    _meta,
    sa.Column("esiid", sa.String(22), primary_key=True),
    sa.Column("day_start", sa.BigInteger, primary_key=True),
    sa.Column("meter_number", sa.String(12), primary_key=True),
    #: Meter minus head-end, the worst.
    sa.Column("clock_error_s", sa.BigInteger, nullable=False),
    #: 0 where nothing was told.
    sa.Column("multiplier", sa.BigInteger, nullable=False),
    sa.Column("interval_s", sa.BigInteger, nullable=False),
    #: Another meter's that answered, nothing of whose was taken; empty without.
    sa.Column("other_number", sa.String(12), nullable=False),
    #: Of the display; 0 where nothing was told.
    sa.Column("dials", sa.SmallInteger, nullable=False),
)
#: What VEE found of a day when it was validated last.
VEE_FINDINGS = sa.Table(
    "vee_finding",
    _meta,
    sa.Column("day_start", sa.BigInteger, primary_key=True),
    sa.Column("esiid", sa.String(22), primary_key=True),
    sa.Column("meter_number", sa.String(12), primary_key=True),
    #: Of the meter's that day, from 0 on.
    sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("rule", sa.String(32), nullable=False),
    sa.Column("channel", sa.SmallInteger, nullable=False),
    sa.Column("first", sa.SmallInteger, nullable=False),
    sa.Column("last", sa.SmallInteger, nullable=False),
    sa.Column("value", sa.BigInteger, nullable=False),
    sa.Column("held_to", sa.BigInteger, nullable=False),
    sa.Index("vee_finding_esiid", "esiid"),
)
#: Inquiries that were accepted; open while ``ended_at`` is null.
INQUIRIES = sa.Table(
    "inquiry",
    _meta,
    sa.Column("correlation_id", sa.String(64), primary_key=True),
    #: As it was posted, JSON.
    sa.Column("request", sa.String, nullable=False),
    sa.Column("accepted_at", sa.BigInteger, nullable=False),
    #: What is to be called back, JSON; empty before it is known and after it was taken.
    sa.Column("result", sa.String, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
    #: How the call-back ended.
    sa.Column("became", sa.String(64), nullable=False),
    sa.Index("inquiry_ended", "ended_at"),
)
#: To where SMT has taken what sweeps collected of an ESI ID.
PUSHED = sa.Table(
    "non_vee_pushed",
    _meta,
    sa.Column("esiid", sa.String(22), primary_key=True),
    sa.Column("pushed_to", sa.BigInteger, nullable=False),
)
#: When the latest sweep ended in which a meter answered; one row.
LATEST_SWEEP = sa.Table(
    "latest_sweep",
    _meta,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("swept_at", sa.BigInteger),
)
_VERSIONS = versions_table(_meta)


class Packed:
    """A stored day of one meter and channel, unpacked: (n,) arrays that may be changed."""

    __slots__ = ("collected_at", "flags", "status", "wh")

    def __init__(self, wh: bytes, status: bytes, collected_at: bytes, flags: bytes) -> None:
        self.wh: IntArray = np.frombuffer(wh, "<i4").astype(np.int32)
        self.status: NDArray[np.uint16] = np.frombuffer(status, "<u2").astype(np.uint16)
        self.collected_at: LongArray = np.frombuffer(collected_at, "<i8").astype(np.int64)
        self.flags: NDArray[np.uint8] = np.frombuffer(flags, np.uint8).copy()

    @classmethod
    def empty(cls, day: date) -> Packed:
        """A day of which nothing is known."""
        n = intervals_in(day)
        return cls(bytes(4 * n), bytes(2 * n), bytes(8 * n), bytes(n))

    def merge(
        self,
        at: slice,
        wh: IntArray,
        status: NDArray[np.uint16],
        present: BoolArray,
        collected_at: LongArray,
        origin: int | NDArray[np.uint8],
        known: bool | BoolArray = True,
    ) -> None:
        """Take in a run of intervals: a value beats none, a later value beats an earlier one, the same value keeps its first collection.

        known: which of them are any.
        """
        held = self.flags[at]
        held_known, had = (held & KNOWN) != 0, (held & PRESENT) != 0
        differs = self.wh[at] != wh
        changed = differs | (self.status[at] != status)
        again = (held & CHANGED) | (known & had & present & differs) * np.uint8(CHANGED)
        newer = collected_at >= self.collected_at[at]
        take = known & (~held_known | (present & (~had | (changed & newer))))
        np.copyto(self.wh[at], wh * present, where=take)
        np.copyto(self.status[at], status, where=take)
        np.copyto(self.collected_at[at], collected_at, where=take)
        np.copyto(held, (KNOWN | origin) + PRESENT * present, where=take, casting="unsafe")
        held |= again

    def beside(self, other: Packed) -> Packed:
        """With what another meter at the same place has told: one follows the other, within the day or between two rows."""
        both = copy.deepcopy(self)
        present, known = (other.flags & PRESENT) != 0, (other.flags & KNOWN) != 0
        origin = other.flags & np.uint8(ON_DEMAND)
        again = (self.flags | other.flags) & np.uint8(CHANGED)
        both.merge(slice(None), other.wh, other.status, present, other.collected_at, origin, known)
        # Two meters' values of one interval are no value that came twice.
        both.flags = (both.flags & ~np.uint8(CHANGED)) | again
        return both

    def columns(self) -> dict[str, bytes]:
        """The columns of the row."""
        return {
            "wh": self.wh.astype("<i4").tobytes(),
            "status": self.status.astype("<u2").tobytes(),
            "collected_at": self.collected_at.astype("<i8").tobytes(),
            "flags": self.flags.tobytes(),
        }


class Database:
    """An open database: where what reads begins, and what writes."""

    def __init__(self, engine: sa.Engine) -> None:
        """Over its connections."""
        self.engine = engine
        self._joined: ContextVar[sa.Connection | None] = ContextVar("_joined", default=None)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection to read by; inside ``writing`` its own, so that what it has written is seen."""
        joined = self._joined.get()
        if joined is not None:
            yield joined
            return
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction that writes; inside another one it is part of that."""
        joined = self._joined.get()
        if joined is not None:
            yield joined
            return
        with transaction(self.engine, writes=True) as connection:
            token = self._joined.set(connection)
            try:
                yield connection
            finally:
                self._joined.reset(token)

    def close(self) -> None:
        """Let go of it."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open a database; make its tables, or migrate older ones. Raises HeadEndError if it cannot be used."""
    place = url.rsplit("@", 1)[-1]
    try:
        engine = sharing(
            sa.create_engine(url, **(_ONE_CONNECTION if url in ("sqlite://", "sqlite:///:memory:") else {}))
        )
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _tune_sqlite)
            sa.event.listen(engine, "begin", _begin_sqlite)
        opened = Database(engine)
        with opened.writing() as connection:
            bring_up_to_date(connection, _meta, _VERSIONS, MIGRATIONS, INTERVAL_DAYS.name)
        share(engine)
    except NewerDatabaseError as error:
        engine.dispose()
        raise HeadEndError(
            "headend.store.newer",
            f"The database has schema version {error.held}; this program knows versions up to {error.known}.",
            place=place,
            mend="Use the program that made it, or give another database.",
        ) from None
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        mend = "Give a URL like sqlite:////path/headend.sqlite, or postgresql+psycopg://... after: pip install 'ami-testbed[postgres]'."
        raise HeadEndError(
            "headend.store.unusable", f"The database cannot be used: {reason}.", place=place, mend=mend
        ) from None
    return opened


def _begin_sqlite(connection: sa.Connection) -> None:
    # The driver's own transactions begin too late for a read that decides what is written; readers need not wait for each other.
    if connection.get_execution_options().get("writes"):
        begin_writing(connection)
        return
    # It asks nothing of the database, so nothing can go wrong that the library would have to tell: past it, at a third of the time.
    raw: Any = connection.connection.dbapi_connection
    raw.execute("BEGIN")


def _tune_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    # Two that open a database at once wait for each other's migration.
    connection.execute("PRAGMA busy_timeout=10000")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


VEE_COLUMNS = ("wh", "status", "method", "flags", "start_wh", "stop_wh")


def vee_columns(batch: VeeDay, channel: Channel, row: int) -> dict[str, Any]:
    """The packed columns of one meter and channel of a VEE'd day."""
    side = batch.channel(channel)
    flags = side.scaled[row] * np.uint8(SCALED) | side.power_failed[row] * np.uint8(POWER_FAILED)
    return {
        "wh": side.wh[row].astype("<i4").tobytes(),
        "status": side.status[row].tobytes(),
        "method": side.method[row].tobytes(),
        "flags": flags.astype(np.uint8).tobytes(),
        "start_wh": int(side.start_wh[row]) if side.have_start[row] else None,
        "stop_wh": int(side.stop_wh[row]) if side.have_stop[row] else None,
    }


def stacked(columns: Sequence[Mapping[str, Any]], name: str, kind: str) -> NDArray[Any]:
    """The same column of several rows, one after the other."""
    return np.frombuffer(b"".join(one[name] for one in columns), kind).copy()


def history_day(shape: tuple[int, int], rows: Mapping[int, Sequence[bytes]]) -> ChannelDay:
    """A day of which some rows are held: by their places, the packed ``wh``, ``status`` and ``flags``."""
    missing = np.full(shape, IntervalStatus.MISSING, np.uint8)
    made = ChannelDay(np.zeros(shape, np.int32), missing, np.zeros(shape, np.bool_))
    if rows:
        at, packed = list(rows), zip(*rows.values(), strict=True)
        wh, status, flags = (
            np.frombuffer(b"".join(column), kind).reshape(-1, shape[1])
            for column, kind in zip(packed, ("<i4", "u1", "u1"), strict=True)
        )
        made.wh[at], made.status[at], made.power_failed[at] = wh, status, (flags & POWER_FAILED) != 0
    return made


def register_row(snapshot: RegisterSnapshot) -> dict[str, Any]:
    """A snapshot as a row."""
    return {name: getattr(snapshot, name) for name in RegisterSnapshot.__slots__}


def runs_of(reading: MeterReading) -> Iterable[tuple[MeterReading, date, slice, slice]]:
    """The reading cut at midnights: the day, the places in the day, the places in the reading."""
    if reading.start % INTERVAL_S:
        message = f"A reading begins at {reading.start}, which is no interval's edge."
        raise HeadEndError("headend.store.not_aligned", message, place=reading.esiid)
    n = len(reading.delivered)
    done = 0
    while done < n:
        begins = reading.start + done * INTERVAL_S
        day = day_of(begins)
        at = (begins - day_start(day)) // INTERVAL_S
        count = min(n - done, intervals_in(day) - at)
        yield reading, day, slice(at, at + count), slice(done, done + count)
        done += count


def days_over(first: Seconds, end: Seconds) -> list[date]:
    """The operating days of the intervals from the one that begins at ``first`` to the one that ends at ``end``."""
    day, last = day_of(first), day_of(end - INTERVAL_S)
    return [day + timedelta(days=i) for i in range((last - day).days + 1)]


def chunks(items: Sequence[_T]) -> Iterable[Sequence[_T]]:
    """The items in portions that one query can name."""
    for at in range(0, len(items), _CHUNK):
        yield items[at : at + _CHUNK]
