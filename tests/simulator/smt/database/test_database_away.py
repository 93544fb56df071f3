"""SMT while its database is locked, away, another's or another one: it stays up, says so, and goes on; nothing waits for ever."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, select, text, update
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from headend.ports import FAULT, HeadEndError
from meters.calendar import micros
from simulator.errors import SimulatorError
from simulator.smt.database import engine as database
from simulator.smt.database.engine import writing
from simulator.smt.database.seat import Role, Seat
from simulator.smt.database.tables import dispatcher_sweep
from simulator.smt.ondemand.dispatch import Dispatcher
from simulator.smt.ondemand.ledger import Ledger
from simulator.smt.ondemand.lifecycle import State
from simulator.smt.usage import intake
from tests.simulator.smt.doors.test_operations import metric
from tests.simulator.smt.postgres import DATABASES, opened
from tests.simulator.smt.rig import NEIGHBOUR, TDSP_DUNS, Rig


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_MS", 10)
    monkeypatch.setattr(database, "TRIED_MS", 10)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Another process is writing to the database."""
    other = sqlite3.connect(folder / "smt.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


def away(*_: object) -> None:
    raise OperationalError("SELECT", {}, Exception("away"))


async def health(rig: Rig) -> tuple[int, str]:
    reply = await rig.client.get("/healthz")
    return reply.status_code, reply.json()["database"]


def states(rig: Rig, key: str) -> list[State]:
    entry = rig.smt.ledger.entry(key)
    assert entry is not None
    return [step.state for step in entry.transitions]


async def test_a_request_that_waits_while_the_database_is_locked_goes_on_afterwards(tmp_path: Path, rig: Rig) -> None:
    key = (await rig.asked())["correlationId"]
    await rig.wait(1)
    with locked(tmp_path):
        await rig.wait(200)
        assert await health(rig) == (503, "unwritable")
        assert states(rig, key)[-1] is State.QUEUED
    assert await health(rig) == (200, "ok")
    await rig.wait(200)
    assert states(rig, key)[-1] is State.COMPLETED
    # At its pick-up; the looks while the lock lasted left it alone.
    assert len(rig.notes.of(FAULT)) == 1
    assert len(rig.notes.of("queue not read")) == 3


async def test_a_disk_without_room_is_told_before_a_request_finds_none(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await health(rig) == (200, "ok")
    monkeypatch.setattr("simulator.smt.database.engine.LEAST_FREE", 1 << 60)
    assert await health(rig) == (503, "unwritable")


def test_who_writes_has_the_database_from_the_beginning_of_the_transaction(tmp_path: Path) -> None:
    with (
        opened(f"sqlite:///{tmp_path / 'smt.db'}") as engine,
        contextlib.closing(sqlite3.connect(tmp_path / "smt.db", timeout=0)) as other,
    ):
        # Two that began as readers would both decide by what they have read.
        with writing(engine), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")


def test_only_the_first_of_those_who_find_the_database_locked_waits_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def write(engine: Engine) -> None:
        with writing(engine) as connection:
            # What the connection is set to while it waits.
            asked.append(str(connection.exec_driver_sql("PRAGMA busy_timeout").scalar()))

    monkeypatch.setattr(database, "TRIED_MS", 1)
    with opened(f"sqlite:///{tmp_path / 'smt.db'}") as engine:
        with locked(tmp_path):
            for _ in range(2):
                with pytest.raises(OperationalError):
                    write(engine)
        write(engine)
        write(engine)
    # The first that gets through is still a mere try.
    assert asked == ["1", "10"]


async def test_what_was_on_its_way_when_the_database_went_away_fails_and_gives_its_allowance_back(
    rig: Rig,
) -> None:
    key = (await rig.asked())["correlationId"]
    # Picked up after 10 s; the answer comes 5 s later.
    await rig.wait(12)
    event.listen(rig.smt._engine, "before_cursor_execute", away)
    await rig.wait(300)
    assert (await health(rig))[0] == 503
    event.remove(rig.smt._engine, "before_cursor_execute", away)
    await rig.wait(61)
    assert states(rig, key)[-1] is State.FAILED
    assert (await rig.asked())["statusCode"] == "0"


async def test_an_end_that_was_undone_is_neither_noted_nor_counted(rig: Rig) -> None:
    await rig.asked()
    await rig.wait(70)
    event.listen(rig.smt._engine, "commit", away, once=True)
    await rig.wait(90)
    assert rig.notes.of("request completed") == []
    assert len(rig.notes.of("request failed")) == 1
    assert await metric(rig, "ami_smt_odr_seconds_count") == {'{kind="REGISTER",state="failed"}': 1}


async def test_the_end_of_a_report_is_written_when_the_database_takes_it_again(tmp_path: Path) -> None:
    async def make(_key: str) -> tuple[str, bytes] | None:
        return None

    async with Rig(tmp_path) as rig:
        key = rig.smt.deliveries.order("lonestar.api", "t", "usage", "all", rig.smt.now_us(), make)
        with locked(tmp_path):
            await rig.wait(1)
        asked = rig.smt.deliveries.request(key, "lonestar.api")
        assert asked is not None
        assert asked.ended_us is None
        await rig.wait(60)
        asked = rig.smt.deliveries.request(key, "lonestar.api")
        assert asked is not None
        assert asked.ended_us is not None


async def test_a_posted_file_waits_for_a_locked_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "_WAITS_S", (0, 0))
    async with Rig(tmp_path) as rig:
        path = tmp_path / f"{TDSP_DUNS}IntervalData20260812073000001.lse"
        path.write_bytes(b"nothing that is a record\n")
        monkeypatch.setattr(rig.smt.intake, "take_in", _busy_twice(rig.smt.intake.take_in))
        rig.smt.intake.on_file("wires", path)
        await rig.wait(1)
        assert len(rig.notes.of("intake")) == 1


def _busy_twice(take_in: Callable[..., Any]) -> Callable[..., Any]:
    left = [away, away]

    def busy(*words: Any) -> Any:
        if left:
            left.pop()()
        return take_in(*words)

    return busy


async def test_a_database_file_that_was_removed_is_told_and_not_worked_on(tmp_path: Path, rig: Rig) -> None:
    await rig.asked()
    os.rename(tmp_path / "smt.db", tmp_path / "elsewhere.db")
    reply = await rig.client.get("/healthz")
    assert (reply.status_code, reply.json()["database"]) == (503, "replaced")
    assert "put it back" in reply.json()["reason"]
    await rig.wait(300)
    assert not (tmp_path / "smt.db").exists()
    os.rename(tmp_path / "elsewhere.db", tmp_path / "smt.db")
    await rig.wait(300)
    assert await health(rig) == (200, "ok")
    assert rig.smt.ledger.open_keys() == []


# -- PostgreSQL: sessions end, as when the server is started anew ---------------------------------------------------


@contextlib.contextmanager
def engine_of(url: str) -> Iterator[Engine]:
    engine = create_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def end_sessions(server: str, url: str) -> None:
    """End every session of a database but our own."""
    with engine_of(server) as engine, engine.connect() as connection:
        ending = text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name")
        connection.execute(ending, {"name": url.rsplit("/", 1)[-1].split("?")[0]}).all()


async def test_a_seat_whose_session_ended_is_taken_again_before_anything_else_is_done(
    tmp_path: Path, postgres: str, postgres_url: str
) -> None:
    async with Rig(tmp_path, database_url=postgres_url) as rig:
        end_sessions(postgres, postgres_url)
        key = (await rig.asked())["correlationId"]
        with engine_of(postgres_url) as other, pytest.raises(SimulatorError) as caught:
            Seat(other, Role.ALONE)
        assert caught.value.code == "smt.database.in_use"
        # Nobody asks for anything: the dispatcher's look, or health, finds out.
        end_sessions(postgres, postgres_url)
        assert await health(rig) == (200, "ok")
        end_sessions(postgres, postgres_url)
        await rig.wait(100)
        assert states(rig, key)[-1] is State.COMPLETED
        assert rig.notes.of(FAULT) == []


def test_a_seat_is_not_lost_to_a_session_of_its_own_whose_end_the_server_has_not_seen(postgres_url: str) -> None:
    with opened(postgres_url) as engine:
        seat = Seat(engine, Role.ALONE)
        assert seat._session is not None
        broken: int = seat._session.connection.dbapi_connection.pgconn.socket  # type: ignore[union-attr]
        # The server's end stays open, ours leads nowhere.
        kept, nowhere = os.dup(broken), os.open(os.devnull, os.O_RDWR)
        try:
            os.dup2(nowhere, broken)
            seat.look()
            assert seat.dispatcher_alive()
        finally:
            os.close(kept)
            os.close(nowhere)
            seat.release()


async def test_who_has_lost_its_seat_to_another_does_not_work_on_the_database(
    tmp_path: Path, postgres: str, postgres_url: str
) -> None:
    async with Rig(tmp_path, database_url=postgres_url) as rig:
        key = (await rig.asked())["correlationId"]
        end_sessions(postgres, postgres_url)
        with engine_of(postgres_url) as other:
            seat = Seat(other, Role.ALONE)
            assert await health(rig) == (503, "taken")
            await rig.wait(300)
            with other.connect() as connection:
                kept = connection.scalars(text("SELECT state FROM odr_open")).all()
            assert kept == ["accepted"]
            assert "start this one again" in rig.notes.of("database lost")[0]["reason"]
            with pytest.raises(Exception, match="Another SMT has taken"):
                await rig.asked(ESIID=NEIGHBOUR)
            seat.release()
        # What it has in memory may be old: it does not come back by itself.
        assert await health(rig) == (503, "taken")
    async with Rig(tmp_path, database_url=postgres_url) as rig:
        await rig.wait(100)
        assert states(rig, key)[-1] is State.COMPLETED


@pytest.mark.parametrize("kind", DATABASES)
async def test_a_start_that_fails_leaves_neither_seat_nor_connection(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url: str = request.getfixturevalue("postgres_url") if kind == "postgresql" else ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Dispatcher, "recover", away)
        with pytest.raises(OperationalError):
            Rig(tmp_path, database_url=url)
    if url:
        with engine_of(url) as engine, engine.connect() as connection:
            mine = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            assert connection.scalar(mine) == 1
    async with Rig(tmp_path, database_url=url) as rig:
        assert await health(rig) == (200, "ok")


@pytest.mark.parametrize("kind", DATABASES)
def test_eight_threads_that_write_wait_for_each_other_and_none_finds_the_database_locked(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'smt.db'}" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    with opened(url) as engine:
        Ledger(engine).note_sweep(micros(0))

        def write(_: int) -> None:
            for _ in range(20):
                with writing(engine, turns=("sweep",)) as connection:
                    swept = connection.scalars(select(dispatcher_sweep.c.swept_us)).one()
                    connection.execute(update(dispatcher_sweep).values(swept_us=swept + 1))

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(write, range(8)))
        assert Ledger(engine).swept_us() == 160


def test_a_file_that_another_smt_has_is_refused_by_whichever_link_it_is_named(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'smt.db'}") as first:
        seat = Seat(first, Role.ALONE)
        (tmp_path / "link.db").symlink_to("smt.db")
        with opened(f"sqlite:///{tmp_path / 'link.db'}") as second:
            with pytest.raises(SimulatorError, match=r"smt\.database\.in_use: .*link\.db: Another SMT"):
                Seat(second, Role.ALONE)
            seat.release()
            Seat(second, Role.ALONE).release()
    # Two names of one file are told by no lock beside either; and SQLite's own URLs have more spellings than can be told apart.
    (tmp_path / "hard.db").hardlink_to(tmp_path / "smt.db")
    for name in ("smt.db", "hard.db"):
        with opened(f"sqlite:///{tmp_path / name}") as either, pytest.raises(HeadEndError, match=r"database\.linked"):
            Seat(either, Role.ALONE)
    with pytest.raises(SimulatorError, match=r"smt\.database\.uri: --database"):
        database.open_database(f"sqlite:///file:{tmp_path / 'smt.db'}?uri=true")


def test_a_try_to_write_does_not_wait_long_for_another_thread(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'smt.db'}") as engine, ThreadPoolExecutor(1) as thread:
        with writing(engine), pytest.raises(SQLAlchemyError, match="another writer"):
            thread.submit(database.try_writing, engine).result()
        database.try_writing(engine)
