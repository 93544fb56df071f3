"""What holds the throttle against its rules, worked out by hand at the edges that no run of chance need meet."""

from __future__ import annotations

from typing import Any

import pytest

from meters.calendar import Seconds, day_end, day_of, epoch, seconds, to_us
from simulator.smt.ondemand.invariants import Asking, Author, breaches, from_steps
from simulator.smt.ondemand.ledger import Transition
from simulator.smt.ondemand.lifecycle import State
from simulator.smt.ondemand.rules import UNALLOWED
from simulator.smt.throttle.decision import Door, Kind, Policy, Requested, RequesterClass, Scope
from simulator.smt.throttle.policy import parse_policy

NOON = epoch("2026-08-12T12:00")
HOUR, DAY = 3600, 86400
SCOPES = {Scope.ESIID: "e", Scope.REQUESTER_CLASS: RequesterClass.CSP}


def of(**fields: Any) -> Policy:
    written = {"name": "L", "scope": "esiid", "code": "L", "rule": "A rule.", "amount": 1} | fields
    return parse_policy("mine", {"title": "t", "limits": [written]}, place="test")


def asked(number: int, at: Seconds, admitted: bool, **ended: Any) -> Asking:
    """The ``number``-th to ask; one that has ended did so at once, unless ``ended_after`` says otherwise."""
    told = {"ended_at": at, "ended_after": number, "success": True} | ended if admitted else {}
    return Asking(str(number), at, Requested(Kind.READ, Door.API, SCOPES), admitted, number, **told)


@pytest.mark.parametrize(
    ("window", "first", "over"),
    [
        ("rolling_hour", NOON + 5, NOON + 5 + HOUR),
        ("rolling_day", NOON + 5, NOON + 5 + DAY),
        ("clock_hour", NOON + 5, NOON + HOUR),
        ("day", NOON, day_end(day_of(NOON))),
    ],
)
def test_the_last_second_of_a_window_is_in_it_and_the_next_is_not(window: str, first: Seconds, over: int) -> None:
    policy = of(window=window)
    for at, lets_in in ((over - 1, False), (over, True)):
        for admitted in (True, False):
            found = breaches(policy, [asked(1, first, True), asked(2, seconds(at), admitted)])
            assert bool(found) is (admitted is not lets_in), (at - over, admitted)


def test_octets_are_counted_as_spent_once_they_are_known_and_as_estimated_until_then() -> None:
    policy = of(measure="octets", amount=3000, estimate=1000, window="clock_hour")
    for first, lets_in in (
        ({"octets": 2000}, True),
        ({"octets": 2001}, False),
        # A failure spends them too.
        ({"octets": 2001, "success": False}, False),
        ({"octets": 2001, "ended_after": 9}, True),
    ):
        for admitted in (True, False):
            found = breaches(policy, [asked(1, NOON, True, **first), asked(2, NOON + 60, admitted)])
            assert bool(found) is (admitted is not lets_in), (first, admitted)
    # Three estimates fill it; a fourth is one too many, whatever they come to in the end.
    open_ones = [asked(number, NOON, True, octets=5000, ended_after=9) for number in (1, 2, 3)]
    assert breaches(policy, open_ones) == []
    assert [breach.limit for breach in breaches(policy, [*open_ones, asked(4, NOON, True)])] == ["L"]
    # The next hour has its own.
    assert breaches(policy, [*open_ones, asked(4, NOON + HOUR, True)]) == []


@pytest.mark.parametrize(("reads", "uses"), [(0, False), (1, True)])
def test_what_the_store_alone_has_answered_uses_nothing_up(reads: int, uses: bool) -> None:
    requested = Requested(Kind.READ, Door.API, SCOPES)

    def life(at: Seconds) -> list[Transition]:
        accepted = [Transition(state, to_us(at), meter_allowed=True) for state in (State.ACCEPTED, State.QUEUED)]
        ended = Transition(State.COMPLETED, to_us(at + 70), meter_allowed=True, meter_reads=reads)
        return [Transition(State.REQUESTED, to_us(at)), *accepted, ended]

    asked = from_steps([(name, requested, life(at)) for name, at in (("a", NOON), ("b", NOON + 600))])
    assert bool(breaches(of(window="day"), asked)) is uses


#: One every 600 s, two at once; and two failures within 300 s open it for 600 s.
BUCKET = {"measure": "tokens", "burst": 2, "amount": 1, "per_s": 600}
BREAKER = {"measure": "meter_failures", "amount": 2, "within_s": 300, "cool_down_s": 600}
FAILED = {"success": False, "meter_failed": True}


def fits(policy: Policy, *came: tuple[int, bool, dict[str, Any]]) -> list[str]:
    """What is wrong with those that came so many seconds after noon, were let in or not, and ended so."""
    return [one.what for one in breaches(policy, [asked(number, NOON + at, admitted, **ended) for number, (at, admitted, ended) in enumerate(came, 1)])]  # fmt: skip


NO_ROOM, IDLE = "let in, though 1 tokens are reached", "refused, though every limit had room"


@pytest.mark.parametrize(
    ("came", "wrong"),
    [
        # Two at once, the third when a token has come.
        ([(0, True, {}), (0, True, {}), (599, False, {}), (600, True, {})], []),
        ([(0, True, {}), (0, True, {}), (599, True, {})], [NO_ROOM]),
        ([(0, True, {}), (0, True, {}), (600, False, {})], [IDLE]),
        # One that fails gives its token back, to those behind it too.
        ([(0, True, {"success": False}), (0, True, {}), (1, True, {})], []),
        ([(0, True, {"success": False, "ended_after": 4}), (0, True, {}), (1, False, {}), (2, True, {}), (3, False, {})], []),
        # One that never ended holds its token for good; no more is saved than the burst.
        ([(0, True, {"ended_at": None, "success": False}), (0, True, {}), (1, False, {})], []),
        ([(0, True, {}), (9000, True, {}), (9000, True, {}), (9000, False, {})], []),
    ],
)  # fmt: skip
def test_a_bucket_of_tokens_is_held_to_what_it_had(
    came: list[tuple[int, bool, dict[str, Any]]], wrong: list[str]
) -> None:
    assert fits(of(**BUCKET), *came) == wrong


@pytest.mark.parametrize(
    ("came", "held"),
    [
        # Open from the second failure on, until the cool-down is over; then one probe.
        ([(0, True, FAILED), (100, True, FAILED), (699, False, {}), (700, True, {"ended_after": 9}), (700, False, {})], True),
        ([(0, True, FAILED), (100, True, FAILED), (699, True, {})], False),
        ([(0, True, FAILED), (100, True, FAILED), (700, False, {})], False),
        # Two that lie too far apart do not open it, nor what failed without a try at the meter.
        ([(0, True, FAILED), (300, True, FAILED), (301, True, {})], True),
        ([(0, True, FAILED), (100, True, {"success": False}), (101, True, {})], True),
        # A probe that fails opens it anew, one that succeeds closes it.
        ([(0, True, FAILED), (0, True, FAILED), (600, True, FAILED), (1199, False, {}), (1200, True, {})], True),
        ([(0, True, FAILED), (0, True, FAILED), (600, True, {}), (601, True, {}), (601, True, {})], True),
        # What went out before it opened says nothing of the cool-down.
        ([(0, True, FAILED), (1, True, FAILED | {"ended_after": 4}), (2, True, FAILED), (602, True, {}), (603, True, {})], True),
    ],
)  # fmt: skip
def test_a_breaker_is_held_to_when_it_opened_and_closed(
    came: list[tuple[int, bool, dict[str, Any]]], held: bool
) -> None:
    assert (fits(of(**BREAKER), *came) == []) is held


@pytest.mark.parametrize("measure", ["successes", "tokens", "under_way", "meter_failures"])
def test_a_read_that_nobody_allowed_is_the_head_ends_where_the_limit_was_full(measure: str) -> None:
    kinds: dict[str, dict[str, Any]] = {
        "successes": {"window": "day"},
        "tokens": {"burst": 1, "per_s": 600},
        "under_way": {},
        "meter_failures": {"within_s": 300, "cool_down_s": 600},
    }
    policy = of(measure=measure, **kinds[measure])
    first = asked(1, NOON, True, **(FAILED if measure == "meter_failures" else {"ended_after": 9}))
    unallowed = asked(2, NOON + 1, False)
    unallowed.unallowed, unallowed.ended_at, unallowed.ended_after = True, NOON + 1, 2
    found = breaches(policy, [first, unallowed])
    assert [(one.limit, one.author) for one in found] == [("L", Author.HEAD_END)]
    # Where there was room, it is one without an allowance all the same, and what was refused had room.
    alone = breaches(policy, [unallowed])
    assert [(one.limit, one.author) for one in alone] == [("", Author.SMT), (UNALLOWED, Author.HEAD_END)]
