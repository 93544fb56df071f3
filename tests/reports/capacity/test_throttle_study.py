"""The document that answers the use case's open issue: its sentences turn with the study, and the shipped one is what its kept outcome says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from reports.capacity.clauses import CAP, CLAUSES, RULE, WITHOUT, held
from reports.capacity.compare import TOLD, USD, regret
from reports.capacity.throttle_study import AS_IT_STANDS, text
from reports.capacity.words import what_turns
from scenarios.file.shipped import STUDIES
from simulator.capacity.cell import play_cell
from simulator.capacity.outcome import Key, Outcome, told_json
from simulator.capacity.study import load_study
from tests.reports.capacity.outcomes import Figures, outcome, whole
from tests.reports.capacity.study_page import CAPACITY, FOLDERS, PAGE, by_retailer, capacity, document, keep, kept

STORE, METER = "fr-cr016-1", "fr-cr016-1-meter-only"
GOOD: Figures = (0.6, 0.2, 1000)
BAD: Figures = (0.4, 0.4, 1000)


def rule(document: str) -> str:
    return document[document.index("## FR CR016.1, rewritten") :]


def test_the_answer_comes_first_and_the_rule_last() -> None:
    found = text(whole())
    assert found.index("> Over 2 workloads") < found.index("## How it was found") < found.index("## Theory beside")
    assert AS_IT_STANDS in rule(found)
    assert "| 1. smt-today |" not in found
    assert "**0.0** ± 0.0" in found


def test_another_study_whose_best_policy_is_another_turns_the_sentences() -> None:
    one, other = (text(outcome({STORE: [store], METER: [meter]})) for store, meter in ((GOOD, BAD), (BAD, GOOD)))
    assert f"told in the call: {STORE}, by 20.0 points" in one
    assert f"told in the call: {METER}, by 20.0 points" in other
    assert "> * A request that the head-end's store can answer is answered from it" in rule(one)
    assert (
        "> * Every request is a meter read. (the store answers first: not taken in, `fr-cr016-1` beside `fr-cr016-1-meter-only`)"
        in rule(other)
    )
    assert (
        f"Of the policies of the study `{STORE}` is best by what is told in the call; `{STORE}` is best by dollars."
        in rule(one)
    )
    assert (
        f"Of the policies of the study `{METER}` is best by what is told in the call; `{METER}` is best by dollars."
        in rule(other)
    )


def test_what_cannot_be_told_apart_is_called_so_and_left_open() -> None:
    found = text(outcome({STORE: [GOOD], METER: [GOOD]}))
    assert "all policies cannot be told apart" in found
    assert f"`{STORE}` and `{METER}` cannot be told apart by dollars" in rule(found)
    assert "> *" not in rule(found)
    assert "With it and without (`fr-cr016-1` beside `fr-cr016-1-meter-only`) cannot be told apart." in rule(found)


@pytest.mark.parametrize(
    ("capped", "stands"), [(GOOD, "Where access points are capped"), (BAD, "One successful request of a kind")]
)
def test_the_rule_has_the_limits_that_go_with_its_cap(capped: Figures, stands: str) -> None:
    by = {"smt-today": [(0.5, 0.3, 1000)], STORE: [(0.55, 0.25, 100)]}
    by |= {"smt-today-guarded:amount=8": [capped], "fr-cr016-1-guarded": [(capped[0] + 0.1, capped[1] - 0.1, 100)]}
    found = rule(text(outcome(by)))
    quoted = "\n".join(line for line in found.splitlines() if line.startswith("> *"))
    assert stands in quoted
    assert quoted.count("of a kind per ESI ID") == 1


def test_a_study_without_such_policies_says_that_no_clause_can_be_judged() -> None:
    assert "No clause can be judged" in rule(text(outcome({"store-only": [GOOD]})))


def test_a_kept_outcome_makes_the_same_page(tmp_path: Path) -> None:
    run = whole()
    keep(run, tmp_path)
    assert text(Outcome.load(tmp_path)) == text(run)


def test_retailers_are_summed_over_classes_hours_and_limits() -> None:
    asked = by_retailer(whole().first["asked"])
    found = dict(
        zip(
            zip(asked["workload"], asked["policy"], asked["ror"], asked["told"], strict=True),
            asked["requests"],
            strict=True,
        )
    )
    assert found["day-0", "smt-today", "ror-0", True] == 50
    assert found["day-0", "smt-today", "ror-0", False] == 150


def test_the_shipped_page_is_made_from_what_is_kept_of_a_run_of_the_shipped_study() -> None:
    shipped = kept()
    assert PAGE.read_text(encoding="utf-8") == document()
    study = load_study(STUDIES.named(Path("throttle-policies")))
    assert shipped.policy_names == [one.name for one in study.policies]
    assert shipped.workload_names == [one.spec.name for one in study.plans]
    assert shipped.tornado == study.tornado()
    assert shipped.replications >= study.spec.replications
    # An assumption is moved under the best policy too: else nothing says what would overturn the answer.
    assert study.spec.tornado is not None
    moved = {key.policy for key in shipped.cells if key.change}
    for judged in (TOLD, USD):
        found = regret(shipped, judged)
        assert found is not None
        assert shipped.policy_names[found.leaders[0]] in moved


def test_the_tables_of_the_capacity_page_are_made_of_the_same_cells() -> None:
    page = CAPACITY.read_text(encoding="utf-8")
    assert page == capacity(page, kept())
    assert page.count("<!-- made: compared -->") == 1


@pytest.mark.parametrize("policy", ["smt-today", "call-centre-first"])
def test_what_is_kept_of_the_storm_is_what_the_engine_plays(policy: str) -> None:
    key = Key("storm-5-percent", policy, "", 1)
    played = play_cell(load_study(STUDIES.named(Path("throttle-policies"))).task(key))
    assert told_json(played.told) == told_json(kept().cells[key])


def test_nothing_turns_a_clause_to_the_verdict_that_it_has() -> None:
    for one in held(kept()):
        assert all(of is not one.there for _, of in one.turned)
        assert (one.there is one.verdict) is not what_turns(one).startswith("Not known") or one.tried is None


def taken() -> Outcome:
    """Every clause of the rewritten rule is taken in."""
    better: Figures = (0.6, 0.2, 1000)
    by = {one.lacking: [BAD] for one in CLAUSES if one.title in WITHOUT}
    return outcome({**by, **{one.having: [better] for one in CLAUSES if one.title in WITHOUT}})


def whole_rule(*, capped: Figures = (0.6, 0.2, 1000)) -> Outcome:
    """The rule, its cap worth so much beside the others, and all else nothing."""
    rule: Figures = (0.6, 0.2, 1000)
    without = {name: [rule] for name in WITHOUT.values()} | {WITHOUT[CAP]: [capped]}
    return outcome({RULE: [rule], **without}, study={"name": "whole", "question": "", "levels": []})


def test_the_rule_is_told_as_a_whole_with_each_clause_beside_its_others() -> None:
    found = rule(text(taken(), whole_rule(capped=(0.596, 0.2, 1000))))
    assert (
        "taken in, `smt-today-guarded:amount=8` beside `smt-today`; beside the rule's other clauses: taken in)" in found
    )
    assert (
        "taken in, `reuse-15-min` beside `smt-today`; beside the rule's other clauses: cannot be told apart)" in found
    )
    assert (
        "**A cap for each access point, beside the others: taken in.** `rewritten` beside `rewritten-uncapped`: "
        "call centres' reads told in the call +0.4 points ± 0.0 on day-0"
    ) in found
    assert (
        "Study `whole` plays it as one policy, `rewritten`, and without one clause after the other, over 1 workloads"
        in found
    )
    turned = rule(text(taken(), whole_rule(capped=(0.7, 0.1, 1000))))
    assert "**A cap for each access point, beside the others: not taken in.**" in turned


def test_a_rule_that_was_not_played_as_one_policy_is_said_not_to_add_up() -> None:
    says = "It was not played as one policy. What its clauses do, each beside another policy, does not add up."
    assert says in rule(text(taken()))
    # Nor is another rule the one that was played.
    other = replace(taken(), policies=[one for one in taken().policies if one.name != "reuse-15-min"])
    assert says in rule(text(other, whole_rule()))


def test_the_shipped_rule_has_the_clauses_and_the_callers_of_the_shipped_study() -> None:
    shipped, of = map(kept, FOLDERS)
    study = load_study(STUDIES.named(Path("throttle-rule")))
    assert of.policy_names == [one.name for one in study.policies]
    assert (of.workloads, of.replications) == (shipped.workloads, shipped.replications)
    both = {*of.policy_names} & {*shipped.policy_names}
    assert both == {"smt-today", "push-to-smt"}
    for key, told in of.cells.items():
        if key.policy in both:
            assert told_json(told) == told_json(shipped.cells[key])
    assert {one.clause.title for one in held(of) if one.clause.having == RULE} == {*WITHOUT}
    assert "### The rule as a whole\n\nStudy `throttle-rule` plays it" in PAGE.read_text(encoding="utf-8")


def test_without_the_best_policy_the_next_best_is_told_and_what_the_best_takes() -> None:
    best = outcome({"smt-today": [(0.5, 0.3, 90)], "store-only": [(0.4, 0.4, 10)], "push-to-smt": [(0.9, 0.1, 400)]})
    told = text(best).splitlines()
    assert told[2].startswith(
        "> On day-0 the least regret in call centres' interval reads told in the call: push-to-smt, by 40.0 points"
    )
    takes, _, otherwise = next(line for line in told[4:] if line.startswith("> ") and " MB " in line).partition(
        " a day. "
    )
    assert takes.startswith("> push-to-smt takes ")
    for megabytes, most in zip(re.findall(r"([\d,.]+) MB", takes), re.findall(r"up to ([\d,.]+)", takes), strict=True):
        assert float(megabytes.replace(",", "")) >= float(most.replace(",", ""))
    assert otherwise.startswith(
        "Where it cannot be had: on day-0 the least regret in call centres' interval reads told in the call: smt-today, by 10.0"
    )
    assert "cannot be had" not in text(outcome({"smt-today": [(0.5, 0.3, 90)], "push-to-smt": [(0.9, 0.1, 400)]}))
    split = outcome({"smt-today": [(0.5, 0.3, 90)], "store-only": [(0.6, 0.4, 0)], "reuse-15-min": [(0.4, 0.2, 9)]})
    assert "cannot be had" not in text(split)


def test_no_title_breaks_a_table() -> None:
    odd = whole()
    odd = replace(odd, workloads=[one._replace(title="a | b") for one in odd.workloads])
    assert "a | b" not in text(odd)
