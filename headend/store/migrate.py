"""How a database comes to its present schema: forward migrations as data, applied on start, one after the other. Head-end and SMT have theirs.

A fresh database is made at once in its present form; the migrations lead an older one to the same (a test compares the two). None is ever changed
once it is published: what it does is written out, and not taken from the tables of today.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from headend.store.statements import make_tables

#: The version of databases from before versions were kept.
FIRST = 1
_BLOB: Mapping[str, str] = {"sqlite": "BLOB", "postgresql": "BYTEA"}


@dataclass(frozen=True, slots=True)
class Migration:
    """What leads from the version before to this one. ``{blob}`` stands for the dialect's type of packed octets."""

    version: int
    title: str
    statements: tuple[str, ...]


def read_migrations(file: Path) -> tuple[Migration, ...]:
    """The migrations in a file of SQL: a line ``-- version: title``, then its statements, each of which ends in a semicolon."""
    found = []
    for written in file.read_text("utf-8").removeprefix("-- ").split("\n-- "):
        head, _, statements = written.partition("\n")
        version, _, title = head.partition(": ")
        found.append(Migration(int(version), title, tuple(statements.strip().removesuffix(";").split(";\n"))))
    return tuple(found)


class NewerDatabaseError(Exception):
    """A later program has made the database. ``held``, ``known``: its version and this program's."""

    def __init__(self, held: int, known: int) -> None:
        """Keep both."""
        super().__init__(held, known)
        self.held, self.known = held, known


def versions_table(metadata: sa.MetaData) -> sa.Table:
    """The table of the migrations that were applied, one row each."""
    return sa.Table(
        "schema_version",
        metadata,
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        #: Wall time, Unix seconds.
        sa.Column("applied_at", sa.BigInteger, nullable=False),
        sa.Column("title", sa.String, nullable=False),
    )


def bring_up_to_date(
    connection: sa.Connection, metadata: sa.MetaData, versions: sa.Table, migrations: Sequence[Migration], oldest: str
) -> list[int]:
    """Create what is not there, or migrate what is older, in the caller's transaction; returns the versions applied.

    metadata: the tables of today, ``versions`` (schema_version) among them. oldest: a table that version 1 had. Raises NewerDatabaseError for a
    database that a later program has made: nothing of it is touched.
    """
    known = migrations[-1].version
    there = set(sa.inspect(connection).get_table_names())
    if versions.name in there:
        held = connection.scalar(sa.select(sa.func.max(versions.c.version))) or FIRST
    elif oldest in there:
        held = FIRST
    else:
        if there:
            # What lacks may be some of them.
            metadata.create_all(connection)
        else:
            make_tables(connection, metadata)
        _enter(connection, versions, known, "made as it is today")
        return [known]
    if held > known:
        raise NewerDatabaseError(held, known)
    versions.create(connection, checkfirst=True)
    applied = []
    for migration in migrations:
        if migration.version <= held:
            continue
        for statement in migration.statements:
            connection.execute(sa.text(statement.replace("{blob}", _BLOB[connection.dialect.name])))
        _enter(connection, versions, migration.version, migration.title)
        applied.append(migration.version)
    return applied


def _enter(connection: sa.Connection, versions: sa.Table, version: int, title: str) -> None:
    connection.execute(sa.insert(versions), {"version": version, "applied_at": int(time.time()), "title": title})
