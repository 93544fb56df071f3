"""The queue of on-demand requests: goes on with what waits in it, ends what nobody has in hand, after a restart and whenever there may be some.

It looks again and again; alone on a file and on the manual clock, where idle days pass at once, it is told when something went out of hand.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import simpy
from sqlalchemy.exc import SQLAlchemyError

from headend.ports import FAULT, Driver, Journal, fault_text
from meters.calendar import Micros, micros, rounded_us, to_s, to_us
from simulator.smt.database.seat import Role, Seat, SeatLostError
from simulator.smt.ondemand.desk import BROKEN, LiveDesk
from simulator.smt.ondemand.inquiries import Inquiries
from simulator.smt.ondemand.ledger import Entry, Ledger, Transition
from simulator.smt.ondemand.lifecycle import STORE_ONLY, WAITING, State
from simulator.smt.registry.registry import Registry
from simulator.smt.throttle.admission import DatabaseAdmission
from simulator.smt.throttle.decision import Lease

GONE = "the ESI ID is not in SMT's records any more"
RESTARTED = "SMT was restarted while the request was under way"
#: Requests that a look takes up, and call-backs that it looks for, before others get a turn.
_AT_ONCE = 20
#: Of the time one part in so many goes into looks, unless the rest in between would be longer than so many wall seconds; and a look is noted once
#: in so many. Defaults of this project.
_SHARE, _LONGEST_REST_S, _NOTE_S = 5, 1.0, 0.5
#: Who is told what goes out of hand looks all the same once in so many times. A default of this project.
_UNTOLD = 60


class Dispatcher:
    """Of one desk: the only one at its database."""

    def __init__(
        self,
        desk: LiveDesk,
        inquiries: Inquiries,
        registry: Registry,
        ledger: Ledger,
        admission: DatabaseAdmission,
        seat: Seat,
        driver: Driver,
        journal: Journal,
        every_us: Micros,
    ) -> None:
        """The desk runs the processes; the rest is what it works on. every_us: how often it looks, microseconds of model time."""
        self._seat = seat
        self._every_us = every_us
        self._looked_us = micros(driver.env.now)
        self._noted_at = 0.0
        self._asleep = False
        self._desk = desk
        self._inquiries = inquiries
        self._registry = registry
        self._ledger = ledger
        self._admission = admission
        self._driver = driver
        self._journal = journal

    def recover(self) -> int:
        """After a restart: go on with what was waiting, end what was on its way, its allowance given back. Returns how many were ended."""
        leases = self._admission.open_leases()
        ended = 0
        for entry in self._ledger.unfinished():
            ended += self._take_up(entry, leases.pop(entry.filed.key, None), RESTARTED)
        for key, lease in leases.items():
            self._admission.settle(key, lease, self._driver.now(), False)
        return ended

    def looked_us(self) -> Micros:
        """When it last looked, or would have found nothing, microseconds of model time."""
        if not self._asleep:
            return self._looked_us
        now_us = micros(self._driver.env.now)
        return now_us - (now_us - self._looked_us) % self._every_us

    def run(self) -> Generator[simpy.Event, Any, None]:
        """Look through the queue again and again; a simpy process. What fails is noted, and the next look is another try.

        Looks that were missed are not made up for: where a look takes long, for the clock's speed, they come less often.
        """
        env, wait_us = self._driver.env, self._every_us
        while True:
            yield from self._until_next(wait_us)
            began = time.perf_counter()
            done = False
            try:
                yield from self.sweep()
                self._looked_us = micros(env.now)
                done = True
            except SeatLostError as lost:
                self._journal.note(self._driver.now(), "SMT", "database lost", "queue", reason=str(lost))
            except SQLAlchemyError as error:
                # The database is away; /healthz tells so, and the next look may find it back.
                self._journal.note(self._driver.now(), "SMT", "queue not read", "queue", error=fault_text(error))
            except Exception as error:
                self._journal.note(self._driver.now(), "SMT", FAULT, "queue", error=fault_text(error))
            if not done:
                # What it was to find is still to be found.
                self._desk.drop()
            rest_s = min((_SHARE - 1) * (time.perf_counter() - began), _LONGEST_REST_S)
            # The clock may be ahead of the environment by now.
            behind_us = max(0, to_us(self._driver.now()) - micros(env.now))
            wait_us = behind_us + max(self._every_us, rounded_us(rest_s * self._driver.rate))

    def _until_next(self, wait_us: Micros) -> Generator[simpy.Event, Any, None]:
        """Wait for the next look: so long, or, by who is told what there is to find, until the first look that may find something."""
        env = self._driver.env
        if self._driver.rate or not self._seat.met_at_use or self._desk.dropped.triggered:
            yield env.timeout(wait_us)
            return
        self._asleep = True
        yield self._desk.dropped | env.timeout(wait_us + (_UNTOLD - 1) * self._every_us)
        self._looked_us, self._asleep = self.looked_us(), False
        if self._desk.dropped.triggered:
            # The look of this very instant would have come before what there is to find.
            yield env.timeout(self._looked_us + self._every_us - micros(env.now))

    def sweep(self) -> Generator[simpy.Event, Any, None]:
        """Begin what workers took on, hand over what was called back to them, end what no process of ours has in hand.

        Part of a simpy process: it lets others work in between. Raises SQLAlchemyError.
        """
        self._seat.look()
        self._desk.all_in_hand()
        # Open, and no process here has them in hand.
        strange = [key for key in self._ledger.open_keys() if key not in self._desk.under_way]
        if strange:
            # A database that takes no writes would drop each of them again.
            self._ledger.try_writing()
        leases = self._admission.open_leases() if strange else {}
        for number, key in enumerate(strange):
            if number and number % _AT_ONCE == 0:
                yield self._driver.env.timeout(0)
            entry = self._ledger.entry(key)
            if entry is not None and not entry.ended:
                self._take_up(entry, leases.get(key), BROKEN)
        waiting = self._inquiries.waiting()
        for first in range(0, len(waiting), _AT_ONCE):
            if first:
                yield self._driver.env.timeout(0)
            self._inquiries.collect(waiting[first : first + _AT_ONCE])
        if self._seat.role is Role.ALONE:
            return
        # On a clock that runs: one look may follow the other too quickly for a commit each.
        if not self._driver.rate or time.monotonic() - self._noted_at >= _NOTE_S:
            self._ledger.note_sweep(micros(self._driver.env.now))
            self._noted_at = time.monotonic()

    def _take_up(self, entry: Entry, lease: Lease | None, lost: str) -> int:
        """Go on with a request that nobody has in hand if it waits in the queue, else end it (``lost``: why); how many were ended."""
        if entry.filed.esiid not in self._registry.points:
            self._end_left_over(entry, lease, GONE)
        elif entry.last.state not in WAITING:
            self._end_left_over(entry, lease, lost)
        else:
            self._resume(entry, lease)
            return 0
        return 1

    def _resume(self, entry: Entry, lease: Lease | None) -> None:
        """Take a request up that is waiting in the queue, as it was decided on."""
        request = self._desk.filing.request(entry.filed)
        # What was decided is told where it was accepted, the second of its steps.
        accepted = entry.life[1]
        request.state, request.meter_allowed, request.lease = entry.last.state, accepted.meter_allowed, lease
        request.refusal = STORE_ONLY if accepted.refusal == STORE_ONLY else accepted.refusal
        request.history = [(step.state, step.at_us) for step in entry.life]
        self._desk.begin(request)

    def _end_left_over(self, entry: Entry, lease: Lease | None, reason: str) -> None:
        """Fail what nobody has in hand any more, and give its allowance back."""
        key = entry.filed.key
        # The instant of this commit, for each: where there are many the first was long ago, and others were refused for what was not free yet.
        now_us = max(micros(self._driver.env.now), to_us(self._driver.now()), entry.last.at_us)
        # A request that was not even decided on cannot have failed.
        state = State.REFUSED if entry.last.state is State.REQUESTED else State.FAILED
        with self._desk.commit("recovery", key):
            if lease is not None:
                self._admission.settle(key, lease, to_s(now_us), False)
            self._ledger.append(key, Transition(state, now_us, reason))
        filed = entry.filed
        facts = {"esiid": filed.esiid, "inquiry": filed.kind.value, "call": filed.call_reference, "reason": reason}
        self._journal.note(to_s(now_us), "SMT", f"request {state.value}", key, **facts)
