"""Several accounts in one timeline, actions that come after another, and operators over facts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meters.calendar import epoch
from scenarios.judging.verdict import judge
from scenarios.recording import load
from scenarios.run import JudgedRun
from simulator.verdicts import Mark
from tests.scenarios.short import mutated, run, scenario, short_balance
from tests.scenarios.test_lint import linted

SECOND = {
    "account_id": "SF-200042",
    "customer_name": "Ines Oakhurst (invented)",
    "meter": 5,
    "plan": "bluebonnet-saver-12",
    "cycle_first": "2026-08-09",
    "cycle_last": "2026-08-20",
    "ror": "saltfork.api",
    "worth_asking": 0,
}


def two_accounts() -> dict[str, Any]:
    """Two customers of two retailers call; the second's power status is asked once the call is over."""
    written = short_balance()
    call = written["timeline"][0]
    written |= {"name": "two-accounts", "accounts": [dict(SECOND)]}
    written["timeline"] = [
        call | {"expect": {"outcome": "answered", "store": {"within": [60, 66]}, "meter": {"at_least": 6}}},
        call
        | {
            "ref": "call-b",
            "at": "+15m",
            "account": "SF-200042",
            "expect": {
                "outcome": {"one_of": ["answered", "refused"]},
                "refusal": {"absent": True},
                "seconds": {"at_most": 180},
                "retry_at": {"absent": True},
            },
        },
        {"ref": "status-b", "do": "power_status", "after": "call-b", "at": "+10s", "account": "SF-200042", "expect": {"outcome": "answered"}},
    ]  # fmt: skip
    return written


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> JudgedRun:
    return run(two_accounts(), tmp_path_factory.mktemp("cast") / "out")


def test_each_account_is_its_retailers(played: JudgedRun) -> None:
    assert {one.label: one.failures for one in played.verdict.judged if one.failures} == {}
    assert played.verdict.mark is Mark.PASSED
    ledger = [(one.call_reference, one.username, one.esiid) for one in played.recording.ledger]
    esiids = {ident: one.esiid for ident, one in played.recording.world.accounts.items()}
    assert ledger == [
        ("call-0001", "pecanbend.api", esiids["LS-100017"]),
        ("call-b", "saltfork.api", esiids["SF-200042"]),
        ("status-b", "saltfork.api", esiids["SF-200042"]),
    ]
    # The other customer's call is no repeat of the first one's.
    assert [one.evidence["repeat_calls_in_24_h_by_script"] for one in played.verdict.steps if one.id == "S7"] == [
        [],
        [],
    ]
    checks = {one.id for one in played.verdict.checks}
    assert {"ror-files LS-100017", "ror-files SF-200042", "rule-1b LS-100017", "rule-1b SF-200042"} <= checks


def test_an_action_begins_when_the_one_that_it_comes_after_is_over(played: JudgedRun) -> None:
    call = played.recording.actions["call-b"]
    begun = played.recording.begun["status-b"]
    assert begun == call.told_at + 10  # type: ignore[attr-defined]
    assert call.asked_at == epoch("2026-08-12T17:55")  # type: ignore[attr-defined]
    assert judge(load(played.out / "recording.json")) == played.verdict


@pytest.mark.parametrize(
    ("expect", "what", "expected", "found"),
    [
        ({"store": {"at_most": 63}}, "intervals from the store", "at most 63", "64"),
        ({"store": {"within": [1, 2]}}, "intervals from the store", "within [1, 2]", "64"),
        ({"meter": {"one_of": [5, 7]}}, "intervals from the meter", "one of [5, 7]", "6"),
        ({"refusal": {"absent": False}}, "code of the refusal", "absent: False", "nothing"),
        ({"seconds": {"absent": True}}, "seconds from the request to its end", "absent: True", "75"),
        ({"reaches_to": {"at_least": "2026-08-12T17:45"}}, "end of the last interval served", "at least 2026-08-12T17:45:00-05:00", "2026-08-12T17:30:00-05:00"),
    ],
)  # fmt: skip
def test_a_fact_that_does_not_hold_is_told_with_the_operator(
    played: JudgedRun, expect: dict[str, Any], what: str, expected: str, found: str
) -> None:
    other = mutated(played.recording, lambda r: r["scenario"]["timeline"][0]["expect"].update(expect))
    (check,) = [one for one in judge(other).checks if one.id == "call-0001"]
    (failure,) = check.failures
    assert (failure.what, failure.expected, failure.found) == (what, expected, found)


@pytest.mark.parametrize(
    ("place", "written", "said"),
    [
        ("accounts[1].account_id", {"accounts": [SECOND | {"account_id": "LS-100017"}]}, "Two accounts are called"),
        ("accounts[1].meter", {"accounts": [SECOND | {"meter": 9}]}, "There is no meter 9"),
        ("accounts[1].plan", {"accounts": [SECOND | {"plan": "none"}]}, "There is no plan 'none'"),
        ("accounts[1].ror", {"accounts": [SECOND | {"ror": "saltfrok.api"}]}, "Did you mean saltfork.api?"),
        ("accounts[1].cycle_last", {"accounts": [SECOND | {"cycle_last": "2026-08-01"}]}, "before it begins"),
        ("accounts[1].full_cycle_days", {"accounts": [SECOND | {"full_cycle_days": 3}]}, "for a whole cycle"),
        ("timeline[2].account", {"accounts": []}, "There is no account SF-200042"),
    ],
)
def test_lint_tells_of_accounts_that_cannot_be(tmp_path: Path, place: str, written: dict[str, Any], said: str) -> None:
    found = [one for one in linted(tmp_path, two_accounts() | written) if one.place.endswith(f": {place}")]
    assert any(said in str(one) for one in found), linted(tmp_path, two_accounts() | written)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"after": "nobody"}, "There is no action nobody before this"),
        ({"after": "status-b"}, "There is no action status-b before this"),
        ({"after": "call-b", "at": "soon"}, "timeline[3].at: 'soon' is no time here"),
        ({"after": "call-b", "at": "+5"}, "timeline[3].at: '+5' is no time here"),
        ({"after": "call-b", "at": "+99999999999h"}, "timeline[3].at: '+99999999999h' is no time here"),
        ({"after": [1]}, "timeline[3].after: A list is not text"),
        ({"ref": {"a": 1}}, "timeline[3].ref: A mapping is not text"),
    ],
)
def test_lint_tells_of_an_action_that_can_never_begin(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    written = two_accounts()
    written["timeline"][2] |= change
    assert any(said in str(one) for one in linted(tmp_path, written)), linted(tmp_path, written)


def test_a_delay_counts_over_the_hour_that_comes_twice(tmp_path: Path) -> None:
    written = two_accounts()
    written["world"]["first_day"] = "2026-10-30"
    for account in (written["account"], written["accounts"][0]):
        account |= {"cycle_first": "2026-10-16", "cycle_last": "2026-11-14"}
    written["timeline"][0]["at"], written["timeline"][1]["at"] = "2026-11-01T00:30", "+1h45m"
    found = scenario(written).timeline
    assert epoch(found[1].at) - epoch(found[0].at) == 6300
    assert (found[1].at.hour, found[1].at.fold) == (1, 1)


def test_a_delay_after_what_begins_nobody_knows_when_is_no_time(tmp_path: Path) -> None:
    written = two_accounts()
    written["timeline"].append({"ref": "again", "do": "power_status", "at": "+1m", "expect": {"outcome": "refused"}})
    assert any("timeline[4].at" in str(one) for one in linted(tmp_path, written))
    written["timeline"][3]["after"] = "status-b"
    assert [str(one) for one in linted(tmp_path, written)] == []
