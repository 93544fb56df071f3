"""What databases of one process share: compiled statements, and tables that are as their metadata says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from headend.store import rows, statements
from headend.store.migrate import bring_up_to_date, versions_table
from headend.store.migrations import MIGRATIONS
from headend.store.statements import Prepared, begin_writing, transaction
from simulator.smt.database import engine as smt
from simulator.smt.database import tables


def schema(engine: sa.Engine) -> list[tuple[str, ...]]:
    with engine.connect() as connection:
        return sorted(map(tuple, connection.execute(sa.text("SELECT type, name, tbl_name, sql FROM sqlite_master"))))


def smt_database(url: str) -> sa.Engine:
    return smt.open_database(url)


def store_database(url: str) -> sa.Engine:
    return rows.open_database(url).engine


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


_KINDS = sa.Table(
    "kinds",
    sa.MetaData(),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("told", sa.JSON),
    sa.Column("day", sa.Date),
    sa.Column("so", sa.Boolean),
    sa.Column("octets", sa.LargeBinary),
)
_ROW = {"key": "a", "told": {"code": "Ä"}, "day": date(2026, 8, 12), "so": True, "octets": b"\0\1"}


@pytest.mark.parametrize("row", [_ROW, dict.fromkeys(_ROW) | {"key": "a"}])
def test_a_prepared_row_is_kept_octet_for_octet_as_the_library_keeps_it(row: dict[str, Any]) -> None:
    kept = []
    for enter in (Prepared(sa.insert(_KINDS)).execute, lambda to, one: to.execute(sa.insert(_KINDS), one)):
        with sa.create_engine("sqlite://").begin() as connection:
            _KINDS.create(connection)
            enter(connection, row)
            kept.append(connection.exec_driver_sql("SELECT *, typeof(told), typeof(so) FROM kinds").all())
    assert kept[0] == kept[1]


def test_a_prepared_statement_takes_rows_of_other_columns_and_tells_how_many_it_changed() -> None:
    change = Prepared(sa.update(_KINDS).where(_KINDS.c.key == sa.bindparam("of")))
    with sa.create_engine("sqlite://").begin() as connection:
        _KINDS.create(connection)
        Prepared(sa.insert(_KINDS)).execute(connection, {"key": "a"}, {"key": "b"})
        assert change.execute(connection, {"of": "a", "so": True}) == 1
        assert change.execute(connection, {"of": "b", "told": [1], "so": False}) == 1
        assert change.execute(connection, {"of": "c", "so": True}) == 0
        told = connection.execute(sa.select(_KINDS.c.key, _KINDS.c.told, _KINDS.c.so).order_by(_KINDS.c.key))
        assert told.all() == [("a", None, True), ("b", [1], False)]


def test_a_row_that_cannot_be_is_told_in_the_librarys_own_error_and_undone_with_its_transaction(tmp_path: Path) -> None:
    engine, enter = sa.create_engine(f"sqlite:///{tmp_path / 'kinds.sqlite'}"), Prepared(sa.insert(_KINDS))
    _KINDS.create(engine)

    def broken(executed: Callable[..., Any]) -> None:
        with engine.begin() as writer:
            assert enter.execute(writer, {"key": "a"}, {"key": "b"}) == 2
            executed(writer, {"key": "c"}, {"key": "a"})

    errors = []
    for executed in (enter.execute, lambda to, *rows: to.execute(sa.insert(_KINDS), list(rows))):
        with pytest.raises(sa.exc.IntegrityError, match=r"UNIQUE constraint failed: kinds\.key") as caught:
            broken(executed)
        errors.append(caught.value)
        with engine.connect() as reader:
            assert reader.scalar(sa.select(sa.func.count()).select_from(_KINDS)) == 0
    assert len({(type(error), error.statement, str(error.params), str(error.orig)) for error in errors}) == 1
    engine.dispose()


def test_who_cannot_begin_to_write_is_told_in_the_librarys_own_error(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'held.sqlite'}", connect_args={"timeout": 0})
    with engine.connect() as first, engine.connect() as second:
        begin_writing(first)
        with pytest.raises(sa.exc.OperationalError, match="database is locked"):
            begin_writing(second)


@pytest.fixture
def kinds(tmp_path: Path) -> Iterator[sa.Engine]:
    """An engine of a file, with a table."""
    engine = statements.sharing(sa.create_engine(f"sqlite:///{tmp_path / 'kinds.sqlite'}"))
    _KINDS.create(engine)
    yield engine
    engine.dispose()


def _keys(engine: sa.Engine) -> list[str]:
    with engine.connect() as reader:
        return list(reader.scalars(sa.select(_KINDS.c.key).order_by(_KINDS.c.key)))


def test_one_connection_writes_one_transaction_after_another_and_others_see_each(kinds: sa.Engine) -> None:
    raws = set()
    for key in "abc":
        with transaction(kinds) as writer:
            raws.add(id(writer.connection.dbapi_connection))
            writer.execute(sa.insert(_KINDS), {"key": key})
        assert _keys(kinds)[-1] == key
    assert len(raws) == 1


def test_what_is_raised_undoes_a_transaction_and_the_next_one_writes(kinds: sa.Engine) -> None:
    def broken(key: str) -> None:
        with transaction(kinds) as writer:
            writer.execute(sa.insert(_KINDS), {"key": key})
            raise KeyError(key)

    for key in "ab":
        with pytest.raises(KeyError):
            broken(key)
    with transaction(kinds) as writer:
        writer.execute(sa.insert(_KINDS), {"key": "c"})
    assert _keys(kinds) == ["c"]


def test_two_that_write_at_once_have_a_connection_each_with_the_options_given(kinds: sa.Engine) -> None:
    with transaction(kinds, writes=True) as first, transaction(kinds, writes=True) as second:
        assert first.connection.dbapi_connection is not second.connection.dbapi_connection
        assert first.get_execution_options()["writes"]
        assert second.get_execution_options()["writes"]
    with transaction(kinds, writes=True) as again:
        assert again in (first, second)
        assert again.get_execution_options()["writes"]
    assert [one.closed for one in (first, second)].count(True) == 1


def test_an_engine_that_is_disposed_of_leaves_no_connection_and_can_be_used_again(
    kinds: sa.Engine, tmp_path: Path
) -> None:
    with kinds.connect() as reader:
        reader.exec_driver_sql("PRAGMA journal_mode=WAL")
    with transaction(kinds) as writer:
        writer.execute(sa.insert(_KINDS), {"key": "a"})
    assert (tmp_path / "kinds.sqlite-wal").exists()
    kinds.dispose()
    # SQLite takes its log away with the last connection.
    assert sorted(tmp_path.iterdir()) == [tmp_path / "kinds.sqlite"]
    with transaction(kinds) as writer:
        writer.execute(sa.insert(_KINDS), {"key": "b"})
    assert _keys(kinds) == ["a", "b"]


def test_a_database_in_memory_has_one_connection_for_who_writes_and_who_reads() -> None:
    opened = rows.open_database("sqlite://")
    for _ in range(2):
        with opened.writing() as writer, opened.reading() as reader:
            assert writer is reader
        with opened.reading() as reader:
            assert reader.exec_driver_sql("SELECT 1").scalar() == 1
    opened.close()
