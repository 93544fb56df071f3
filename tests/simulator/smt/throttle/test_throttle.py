"""The throttle: never one too many, whatever the order of submit, finish, fail and midnight."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.calendar import Seconds, day_of, epoch, iso, seconds
from simulator.errors import SimulatorError
from simulator.smt.throttle.decision import (
    Door,
    Ending,
    Kind,
    Lease,
    Limit,
    LimitState,
    MemoryAdmission,
    Policy,
    Refusal,
    Requested,
    Scope,
    Source,
    Window,
    admit,
    reserve,
    settle,
)
from simulator.smt.throttle.policy import parse_policy, preset, preset_names

ESIID = "10443729999990001"
CALL = epoch("2026-08-12T17:40")


def limit(window: Window, amount: int, scope: Scope = Scope.ESIID) -> Limit:
    return Limit(f"{scope.value}-{window.value}", Kind.READ, scope, amount, window, "TOO-MANY", "Too many.")


def requested(kind: Kind = Kind.READ, channel: Door = Door.API, esiid: str = ESIID) -> Requested:
    return Requested(
        kind, channel, {Scope.ESIID: esiid, Scope.ROR: "ror", Scope.TDSP: "ONCOR", Scope.REQUESTER_CLASS: "ror"}
    )


def finished(limit: Limit, state: LimitState, window: Seconds, at: Seconds) -> None:
    """A request that was let in and has succeeded."""
    settle(limit, state, window, reserve(limit, state, window), at, Ending(True))


def test_one_success_a_day_refuses_the_second_until_midnight() -> None:
    admission = MemoryAdmission(preset("fr-cr016-1"))
    lease = admission.reserve("a", requested(), CALL)
    assert isinstance(lease, Lease)
    admission.settle("a", lease, CALL + 70, True)
    refused = admission.reserve("b", requested(), CALL + 2400)
    assert isinstance(refused, Refusal)
    assert refused.code == "FR-CR016.1b"
    assert iso(refused.retry_at) == "2026-08-13T00:00:00-05:00"
    assert isinstance(admission.reserve("c", requested(), refused.retry_at), Lease)


def test_a_failed_read_gives_the_days_allowance_back() -> None:
    admission = MemoryAdmission(preset("fr-cr016-1"))
    lease = admission.reserve("a", requested(), CALL)
    assert isinstance(lease, Lease)
    assert isinstance(admission.reserve("b", requested(), CALL), Refusal)
    admission.settle("a", lease, CALL + 330, False)
    assert isinstance(admission.reserve("b", requested(), CALL + 331), Lease)


def test_a_read_that_ends_after_midnight_is_charged_to_the_day_it_was_sent() -> None:
    admission = MemoryAdmission(preset("fr-cr016-1"))
    late = epoch("2026-08-12T23:59")
    lease = admission.reserve("a", requested(), late)
    assert isinstance(lease, Lease)
    admission.settle("a", lease, late + 120, True)
    assert isinstance(admission.reserve("b", requested(), late + 130), Lease)


def test_a_power_status_and_a_read_have_allowances_of_their_own() -> None:
    admission = MemoryAdmission(preset("fr-cr016-1"))
    assert isinstance(admission.reserve("a", requested(), CALL), Lease)
    assert isinstance(admission.reserve("b", requested(Kind.STATUS), CALL), Lease)
    assert isinstance(admission.reserve("c", requested(Kind.STATUS), CALL), Refusal)


def test_the_day_of_the_fall_back_night_lasts_25_hours() -> None:
    decision = admit(limit(Window.DAY, 1), LimitState(), epoch("2026-11-01T00:30"))
    assert decision.retry_at - decision.window == 25 * 3600


def test_the_day_of_the_fall_back_night_is_remembered_to_its_end() -> None:
    one, state = limit(Window.DAY, 2), LimitState()
    # Beside one of the evening before that nobody has answered yet.
    reserve(one, state, admit(one, state, epoch("2026-10-31T23:59")).window)
    for when in ("2026-11-01T00:30", "2026-11-01T23:30"):
        decision = admit(one, state, epoch(when))
        assert decision.ok
        finished(one, state, decision.window, epoch(when) + 60)
    assert not admit(one, state, epoch("2026-11-01T23:45")).ok


def test_a_rolling_hour_reopens_when_the_oldest_use_is_an_hour_old() -> None:
    one, state = limit(Window.ROLLING_HOUR, 2), LimitState()
    for at in (CALL, CALL + 600):
        decision = admit(one, state, at)
        assert decision.ok
        finished(one, state, decision.window, at + 60)
    refused = admit(one, state, CALL + 1200)
    assert not refused.ok
    assert refused.retry_at == CALL + 3600
    assert not admit(one, state, CALL + 3599).ok
    assert admit(one, state, CALL + 3600).ok


def test_a_clock_hour_reopens_at_the_full_hour() -> None:
    one, state = limit(Window.CLOCK_HOUR, 1), LimitState()
    decision = admit(one, state, CALL)
    finished(one, state, decision.window, CALL + 60)
    assert iso(admit(one, state, CALL + 60).retry_at) == "2026-08-12T18:00:00-05:00"


def test_a_refusal_by_one_limit_reserves_in_none() -> None:
    policy = Policy("p", "p", Source.STORE_FIRST, (limit(Window.DAY, 5, Scope.TDSP), limit(Window.DAY, 1)))
    admission = MemoryAdmission(policy)
    assert isinstance(admission.reserve("a", requested(), CALL), Lease)
    for _ in range(3):
        assert isinstance(admission.reserve("b", requested(), CALL), Refusal)
    (count,) = admission.state("tdsp-day", "ONCOR").windows.values()
    assert count.held == 1


def test_of_two_refusals_the_one_that_binds_longer_is_told() -> None:
    policy = Policy("p", "p", Source.STORE_FIRST, (limit(Window.DAY, 1), limit(Window.CLOCK_HOUR, 1)))
    admission = MemoryAdmission(policy)
    admission.reserve("a", requested(), CALL)
    refused = admission.reserve("b", requested(), CALL)
    assert isinstance(refused, Refusal)
    assert iso(refused.retry_at) == "2026-08-13T00:00:00-05:00"


def test_a_limit_counts_only_the_doors_it_names() -> None:
    admission = MemoryAdmission(preset("smt-today-3000"))
    admission.reserve("a", requested(channel=Door.PORTAL), CALL)
    assert admission.state("TDSP-DAY", "ONCOR").windows == {}


class Watch:
    """Counts successes apart from the throttle, by its own idea of a window."""

    def __init__(self, one: Limit) -> None:
        self.one = one
        self.uses: list[int] = []

    def too_many(self) -> bool:
        if self.one.window is Window.DAY:
            days = [day_of(seconds(at)) for at in self.uses]
            return any(days.count(day) > self.one.amount for day in days)
        if self.one.window is Window.CLOCK_HOUR:
            hours = [at // 3600 for at in self.uses]
            return any(hours.count(hour) > self.one.amount for hour in hours)
        length = 3600 if self.one.window is Window.ROLLING_HOUR else 86400
        return any(sum(at <= other < at + length for other in self.uses) > self.one.amount for at in self.uses)


@settings(max_examples=150)
@given(
    window=st.sampled_from(list(Window)),
    amount=st.integers(1, 3),
    steps=st.lists(
        st.tuples(st.sampled_from(["submit", "finish", "fail"]), st.integers(0, 7200), st.integers(0, 5)), max_size=60
    ),
    start=st.sampled_from([epoch("2026-08-12T22:30"), epoch("2026-10-31T23:00"), epoch("2026-03-07T23:00")]),
)
def test_never_one_too_many_whatever_the_order_of_submit_finish_fail_and_midnight(
    window: Window, amount: int, steps: list[tuple[str, int, int]], start: Seconds
) -> None:
    one = limit(window, amount)
    state, watch = LimitState(), Watch(one)
    under_way: list[tuple[int, int]] = []
    now = start
    for what, wait, which in steps:
        now += wait
        if what == "submit":
            decision = admit(one, state, now)
            assert decision.retry_at >= now
            if decision.ok:
                reserve(one, state, decision.window)
                under_way.append((decision.window, now))
        elif under_way:
            held_window, submitted = under_way.pop(which % len(under_way))
            settle(one, state, seconds(held_window), 1, now, Ending(what == "finish"))
            if what == "finish":
                watch.uses.append(submitted)
        assert not watch.too_many()
        # Everything held may still succeed: even then there is not one too many.
        certain = list(watch.uses)
        watch.uses += [submitted for _, submitted in under_way]
        assert not watch.too_many()
        watch.uses = certain


@given(st.lists(st.integers(0, 86400), min_size=1, max_size=12), st.sampled_from(list(Window)))
def test_retry_at_is_the_first_instant_that_lets_one_in(waits: list[int], window: Window) -> None:
    one, state, now = limit(window, 2), LimitState(), CALL
    for wait in waits:
        now += wait
        decision = admit(one, state, now)
        if decision.ok:
            finished(one, state, decision.window, now)
        else:
            assert not admit(one, state, decision.retry_at - 1).ok
            assert admit(one, state, decision.retry_at).ok


def test_every_preset_loads_and_names_its_limits_once() -> None:
    for name in preset_names():
        names = [one.name for one in preset(name).limits]
        assert len(names) == len(set(names))
    assert preset("fr-cr016-1-meter-only").limits == preset("fr-cr016-1").limits
    assert all(a <= b for a, b in pairwise([len(preset(n).limits) for n in ("smt-today", "smt-today-3000")]))


def test_an_unknown_policy_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SimulatorError, match=r"policy\.unknown.*fr-cr016-1"):
        preset("fr-cr016-2")


def test_a_malformed_policy_names_the_field() -> None:
    with pytest.raises(SimulatorError, match=r"mine\.yaml: limits\[1\]\.amount: .* at least 0"):
        parse_policy(
            "mine",
            {
                "title": "x",
                "limits": [
                    {
                        "name": "a",
                        "kind": "read",
                        "scope": "esiid",
                        "amount": -1,
                        "window": "day",
                        "code": "A",
                        "rule": ".",
                    }
                ],
            },
            place="mine.yaml",
        )
