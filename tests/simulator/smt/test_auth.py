"""Logins and tokens by an injected wall clock."""

from __future__ import annotations

import time

from simulator.smt.auth import AuthLimits, Gatekeeper, LoginFault, Token, TokenKind, hash_password, password_is
from simulator.smt.registry import User, UserKind

USER = User("maria", hash_password("right"), UserKind.CUSTOMER)


class Wall:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def gatekeeper(wall: Wall) -> Gatekeeper:
    return Gatekeeper({"maria": USER}, wall, AuthLimits())


def test_a_market_token_lives_an_hour_however_often_it_is_used() -> None:
    wall = Wall()
    gate = gatekeeper(wall)
    token = gate.issue(USER, TokenKind.MARKET)
    assert token == Token(token.text, 1_000, 4_600)
    wall.now += 3599
    assert gate.user_of(token.text, TokenKind.MARKET) is USER
    wall.now += 1
    assert gate.user_of(token.text, TokenKind.MARKET) is None


def test_a_portal_token_lives_fifteen_minutes_from_its_last_use() -> None:
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
    gate = gatekeeper(wall)
    token = gate.issue(USER, TokenKind.MARKET).text
    assert gate.user_of(token, TokenKind.PORTAL) is None
    assert gatekeeper(wall).user_of(token, TokenKind.MARKET) is None
    assert gate.user_of("no token", TokenKind.MARKET) is None


def test_five_bad_logins_block_even_the_right_password_for_a_while() -> None:
    wall = Wall()
    gate = gatekeeper(wall)
    for _ in range(5):
        assert gate.login("maria", "wrong") is LoginFault.WRONG_PASSWORD
    assert gate.login("maria", "right") is LoginFault.BLOCKED
    assert gate.login("nobody", "right") is LoginFault.UNKNOWN_USER
    wall.now += 300
    assert gate.login("maria", "right") is USER


def test_a_good_login_forgets_the_bad_ones() -> None:
    gate = gatekeeper(Wall())
    for _ in range(3):
        for _ in range(4):
            gate.login("maria", "wrong")
        assert gate.login("maria", "right") is USER


def test_a_password_is_checked_well_within_what_the_loop_may_block() -> None:
    begin = time.perf_counter()
    for _ in range(10):
        assert password_is(USER, "right")
    assert (time.perf_counter() - begin) / 10 < 0.05
