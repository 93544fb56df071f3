"""One schema on both databases: made, migrated, refused when newer; one seat each; several workers on PostgreSQL."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from meters.calendar import to_us
from simulator.errors import SimulatorError
from simulator.smt.database.engine import open_database, writing
from simulator.smt.database.migrations import MIGRATIONS
from simulator.smt.database.seat import Role, Seat
from simulator.smt.ondemand.lifecycle import State
from tests.schema_shape import shape
from tests.simulator.processes import Forked, patience
from tests.simulator.smt import crash_smt
from tests.simulator.smt.crash_play import (
    BEGUN,
    ScriptedHeadEnd,
    client,
    running,
    speed,
)
from tests.simulator.smt.postgres import DATABASES, opened, turns_taken
from tests.simulator.smt.rig import NEIGHBOUR, PLAIN, Rig


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'smt.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


def make_first_version(url: str) -> None:
    """A database as it was before versions were kept, with a request on its way and one that has ended."""
    with opened(url) as engine, engine.begin() as connection:
        for table in (
            "odr_open",
            "odr_call_back",
            "data_access",
            "dispatcher_sweep",
            "token_key",
            "schema_version",
            "throttle_mark",
            "throttle_limit",
            "report_request",
            "complaint",
            "login_fault",
            "portal_token",
            "usage_file",
            "interval_loading",
            "non_vee_batch",
            "non_vee_day",
            "file_event",
            "posting_refusal",
            "dispatcher_terms",
        ):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("DROP INDEX interval_day_of_file"))
        for column in ("posting", "ror"):
            connection.execute(text(f"ALTER TABLE interval_day DROP COLUMN {column}"))
        for column in ("amount", "counted"):
            connection.execute(text(f"ALTER TABLE throttle_lease DROP COLUMN {column}"))
        for column in ("rule", "field", "value"):
            connection.execute(text(f"ALTER TABLE odr_transition DROP COLUMN {column}"))
        connection.execute(text("ALTER TABLE odr_answer DROP COLUMN digest"))
        connection.execute(text("ALTER TABLE odr_request DROP COLUMN ror"))
        connection.execute(text("INSERT INTO throttle_window VALUES ('L', 'e', 0, 1, 1)"))
        for key, states in (("1", ["requested", "accepted", "sent"]), ("2", ["requested", "refused"])):
            for ordinal, state in enumerate(states):
                connection.execute(
                    text(
                        "INSERT INTO odr_transition (request_key, ordinal, state, at_us, reason, meter_allowed,"
                        " from_store, from_meter, meter_reads, octets)"
                        " VALUES (:key, :ordinal, :state, 5, '', :allowed, 0, 0, 0, 0)"
                    ),
                    {"key": key, "ordinal": ordinal, "state": state, "allowed": True},
                )


def test_an_older_database_is_migrated_to_what_a_fresh_one_is(
    database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    make_first_version(database_url)
    if database_url.startswith("sqlite"):
        fresh_url = f"sqlite:///{tmp_path / 'fresh.db'}"
    else:
        make: Callable[[], str] = request.getfixturevalue("new_database")
        fresh_url = make()
    with opened(database_url) as migrated, opened(fresh_url) as fresh:
        assert shape(migrated) == shape(fresh)
        with migrated.connect() as connection:
            assert connection.execute(text("SELECT * FROM odr_open")).all() == [("1", "sent", 5)]
            assert connection.execute(text("SELECT * FROM throttle_window")).all() == [("L", "e", 0, 1, 1)]
            versions = connection.scalars(text("SELECT version FROM schema_version ORDER BY version")).all()
        assert versions == [migration.version for migration in MIGRATIONS]
    with opened(database_url) as again, again.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM schema_version")) == len(MIGRATIONS)


def test_a_newer_database_is_refused_and_left_alone(database_url: str) -> None:
    with opened(database_url) as engine, engine.begin() as connection:
        connection.execute(
            text(f"INSERT INTO schema_version VALUES ({MIGRATIONS[-1].version + 1}, 0, 'of a later program')")
        )
    with pytest.raises(SimulatorError) as caught:
        open_database(database_url)
    assert caught.value.code == "smt.database.newer"
    assert str(MIGRATIONS[-1].version + 1) in caught.value.message


def test_two_that_want_a_database_for_themselves_are_one_too_many(database_url: str) -> None:
    with opened(database_url) as first, opened(database_url) as second:
        seat = Seat(first, Role.ALONE)
        assert seat.dispatcher_alive()
        with pytest.raises(SimulatorError) as caught:
            Seat(second, Role.ALONE)
        assert caught.value.code == "smt.database.in_use"
        seat.release()
        Seat(second, Role.ALONE).release()


def test_workers_need_postgresql_and_nobody_who_is_alone(tmp_path: Path, postgres_url: str) -> None:
    with opened(f"sqlite:///{tmp_path / 'smt.db'}") as engine, pytest.raises(SimulatorError) as caught:
        Seat(engine, Role.WORKER)
    assert caught.value.code == "smt.database.workers"
    with opened(postgres_url) as engine:
        seats = [Seat(engine, role) for role in (Role.WORKER, Role.DISPATCHER, Role.WORKER)]
        for role in (Role.ALONE, Role.DISPATCHER):
            with pytest.raises(SimulatorError) as caught:
                Seat(engine, role)
            assert caught.value.code == "smt.database.in_use"
        assert seats[0].dispatcher_alive()
        seats[1].release()
        assert not seats[0].dispatcher_alive()
        for seat in (seats[0], seats[2]):
            seat.release()


def test_a_database_that_cannot_be_reached_is_told_without_its_password() -> None:
    with pytest.raises(SimulatorError) as caught:
        open_database("postgresql://me:hush-hush@127.0.0.1:9/none")
    assert caught.value.code == "smt.database.open"
    assert "hush-hush" not in caught.value.message
    with pytest.raises(SimulatorError) as caught:
        open_database("mysql://me@127.0.0.1/none")
    assert caught.value.code == "smt.database.kind"


@pytest.mark.parametrize(("url", "driver"), [("postgresql", "psycopg"), ("postgresql+no_such", "no_such")])
def test_a_missing_driver_is_one_line_that_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch, url: str, driver: str
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    told = rf"^smt\.database\.driver: --database: There is no driver for 'postgresql\+{driver}' .*'ami-testbed\[postgres\]'\.$"
    with pytest.raises(SimulatorError, match=told):
        open_database(f"{url}://me@host/name")


async def test_a_request_goes_its_way_on_postgresql_as_on_sqlite(database_url: str, tmp_path: Path) -> None:
    async with Rig(tmp_path, database_url=database_url) as rig:
        rig.post_days()
        ack = await rig.asked(readType="INTERVALS")
        await rig.wait(100)
        status = await rig.status(ack["correlationId"])
        again = await rig.asked()
        day: dict[str, Any] = {"startDate": "08/10/2026", "endDate": "08/10/2026", "version": "L", "readingType": "C", "esiid": [PLAIN]}  # fmt: skip
        common = {"deliveryMode": "API", "reportFormat": "JSON", "SMTTermsandConditions": "Y"}
        read = (await rig.market("/15minintervalreads/", **day, **common)).json()
        assert (status["statusCode"], len(status["intervals"])) == ("0", 70)
        assert (again["statusCode"], len(read["energyData"])) == ("1", 1)


def test_workers_take_requests_and_the_dispatcher_runs_them_also_after_it_was_killed(postgres_url: str) -> None:
    head_end = ScriptedHeadEnd()
    dispatcher = crash_smt.Start(
        postgres_url, 0, head_end.url, to_us(BEGUN), time.time(), speed(), role=Role.DISPATCHER
    )
    worker = replace(dispatcher, role=Role.WORKER)

    def ended(port: int, key: str, process: Forked) -> dict[str, Any]:
        with client(port) as (http, who):
            deadline = time.monotonic() + patience()
            while True:
                status = http.post("/v2/odrstatus/", json={"trans_id": "p", "correlationId": key, **who}).json()
                if status["statusCode"] != "PEN":
                    return dict(status)
                assert time.monotonic() < deadline
                process.join(0.05)

    try:
        with running(worker) as (_, first), running(worker) as (_, second):
            # Head-ends call back to a worker here: whoever takes it in puts it by for the dispatcher.
            answering = replace(dispatcher, reply_port=second)
            with running(answering) as (process, _):
                with client(first) as (http, who):
                    key = http.post("/v2/odr/", json={"trans_id": "1", "ESIID": PLAIN, **who}).json()["correlationId"]
                    # Each takes the other's tokens.
                    meters = http.post(f"http://127.0.0.1:{second}/v2/odrstatus/", json={"trans_id": "x", "correlationId": key, **who})  # fmt: skip
                    assert meters.json()["correlationId"] == key
                # Asked at one worker, polled at the other: no memory of theirs is in the way.
                assert ended(second, key, process)["statusCode"] == "0"
                with client(second) as (http, who):
                    refused = http.post("/v2/odr/", json={"trans_id": "2", "ESIID": PLAIN, **who}).json()
                    assert refused["refusal"]["code"] == "FR-CR016.1b"
                process.kill()
                process.wait(patience())
            with client(first) as (http, who):
                assert http.get("/healthz").json()["dispatcher"] == "absent"
                # Taken on all the same: it waits in the queue.
                key = http.post("/v2/odr/", json={"trans_id": "3", "ESIID": NEIGHBOUR, **who}).json()["correlationId"]
            with running(answering) as (process, again):
                assert again
                assert ended(first, key, process)["statusCode"] == "0"
    finally:
        head_end.close()
    with opened(postgres_url) as engine, engine.connect() as connection:
        states = connection.scalars(text("SELECT state FROM odr_transition WHERE request_key = :key"), {"key": key})
        assert State.COMPLETED.value in set(states)


def test_turns_are_taken_in_one_order_however_they_are_named(postgres_url: str) -> None:
    # In orders of their own, two would wait for each other.
    with opened(postgres_url) as engine:

        def order(*turns: str) -> list[int]:
            with turns_taken(engine) as taken, writing(engine, turns=turns):
                return taken

        whole = order(*"abcdefgh")
        assert len(whole) == 8
        for turns in permutations("abcdefgh", 2):
            two = order(*turns)
            assert two == [key for key in whole if key in two]
