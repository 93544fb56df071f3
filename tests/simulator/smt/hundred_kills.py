"""A hundred kills (``make crash``): every boundary several times, with and without a meter that fails, every fifth on PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from headend.boundaries import SMT_BOUNDARIES
from tests.simulator.smt.crash_play import forkserver, play
from tests.simulator.smt.postgres import new_database, postgres
from tests.simulator.smt.rig import NEIGHBOUR, PLAIN

__all__ = ["new_database", "postgres"]

KILLS = 100
#: At which passing: no play passes a boundary less often.
TURNS = {"recovery.before_commit": 1, "recovery.after_commit": 1}
FAILS = [(), (NEIGHBOUR,), (PLAIN, NEIGHBOUR)]


def kills() -> list[tuple[str, tuple[str, ...], bool]]:
    """Boundary with passing, ESI IDs that fail, whether on PostgreSQL."""
    rounds = itertools.product(range(3), FAILS, SMT_BOUNDARIES)
    told = [(f"{name}:{min(turn + 1, TURNS.get(name, 3))}", fails) for turn, fails, name in rounds]
    return [(*one, number % 5 == 4) for number, one in enumerate(told[:KILLS])]


@pytest.mark.parametrize(("crash_at", "fails", "on_postgres"), kills())
def test_killed(crash_at: str, fails: tuple[str, ...], on_postgres: bool, request: pytest.FixtureRequest) -> None:
    url = ""
    if on_postgres:
        make: Callable[[], str] = request.getfixturevalue("new_database")
        url = make()
    assert play(forkserver(), crash_at, frozenset(fails), url).killed, "it never came to that boundary"
