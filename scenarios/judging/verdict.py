"""The verdict: a pure function of a recording. The scenario with its expectations is in the recording, so an old one can be judged again."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from scenarios.evidence import Evidence
from scenarios.judging.checks import judge_checks
from scenarios.judging.findings import CheckVerdict, StepVerdict, Verdict
from scenarios.judging.steps import judge_steps
from scenarios.recording import Recording
from scenarios.rules.registry import REGISTRY, Row
from scenarios.rules.requirements import REQUIREMENTS
from simulator.verdicts import Mark, verdict_on

J = TypeVar("J", StepVerdict, CheckVerdict)


def judge(recording: Recording) -> Verdict:
    """Judge the seven steps of every balance call, every action of the timeline, and what must hold of the run as a whole.

    A run in whose journal a fault of ours stands, or a clock that was not kept, shows nothing, whatever came of its rules: all of it is inconclusive.
    """
    steps, checks, own_faults = judge_steps(recording), judge_checks(recording), Evidence(recording).own_faults
    if own_faults:
        text = f"{' '.join(own_faults)} Nothing of this run can be judged."
        own = CheckVerdict("own-faults", "Faults of ami-testbed's own", text, {}, Mark.INCONCLUSIVE, ())
        steps, checks = _inconclusive(steps), (own, *_inconclusive(checks))
    judged: list[StepVerdict | CheckVerdict] = [*steps, *checks]
    cited = dict.fromkeys(ident for one in judged for ident in one.requirements if ident in REGISTRY)
    requirements = {ident: _coverage(REGISTRY[ident], judged) for ident in REQUIREMENTS | cited}
    return Verdict(steps, checks, verdict_on(one.mark for one in judged), requirements)


def _inconclusive(judged: tuple[J, ...]) -> tuple[J, ...]:
    return tuple(replace(one, mark=Mark.INCONCLUSIVE) for one in judged)


def _coverage(requirement: Row, judged: list[StepVerdict | CheckVerdict]) -> Mark:
    """The verdict on what cites a requirement. Of one that no scenario shows whole it is partly, and on an open question it is evidence, at most."""
    mark = verdict_on(one.mark for one in judged if requirement.id in one.requirements)
    if mark not in (Mark.PASSED, Mark.PARTLY):
        return mark
    if requirement.conformance == "issue":
        return Mark.EVIDENCE
    return Mark.PARTLY if requirement.untested else mark
