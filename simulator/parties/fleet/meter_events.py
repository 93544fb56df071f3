"""Sends what meters tell unasked to a head-end, each event at its instant; a sending that fails is made again, and what is given up is noted.

Only meters that can have something to tell are looked at, and those ahead of time: a fleet with nothing to tell costs nothing.
"""

from __future__ import annotations

import functools
import heapq
import itertools
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx
import simpy

from headend.http.links import bearing
from headend.ports import FAULT, Driver, Journal, fault_text, guarded
from headend.wire import EventBatch, EventReport, EventsAccepted
from meters.calendar import Seconds, local, micros, seconds, to_s, to_us
from meters.events import MeterEvent, batch_ident

#: A meter is asked what it will tell so far ahead, seconds, then again. A default of this project.
LOOK_AHEAD_S = 24 * 3600
#: Events that one request brings at most; the rest follows in the next.
BATCH = 1_000
#: Waits before a sending that failed is made again: two hours in all. A default of this project.
WAITS_US = tuple(to_us(wait) for wait in (5, 15, 60, *(300,) * 23))
#: ESI IDs that a journal entry names at most.
_NAMED = 20
_PARTY = "METERS"


class TellingMeter(Protocol):
    """What is needed of a meter (``meters.device.meter.EmulatedMeter``)."""

    @property
    def restless(self) -> bool:
        """Whether it can have something to tell: a declared fault of power or clock, or a write so far."""

    def events(self, start: Seconds, end: Seconds) -> list[MeterEvent]:
        """What it tells in [start, end), UTC epoch seconds, as far as is known now."""


#: Sends events and gives how many of them the receiver does not know the meters of. Raises EventsRefused if it will never take them; whatever else
#: it raises, it is worth another try.
Send = Callable[[Sequence[MeterEvent]], Awaitable[int]]


class EventsRefused(Exception):  # noqa: N818 - it says what happened
    """The receiver does not take these events, now or later."""


class EventsNotTaken(Exception):  # noqa: N818 - it says what happened
    """The receiver could not take the events at this time."""


def http_sender(http: httpx.AsyncClient, url: str, key: str) -> Send:
    """Send to a head-end's ``POST /events``. url: the whole of it, ``http://127.0.0.1:8610/events``. key: of the link."""

    async def send(events: Sequence[MeterEvent]) -> int:
        body = EventBatch(
            events=[
                EventReport(esiid=event.esiid, meterNumber=event.meter_number, kind=event.kind, at=local(event.at))
                for event in events
            ]
        )
        reply = await http.post(url, content=body.model_dump_json(), headers=bearing(key))
        if reply.status_code == 400 and "events.ahead" in reply.text[:500]:
            # Its clock is behind the meters': in a while it will take them. So it will, below, when a wrong key was mended.
            raise EventsNotTaken(f"HTTP 400: {reply.text[:200]}")
        if 400 <= reply.status_code < 500 and reply.status_code not in (401, 408, 425, 429):
            raise EventsRefused(f"HTTP {reply.status_code}: {reply.text[:200]}")
        if not reply.is_success:
            raise EventsNotTaken(f"HTTP {reply.status_code}")
        try:
            return EventsAccepted.model_validate_json(reply.content).unknown
        except ValueError:
            # Another head-end than ours may answer in other words; taken is taken.
            return 0

    return send


@dataclass(slots=True, eq=False)
class _Watch:
    """A meter that is looked at, and what it has told already."""

    meter: TellingMeter
    #: UTC epoch seconds: what came before is told.
    done: Seconds
    #: Told events of ``done``'s own second, in which more may come.
    sent: set[MeterEvent] = field(default_factory=set)
    #: UTC epoch seconds at which to look again.
    due: Seconds = seconds(0)


class MeterEvents:
    """The way of meters' events to a head-end. ``run`` is a simpy process."""

    def __init__(
        self,
        driver: Driver,
        meters: Iterable[TellingMeter],
        send: Send,
        journal: Journal,
        *,
        since: Seconds | None = None,
    ) -> None:
        """since: UTC epoch seconds from which on events are sent; from now on unless given."""
        self._driver = driver
        self._meters = meters
        self._send = send
        self._journal = journal
        self._since = driver.now() if since is None else since
        self._watches: dict[TellingMeter, _Watch] = {}
        self._agenda: list[tuple[Seconds, int, _Watch]] = []
        self._serial = itertools.count()
        self._outbox: deque[MeterEvent] = deque()
        self._touched = driver.env.event()
        self._filled = driver.env.event()

    def run(self) -> Generator[simpy.Event, Any, None]:
        """Send for ever; a simpy process."""
        fault = functools.partial(self._fault, "")
        self._driver.env.process(guarded(self._watch(), fault))
        yield from guarded(self._deliver(), fault)

    def touched(self, meter: TellingMeter) -> None:
        """Say that a meter has been written to: it may have something to tell at once. Callable from a handler."""
        # What it does is the same in whatever order meters are touched, so the empty name does no harm.
        self._driver.inject("meter touched", "", lambda: self._touch(meter))

    def _now(self) -> Seconds:
        return to_s(micros(self._driver.env.now))

    # -- looking ----------------------------------------------------------------------------------------------

    def _watch(self) -> Generator[simpy.Event, Any, None]:
        env = self._driver.env
        for meter in self._meters:
            if meter.restless:
                self._look_at(meter, max(self._now(), self._since))
        while True:
            self._look()
            self._touched = env.event()
            if self._agenda:
                wait = env.timeout(max(0, to_us(self._agenda[0][0]) - micros(env.now)))
                yield wait | self._touched
            else:
                yield self._touched

    def _touch(self, meter: TellingMeter) -> None:
        self._look_at(meter, max(self._now(), self._since))
        if not self._touched.triggered:
            self._touched.succeed()

    def _look_at(self, meter: TellingMeter, due: Seconds) -> None:
        watch = self._watches.get(meter)
        if watch is None:
            # Had it had anything to tell before, it would have been looked at before.
            watch = self._watches[meter] = _Watch(meter, self._since)
        if watch.due == due and any(one is watch for _, _, one in self._agenda[:1]):
            return
        watch.due = due
        heapq.heappush(self._agenda, (due, next(self._serial), watch))

    def _look(self) -> None:
        """Put what the meters that are due tell up to now into the outbox, and look up when each will tell more."""
        now = self._now()
        found: list[MeterEvent] = []
        while self._agenda and self._agenda[0][0] <= now:
            due, _, watch = heapq.heappop(self._agenda)
            if due != watch.due:
                # It has been put on the agenda anew since.
                continue
            try:
                found += self._fresh(watch, now)
                ahead = watch.meter.events(now + 1, now + 1 + LOOK_AHEAD_S)
            except Exception as error:
                self._fault("events", error)
                ahead = []
            self._look_at(watch.meter, min((one.at for one in ahead), default=now + 1 + LOOK_AHEAD_S))
        if found:
            self._outbox.extend(sorted(found))
            if not self._filled.triggered:
                self._filled.succeed()

    def _fresh(self, watch: _Watch, now: Seconds) -> list[MeterEvent]:
        events = watch.meter.events(watch.done, now + 1)
        fresh = [event for event in events if event not in watch.sent]
        watch.done, watch.sent = now, {event for event in events if event.at >= now}
        return fresh

    # -- sending ----------------------------------------------------------------------------------------------

    def _deliver(self) -> Generator[simpy.Event, Any, None]:
        while True:
            if not self._outbox:
                self._filled = self._driver.env.event()
                yield self._filled
            yield from self._sent([self._outbox.popleft() for _ in range(min(BATCH, len(self._outbox)))])

    def _sent(self, batch: Sequence[MeterEvent]) -> Generator[simpy.Event, Any, None]:
        """Send one batch, again and again until it is taken, refused or given up; each is noted."""
        ident = batch_ident(batch)
        for wait in (*WAITS_US, None):
            try:
                unknown = yield self._driver.io("meter events", ident, lambda: self._send(batch))
            except EventsRefused as refusal:
                if len(batch) > 1:
                    # One that cannot be taken must not take the others with it.
                    for event in batch:
                        yield from self._sent([event])
                    return
                self._note("meter events refused", ident, batch, reason=str(refusal))
                return
            except Exception as error:
                # Whatever kept it from being sent, the events are still there to be sent.
                reason = str(error) if isinstance(error, EventsNotTaken) else type(error).__name__
            else:
                self._note("meter events sent", ident, batch, unknown=unknown)
                return
            if wait is None:
                self._note("meter events given up", ident, batch, reason=reason)
                return
            self._note("meter events not sent", ident, batch, reason=reason, again_in_s=to_s(wait))
            yield self._driver.env.timeout(wait)

    def _note(self, what: str, ident: str, batch: Sequence[MeterEvent], **facts: Any) -> None:
        kinds = dict(sorted(Counter(event.kind.value for event in batch).items()))
        esiids = sorted({event.esiid for event in batch})[:_NAMED]
        self._journal.note(self._now(), _PARTY, what, ident, kinds=kinds, esiids=esiids, **facts)

    def _fault(self, ident: str, error: Exception) -> None:
        self._journal.note(self._now(), _PARTY, FAULT, ident, error=fault_text(error))
