"""SMT's database: one schema for repository, ledger and throttle, and the one way to begin a transaction that writes.

SQLite (WAL) by default, PostgreSQL by URL. Nothing is ever deleted but windows that no limit looks at any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from simulator.errors import SimulatorError

metadata = MetaData()

interval_day = Table(
    "interval_day",
    metadata,
    Column("esiid", String(22), primary_key=True),
    Column("channel", SmallInteger, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("start_wh", BigInteger),
    Column("stop_wh", BigInteger),
    #: int32 little-endian Wh, one per interval of the day.
    Column("wh", LargeBinary, nullable=False),
    #: One octet per interval, 1 where estimated.
    Column("estimated", LargeBinary, nullable=False),
    Column("posted_at", BigInteger, nullable=False),
    Column("loaded_at", BigInteger, nullable=False),
    Column("file_name", String, nullable=False),
    sqlite_with_rowid=False,
)

odr_request = Table(
    "odr_request",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("esiid", String(22), nullable=False),
    Column("door", String(16), nullable=False),
    Column("username", String, nullable=False),
    Column("duns", String(13), nullable=False),
    Column("requester_class", String, nullable=False),
    Column("trans_id", String, nullable=False),
    Column("call_reference", String(64), nullable=False),
    Column("gap_start", BigInteger, nullable=False),
    Column("gap_end", BigInteger, nullable=False),
    Column("uncovered", JSON),
    Column("holes", JSON, nullable=False),
    Column("submitted_us", BigInteger, nullable=False),
    Index("odr_request_of_esiid", "esiid", "submitted_us"),
)

odr_transition = Table(
    "odr_transition",
    metadata,
    Column("request_key", String(64), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("reason", String, nullable=False),
    Column("meter_allowed", Boolean, nullable=False),
    Column("refusal", JSON),
    Column("from_store", Integer, nullable=False),
    Column("from_meter", Integer, nullable=False),
    Column("meter_reads", Integer, nullable=False),
    Column("octets", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

odr_answer = Table(
    "odr_answer",
    metadata,
    Column("request_key", String(64), primary_key=True),
    Column("content", JSON, nullable=False),
)

throttle_window = Table(
    "throttle_window",
    metadata,
    Column("limit_name", String(64), primary_key=True),
    Column("scope_value", String(64), primary_key=True),
    Column("window_start", BigInteger, primary_key=True),
    Column("used", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

#: The mark of a bucket or a breaker (``counts.Mark``).
throttle_mark = Table(
    "throttle_mark",
    metadata,
    Column("limit_name", String(64), primary_key=True),
    Column("scope_value", String(64), primary_key=True),
    Column("level", BigInteger, nullable=False),
    Column("as_of", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

throttle_lease = Table(
    "throttle_lease",
    metadata,
    Column("request_key", String(64), primary_key=True),
    Column("limit_name", String(64), primary_key=True),
    Column("scope_value", String(64), nullable=False),
    Column("window_start", BigInteger, nullable=False),
    Column("reserved_at", BigInteger, nullable=False),
    #: Null while the request is under way.
    Column("ended_at", BigInteger),
    Column("success", Boolean),
    #: How much of the limit's measure the request holds while it is under way.
    Column("amount", BigInteger, nullable=False, server_default="1"),
    Index("throttle_lease_of_scope", "limit_name", "scope_value", "reserved_at"),
    Index("throttle_lease_open", "ended_at"),
    sqlite_with_rowid=False,
)

report_request = Table(
    "report_request",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("username", String, nullable=False),
    Column("trans_id", String, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("submitted_us", BigInteger, nullable=False),
    #: Null while it is being made.
    Column("ended_us", BigInteger),
    #: Of the file that was delivered; empty if there is none.
    Column("file_name", String, nullable=False),
    #: Code of the business error that it ended with; empty if none.
    Column("error", String(32), nullable=False),
)

#: Key of the advisory lock that makes admissions of several workers on PostgreSQL take turns.
_ADMISSION_LOCK = 0x0D2
#: Execution option that marks a transaction as one that writes.
_WRITES = "smt_writes"


def open_database(url: str) -> Engine:
    """Open the database and create what it lacks. Raises SimulatorError if that fails.

    An in-memory SQLite is refused: intake and service run in two threads and would each see their own.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SimulatorError(
            "smt.database.url", f"'{url}' is no database URL.", place="--database", mend="Use sqlite:///path/smt.db."
        ) from None
    sqlite = parsed.get_backend_name() == "sqlite"
    if sqlite:
        if not parsed.database or parsed.database == ":memory:":
            raise SimulatorError(
                "smt.database.memory",
                "SMT's database cannot live in memory.",
                place="--database",
                mend="Give SQLite a file: sqlite:///path/smt.db.",
            )
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    try:
        engine = create_engine(parsed)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise SimulatorError(
            "smt.database.driver",
            f"There is no driver for '{parsed.drivername}' ({error}).",
            place="--database",
            mend="Use sqlite:///path/smt.db, or install the driver of that database.",
        ) from None
    if sqlite:
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        metadata.create_all(engine)
    except OperationalError as error:
        raise SimulatorError(
            "smt.database.open", f"SMT's database cannot be opened: {error.orig}.", place="--database"
        ) from None
    return engine


@contextmanager
def writing(engine: Engine, *, admission: bool = False) -> Iterator[Connection]:
    """One transaction that writes, taking turns with the others from its first statement on.

    admission: on PostgreSQL, take turns with every other admission too (SQLite has one writer at a time anyway).
    """
    with engine.connect() as connection:
        connection.execution_options(**{_WRITES: True})
        with connection.begin():
            if admission and engine.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_ADMISSION_LOCK)))
            yield connection


def _set_up_sqlite(raw: Any, _record: Any) -> None:
    # The driver must not begin transactions by itself: it would begin them as readers, and two readers that both
    # want to write then over-admit or fail with "database is locked".
    raw.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000"):
        raw.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
