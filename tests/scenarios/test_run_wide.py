"""What is expected of a run as a whole, and what must never happen in a stretch of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenarios.judging.findings import CheckVerdict
from scenarios.judging.verdict import judge
from scenarios.run import JudgedRun
from simulator.verdicts import Mark
from tests.scenarios.short import mutated, short_balance
from tests.scenarios.test_lint import linted


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


@pytest.mark.parametrize(
    ("said", "place", "words"),
    [
        ({}, "expect[1]", "expects nothing"),
        ({"ref": "call-0001", "never": "sweeps"}, "expect[1].ref", "Two things are called call-0001"),
        ({"never": "sweep"}, "expect[1].never", "Did you mean sweeps?"),
        ({"never": "sweeps", "between": ["call-001", "status-0001"]}, "expect[1].between", "Did you mean call-0001?"),
        (
            {"never": "sweeps", "between": ["call-0002", "2026-08-12T18:19"]},
            "expect[1].between",
            "ends before it begins",
        ),
        (
            {"never": "sweeps", "between": ["call-0002", "2026-08-12T18:20"]},
            "expect[1].between",
            "ends when it begins: nothing lies between. Move",
        ),
        ({"run": {"meter_reads": {"at_least": 0}}}, "expect[1].run.meter_reads", "Nothing is less than 0"),
        ({"run": {"codes": {"absent": True}}}, "expect[1].run.codes", "codes is always there"),
        ({"of": "call-0001", "expect": {"gap": {"at_least": 0}}}, "expect[1].expect.gap", "Nothing is less than 0"),
        ({"run": {"call": 2}}, "expect[1].run.call", "Did you mean calls?"),
        ({"of": "call-0003", "expect": {"meter": 0}}, "expect[1].of", "There is no action call-0003"),
        ({"of": "call-0001", "expect": {"metre": 0}}, "expect[1].expect.metre", "Did you mean meter?"),
        ({"of": "call-0001"}, "expect[1]", "Write both or none"),
        ({"run": {"calls": 2}, "between": ["call-0001", "call-0002"]}, "expect[1].between", "Add never"),
    ],
)
def test_lint_tells_of_what_cannot_be_expected(tmp_path: Path, said: dict[str, Any], place: str, words: str) -> None:
    told = [str(one) for one in linted(tmp_path, short_balance() | {"expect": [{"ref": "wide", **said}]})]
    assert any(f": {place}: " in one and words in one for one in told), told


def test_it_is_told_in_words(balance_run: JudgedRun) -> None:
    found = checked(balance_run, run={"refusals": 2}, never="failures")
    assert found.happened == "On-demand requests refused: 2; on-demand requests failed: none."
    assert found.evidence == {"refusals": 2, "failures": []}
