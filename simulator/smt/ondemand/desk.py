"""SMT's live on-demand desk: takes requests on, runs their processes, keeps every transition.

Everything is decided by ``lifecycle`` and ``throttle``; the desk only keeps. The way to the head-ends is ``inquiries``, the queue ``dispatch``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import simpy
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from headend.boundaries import boundary
from headend.http.exchange import current
from headend.ports import FAULT, Driver, Journal, fault_text, guarded
from headend.wire import InquiryResult
from meters.calendar import Micros, Seconds, day_of, micros, to_s, to_us
from simulator.smt.database.engine import writing
from simulator.smt.errors import BusinessError
from simulator.smt.ondemand.eligibility import objection
from simulator.smt.ondemand.filing import Asked, Filing
from simulator.smt.ondemand.inquiries import Inquiries
from simulator.smt.ondemand.ledger import Entry, KeyTakenError, Ledger, Transition
from simulator.smt.ondemand.lifecycle import (
    ENDED,
    Admission,
    Answered,
    Filed,
    OnDemandRequest,
    Sent,
    State,
    fulfil,
    kind_counted,
    move,
    submit,
    turn_away,
)
from simulator.smt.ondemand.middle import MiddleDraws
from simulator.smt.ondemand.non_vee import NonVee
from simulator.smt.ondemand.reuse import answered_again
from simulator.smt.ondemand.rules import Finding
from simulator.smt.ondemand.who_used import with_others
from simulator.smt.registry.records import User
from simulator.smt.registry.registry import Registry
from simulator.smt.throttle.decision import Policy, Refusal

BROKEN = "a fault of SMT's own"
#: Transitions that are a commit of their own, not part of a decision or an end.
_BY_ITSELF = frozenset({State.QUEUED, State.SENT, State.PENDING, State.ANSWERED})


class LiveDesk:
    """``lifecycle.Desk`` over driver, ledger and database."""

    def __init__(
        self,
        driver: Driver,
        registry: Registry,
        filing: Filing,
        ledger: Ledger,
        admission: Admission,
        middle: MiddleDraws,
        inquiries: Inquiries,
        non_vee: NonVee,
        journal: Journal,
        *,
        engine: Engine,
        policy: Policy,
        expiry_us: Micros,
        closed: Callable[[User, str, Seconds], Refusal | None],
    ) -> None:
        """engine: the database that ledger and admission write. closed: why a request is refused before any allowance is looked at."""
        self.env: simpy.Environment = driver.env
        self.policy = policy
        self.admission = admission
        self.middle = middle
        self.expiry_us = expiry_us
        self.filing = filing
        self._closed = closed
        #: Requests whose process runs here.
        self.under_way: dict[str, OnDemandRequest] = {}
        #: Happens when a request may have been put out of hand, or was not looked for in vain: the dispatcher's next look finds it.
        self.dropped = self.env.event()
        self._driver = driver
        self._registry = registry
        self._ledger = ledger
        self._inquiries = inquiries
        self._non_vee = non_vee
        self._journal = journal
        self._engine = engine
        #: What the open transaction has kept, noted once it is committed; None while there is none.
        self._unnoted: list[tuple[Transition, str, dict[str, Any]]] | None = None

    # -- requests ---------------------------------------------------------------------------------------------

    def open_request(self, asked: Asked, now_us: Micros) -> OnDemandRequest:
        """Decide on a request at once; one that is taken on is started, or at a worker left to the dispatcher.

        Returns the request, REFUSED (with its ``refusal``) or ACCEPTED. Raises BusinessError for what ``eligibility`` objects to and when there
        is no gap to fill (AMB-8): neither spends anything.
        """
        now = to_s(now_us)
        code = objection(self._registry, asked.user, asked.esiid, asked.meter_number, day_of(now))
        if code is not None:
            raise BusinessError(code)
        filed = self.filing.filed(asked, now_us)
        closed = self._closed(asked.user, asked.esiid, now)
        while True:
            try:
                request, taken_on = self._decided(filed, asked.found, closed)
                break
            except KeyTakenError:
                # Another worker has filed the same request in the same instant: this one is a second request, under the next ordinal.
                filed = self.filing.filed(asked, now_us)
        exchange = current()
        exchange.opened, exchange.trans_id = True, asked.trans_id
        exchange.correlation_id, exchange.call_reference = request.key, asked.call_reference
        if request.state is State.REFUSED:
            exchange.outcome = "refused"
        elif taken_on and self._inquiries.here:
            self.begin(request)
        return request

    def _decided(self, filed: Filed, found: Sequence[Finding], closed: Refusal | None) -> tuple[OnDemandRequest, bool]:
        """File a request and decide on it, in one commit; the request, and whether it is taken on. Raises KeyTakenError."""
        request = self.filing.request(filed)
        request.found += found
        try:
            with self.as_one(request):
                if closed is None:
                    return request, submit(self, request, filed.submitted_us)
                turn_away(self, request, closed, filed.submitted_us)
                return request, False
        except BaseException:
            # Whether it was committed before that is for the queue to see.
            self.drop()
            raise

    def begin(self, request: OnDemandRequest) -> None:
        """Start the process of a request that is accepted."""
        self.under_way[request.key] = request
        kept = guarded(fulfil(self, request), functools.partial(self._broke, request))
        self._driver.inject("fulfil", request.key, lambda: self.env.process(kept))

    def _broke(self, request: OnDemandRequest, error: Exception) -> None:
        """A fault of ours has ended the process: the request fails with a reason, and its allowance comes back."""
        self._journal.note(self._driver.now(), "SMT", FAULT, request.key, error=fault_text(error))
        try:
            # Where the database is away, or was, its end cannot be kept either.
            if not isinstance(error, SQLAlchemyError):
                self._fail(request)
        finally:
            # Out of hand whatever comes of it: the dispatcher's next look finds what has not ended, and ends it or goes on with it.
            self._inquiries.ended(request.key)
            self.under_way.pop(request.key, None)
            self.drop()

    def drop(self) -> None:
        """Say that something may be out of hand."""
        if not self.dropped.triggered:
            self.dropped.succeed()

    def all_in_hand(self) -> None:
        """Say that whatever was out of hand is looked for now."""
        if self.dropped.triggered:
            self.dropped = self.env.event()

    def _fail(self, request: OnDemandRequest) -> None:
        entry = self._ledger.entry(request.key)
        assert entry is not None
        if entry.ended:
            return
        request.answered = None
        request.reason, request.rule = BROKEN, ""
        # What the process had made of it may have been undone with its transaction.
        request.state = entry.last.state
        with self.as_one(request):
            if request.lease is not None:
                self.admission.settle(request.key, request.lease, self._driver.now(), False)
            move(self, request, State.FAILED, micros(self.env.now))

    # -- lifecycle.Desk -----------------------------------------------------------------------------------------

    def overdue(self, entry: Entry, found: Finding, octets: int) -> None:
        """Count a read without an allowance that is told of when its request has ended."""
        filed, now = entry.filed, self._driver.now()
        at_us = max(micros(self.env.now), to_us(now), entry.transitions[-1].at_us)
        step = Transition(State.FOUND, at_us, found.said, rule=found.rule, field=found.field, value=found.value)
        with writing(self._engine):
            self._ledger.append(filed.key, step)
            self.admission.charge(
                filed.key, self.filing.request(filed).requested, to_s(filed.submitted_us), to_s(at_us), octets
            )

    @contextmanager
    def as_one(self, request: OnDemandRequest) -> Iterator[None]:
        """See ``lifecycle.Desk``: one transaction over ledger and allowances."""
        with self.commit("request" if request.state is State.REQUESTED else "end", request.key):
            yield

    @contextmanager
    def commit(self, what: str, key: str) -> Iterator[None]:
        """One transaction between its two boundaries; undone, nothing of it stays in memory or is noted."""
        around = self._unnoted
        made = self._unnoted = [] if around is None else around
        try:
            with writing(self._engine):
                yield
                boundary(f"{what}.before_commit")
        except BaseException:
            self._ledger.forget(key)
            raise
        finally:
            self._unnoted = around
        if around is None:
            for transition, whose, facts in made:
                self._journal.note(to_s(transition.at_us), "SMT", f"request {transition.state.value}", whose, **facts)
        boundary(f"{what}.after_commit")

    def keep(self, request: OnDemandRequest, state: State, at_us: Micros) -> None:
        """See ``lifecycle.Desk``."""
        if state is State.REFUSED and request.refusal is not None:
            request.refusal = self._with_others(request, request.refusal, to_s(at_us))
        answered = request.answered
        content: InquiryResult | None = answered.content if answered is not None else None
        intervals = content.intervals if content is not None else []
        transition = Transition(
            state,
            at_us,
            request.reason,
            request.meter_allowed,
            request.refusal if state in (State.REFUSED, State.ACCEPTED) else None,
            sum(interval.source == "store" for interval in intervals),
            sum(interval.source == "meter" for interval in intervals),
            content.meterReads if content is not None else 0,
            content.octets if content is not None else 0,
            request.rule,
        )
        with self.commit(state.value, request.key) if state in _BY_ITSELF else nullcontext():
            if state is State.REQUESTED:
                assert request.filed is not None
                self._ledger.file(request.filed, transition)
            else:
                came = answered if state is State.ANSWERED else None
                self._ledger.append(request.key, transition, content if came else None, came.digest if came else "")
            self._note_later(request, transition, content)
            # What was decided first is the second step of every request.
            if state is not State.REQUESTED:
                self._keep_found(request, at_us)
        if state in ENDED:
            self._inquiries.ended(request.key)
            self.under_way.pop(request.key, None)

    def _keep_found(self, request: OnDemandRequest, at_us: Micros) -> None:
        while request.found:
            found = request.found.pop(0)
            transition = Transition(
                State.FOUND, at_us, found.said, rule=found.rule, field=found.field, value=found.value
            )
            self._ledger.append(request.key, transition)
            self._note_later(request, transition, None)

    def _note_later(self, request: OnDemandRequest, made: Transition, content: InquiryResult | None) -> None:
        """Note a transition when it is committed: what is undone was never made, and is not counted."""
        facts: dict[str, Any] = {
            "esiid": request.esiid,
            "inquiry": request.kind.value,
            "call": request.call_reference,
            "reason": made.reason,
        }
        if made.rule:
            facts |= {"rule": made.rule, "field": made.field, "value": made.value}
        if content is not None:
            facts |= {
                "store": made.from_store,
                "meter": made.from_meter,
                "missing": len(content.missing),
                "meter_reads": made.meter_reads,
            }
        if made.state is State.ACCEPTED:
            facts["meter_allowed"] = request.meter_allowed
        if made.state is State.REFUSED and request.refusal is not None:
            facts |= {"code": request.refusal.code, "retry_at": request.refusal.retry_at}
        assert self._unnoted is not None
        self._unnoted.append((made, request.key, facts))

    def behind_since(self, at_us: Micros) -> bool:
        """See ``lifecycle.Desk``."""
        return self._driver.behind_since(at_us)

    def earlier_read(self, request: OnDemandRequest, since_us: Micros) -> Answered | None:
        """See ``lifecycle.Desk``."""
        key = self._ledger.latest_read(request.esiid, request.kind, since_us)
        filed = request.filed
        user = None if filed is None else self._registry.users.get(filed.username)
        if key is None or filed is None or user is None:
            return None
        asking, esiid = user, request.esiid
        return answered_again(self._ledger.entry(key), filed, lambda day: self._registry.may_see(asking, esiid, day))

    def held_at_smt(self, request: OnDemandRequest) -> Answered | None:
        """See ``lifecycle.Desk``."""
        return self._non_vee.answer(request)

    def _with_others(self, request: OnDemandRequest, refusal: Refusal, now: Seconds) -> Refusal:
        assert request.filed is not None
        # The limits' longest window is a day; a rolling hour may have begun in the day before.
        days_back = sorted({day_of(now - 3600), day_of(now)})
        drawn = [one for day in days_back for one in self._ledger.audit(request.esiid, day)]
        within = [
            interval
            for interval in drawn
            if interval.filed.key != request.key
            and (
                day_of(to_s(interval.filed.submitted_us)) == day_of(now)
                or now - to_s(interval.filed.submitted_us) < 3600
            )
        ]
        return with_others(self.policy, refusal, kind_counted(request.kind), request.filed.username, within)

    def send(self, request: OnDemandRequest, answer_by_us: Micros) -> Generator[simpy.Event, Any, Sent]:
        """See ``lifecycle.Desk``."""
        return self._inquiries.send(request, answer_by_us)

    def answer(self, request: OnDemandRequest, answer_by_us: Micros) -> Generator[simpy.Event, Any, Answered | None]:
        """See ``lifecycle.Desk``."""
        return self._inquiries.answer(request, answer_by_us)
