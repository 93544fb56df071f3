"""A load in a scenario: who asks in it, what is told of it, that its requests are no calls, and what no load can be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from meters.errors import UserError
from scenarios.actions.table import ACTIONS
from scenarios.actions.world.load import MOST_REQUESTS, Load
from scenarios.file.lint import load_sound, looked_at
from scenarios.judging.findings import CheckVerdict
from scenarios.judging.verdict import judge
from scenarios.recording import load
from scenarios.run import JudgedRun, run_and_judge
from simulator.verdicts import Mark
from tests.scenarios.short import mutated, short_balance, written
from tests.scenarios.test_lint import linted

FLEET = {"tdsps": [{"name": "ONCOR", "meters": 1000}], "rors": [{"name": "One", "share": 1}]}
#: Three reads of a job a second apart, and customers of whom many ask in two minutes.
JOB = {"fleet": FLEET, "bulk": [{"at": "09:00", "requests": 3, "a_second": 1}]}
HOMES = {"fleet": FLEET, "calls": {"customer": {"registers": 30_000}}}
POLICY = {
    "title": "Two successful reads a day and ESI ID",
    "source": "store_first",
    "limits": [
        {
            "name": "TWO",
            "kind": "read",
            "scope": "esiid",
            "amount": 2,
            "window": "day",
            "code": "READ-DAY",
            "portal_code": "5032",
            "rule": "Two.",
        }
    ],
}


def loaded(*actions: dict[str, Any]) -> dict[str, Any]:
    """Loads of a day on five meters."""
    short = short_balance() | {"policy": POLICY, "name": "loaded", "middle": {"pickup_s": 5, "return_s": 15}}
    short["world"] |= {"first_day": "2026-08-11", "faults": []}
    short["timeline"] = [
        {"at": "2026-08-12T09:00", "do": "load", "ref": f"load-{at}", "minutes": 2} | one
        for at, one in enumerate(actions)
    ]
    return short


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> JudgedRun:
    """A job over the retailer's three meters, and four customers of the first one at the portal at the same time."""
    folder = tmp_path_factory.mktemp("load")
    whole = loaded({"workload": JOB}, {"workload": HOMES, "requests": 4})
    return run_and_judge(load_sound(written(folder / "loaded.yaml", whole)), folder / "out")


#: By the load's place: what it comes to, and what it does not.
HOLDS: list[tuple[int, dict[str, Any], dict[str, Any]]] = [
    (0, {"sent": 3, "esiids": 3, "left_out": 0}, {"sent": 4}),
    (0, {"completed": 3, "refused": 0, "failed": 0, "unanswered": 0}, {"refused": 1}),
    (0, {"by_class": {"/ror_bulk/sent": 3, "/ror_bulk/completed": 3, "/customer/sent": 0}}, {"by_class": {"/ror_bulk/refused": {"at_least": 1}}}),
    (0, {"by_login": {"/pecanbend.api/sent": 3, "/saltfork.api/sent": 0}}, {"by_login": {"/pecanbend.api/sent": 2}}),
    (0, {"by_code": {"READ-DAY": 0}, "by_limit": {"READ-DAY": 0}}, {"by_code": {"READ-DAY": 1}}),
    (0, {"meter_reads": 3, "portal_calls": 0}, {"meter_reads": 4}),
    # 20 s at SMT and some at the meter, seen by a poll each 5 s.
    (0, {"p50_s": {"within": [20, 45]}, "p95_s": {"within": [20, 45]}}, {"p95_s": {"at_most": 20}}),
    # The allowance of the first meter has one left beside the job's read.
    (1, {"sent": 4, "esiids": 1, "completed": 1, "refused": 3}, {"completed": 2}),
    (1, {"by_code": {"5032": 3}, "by_limit": {"READ-DAY": 3}}, {"by_limit": {"5032": 3}}),
    (1, {"by_class": {"/customer/refused": 3}, "by_login": {"/customer.one/refused": 3}}, {"by_class": {"/customer/refused": 4}}),
    # A log-in, of who is refused a look and the request, of who is not some polls too.
    (1, {"portal_calls": {"within": [11, 13]}, "calls": {"within": [11, 13]}}, {"portal_calls": {"at_most": 10}}),
    (1, {"octets": {"at_least": 100}, "meter_reads": 1}, {"octets": 0}),
]  # fmt: skip


def check_of(run: JudgedRun, place: int, expect: dict[str, Any]) -> CheckVerdict:
    """What is judged of a load that is expected to come to that."""

    def otherwise(written: dict[str, Any]) -> None:
        written["scenario"]["timeline"][place]["expect"] = expect

    return next(one for one in judge(mutated(run.recording, otherwise)).checks if one.id == f"load-{place}")


@pytest.mark.parametrize(("place", "so", "otherwise"), HOLDS)
def test_a_fact_of_a_load_holds_and_fails_otherwise(
    played: JudgedRun, place: int, so: dict[str, Any], otherwise: dict[str, Any]
) -> None:
    marks = [check_of(played, place, expect).mark for expect in (so, otherwise)]
    assert marks == [Mark.PASSED, Mark.FAILED]


def test_a_load_s_requests_are_no_calls_and_each_has_a_reference_that_the_load_tells(played: JudgedRun) -> None:
    (check,) = (one for one in played.verdict.checks if one.id == "one-per-call")
    # Of the account's ESI ID the job asked once; who asks at the portal makes no call.
    assert (check.mark, check.evidence["requests"], check.evidence["of_loads"]) == (Mark.PASSED, 1, 1)
    assert played.verdict.mark is Mark.PASSED
    (asked,) = (one for one in played.recording.ledger if one.call_reference)
    strange = mutated(played.recording, lambda r: r["actions"]["load-0"]["references"].remove(asked.call_reference))
    (check,) = (one for one in judge(strange).checks if one.id == "one-per-call")
    assert [failure.what for failure in check.failures] == ["requests of no call"]


def test_a_recording_of_a_load_is_read_again_and_names_its_exchanges(played: JudgedRun) -> None:
    again = load(played.out / "recording.json")
    assert again.scenario.timeline == played.recording.scenario.timeline
    checks = {one["id"]: one for one in played.result["checks"]}
    assert checks["load-0"]["evidence"]["by_class"] == {"/ror_bulk/completed": 3, "/ror_bulk/sent": 3}
    numbers = {ident: one.get("exchanges", []) for ident, one in checks.items()}
    assert len(numbers["load-0"]) > len(numbers["load-1"]) > 10


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"workload": "ordinary-dya"}, "Did you mean ordinary-day?"),
        ({"workload": JOB | {"calls": {"ror_calls": {"reads": 1}}}}, "ror_calls"),
        ({"workload": JOB, "expect": {"by_class": {"/ror_calls/sent": 1}}}, "There is no class 'ror_calls'"),
        ({"workload": JOB, "expect": {"by_class": {"/ror_bulk/ended": 1}}}, "Nothing ends as 'ended'"),
        ({"workload": JOB, "expect": {"by_login": {"pecanbend.api": 1}}}, "Write it as /who/refused"),
        ({"workload": JOB, "expect": {"by_login": {"/pecanbnd.api/failed": 0}}}, "There is no log-in pecanbnd.api"),
        (
            {"workload": JOB, "expect": {"by_limit": {"ROR-RAET": 0}}},
            "No rule refuses anything of load-0 with ROR-RAET",
        ),
        (
            {"workload": JOB, "expect": {"by_code": {"READ-DYA": 0}}},
            "Nothing answers a request of load-0 with READ-DYA. Did you mean READ-DAY?",
        ),
        ({"workload": JOB, "minutes": 1440}, "lie beyond it"),
        ({"workload": JOB, "at": "2026-08-12T10:00"}, "Nobody of load-0 asks in that time"),
        ({"workload": "ordinary-day", "minutes": 600}, f"a scenario plays {MOST_REQUESTS:,} at most"),
        ({"workload": JOB, "requests": MOST_REQUESTS + 1}, "requests"),
        ({"workload": JOB, "spared": [9]}, "There is no meter 9"),
        ({"workload": JOB | {"requests": "none.csv"}}, "none.csv' cannot be read"),
        ({"workload": {"fleet": FLEET, "bulk": [{"at": "09:00", "requests": 1, "ror": "Two"}]}}, "Two"),
        ({"workload": "none.csv"}, "none.csv"),
    ],
)
def test_lint_tells_of_a_load_that_cannot_be(tmp_path: Path, action: dict[str, Any], said: str) -> None:
    assert any(said in str(one) for one in linted(tmp_path, loaded(action))), linted(tmp_path, loaded(action))


def test_what_is_counted_of_a_load_for_the_run_is_counted_by_what_there_is(tmp_path: Path) -> None:
    for name, code in (("by_limit", "ROR-RAET"), ("by_code", "NO-SUCH-CODE")):
        wide = [{"ref": "wide", "of": "load-0", "expect": {name: {code: 0}}}]
        (mistake,) = linted(tmp_path, loaded({"workload": JOB}) | {"expect": wide})
        assert (mistake.code, f"expect[1].expect.{name}.{code}: " in str(mistake)) == ("scenario.refusal.unknown", True)
    # As the portal shows it, by an error of users, by a limit of the policy's own.
    known = {"portal.FAILED": 0, "portal.T-FAILED": 0, "smt.odr.failed": 0, "AC1": 0, "READ-DAY": 0, "5032": 0}
    assert linted(tmp_path, loaded({"workload": JOB, "expect": {"by_code": known}})) == []


def test_all_that_is_wrong_with_a_workload_is_told_at_once(tmp_path: Path) -> None:
    wrong = JOB | {"bulk": [{"at": "09:00", "requests": 1, "ror": "Two"}], "storm": {"curve": "none.csv"}}
    told = [str(one) for one in linted(tmp_path, loaded({"workload": wrong}))]
    assert len(told) == 2
    assert all("timeline[1].workload: " in one for one in told)


def test_a_workload_s_file_that_is_not_there_is_told_at_its_line(tmp_path: Path) -> None:
    _, told = looked_at(written(tmp_path / "it.yaml", loaded({"workload": "none.yaml"})))
    assert "none.yaml cannot be read" in str(told[0].error)
    assert "timeline[1].workload" in str(told[0].error)


def test_a_load_begins_at_a_time_and_not_after_an_action(tmp_path: Path) -> None:
    short = loaded({"workload": JOB}, {"workload": JOB, "after": "load-0", "at": "+1m"})
    assert any("Write at, and leave after out" in str(one) for one in linted(tmp_path, short))


def test_a_workload_by_path_is_written_out_and_its_own_files_lie_where_it_lies(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "asked.csv").write_text(
        "time,esiid,class,kind,ror\n2026-08-12T09:00:10,10443720000000001,csp,INTERVALS,One\n", "utf-8"
    )
    (folder / "curve.csv").write_text("at,out\n2026-08-12T09:00,1\n2026-08-12T12:00,0\n", "utf-8")
    whole = {
        "name": "own",
        "day": "2026-08-12",
        "fleet": FLEET,
        "requests": "asked.csv",
        "storm": {"curve": "curve.csv"},
    }
    written(folder / "mine.yaml", whole)
    short = loaded({"workload": "own/mine.yaml", "requests": 1}, {"workload": "own/asked.csv"})
    sound, told = looked_at(written(tmp_path / "loaded.yaml", short))
    assert told == []
    first, second = sound[0].timeline
    assert isinstance(first, Load)
    assert isinstance(second, Load)
    assert not isinstance(first.workload, str)
    assert first.workload.requests == str(folder / "asked.csv")
    assert first.workload.storm is not None
    assert first.workload.storm.curve == str(folder / "curve.csv")
    assert (len(first.part().requests), len(second.part().requests)) == (1, 1)
    again = type(sound[0]).model_validate(
        json.loads(sound[0].model_dump_json(exclude_none=True, serialize_as_any=True))
    )
    assert again.timeline == sound[0].timeline


def test_a_shipped_workload_is_played_in_part_spread_over_its_time(tmp_path: Path) -> None:
    sound, told = looked_at(written(tmp_path / "loaded.yaml", loaded({"workload": "ordinary-day", "requests": 5})))
    assert told == []
    (action,) = sound[0].timeline
    assert isinstance(action, Load)
    planned_us = action.part().requests.planned_us
    assert len(planned_us) == 5
    assert planned_us[-1] - planned_us[0] > 90_000_000


def test_a_load_of_a_workload_that_there_is_not_has_no_requests() -> None:
    written = {"do": "load", "ref": "it", "at": "2026-08-12T10:00", "minutes": 5, "workload": "nowhere", "expect": {}}
    with pytest.raises(UserError, match=r"capacity\.workload\.unreadable: nowhere: .* Choose one of: .*ordinary-day"):
        ACTIONS["load"].written.model_validate(written).part()
