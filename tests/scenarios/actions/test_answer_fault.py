"""Acknowledgements and second answers of the head-end, bent on their way to SMT: found where they break a rule, let be where they only come near."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenarios.actions.world.answer_fault import faults
from scenarios.file.lint import load_sound
from scenarios.file.shipped import SCENARIOS
from scenarios.judging.verdict import judge
from scenarios.run import JudgedRun, run_and_judge
from simulator.smt.ondemand.rules import RULES
from simulator.tap.chain import exchanges
from simulator.verdicts import Mark
from tests.scenarios.short import mutated

NAMES = {"OTHER-ID": "acknowledged-under-another-id", "SECOND-ANSWER": "answered-twice"}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, JudgedRun]:
    out = tmp_path_factory.mktemp("bent")
    return {rule: run_and_judge(load_sound(SCENARIOS.files()[name]), out / name) for rule, name in NAMES.items()}


def test_every_rule_for_answers_can_be_broken() -> None:
    assert set(faults()) == {one.id for one in RULES.values() if one.author == "head-end"}


@pytest.mark.parametrize("rule", NAMES)
def test_what_breaks_the_rule_is_found_and_what_comes_near_is_not(played: dict[str, JudgedRun], rule: str) -> None:
    verdict = played[rule].verdict
    assert verdict.mark is Mark.PASSED
    facts = {one.id: one.evidence for one in verdict.checks if one.id in ("bent", "near")}
    assert {ref: (one["bent"], one.get("found"), one["caught"]) for ref, one in facts.items()} == {
        "bent": (1, [rule], True),
        "near": (1, None, False),
    }


@pytest.mark.parametrize("rule", NAMES)
def test_a_rule_that_nobody_finds_broken_fails_the_scenario(played: dict[str, JudgedRun], rule: str) -> None:
    def unseen(written: dict[str, Any]) -> None:
        for entry in written["ledger"]:
            for step in entry["transitions"]:
                step["rule"] = ""

    failed = {one.id for one in judge(mutated(played[rule].recording, unseen)).checks if one.mark is Mark.FAILED}
    assert failed == {"bent"}


def test_the_wire_has_what_was_sent(played: dict[str, JudgedRun]) -> None:
    def bodies(rule: str, wire: str) -> list[Any]:
        found = exchanges(Path(played[rule].out, "wire.jsonl"), lambda _, its: its != wire)
        return [(one.reply if wire == "inquiries" else one.ask).get("body") for one in found]

    assert bodies("OTHER-ID", "inquiries") == ['{"correlationId": "another", "status": "accepted"}', None]
    first, other, another, same = bodies("SECOND-ANSWER", "call-backs")
    assert first != other
    assert "-05:00" in another
    assert "+00:00" in same
