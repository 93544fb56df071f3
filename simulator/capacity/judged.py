"""A load study's service levels, judged: what each policy keeps at each level of load, and whether any does."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.capacity.outcome import Estimate, Outcome
from simulator.verdicts import Mark, verdict_on


@dataclass(frozen=True, slots=True)
class JudgedLevel:
    """One service level at one level of load."""

    #: Without any load, and of each policy in the order of the study.
    unloaded: Mark
    policies: tuple[Mark, ...]

    @property
    def mark(self) -> Mark:
        """Passed if every policy keeps it, partly if some do, failed if it can be kept and none does.

        Skipped where no load at all misses it: it is a wish, not a level, and says nothing of a policy.
        """
        if self.unloaded is Mark.FAILED:
            return Mark.SKIPPED
        if Mark.PASSED in self.policies:
            return Mark.PASSED if {*self.policies} == {Mark.PASSED} else Mark.PARTLY
        return Mark.INCONCLUSIVE if Mark.INCONCLUSIVE in self.policies else verdict_on(self.policies)


@dataclass(frozen=True, slots=True)
class StudyVerdict:
    """Per level of load the service levels of the study. A study that wants none judges nothing."""

    levels: tuple[tuple[JudgedLevel, ...], ...]

    @property
    def mark(self) -> Mark:
        """The verdict on the study: partly if any of its levels is, where it would be passed."""
        marks = [one.mark for level in self.levels for one in level]
        verdict = verdict_on(marks)
        return Mark.PARTLY if verdict is Mark.PASSED and Mark.PARTLY in marks else verdict


def judge(outcome: Outcome) -> StudyVerdict:
    """Hold every service level of a study against what came out."""
    shares = [one["share"] for one in outcome.study["service_levels"]]
    rows = outcome.rows()
    levels = []
    for at, level in enumerate(outcome.study["levels"]):
        unloaded = outcome.unloaded_levels(at)
        met_by = [row.levels_met for row in rows if row.level == level["name"]]
        levels.append(
            tuple(
                JudgedLevel(held(unloaded[of], share), tuple(held(met[of], share) for met in met_by))
                for of, share in enumerate(shares)
            )
        )
    return StudyVerdict(tuple(levels))


def held(met: Estimate, share: float) -> Mark:
    """Hold a share of requests, %, against the wanted one: passed or failed if its whole confidence interval lies on one side.

    Inconclusive if it does not, skipped if no request was there to be judged.
    """
    if met.mean is None:
        return Mark.SKIPPED
    half = met.half or 0.0
    if met.mean - half >= 100 * share:
        return Mark.PASSED
    return Mark.FAILED if met.mean + half < 100 * share else Mark.INCONCLUSIVE
