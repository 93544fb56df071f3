"""What callers are owed: a service level as it is written, what of an outcome misses it, and a study's levels judged."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from simulator.capacity.outcome import Outcome
from simulator.capacity.paired import Estimate, estimate
from simulator.capacity.told import GROUPS, MEASURES, READS
from simulator.input.mistakes import did_you_mean
from simulator.verdicts import Mark, verdict_on

_IS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
#: Those that lie from 0 to 1.
SHARES = ("told_in_call", "told_meter", "told_store", "refused", "unsatisfied")


class Level(NamedTuple):
    """A measure of a group, and a bound on it."""

    text: str
    group: str
    measure: str
    sign: str
    bound: float

    @property
    def up(self) -> bool:
        """Whether more is better."""
        return self.sign.startswith(">")

    def kept_by(self, mean: float) -> bool:
        """Whether a value keeps it; that of nobody keeps none."""
        return bool(_IS[self.sign](mean, self.bound))

    def held(self, met: Estimate) -> Mark:
        """Passed or failed if the whole confidence interval lies on one side, inconclusive if not, skipped where there was nobody."""
        if met.mean is None:
            return Mark.SKIPPED
        ends = [self.kept_by(met.mean + side * (met.half or 0.0)) for side in (-1, 1)]
        return Mark.INCONCLUSIVE if len({*ends}) > 1 else Mark.PASSED if ends[0] else Mark.FAILED

    def missed(self, outcome: Outcome) -> Iterator[str]:
        """A sentence for each workload and policy whose mean does not keep it; one that has nobody of the group keeps none."""
        means = outcome.values(self.measure, self.group).mean(axis=2)
        for workload, of in zip(outcome.workload_names, means.tolist(), strict=True):
            for policy, mean in zip(outcome.policy_names, of, strict=True):
                if not self.kept_by(mean):
                    yield f"not kept: {self.text}: {mean:.4g} on {workload} under {policy}"


def level_of(text: str) -> Level:
    """Read ``told_in_call>=0.5``, or of another group ``customer.told_in_call>=0.5``. Raises ValueError with what is wrong; and the mend."""
    found = re.fullmatch(r"\s*(?:(\w+)\.)?(\w+)\s*(>=|<=|>|<)\s*(\d+(?:\.\d+)?)\s*", text)
    if found is None:
        raise ValueError(
            f"'{text}' is no measure, sign and number; write it as told_in_call>=0.5 or customer.refused<0.1"
        )
    group, measure, sign, bound = found.groups()
    group = group or READS
    for what, name, known in (("group", group, GROUPS), ("measure", measure, MEASURES)):
        if name not in known:
            raise ValueError(f"there is no {what} '{name}'; {did_you_mean(name, known)}")
    level = Level(text.strip(), group, measure, sign, float(bound))
    # A bound that every value keeps, or none, asks nothing.
    most = 1.0 if measure in SHARES else float("inf")
    if level.kept_by(0.0) == level.kept_by(most):
        raise ValueError(f"'{text}' asks nothing: {measure} lies from 0 to {most:g}; write a bound between")
    return level


@dataclass(frozen=True, slots=True)
class JudgedLevel:
    """One level on one workload."""

    level: Level
    workload: str
    #: Of each policy in the order of the study.
    policies: tuple[Mark, ...]

    @property
    def mark(self) -> Mark:
        """Passed if every policy keeps it, partly if some do, failed if none does."""
        if Mark.PASSED in self.policies:
            return Mark.PASSED if {*self.policies} == {Mark.PASSED} else Mark.PARTLY
        return Mark.INCONCLUSIVE if Mark.INCONCLUSIVE in self.policies else verdict_on(self.policies)


@dataclass(frozen=True, slots=True)
class StudyVerdict:
    """The levels of a study. One that wants none judges nothing."""

    levels: tuple[JudgedLevel, ...]

    @property
    def mark(self) -> Mark:
        """The verdict on the study: partly if any of its levels is, where it would be passed."""
        marks = [one.mark for one in self.levels]
        verdict = verdict_on(marks)
        return Mark.PARTLY if verdict is Mark.PASSED and Mark.PARTLY in marks else verdict


def judge(outcome: Outcome) -> StudyVerdict:
    """Hold every service level of a study against what came out, on each workload."""
    return StudyVerdict(
        tuple(
            JudgedLevel(
                level,
                workload,
                tuple(
                    level.held(estimate(outcome.series(workload, policy, level.measure, level.group).tolist()))
                    for policy in outcome.policy_names
                ),
            )
            for level in map(level_of, outcome.study.get("levels", ()))
            for workload in outcome.workload_names
        )
    )
