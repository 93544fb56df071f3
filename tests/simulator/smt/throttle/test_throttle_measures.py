"""Each measure of a limit, worked out by hand: octets, tokens, requests under way, a breaker; classes with a reserve; combinations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.calendar import Seconds, epoch, iso
from simulator.smt.throttle.decision import (
    NEVER,
    Door,
    Ending,
    Kind,
    Lease,
    Limit,
    LimitState,
    MemoryAdmission,
    Refusal,
    Requested,
    RequesterClass,
    Scope,
    admit,
    reserve,
    settle,
)
from simulator.smt.throttle.policy import parse_policy

NOON = epoch("2026-08-12T12:00")
GOOD, BAD, SILENT = Ending(True), Ending(False), Ending(False, 0, True)


def one_limit(**fields: Any) -> Limit:
    written = {"name": "L", "scope": "esiid", "code": "L", "rule": "A rule."} | fields
    (limit,) = parse_policy("p", {"title": "t", "limits": [written]}, place="test").limits
    return limit


class Trial:
    """One limit and its state, and what is under way."""

    def __init__(self, **fields: Any) -> None:
        self.limit = one_limit(**fields)
        self.state = LimitState()

    def ask(self, at: Seconds) -> Seconds | None:
        """The window if let in, else None."""
        decision = admit(self.limit, self.state, at)
        if decision.ok:
            reserve(self.limit, self.state, decision.window)
            return decision.window
        return None

    def end(self, window: Seconds | None, at: Seconds, ending: Ending) -> None:
        assert window is not None
        settle(self.limit, self.state, window, self.limit.weight, at, ending)

    def refused_until(self, at: Seconds) -> Seconds:
        decision = admit(self.limit, self.state, at)
        assert not decision.ok
        return decision.retry_at


BUCKET = {"measure": "tokens", "amount": 1, "per_s": 600, "burst": 2}


def test_a_bucket_lets_its_burst_through_and_then_its_rate_to_the_second() -> None:
    trial = Trial(**BUCKET)
    for at in (NOON, NOON + 1):
        trial.end(trial.ask(at), at + 60, GOOD)
    assert trial.refused_until(NOON + 70) == NOON + 600
    assert trial.ask(NOON + 599) is None
    assert trial.ask(NOON + 600) is not None


def test_a_bucket_in_thirds_of_a_second_rounds_the_time_to_come_back_up() -> None:
    trial = Trial(measure="tokens", amount=3, per_s=10, burst=1)
    trial.end(trial.ask(NOON), NOON + 1, GOOD)
    # A token takes ten thirds of a second.
    assert trial.refused_until(NOON + 1) == NOON + 4


def test_a_token_that_was_taken_by_a_failure_comes_back() -> None:
    trial = Trial(**BUCKET)
    first, second = trial.ask(NOON), trial.ask(NOON)
    assert trial.ask(NOON + 10) is None
    trial.end(first, NOON + 10, BAD)
    trial.end(second, NOON + 10, GOOD)
    assert trial.ask(NOON + 10) is not None


def test_a_failure_gives_back_no_more_than_it_took_from_a_bucket_that_filled_meanwhile() -> None:
    trial = Trial(**BUCKET)
    slow = trial.ask(NOON)
    # Twenty minutes later the bucket would be full with or without that take.
    full = NOON + 1200
    assert trial.ask(full) is not None
    assert trial.ask(full) is not None
    trial.end(slow, full + 1, BAD)
    assert trial.ask(full + 1) is None


def test_a_worker_whose_clock_is_behind_takes_its_token_at_the_others_instant() -> None:
    trial = Trial(**BUCKET)
    trial.end(trial.ask(NOON + 10), NOON + 60, GOOD)
    assert trial.ask(NOON + 5) == NOON + 10


def test_what_is_settled_is_folded_into_the_mark() -> None:
    trial = Trial(**BUCKET)
    for turn in range(20):
        trial.end(trial.ask(NOON + turn * 600), NOON + turn * 600 + 60, GOOD)
    assert trial.state.windows == {}
    assert trial.state.mark is not None


def test_octets_are_held_as_estimated_and_charged_as_spent_success_or_not() -> None:
    trial = Trial(measure="octets", amount=3000, estimate=1500, window="clock_hour")
    first, second = trial.ask(NOON), trial.ask(NOON)
    assert trial.refused_until(NOON + 1) == NOON + 3600
    trial.end(first, NOON + 60, Ending(False, 900, True))
    assert trial.ask(NOON + 60) is None
    trial.end(second, NOON + 61, Ending(True, 600))
    assert trial.ask(NOON + 61) is not None
    (count,) = trial.state.windows.values()
    assert (count.used, count.held) == (1500, 1500)


def test_a_request_that_no_window_can_hold_has_no_time_to_come_back() -> None:
    for window in ("day", "rolling_hour"):
        trial = Trial(measure="octets", amount=0, estimate=1500, window=window)
        assert trial.refused_until(NOON) == NEVER


def test_so_many_are_under_way_at_once_and_the_oldest_is_the_one_waited_for() -> None:
    trial = Trial(measure="under_way", amount=2, scope="access_point", expected_s=70)
    first = trial.ask(NOON)
    trial.ask(NOON + 30)
    assert trial.refused_until(NOON + 40) == NOON + 70
    # Overdue: it may end at any moment.
    assert trial.refused_until(NOON + 500) == NOON + 501
    trial.end(first, NOON + 501, BAD)
    assert trial.ask(NOON + 501) is not None


BREAKER = {
    "measure": "meter_failures",
    "scope": "access_point",
    "amount": 3,
    "within_s": 900,
    "cool_down_s": 600,
}


def broken(at: Seconds = NOON) -> Trial:
    trial = Trial(**BREAKER)
    for turn in range(3):
        trial.end(trial.ask(at + turn * 10), at + turn * 10 + 300, SILENT)
    return trial


def test_three_silent_meters_open_the_breaker_for_its_cool_down() -> None:
    trial = broken()
    opened = NOON + 320
    assert trial.refused_until(opened) == opened + 600
    assert trial.ask(opened + 599) is None


def test_failures_that_lie_far_apart_open_nothing() -> None:
    trial = Trial(**BREAKER)
    for turn in range(6):
        trial.end(trial.ask(NOON + turn * 500), NOON + turn * 500 + 60, SILENT)
    assert trial.ask(NOON + 4000) is not None


def test_failures_count_for_their_time_to_the_second() -> None:
    for last, lets_in in ((899, False), (900, True)):
        trial = Trial(**BREAKER)
        for at in (0, 450, last):
            trial.end(trial.ask(NOON + at), NOON + at, SILENT)
        assert (trial.ask(NOON + last + 1) is not None) == lets_in


def test_after_the_cool_down_one_probe_decides() -> None:
    half_open = NOON + 320 + 600
    for ending, lets_in in ((GOOD, True), (SILENT, False)):
        trial = broken()
        probe = trial.ask(half_open)
        assert trial.refused_until(half_open + 1) == half_open + 70
        trial.end(probe, half_open + 40, ending)
        assert (trial.ask(half_open + 41) is not None) == lets_in
        if not lets_in:
            assert trial.refused_until(half_open + 41) == half_open + 640


def test_a_probe_that_told_nothing_is_followed_by_another() -> None:
    trial, half_open = broken(), NOON + 320 + 600
    trial.end(trial.ask(half_open), half_open + 40, BAD)
    probe = trial.ask(half_open + 41)
    assert probe is not None
    assert trial.ask(half_open + 42) is None


def test_what_was_sent_before_the_breaker_opened_neither_closes_nor_prolongs_it_nor_is_its_probe() -> None:
    for ending in (GOOD, SILENT):
        trial = Trial(**BREAKER)
        early = trial.ask(NOON)
        for _ in range(3):
            trial.end(trial.ask(NOON), NOON + 100, SILENT)
        assert admit(trial.limit, trial.state, NOON + 700).ok
        trial.end(early, NOON + 400, ending)
        assert trial.refused_until(NOON + 401) == NOON + 700


def asked(
    asking: str = RequesterClass.ROR_CALL_CENTRE,
    kind: Kind = Kind.READ,
    esiid: str = "e",
    channel: Door = Door.API,
) -> Requested:
    scopes = {
        Scope.ESIID: esiid,
        Scope.ROR: "r",
        Scope.TDSP: "t",
        Scope.ACCESS_POINT: "t-1",
        Scope.REQUESTER_CLASS: asking,
    }
    return Requested(kind, channel, scopes)


def admission(*limits: dict[str, Any]) -> MemoryAdmission:
    written = [{"name": f"L{at}", "code": f"L{at}", "rule": "A rule."} | limit for at, limit in enumerate(limits)]
    return MemoryAdmission(parse_policy("p", {"title": "t", "limits": written}, place="test"))


def let_in(admission: MemoryAdmission, requested: Requested, at: Seconds = NOON) -> bool:
    return isinstance(admission.reserve("k", requested, at), Lease)


CAP = {"scope": "tdsp", "amount": 5, "window": "day", "reserve": {"amount": 2, "classes": ["ror_call_centre"]}}


def test_the_reserve_is_there_for_call_centres_whatever_the_others_do() -> None:
    shared = admission(CAP)
    assert [let_in(shared, asked("home_automation")) for _ in range(5)] == [True] * 3 + [False] * 2
    refused = shared.reserve("k", asked("ror_bulk"), NOON)
    assert isinstance(refused, Refusal)
    assert refused.reason == "A rule. 2 of them are kept for ror_call_centre."
    assert iso(refused.retry_at) == "2026-08-13T00:00:00-05:00"
    assert [let_in(shared, asked()) for _ in range(3)] == [True, True, False]


def test_call_centres_may_use_the_whole_cap_and_not_more() -> None:
    shared = admission(CAP)
    assert [let_in(shared, asked()) for _ in range(6)] == [True] * 5 + [False]
    assert not let_in(shared, asked("customer"))


def test_a_reserve_of_tokens_slows_the_others_alone() -> None:
    bucket = {
        "scope": "tdsp",
        "measure": "tokens",
        "amount": 4,
        "per_s": 1,
        "burst": 8,
        "reserve": {"amount": 3, "classes": ["ror_call_centre"]},
    }
    shared = admission(bucket)
    assert [let_in(shared, asked("customer")) for _ in range(3)] == [True, True, False]
    assert [let_in(shared, asked()) for _ in range(7)] == [True] * 6 + [False]


def test_a_limit_of_a_class_counts_that_class_alone() -> None:
    shared = admission({"scope": "tdsp", "amount": 1, "window": "day", "classes": ["ror_bulk", "csp"]})
    assert let_in(shared, asked("csp"))
    assert not let_in(shared, asked("ror_bulk"))
    assert let_in(shared, asked())


def test_a_limit_without_a_kind_counts_reads_and_statuses_together() -> None:
    shared = admission({"scope": "esiid", "amount": 1, "window": "day"})
    assert let_in(shared, asked(kind=Kind.STATUS))
    assert not let_in(shared, asked())


def test_a_combination_tells_the_time_at_which_all_of_it_lets_in() -> None:
    shared = admission(
        {"scope": "esiid", "amount": 1, "window": "clock_hour"},
        {"scope": "tdsp", "measure": "tokens", "amount": 1, "per_s": 7200, "burst": 1},
        {"scope": "access_point", "measure": "under_way", "amount": 1},
    )
    lease = shared.reserve("a", asked(), NOON)
    assert isinstance(lease, Lease)
    refused = shared.reserve("b", asked(), NOON + 10)
    assert isinstance(refused, Refusal)
    assert (refused.code, refused.retry_at) == ("L1", NOON + 7200)
    shared.settle("a", lease, NOON + 60, True)
    assert not let_in(shared, asked(), NOON + 7199)
    assert let_in(shared, asked(), NOON + 7200)


def test_a_limit_that_never_lets_one_in_binds_longest() -> None:
    day = {"scope": "esiid", "amount": 1, "window": "day"}
    never = {"scope": "esiid", "measure": "octets", "amount": 0, "estimate": 1500, "window": "day"}
    for limits in ((day, never), (never, day)):
        shared = admission(*limits)
        shared.charge("k", asked(), NOON, NOON)
        refused = shared.reserve("k", asked(), NOON)
        assert isinstance(refused, Refusal)
        assert refused.retry_at == NEVER


@given(st.integers(1, 5), st.integers(1, 50), st.integers(1, 4), st.lists(st.integers(0, 40), max_size=40))
def test_a_buckets_time_to_come_back_is_the_first_that_lets_one_in(
    amount: int, per_s: int, burst: int, waits: list[int]
) -> None:
    trial, now = Trial(measure="tokens", amount=amount, per_s=per_s, burst=burst), NOON
    for wait in waits:
        now += wait
        decision = admit(trial.limit, trial.state, now)
        if decision.ok:
            trial.end(trial.ask(now), now, GOOD)
            continue
        assert decision.retry_at > now
        assert not admit(trial.limit, trial.state, decision.retry_at - 1).ok
        assert admit(trial.limit, trial.state, decision.retry_at).ok


@pytest.mark.parametrize("amount", [0, 1])
def test_a_limit_of_nothing_refuses_without_a_time(amount: int) -> None:
    limit = replace(one_limit(window="day", amount=1), amount=amount)
    assert admit(limit, LimitState(), NOON).ok == bool(amount)
    assert (admit(limit, LimitState(), NOON).retry_at == NEVER) != bool(amount)
