"""The plan of a role: scenario files in ``plans``, each a step in which one party is not ours; which of them bear on what is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scenarios.errors import ScenarioError
from scenarios.file.lint import load_cases
from scenarios.file.schema import Scenario
from scenarios.rules.certified import claimed, of_role
from simulator.input.mistakes import did_you_mean

PLANS = Path(__file__).with_name("plans")
#: The steps that only two systems at once have.
FLIGHT = "flight"


@dataclass(frozen=True, slots=True)
class PlanStep:
    """A step. ``name``: its folder's; ``track``: whose plan it is of; ``bears``: the ids that it cites."""

    name: str
    track: str
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
            f"Plans: {', '.join(sorted(one.name for one in PLANS.iterdir() if one.name != FLIGHT and any(one.glob('*.yaml'))))}.",
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
                steps.append(PlanStep(scenario.name, role, scenario, tuple(cited)))
    if not steps:
        mend = "Claim more, or name other ids with --only."
        raise ScenarioError("certify.nothing", "No step bears on what is claimed.", "claims", mend)
    return steps


def flight_of(claims: Mapping[str, Iterable[str]], only: Sequence[str] = ()) -> list[PlanStep]:
    """The steps of two systems at once: whether each wire between them is there, then each one's plan; the names of the steps begin with whose it is.

    claims: by role. Raises as ``plan_of`` does.
    """
    known = {one.id for role in claims for one in of_role(role)}
    for ident in only:
        if ident not in known:
            raise ScenarioError("certify.only", f"Neither is held to {ident}.", "--only", did_you_mean(ident, known))
    steps = [
        PlanStep(one.name, FLIGHT, one, ()) for file in (PLANS / FLIGHT).glob("*.yaml") for one in load_cases(file)
    ]
    for role, its in claims.items():
        own = tuple(ident for ident in only if ident in {one.id for one in of_role(role)})
        if own or not only:
            steps += [replace(one, name=f"{role}-{one.name}") for one in plan_of(role, its, own)]
    return steps
