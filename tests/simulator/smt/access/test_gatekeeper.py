"""Logins and tokens by an injected wall clock, remembered in memory and in a database that others share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulator.smt.access.gatekeeper import AuthLimits, Gatekeeper, LoginFault, Token, TokenKind
from simulator.smt.access.logins import USE_S, DatabaseLogins
from simulator.smt.registry.passwords import hash_password, password_is
from simulator.smt.registry.records import User, UserKind
from tests.simulator.smt.postgres import opened

USER = User("maria", hash_password("right"), UserKind.CUSTOMER)


class Wall:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


Make = Callable[[Wall], Gatekeeper]


def alone(wall: Wall) -> Gatekeeper:
    return Gatekeeper({"maria": USER}, wall, AuthLimits())


def sharing(url: str) -> Iterator[Make]:
    """Makes gatekeepers of processes that share a database."""
    with opened(url) as engine:
        yield lambda wall: Gatekeeper({"maria": USER}, wall, AuthLimits(), DatabaseLogins(engine))


@pytest.fixture(params=["memory", "database"])
def gatekeeper(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    if request.param == "memory":
        yield alone
    else:
        yield from sharing(f"sqlite:///{tmp_path / 'smt.db'}")


@pytest.fixture
def worker(postgres_url: str) -> Iterator[Make]:
    yield from sharing(postgres_url)


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


def test_bad_logins_at_several_workers_add_up_and_a_good_one_forgets_them_at_all(worker: Make) -> None:
    wall = Wall()
    first, second = worker(wall), worker(wall)
    for _ in range(2):
        for turn in range(4):
            assert (first, second)[turn % 2].login("maria", "wrong") is LoginFault.WRONG_PASSWORD
        assert second.login("maria", "right") is USER
    for turn in range(5):
        assert (first, second)[turn % 2].login("maria", "wrong") is LoginFault.WRONG_PASSWORD
    assert {gate.login("maria", "right") for gate in (first, second)} == {LoginFault.BLOCKED}
    wall.now += 300
    assert first.login("maria", "right") is USER


@pytest.mark.parametrize("name", ["\x00", "\ud800", "x" * 100_000])
def test_a_name_that_no_database_can_hold_is_an_unknown_user(worker: Make, name: str) -> None:
    assert worker(Wall()).login(name, "wrong") is LoginFault.UNKNOWN_USER


def test_five_bad_logins_block_even_the_right_password_for_a_while(gatekeeper: Make) -> None:
    wall = Wall()
    gate = gatekeeper(wall)
    for _ in range(5):
        assert gate.login("maria", "wrong") is LoginFault.WRONG_PASSWORD
    assert gate.login("maria", "right") is LoginFault.BLOCKED
    assert gate.login("nobody", "right") is LoginFault.UNKNOWN_USER
    wall.now += 300
    assert gate.login("maria", "right") is USER


def test_a_good_login_forgets_the_bad_ones(gatekeeper: Make) -> None:
    gate = gatekeeper(Wall())
    for _ in range(3):
        for _ in range(4):
            gate.login("maria", "wrong")
        assert gate.login("maria", "right") is USER


def test_a_password_is_checked_well_within_what_the_loop_may_block() -> None:
    begin = time.process_time()
    for _ in range(10):
        assert password_is(USER, "right")
    assert (time.process_time() - begin) / 10 < 0.05
