"""The life of a request at its edges, by a desk that has nothing behind it: to the microsecond of its deadline, to the last allowance."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
import simpy

from headend.wire import InquiryKind, Outcome
from meters.calendar import Micros, Seconds, epoch, micros, seconds, to_us
from simulator.smt.ondemand.lifecycle import (
    EXPIRY_US,
    Admission,
    Answered,
    OnDemandRequest,
    Sent,
    State,
    fulfil,
    kind_counted,
    move,
    submit,
)
from simulator.smt.ondemand.middle import Middle, MiddleDraws
from simulator.smt.ondemand.rules import UNALLOWED, finding
from simulator.smt.throttle.decision import Door, Kind, Lease, MemoryAdmission, Policy, Requested, Scope
from simulator.smt.throttle.policy import preset

NOW = epoch("2026-08-12T17:40")
BEGUN = to_us(NOW)
PICKUP, BACK = to_us(18), to_us(52)
WAY, AT_ONCE = Middle(PICKUP, BACK), micros(0)


class Noting(MemoryAdmission):
    """Notes how leases end and what is charged."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy)
        self.ended: list[tuple[bool, int, bool]] = []
        self.charged: list[tuple[Seconds, Seconds, int]] = []

    def settle(
        self, request_key: str, lease: Lease, now: Seconds, success: bool, octets: int = 0, meter_failed: bool = False
    ) -> None:
        self.ended.append((success, octets, meter_failed))
        super().settle(request_key, lease, now, success, octets, meter_failed)

    def charge(self, request_key: str, requested: Requested, at: Seconds, now: Seconds, octets: int = 0) -> None:
        self.charged.append((at, now, octets))
        super().charge(request_key, requested, at, now, octets)


class Desk:
    """A desk on a clock of its own. answered: what the head-end says, ``after_us``; None: nothing."""

    def __init__(
        self,
        policy: str = "fr-cr016-1",
        middle: Middle = WAY,
        answered: Answered | None = None,
        after_us: Micros = AT_ONCE,
    ) -> None:
        self.env = simpy.Environment(BEGUN)
        self.policy = preset(policy)
        self.noting = Noting(self.policy)
        self.admission: Admission = self.noting
        self.middle: MiddleDraws = lambda key: middle  # noqa: ARG005
        self.expiry_us = EXPIRY_US
        self._answered, self._after_us = answered, after_us
        self.held: Answered | None = None

    def keep(self, request: OnDemandRequest, state: State, at_us: Micros) -> None: ...

    def earlier_read(self, request: OnDemandRequest, since_us: Micros) -> Answered | None: ...

    def held_at_smt(self, request: OnDemandRequest) -> Answered | None:
        return self.held

    def as_one(self, request: OnDemandRequest) -> AbstractContextManager[object]:
        return nullcontext()

    def send(self, request: OnDemandRequest, answer_by_us: Micros) -> Generator[simpy.Event, Any, Sent]:
        yield self.env.timeout(self._after_us)
        return Sent(True)

    def answer(self, request: OnDemandRequest, answer_by_us: Micros) -> Generator[simpy.Event, Any, Answered | None]:
        if self._answered is None:
            yield self.env.timeout(answer_by_us - self.env.now)
        return self._answered

    def behind_since(self, at_us: Micros) -> bool:
        return False

    def asked(self, kind: InquiryKind = InquiryKind.REGISTER) -> OnDemandRequest:
        """A request that was submitted now."""
        request = OnDemandRequest("k", kind, "e", Requested(kind_counted(kind), Door.API, {Scope.ESIID: "e"}))
        submit(self, request, micros(self.env.now))
        return request

    def fulfilled(self, kind: InquiryKind = InquiryKind.REGISTER, begun_us: Micros = AT_ONCE) -> OnDemandRequest:
        """A request taken to its end; its process begins so much later."""
        request = self.asked(kind)
        self.env.run(self.env.timeout(begun_us))
        self.env.run(self.env.process(fulfil(self, request)))
        return request


def read(outcome: Outcome = Outcome.COMPLETED, reads: int = 1, octets: int = 500) -> Answered:
    return Answered(outcome, "", reads, octets=octets)


def at(request: OnDemandRequest, state: State) -> int:
    """Microseconds from the submission to a state."""
    return dict(request.history)[state] - BEGUN


@pytest.mark.parametrize(
    ("policy", "kind", "state"),
    [
        ("fr-cr016-1", InquiryKind.INTERVALS, State.ACCEPTED),
        ("fr-cr016-1", InquiryKind.REGISTER, State.REFUSED),
        ("fr-cr016-1-meter-only", InquiryKind.INTERVALS, State.REFUSED),
        ("store-only", InquiryKind.INTERVALS, State.ACCEPTED),
        ("store-only", InquiryKind.REGISTER, State.REFUSED),
    ],
)
def test_without_an_allowance_only_what_the_store_may_answer_goes_on_and_reads_no_meter(
    policy: str, kind: InquiryKind, state: State
) -> None:
    desk = Desk(policy)
    desk.asked()
    second = desk.asked(kind)
    assert (second.state, second.meter_allowed, second.lease) == (state, False, None)
    assert second.refusal is not None


@pytest.mark.parametrize(
    ("policy", "kind", "reach_s", "states"),
    [
        ("push-to-smt:seconds=900", InquiryKind.INTERVALS, -900, [State.ANSWERED, State.COMPLETED]),
        ("push-to-smt:seconds=900", InquiryKind.INTERVALS, -901, [State.ACCEPTED]),
        ("push-to-smt:seconds=900", InquiryKind.REGISTER, 0, [State.ACCEPTED]),
        ("store-within", InquiryKind.INTERVALS, 0, [State.ACCEPTED]),
    ],
)
def test_what_smt_holds_ends_a_request_for_intervals_if_it_reaches_and_uses_no_allowance(
    policy: str, kind: InquiryKind, reach_s: Seconds, states: list[State]
) -> None:
    desk = Desk(policy)
    desk.held = Answered(Outcome.COMPLETED, "", 0, reaches_to=reach_s + seconds(0))
    requests = [desk.asked(kind) for _ in range(2)]
    assert [[state for state, _ in one.history[1:]] for one in requests] == [states] * 2
    assert [one.lease is None for one in requests] == [len(states) == 2] * 2


def test_a_power_status_draws_on_an_allowance_of_its_own() -> None:
    desk = Desk()
    assert [desk.asked(kind).state for kind in (InquiryKind.REGISTER, InquiryKind.POWER)] == [State.ACCEPTED] * 2
    assert kind_counted(InquiryKind.POWER) is Kind.STATUS


def test_times_count_from_the_acceptance_though_the_process_begins_later() -> None:
    late = Desk(answered=read()).fulfilled(begun_us=to_us(10))
    assert (at(late, State.SENT), at(late, State.COMPLETED)) == (PICKUP, PICKUP + BACK)
    silent = Desk().fulfilled(begun_us=to_us(10))
    assert (silent.state, at(silent, State.EXPIRED)) == (State.EXPIRED, EXPIRY_US)


@pytest.mark.parametrize(
    ("pickup_us", "lost", "state"),
    [
        (EXPIRY_US - BACK - 1, "", State.COMPLETED),
        (EXPIRY_US - BACK, "", State.COMPLETED),
        (EXPIRY_US - BACK + 1, "", State.EXPIRED),
        (EXPIRY_US - 1, "", State.EXPIRED),
        (EXPIRY_US, "", State.EXPIRED),
        (EXPIRY_US - BACK - 1, "T-FAILED", State.T_FAILED),
        (EXPIRY_US - BACK - 1, "FAILED", State.FAILED),
        (EXPIRY_US - BACK, "FAILED", State.EXPIRED),
    ],
)
def test_a_request_ends_with_its_deadline_and_not_before(pickup_us: Micros, lost: str, state: State) -> None:
    ended = Desk(middle=Middle(pickup_us, BACK, lost), answered=read()).fulfilled()
    assert ended.state is state
    assert at(ended, state) == min(pickup_us + BACK, EXPIRY_US)
    # What is picked up when its time is over is not sent any more.
    assert (State.SENT in dict(ended.history)) is (not lost and pickup_us < EXPIRY_US)


@pytest.mark.parametrize(
    ("answered", "settled"),
    [
        (read(), (True, 500, False)),
        (read(reads=0), (False, 500, False)),
        (read(Outcome.FAILED), (False, 500, True)),
        (read(Outcome.FAILED, reads=0, octets=0), (False, 0, False)),
        (None, (False, 0, False)),
    ],
)
def test_only_a_read_that_succeeded_at_the_meter_is_used_up(
    answered: Answered | None, settled: tuple[bool, int, bool]
) -> None:
    desk = Desk(answered=answered)
    desk.fulfilled()
    assert desk.noting.ended == [settled]
    assert (desk.asked().state is State.REFUSED) is settled[0]


def test_a_read_without_an_allowance_is_charged_to_the_instant_of_its_request() -> None:
    answered = read(Outcome.FAILED)
    answered.found = (finding(UNALLOWED, "meterReads", "1"),)
    desk = Desk(answered=answered)
    desk.asked()
    desk.fulfilled(InquiryKind.INTERVALS)
    assert desk.noting.charged == [(NOW, NOW + 70, 500)]


@pytest.mark.parametrize(("policy", "state"), [("store-only", State.COMPLETED), ("fr-cr016-1", State.REFUSED)])
def test_what_the_store_holds_completes_under_store_only_alone(policy: str, state: State) -> None:
    desk = Desk(policy, answered=read(Outcome.REFUSED, reads=0))
    desk.asked()
    assert desk.fulfilled(InquiryKind.INTERVALS).state is state


def test_a_refusal_that_the_head_end_gives_late_tells_the_time_to_come_back_as_it_is_then() -> None:
    desk = Desk(answered=read(Outcome.REFUSED, reads=0), after_us=micros(1))
    lease = desk.asked().lease
    second = desk.asked(InquiryKind.INTERVALS)
    assert lease is not None
    desk.admission.settle("k", lease, NOW + 5, False)
    desk.env.run(desk.env.process(fulfil(desk, second)))
    assert second.refusal is not None
    # The instant is told in whole seconds, and never one that is over.
    assert second.refusal.retry_at == NOW + 71


def test_a_step_that_the_table_does_not_know_is_a_fault_of_ours() -> None:
    desk = Desk()
    with pytest.raises(AssertionError, match="accepted -> completed"):
        move(desk, desk.asked(), State.COMPLETED, BEGUN)
