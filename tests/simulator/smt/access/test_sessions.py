"""Sessions of browsers at the gatekeeper: two ends, and one that is made."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from simulator.smt.access.gatekeeper import AuthLimits, Gatekeeper, TokenKind
from simulator.smt.access.logins import DatabaseLogins, Logins, MemoryLogins
from simulator.smt.registry.log_in import LoginGuard
from simulator.smt.registry.records import User, UserKind

ANN = User("ann", "", UserKind.CUSTOMER)


class At:
    """A gatekeeper at a wall that a test moves."""

    def __init__(self) -> None:
        self.wall = 0.0
        guard = LoginGuard({"ann": ANN}, lambda: self.wall, lambda *_: None)
        self.gate = Gatekeeper({"ann": ANN}, lambda: self.wall, guard, AuthLimits(portal_life_s=100, web_life_s=250))

    def alive(self, text: str) -> bool:
        return self.gate.user_of(text, TokenKind.WEB) == ANN


def test_a_session_lives_by_its_uses_and_not_beyond_its_end() -> None:
    at = At()
    used, left = (at.gate.issue(ANN, TokenKind.WEB).text for _ in range(2))
    for wall, alive in ((99, True), (198, True), (249, True), (250, False)):
        at.wall = wall
        assert at.alive(used) is alive
    assert not at.alive(left)


def test_a_portal_token_has_no_end_but_that_of_its_last_use() -> None:
    at = At()
    text = at.gate.issue(ANN, TokenKind.PORTAL).text
    for at.wall in range(99, 999, 99):
        assert at.gate.user_of(text, TokenKind.PORTAL) == ANN


def test_what_is_ended_is_ended_alone() -> None:
    at = At()
    one, other = (at.gate.issue(ANN, TokenKind.WEB).text for _ in range(2))
    for text in (one, "nothing of ours", ""):
        at.gate.end(text, TokenKind.WEB)
    at.gate.end(other, TokenKind.PORTAL)
    assert (at.alive(one), at.alive(other)) == (False, True)


def test_a_seal_is_of_its_text_and_its_gatekeeper() -> None:
    one, other = At().gate, At().gate
    seals = [one.sealed("a"), one.sealed("b"), other.sealed("a")]
    assert (one.sealed("a"), len(set(seals)), {len(seal) for seal in seals}) == (seals[0], 3, {32})


@pytest.mark.parametrize("kept", ["memory", "database"])
def test_a_token_that_was_ended_is_used_no_more_wherever_that_is_remembered(engine: Engine, kept: str) -> None:
    logins: Logins = MemoryLogins() if kept == "memory" else DatabaseLogins(engine)
    logins.begin("a", 10, 0)
    assert logins.use("a", 11, 0)
    logins.end("a")
    assert not logins.use("a", 11, 0)
