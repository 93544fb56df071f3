"""The access log: what is kept of a read, once an exchange, in batches."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from headend.http.exchange import _CURRENT, Exchange
from meters.calendar import micros
from simulator.smt.access import log
from simulator.smt.access.log import AccessLog, What
from simulator.smt.database import engine as database
from simulator.smt.registry.records import User, UserKind
from tests.simulator.smt.postgres import opened

USER = User("pecanbend.api", "", UserKind.ROR, duns="1234567890000")
ESIID, OTHER = "10443720000000017", "10443720000000025"
NOW = micros(1_786_554_000_000_000)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with opened(f"sqlite:///{tmp_path / 'smt.db'}") as engine:
        yield engine


@pytest.fixture
def kept(engine: Engine) -> AccessLog:
    return AccessLog(engine, lambda: NOW)


def _within(path: str, trans_id: str = "") -> Exchange:
    exchange = Exchange(path=path, trans_id=trans_id)
    _CURRENT.set(exchange)
    return exchange


def test_both_channels_in_one_exchange_are_one_read_and_another_exchange_is_another(kept: AccessLog) -> None:
    for path, trans_id in (("/v2/15minintervalreads/", "T-1"), ("/api/usage", ""), ("", "")):
        _within(path, trans_id)
        for _ in range(2):
            kept.note(USER, ESIID, What.USAGE)
    told = kept.of(ESIID)
    assert sorted((one.door, one.transId) for one in told) == [("", ""), ("market", "T-1"), ("portal", "")]
    assert {(one.username, one.duns, one.what) for one in told} == {("pecanbend.api", "1234567890000", What.USAGE)}
    assert kept.of(OTHER) == []


def test_status_of_a_request_names_the_request_and_so_does_its_exchange(kept: AccessLog) -> None:
    exchange = _within("/v2/odr/status")
    kept.note(USER, ESIID, What.STATUS, "482915007734")
    assert exchange.correlation_id == "482915007734"
    assert [one.correlationId for one in kept.of(ESIID, most=1)] == ["482915007734"]


def test_what_waits_is_written_in_time_and_at_once_when_it_is_many(
    kept: AccessLog, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "MOST_WAITING", 3)
    other = AccessLog(engine, lambda: NOW)

    async def read(count: int) -> None:
        for _ in range(count):
            _within("/v2/x")
            kept.note(USER, ESIID, What.USAGE)

    async def steps() -> list[int]:
        await read(2)
        seen = [len(other.of(ESIID))]
        await read(1)
        seen.append(len(other.of(ESIID)))
        await read(1)
        kept._in_time()
        seen.append(len(other.of(ESIID)))
        return seen

    assert asyncio.run(steps()) == [0, 3, 4]


def test_a_database_that_is_away_loses_nothing_until_it_is_back(
    kept: AccessLog, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = [True]
    real = database.writing

    def writing(engine: Engine) -> object:
        if away[0]:
            raise SQLAlchemyError("away")
        return real(engine)

    monkeypatch.setattr(log, "writing", writing)

    async def steps() -> None:
        _within("/v2/x")
        kept.note(USER, ESIID, What.USAGE)
        kept._in_time()

    asyncio.run(steps())
    with pytest.raises(SQLAlchemyError):
        kept.flush()
    away[0] = False
    assert len(kept.of(ESIID)) == 1


def test_what_waits_for_a_database_that_stays_away_is_bounded_and_the_oldest_goes_first(
    kept: AccessLog, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_engine: Engine) -> object:
        raise SQLAlchemyError("away")

    monkeypatch.setattr(log, "MOST_WAITING", 2)

    async def steps() -> None:
        for number in range(201):
            _within("/v2/x")
            with contextlib.suppress(SQLAlchemyError):
                kept.note(USER, ESIID, What.STATUS, f"{number}")
        kept._in_time()

    with monkeypatch.context() as gone:
        gone.setattr(log, "writing", away)
        asyncio.run(steps())
    assert {int(one.correlationId) for one in kept.of(ESIID)} == set(range(2, 201))


def test_outside_of_a_loop_a_read_is_written_at_once(kept: AccessLog, engine: Engine) -> None:
    _within("/api/usage")
    kept.note(USER, ESIID, What.ATTRIBUTES)
    assert [one.door for one in AccessLog(engine, lambda: NOW).of(ESIID)] == ["portal"]
