"""Many rows at once: on both databases what went in comes out, whatever stands in it, and SQLite's log is settled behind them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text

from simulator.smt.database import engine as engine_module
from simulator.smt.database.engine import add_rows, settle, writing
from simulator.smt.database.tables import interval_day, posting_refusal
from tests.simulator.smt.postgres import DATABASES, opened


def rows(count: int) -> list[dict[str, Any]]:
    """Days with every octet, and none, and a file name that no format likes."""
    plain = {
        "channel": 4,
        "day": date(2026, 3, 8),
        "revision": 1,
        "start_wh": None,
        "stop_wh": 10**15,
        "wh": bytes(range(256)),
    }
    more = {
        "estimated": b"",
        "posted_at": 2**40,
        "loaded_at": -1,
        "file_name": "a\t\\N\n'%s\" ü",
        "posting": 7,
        "ror": None,
    }
    return [{"esiid": str(10**17 + row)} | plain | more for row in range(count)]


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("count", [0, 1, 76, 77, 200])
def test_what_goes_in_comes_out(database: str, count: int, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = f"sqlite:///{tmp_path / 'smt.db'}" if database == "sqlite" else request.getfixturevalue("postgres_url")
    with opened(url) as engine:
        with writing(engine) as connection:
            add_rows(connection, interval_day, rows(count))
        with engine.connect() as connection:
            found = connection.execute(select(interval_day).order_by(interval_day.c.esiid)).mappings().all()
            assert [dict(one) for one in found] == rows(count)
        settle(engine)


def test_a_column_whose_name_is_a_word_of_sql_is_one(tmp_path: Path) -> None:
    row = {"at": 1, "username": "u", "name": "n", "esiid": "", "channel": "", "day": "", "code": "04", "text": "t"}
    with opened(f"sqlite:///{tmp_path / 'smt.db'}") as engine, writing(engine) as connection:
        add_rows(connection, posting_refusal, [row] * 3)
        assert connection.scalar(select(func.count()).select_from(posting_refusal)) == 3


def test_what_is_settled_nobody_else_has_to_move(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'smt.db'}") as engine:
        with writing(engine) as connection:
            connection.execute(insert(interval_day), rows(50))
        settle(engine)
        with engine.connect() as connection:
            busy, logged, moved = connection.execute(text("PRAGMA wal_checkpoint(PASSIVE)")).one()
    assert (busy, logged > 0, moved) == (0, True, logged)


def test_no_statement_has_more_parameters_than_an_older_sqlite_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert engine_module._PARAMETERS <= 999
    monkeypatch.setattr(engine_module, "_PARAMETERS", 30)
    with opened(f"sqlite:///{tmp_path / 'smt.db'}") as engine, writing(engine) as connection:
        raw: Any = connection.connection.driver_connection
        asked: list[str] = []
        raw.set_trace_callback(asked.append)
        add_rows(connection, interval_day, rows(5))
        raw.set_trace_callback(None)
    assert len([statement for statement in asked if statement.startswith("INSERT")]) == 3
