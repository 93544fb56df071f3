"""The shipped scenarios in folders: each cites a requirement by a fact; one of each folder is played and passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.actions.table import ACTIONS
from scenarios.judging.verdict import judge
from scenarios.run import run_and_judge
from simulator.smt.throttle.policy import preset_names
from simulator.verdicts import Mark
from tests.cases import few
from tests.scenarios.shipped import FILES, shipped
from tests.scenarios.short import mutated

#: One of each folder, of those that are quick; ``make library`` plays all, and the demo, alone in its folder, has a test of its own.
DEAR = ("customer-balance-inquiry", "a-day-has-twenty-four")
SMOKE = {path.parent.name: name for name, path in reversed(FILES.items()) if name not in DEAR}
#: Policies by which the store is the answer, though it falls short of the gap.
SHORT = ("store-within", "store-only", "push-to-smt")


@pytest.mark.parametrize("name", FILES)
def test_a_shipped_scenario_cites_what_a_fact_of_it_shows(name: str) -> None:
    for one in shipped(name):
        held = [bool({*said.expect.forms} - {*ACTIONS[said.do].required}) for said in one.timeline if said.verifies]
        held += [bool(said.run.forms or said.expect or said.never) for said in one.expect if said.verifies]
        assert any(held), one.name
        assert {FILES[name].parent.name} <= set(one.tags)


@pytest.mark.parametrize("name", few(3, SMOKE))
def test_one_of_each_folder_passes(name: str, tmp_path: Path) -> None:
    played = run_and_judge(shipped(name)[0], tmp_path)
    assert {judged.label: judged.failures for judged in played.verdict.judged if judged.failures} == {}
    assert played.verdict.mark is Mark.PASSED


@pytest.mark.parametrize("policy", few(1, SHORT))
def test_under_another_policy_what_the_store_answers_is_too_short(policy: str, tmp_path: Path) -> None:
    (case,) = [one for one in shipped("every-policy") if one.policy == policy]
    played = run_and_judge(case, tmp_path)
    assert played.verdict.mark is Mark.PASSED
    other = judge(mutated(played.recording, lambda r: r["scenario"].update(policy="smt-today")))
    broken = {failure.what for step in other.steps if step.id == "S5" for failure in step.failures}
    assert "store + meter + missing make the gap" in broken


def test_every_policy_that_is_shipped_is_played() -> None:
    played = {str(one.policy).partition(":")[0] for one in shipped("every-policy")}
    assert played == set(preset_names())
