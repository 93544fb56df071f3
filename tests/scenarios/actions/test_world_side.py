"""Files of the TDSP, bent answers, registers at the wire, changes of SMT's records, parties that are cut off: each holds as it should, and fails where it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenarios.judging.findings import Verdict
from scenarios.judging.verdict import judge
from scenarios.recording import load
from scenarios.records.journal import BentNote
from scenarios.run import JudgedRun
from simulator.verdicts import Mark
from tests.scenarios.short import mutated, run, short_balance
from tests.scenarios.test_lint import linted

Action = dict[str, Any]

#: (action, what else it is expected to come to, which of the facts does not hold if it is otherwise expected so)
HOLDS: list[tuple[Action, Action, Action]] = [
    ({"do": "tdsp_file", "day": "2026-08-10"}, {"codes": ["00"], "taken_in": 2, "posted": True}, {"codes": ["01"]}),
    ({"do": "tdsp_file", "day": "2026-08-10", "wrong": "empty"}, {"codes": ["F2"], "file_code": "F2", "field": "file", "taken_in": 0}, {"codes": ["F1"]}),
    ({"do": "tdsp_file", "day": "2026-08-10", "made": "2026-08-11T05:00"}, {"codes": ["05"], "turned_away": 2, "field": {"absent": True}}, {"codes": ["00"]}),
    ({"do": "modbus"}, {"registers": 52, "clock_behind": 0, "exception": {"absent": True}, "switch_closed": True}, {"registers": 51}),
    ({"do": "modbus", "unit": 99}, {"registers": 0, "exception": 11, "meter_number": {"absent": True}}, {"registers": 52}),
    ({"do": "registry_change", "change": "move_out", "effective": "2026-08-11"}, {"customers": []}, {"customers": ["customer.one"]}),
    ({"do": "registry_change", "change": "move_in", "to": "customer.one"}, {"customers": ["customer.one"]}, {"customers": []}),
    ({"do": "registry_change", "change": "exchange", "to": "123456789"}, {"meter_number": "123456789"}, {"meter_number": "1"}),
    ({"do": "registry_change", "change": "deenergize"}, {"energized": False}, {"energized": True}),
    ({"do": "registry_change", "change": "energize"}, {"energized": True}, {"energized": False}),
    ({"do": "answer_fault", "rule": "NO-REGISTER"}, {"bent": 1, "found": ["NO-REGISTER"], "became": ["failed"]}, {"bent": 2}),
    ({"do": "on_demand_read"}, {"outcome": "failed"}, {"outcome": "answered"}),
    ({"do": "answer_fault", "rule": "REGISTER-AT", "which": "near"}, {"bent": 1, "found": []}, {"caught": True}),
    ({"do": "on_demand_read"}, {"outcome": "answered"}, {"outcome": "failed"}),
    ({"do": "party", "party": "headend", "seconds": 60}, {"http_status": 200, "reached": False, "up_at": {"within": ["2026-08-12T10:21", "2026-08-12T10:21"]}}, {"reached": True}),
    ({"do": "party", "party": "smt", "seconds": 60}, {"http_status": 200, "reached": False}, {"http_status": 503}),
    ({"do": "party", "party": "headend", "rebuilt": True, "seconds": 60}, {"http_status": 200, "reached": False, "left_open": 0}, {"left_open": 1}),
    ({"do": "party", "party": "smt", "rebuilt": True, "seconds": 60}, {"http_status": 200, "reached": False, "left_open": 0}, {"left_open": {"absent": True}}),
    ({"do": "registry_change", "change": "agree"}, {"csps": []}, {"csps": ["windmill.api"]}),
    ({"do": "registry_change", "change": "end_agreement"}, {"csps": []}, {"csps": ["windmill.api"]}),
    ({"do": "registry_change", "change": "switch", "to": "9990002220000"}, {"ror_of_record": "9990002220000"}, {"ror_of_record": "1"}),
]  # fmt: skip


def played(actions: list[Action], out: Path) -> JudgedRun:
    """The actions a few minutes apart, a wait of their own each."""
    written = short_balance()
    written["timeline"] = [
        {"at": f"2026-08-12T{8 + place // 6:02}:{place % 6 * 10:02}", "ref": f"a-{place}"} | action
        for place, action in enumerate(actions)
    ]
    return run(written, out)


@pytest.fixture(scope="module")
def world_side(tmp_path_factory: pytest.TempPathFactory) -> JudgedRun:
    out = tmp_path_factory.mktemp("world-side")
    return played([action | {"expect": expect} for action, expect, _ in HOLDS], out)


@pytest.fixture(scope="module")
def otherwise(world_side: JudgedRun) -> Verdict:
    """What is judged of it if each action is otherwise expected."""

    def expected(written: dict[str, Any]) -> None:
        for action, (_, _, expect) in zip(written["scenario"]["timeline"], HOLDS, strict=True):
            action["expect"] = expect

    return judge(mutated(world_side.recording, expected))


@pytest.mark.parametrize("place", range(len(HOLDS)), ids=lambda place: f"{place}-{HOLDS[place][0]['do']}")
def test_an_action_of_the_worlds_side_holds_and_fails_otherwise(
    world_side: JudgedRun, otherwise: Verdict, place: int
) -> None:
    holds, fails = (
        next(one for one in verdict.checks if one.id == f"a-{place}") for verdict in (world_side.verdict, otherwise)
    )
    assert holds.mark is Mark.PASSED, holds
    assert fails.mark is Mark.FAILED, fails


def test_each_bent_answer_is_noted(world_side: JudgedRun) -> None:
    notes = [one for one in world_side.recording.journal if isinstance(one, BentNote)]
    assert [(note.bent_by, note.status) for note in notes] == [("a-10", 202), ("a-12", 202)]


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"do": "tdsp_file", "day": "2026-08-10", "wrong": "emty", "expect": {"codes": ["F2"]}}, "Did you mean empty?"),
        ({"do": "answer_fault", "rule": "NO-REGISTR"}, "Did you mean NO-REGISTER?"),
        ({"do": "answer_fault", "rule": "HOLE", "which": "least"}, "No answer breaks HOLE by a second"),
        ({"do": "answer_fault", "rule": "UNKNOWN-FIELD"}, "No answer can be bent by a rule UNKNOWN-FIELD"),
        ({"do": "registry_change", "change": "switch"}, "Switch needs a 'to'. Write"),
        ({"do": "registry_change", "change": "agree", "to": "x"}, "Agree has no 'to'. Leave"),
        ({"do": "party", "party": "ror", "seconds": 5}, "party"),
        ({"do": "modbus", "count": 126, "expect": {"registers": 126}}, "count"),
    ],
)
def test_lint_tells_of_an_action_of_the_worlds_side_that_cannot_be(tmp_path: Path, action: Action, said: str) -> None:
    written = short_balance()
    written["timeline"] = [{"at": "2026-08-12T09:00", "ref": "it"} | action]
    assert any(said in str(one) for one in linted(tmp_path, written)), linted(tmp_path, written)


def test_a_recording_with_instants_that_are_expected_is_read_again(world_side: JudgedRun) -> None:
    again = load(world_side.out / "recording.json")
    assert again.scenario.timeline == world_side.recording.scenario.timeline
