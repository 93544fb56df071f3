"""What a verdict can be, one list for scenarios and load studies; the verdict on several; the exit code that it gives a command."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Mark(StrEnum):
    """How what was judged came out. In order of weight: of several the first that occurs is the verdict on all."""

    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    PASSED = "passed"
    PARTLY = "partly"
    EVIDENCE = "evidence"
    SKIPPED = "skipped"
    NOT_EXERCISED = "not exercised"


#: What each says.
MEANS = {
    Mark.FAILED: "Something does not hold.",
    Mark.INCONCLUSIVE: "It cannot be told: a fault of ami-testbed's own, a clock that was not kept, or too few replications.",
    Mark.PASSED: "Something was compared, and all of it holds.",
    Mark.PARTLY: "What was compared holds, but a part had nothing to compare, or cannot be seen here.",
    Mark.EVIDENCE: "What was found on a question that is open: no finding passes or fails it.",
    Mark.SKIPPED: "There was nothing to compare.",
    Mark.NOT_EXERCISED: "Nothing that happened bears on it.",
}


def verdict_on(marks: Iterable[Mark]) -> Mark:
    """Give the verdict on several; ``NOT_EXERCISED`` on none."""
    found = set(marks)
    return next((mark for mark in Mark if mark in found), Mark.NOT_EXERCISED)


def exit_code_of(verdict: Mark) -> int:
    """0: something passed and nothing failed, 1: something failed or nothing passed, 3: inconclusive. 2 is an error's: it could not run."""
    match verdict:
        case Mark.PASSED | Mark.PARTLY:
            return 0
        case Mark.INCONCLUSIVE:
            return 3
        case _:
            return 1
