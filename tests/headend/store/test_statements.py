"""What databases of one process share: compiled statements, and tables that are as their metadata says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from headend.store import rows, statements
from headend.store.migrate import bring_up_to_date, versions_table
from headend.store.migrations import MIGRATIONS
from simulator.smt.database import engine as smt
from simulator.smt.database import tables


def schema(engine: sa.Engine) -> list[tuple[str, ...]]:
    with engine.connect() as connection:
        return sorted(map(tuple, connection.execute(sa.text("SELECT type, name, tbl_name, sql FROM sqlite_master"))))


def smt_database(url: str) -> sa.Engine:
    return smt.open_database(url)


def store_database(url: str) -> sa.Engine:
    return rows.open_database(url).reading


@pytest.mark.parametrize(
    ("opened", "metadata"), [(store_database, rows._meta), (smt_database, tables.metadata)], ids=["head-end", "SMT"]
)
def test_a_new_database_has_the_tables_and_indexes_of_its_metadata(
    opened: Callable[[str], sa.Engine], metadata: sa.MetaData, tmp_path: Path
) -> None:
    made = sa.create_engine(f"sqlite:///{tmp_path / 'made.sqlite'}")
    metadata.create_all(made)
    for name in ("a", "b"):
        assert schema(opened(f"sqlite:///{tmp_path / name}.sqlite")) == schema(made)


def test_where_some_tables_are_there_the_others_are_added(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'some.sqlite'}")
    metadata = sa.MetaData()
    one, two = (sa.Table(name, metadata, sa.Column("x", sa.Integer, index=True)) for name in ("one", "two"))
    versions = versions_table(metadata)
    one.create(engine)
    with engine.begin() as connection:
        bring_up_to_date(connection, metadata, versions, MIGRATIONS, "two")
        assert set(sa.inspect(connection).get_table_names()) == {"one", "two", versions.name}
    assert two.name in {table for _, _, table, _ in schema(engine)}


def test_what_one_database_compiled_another_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (smt_database(f"sqlite:///{tmp_path / name}.sqlite") for name in ("first", "second"))
    asked = sa.select(tables.dispatcher_sweep.c.swept_us).where(tables.dispatcher_sweep.c.swept_us > sa.bindparam("at"))
    with first.connect() as connection:
        connection.execute(asked, {"at": 1})
    compiled = len(statements._COMPILED)
    with second.connect() as connection:
        monkeypatch.setattr(sa.Select, "_compiler", lambda *_: pytest.fail("compiled again"))
        assert connection.execute(asked, {"at": 2}).all() == []
    assert len(statements._COMPILED) == compiled


def test_a_server_s_dialect_is_its_own() -> None:
    one, other = (statements.sharing(sa.create_engine(f"postgresql+psycopg://u@h/{name}")) for name in "ab")
    statements.share(one)
    assert one.dialect is not other.dialect
    assert one._compiled_cache is not other._compiled_cache
    assert "compiled_cache" not in one.get_execution_options()
