"""The verdict: a pure function of a recording. The scenario with its expectations is in the recording, so an old one can be judged again."""

from __future__ import annotations

from dataclasses import replace

from scenarios.judging.checks import judge_checks
from scenarios.judging.facts import Facts
from scenarios.judging.findings import Mark, Verdict
from scenarios.judging.steps import judge_steps
from scenarios.recording.recording import Recording
from scenarios.requirements import REQUIREMENTS

NOT_EXERCISED = "not exercised"


def judge(recording: Recording) -> Verdict:
    """Judge the seven steps of the first balance call, every action of the timeline, and what must hold of the run as a whole.

    Passed if nothing failed.
    """
    facts = Facts(recording)
    verdict = Verdict(judge_steps(facts), judge_checks(facts), False, {})
    marks = [(judged.mark, judged.requirements) for judged in verdict.judged]
    passed = all(mark is not Mark.FAILED for mark, _ in marks)
    return replace(verdict, passed=passed, requirements=_coverage(marks))


def _coverage(marks: list[tuple[Mark, tuple[str, ...]]]) -> dict[str, str]:
    """Failed if anything that cites an id failed, passed if something passed, else not exercised."""
    found = {}
    for requirement in REQUIREMENTS:
        its = [mark for mark, cited in marks if requirement in cited]
        if Mark.FAILED in its:
            found[requirement] = Mark.FAILED.value
        else:
            found[requirement] = Mark.PASSED.value if Mark.PASSED in its else NOT_EXERCISED
    return found
