"""Service levels: as they are written, by each policy, and whether any keeps them."""

from __future__ import annotations

import pytest

from simulator.capacity.levels import JudgedLevel, StudyVerdict, judge, level_of
from simulator.capacity.outcome import Outcome
from simulator.capacity.paired import Estimate
from simulator.verdicts import Mark, exit_code_of
from tests.simulator.capacity.outcomes import FIRST_IS_BEST, made

PASSED, FAILED, OPEN, NONE = Mark.PASSED, Mark.FAILED, Mark.INCONCLUSIVE, Mark.SKIPPED
AT_LEAST, AT_MOST = level_of("told_in_call>=0.5"), level_of("usd<=0.5")


@pytest.mark.parametrize(
    ("met", "mark"),
    [
        (Estimate(0.75, 0.25), PASSED),
        (Estimate(0.74, 0.25), OPEN),
        (Estimate(0.25, 0.25), OPEN),
        (Estimate(0.24, 0.25), FAILED),
        (Estimate(0.50, None), PASSED),
        (Estimate(None, None), NONE),
    ],
)
def test_a_share_is_judged_where_its_whole_interval_lies_on_one_side(met: Estimate, mark: Mark) -> None:
    assert AT_LEAST.held(met) is mark


def test_less_is_better_where_it_is_written_so() -> None:
    assert [AT_MOST.held(Estimate(mean, 0.1)) for mean in (0.3, 0.45, 0.65)] == [PASSED, OPEN, FAILED]
    assert (AT_LEAST.up, AT_MOST.up) == (True, False)
    assert not AT_MOST.kept_by(float("nan"))


@pytest.mark.parametrize(
    ("policies", "mark"),
    [
        ((PASSED, PASSED), PASSED),
        ((PASSED, FAILED), Mark.PARTLY),
        ((PASSED, OPEN), Mark.PARTLY),
        ((FAILED, OPEN), OPEN),
        ((FAILED, NONE), FAILED),
        ((NONE, NONE), NONE),
    ],
)
def test_a_level_is_kept_if_every_policy_keeps_it_and_partly_if_some_do(policies: tuple[Mark, ...], mark: Mark) -> None:
    assert JudgedLevel(AT_LEAST, "day-0", policies).mark is mark


def judged(*levels: str) -> StudyVerdict:
    found = made(FIRST_IS_BEST)
    study = {**found.study, "levels": list(levels)}
    return judge(Outcome(study, "", found.workloads, found.policies, 2, {}, found.cells))


def test_a_study_that_asks_for_no_level_judges_nothing() -> None:
    assert judged().levels == ()
    assert exit_code_of(judged().mark) == 1


def test_a_study_is_judged_by_workload_and_level() -> None:
    found = judged("told_in_call>0.5", "customer.meter_reads<50", "planned>=100")
    assert [(one.workload, one.mark) for one in found.levels] == [
        ("day-0", OPEN),
        ("day-1", OPEN),
        ("day-0", FAILED),
        ("day-1", FAILED),
        ("day-0", PASSED),
        ("day-1", PASSED),
    ]
    assert found.mark is FAILED


def test_a_level_that_some_policies_miss_leaves_the_study_partly_kept() -> None:
    both, some = (JudgedLevel(AT_MOST, "day-0", marks) for marks in ((PASSED, PASSED), (PASSED, FAILED)))
    assert StudyVerdict((both, some)).mark is Mark.PARTLY
    assert StudyVerdict((both, both)).mark is PASSED


def test_what_misses_a_bound_is_named() -> None:
    outcome = made(FIRST_IS_BEST)
    assert list(level_of("told_in_call>=0.45").missed(outcome)) == [
        "not kept: told_in_call>=0.45: 0.445 on day-0 under store-only"
    ]
    assert list(level_of("customer.refused < 0.3").missed(outcome)) == []
    assert len(list(level_of("all.meter_reads>50").missed(outcome))) == 4


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("told_in_call", "no measure, sign and number"),
        ("told_in_cal>=0.5", "Did you mean told_in_call"),
        ("costumer.refused<0.1", "Did you mean customer"),
        ("told_in_call<=1", "asks nothing: told_in_call lies from 0 to 1"),
        ("refused>1.5", "asks nothing"),
        ("usd>=0", "asks nothing: usd lies from 0 to inf"),
    ],
)
def test_a_bound_that_cannot_be_read_or_asks_nothing_is_told(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        level_of(text)
