"""The verdict on several, and the exit code of each."""

from __future__ import annotations

import pytest

from simulator.runtime.driver import StalledError
from simulator.verdicts import Mark, exit_code_of, verdict_on


@pytest.mark.parametrize(
    ("marks", "verdict", "code"),
    [
        ([], Mark.NOT_EXERCISED, 1),
        ([Mark.SKIPPED, Mark.NOT_EXERCISED], Mark.SKIPPED, 1),
        ([Mark.EVIDENCE, Mark.SKIPPED], Mark.EVIDENCE, 1),
        ([Mark.PARTLY, Mark.EVIDENCE], Mark.PARTLY, 0),
        ([Mark.PASSED, Mark.PARTLY, Mark.SKIPPED, Mark.NOT_EXERCISED, Mark.EVIDENCE], Mark.PASSED, 0),
        ([Mark.PASSED, Mark.INCONCLUSIVE], Mark.INCONCLUSIVE, 3),
        ([Mark.PASSED, Mark.INCONCLUSIVE, Mark.FAILED], Mark.FAILED, 1),
    ],
)
def test_nothing_passed_is_no_success(marks: list[Mark], verdict: Mark, code: int) -> None:
    assert verdict_on(marks) is verdict
    assert exit_code_of(verdict) == code


def test_a_barrier_that_waited_too_long_is_inconclusive() -> None:
    assert StalledError("runtime.stalled", "x").exit_code == 3
