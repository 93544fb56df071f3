"""A recording, looked up: journal notes, ledger entries, the file last posted, the usage in columns. It reads and decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from meters.calendar import INTERVAL_S, US, day_end, days, epoch
from scenarios.recording import Recording
from scenarios.schema import Scenario
from scenarios.timeline import Action, BalanceCall, Rebill

#: Codes of ``Quality`` and ``Source`` in the usage columns of a recording.
VEE_ACTUAL, VEE_ESTIMATED, NON_VEE = 0, 1, 2
FROM_SMT, FROM_STORE, FROM_METER = 0, 1, 2
#: From a posting to the reading of its result codes, and room for it.
POSTING_TAKES_S = 600

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Posted:
    """An LSE file of one operating day. ``codes``: records by result code as SMT's intake counted and as the TDSP read them."""

    file: str
    operating_day: date
    posted_at: int
    taken_in_at: int | None
    intake: dict[str, int]
    codes: dict[str, int]

    @property
    def accepted(self) -> bool:
        """Every record was taken in, and both sides say so."""
        return set(self.codes) == {"00"} and self.codes == self.intake and self.codes["00"] > 0


def ts(stamp: str | None) -> int:
    """UTC epoch seconds of an ISO 8601 stamp; 0 for none."""
    return epoch(stamp) if stamp else 0


def span(written: dict[str, str] | None) -> Span:
    """``(start, end)`` of a written span; (0, 0) for none."""
    return (ts(written["start"]), ts(written["end"])) if written else (0, 0)


def usd(text: str | None) -> Decimal | None:
    """Dollars of a JSON string."""
    return None if text is None else Decimal(text)


class Facts:
    """What a verdict asks a recording."""

    def __init__(self, recording: Recording) -> None:
        """Read the scenario that the recording carries. Raises pydantic's ValidationError if it is none."""
        self.recording = recording
        self.scenario = Scenario.model_validate(recording.scenario)
        self.esiid: str = recording.world["esiid"]
        self.first_call = next((one for one in self.scenario.timeline if isinstance(one, BalanceCall)), None)

    def at(self, action: Action) -> int:
        """UTC epoch seconds of an action."""
        return epoch(action.at)

    def action(self, ref: str) -> dict[str, Any]:
        """What became of an action; empty when the run left nothing of it."""
        return self.recording.actions.get(ref) or {}

    def notes(self, party: str, kind: str, ident: str | None = None) -> Iterator[dict[str, Any]]:
        """The journal's notes of one kind, in order."""
        for one in self.recording.journal:
            if one["party"] == party and one["kind"] == kind and ident in (None, one["ident"]):
                yield one

    def note(self, party: str, kind: str, ident: str) -> dict[str, Any]:
        """The only note of a kind and ident; empty if there is none or more than one."""
        found = list(self.notes(party, kind, ident))
        return found[0] if len(found) == 1 else {}

    def requests(self, ref: str | None = None, kind: str | None = None) -> list[dict[str, Any]]:
        """Ledger entries, of one call and of one kind."""
        return [
            one for one in self.recording.ledger if ref in (None, one["call_reference"]) and kind in (None, one["kind"])
        ]

    def posted(self) -> dict[date, list[Posted]]:
        """The files posted, by operating day."""
        files: dict[date, list[Posted]] = {}
        for note in self.notes("TDSP", "posted"):
            day = date.fromisoformat(note["operating_day"])
            intake = self.note("SMT", "intake", note["ident"])
            codes = self.note("TDSP", "result codes", note["ident"])
            files.setdefault(day, []).append(
                Posted(
                    note["ident"], day, note["at"], intake.get("at"), intake.get("results", {}), codes.get("codes", {})
                )
            )
        return files

    def days_due(self) -> list[date]:
        """Operating days whose posting was due, result codes and all, before the last action."""
        last = self.at(self.scenario.timeline[-1])
        first = self.scenario.world.first_day
        return [
            day
            for day in days(first, self.scenario.timeline[-1].at.date())
            if epoch(datetime.combine(day + timedelta(days=1), self.scenario.post_at)) + POSTING_TAKES_S <= last
        ]

    def last_lse(self, before: int) -> Posted | None:
        """The accepted file with the latest operating day that SMT had at an instant (PRE1)."""
        had = [
            one
            for files in self.posted().values()
            for one in files
            if one.taken_in_at is not None and one.taken_in_at <= before and set(one.intake) == {"00"}
        ]
        return max(had, key=lambda one: one.operating_day, default=None)

    def vee_end(self, before: int) -> int | None:
        """End of the last VEE interval posted before an instant."""
        last = self.last_lse(before)
        return None if last is None else day_end(last.operating_day)

    def usage(self, when: str) -> list[tuple[int, int, int, int]]:
        """(end, Wh, quality, source) of the cycle's intervals: ``at_call`` or ``after_posting``."""
        columns = self.recording.usage.get(when) or {"ends": [], "wh": [], "quality": [], "source": []}
        return list(zip(columns["ends"], columns["wh"], columns["quality"], columns["source"], strict=True))

    def served(self) -> list[tuple[int, int, str, int]]:
        """(end, Wh, source, collected at) of the intervals that SMT handed on for the first call."""
        columns = self.recording.usage.get("served") or {"ends": [], "wh": [], "source": [], "collected_at": []}
        return list(zip(columns["ends"], columns["wh"], columns["source"], columns["collected_at"], strict=True))

    def rebill_of(self, ref: str) -> tuple[Rebill, dict[str, Any]] | None:
        """The re-bill of a call, if the timeline has one."""
        for one in self.scenario.timeline:
            if isinstance(one, Rebill) and one.of == ref:
                return one, self.action(one.ref)
        return None

    def tolerance(self, vee: Decimal) -> Decimal:
        """AMB-12: how far a bill told may lie from the re-bill, $."""
        return max(self.scenario.tolerance_usd, abs(vee) * self.scenario.tolerance_percent / 100)


def told_stand(call: dict[str, Any]) -> dict[str, Any] | None:
    """The bill that the caller was told: on the most that was known."""
    return call.get("with_gap") or call.get("vee_only")


def spread(start: int, end: int) -> list[int]:
    """Ends of the intervals in ``[start, end)``."""
    return list(range(start + INTERVAL_S, end + 1, INTERVAL_S))


def seconds_between(first_us: int, last_us: int) -> str:
    """Model time between two instants in seconds, to the millisecond, as text."""
    return str((Decimal(last_us - first_us) / US).quantize(Decimal("0.001")))
