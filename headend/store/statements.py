"""What the databases of a process share: the statements that were compiled for one of them, and how tables are made.

A scenario opens two databases, and a process plays many: to compile what is always the same took longer than to run it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.util import LRUCache

#: Statements of a process that are kept compiled, of all its databases; ours are a few hundred. A default of this project.
_MOST = 2_000
#: They are kept by the dialect that they were compiled for, which is an engine's own: SQLite's, which knows nothing of a server, serves all files.
_DIALECTS: dict[str, sa.engine.Dialect] = {}
_COMPILED: LRUCache[object, object] = LRUCache(_MOST)
#: Databases of one connection alone.
_IN_MEMORY = (None, "", ":memory:")


class _SqliteEngine(sa.Engine):
    """An engine with the connection that wrote last, for who writes next."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.wrote: list[sa.Connection] = []

    def dispose(self, close: bool = True) -> None:
        """See ``sa.Engine``."""
        while self.wrote:
            self.wrote.pop().close()
        super().dispose(close)


@contextmanager
def transaction(engine: sa.Engine, **options: Any) -> Iterator[sa.Connection]:
    """One transaction that writes. options: execution options, always the same of an engine. Raises SQLAlchemyError.

    On a file of SQLite its connection stays open for the next: to take one from the pool each time costs four transactions. A server's goes back, so
    that the pool sees whether it still holds.
    """
    kept = engine.wrote if isinstance(engine, _SqliteEngine) and engine.url.database not in _IN_MEMORY else None
    try:
        connection = (kept or []).pop()
    except IndexError:
        connection = engine.connect().execution_options(**options)
    try:
        with connection.begin():
            yield connection
    except BaseException:
        connection.close()
        raise
    # One is kept, however many wrote at once: the pool has few, and those that read need them.
    if kept is None or kept:
        connection.close()
    else:
        kept.append(connection)


def sharing(engine: sa.Engine) -> sa.Engine:
    """An engine over the same connections that takes what was compiled for others of its kind; it has not connected yet."""
    if engine.dialect.name != "sqlite":
        return engine
    dialect = _DIALECTS.get("sqlite", engine.dialect)
    return _SqliteEngine(engine.pool, dialect, engine.url, execution_options={"compiled_cache": _COMPILED})


def share(engine: sa.Engine) -> None:
    """Let others take what is compiled for an engine, once it has connected and knows what its database can do."""
    if engine.dialect.name == "sqlite":
        _DIALECTS.setdefault("sqlite", engine.dialect)


def begin_writing(connection: sa.Connection) -> None:
    """Begin a transaction of SQLite's that writes, past the library, which would take longer than that. Raises SQLAlchemyError."""
    raw: Any = connection.connection.dbapi_connection
    try:
        raw.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        raise _told(connection, "BEGIN IMMEDIATE", None, error) from error


def _told(connection: sa.Connection, text: str, values: Any, error: sqlite3.Error) -> Exception:
    return sa.exc.DBAPIError.instance(text, values, error, sqlite3.Error, dialect=connection.dialect)


class _Ready(NamedTuple):
    """What the driver is given: words, the values in their order, whether by place or by name."""

    text: str
    values: list[tuple[str, Callable[[Any], Any] | None]]
    by_place: bool


class Prepared:
    """A statement that writes, made ready for the driver once for each kind of database and columns: to prepare it is most of what one row costs.

    A row names every value; defaults of the table that are Python's own are not filled in.
    """

    def __init__(self, statement: sa.Insert | sa.Update | sa.Delete) -> None:
        """statement: none of its values is in it."""
        self._statement = statement
        self._ready: dict[tuple[str, ...], _Ready] = {}

    def execute(self, connection: sa.Connection, *rows: Mapping[str, Any]) -> int:
        """Execute it within a transaction for rows of the same columns, at least one; how many rows it wrote. Raises SQLAlchemyError."""
        key = (connection.dialect.name, *rows[0])
        ready = self._ready.get(key)
        if ready is None:
            ready = self._ready[key] = _made_ready(self._statement, connection.dialect, list(rows[0]))
        given = [_given(ready, row) for row in rows]
        values = given[0] if len(given) == 1 else given
        if connection.dialect.name != "sqlite":
            return connection.exec_driver_sql(ready.text, values).rowcount
        # Past the library, whose result takes three times as long as the row.
        raw: Any = connection.connection.dbapi_connection
        try:
            written: int = (raw.execute if len(given) == 1 else raw.executemany)(ready.text, values).rowcount
        except sqlite3.Error as error:
            raise _told(connection, ready.text, values, error) from error
        return written


def _made_ready(statement: sa.Insert | sa.Update | sa.Delete, dialect: sa.engine.Dialect, names: list[str]) -> _Ready:
    compiled: Any = statement.compile(dialect=dialect, column_keys=names)
    types = {name: bound.type.dialect_impl(dialect) for name, bound in compiled.binds.items()}
    order = compiled.positiontup if compiled.positional else list(compiled.binds)
    return _Ready(str(compiled), [(name, types[name].bind_processor(dialect)) for name in order], compiled.positional)


def _given(ready: _Ready, row: Mapping[str, Any]) -> Any:
    values = [row[name] if made is None else made(row[name]) for name, made in ready.values]
    return (
        tuple(values)
        if ready.by_place
        else {name: value for (name, _), value in zip(ready.values, values, strict=True)}
    )


@lru_cache(maxsize=8)
def _making(metadata: sa.MetaData, dialect: sa.engine.Dialect) -> list[str]:
    made: list[CreateTable | CreateIndex] = [CreateTable(table) for table in metadata.sorted_tables]
    made += [
        CreateIndex(index)
        for table in metadata.sorted_tables
        for index in sorted(table.indexes, key=lambda one: str(one.name))
    ]
    return [str(one.compile(dialect=dialect)) for one in made]


def make_tables(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """Make every table and index in a database that has none of them."""
    for statement in _making(metadata, connection.dialect):
        connection.exec_driver_sql(statement)
