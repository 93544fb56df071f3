"""The tests' own processes: one that ended since it was looked at is no failure."""

import signal

import pytest

from tests.simulator.processes import Forked, ending, patience


def ends() -> None:
    pass


@pytest.mark.process
def test_a_signal_to_a_process_that_has_ended_and_was_waited_for_is_none() -> None:
    process = Forked(ends)
    with ending(process):
        assert process.wait(patience()) == 0
        process.send_signal(signal.SIGKILL)
    assert process.returncode == 0
