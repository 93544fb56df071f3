"""SMT's live on-demand desk: takes requests on, inquires at the TDSP's head-end over HTTP, matches what is called back.

Everything is decided by ``lifecycle`` and ``throttle``; the desk only keeps, sends and receives. Ids follow from content, never from order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, repeat
from typing import Any

import httpx
import simpy
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from headend.boundaries import boundary
from headend.gap import GAP_LIMIT, Gap, gap
from headend.http_exchange import current
from headend.ports import FAULT, Driver, Journal, guarded, told
from headend.wire import InquiryKind, InquiryRequest, InquiryResult, Outcome
from meters.calendar import INTERVAL_S, US, day_of, day_start, floor_interval, iso, local, local_us
from simulator.smt.admission import DatabaseAdmission
from simulator.smt.answers import checked, trimmed
from simulator.smt.complaints import turn_away
from simulator.smt.database import writing
from simulator.smt.eligibility import objection
from simulator.smt.errors import BusinessError
from simulator.smt.ledger import Entry, Filed, Ledger, Transition
from simulator.smt.lifecycle import (
    ENDED,
    EXPIRY_US,
    STORE_ONLY,
    Admission,
    Answered,
    OnDemandRequest,
    State,
    fulfil,
    kind_counted,
    move,
    submit,
)
from simulator.smt.middle import MiddleDraws
from simulator.smt.registry import Registry, User
from simulator.smt.reuse import answered_again
from simulator.smt.store import VeeStore
from simulator.smt.throttle import Channel, Lease, Policy, Refusal, Requested, Scope, Source
from simulator.smt.who_used import with_others

BROKEN = "a fault of SMT's own"
GONE = "the ESI ID is not in SMT's records any more"
RESTARTED = "SMT was restarted while the request was under way"
UNREACHABLE = "the TDSP's head-end cannot be reached"
#: Waits before an inquiry of which nobody knows whether it was taken is sent again; the last one again and again. Defaults of this project.
INQUIRY_WAITS_US = (1 * US, 5 * US, 30 * US, 60 * US, 120 * US)
#: How far back holes in the posted days are told; the longest billing cycle and a half. A default of this project.
_HOLES_S = 50 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Asked:
    """An on-demand request as it came through one of the doors."""

    user: User
    kind: InquiryKind
    esiid: str
    door: Channel
    trans_id: str = ""
    call_reference: str = ""
    meter_number: str | None = None


class CallBack(StrEnum):
    """What became of a call-back."""

    ACCEPTED = "accepted"
    #: The request has ended or expired meanwhile: acknowledged and noted, otherwise without effect.
    LATE = "late"
    #: The same request was called back before: likewise.
    DUPLICATE = "duplicate"
    UNKNOWN = "unknown"


def digits(*content: object) -> str:
    """Twelve digits that follow from content alone, as a correlation id looks."""
    digest = hashlib.blake2b(json.dumps(content).encode(), digest_size=8).digest()
    return str(10**11 + int.from_bytes(digest, "big") % (9 * 10**11))


class LiveDesk:
    """``lifecycle.Desk`` over driver, ledger, database and HTTP."""

    #: False at a worker: it takes requests on and leaves them to the dispatcher.
    dispatches = True

    def __init__(
        self,
        driver: Driver,
        registry: Registry,
        store: VeeStore,
        ledger: Ledger,
        admission: DatabaseAdmission,
        middle: MiddleDraws,
        journal: Journal,
        http: httpx.AsyncClient,
        *,
        engine: Engine,
        seed: int,
        policy: Policy,
        links: Mapping[str, str],
        expiry_us: int = EXPIRY_US,
    ) -> None:
        """links: base URL of the head-end by TDSP key. ``reply_to`` must be set before the first request."""
        self.env: simpy.Environment = driver.env
        self.policy = policy
        self.admission: Admission = admission
        self._database = admission
        self.middle = middle
        self.expiry_us = expiry_us
        #: Base URL under which head-ends reach SMT.
        self.reply_to = ""
        #: Why a request is refused before any allowance is looked at (``complaints.refusal_of``).
        self.closed: Callable[[User, str, int], Refusal | None] = lambda _user, _esiid, _now: None
        self.links = links
        self._driver = driver
        self._registry = registry
        self._store = store
        self._ledger = ledger
        self._journal = journal
        self._http = http
        self._engine = engine
        self._seed = seed
        self._filing: dict[str, Filed] = {}
        #: Requests whose process runs here.
        self._under_way: dict[str, OnDemandRequest] = {}
        self._waiting: dict[str, simpy.Event] = {}
        self._called_back: set[str] = set()

    # -- requests ---------------------------------------------------------------------------------------------

    def open_request(self, asked: Asked, now_us: int) -> OnDemandRequest:
        """Decide on a request at once; one that is taken on is started.

        Returns the request, REFUSED (with its ``refusal``) or ACCEPTED. Raises BusinessError for what ``eligibility`` objects to and when there
        is no gap to fill (AMB-8): neither spends anything.
        """
        now = now_us // US
        day = day_of(now)
        code = objection(self._registry, asked.user, asked.esiid, asked.meter_number, day)
        if code is not None:
            raise BusinessError(code)
        filed = self._filed(asked, now_us)
        request = self._request(filed)
        self._filing[request.key] = filed
        closed = self.closed(asked.user, asked.esiid, now)
        taken_on = False
        try:
            with self.as_one(request):
                if closed is not None:
                    turn_away(self, request, closed, now_us)
                else:
                    taken_on = submit(self, request, now_us)
        finally:
            self._filing.pop(request.key, None)
        exchange = current()
        exchange.opened, exchange.trans_id = True, asked.trans_id
        exchange.correlation_id, exchange.call_reference = request.key, asked.call_reference
        if request.state is State.REFUSED:
            exchange.outcome = "refused"
        elif taken_on and self.dispatches:
            self._begin(request)
        return request

    def _request(self, filed: Filed) -> OnDemandRequest:
        """A request from what it was when it came; its ESI ID is in the records."""
        point = self._registry.points[filed.esiid]
        scopes = {
            Scope.ESIID: filed.esiid,
            Scope.ROR: self._registry.ror_of_record(filed.esiid, day_of(filed.submitted_us // US)) or "",
            Scope.REQUESTER_CLASS: filed.requester_class,
            Scope.TDSP: point.tdsp_key,
            Scope.ACCESS_POINT: f"{point.tdsp_key}-{point.access_point}",
        }
        return OnDemandRequest(
            key=filed.key,
            kind=filed.kind,
            esiid=filed.esiid,
            requested=Requested(kind_counted(filed.kind), filed.door, scopes),
            start=filed.start,
            end=filed.end,
            call_reference=filed.call_reference,
        )

    def _begin(self, request: OnDemandRequest) -> None:
        self._under_way[request.key] = request
        self._driver.inject("fulfil", request.key, lambda: self._start(request))

    def _start(self, request: OnDemandRequest) -> None:
        self.env.process(guarded(fulfil(self, request), lambda error: self._broke(request, error)))

    def _broke(self, request: OnDemandRequest, error: Exception) -> None:
        """A fault of ours has ended the process: the request fails with a reason, and its allowance comes back."""
        self._journal.note(self._driver.now(), "SMT", FAULT, request.key, error=told(error))
        entry = self._ledger.entry(request.key)
        assert entry is not None
        if entry.ended:
            return
        request.answered = None
        request.reason = BROKEN
        # What the process had made of it may have been undone with its transaction.
        request.state = entry.last.state
        with self.as_one(request):
            if request.lease is not None:
                self.admission.settle(request.key, request.lease, self._driver.now(), False)
            move(self, request, State.FAILED, int(self.env.now))

    def _filed(self, asked: Asked, now_us: int) -> Filed:
        now = now_us // US
        user = asked.user
        cut, holes = Gap(0, 0, None, 0), []
        if asked.kind is InquiryKind.INTERVALS:
            # Without a posted day there is no left edge: the latest 48 h are served. Days of another retailer or customer are not.
            posted = self._store.last_vee_end(asked.esiid)
            vee_end = posted if posted is not None else floor_interval(now) - GAP_LIMIT * INTERVAL_S
            holes_from = day_of(vee_end - _HOLES_S)
            own = day_start(self._registry.seen_since(user, asked.esiid, day_of(now), holes_from))
            vee_end = max(vee_end, own)
            cut = gap(vee_end, now)
            if not cut.intervals:
                raise BusinessError("NO-GAP", iso(vee_end))
            holes = self._store.holes(asked.esiid, max(day_start(holes_from), own), day_start(day_of(vee_end)))
        content = (user.username, asked.esiid, asked.kind, asked.door, asked.trans_id, asked.call_reference)
        # Identical requests of one instant are told apart by their ordinal: the first that is free.
        ordinal = 0
        while self._ledger.entry(key := digits(self._seed, content, now_us, ordinal)) is not None:
            ordinal += 1
        return Filed(
            key=key,
            kind=asked.kind,
            esiid=asked.esiid,
            door=asked.door,
            username=user.username,
            duns=user.duns,
            requester_class=user.requester_class,
            trans_id=asked.trans_id,
            call_reference=asked.call_reference,
            start=cut.start,
            end=cut.end,
            uncovered=cut.uncovered,
            holes=tuple(holes),
            submitted_us=now_us,
        )

    # -- the queue --------------------------------------------------------------------------------------------------

    def recover(self, now_us: int) -> int:
        """After a restart: go on with what was waiting, end what was on its way, its allowance given back. Returns how many were ended."""
        leases = self._database.open_leases()
        ended = 0
        for entry in self._ledger.unfinished():
            lease = leases.pop(entry.filed.key, None)
            if entry.last.state is State.ACCEPTED and entry.filed.esiid in self._registry.points:
                self._resume(entry, lease)
                continue
            known = entry.filed.esiid in self._registry.points
            self._end_left_over(entry, lease, now_us, RESTARTED if known else GONE)
            ended += 1
        for key, lease in leases.items():
            self._database.settle(key, lease, now_us // US, False)
        return ended

    def dispatch(self, every_us: int) -> Generator[simpy.Event, Any, None]:
        """Look through the queue again and again; a simpy process of the dispatcher's."""
        while True:
            yield self.env.timeout(every_us)
            try:
                self.sweep()
            except DBAPIError as error:
                # The database is away; /healthz tells so, and the next look may find it back.
                self._journal.note(self._driver.now(), "SMT", "queue not read", "queue", error=told(error))

    def sweep(self) -> None:
        """Begin what workers took on, hand over what was called back to them, end what no process of ours has in hand."""
        now_us = int(self.env.now)
        strange = [key for key in self._ledger.open_keys() if key not in self._under_way]
        leases = self._database.open_leases() if strange else {}
        for key in strange:
            entry = self._ledger.entry(key)
            if entry is None or entry.ended:
                continue
            lease = leases.get(key)
            if entry.filed.esiid not in self._registry.points:
                self._end_left_over(entry, lease, now_us, GONE)
            elif entry.last.state is State.ACCEPTED:
                self._resume(entry, lease)
            else:
                self._end_left_over(entry, lease, now_us, BROKEN)
        for key, result in self._ledger.call_backs(sorted(self._waiting)).items():
            if key not in self._called_back:
                self._called_back.add(key)
                self._deliver(result, CallBack.ACCEPTED)
        self._ledger.note_sweep(now_us)

    def _resume(self, entry: Entry, lease: Lease | None) -> None:
        """Take a request up that is waiting in the queue, as it was decided on."""
        request = self._request(entry.filed)
        last = entry.last
        request.state, request.meter_allowed, request.lease = last.state, last.meter_allowed, lease
        request.refusal = STORE_ONLY if last.refusal == STORE_ONLY else last.refusal
        request.history = [(step.state, step.at_us) for step in entry.transitions]
        self._begin(request)

    def _end_left_over(self, entry: Entry, lease: Lease | None, now_us: int, reason: str) -> None:
        """Fail what nobody has in hand any more, and give its allowance back."""
        key = entry.filed.key
        # A request that was not even decided on cannot have failed.
        state = State.REFUSED if entry.last.state is State.REQUESTED else State.FAILED
        with self._commit("recovery", key):
            if lease is not None:
                self._database.settle(key, lease, now_us // US, False)
            self._ledger.append(key, Transition(state, now_us, reason))
        filed = entry.filed
        facts = {"esiid": filed.esiid, "inquiry": filed.kind.value, "call": filed.call_reference, "reason": reason}
        self._journal.note(now_us // US, "SMT", f"request {state.value}", key, **facts)

    # -- lifecycle.Desk -----------------------------------------------------------------------------------------

    @contextmanager
    def as_one(self, request: OnDemandRequest) -> Iterator[None]:
        """See ``lifecycle.Desk``: one transaction over ledger and allowances."""
        with self._commit("request" if request.state is State.REQUESTED else "end", request.key):
            yield

    @contextmanager
    def _commit(self, what: str, key: str) -> Iterator[None]:
        """One transaction between its two boundaries; undone, nothing of it stays in memory."""
        try:
            with writing(self._engine):
                yield
                boundary(f"{what}.before_commit")
        except BaseException:
            self._ledger.forget(key)
            raise
        boundary(f"{what}.after_commit")

    def keep(self, request: OnDemandRequest, state: State, at_us: int) -> None:
        """See ``lifecycle.Desk``."""
        if state is State.REFUSED and request.refusal is not None:
            request.refusal = self._with_others(request, request.refusal, at_us // US)
        answered = request.answered
        content: InquiryResult | None = answered.content if answered is not None else None
        intervals = content.intervals if content is not None else []
        transition = Transition(
            state,
            at_us,
            request.reason,
            request.meter_allowed,
            request.refusal if state in (State.REFUSED, State.ACCEPTED) else None,
            sum(one.source == "store" for one in intervals),
            sum(one.source == "meter" for one in intervals),
            content.meterReads if content is not None else 0,
            content.octets if content is not None else 0,
        )
        if state is State.REQUESTED:
            self._ledger.file(self._filing[request.key], transition)
        elif state in (State.SENT, State.ANSWERED):
            with self._commit(state.value, request.key):
                self._ledger.append(request.key, transition, content if state is State.ANSWERED else None)
        else:
            self._ledger.append(request.key, transition)
        if state in ENDED:
            self._called_back.discard(request.key)
            self._under_way.pop(request.key, None)
        facts: dict[str, Any] = {
            "esiid": request.esiid,
            "inquiry": request.kind.value,
            "call": request.call_reference,
            "reason": request.reason,
        }
        if content is not None:
            facts |= {
                "store": transition.from_store,
                "meter": transition.from_meter,
                "missing": len(content.missing),
                "meter_reads": transition.meter_reads,
            }
        if state is State.ACCEPTED:
            facts["meter_allowed"] = request.meter_allowed
        if state is State.REFUSED and request.refusal is not None:
            facts |= {"code": request.refusal.code, "retry_at": request.refusal.retry_at}
        self._journal.note(at_us // US, "SMT", f"request {state.value}", request.key, **facts)

    def earlier_read(self, request: OnDemandRequest, since_us: int) -> Answered | None:
        """See ``lifecycle.Desk``."""
        key = self._ledger.latest_read(request.esiid, request.kind, since_us)
        mine = self._ledger.entry(request.key)
        return None if key is None or mine is None else answered_again(self._ledger.entry(key), mine.filed)

    def _with_others(self, request: OnDemandRequest, refusal: Refusal, now: int) -> Refusal:
        entry = self._ledger.entry(request.key)
        assert entry is not None
        # The limits' longest window is a day; a rolling hour may have begun in the day before.
        days_back = sorted({day_of(now - 3600), day_of(now)})
        drawn = [one for day in days_back for one in self._ledger.audit(request.esiid, day)]
        within = [
            one
            for one in drawn
            if one.filed.key != request.key
            and (day_of(one.filed.submitted_us // US) == day_of(now) or now - one.filed.submitted_us // US < 3600)
        ]
        return with_others(self.policy, refusal, kind_counted(request.kind), entry.filed.username, within)

    def inquire(self, request: OnDemandRequest, answer_by_us: int) -> Generator[simpy.Event, Any, Answered | None]:
        """See ``lifecycle.Desk``. A head-end that cannot be reached, or does not take the inquiry, is an answer: FAILED, at once."""
        called_back = self._waiting[request.key] = self.env.event()
        try:
            boundary("inquiry.before_call")
            fault = yield self._driver.io("inquiry", request.key, lambda: self._send(request, answer_by_us))
            boundary("inquiry.after_call")
            if fault is None:
                fault = yield from self._send_again(request, answer_by_us, called_back)
            if fault:
                return Answered(Outcome.FAILED, fault, 0)
            # The exchange may have taken longer than the request has left.
            deadline = self.env.timeout(max(0, answer_by_us - int(self.env.now)))
            yield called_back | deadline
            if not called_back.triggered:
                return None
            result = InquiryResult.model_validate(called_back.value)
            entry = self._ledger.entry(request.key)
            assert entry is not None
            outcome, reason = checked(entry.filed, result)
            return Answered(outcome, reason, result.meterReads, trimmed(entry.filed, result), result.octets)
        finally:
            del self._waiting[request.key]

    def _send_again(
        self, request: OnDemandRequest, answer_by_us: int, called_back: simpy.Event
    ) -> Generator[simpy.Event, Any, str]:
        """Repeat an inquiry that may have been taken, until that is known: a head-end takes one correlation id once.

        Returns why it was not taken; empty if it was, or its time is over.
        """
        for wait_us in chain(INQUIRY_WAITS_US, repeat(INQUIRY_WAITS_US[-1])):
            yield called_back | self.env.timeout(wait_us)
            if called_back.triggered or int(self.env.now) >= answer_by_us:
                break
            self._journal.note(self._driver.now(), "SMT", "inquiry sent again", request.key)
            fault: str | None = yield self._driver.io("inquiry", request.key, lambda: self._send(request, answer_by_us))
            # One that took it and cannot be reached now calls back when it is up again.
            if fault is not None and fault != UNREACHABLE:
                return fault
        return ""

    async def _send(self, request: OnDemandRequest, answer_by_us: int) -> str | None:
        """Send the inquiry; returns why it was not taken, empty if it was, None if that is not known."""
        link = self.links.get(self._registry.points[request.esiid].tdsp_key)
        if link is None:
            return "no head-end is linked for this TDSP"
        wanted = {
            "correlationId": request.key,
            "kind": request.kind,
            "esiid": request.esiid,
            "meterAllowed": request.meter_allowed,
            "storeAllowed": self.policy.source is not Source.METER_ONLY,
            "answerBy": local_us(answer_by_us),
            "replyTo": f"{self.reply_to}/callbacks/inquiries",
            "callReference": request.call_reference,
        }
        if request.kind is InquiryKind.INTERVALS:
            wanted |= {"start": local(request.start), "end": local(request.end)}
        body = InquiryRequest.model_validate(wanted).model_dump_json(exclude_none=True)
        try:
            reply = await self._http.post(
                f"{link}/inquiries", content=body, headers={"content-type": "application/json"}
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol):
            return UNREACHABLE
        except httpx.HTTPError:
            return None
        return (
            ""
            if reply.status_code == 202
            else f"the TDSP's head-end did not take the inquiry (HTTP {reply.status_code})"
        )

    # -- call-backs -----------------------------------------------------------------------------------------------

    def call_back(self, result: InquiryResult) -> CallBack:
        """Take in what a head-end calls back. Whatever it is, it is acknowledged and noted."""
        boundary("call_back.before")
        key = result.correlationId
        current().correlation_id = key
        entry = self._ledger.entry(key)
        if entry is None:
            became = CallBack.UNKNOWN
        elif not self.dispatches:
            became = self._put_by(entry, result)
        elif key in self._called_back:
            became = CallBack.DUPLICATE
        elif key in self._waiting:
            became = CallBack.ACCEPTED
            self._called_back.add(key)
        else:
            became = CallBack.LATE
        self._driver.inject("callback", key, lambda: self._deliver(result, became))
        return became

    def _put_by(self, entry: Entry, result: InquiryResult) -> CallBack:
        """At a worker: put it by for the dispatcher, who hands it over at its next look."""
        if entry.ended or entry.last.state is State.ANSWERED:
            return CallBack.LATE
        kept = self._ledger.keep_call_back(entry.filed.key, result, self._driver.now() * US)
        return CallBack.ACCEPTED if kept else CallBack.DUPLICATE

    def _deliver(self, result: InquiryResult, became: CallBack) -> None:
        self._journal.note(
            self._driver.now(),
            "SMT",
            "call-back",
            result.correlationId,
            became=became.value,
            outcome=result.outcome.value,
        )
        waiting = self._waiting.get(result.correlationId)
        if became is CallBack.ACCEPTED and waiting is not None and not waiting.triggered:
            waiting.succeed(result)
