"""A hundred stops of each command that serves (``make stops``), with every core busy: before the ready line, at it, a millisecond and more after it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.simulator.commands.stop_play import COMMANDS, WITHIN_S, moment, stop
from tests.simulator.processes import ending

STOPS = 100
#: Every tenth in an interpreter of its own, as a user starts it.
FRESH = 10


@pytest.fixture(autouse=True, scope="module")
def busy() -> Iterator[None]:
    """Both cores busy, or however many there are."""
    load = [subprocess.Popen([sys.executable, "-c", "while True: pass"], text=True) for _ in range(os.cpu_count() or 1)]
    with ending(*load):
        yield


@pytest.fixture(scope="module")
def takes() -> dict[tuple[str, bool], float]:
    """How long a start of each command takes, as far as it is known."""
    return {}


@pytest.mark.parametrize("number", range(STOPS))
@pytest.mark.parametrize("name", COMMANDS)
def test_stopped(
    name: str, number: int, takes: dict[tuple[str, bool], float], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    fresh = number % FRESH == FRESH - 1
    words = COMMANDS[name](tmp_path)
    if name in ("dispatcher", "worker"):
        make: Callable[[], str] = request.getfixturevalue("new_database")
        words += ["--database", make()]
    if (name, fresh) not in takes:
        takes[name, fresh] = stop(words, 2, None, fresh=fresh).came_s
    # With every core busy, and no more than that, all of it.
    assert stop(words, *moment(number, STOPS, takes[name, fresh]), fresh=fresh).took_s < WITHIN_S
