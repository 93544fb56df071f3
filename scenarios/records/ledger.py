"""SMT's ledger of on-demand requests: who asked, for which call, and each state that a request came to."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from headend.wire import InquiryKind
from scenarios.records.values import CODE, Count, EpochUs, Instant, Record, Span
from simulator.smt.ondemand.lifecycle import BESIDE, State
from simulator.smt.throttle.limits import Door, Scope


class Transition(Record):
    """A state of a request at SMT."""

    state: Annotated[State, CODE]
    at_us: EpochUs
    reason: str
    meter_allowed: bool
    meter_reads: Count
    from_store: Count
    from_meter: Count
    octets: Count
    #: A recording from before answers were judged by rules has none.
    rule: str = ""
    field: str = ""
    value: str = ""


class Entry(Record):
    """A request in SMT's ledger."""

    key: str
    esiid: str
    kind: Annotated[InquiryKind, CODE]
    #: A recording from before customers read through the portal names no door.
    door: Annotated[Door, CODE] = Door.API
    call_reference: str | None
    username: str
    duns: str | None
    requester_class: str
    #: Under what its throttle counted it; a recording from before that was kept has none.
    scopes: dict[Annotated[Scope, CODE], str] = Field(default_factory=dict)
    submitted: Instant
    gap: Span | None
    transitions: list[Transition] = Field(min_length=1)

    @property
    def life(self) -> list[Transition]:
        """The steps of its life, without what was found beside it."""
        return [step for step in self.transitions if step.state not in BESIDE]

    @property
    def last(self) -> Transition:
        """Where it stands."""
        return self.life[-1]
