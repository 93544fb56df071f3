"""Whether a throttle kept its rules: replays what was asked and how it ended, counts again from nothing, and says where a rule was broken.

It shares the records with the throttle and none of its code: no state, no windows, no leases. Both ways are looked for: one too many, and one
refused although there was room (an allowance that was lost, or spent on a failure).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from meters.calendar import Micros, Seconds, day_of, to_s
from simulator.smt.ondemand.ledger import Entry
from simulator.smt.ondemand.lifecycle import Filed, State, kind_counted
from simulator.smt.throttle.limits import Limit, Measure, Policy, Requested, Scope, Window, concerns


@dataclass(slots=True)
class Asking:
    """One request: when it was asked, whether it was let in, how it ended. Instants: UTC epoch seconds.

    ``after``: of requests of one second, those with a smaller number came before. ``ended_after``: likewise, on the same scale.
    """

    key: str
    at: Seconds
    requested: Requested
    admitted: bool
    after: int
    ended_at: Seconds | None = None
    ended_after: int = -1
    success: bool = False
    octets: int = 0
    meter_failed: bool = False

    def open_at(self, after: int) -> bool:
        """Whether it was under way when that number was given."""
        return self.admitted and self.after < after and (self.ended_at is None or self.ended_after > after)

    def ended_before(self, after: int) -> bool:
        """Whether it had ended when that number was given."""
        return self.admitted and self.ended_at is not None and self.ended_after < after


class Breach(NamedTuple):
    """A rule that was broken. ``limit``: its name; empty where a request was refused although every limit had room."""

    key: str
    at: Seconds
    limit: str
    what: str


def breaches(policy: Policy, asked: Iterable[Asking]) -> list[Breach]:
    """Every breach, in the order in which the requests came."""
    ordered = sorted(asked, key=lambda one: one.after)
    return [breach for one in ordered for breach in _breaches(policy, one, ordered)]


def _breaches(policy: Policy, asking: Asking, asked: Sequence[Asking]) -> Iterator[Breach]:
    concerned = [limit for limit in policy.limits if concerns(limit, asking.requested)]
    full = [limit for limit in concerned if not _has_room(limit, asking, _beside(limit, asking, asked))]
    if asking.admitted:
        for limit in full:
            yield Breach(
                asking.key, asking.at, limit.name, f"let in, though {limit.amount:,} {limit.measure.value} are reached"
            )
    elif not full:
        yield Breach(asking.key, asking.at, "", "refused, though every limit had room")


def _beside(limit: Limit, asking: Asking, asked: Sequence[Asking]) -> list[Asking]:
    """Requests let in before that one which the limit counts together with it."""
    value = asking.requested.scopes[limit.scope]
    return [
        other
        for other in asked
        if other.admitted
        and other.after < asking.after
        and concerns(limit, other.requested)
        and other.requested.scopes[limit.scope] == value
    ]


def _has_room(limit: Limit, asking: Asking, before: list[Asking]) -> bool:
    match limit.measure:
        case Measure.SUCCESSES:
            return (
                sum(_may_count(other, asking) and _together(limit, other.at, asking.at) for other in before)
                < limit.amount
            )
        case Measure.OCTETS:
            inside = [other for other in before if _together(limit, other.at, asking.at)]
            spent = sum(limit.estimate if other.open_at(asking.after) else other.octets for other in inside)
            return spent + limit.estimate <= limit.amount
        case Measure.UNDER_WAY:
            return sum(other.open_at(asking.after) for other in before) < limit.amount
        case Measure.TOKENS:
            return _token_left(limit, [other.at for other in before if _may_count(other, asking)], asking.at)
        case Measure.METER_FAILURES:
            return _breaker_lets_in(limit, asking, before)


def _may_count(other: Asking, asking: Asking) -> bool:
    """Whether an earlier request has succeeded, or still may."""
    return other.open_at(asking.after) or other.success


def _together(limit: Limit, earlier: Seconds, at: Seconds) -> bool:
    match limit.window:
        case Window.DAY:
            return day_of(earlier) == day_of(at)
        case Window.CLOCK_HOUR:
            return earlier // 3600 == at // 3600
        case Window.ROLLING_HOUR:
            return at - earlier < 3600
        case Window.ROLLING_DAY:
            return at - earlier < 86400


def _token_left(limit: Limit, taken: Sequence[Seconds], at: Seconds) -> bool:
    rate = Fraction(limit.amount, limit.per_s)
    level, since = Fraction(limit.burst), None
    for instant in [*sorted(taken), at]:
        if since is not None:
            level = min(Fraction(limit.burst), level + rate * (instant - since))
        since = instant
        level -= 1
    return level >= 0


def _breaker_lets_in(limit: Limit, asking: Asking, before: list[Asking]) -> bool:
    """Replay the breaker: failures open it, a cool-down later a probe decides."""
    opened: Seconds | None = None
    failures: list[Seconds] = []
    for other in sorted(
        (each for each in before if each.ended_before(asking.after)), key=lambda each: each.ended_after
    ):
        assert other.ended_at is not None
        if opened is not None:
            if other.at < opened + limit.cool_down_s:
                continue
            if other.meter_failed:
                opened = other.ended_at
            elif other.success:
                opened = None
        elif other.meter_failed:
            failures = [at for at in failures if at > other.ended_at - limit.within_s] + [other.ended_at]
            if len(failures) >= limit.amount:
                opened, failures = other.ended_at, []
    if opened is None:
        return True
    half_open = opened + limit.cool_down_s
    return asking.at >= half_open and not any(other.open_at(asking.after) and other.at >= half_open for other in before)


def from_ledger(entries: Iterable[Entry], scopes_of: Callable[[Filed], Mapping[Scope, str]]) -> list[Asking]:
    """The requests of a ledger, by its transitions, in the order of their instants; a microsecond's by key.

    scopes_of: the scope values that a request was counted under. Requests that went to the head-end without an allowance (store first) and those
    answered from an earlier read are not asked of the throttle again: the first count as refused, the second are left out.
    """
    asked: list[Asking] = []
    steps: list[tuple[Micros, int, str, bool, Asking]] = []
    for entry in entries:
        filed, last = entry.filed, entry.last
        states = [step.state for step in entry.transitions]
        if State.ANSWERED in states and State.ACCEPTED not in states:
            continue
        requested = Requested(kind_counted(filed.kind), filed.door, scopes_of(filed))
        success = last.state is State.COMPLETED and last.meter_reads > 0
        # Who had the meter read with success was let in, whatever is said of an allowance.
        admitted = success or any(step.meter_allowed for step in entry.transitions)
        asking = Asking(filed.key, to_s(filed.submitted_us), requested, admitted, -1)
        asked.append(asking)
        steps.append((filed.submitted_us, 1, filed.key, False, asking))
        if admitted and entry.ended:
            asking.ended_at = to_s(last.at_us)
            asking.success = success
            asking.octets = last.octets
            asking.meter_failed = last.state is State.FAILED and last.meter_reads > 0
            steps.append((last.at_us, 0, filed.key, True, asking))
    for number, (*_, is_end, asking) in enumerate(sorted(steps, key=lambda step: step[:3])):
        if is_end:
            asking.ended_after = number
        else:
            asking.after = number
    return asked
