"""What the databases of a process share: the statements that were compiled for one of them, and how tables are made.

A scenario opens two databases, and a process plays many: to compile what is always the same took longer than to run it.
"""

from __future__ import annotations

from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.util import LRUCache

#: Statements of a process that are kept compiled, of all its databases; ours are a few hundred. A default of this project.
_MOST = 2_000
#: They are kept by the dialect that they were compiled for, which is an engine's own: SQLite's, which knows nothing of a server, serves all files.
_DIALECTS: dict[str, sa.engine.Dialect] = {}
_COMPILED: LRUCache[object, object] = LRUCache(_MOST)


def sharing(engine: sa.Engine) -> sa.Engine:
    """An engine over the same connections that takes what was compiled for others of its kind; it has not connected yet."""
    if engine.dialect.name != "sqlite":
        return engine
    dialect = _DIALECTS.get("sqlite", engine.dialect)
    return sa.Engine(engine.pool, dialect, engine.url, execution_options={"compiled_cache": _COMPILED})


def share(engine: sa.Engine) -> None:
    """Let others take what is compiled for an engine, once it has connected and knows what its database can do."""
    if engine.dialect.name == "sqlite":
        _DIALECTS.setdefault("sqlite", engine.dialect)


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
