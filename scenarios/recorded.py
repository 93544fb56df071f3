"""The form of a recording, as far as a verdict rests on it: what a damaged file must not get past.

Keys beside these are let be. What a run may lack (a note, an action that was not over) is the verdict's business and no damage.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from scenarios.recorded_actions import (
    Count,
    Day,
    Epoch,
    EpochUs,
    Instant,
    Kept,
    RecordedAnswers,
    RecordedCall,
    RecordedComplaint,
    RecordedPortalRead,
    RecordedRebill,
    RecordedRequest,
    Span,
)
from simulator.input.mistakes import mistakes_of
from simulator.input.yaml_text import Mistake

MALFORMED = "recording.malformed"


class Login(Kept):
    """The retailer's log-in at SMT."""

    username: str
    duns: str


class ServicePoint(Kept):
    """What SMT's registry says of the ESI ID."""

    ams: bool
    provisioned: bool
    receiving: bool
    lse: bool
    ror_of_record: str | None
    ror_name: str | None


class RorDay(Kept):
    """What a file holds of the ESI ID's consumption."""

    day: Day
    wh: Count


class RorFile(Kept):
    """An LSE file in the retailer's own folder."""

    file: str
    records: Count
    faults: Count
    days: list[RorDay]
    foreign: list[str]


class RecordedWorld(Kept):
    """World of the run."""

    tdsp: str
    esiid: str
    meters: int
    faults: list[dict[str, Any]]
    plan: str
    ror: Login
    service_point: ServicePoint
    #: A recording from before RORs had files of their own has none.
    ror_files: list[RorFile] | None = None


class RecordedPolicy(Kept):
    """Throttle of the run."""

    name: str
    title: str
    source: str


class Transition(Kept):
    """A state of a request at SMT."""

    state: str
    at_us: EpochUs
    meter_reads: Count
    from_store: Count
    from_meter: Count


class Entry(Kept):
    """A request in SMT's ledger."""

    key: str
    kind: str
    call_reference: str | None
    username: str
    duns: str | None
    submitted: Instant
    gap: Span | None
    transitions: list[Transition] = Field(min_length=1)


class Note(Kept):
    """What a party noted."""

    at: Epoch
    party: str
    kind: str
    ident: str


class PostedNote(Note):
    """The TDSP posted a file."""

    operating_day: Day


class IntakeNote(Note):
    """SMT took a file in."""

    results: dict[str, Count]


class CodesNote(Note):
    """The TDSP read the result codes."""

    codes: dict[str, Count]


class SweepNote(Note):
    """A sweep, and the meters that did not answer it."""

    silent: list[str]


class AnsweredNote(Note):
    """The TDSP answered an inquiry."""

    store: Count
    meter: Count
    missing: Count
    meter_reads: Count


class ComplaintNote(Note):
    """A complaint struck."""

    complaint: str


class DecidedNote(Note):
    """The retailer decided."""

    vee_intervals: Count


_NOTES: dict[tuple[str, str], type[Note]] = {
    ("TDSP", "posted"): PostedNote,
    ("SMT", "intake"): IntakeNote,
    ("TDSP", "result codes"): CodesNote,
    ("TDSP", "sweep"): SweepNote,
    ("TDSP", "inquiry answered"): AnsweredNote,
    ("SMT", "complaint"): ComplaintNote,
    ("ROR", "S2.decided"): DecidedNote,
}


class Usage(Kept):
    """Intervals in columns."""

    ends: list[Epoch]
    wh: list[Count]
    quality: list[int]
    source: list[int]

    @model_validator(mode="after")
    def _even(self) -> Self:
        if len({len(self.ends), len(self.wh), len(self.quality), len(self.source)}) > 1:
            raise ValueError("the columns differ in length")
        return self


class Served(Kept):
    """Intervals as SMT handed them on, in columns."""

    ends: list[Epoch]
    wh: list[Count]
    source: list[Literal["store", "meter"]]
    collected_at: list[Epoch]

    @model_validator(mode="after")
    def _even(self) -> Self:
        if len({len(self.ends), len(self.wh), len(self.source), len(self.collected_at)}) > 1:
            raise ValueError("the columns differ in length")
        return self


class Usages(Kept):
    """The usage of the cycle at the first call and after the last posting, and what SMT handed on."""

    at_call: Usage | None = None
    after_posting: Usage | None = None
    served: Served | None = None


_ACTIONS: dict[str, type[Kept]] = {
    "balance_call": RecordedCall,
    "power_status": RecordedRequest,
    "on_demand_read": RecordedRequest,
    "portal_read": RecordedPortalRead,
    "rebill": RecordedRebill,
    "same_answers": RecordedAnswers,
    "complaint": RecordedComplaint,
}


class RecordedRun(Kept):
    """A recording. ``scenario`` is checked by its own schema."""

    format: int
    scenario: dict[str, Any]
    world: RecordedWorld
    policy: RecordedPolicy
    actions: dict[str, dict[str, Any]]
    ledger: list[Entry]
    journal: list[Note]
    usage: Usages

    @classmethod
    def field_names(cls) -> set[str]:
        """Names of its fields."""
        return set(cls.model_fields)


def damage(written: dict[str, Any]) -> Iterator[Mistake]:
    """What is missing or of the wrong kind in what a recording's file holds, whose scenario is sound."""
    try:
        RecordedRun.model_validate(written)
    except ValidationError as error:
        yield from mistakes_of(error, written, RecordedRun, MALFORMED)
        return
    for at, note in enumerate(written["journal"]):
        form = _NOTES.get((note["party"], note["kind"]))
        if form is not None:
            yield from _damage_of(form, note, "journal", at)
    first = True
    for action in written["scenario"]["timeline"]:
        ref, recorded = action["ref"], written["actions"].get(action["ref"])
        if recorded is not None:
            yield from _damage_of(_ACTIONS[action["do"]], recorded, "actions", ref)
        if action["do"] == "balance_call":
            # The first call leaves its usage when it is over.
            for key in ("at_call", "served") if first and recorded is not None else ():
                if written["usage"].get(key) is None:
                    yield Mistake(MALFORMED, ("usage", key), f"The field {key} is missing.")
            first = False


def _damage_of(form: type[BaseModel], value: Any, *loc: str | int) -> Iterator[Mistake]:
    try:
        form.model_validate(value)
    except ValidationError as error:
        yield from (one.under(loc) for one in mistakes_of(error, value, form, MALFORMED))
