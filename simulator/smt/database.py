"""SMT's database: one schema for repository, ledger and throttle, and the one way to begin a transaction that writes.

SQLite (WAL) by default, PostgreSQL by URL; made, or migrated from an older version, when it is opened. Nothing is ever deleted but windows that
no limit looks at any more, the places of ended requests in the queue, and bad log-ins and portal tokens whose time is over.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    URL,
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
    insert,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError

from headend.migrate import NewerDatabaseError, bring_up_to_date, versions_table
from simulator.errors import SimulatorError
from simulator.smt.migrations import MIGRATIONS

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
    #: 0 for the first posting under that file name.
    Column("posting", SmallInteger, nullable=False, server_default="0"),
    Index("interval_day_of_file", "file_name", "posting"),
    sqlite_with_rowid=False,
)

#: Files of posted usage for RORs: owed from the commit that loads the records on, until they lie in the ROR's folder.
usage_file = Table(
    "usage_file",
    metadata,
    Column("username", String(64), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("duns", String(13), nullable=False),
    Column("format", String(4), nullable=False),
    #: The file that the TDSP posted, and which posting under that name.
    Column("source", String, nullable=False),
    Column("posting", SmallInteger, nullable=False),
    Column("owed_at", BigInteger, nullable=False),
    #: Null while it is owed.
    Column("laid_at", BigInteger),
    Index("usage_file_owed", "laid_at"),
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

#: Requests that have not ended, with the state of their last transition: the dispatcher's queue. Follows from the ledger.
odr_open = Table(
    "odr_open",
    metadata,
    Column("request_key", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("since_us", BigInteger, nullable=False),
)

#: What head-ends called back to a worker, until the dispatcher hands it to the request that waits; kept as evidence.
odr_call_back = Table(
    "odr_call_back",
    metadata,
    Column("request_key", String(64), primary_key=True),
    Column("content", JSON, nullable=False),
    Column("came_us", BigInteger, nullable=False),
)

#: Who read which ESI ID, when, through which door. Append-only.
data_access = Table(
    "data_access",
    metadata,
    Column("at_us", BigInteger, nullable=False),
    Column("username", String, nullable=False),
    Column("duns", String(13), nullable=False),
    Column("esiid", String(22), nullable=False),
    Column("door", String(16), nullable=False),
    Column("what", String(16), nullable=False),
    Column("request_key", String(64), nullable=False),
    Column("trans_id", String, nullable=False),
    Index("data_access_of_esiid", "esiid", "at_us"),
)

#: The dispatcher's sign of life, one row: when it last looked through the queue, in model time.
dispatcher_sweep = Table(
    "dispatcher_sweep",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("swept_us", BigInteger, nullable=False),
)

#: What several workers sign tokens with, so that each knows the others'.
token_key = Table(
    "token_key",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("octets", LargeBinary, nullable=False),
)

#: Bad log-ins of late, where several processes share the database. The name is a hash: what was typed may be anything.
login_fault = Table(
    "login_fault",
    metadata,
    Column("name_hash", String(64), nullable=False),
    #: Wall time, as below.
    Column("at_us", BigInteger, nullable=False),
    Index("login_fault_of_name", "name_hash", "at_us"),
)

#: Portal tokens that live, where several processes share the database, by their id (which opens nothing).
portal_token = Table(
    "portal_token",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("used_us", BigInteger, nullable=False),
)

#: Complaints that a tester switched on (``complaints.py``).
complaint = Table(
    "complaint",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("spec", JSON, nullable=False),
    Column("strikes", BigInteger, nullable=False),
    Column("lifted", Boolean, nullable=False),
)

schema_version = versions_table(metadata)

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
    #: Digest of the requests that the limit counts (``policy_change.counted``).
    Column("counted", String(16), nullable=False, server_default=""),
    Index("throttle_lease_of_scope", "limit_name", "scope_value", "reserved_at"),
    Index("throttle_lease_open", "ended_at"),
    sqlite_with_rowid=False,
)

#: The limits that the throttle's state is of, and what it means (``policy_change.meaning``; empty: it was not said).
throttle_limit = Table(
    "throttle_limit",
    metadata,
    Column("limit_name", String(64), primary_key=True),
    Column("meaning", String(16), nullable=False),
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

#: Key of the advisory lock under which a PostgreSQL database is made or migrated by one process.
_SCHEMA_LOCK = 0x0D3
#: Wall milliseconds that a write to SQLite waits for another process's, and the service with it; and that a mere try waits, and whoever comes after
#: one that waited in vain. Defaults of this project.
BUSY_MS, TRIED_MS = 2000, 100
#: Wall seconds for a connection to PostgreSQL, and milliseconds after which one that acknowledges nothing is given up. Defaults of this project.
_PATIENCE = {"connect_timeout": 3, "tcp_user_timeout": 5000}
#: The transaction that is open, by the engine it belongs to: what is written inside joins it.
_JOINED: ContextVar[tuple[Engine, Connection] | None] = ContextVar("smt_transaction", default=None)
#: Execution option that marks a transaction as one that writes.
_WRITES = "smt_writes"
#: And one that only tries whether it could.
_TRIES = "smt_tries"


def open_database(url: str) -> Engine:
    """Open the database; make it, or migrate it if it is older. Raises SimulatorError if that fails.

    An in-memory SQLite is refused: intake and service run in two threads and would each see their own.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SimulatorError(
            "smt.database.url", f"'{url}' is no database URL.", place="--database", mend="Use sqlite:///path/smt.db."
        ) from None
    sqlite = parsed.get_backend_name() == "sqlite"
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise SimulatorError(
            "smt.database.kind",
            f"SMT keeps no database of the kind '{parsed.get_backend_name()}'.",
            place="--database",
            mend="Use sqlite:///path/smt.db or postgresql://user@host/name.",
        )
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if sqlite:
        if not parsed.database or parsed.database == ":memory:":
            raise SimulatorError(
                "smt.database.memory",
                "SMT's database cannot live in memory.",
                place="--database",
                mend="Give SQLite a file: sqlite:///path/smt.db.",
            )
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    # A connection that a restart of the server has ended is replaced before it is used.
    # Whoever has waited for a turn must see what was committed before it, whatever the server's own default.
    settings: dict[str, Any] = (
        {}
        if sqlite
        else {"pool_pre_ping": True, "connect_args": _patience(parsed), "isolation_level": "READ COMMITTED"}
    )
    try:
        engine = create_engine(parsed, **settings)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise SimulatorError(
            "smt.database.driver",
            f"There is no driver for '{parsed.drivername}' ({error}).",
            place="--database",
            mend="Use sqlite:///path/smt.db, or install the driver of that database.",
        ) from None
    if sqlite:
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _SqliteTurns().begin)
    try:
        with writing(engine) as connection:
            if not sqlite:
                connection.execute(select(func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
            bring_up_to_date(connection, metadata, schema_version, MIGRATIONS, "odr_request")
    except NewerDatabaseError as error:
        engine.dispose()
        raise SimulatorError(
            "smt.database.newer",
            f"SMT's database has schema version {error.held}; this program knows versions up to {error.known}.",
            place="--database",
            mend="Use the program that made it, or give another database.",
        ) from None
    except DatabaseError as error:
        engine.dispose()
        raise SimulatorError(
            "smt.database.open", f"SMT's database cannot be opened: {error.orig}.", place="--database"
        ) from None
    return engine


@contextmanager
def writing(engine: Engine, *, turns: Iterable[str] = ()) -> Iterator[Connection]:
    """One transaction that writes. Inside another one it is part of that.

    SQLite has one writer at a time. On PostgreSQL it takes turns, to its end, with every other transaction that names one of ``turns``; to be
    named once in a transaction, and before anything that others wait for.
    """
    joined = _JOINED.get()
    if joined is not None and joined[0] is engine:
        _take_turns(joined[1], turns)
        yield joined[1]
        return
    with engine.connect() as connection:
        connection.execution_options(**{_WRITES: True})
        with connection.begin():
            token = _JOINED.set((engine, connection))
            try:
                _take_turns(connection, turns)
                yield connection
            finally:
                _JOINED.reset(token)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection to read by: inside ``writing`` its own, so that what it has written is seen."""
    joined = _JOINED.get()
    if joined is not None and joined[0] is engine:
        yield joined[1]
        return
    with engine.connect() as connection:
        yield connection


def try_writing(engine: Engine) -> None:
    """Write what is there once more. Raises SQLAlchemyError where the database takes no writes, within ``TRIED_MS``."""
    swept = dispatcher_sweep.c.swept_us
    with engine.connect() as connection:
        connection.execution_options(**{_WRITES: True, _TRIES: True})
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = {TRIED_MS}"))
            connection.execute(update(dispatcher_sweep).values(swept_us=swept))


def shared_token_key(engine: Engine, octets: int) -> bytes:
    """What several processes at one database sign tokens with: drawn by the first that asks."""
    with writing(engine, turns=("token key",)) as connection:
        held: bytes | None = connection.scalar(select(token_key.c.octets).where(token_key.c.name == "tokens"))
        if held is None:
            held = secrets.token_bytes(octets)
            connection.execute(insert(token_key), {"name": "tokens", "octets": held})
    return bytes(held)


def _take_turns(connection: Connection, turns: Iterable[str]) -> None:
    if connection.dialect.name == "postgresql":
        # In one order for all, so that no two wait for each other; each a statement, for of one statement's calls none is promised to be first.
        for key in sorted({_lock_key(turn) for turn in turns}):
            connection.execute(select(func.pg_advisory_xact_lock(key)))


def _lock_key(turn: str) -> int:
    """Key of an advisory lock: below zero, where no other lock of ours is. Two turns of one key only wait more than they need to."""
    return -1 - (int.from_bytes(hashlib.blake2b(turn.encode(), digest_size=8).digest(), "big") >> 1)


def _patience(url: URL) -> dict[str, Any]:
    """How long libpq waits for a server that does not answer at all, unless the URL says so."""
    return {name: value for name, value in _PATIENCE.items() if name not in url.query}


def _set_up_sqlite(raw: Any, _record: Any) -> None:
    # The driver must not begin transactions by itself: it would begin them as readers, and two readers that both
    # want to write then over-admit or fail with "database is locked".
    raw.isolation_level = None
    for pragma in (f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "synchronous=NORMAL"):
        raw.execute(f"PRAGMA {pragma}")


class _SqliteTurns:
    """How transactions begin on a SQLite database. Who found it locked for long has waited for all that come after, until one gets through."""

    def __init__(self) -> None:
        self._locked = False

    def begin(self, connection: Connection) -> None:
        options = connection.get_execution_options()
        if not options.get(_WRITES, False):
            connection.exec_driver_sql("BEGIN")
            return
        tries = self._locked or options.get(_TRIES, False)
        raw: Any = connection.connection.dbapi_connection
        raw.execute(f"PRAGMA busy_timeout={TRIED_MS if tries else BUSY_MS}")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError:
            self._locked = True
            raise
        self._locked = False
