"""What a run as a whole must come to: its facts, those of an action held again, and what must never happen in a stretch of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field

from meters.calendar import Seconds, epoch, seconds, to_s
from scenarios.actions.world.complaint import Complaint
from scenarios.evidence import Evidence
from scenarios.parts.expected import COUNT, TEXTS, Expectation, Fact, expectation
from scenarios.parts.written import LocalTime, Name, Requirement, Spec
from scenarios.records.journal import CalledNote, ComplaintNote, PostedNote, SweepNote, VeeNote
from scenarios.records.ledger import Transition
from simulator.smt.ondemand.lifecycle import State


def _steps(evidence: Evidence, holds: Callable[[Transition], bool]) -> Iterator[Seconds]:
    return (to_s(step.at_us) for entry in evidence.recording.ledger for step in entry.life if holds(step))


def _ended(state: State) -> Callable[[Evidence], Iterator[Seconds]]:
    return lambda evidence: _steps(evidence, lambda step: step.state is state)


def _lives(evidence: Evidence, first: Seconds, until: Seconds) -> int:
    """Whether a stretch has a part of the run, by its journal."""
    noted = [note.at for note in evidence.recording.journal]
    return int(bool(noted) and first <= max(noted) and min(noted) < until)


def _stepped(evidence: Evidence, first: Seconds, until: Seconds) -> int:
    """Steps in the lives of on-demand requests."""
    return sum(first <= at < until for at in _steps(evidence, lambda _: True))


def _complained(evidence: Evidence, first: Seconds, until: Seconds) -> int:
    """Complaints of the scenario, if the stretch has a part of the run."""
    declared = sum(isinstance(one, Complaint) and one.declare is not None for one in evidence.scenario.timeline)
    return _lives(evidence, first, until) * (len(evidence.scenario.complaints) + declared)


class Event(NamedTuple):
    """What can happen: in words, the instants at which it did, and how much there was in a stretch that could have been one."""

    words: str
    happened: Callable[[Evidence], Iterator[Seconds]]
    among: Callable[[Evidence, Seconds, Seconds], int] = _lives


#: What can happen, by name.
EVENTS = {
    "calls": Event("balance calls", lambda evidence: (note.at for note in evidence.notes(CalledNote))),
    "requests": Event("on-demand requests", lambda evidence: (entry.submitted for entry in evidence.recording.ledger)),
    "completions": Event("on-demand requests completed", _ended(State.COMPLETED), _stepped),
    "refusals": Event("on-demand requests refused", _ended(State.REFUSED), _stepped),
    "failures": Event("on-demand requests failed", _ended(State.FAILED), _stepped),
    "requests_read": Event("on-demand requests that cost a meter read", lambda evidence: (to_s(entry.last.at_us) for entry in evidence.recording.ledger if entry.last.meter_reads), _stepped),
    "sweeps": Event("sweeps", lambda evidence: (note.at for note in evidence.notes(SweepNote))),
    "postings": Event("files posted", lambda evidence: (note.at for note in evidence.notes(PostedNote))),
    "strikes": Event("strikes of complaints", lambda evidence: (note.at for note in evidence.notes(ComplaintNote)), _complained),
}  # fmt: skip


def _count(happened: Callable[[Evidence], Iterator[Seconds]]) -> Callable[[Evidence], int]:
    return lambda evidence: sum(1 for _ in happened(evidence))


def _last_steps(name: str) -> Callable[[Evidence], int]:
    return lambda evidence: sum(getattr(entry.last, name) for entry in evidence.recording.ledger)


#: Of the run; ``got`` from its evidence.
FACTS = (
    *(Fact(name, COUNT, one.words, _count(one.happened)) for name, one in EVENTS.items()),
    Fact("meter_reads", COUNT, "meter reads, by SMT's ledger", _last_steps("meter_reads")),
    Fact("octets", COUNT, "octets to and from meters, by SMT's ledger", _last_steps("octets")),
    Fact("days_posted", COUNT, "operating days posted", lambda evidence: len(evidence.posted())),
    Fact("codes", TEXTS, "result codes of records posted", lambda evidence: tuple(sorted({code for files in evidence.posted().values() for file in files for code in file.codes}))),
    Fact("findings", TEXTS, "rules of VEE that found something", lambda evidence: tuple(sorted({rule for note in evidence.notes(VeeNote) for rule in note.findings}))),
    Fact("estimated", COUNT, "intervals estimated by VEE", lambda evidence: sum(note.estimated for note in evidence.notes(VeeNote))),
    Fact("ror_files", COUNT, "files in the folders of the accounts' retailers", lambda evidence: sum({one.ror.username: len(one.ror_files or ()) for one in evidence.recording.world.accounts.values()}.values())),
    Fact("silent", TEXTS, "ESI IDs that a sweep did not hear", lambda evidence: tuple(sorted({esiid for note in evidence.notes(SweepNote) for esiid in note.silent}))),
    Fact("faults", TEXTS, "kinds of faults of meters", lambda evidence: tuple(sorted({one.kind for one in evidence.recording.world.faults}))),
)  # fmt: skip
if TYPE_CHECKING:
    RunExpectation = Expectation
else:
    RunExpectation = expectation("RunExpectation", FACTS)


#: The ref of an action, at its begin; or a time.
Bound = Name | LocalTime


class RunWide(Spec):
    """What is expected beyond one action. Its check has its ref."""

    ref: Name
    run: RunExpectation = Field(default_factory=RunExpectation, description="Facts of the run.")
    of: Name | None = Field(default=None, description="The ref of an action whose facts 'expect' names.")
    expect: dict[str, Any] = Field(default_factory=dict, description="Facts of that action.")
    never: Literal[tuple(EVENTS)] | None = Field(default=None, description="What must not happen.")  # type: ignore[valid-type]
    between: tuple[Bound, Bound] | None = Field(
        default=None, description="From and to, the second left out; all of the run unless given."
    )
    verifies: tuple[Requirement, ...] = ()

    @property
    def stretch(self) -> str:
        """Between what, in words."""
        return "" if self.between is None else f" between {self.between[0]} and {self.between[1]}"

    def happened(self, evidence: Evidence) -> list[Seconds]:
        """When what must never happen did."""
        first, until = self._bounds(evidence)
        return [at for at in EVENTS[str(self.never)].happened(evidence) if first <= at < until]

    def among(self, evidence: Evidence) -> int:
        """How much there was that it could have been."""
        return EVENTS[str(self.never)].among(evidence, *self._bounds(evidence))

    def _bounds(self, evidence: Evidence) -> tuple[Seconds, Seconds]:
        refs = {action.ref: evidence.at(action) for action in evidence.scenario.timeline}
        first, until = (
            (epoch(one) if isinstance(one, datetime) else refs[one] for one in self.between)
            if self.between
            else (0, 2**62)
        )
        return seconds(first), seconds(until)
