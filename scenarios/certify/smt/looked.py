"""All that is looked at of an SMT."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from scenarios.certify.observed import Observed, Step
from scenarios.certify.smt.asked import Asked, asked_in
from scenarios.certify.smt.breaches import breaches_in
from scenarios.parts.setting import Act
from scenarios.records.values import Record
from simulator.smt.ondemand.invariants import Breach

_R = TypeVar("_R", bound=Record)


@dataclass(frozen=True)
class Looked:
    """All of it: the requests, and what else was done, by step."""

    all_of_it: Observed

    @property
    def steps(self) -> list[Step]:
        """Those that can be judged."""
        return [one for one in self.all_of_it.steps if not one.own and one.recording is not None]

    @cached_property
    def asked(self) -> list[Asked]:
        """Every request, in the order of its coming."""
        return [one for step in self.steps for one in asked_in(step)]

    def citing(self, ident: str) -> list[Asked]:
        """Those by which an id is looked at."""
        return [one for one in self.asked if ident in one.action.verifies]

    def left(self, ident: str, kind: type[_R]) -> Iterator[tuple[Step, Act, _R]]:
        """What was left, of a kind, by the actions by which an id is looked at."""
        for step in self.steps:
            assert step.recording is not None
            for action in step.recording.scenario.timeline:
                record = step.recording.actions.get(action.ref)
                if ident in action.verifies and isinstance(record, kind):
                    yield step, action, record

    @cached_property
    def broken(self) -> dict[tuple[str, str], list[Breach]]:
        """By step and request, what the throttle did that is against its rules."""
        return {key: its for step in self.steps for key, its in breaches_in(step, asked_in(step)).items()}

    def had_room(self, one: Asked) -> bool:
        """Whether a request was not let through although there was room: of what follows from a refusal it shows nothing."""
        return any(not each.limit for each in self.broken.get((one.step.name, one.action.ref), []))
