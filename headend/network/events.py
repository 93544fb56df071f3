"""What meters tell the head-end unasked, and what a silent meter's last words say of its power.

A meter without power cannot answer, so that its power is off can be known from a last gasp alone.
"""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from typing import Any

import simpy

from headend.ports import FAULT, Driver, Journal, fault_text, guarded
from headend.store.events import EventStore
from headend.wire import EventBatch, EventsAccepted
from meters.calendar import Seconds, local, seconds
from meters.events import EventKind, MeterEvent, batch_ident

#: An event may lie so far ahead of the head-end's clock, seconds: clocks differ a little. A default of this project.
AHEAD_S = 300
#: ESI IDs that a journal entry names at most.
_NAMED = 20


def power_failed(last_gasp: Seconds | None, restoration: Seconds | None, answer: Seconds | None) -> bool:
    """Whether power is off by the latest of each, UTC epoch seconds, None for never.

    A last gasp holds until a restoration of that instant or a later one, or until the meter answers after it. Within one second a meter
    answers before it gasps.
    """
    if last_gasp is None:
        return False
    return (restoration is None or restoration < last_gasp) and (answer is None or answer <= last_gasp)


class EventDesk:
    """Takes in events and knows from them, and from what meters answer, whose power has failed."""

    def __init__(
        self, driver: Driver, store: EventStore, number_at: Callable[[str, Seconds], str | None], journal: Journal
    ) -> None:
        """number_at: of the meter at one of this TDSP's ESI IDs, at an instant. What was told before a restart is known again."""
        self._driver = driver
        self._store = store
        self._number_at = number_at
        self._journal = journal
        self._gasped, self._restored, self._answered = store.latest()

    def ahead(self, batch: EventBatch) -> int | None:
        """Place in the batch of the first event that lies ahead of the head-end's clock; None if none does.

        Taken in, it would outlast whatever the meter says until then.
        """
        latest = local(self._driver.now() + AHEAD_S)
        return next((place for place, event in enumerate(batch.events) if event.at > latest), None)

    def accept(self, batch: EventBatch) -> EventsAccepted:
        """Take a batch at once; it is kept, and acted on, in the model's next turn.

        An event of another ESI ID than this TDSP's, or of another meter than its records have there, is counted and noted; nothing it says is
        taken, as nothing is that such a meter answers.
        """
        known: list[MeterEvent] = []
        unknown: list[MeterEvent] = []
        for report in batch.events:
            event = MeterEvent(seconds(report.at.timestamp()), report.esiid, report.meterNumber, report.kind)
            ours = self._number_at(report.esiid, event.at) == report.meterNumber
            (known if ours else unknown).append(event)
        ident = batch_ident([*known, *unknown])
        taken = guarded(self._take_in(ident, known, unknown), functools.partial(self._fault, ident))
        self._driver.inject("meter events", ident, lambda: self._driver.env.process(taken))
        return EventsAccepted(accepted=len(known), unknown=len(unknown))

    def heard(self, esiid: str, at: Seconds) -> None:
        """A meter has answered at ``at``, UTC epoch seconds: a last gasp before that is over, told or not."""
        overruled = self.power_failed_at(esiid) is not None
        self._answered[esiid] = max(at, self._answered.get(esiid, at))
        if overruled and self.power_failed_at(esiid) is None:
            self._store.keep_answer(esiid, at)

    def power_failed_at(self, esiid: str) -> Seconds | None:
        """When a meter's power failed, UTC epoch seconds, if it is off as far as the head-end was told; else None."""
        gasped = self._gasped.get(esiid)
        off = power_failed(gasped, self._restored.get(esiid), self._answered.get(esiid))
        return gasped if off else None

    def _take_in(
        self, ident: str, known: Sequence[MeterEvent], unknown: Sequence[MeterEvent]
    ) -> Generator[simpy.Event, Any, None]:
        """Keep the events, then let them count; a simpy process."""
        now = self._driver.now()
        fresh: list[MeterEvent] = yield self._driver.io(
            "meter events",
            ident,
            lambda: asyncio.get_running_loop().run_in_executor(None, self._store.keep, known, now),
        )
        for event in fresh:
            latest = {EventKind.LAST_GASP: self._gasped, EventKind.RESTORATION: self._restored}.get(event.kind)
            if latest is not None:
                latest[event.esiid] = max(event.at, latest.get(event.esiid, event.at))
        for esiid in sorted({event.esiid for event in fresh if event.kind is EventKind.LAST_GASP}):
            # A last gasp that comes late: the meter has answered since.
            answered = self._answered.get(esiid)
            if answered is not None and answered > self._gasped[esiid]:
                self._store.keep_answer(esiid, answered)
        self._journal.note(
            now,
            "TDSP",
            "meter events",
            ident,
            kinds=dict(sorted(Counter(event.kind.value for event in fresh).items())),
            esiids=sorted({event.esiid for event in fresh})[:_NAMED],
            again=len(known) - len(fresh),
            unknown=len(unknown),
            strangers=sorted({event.esiid for event in unknown})[:_NAMED],
        )

    def _fault(self, ident: str, error: Exception) -> None:
        self._journal.note(self._driver.now(), "TDSP", FAULT, ident, error=fault_text(error))
