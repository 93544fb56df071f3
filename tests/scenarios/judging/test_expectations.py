"""What was expected of a run as a whole, held against what it came to."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.judging.findings import CheckVerdict
from scenarios.judging.verdict import judge
from scenarios.run import JudgedRun
from simulator.verdicts import Mark
from tests.scenarios.short import mutated


def checked(played: JudgedRun, **said: Any) -> CheckVerdict:
    """A real run's recording, judged with one more expectation."""
    other = mutated(played.recording, lambda r: r["scenario"].update(expect=[{"ref": "wide", **said}]))
    (found,) = [one for one in judge(other).checks if one.id == "wide"]
    return found


@pytest.mark.parametrize(
    "said",
    [
        # Two calls and two statuses asked, one of each refused; the register is not read, the first call read the meter.
        {"run": {"calls": 2, "requests": 4, "completions": 2, "refusals": 2, "failures": 0, "requests_read": 2}},
        # A day each for the ninth to the twelfth, and for nothing else.
        {"run": {"postings": 4, "days_posted": 4, "codes": ["00"], "faults": ["gap"], "strikes": 0}},
        {"run": {"meter_reads": {"within": [2, 9]}, "octets": {"at_least": 1}, "sweeps": {"at_least": 18}}},
        {"never": "completions", "between": ["call-0002", "status-0001"]},
        {"never": "refusals", "between": ["call-0001", "2026-08-12T18:20"]},
        {"of": "call-0002", "expect": {"refusal": "FR-CR016.1b", "meter": 0}},
    ],
)
def test_what_holds_passes(balance_run: JudgedRun, said: dict[str, Any]) -> None:
    found = checked(balance_run, **said)
    assert (found.mark, found.failures) == (Mark.PASSED, ())
    assert found.evidence


@pytest.mark.parametrize(
    ("said", "what", "found"),
    [
        ({"run": {"refusals": {"at_most": 1}}}, "on-demand requests refused", "2"),
        ({"never": "requests"}, "on-demand requests", "2026-08-12T17:40:00-05:00"),
        ({"never": "refusals", "between": ["call-0002", "2026-08-12T18:30"]}, "between call-0002 and", "2026-08-12T18:21:10-05:00"),
        ({"of": "call-0002", "expect": {"store": {"at_most": 69}}}, "intervals from the store", "70"),
    ],
)  # fmt: skip
def test_what_does_not_hold_fails_and_names_when(
    balance_run: JudgedRun, said: dict[str, Any], what: str, found: str
) -> None:
    check = checked(balance_run, **said)
    (failure,) = check.failures
    assert what in failure.what
    assert found in failure.found
    assert check.mark is Mark.FAILED


def test_it_is_told_in_words(balance_run: JudgedRun) -> None:
    found = checked(balance_run, run={"refusals": 2}, never="failures")
    assert found.happened == "On-demand requests refused: 2; on-demand requests failed: none."
    assert found.evidence == {"refusals": 2, "failures": []}
