"""Tokens by an injected wall clock, remembered in memory and in a database that others share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulator.smt.access.gatekeeper import AuthLimits, Gatekeeper, Token, TokenKind
from simulator.smt.access.logins import USE_S, DatabaseLogins
from simulator.smt.registry.log_in import LoginFault, LoginGuard
from simulator.smt.registry.passwords import hash_password
from simulator.smt.registry.records import User, UserKind
from tests.simulator.smt.postgres import DATABASES, opened

USER = User("maria", hash_password("right"), UserKind.CUSTOMER)


class Wall:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


Make = Callable[[Wall], Gatekeeper]


def alone(wall: Wall) -> Gatekeeper:
    return _gate(wall, None)


def _gate(wall: Wall, logins: DatabaseLogins | None) -> Gatekeeper:
    users = {"maria": USER}
    return Gatekeeper(users, wall, LoginGuard(users, wall, lambda *_: None), AuthLimits(), logins)


def sharing(url: str) -> Iterator[Make]:
    """Makes gatekeepers of processes that share a database."""
    with opened(url) as engine:
        yield lambda wall: _gate(wall, DatabaseLogins(engine))


@pytest.fixture(params=["memory", "database"])
def gatekeeper(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    if request.param == "memory":
        yield alone
    else:
        yield from sharing(f"sqlite:///{tmp_path / 'smt.db'}")


@pytest.fixture(params=DATABASES)
def worker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    alone = request.param == "sqlite"
    yield from sharing(f"sqlite:///{tmp_path / 'smt.db'}" if alone else request.getfixturevalue("postgres_url"))


def test_a_market_token_lives_an_hour_however_often_it_is_used(gatekeeper: Make) -> None:
    wall = Wall()
    gate = gatekeeper(wall)
    token = gate.issue(USER, TokenKind.MARKET)
    assert token == Token(token.text, 1_000, 4_600)
    wall.now += 3599
    assert gate.user_of(token.text, TokenKind.MARKET) is USER
    wall.now += 1
    assert gate.user_of(token.text, TokenKind.MARKET) is None


def test_a_portal_token_lives_fifteen_minutes_from_its_last_use(gatekeeper: Make) -> None:
    wall = Wall()
    gate = gatekeeper(wall)
    token = gate.issue(USER, TokenKind.PORTAL).text
    for _ in range(5):
        wall.now += 899
        assert gate.user_of(token, TokenKind.PORTAL) is USER
    wall.now += 900
    assert gate.user_of(token, TokenKind.PORTAL) is None
    assert gate.user_of(token, TokenKind.PORTAL) is None


def test_a_token_opens_one_door_of_one_gatekeeper() -> None:
    wall = Wall()
    gate = alone(wall)
    token = gate.issue(USER, TokenKind.MARKET).text
    assert gate.user_of(token, TokenKind.PORTAL) is None
    assert alone(wall).user_of(token, TokenKind.MARKET) is None
    assert gate.user_of("no token", TokenKind.MARKET) is None


def test_a_portal_token_used_at_one_worker_lives_on_at_all(worker: Make) -> None:
    wall = Wall()
    first, second = worker(wall), worker(wall)
    token = first.issue(USER, TokenKind.PORTAL).text
    for turn in range(6):
        wall.now += 899
        assert (first, second)[turn % 2].user_of(token, TokenKind.PORTAL) is USER
    # What is used within a second of a use is not written again: the life is at most so much shorter elsewhere.
    wall.now += USE_S / 2
    assert second.user_of(token, TokenKind.PORTAL) is USER
    wall.now += 900 - USE_S / 2
    assert first.user_of(token, TokenKind.PORTAL) is None
    assert second.user_of(token, TokenKind.PORTAL) is None


def test_what_is_no_token_of_ours_is_not_kept() -> None:
    gatekeeper = alone(Wall())
    token = gatekeeper.issue(USER, TokenKind.PORTAL).text
    for number in range(20):
        assert gatekeeper.user_of(f"{number}{'a' * 60_000}", TokenKind.PORTAL) is None
    assert gatekeeper.user_of(token, TokenKind.PORTAL) is USER
    assert gatekeeper._signed.cache_info().currsize == 1


def test_whose_a_token_of_ours_was_is_known_when_it_is_dead_too(gatekeeper: Make) -> None:
    wall = Wall()
    gate = gatekeeper(wall)
    tokens = [gate.issue(USER, kind).text for kind in TokenKind]
    wall.now += 100_000
    assert [gate.user_of(text, kind) for text, kind in zip(tokens, TokenKind, strict=True)] == [None] * 3
    assert [gate.named(text) for text in (*tokens, "no token")] == [USER] * 3 + [None]


def test_a_token_that_nobody_used_for_its_life_is_forgotten_when_another_is_issued(gatekeeper: Make) -> None:
    wall = Wall()
    gate = gatekeeper(wall)
    left, used = (gate.issue(USER, TokenKind.PORTAL).text for _ in range(2))
    wall.now += 600
    assert gate.user_of(used, TokenKind.PORTAL) is USER
    wall.now += 300
    gate.issue(USER, TokenKind.PORTAL)
    # By a clock that is set back, what is forgotten does not come back.
    wall.now -= 200
    assert [gate.user_of(text, TokenKind.PORTAL) for text in (left, used)] == [None, USER]


async def test_a_log_in_is_checked_and_a_wrong_password_is_a_fault() -> None:
    gate = alone(Wall())
    assert await gate.login("maria", "right", "127.0.0.1") is USER
    faults = [await gate.login(name, "wrong", "127.0.0.1") for name in ("maria", "nobody")]
    assert faults == [LoginFault.WRONG_PASSWORD, LoginFault.UNKNOWN_USER]
