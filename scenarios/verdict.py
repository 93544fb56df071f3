"""The verdict: a pure function of a recording. The scenario with its expectations is in the recording, so an old one can be judged again."""

from __future__ import annotations

from dataclasses import replace

from pydantic import ValidationError

from scenarios.checks import judge_checks
from scenarios.errors import ScenarioError
from scenarios.facts import Facts
from scenarios.findings import CheckVerdict, Failure, Mark, StepVerdict, Verdict
from scenarios.recorded import MALFORMED
from scenarios.recording import MEND, Recording, reading
from scenarios.requirements import REQUIREMENTS
from scenarios.schema import Scenario
from scenarios.steps import judge_steps
from simulator.input.mistakes import mistakes_of
from simulator.input.yaml_text import field_name

__all__ = ["CheckVerdict", "Failure", "Mark", "StepVerdict", "Verdict", "judge"]

NOT_EXERCISED = "not exercised"


def judge(recording: Recording) -> Verdict:
    """Judge the seven steps of the first balance call, every action of the timeline, and what must hold of the run as a whole.

    Passed if nothing failed. Raises ScenarioError for a recording that lacks what every run writes.
    """
    try:
        facts = Facts(recording)
    except ValidationError as error:
        first = mistakes_of(error, recording.scenario, Scenario, MALFORMED)[0].under(("scenario",))
        raise ScenarioError(MALFORMED, first.message, f"recording: {field_name(first.loc)}", MEND) from None
    with reading("recording"):
        steps, checks = judge_steps(facts), judge_checks(facts)
    verdict = Verdict(steps, checks, False, {})
    marks = [(one.mark, one.requirements) for one in verdict.judged]
    passed = all(mark is not Mark.FAILED for mark, _ in marks)
    return replace(verdict, passed=passed, requirements=_coverage(marks))


def _coverage(marks: list[tuple[Mark, tuple[str, ...]]]) -> dict[str, str]:
    """Failed if anything that cites an id failed, passed if something passed, else not exercised."""
    found = {}
    for one in REQUIREMENTS:
        its = [mark for mark, cited in marks if one in cited]
        if Mark.FAILED in its:
            found[one] = Mark.FAILED.value
        else:
            found[one] = Mark.PASSED.value if Mark.PASSED in its else NOT_EXERCISED
    return found
