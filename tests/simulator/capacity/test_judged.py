"""Service levels: by each policy, and whether any keeps them."""

from __future__ import annotations

import pytest
from simulator.capacity.judged import JudgedLevel, StudyVerdict, held, judge

from simulator.capacity.outcome import Estimate
from simulator.capacity.run import run_study
from simulator.verdicts import Mark, exit_code_of
from tests.simulator.capacity.test_study import study

PASSED, FAILED, OPEN, NONE = Mark.PASSED, Mark.FAILED, Mark.INCONCLUSIVE, Mark.SKIPPED


@pytest.mark.parametrize(
    ("met", "mark"),
    [
        (Estimate(95, 5), PASSED),
        (Estimate(94.9, 5), OPEN),
        (Estimate(85, 5), OPEN),
        (Estimate(84.9, 5), FAILED),
        (Estimate(90, None), PASSED),
        (Estimate(None, None), NONE),
    ],
)
def test_a_share_is_judged_where_its_whole_interval_lies_on_one_side(met: Estimate, mark: Mark) -> None:
    assert held(met, 0.9) is mark


@pytest.mark.parametrize(
    ("unloaded", "policies", "mark"),
    [
        (PASSED, (PASSED, PASSED), PASSED),
        (PASSED, (PASSED, FAILED), Mark.PARTLY),
        (OPEN, (PASSED, OPEN), Mark.PARTLY),
        (PASSED, (FAILED, OPEN), OPEN),
        (PASSED, (FAILED, NONE), FAILED),
        (PASSED, (NONE, NONE), NONE),
        (FAILED, (FAILED, FAILED), NONE),
    ],
)
def test_a_level_that_no_load_at_all_misses_says_nothing_of_a_policy(
    unloaded: Mark, policies: tuple[Mark, ...], mark: Mark
) -> None:
    assert JudgedLevel(unloaded, policies).mark is mark


def test_a_study_that_asks_for_no_level_judges_nothing() -> None:
    judged = judge(run_study(study(service_levels=[])))
    assert judged.levels == ((),)
    assert exit_code_of(judged.mark) == 1


def test_a_study_is_judged_by_level_of_load_and_of_service() -> None:
    judged = judge(run_study(study(service_levels=[{"share": 0.01}, {"share": 1, "within_s": 0.001}])))
    assert [[one.mark for one in level] for level in judged.levels] == [[PASSED, NONE]]
    assert judged.mark is PASSED


def test_a_level_that_some_policies_miss_leaves_the_study_partly_kept() -> None:
    both, some = JudgedLevel(PASSED, (PASSED, PASSED)), JudgedLevel(PASSED, (PASSED, FAILED))
    assert StudyVerdict(((both,), (some,))).mark is Mark.PARTLY
    assert StudyVerdict(((both,), (both, JudgedLevel(FAILED, (FAILED, FAILED))))).mark is PASSED
