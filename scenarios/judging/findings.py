"""What a verdict is made of: a step or a check, its evidence, its mark, and for each rule broken what was expected and what was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Mark(StrEnum):
    """How a step or check came out."""

    PASSED = "passed"
    FAILED = "failed"
    #: S2 decided that VEE data are enough: a correct ending without this step.
    NOT_NEEDED = "not needed"
    #: The scenario expects the request to be refused or to fail before this step.
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Failure:
    """One rule that does not hold."""

    what: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class StepVerdict:
    """One of the seven steps. ``evidence``: JSON values; ``requirements``: the ids that the step shows."""

    id: str
    actor: str
    happened: str
    evidence: dict[str, Any]
    mark: Mark
    requirements: tuple[str, ...]
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckVerdict:
    """A check beside the steps: one per action of the timeline, by its ref, and the general ones."""

    id: str
    title: str
    happened: str
    evidence: dict[str, Any]
    mark: Mark
    requirements: tuple[str, ...]
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of a recording. ``requirements``: every id of the registry with passed, failed or not exercised."""

    steps: tuple[StepVerdict, ...]
    checks: tuple[CheckVerdict, ...]
    passed: bool
    requirements: dict[str, str]

    @property
    def judged(self) -> list[StepVerdict | CheckVerdict]:
        """Steps, then checks."""
        return [*self.steps, *self.checks]


@dataclass(slots=True)
class Rule:
    """Collects the failures of one step or check."""

    failures: list[Failure] = field(default_factory=list)

    def equal(self, what: str, expected: Any, found: Any) -> None:
        """Hold two values against each other."""
        self.holds(what, expected == found, expected, found)

    def holds(self, what: str, ok: bool, expected: Any, found: Any) -> None:
        """Note a failure unless ``ok``."""
        if not ok:
            self.failures.append(Failure(what, _text(expected), _text(found)))

    @property
    def mark(self) -> Mark:
        """Passed unless something failed."""
        return Mark.FAILED if self.failures else Mark.PASSED


#: Who acts in each step of the use case.
ACTORS = {"S1": "Customer", "S2": "ROR", "S3": "ROR", "S4": "SMT", "S5": "TDSP", "S6": "ROR", "S7": "Customer"}


def step(ident: str, happened: str, evidence: dict[str, Any], rule: Rule, *shows: str) -> StepVerdict:
    """A step that was judged. shows: the requirements beside its own id."""
    return StepVerdict(ident, ACTORS[ident], happened, evidence, rule.mark, (ident, *shows), tuple(rule.failures))


def check(ident: str, title: str, happened: str, evidence: dict[str, Any], rule: Rule, *shows: str) -> CheckVerdict:
    """A check that was judged. shows: the requirements."""
    return CheckVerdict(ident, title, happened, evidence, rule.mark, shows, tuple(rule.failures))


def without(ident: str, mark: Mark, happened: str) -> StepVerdict:
    """A step that the run ends without."""
    return StepVerdict(ident, ACTORS[ident], happened, {}, mark, (ident,))


def _text(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(one) for one in value) or "none"
    return str(value)
