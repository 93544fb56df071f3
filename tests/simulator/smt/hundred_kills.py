"""A hundred kills (``make crash``): every boundary of SMT and head-end several times, with and without a meter that fails, every fifth on PostgreSQL.

And a head-end's batch killed at every passing of each of its boundaries.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from headend.boundaries import HEADEND_BOUNDARIES, PUSH_BOUNDARIES, SMT_BOUNDARIES
from tests.simulator.smt import crash_day
from tests.simulator.smt.crash_headend_play import play_headend
from tests.simulator.smt.crash_play import play
from tests.simulator.smt.crash_push_play import play_push
from tests.simulator.smt.rig import NEIGHBOUR, PLAIN

KILLS, AT_HEADEND = 100, 36
#: At which passing: no play passes a boundary less often.
TURNS = {name: 1 for name in (*SMT_BOUNDARIES, *HEADEND_BOUNDARIES) if "recovery" in name}
FAILS = [(), (NEIGHBOUR,), (PLAIN, NEIGHBOUR)]
#: A meter without power gives nothing back.
TURNS["headend.read.after"] = 2
#: Each costs a silent meter's wait, so that fewer plays have them.
SILENT = [(), (), (NEIGHBOUR,)]


def kills() -> list[tuple[str, tuple[str, ...], bool]]:
    """Boundary with passing, ESI IDs that fail, whether SMT is on PostgreSQL."""
    at_smt = itertools.islice(itertools.product(range(3), FAILS, SMT_BOUNDARIES), KILLS - AT_HEADEND)
    at_headend = itertools.islice(itertools.product(range(3), HEADEND_BOUNDARIES), AT_HEADEND)
    rounds = [*at_smt, *((turn, SILENT[turn], name) for turn, name in at_headend)]
    told = [(f"{name}:{min(turn + 1, TURNS.get(name, 3))}", fails) for turn, fails, name in rounds]
    return [(*one, number % 5 == 4) for number, one in enumerate(told)]


@pytest.mark.parametrize(("crash_at", "fails", "on_postgres"), kills())
def test_killed(crash_at: str, fails: tuple[str, ...], on_postgres: bool, request: pytest.FixtureRequest) -> None:
    url = _database(on_postgres, request)
    at = play_headend if crash_at.startswith("headend.") else play
    assert at(crash_at, frozenset(fails), url).killed, "it never came to that boundary"


@pytest.mark.parametrize(("number", "crash_at"), list(enumerate(crash_day.PASSINGS)))
def test_a_batch_killed(number: int, crash_at: str, request: pytest.FixtureRequest) -> None:
    crash_day.check(crash_at, _database(number % 5 == 4, request))


@pytest.mark.parametrize(("number", "crash_at"), list(enumerate(2 * PUSH_BOUNDARIES)))
def test_a_push_killed(number: int, crash_at: str, request: pytest.FixtureRequest) -> None:
    assert play_push(crash_at, _database(number % 5 == 4, request)), "it never came to that boundary"


def _database(on_postgres: bool, request: pytest.FixtureRequest) -> str:
    if not on_postgres:
        return ""
    make: Callable[[], str] = request.getfixturevalue("new_database")
    return make()
