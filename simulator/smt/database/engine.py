"""SMT's database (``tables``): how it is opened, and the one way to begin a transaction that writes.

SQLite (WAL) by default, PostgreSQL by URL; made, or migrated from an older version, when it is opened.
"""

from __future__ import annotations

import functools
import hashlib
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from datetime import date
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    URL,
    Connection,
    Engine,
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
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
    TimeoutError,
)

from headend.store.migrate import NewerDatabaseError, bring_up_to_date
from headend.store.statements import Prepared, begin_writing, share, sharing, transaction
from simulator.errors import SimulatorError
from simulator.smt.database.migrations import MIGRATIONS
from simulator.smt.database.tables import dispatcher_sweep, metadata, schema_version, token_key

#: Key of the advisory lock under which a PostgreSQL database is made or migrated by one process.
_SCHEMA_LOCK = 0x0D3
#: Wall milliseconds that a write to SQLite waits for another process's, and the service with it; and that a mere try waits, and whoever comes after
#: one that waited in vain. Defaults of this project.
BUSY_MS, TRIED_MS = 2000, 100
#: Octets that must be free on the disk of a SQLite database: a page of each table and index, many times over. A default of this project.
LEAST_FREE = 1 << 20
#: Wall seconds for a connection to PostgreSQL, and milliseconds after which one that acknowledges nothing is given up. Defaults of this project.
_PATIENCE = {"connect_timeout": 3, "tcp_user_timeout": 5000}
#: Parameters of one statement: SQLite's older default limit.
_PARAMETERS = 999
#: The transaction that is open, by the engine it belongs to: what is written inside joins it.
_JOINED: ContextVar[tuple[Engine, Connection] | None] = ContextVar("smt_transaction", default=None)
#: The connection that is read by, likewise.
_READ: ContextVar[tuple[Engine, Connection] | None] = ContextVar("smt_reading", default=None)
#: By engine on SQLite, what the writers of this process wait for each other by: SQLite's own wait is in no order, and ends in "database is locked".
_WRITERS: WeakKeyDictionary[Engine, Lock] = WeakKeyDictionary()
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
            "smt.database.url", "This is no database URL.", place="--database", mend="Use sqlite:///path/smt.db."
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
        if "uri" in parsed.query or parsed.database.startswith("file:"):
            # By such a name it could be another's whose seat is not seen.
            raise SimulatorError(
                "smt.database.uri",
                "SQLite's own file: URLs are not taken.",
                place="--database",
                mend="Write the path: sqlite:///path/smt.db.",
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
        engine = sharing(create_engine(parsed, **settings))
    except (NoSuchModuleError, ImportError) as error:
        raise SimulatorError(
            "smt.database.driver",
            f"There is no driver for '{parsed.drivername}' ({str(error).splitlines()[0]}).",
            place="--database",
            mend="Use sqlite:///path/smt.db, or postgresql:// after: pip install 'ami-testbed[postgres]'.",
        ) from None
    if sqlite:
        _WRITERS[engine] = Lock()
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _SqliteTurns().begin)
    try:
        with writing(engine) as connection:
            if not sqlite:
                connection.execute(select(func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
            bring_up_to_date(connection, metadata, schema_version, MIGRATIONS, "odr_request")
        share(engine)
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
            "smt.database.open",
            f"SMT's database cannot be opened: {' '.join(str(error.orig).split())}",
            "--database",
            "Check that it is up, and its host, port, name and password in the URL.",
        ) from None
    return engine


@contextmanager
def writing(engine: Engine, *, turns: Iterable[str] = ()) -> Iterator[Connection]:
    """One transaction that writes. Inside another one it is part of that.

    SQLite has one writer at a time: those of this process wait for each other, however long that takes. On PostgreSQL it takes turns, to its end, with every other transaction that names one of ``turns``; to be
    named once in a transaction, and before anything that others wait for.
    """
    joined = _JOINED.get()
    if joined is not None and joined[0] is engine:
        _take_turns(joined[1], turns)
        yield joined[1]
        return
    with _WRITERS.get(engine, nullcontext()), transaction(engine, **{_WRITES: True}) as connection:
        token = _JOINED.set((engine, connection))
        try:
            _take_turns(connection, turns)
            yield connection
        finally:
            _JOINED.reset(token)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection to read by: inside ``writing`` its own, so that what it has written is seen, inside another ``reading`` that one's."""
    for joined in (_JOINED.get(), _READ.get()):
        if joined is not None and joined[0] is engine:
            yield joined[1]
            return
    with engine.connect() as connection:
        token = _READ.set((engine, connection))
        try:
            yield connection
        finally:
            _READ.reset(token)


def insert_new(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Enter a row unless there is one with its key; whether it was entered.

    A key that is taken is no error of the database: PostgreSQL would write it into the server's log.
    """
    return _inserting(table, connection.dialect.name).execute(connection, row) == 1


def add_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter rows of the same columns: on PostgreSQL by COPY, on SQLite many with a statement, since after each the other threads have their turn first."""
    if not rows:
        return
    quoted = connection.dialect.identifier_preparer.quote
    into = f"{table.name} ({', '.join(map(quoted, rows[0]))})"
    if connection.dialect.name == "postgresql":
        raw: Any = connection.connection.driver_connection
        with raw.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(tuple(row.values()))
        return
    at_once, places = _PARAMETERS // len(rows[0]), f"({', '.join('?' * len(rows[0]))})"
    for at in range(0, len(rows), at_once):
        some = rows[at : at + at_once]
        values = [value.isoformat() if isinstance(value, date) else value for row in some for value in row.values()]
        connection.exec_driver_sql(f"INSERT INTO {into} VALUES {', '.join([places] * len(some))}", tuple(values))


def settle(engine: Engine) -> None:
    """After many rows: move what was committed from SQLite's log to its place. Later it would be done by whoever commits next, and others wait for that one."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")


@functools.cache
def _inserting(table: Table, dialect: str) -> Prepared:
    if dialect != "postgresql":
        return Prepared(sqlite.insert(table).on_conflict_do_nothing())
    from sqlalchemy.dialects import postgresql

    return Prepared(postgresql.insert(table).on_conflict_do_nothing())


class DiskFullError(SQLAlchemyError):
    """There is no room for what SMT writes."""


def try_writing(engine: Engine) -> None:
    """Write what is there once more. Raises SQLAlchemyError where the database takes no writes, within ``TRIED_MS``."""
    swept = dispatcher_sweep.c.swept_us
    if engine.dialect.name == "sqlite":
        # A row in the place of itself finds room in the log that is there, and the next request finds none.
        free = shutil.disk_usage(Path(str(engine.url.database)).parent).free
        if free < LEAST_FREE:
            raise DiskFullError(f"{free} octets are free on the disk, and a request may need {LEAST_FREE}")
    with _tried(_WRITERS.get(engine)), engine.connect() as connection:
        connection.execution_options(**{_WRITES: True, _TRIES: True})
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = {TRIED_MS}"))
            connection.execute(update(dispatcher_sweep).values(swept_us=swept))


@contextmanager
def _tried(writers: Lock | None) -> Iterator[None]:
    """Hold what writers wait by, if it is to be had within ``TRIED_MS``. Raises SQLAlchemyError."""
    if writers is not None and not writers.acquire(timeout=TRIED_MS / 1000):
        raise TimeoutError("another writer of this process has the database")
    try:
        yield
    finally:
        if writers is not None:
            writers.release()


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
        raw: Any = connection.connection.dbapi_connection
        if not options.get(_WRITES, False):
            # It asks nothing of the database, so nothing can go wrong that the library would have to tell: past it, at a third of the time.
            raw.execute("BEGIN")
            return
        tries = self._locked or options.get(_TRIES, False)
        waits_ms, held = TRIED_MS if tries else BUSY_MS, connection.connection.info
        if held.get("waits_ms") != waits_ms:
            raw.execute(f"PRAGMA busy_timeout={waits_ms}")
        held["waits_ms"] = waits_ms
        try:
            begin_writing(connection)
        except OperationalError:
            self._locked = True
            raise
        self._locked = False
