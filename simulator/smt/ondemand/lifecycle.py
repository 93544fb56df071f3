"""The life cycle of an on-demand request: one transition table, one submission, one process; live and modelled alike.

``submit`` decides at once (a function), ``fulfil`` takes time (a simpy process). Who keeps the history, holds the allowances, draws the
middle tier and reaches the head-end is the desk's affair.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

import simpy

from headend.wire import InquiryKind, Outcome
from meters.calendar import Micros, Seconds, micros, seconds, to_s, to_us
from simulator.smt.ondemand.middle import MiddleDraws
from simulator.smt.ondemand.rules import UNALLOWED, Finding
from simulator.smt.throttle.decision import Door, Kind, Lease, Policy, Refusal, Requested, Source


class State(StrEnum):
    """Where a request stands."""

    REQUESTED = "requested"
    #: Turned away, by SMT at once or by the head-end that needed the meter.
    REFUSED = "refused"
    #: Taken on, its allowance reserved; nobody has it in hand yet.
    ACCEPTED = "accepted"
    #: In the middle tier's queue for the TDSP.
    QUEUED = "queued"
    #: Picked up and on its way to the head-end.
    SENT = "sent"
    #: The head-end has acknowledged it, and works on it.
    PENDING = "pending"
    #: The head-end has answered; the answer is on its way back.
    ANSWERED = "answered"
    COMPLETED = "completed"
    FAILED = "failed"
    #: Lost between SMT and the TDSP.
    T_FAILED = "t_failed"
    #: Nothing came back in time.
    EXPIRED = "expired"
    #: Beside its life, which goes on as before: a rule that somebody broke, and a call-back that was no answer as documented.
    FOUND = "found"
    REJECTED = "rejected"


TRANSITIONS: dict[State, frozenset[State]] = {
    # Answered at once: by an earlier read that is young enough, or by what SMT holds.
    State.REQUESTED: frozenset({State.ACCEPTED, State.REFUSED, State.ANSWERED}),
    State.ACCEPTED: frozenset({State.QUEUED, State.FAILED}),
    State.QUEUED: frozenset({State.SENT, State.FAILED, State.T_FAILED, State.EXPIRED}),
    # An exchange that breaks off acknowledges nothing: the answer may come all the same. A head-end that cannot be reached is an answer too.
    State.SENT: frozenset({State.PENDING, State.ANSWERED, State.FAILED, State.EXPIRED}),
    State.PENDING: frozenset({State.ANSWERED, State.FAILED, State.EXPIRED}),
    State.ANSWERED: frozenset({State.COMPLETED, State.FAILED, State.REFUSED, State.EXPIRED}),
    State.REFUSED: frozenset(),
    State.COMPLETED: frozenset(),
    State.FAILED: frozenset(),
    State.T_FAILED: frozenset(),
    State.EXPIRED: frozenset(),
}
ENDED = frozenset(state for state, following in TRANSITIONS.items() if not following)
#: What is kept of a request and is no step of its life.
BESIDE = frozenset({State.FOUND, State.REJECTED})
_END_OF = {Outcome.COMPLETED: State.COMPLETED, Outcome.REFUSED: State.REFUSED, Outcome.FAILED: State.FAILED}

#: Under a store-only policy: refuses what needs the meter; an INTERVALS request is served with what the store holds.
STORE_ONLY = Refusal("STORE-ONLY", "This policy reads no meter on demand.", seconds(0), "5032", True)

ANSWERED_EARLIER = "answered from an earlier read"
ANSWERED_HELD = "answered from what sweeps collected and SMT holds"
TOO_LATE = "no answer from the TDSP in time"
NOT_TAKEN = "the TDSP's answers were not taken, the latest for its {}"
LATE_ON_THE_WAY = "the TDSP's answer did not come through in time"
LOST = "lost between SMT and the TDSP"
#: What a request ended by: the middle tier's dice; an expiry while the clock was not kept.
DRAWN, EXPIRED_LATE = "drawn", "expired_late"
#: Told behind why it expired.
NOT_KEPT = "; SMT was behind its clock"

#: What nobody has begun to send: after a restart it goes on.
WAITING = frozenset({State.ACCEPTED, State.QUEUED})

#: After this long without an answer a request expires. A default of this project.
EXPIRY_US = to_us(45 * 60)


@dataclass(frozen=True, slots=True)
class Filed:
    """What a request was when it came. Instants: UTC epoch seconds unless named ``_us``."""

    key: str
    kind: InquiryKind
    esiid: str
    door: Door
    username: str
    duns: str
    requester_class: str
    trans_id: str
    call_reference: str
    #: The gap of an INTERVALS request, otherwise 0 and 0.
    start: Seconds
    end: Seconds
    uncovered: tuple[Seconds, Seconds] | None
    holes: tuple[tuple[Seconds, Seconds], ...]
    submitted_us: Micros
    #: Retailer of record of the ESI ID then, by DUNS, whoever it becomes later that day; empty: none, or filed by an earlier program.
    ror: str = ""


@dataclass(slots=True)
class OnDemandRequest:
    """One request for a read or a power status, and its history. Instants of the gap: UTC epoch seconds; of the history: microseconds."""

    key: str
    kind: InquiryKind
    esiid: str
    requested: Requested
    start: Seconds = seconds(0)
    end: Seconds = seconds(0)
    call_reference: str = ""
    #: What the ledger has of it; None in the model, which keeps no ledger.
    filed: Filed | None = None
    state: State = State.REQUESTED
    meter_allowed: bool = False
    lease: Lease | None = None
    #: Why the meter may not be read; a reason to refuse only if it turns out to be needed.
    refusal: Refusal | None = None
    reason: str = ""
    #: What it ended by, where that has a name: a rule of ``rules.csv``, ``DRAWN``, ``EXPIRED_LATE``.
    rule: str = ""
    answered: Answered | None = None
    #: What is to be kept of it with its next step.
    found: list[Finding] = field(default_factory=list)
    history: list[tuple[State, Micros]] = field(default_factory=list)


@dataclass(slots=True)
class Answered:
    """The head-end's answer. ``content``: what is handed on (live: the wire's result; modelled: the head-end's ``Answer``)."""

    outcome: Outcome
    reason: str
    meter_reads: int
    content: Any = None
    #: Modbus payload both ways.
    octets: int = 0
    #: Of an earlier read that answers again, and of what SMT holds: to where its intervals reach, UTC epoch seconds.
    reaches_to: Seconds = seconds(0)
    #: The rules that it breaks, the one that it failed by, and what tells it from another answer.
    found: tuple[Finding, ...] = ()
    code: str = ""
    digest: str = ""


class Sent(NamedTuple):
    """What became of sending an inquiry. ``answer``: at once, of a head-end that cannot be reached or does not take it."""

    acknowledged: bool
    answer: Answered | None = None


class Admission(Protocol):
    """Who holds the allowances: a memory (model) or a database (live), over the functions of ``throttle``."""

    def reserve(self, request_key: str, requested: Requested, now: Seconds) -> Lease | Refusal:
        """Reserve in all limits or in none."""

    def refusal(self, requested: Requested, now: Seconds) -> Refusal | None:
        """How a request would be refused now; None if it would not. Reserves nothing."""

    def settle(
        self, request_key: str, lease: Lease, now: Seconds, success: bool, octets: int = 0, meter_failed: bool = False
    ) -> None:
        """End a lease."""

    def charge(self, request_key: str, requested: Requested, at: Seconds, now: Seconds, octets: int = 0) -> None:
        """Count a read at the meter that was not let in: of a request of ``at``, found at ``now``."""


class Desk(Protocol):
    """SMT's on-demand desk: what submission and fulfilment need of the world."""

    env: simpy.Environment
    policy: Policy
    admission: Admission
    middle: MiddleDraws
    expiry_us: Micros

    def keep(self, request: OnDemandRequest, state: State, at_us: Micros) -> None:
        """Keep one transition for good (append-only); called after ``request`` has changed."""

    def behind_since(self, at_us: Micros) -> bool:
        """Whether the clock was not kept at some time since."""

    def earlier_read(self, request: OnDemandRequest, since_us: Micros) -> Answered | None:
        """The answer of the latest completed read of the same ESI ID and kind, if it was answered at the meter at ``since_us`` or later."""

    def held_at_smt(self, request: OnDemandRequest) -> Answered | None:
        """What SMT holds of the gap of an INTERVALS request, as sweeps collected it; None if nothing from its beginning on."""

    def as_one(self, request: OnDemandRequest) -> AbstractContextManager[object]:
        """What is decided and kept inside is kept together or not at all."""

    def send(self, request: OnDemandRequest, answer_by_us: Micros) -> Generator[simpy.Event, Any, Sent]:
        """Send the inquiry to the head-end."""

    def answer(self, request: OnDemandRequest, answer_by_us: Micros) -> Generator[simpy.Event, Any, Answered | None]:
        """Wait for the answer to what was sent; None when nothing came back by ``answer_by_us``, and not before that instant.

        If what came was no answer, ``request.reason`` says so.
        """


def move(desk: Desk, request: OnDemandRequest, state: State, at_us: Micros) -> None:
    """Make one transition and keep it. A transition the table does not know is a fault of ours."""
    if state not in TRANSITIONS[request.state]:
        raise AssertionError(f"{request.key}: {request.state.value} -> {state.value}")
    request.state = state
    request.history.append((state, at_us))
    desk.keep(request, state, at_us)


def kind_counted(kind: InquiryKind) -> Kind:
    """Which allowance a request draws on: a read's, or a power status's."""
    return Kind.STATUS if kind is InquiryKind.POWER else Kind.READ


def submit(desk: Desk, request: OnDemandRequest, now_us: Micros) -> bool:
    """Decide on a new request at once; True when it is taken on (start ``fulfil``), False when it has ended: refused, or answered by what is there.

    Under ``store_first`` (and ``store_only``) an INTERVALS request is taken on in any case: the head-end can serve its store. Anything else
    needs the meter, so without an allowance it is refused here. Source: DESIGN "Who admits?". Under ``store_only``
    such a request completes with what the store holds, however far that reaches.
    """
    now = to_s(now_us)
    request.history.append((State.REQUESTED, now_us))
    desk.keep(request, State.REQUESTED, now_us)
    source = desk.policy.source
    if desk.policy.reuse_s:
        # Younger than reuse_s: one that is exactly so old is not.
        earlier = desk.earlier_read(request, now_us - to_us(desk.policy.reuse_s) + 1)
        if earlier is not None:
            _answer_at_once(desk, request, earlier, ANSWERED_EARLIER, now_us)
            return False
    store_may_do = request.kind is InquiryKind.INTERVALS and source is not Source.METER_ONLY
    if desk.policy.push_to_smt and store_may_do:
        held = desk.held_at_smt(request)
        if held is not None and held.reaches_to + desk.policy.store_within_s >= request.end:
            _answer_at_once(desk, request, held, ANSWERED_HELD, now_us)
            return False
    if source is Source.STORE_ONLY:
        request.refusal = STORE_ONLY
    else:
        granted = desk.admission.reserve(request.key, request.requested, now)
        if isinstance(granted, Lease):
            request.lease = granted
            request.meter_allowed = True
        else:
            request.refusal = granted
    if request.refusal is not None and not store_may_do:
        request.reason = request.refusal.reason
        move(desk, request, State.REFUSED, now_us)
        return False
    move(desk, request, State.ACCEPTED, now_us)
    return True


def _answer_at_once(desk: Desk, request: OnDemandRequest, there: Answered, reason: str, now_us: Micros) -> None:
    """Complete a request with what is there: no meter, no allowance, no middle tier. The answer itself says when it was collected."""
    request.answered = there
    request.reason = reason
    move(desk, request, State.ANSWERED, now_us)
    move(desk, request, State.COMPLETED, now_us)


def fulfil(desk: Desk, request: OnDemandRequest) -> Generator[simpy.Event, Any, None]:
    """Take an accepted request to its end: pick-up, inquiry, way back, settlement. A simpy process.

    Times count from the acceptance, also when the process begins later than that: after a restart, or for a request that a worker took on.
    """
    env = desk.env
    middle = desk.middle(request.key)
    _, accepted_us = request.history[1]
    answer_by = accepted_us + desk.expiry_us
    if request.state is State.ACCEPTED:
        move(desk, request, State.QUEUED, micros(env.now))
    yield env.timeout(max(0, accepted_us + min(middle.pickup_us, desk.expiry_us) - micros(env.now)))
    if middle.lost or env.now >= answer_by:
        yield env.timeout(max(0, min(middle.return_us, answer_by - micros(env.now))))
        if env.now >= answer_by:
            _end(desk, request, State.EXPIRED, TOO_LATE)
        else:
            lost = State.FAILED if middle.lost == "FAILED" else State.T_FAILED
            reason, rule = (f"{LOST}, {DRAWN} by lot", DRAWN) if middle.drawn else (LOST, "")
            _end(desk, request, lost, reason, rule)
        return
    move(desk, request, State.SENT, micros(env.now))
    acknowledged, answered = yield from desk.send(request, answer_by)
    if acknowledged:
        move(desk, request, State.PENDING, micros(env.now))
    if answered is None:
        answered = yield from desk.answer(request, answer_by)
    if answered is None:
        _end(desk, request, State.EXPIRED, request.reason or TOO_LATE)
        return
    request.answered = answered
    move(desk, request, State.ANSWERED, micros(env.now))
    # The exchange itself may have outlasted the deadline on a running clock.
    left = max(0, answer_by - micros(env.now))
    yield env.timeout(min(middle.return_us, left))
    if middle.return_us > left:
        _end(desk, request, State.EXPIRED, LATE_ON_THE_WAY)
        return
    if answered.outcome is Outcome.REFUSED and request.refusal is STORE_ONLY:
        # What the store holds is all that this policy promises: that is an answer, told with the time it reaches to.
        _end(desk, request, State.COMPLETED, "served with what the store holds")
        return
    _end(desk, request, _END_OF[answered.outcome], answered.reason, answered.code)


def _end(desk: Desk, request: OnDemandRequest, state: State, reason: str, rule: str = "") -> None:
    """Settle before the end is told: a read that succeeded at the meter is used up, anything else is given back."""
    env_now = micros(desk.env.now)
    request.reason, request.rule = reason, rule
    if state is State.EXPIRED and desk.behind_since(request.history[0][1]):
        request.reason, request.rule = reason + NOT_KEPT, EXPIRED_LATE
    # In one commit: a crash in between would leave an allowance spent on a request that then fails.
    with desk.as_one(request):
        answered = request.answered
        if answered is not None and any(one.rule == UNALLOWED for one in answered.found):
            asked = to_s(request.history[0][1])
            desk.admission.charge(request.key, request.requested, asked, to_s(env_now), answered.octets)
        elif request.lease is not None:
            tried = answered is not None and answered.meter_reads > 0
            desk.admission.settle(
                request.key,
                request.lease,
                to_s(env_now),
                success=tried and state is State.COMPLETED,
                octets=answered.octets if answered is not None else 0,
                meter_failed=tried and state is State.FAILED,
            )
        if state is State.REFUSED and request.refusal is not None:
            # It was found at the submission and is told only now: its time to come back may be over.
            now = -to_s(-env_now)
            still = desk.admission.refusal(request.requested, now)
            request.refusal = still or request.refusal._replace(retry_at=now)
        move(desk, request, state, env_now)


def turn_away(desk: Desk, request: OnDemandRequest, refusal: Refusal, now_us: Micros) -> None:
    """End a new request as refused, before any allowance is looked at; the ledger has it as any other."""
    request.history.append((State.REQUESTED, now_us))
    desk.keep(request, State.REQUESTED, now_us)
    request.refusal, request.reason = refusal, refusal.reason
    move(desk, request, State.REFUSED, now_us)
