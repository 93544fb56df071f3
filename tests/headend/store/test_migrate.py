"""A database comes to its present schema one migration after the other; one that is newer is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from headend.store.migrate import NewerDatabaseError, bring_up_to_date, read_migrations, versions_table


def _migrations(tmp_path: Path, *added: str) -> Path:
    file = tmp_path / "migrations.sql"
    told = [
        "-- 2: give things a colour\nALTER TABLE thing ADD COLUMN colour VARCHAR;\nUPDATE thing SET colour = 'red';\n"
    ]
    told += [f"-- {at}: {statement}\n{statement};\n" for at, statement in enumerate(added, 3)]
    file.write_text("\n".join(told))
    return file


def _tables() -> tuple[sa.MetaData, sa.Table]:
    metadata = sa.MetaData()
    sa.Table("thing", metadata, sa.Column("name", sa.String), sa.Column("colour", sa.String))
    return metadata, versions_table(metadata)


def test_older_one_is_led_up_keeps_its_rows_and_is_led_once(tmp_path: Path) -> None:
    engine = sa.create_engine("sqlite://")
    migrations = read_migrations(_migrations(tmp_path, "ALTER TABLE thing ADD COLUMN body {blob}"))
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE thing (name VARCHAR)"))
        connection.execute(sa.text("INSERT INTO thing VALUES ('cup')"))
        assert bring_up_to_date(connection, *_tables(), migrations, "thing") == [2, 3]
        assert connection.execute(sa.text("SELECT name, colour, body FROM thing")).all() == [("cup", "red", None)]
        assert bring_up_to_date(connection, *_tables(), migrations, "thing") == []


def test_fresh_one_is_made_as_it_is_today(tmp_path: Path) -> None:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        assert bring_up_to_date(connection, *_tables(), read_migrations(_migrations(tmp_path)), "thing") == [2]
        assert {column["name"] for column in sa.inspect(connection).get_columns("thing")} == {"name", "colour"}


def test_newer_one_is_refused_and_not_touched(tmp_path: Path) -> None:
    engine = sa.create_engine("sqlite://")
    later = read_migrations(_migrations(tmp_path, "CREATE TABLE extra (x INTEGER)"))
    with engine.begin() as connection:
        bring_up_to_date(connection, *_tables(), later, "thing")
        with pytest.raises(NewerDatabaseError) as refused:
            bring_up_to_date(connection, *_tables(), later[:1], "thing")
        assert (refused.value.held, refused.value.known) == (3, 2)
