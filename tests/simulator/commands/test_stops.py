"""Each command that serves, stopped in the middle of its start, at its ready line and a millisecond later; a hundred times by ``make stops``."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.simulator.commands.stop_play import COMMANDS, WITHIN_S, stop


@pytest.mark.process
@pytest.mark.parametrize("name", ["sandbox", "meters", "headend", "smt", "ror"])
def test_a_signal_at_any_moment_is_one_line_the_documented_exit_and_leaves_nothing_open(
    name: str, tmp_path: Path
) -> None:
    words = COMMANDS[name](tmp_path)
    first = stop(words, signal.SIGINT, None)
    # However many others want the processor.
    for one in (first, stop(words, signal.SIGTERM, first.came_s / 2), stop(words, signal.SIGTERM, None, 0.001)):
        assert one.took_s - one.waited_s < WITHIN_S
