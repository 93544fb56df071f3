"""A recording, looked up: journal notes, ledger entries, the file last posted, the usage of the cycle. It reads and decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from headend.ports import BEHIND, FAULT
from headend.wire import InquiryKind
from meters.calendar import Micros, Seconds, day_end, day_start, days, epoch, iso
from scenarios.recording.actions import RecordedCall, RecordedRebill
from scenarios.recording.journal import CodesNote, IntakeNote, Note, PostedNote
from scenarios.recording.ledger import Entry
from scenarios.recording.recording import Recording
from scenarios.recording.values import Record
from scenarios.timeline import Action, BalanceCall, Rebill

#: From a posting to the reading of its result codes, and room for it.
POSTING_TAKES_S = 600

R = TypeVar("R", bound=Record)
N = TypeVar("N", bound=Note)


@dataclass(frozen=True, slots=True)
class Posted:
    """An LSE file of one operating day. ``codes``: records by result code as SMT's intake counted and as the TDSP read them."""

    file: str
    operating_day: date
    taken_in_at: Seconds | None
    intake: dict[str, int]
    codes: dict[str, int]

    @property
    def accepted(self) -> bool:
        """Every record was taken in, and both sides say so."""
        return set(self.codes) == {"00"} and self.codes == self.intake and self.codes["00"] > 0


def iso_of(instant: Seconds | None) -> str | None:
    """An instant as evidence shows it; None for none."""
    return None if instant is None else iso(instant)


def usd_of(amount: Decimal | None) -> str | None:
    """Dollars as evidence shows them; None for none."""
    return None if amount is None else str(amount)


#: By the kind of a note, what it says of a run in whose journal it stands.
_OWN = {FAULT: "A process ended by a fault of ami-testbed's own", BEHIND: "The clock was not kept"}


class Facts:
    """What a verdict asks a recording."""

    def __init__(self, recording: Recording) -> None:
        """Find the first balance call, what became of it and of its re-bill, and the usage that it left."""
        self.recording = recording
        self.scenario = recording.scenario
        self.esiid = recording.world.esiid
        timeline, usage = self.scenario.timeline, recording.usage
        self.first_call = next((action for action in timeline if isinstance(action, BalanceCall)), None)
        self.call = None if self.first_call is None else self.action(RecordedCall, self.first_call.ref)
        of = None if self.first_call is None else self.first_call.ref
        self.rebill = next((action for action in timeline if isinstance(action, Rebill) and action.of == of), None)
        self.rebilled = None if self.rebill is None else self.action(RecordedRebill, self.rebill.ref)
        #: The cycle's intervals, and those that SMT handed on for the first call.
        self.at_call = [] if usage.at_call is None else usage.at_call.intervals
        self.after_posting = [] if usage.after_posting is None else usage.after_posting.intervals
        self.served = [] if usage.served is None else usage.served.intervals

    @property
    def own_faults(self) -> list[str]:
        """Faults of ours that ended a process, and a clock that was not kept, as the journal has them, in sentences; none, one hopes."""
        found = {
            said: "; ".join(
                f"{note.party} {note.ident}".strip() + f": {(note.model_extra or {}).get('error', '')}"
                for note in self.recording.journal
                if note.kind == kind
            )
            for kind, said in _OWN.items()
        }
        return [f"{said}: {told}." for said, told in found.items() if told]

    def at(self, action: Action) -> Seconds:
        """UTC epoch seconds of an action."""
        return epoch(action.at)

    def action(self, record: type[R], ref: str) -> R | None:
        """What became of an action; None when the run left nothing of it."""
        found = self.recording.actions.get(ref)
        return found if isinstance(found, record) else None

    def notes(self, kind: type[N], ident: str | None = None) -> Iterator[N]:
        """The journal's notes of one kind, in order."""
        for note in self.recording.journal:
            if isinstance(note, kind) and ident in (None, note.ident):
                yield note

    def note(self, kind: type[N], ident: str) -> N | None:
        """The only note of a kind and ident; None if there is none or more than one."""
        found = list(self.notes(kind, ident))
        return found[0] if len(found) == 1 else None

    def requests(self, ref: str | None = None, kind: InquiryKind | None = None) -> list[Entry]:
        """Ledger entries, of one call and of one kind."""
        return [
            entry
            for entry in self.recording.ledger
            if ref in (None, entry.call_reference) and kind in (None, entry.kind)
        ]

    def posted(self) -> dict[date, list[Posted]]:
        """The files posted, by operating day."""
        files: dict[date, list[Posted]] = {}
        for note in self.notes(PostedNote):
            intake, codes = self.note(IntakeNote, note.ident), self.note(CodesNote, note.ident)
            taken_in_at, results = (None, {}) if intake is None else (intake.at, intake.results)
            read = {} if codes is None else codes.codes
            file = Posted(note.ident, note.operating_day, taken_in_at, results, read)
            files.setdefault(note.operating_day, []).append(file)
        return files

    def days_due(self) -> list[date]:
        """Operating days whose posting was due, result codes and all, before the last action."""
        last = self.at(self.scenario.timeline[-1])
        first, times = self.scenario.world.first_day, self.scenario.times
        ended = days(first, self.scenario.timeline[-1].at.date())
        return [day for day in ended if times.posted_at(day) + POSTING_TAKES_S <= last]

    def last_lse(self, before: Seconds) -> Posted | None:
        """The accepted file with the latest operating day that SMT had at an instant (PRE1)."""
        had = [
            file
            for files in self.posted().values()
            for file in files
            if file.taken_in_at is not None and file.taken_in_at <= before and set(file.intake) == {"00"}
        ]
        return max(had, key=lambda one: one.operating_day, default=None)

    def vee_end(self, before: Seconds) -> Seconds | None:
        """End of the last VEE interval posted before an instant, of the days that are the retailer's."""
        last, since = self.last_lse(before), self.scenario.account.customer_since
        return None if last is None or (since and last.operating_day < since) else day_end(last.operating_day)

    def gap_from(self, before: Seconds) -> Seconds | None:
        """Where the gap begins: behind those, or when the customer came."""
        since = self.scenario.account.customer_since
        return self.vee_end(before) or (None if since is None else day_start(since))

    def tolerance(self, vee: Decimal) -> Decimal:
        """AMB-12: how far a bill told may lie from the re-bill, $."""
        return max(self.scenario.tolerance_usd, abs(vee) * self.scenario.tolerance_percent / 100)


def seconds_between(first_us: Micros, last_us: Micros) -> str:
    """Model time between two instants in seconds, to the millisecond, as text."""
    return str(Decimal(last_us - first_us).scaleb(-6).quantize(Decimal("0.001")))
