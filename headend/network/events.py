"""What meters tell the head-end unasked, and what a silent meter's last words say of its power.

A meter without power cannot answer, so that its power is off can be known from a last gasp alone.
"""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Generator, Sequence
from typing import Any

import simpy

from headend.ports import FAULT, Driver, Journal, MeterKey, MeterRecords, fault_text, guarded
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

    def __init__(self, driver: Driver, store: EventStore, records: MeterRecords, journal: Journal) -> None:
        """records: of this TDSP's meters. What was told before a restart is known again."""
        self._driver = driver
        self._store = store
        self._records = records
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
            ours = self._records.hangs_at(report.esiid, report.meterNumber, event.at)
            (known if ours else unknown).append(event)
        ident = batch_ident([*known, *unknown])
        taken = guarded(self._take_in(ident, known, unknown), functools.partial(self._fault, ident))
        self._driver.inject("meter events", ident, lambda: self._driver.env.process(taken))
        return EventsAccepted(accepted=len(known), unknown=len(unknown))

    def heard(self, meter: MeterKey, at: Seconds) -> None:
        """A meter has answered at ``at``, UTC epoch seconds: a last gasp before that is over, told or not."""
        overruled = self.power_failed_at(meter) is not None
        self._answered[meter] = max(at, self._answered.get(meter, at))
        if overruled and self.power_failed_at(meter) is None:
            self._store.keep_answer(meter, at)

    def power_failed_at(self, meter: MeterKey) -> Seconds | None:
        """When a meter's power failed, UTC epoch seconds, if it is off as far as the head-end was told; else None."""
        gasped = self._gasped.get(meter)
        off = power_failed(gasped, self._restored.get(meter), self._answered.get(meter))
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
        gasped: set[MeterKey] = set()
        for event in fresh:
            if (meter := self._records.place(event.esiid, event.meter_number)) is None:
                continue
            latest = {EventKind.LAST_GASP: self._gasped, EventKind.RESTORATION: self._restored}.get(event.kind)
            if latest is not None:
                latest[meter] = max(event.at, latest.get(meter, event.at))
            if event.kind is EventKind.LAST_GASP:
                gasped.add(meter)
        for meter in sorted(gasped):
            # A last gasp that comes late: the meter has answered since.
            answered = self._answered.get(meter)
            if answered is not None and answered > self._gasped[meter]:
                self._store.keep_answer(meter, answered)
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
