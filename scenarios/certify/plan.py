"""The plan of a role: scenario files in ``plans``, each a step in which one party is not ours; which of them bear on what is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scenarios.certified import claimed, of_role
from scenarios.errors import ScenarioError
from scenarios.lint import load_cases
from scenarios.schema import Scenario
from simulator.input.mistakes import did_you_mean

PLANS = Path(__file__).with_name("plans")


@dataclass(frozen=True, slots=True)
class PlanStep:
    """A step. ``bears``: the ids that it cites."""

    scenario: Scenario
    bears: tuple[str, ...]


def plan_of(role: str, claims: Iterable[str], only: Sequence[str] = ()) -> list[PlanStep]:
    """The steps of a role that bear on what is claimed, or on some ids of that alone. Raises ScenarioError if there are none."""
    files = sorted((PLANS / role).glob("*.yaml"))
    if not files:
        text = f"There is no plan for a {role}."
        raise ScenarioError(
            "certify.no_plan",
            text,
            "role",
            f"Plans: {', '.join(sorted(one.name for one in PLANS.iterdir() if any(one.glob('*.yaml'))))}.",
        )
    known = {one.id for one in of_role(role)}
    for ident in only:
        if ident not in known:
            raise ScenarioError(
                "certify.only", f"A {role} is not held to {ident}.", "--only", did_you_mean(ident, known)
            )
    wanted = {one.id for one in claimed(role, claims)} & (set(only) or known)
    steps = []
    for file in files:
        for scenario in load_cases(file):
            cited = dict.fromkeys(ident for one in scenario.timeline for ident in one.verifies)
            if wanted & cited.keys():
                steps.append(PlanStep(scenario, tuple(cited)))
    if not steps:
        mend = "Claim more, or name other ids with --only."
        raise ScenarioError("certify.nothing", "No step bears on what is claimed.", "claims", mend)
    return steps
