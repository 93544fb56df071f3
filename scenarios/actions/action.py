"""What an action of a timeline is: what is written of it, and its row in the table of actions."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from pydantic import Field, create_model

from scenarios.evidence import Evidence
from scenarios.parts.expected import Expectation, Fact, expectation
from scenarios.parts.setting import Act
from scenarios.records.ledger import Entry
from scenarios.records.values import Record

if TYPE_CHECKING:
    import simpy

    from scenarios.stage import Stage

A = TypeVar("A", bound=Act)
R = TypeVar("R", bound=Record)
#: A process of the run, whose value is what it leaves: JSON values of the action's record.
Played = Generator["simpy.Event", Any, dict[str, Any]]


@dataclass(frozen=True)
class Seen(Generic[A, R]):
    """What a recording tells of an action: what its facts are got from. record: what it left; None if the run left nothing of it."""

    evidence: Evidence
    action: A
    record: R | None

    @cached_property
    def filed(self) -> list[Entry]:
        """Its on-demand requests in SMT's ledger."""
        return self.evidence.requests(self.action.ref)


def nothing(_: Any) -> dict[str, Any]:
    """Imply nothing."""
    return {}


@dataclass(frozen=True)
class Row(Generic[A, R]):
    """A kind of action.

    do: its name in a file. model: what is written of it, beside ``do`` and ``expect``. play: what is done. record: what that leaves. facts: what can be expected of it.
    title: of its check. tell: what happened, in words. required: facts that must be expected. implied: what is expected besides, by what is written.
    """

    do: str
    title: str
    model: type[A]
    record: type[R]
    play: Callable[[Stage, A], Played]
    facts: tuple[Fact, ...]
    tell: Callable[[Seen[A, R]], str]
    required: tuple[str, ...] = ()
    implied: Callable[[A], dict[str, Any]] = nothing

    @property
    def doc(self) -> str:
        """What it is, in a line."""
        return str(self.model.__doc__).strip().splitlines()[0]

    @cached_property
    def expectation(self) -> type[Expectation]:
        """The model of what can be expected of it."""
        return expectation(f"{self.model.__name__}Expectation", self.facts, self.required)

    @cached_property
    def any_of(self) -> type[Expectation]:
        """The same where none of its facts must be named."""
        return expectation(f"{self.model.__name__}Facts", self.facts)

    @cached_property
    def written(self) -> type[A]:
        """The model of the whole action."""
        must = Field() if self.required else Field(default_factory=self.expectation)
        fields: dict[str, Any] = {"do": (Literal[self.do], ...), "expect": (self.expectation, must)}
        return create_model(self.model.__name__, __base__=self.model, __doc__=self.model.__doc__, **fields)

    def seen(self, evidence: Evidence, action: Act) -> Seen[A, R]:
        """What a recording tells of one of its kind."""
        return Seen(evidence, action, evidence.action(self.record, action.ref))  # type: ignore[arg-type]

    def fact(self, name: str) -> Fact:
        """A fact by its name."""
        return next(fact for fact in self.facts if fact.name == name)

    def held(self, action: Act) -> dict[str, Any]:
        """What is expected of an action, by fact: what is written, and what that implies."""
        implied = {name: self.fact(name).form.model_validate(value) for name, value in self.implied(action).items()}  # type: ignore[arg-type]
        return implied | action.expect.forms
