"""The mutants are ones: what later work changes is changed here too. Two are played."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from functools import cache

import pytest

from scenarios.registry import REGISTRY
from tests.mutants.__main__ import ROOT, Mutant, mutants
from tests.mutants.cited import citing
from tests.simulator.processes import done

#: Fewer could not be called a trial; more that nobody can tell from the product would be an excuse.
LEAST, MOST_EQUIVALENT = 60, 5
#: Requirements that are bent, at the least.
LEAST_BENT = 40


@cache
def names_in(file: str) -> set[str]:
    nodes = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("mutant", mutants(), ids=lambda mutant: mutant.id)
def test_a_mutant_changes_one_place_and_names_who_sees_it(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.text) == 1, f"{mutant.file} has this text not once: {mutant.text}"
    assert mutant.replacement != mutant.text
    if mutant.file.endswith(".py"):
        ast.parse(text.replace(mutant.text, mutant.replacement))
    assert bool(mutant.killed_by) is not bool(mutant.equivalent)
    for test in mutant.killed_by:
        file, _, name = test.partition("::")
        assert re.sub(r"\[.*", "", name) in names_in(file), test


def test_there_are_enough_mutants_and_each_has_a_name_of_its_own() -> None:
    known = mutants()
    assert [one for one, count in Counter(mutant.id for mutant in known).items() if count > 1] == []
    assert len(known) >= LEAST
    assert sum(bool(mutant.equivalent) for mutant in known) <= MOST_EQUIVALENT


def test_mutants_bend_requirements_and_scenarios_cite_some_of_them() -> None:
    bent = {ident for mutant in mutants() for ident in mutant.bends}
    assert bent <= set(REGISTRY)
    assert len(bent) >= LEAST_BENT
    cited = citing()
    assert bent & set(cited) >= {"FR-CR016.1a", "FR-CR016.1b", "AC1", "AMB-2", "AMB-3", "AMB-5", "AMB-11", "SMT-HOUR"}
    costs = cited["FR-CR016.1b"]
    assert costs.index("t-failed-for-days") < costs.index("customer-balance-inquiry")


@pytest.mark.process
def test_a_mutant_that_bends_what_a_scenario_cites_is_killed_by_it() -> None:
    by = "tests/mutants/cited.py::test_a_shipped_scenario_passes[t-failed-for-days]"
    played = done(sys.executable, "-m", "tests.mutants", f"two-reads-a-day={by}")
    assert "two-reads-a-day killed" in played.stderr


@pytest.mark.process
def test_a_mutant_that_its_test_sees_is_killed_and_one_that_it_does_not_see_is_alive() -> None:
    seen, unseen = "count-one-more", "stamped-at-the-tolerance"
    tests = {mutant.id: mutant.killed_by for mutant in mutants()}
    swapped = f"{seen}={tests[seen][0]}", f"{unseen}={tests[seen][0]}"
    played = done(sys.executable, "-m", "tests.mutants", *swapped, code=1)
    assert f"{seen} killed" in played.stderr
    assert f"{unseen} is alive" in played.stdout
