"""What holds the throttle against its rules, worked out by hand at the edges that no run of chance need meet."""

from __future__ import annotations

from typing import Any

import pytest

from meters.calendar import Seconds, day_end, day_of, epoch, seconds, to_us
from simulator.smt.ondemand.invariants import Asking, breaches, from_steps
from simulator.smt.ondemand.ledger import Transition
from simulator.smt.ondemand.lifecycle import State
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
