"""What a verdict is made of: a step or a check, its evidence, its mark, how much was compared, and for each rule broken what was expected and what was found."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from simulator.verdicts import Mark


@dataclass(frozen=True, slots=True)
class Failure:
    """One rule that does not hold."""

    what: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class StepVerdict:
    """One of the seven steps. ``evidence``: JSON values; ``requirements``: the ids that the step shows.

    ``compared``: how many comparisons were made; ``lacking``: those for which there was nothing to compare. ``call``: of which, if there are several.
    """

    id: str
    actor: str
    happened: str
    evidence: dict[str, Any]
    mark: Mark
    requirements: tuple[str, ...]
    failures: tuple[Failure, ...] = ()
    compared: int = 0
    lacking: tuple[str, ...] = ()
    call: str | None = None

    @property
    def label(self) -> str:
        """The step, and of which call if there are several."""
        return self.id if self.call is None else f"{self.id} of {self.call}"


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
    compared: int = 0
    lacking: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What it is called where it is told of."""
        return self.id


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of a recording. ``mark``: the verdict on all of it. ``requirements``: the mark of every id of the use case, and of what else was cited."""

    steps: tuple[StepVerdict, ...]
    checks: tuple[CheckVerdict, ...]
    mark: Mark
    requirements: dict[str, Mark]

    @property
    def judged(self) -> list[StepVerdict | CheckVerdict]:
        """Steps, then checks."""
        return [*self.steps, *self.checks]


@dataclass(slots=True)
class Rule:
    """Collects what one step or check compares, and its failures."""

    failures: list[Failure] = field(default_factory=list)
    compared: int = 0
    lacking: list[str] = field(default_factory=list)

    def equal(self, what: str, expected: Any, found: Any) -> None:
        """Hold two values against each other."""
        self.holds(what, expected == found, expected, found)

    def holds(self, what: str, ok: bool, expected: Any, found: Any) -> None:
        """Note a failure unless ``ok``."""
        self.compared += 1
        if not ok:
            self.failures.append(Failure(what, text(expected), text(found)))

    def none(self, what: str, found: Collection[Any], among: int) -> None:
        """Hold that of so many things none is found wrong. Of no things nothing can be said: it is noted as lacking."""
        if among or found:
            self.equal(what, [], found)
        else:
            self.lacking.append(what)

    def take(self, other: Rule) -> None:
        """Take over what another rule compared."""
        self.failures += other.failures
        self.compared += other.compared
        self.lacking += other.lacking

    @property
    def mark(self) -> Mark:
        """Failed if something failed, skipped if nothing was compared, partly if a part was not, else passed."""
        if self.failures:
            return Mark.FAILED
        if not self.compared:
            return Mark.SKIPPED
        return Mark.PARTLY if self.lacking else Mark.PASSED

    @property
    def found(self) -> tuple[tuple[Failure, ...], int, tuple[str, ...]]:
        """What a step or check tells of it beside the mark."""
        return tuple(self.failures), self.compared, tuple(self.lacking)


#: Who acts in each step of the use case.
ACTORS = {"S1": "Customer", "S2": "ROR", "S3": "ROR", "S4": "SMT", "S5": "TDSP", "S6": "ROR", "S7": "Customer"}


#: What is shown beside a step's own id: by a step, or by what only some runs have.
SHOWN = {
    "S3": ("UC-N1", "UC-N2"),
    "S4": ("UC-N3", "UC-N4", "A1", "A2", "A3", "A4", "AC1", "AC4", "AMB-5", "AMB-6"),
    "S5": ("UC-N2",),
    "usage reviewed": ("PRE1", "A3", "A4"),
    "swept": ("PRE2",),
    "answered": ("UC-N5",),
    "billed again": ("POST1", "AMB-12"),
    "posted": ("AC3", "PRE1", "A4"),
    "asked": ("UC-N1", "AMB-10"),
}


def step(ident: str, happened: str, evidence: dict[str, Any], rule: Rule, *shows: str) -> StepVerdict:
    """A step that was judged. shows: the requirements beside its own id."""
    return StepVerdict(ident, ACTORS[ident], happened, evidence, rule.mark, (ident, *shows), *rule.found)


def check(ident: str, title: str, happened: str, evidence: dict[str, Any], rule: Rule, *shows: str) -> CheckVerdict:
    """A check that was judged. shows: the requirements."""
    return CheckVerdict(ident, title, happened, evidence, rule.mark, shows, *rule.found)


def without(ident: str, happened: str) -> StepVerdict:
    """A step that the run ends without, and why."""
    return StepVerdict(ident, ACTORS[ident], happened, {}, Mark.NOT_EXERCISED, (ident,))


def text(value: Any) -> str:
    """A value as a failure shows it."""
    if value is None:
        return "nothing"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(one) for one in value) or "none"
    return str(value)
