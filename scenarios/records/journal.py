"""What the parties noted in the journal: one record for each kind of note that a verdict rests on. Who notes it, and as what, stands at its head."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny

from meters.calendar import Seconds
from scenarios.records.values import CODE, Count, Day, Epoch, Record
from simulator.ror.call.analysis import Question

#: By who notes it and as what.
_KINDS: dict[str, type[Note]] = {}


class Note(Record):
    """What a party noted of something at an instant."""

    at: Epoch
    party: str
    kind: str
    ident: str

    def __init_subclass__(cls, noted: str) -> None:
        """Take a record in for what a party notes as a kind."""
        _KINDS[noted] = cls


class CalledNote(Note, noted="ROR/S1.called"):
    """S1: a customer called."""

    esiid: str
    account: str
    question: Annotated[Question, CODE]


class DecidedNote(Note, noted="ROR/S2.decided"):
    """S2: the retailer decided."""

    needs_more: bool
    vee_intervals: Count


class RequestedNote(Note, noted="ROR/S3.requested"):
    """S3: the retailer asked for the gap."""

    esiid: str
    read_type: str


class ToldNote(Note, noted="ROR/S6.told"):
    """S6: what the customer was told."""

    sentences: list[str]


class OutcomeNote(Note, noted="ROR/S7.outcome"):
    """S7: how long the customer waited."""

    seconds_to_answer: Seconds


class PostedNote(Note, noted="TDSP/posted"):
    """The TDSP posted a file."""

    operating_day: Day


class IntakeNote(Note, noted="SMT/intake"):
    """SMT took a file in."""

    results: dict[str, Count]


class CodesNote(Note, noted="TDSP/result codes"):
    """The TDSP read the result codes."""

    codes: dict[str, Count]


class SweepNote(Note, noted="TDSP/sweep"):
    """A sweep, and the meters that did not answer it."""

    silent: list[str]


class VeeNote(Note, noted="TDSP/VEE batch"):
    """A day was validated: intervals estimated, and findings by rule."""

    estimated: Count
    findings: dict[str, Count]


class AnsweredNote(Note, noted="TDSP/inquiry answered"):
    """The TDSP answered an inquiry."""

    outcome: str
    store: Count
    meter: Count
    missing: Count
    meter_reads: Count


class ComplaintNote(Note, noted="SMT/complaint"):
    """A complaint struck."""

    complaint: str
    did: str


class BentNote(Note, noted="TEST/answer bent"):
    """An answer of the head-end was bent on its way to SMT, by an action of the timeline."""

    bent_by: str
    status: Count


def _of_its_kind(written: Any) -> Any:
    if not isinstance(written, dict):
        return written
    return _KINDS.get(f"{written.get('party')}/{written.get('kind')}", Note).model_validate(written)


JournalNote = Annotated[SerializeAsAny[Note], BeforeValidator(_of_its_kind)]
