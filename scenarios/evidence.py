"""A recording, looked up: what was done, journal notes, ledger entries, the file last posted. It reads and decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar

from pydantic import Field, SerializeAsAny

from headend.ports import BEHIND, FAULT
from headend.wire import InquiryKind
from meters.calendar import Micros, Seconds, day_end, day_start, days, epoch, iso, local
from scenarios.parts.setting import Act, Setting
from scenarios.records.journal import CodesNote, IntakeNote, JournalNote, Note, PostedNote
from scenarios.records.ledger import Entry
from scenarios.records.usage import Interval, ServedInterval, Usages
from scenarios.records.values import Instant, Record
from scenarios.records.world import Policy, World

#: From a posting to the reading of its result codes, and room for it.
POSTING_TAKES_S = 600

R = TypeVar("R", bound=Record)
N = TypeVar("N", bound=Note)


@dataclass(frozen=True, slots=True)
class Posted:
    """An LSE file of one operating day. ``codes``: records by result code as SMT's intake counted and as the TDSP read them."""

    file: str
    operating_day: date
    posted_at: Seconds
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


class Recorded(Record):
    """The run of one scenario. What a run may lack (a note, an action that was not over) is the verdict's business and no damage."""

    format: Literal[4]
    scenario: Setting
    world: World
    policy: Policy
    #: What became of each action of the timeline, by its ref: the record of its kind.
    actions: dict[str, SerializeAsAny[Record]]
    #: When those began that come after another one.
    begun: dict[str, Instant] = Field(default_factory=dict)
    #: SMT's ledger of on-demand requests of the accounts' ESI IDs.
    ledger: list[Entry]
    #: And of others: the throttle counts them too. A recording from before they were kept has none.
    others: list[Entry] = Field(default_factory=list)
    #: What each party noted, in order.
    journal: list[JournalNote]
    #: By the ref of a balance call: usage of the account's cycle, as known at the call and after the posting of its re-bill.
    usage: dict[str, Usages]
    #: The first call alone left its usage: made of a recording of format 3.
    first_call_alone: bool = False


class Evidence:
    """What a verdict asks a recording, about one of the accounts."""

    def __init__(self, recording: Recorded, account: str | None = None) -> None:
        """Look at the account of an id; the first one unless given."""
        self.recording = recording
        self.scenario = recording.scenario
        self.account = self.scenario.cast[account] if account else self.scenario.account
        self.premise = recording.world.accounts[self.account.account_id]
        self.esiid = self.premise.esiid
        #: The notes of each kind that was asked for: a journal is long, and files are looked up in it one by one.
        self._noted: dict[type[Note], list[Any]] = {}

    def usage_at(self, ref: str) -> list[Interval]:
        """The cycle's intervals, as known at a call."""
        known = self.recording.usage.get(ref)
        return [] if known is None else known.at_call.intervals

    def handed_on(self, ref: str) -> list[ServedInterval]:
        """The intervals that SMT handed on for a call."""
        known = self.recording.usage.get(ref)
        return [] if known is None else known.served.intervals

    def usage_after(self, ref: str) -> list[Interval]:
        """The cycle's intervals, as known after the posting of a call's re-bill."""
        known = self.recording.usage.get(ref)
        return [] if known is None or known.after_posting is None else known.after_posting.intervals

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

    def at(self, action: Act) -> Seconds:
        """UTC epoch seconds at which an action began."""
        return self.recording.begun.get(action.ref, epoch(action.at))

    def at_local(self, action: Act) -> datetime:
        """When an action began, in Central Prevailing Time."""
        return local(self.at(action))

    def action(self, record: type[R], ref: str) -> R | None:
        """What became of an action; None when the run left nothing of it."""
        found = self.recording.actions.get(ref)
        return found if isinstance(found, record) else None

    def notes(self, kind: type[N], ident: str | None = None) -> Iterator[N]:
        """The journal's notes of one kind, in order."""
        if kind not in self._noted:
            self._noted[kind] = [note for note in self.recording.journal if isinstance(note, kind)]
        for note in self._noted[kind]:
            if ident in (None, note.ident):
                yield note

    def note(self, kind: type[N], ident: str) -> N | None:
        """The only note of a kind and ident; None if there is none or more than one."""
        found = list(self.notes(kind, ident))
        return found[0] if len(found) == 1 else None

    def requests(self, ref: str | None = None, kind: InquiryKind | None = None) -> list[Entry]:
        """Ledger entries, of one action and of one kind; without an action, those of the account's ESI ID."""
        return [
            entry
            for entry in self.recording.ledger
            if (entry.esiid == self.esiid if ref is None else entry.call_reference == ref)
            and kind in (None, entry.kind)
        ]

    def posted(self) -> dict[date, list[Posted]]:
        """The files posted, by operating day."""
        files: dict[date, list[Posted]] = {}
        for note in self.notes(PostedNote):
            intake, codes = self.note(IntakeNote, note.ident), self.note(CodesNote, note.ident)
            taken_in_at, results = (None, {}) if intake is None else (intake.at, intake.results)
            read = {} if codes is None else codes.codes
            file = Posted(note.ident, note.operating_day, note.at, taken_in_at, results, read)
            files.setdefault(note.operating_day, []).append(file)
        return files

    def days_due(self) -> list[date]:
        """Operating days whose posting was due, result codes and all, before the last action."""
        last = self.at(self.scenario.timeline[-1])
        first, times = self.scenario.world.first_day, self.scenario.times
        ended = days(first, self.scenario.timeline[-1].at.date())
        return [day for day in ended if times.posted_at(day) + POSTING_TAKES_S <= last]

    def withheld(self, day: date) -> bool:
        """Whether the account's consumption was left out of what was posted of a day."""
        its = [one for one in self.scenario.posting if one.covers(day) and (one.meters or one.channel)]
        return any(self.account.meter in (one.meters or (self.account.meter,)) and one.channel != "G" for one in its)

    def last_lse(self, before: Seconds) -> Posted | None:
        """The accepted file with the latest operating day of the account's that SMT had at an instant (PRE1)."""
        had = [
            file
            for files in self.posted().values()
            for file in files
            if not self.withheld(file.operating_day)
            if file.taken_in_at is not None and file.taken_in_at <= before and set(file.intake) == {"00"}
        ]
        return max(had, key=lambda one: one.operating_day, default=None)

    def vee_end(self, before: Seconds) -> Seconds | None:
        """End of the last VEE interval posted before an instant, of the days that are the retailer's."""
        last, since = self.last_lse(before), self.account.customer_since
        return None if last is None or (since and last.operating_day < since) else day_end(last.operating_day)

    def gap_from(self, before: Seconds) -> Seconds | None:
        """Where the gap begins: behind those, or when the customer came."""
        since = self.account.customer_since
        return self.vee_end(before) or (None if since is None else day_start(since))

    def tolerance(self, vee: Decimal) -> Decimal:
        """AMB-12: how far a bill told may lie from the re-bill, $."""
        return max(self.scenario.tolerance_usd, abs(vee) * self.scenario.tolerance_percent / 100)


def seconds_between(first_us: Micros, last_us: Micros) -> str:
    """Model time between two instants in seconds, to the millisecond, as text."""
    return str(Decimal(last_us - first_us).scaleb(-6).quantize(Decimal("0.001")))
