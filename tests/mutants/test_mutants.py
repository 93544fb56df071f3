"""The mutants are ones: what later work changes is changed here too. Two are played."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from symtable import symtable
from types import ModuleType

import pytest

from scenarios.rules.registry import REGISTRY
from simulator.verdicts import Mark
from tests.mutants import by_scenarios
from tests.mutants.by_scenarios import Library, pairs
from tests.mutants.cited import Red, told
from tests.mutants.trial import ROOT, Mutant, mutants
from tests.simulator.processes import done

#: Fewer could not be called a trial; more that nobody can tell from the product would be an excuse.
LEAST, MOST_EQUIVALENT = 60, 5
#: Requirements that are bent, at the least.
LEAST_BENT = 40


@cache
def shown() -> dict[str, list[str]]:
    return told()["citing"]


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
        # Parsed, and no tree made of it.
        symtable(text.replace(mutant.text, mutant.replacement), mutant.file, "exec")
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
    cited = shown()
    assert bent & set(cited) >= {"FR-CR016.1a", "FR-CR016.1b", "AC1", "AMB-2", "AMB-3", "AMB-5", "AMB-11", "SMT-HOUR"}
    costs = cited["FR-CR016.1b"]
    assert costs.index("t-failed-for-days") < costs.index("customer-balance-inquiry")


def test_a_mutant_that_bends_a_part_of_a_rule_says_which_and_names_scenarios_that_cite_it() -> None:
    cited = shown()
    for mutant in mutants():
        citing = {name for ident in mutant.bends for name in cited.get(ident, ())}
        assert set(mutant.shown_by) <= citing, mutant.id
        assert not mutant.shown_by or mutant.part, mutant.id


def test_the_quickest_scenario_shows_a_mutant_unless_its_row_names_others() -> None:
    library = Library(
        {"AMB-1": ["quick", "slow", "slower"], "AMB-2": ["slow"]}, dict.fromkeys(("quick", "slow", "slower"), "")
    )
    one = Mutant("room", "id", "file", "text", "other", ("test",), "", ("AMB-1", "AMB-2"))
    named, uncited = replace(one, shown_by=("slower",), part="of it"), replace(one, bends=("AMB-3",))
    chosen = [one, named, uncited, replace(one, equivalent="no input tells it")]
    assert [pair.scenario for pair in pairs(library, chosen, each=False)] == ["quick", "slower"]
    assert [pair.scenario for pair in pairs(library, chosen, each=True)] == ["quick", "slow", "slower", "slower"]


def test_a_pair_is_played_again_once_mutant_scenario_or_product_has_changed() -> None:
    one = mutants()[0]
    keys = {
        Library({}, {"it": of}).pair(mutant, "it").key
        for of in ("product and scenario", "another product or scenario")
        for mutant in (None, one, replace(one, replacement="something else"))
    }
    assert len(keys) == 6
    assert Library({}, {"it": "product and scenario"}).pair(one, "it").key in keys


def test_what_was_played_is_not_played_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library = Library({}, {"it": ""})
    pair = library.pair(mutants()[0], "it")
    monkeypatch.setattr(by_scenarios, "KEPT", tmp_path / "played.jsonl")
    by_scenarios.KEPT.write_text(json.dumps({"key": pair.key, "fate": "killed"}) + "\n", encoding="utf-8")
    assert [one["fate"] for one in by_scenarios.fates(library, [pair], tmp_path)] == ["killed"]
    assert not (tmp_path / "tree0").exists()


@pytest.mark.process
def test_only_a_verdict_that_failed_kills(tmp_path: Path) -> None:
    def fate(does: Callable[[], Red | None]) -> str:
        trial = ModuleType("trial")
        vars(trial).update(Mark=Mark, failed=lambda *_: does())
        return by_scenarios.played_apart(trial, "it", tmp_path / "out")[0]

    assert fate(lambda: None) == "alive"
    assert fate(lambda: Red("why", ["AMB-1"], Mark.FAILED)) == "killed"
    assert fate(lambda: Red("why", [], Mark.INCONCLUSIVE)) == "inconclusive"
    nobody: dict[str, Red] = {}
    assert fate(lambda: nobody["ror"]) == "crashed"


@pytest.mark.process
@pytest.mark.long
def test_a_mutant_that_bends_what_a_scenario_cites_is_killed_by_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MUTANTS_PLAYED", str(tmp_path / "played.jsonl"))
    played = done(sys.executable, "-m", "tests.mutants", "--cited", "two-reads-a-day=failed-told-as-success")
    assert "two-reads-a-day by failed-told-as-success: killed" in played.stderr


@pytest.mark.process
def test_a_mutant_that_its_test_sees_is_killed_and_one_that_it_does_not_see_is_alive() -> None:
    seen, unseen = "sums-may-differ-by-less", "what-comes-twice-must-be-later"
    tests = {mutant.id: mutant.killed_by for mutant in mutants()}
    swapped = f"{seen}={tests[seen][0]}", f"{unseen}={tests[seen][0]}"
    played = done(sys.executable, "-m", "tests.mutants", *swapped, code=1)
    assert f"{seen} killed" in played.stderr
    assert f"{unseen} is alive" in played.stdout
