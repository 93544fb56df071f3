"""The queue of on-demand requests: goes on with what waits in it, ends what nobody has in hand, after a restart and again and again."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy
from sqlalchemy.exc import DBAPIError

from headend.ports import Driver, Journal, told
from meters.calendar import US
from simulator.smt.admission import DatabaseAdmission
from simulator.smt.desk import BROKEN, LiveDesk
from simulator.smt.inquiries import Inquiries
from simulator.smt.ledger import Entry, Ledger, Transition
from simulator.smt.lifecycle import STORE_ONLY, WAITING, State
from simulator.smt.registry import Registry
from simulator.smt.throttle import Lease

GONE = "the ESI ID is not in SMT's records any more"
RESTARTED = "SMT was restarted while the request was under way"


class Dispatcher:
    """Of one desk: the only one at its database."""

    def __init__(
        self,
        desk: LiveDesk,
        inquiries: Inquiries,
        registry: Registry,
        ledger: Ledger,
        admission: DatabaseAdmission,
        driver: Driver,
        journal: Journal,
    ) -> None:
        """The desk runs the processes; the rest is what it works on."""
        self._desk = desk
        self._inquiries = inquiries
        self._registry = registry
        self._ledger = ledger
        self._admission = admission
        self._driver = driver
        self._journal = journal

    def recover(self, now_us: int) -> int:
        """After a restart: go on with what was waiting, end what was on its way, its allowance given back. Returns how many were ended."""
        leases = self._admission.open_leases()
        ended = 0
        for entry in self._ledger.unfinished():
            ended += self._take_up(entry, leases.pop(entry.filed.key, None), now_us, RESTARTED)
        for key, lease in leases.items():
            self._admission.settle(key, lease, now_us // US, False)
        return ended

    def run(self, every_us: int) -> Generator[simpy.Event, Any, None]:
        """Look through the queue again and again; a simpy process."""
        while True:
            yield self._driver.env.timeout(every_us)
            try:
                self.sweep()
            except DBAPIError as error:
                # The database is away; /healthz tells so, and the next look may find it back.
                self._journal.note(self._driver.now(), "SMT", "queue not read", "queue", error=told(error))

    def sweep(self) -> None:
        """Begin what workers took on, hand over what was called back to them, end what no process of ours has in hand."""
        now_us = int(self._driver.env.now)
        strange = [key for key in self._ledger.open_keys() if key not in self._desk.under_way]
        leases = self._admission.open_leases() if strange else {}
        for key in strange:
            entry = self._ledger.entry(key)
            if entry is not None and not entry.ended:
                self._take_up(entry, leases.get(key), now_us, BROKEN)
        self._inquiries.collect()
        self._ledger.note_sweep(now_us)

    def _take_up(self, entry: Entry, lease: Lease | None, now_us: int, lost: str) -> int:
        """Go on with a request that nobody has in hand if it waits in the queue, else end it (``lost``: why); how many were ended."""
        if entry.filed.esiid not in self._registry.points:
            self._end_left_over(entry, lease, now_us, GONE)
        elif entry.last.state not in WAITING:
            self._end_left_over(entry, lease, now_us, lost)
        else:
            self._resume(entry, lease)
            return 0
        return 1

    def _resume(self, entry: Entry, lease: Lease | None) -> None:
        """Take a request up that is waiting in the queue, as it was decided on."""
        request = self._desk.filing.request(entry.filed)
        # What was decided is told where it was accepted, the second of its steps.
        accepted = entry.transitions[1]
        request.state, request.meter_allowed, request.lease = entry.last.state, accepted.meter_allowed, lease
        request.refusal = STORE_ONLY if accepted.refusal == STORE_ONLY else accepted.refusal
        request.history = [(step.state, step.at_us) for step in entry.transitions]
        self._desk.begin(request)

    def _end_left_over(self, entry: Entry, lease: Lease | None, now_us: int, reason: str) -> None:
        """Fail what nobody has in hand any more, and give its allowance back."""
        key = entry.filed.key
        # A request that was not even decided on cannot have failed.
        state = State.REFUSED if entry.last.state is State.REQUESTED else State.FAILED
        with self._desk.commit("recovery", key):
            if lease is not None:
                self._admission.settle(key, lease, now_us // US, False)
            self._ledger.append(key, Transition(state, now_us, reason))
        filed = entry.filed
        facts = {"esiid": filed.esiid, "inquiry": filed.kind.value, "call": filed.call_reference, "reason": reason}
        self._journal.note(now_us // US, "SMT", f"request {state.value}", key, **facts)
