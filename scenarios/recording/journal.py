"""What the parties noted in the journal: one record for each kind of note that a verdict rests on. Who notes it, and as what, stands in the record."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, SerializeAsAny

from scenarios.recording.values import CODE, Count, Day, Epoch, Record
from simulator.ror.analysis import Question


class Note(Record):
    """What a party noted of something at an instant."""

    at: Epoch
    party: str
    kind: str
    ident: str


class CalledNote(Note):
    """S1: a customer called."""

    party: Literal["ROR"]
    kind: Literal["S1.called"]
    esiid: str
    account: str
    question: Annotated[Question, CODE]


class DecidedNote(Note):
    """S2: the retailer decided."""

    party: Literal["ROR"]
    kind: Literal["S2.decided"]
    needs_more: bool
    vee_intervals: Count


class RequestedNote(Note):
    """S3: the retailer asked for the gap."""

    party: Literal["ROR"]
    kind: Literal["S3.requested"]
    esiid: str
    read_type: str


class ToldNote(Note):
    """S6: what the customer was told."""

    party: Literal["ROR"]
    kind: Literal["S6.told"]
    sentences: list[str]


class OutcomeNote(Note):
    """S7: how long the customer waited."""

    party: Literal["ROR"]
    kind: Literal["S7.outcome"]
    seconds_to_answer: int


class PostedNote(Note):
    """The TDSP posted a file."""

    party: Literal["TDSP"]
    kind: Literal["posted"]
    operating_day: Day


class IntakeNote(Note):
    """SMT took a file in."""

    party: Literal["SMT"]
    kind: Literal["intake"]
    results: dict[str, Count]


class CodesNote(Note):
    """The TDSP read the result codes."""

    party: Literal["TDSP"]
    kind: Literal["result codes"]
    codes: dict[str, Count]


class SweepNote(Note):
    """A sweep, and the meters that did not answer it."""

    party: Literal["TDSP"]
    kind: Literal["sweep"]
    silent: list[str]


class AnsweredNote(Note):
    """The TDSP answered an inquiry."""

    party: Literal["TDSP"]
    kind: Literal["inquiry answered"]
    outcome: str
    store: Count
    meter: Count
    missing: Count
    meter_reads: Count


class ComplaintNote(Note):
    """A complaint struck."""

    party: Literal["SMT"]
    kind: Literal["complaint"]
    complaint: str
    did: str


#: By who notes it and as what.
_KINDS = {
    "/".join(get_args(kind.model_fields[name].annotation)[0] for name in ("party", "kind")): kind
    for kind in Note.__subclasses__()
}


def _of_its_kind(written: Any) -> Any:
    if not isinstance(written, dict):
        return written
    return _KINDS.get(f"{written.get('party')}/{written.get('kind')}", Note).model_validate(written)


JournalNote = Annotated[SerializeAsAny[Note], BeforeValidator(_of_its_kind)]
