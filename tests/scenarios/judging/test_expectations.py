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


@pytest.mark.parametrize(
    ("said", "what"),
    [
        # No complaint, no request and no run was there that could have been one.
        ({"never": "strikes"}, "strikes of complaints"),
        ({"never": "refusals", "between": ["2026-08-12T09:00", "2026-08-12T10:00"]}, "on-demand requests refused"),
        ({"never": "postings", "between": ["2020-01-02T00:00", "2020-01-03T00:00"]}, "files posted"),
        ({"never": "requests", "between": ["2030-01-02T00:00", "2030-01-03T00:00"]}, "on-demand requests"),
    ],
)
def test_what_never_happened_where_nothing_could_have_shows_nothing(
    balance_run: JudgedRun, said: dict[str, Any], what: str
) -> None:
    found = checked(balance_run, **said)
    assert found.mark is Mark.SKIPPED
    assert found.lacking[0].startswith(what)


def test_a_folder_without_a_record_shows_nothing_of_whose_they_are(balance_run: JudgedRun) -> None:
    folder = {"do": "ror_files", "ref": "folder", "expect": {"foreign": []}}
    for files, mark in (
        ([], Mark.SKIPPED),
        ([{"name": "a.lse", "records": 1, "esiids": ["1"], "days": ["2026-08-10"], "foreign": []}], Mark.PASSED),
    ):

        def played(written: dict[str, Any], files: Any = files) -> None:
            timeline = written["scenario"]["timeline"]
            timeline.append(folder | {"at": timeline[-1]["at"]})
            written["actions"]["folder"] = {"files": files}

        (check,) = [one for one in judge(mutated(balance_run.recording, played)).checks if one.id == "folder"]
        assert check.mark is mark
        assert ("foreign" in check.evidence) is False


def test_it_is_told_in_words(balance_run: JudgedRun) -> None:
    found = checked(balance_run, run={"refusals": 2}, never="failures")
    assert found.happened == "On-demand requests refused: 2; on-demand requests failed: none."
    assert found.evidence == {"refusals": 2, "failures": []}
