"""Whether a throttle kept its rules: replays what was asked and how it ended, counts again from nothing, and says where a rule was broken, by whom.

It shares the records with the throttle and none of its code: no state, no windows, no leases. Both ways are looked for: one too many, and one
refused although there was room (an allowance that was lost, or spent on a failure). A read at the meter counts, allowed or not; one that was not is
the head-end's breach. Each request is looked at once, when it comes and when it ends.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from typing import NamedTuple, Protocol

from meters.calendar import Micros, Seconds, day_of, to_s
from simulator.smt.ondemand.ledger import Entry
from simulator.smt.ondemand.lifecycle import BESIDE, ENDED, Filed, State, kind_counted
from simulator.smt.ondemand.rules import UNALLOWED
from simulator.smt.throttle.limits import Limit, Measure, Policy, Requested, Scope, Window, concerns


class Author(StrEnum):
    """Who has broken a rule."""

    SMT = "SMT"
    HEAD_END = "head-end"


@dataclass(slots=True)
class Asking:
    """One request: when it was asked, whether it was let in, how it ended. Instants: UTC epoch seconds.

    ``after``: of requests of one second, those with a smaller number came before; it ascends with ``at``. ``ended_after``: likewise, on the same
    scale. ``unallowed``: the meter was read for it without an allowance, which is known when it has ended. ``cited``: names of the limits that
    refused it, where the record tells. ``alone``: nothing else came or ended in its microsecond; of what did nobody tells which was first.
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
    unallowed: bool = False
    cited: tuple[str, ...] = ()
    alone: bool = True


class Breach(NamedTuple):
    """A rule that was broken. ``limit``: its name; empty where a request was refused although every limit had room."""

    key: str
    at: Seconds
    limit: str
    what: str
    author: Author = Author.SMT


def breaches(policy: Policy, asked: Iterable[Asking]) -> list[Breach]:
    """Every breach, in the order in which the requests came."""
    # By when it was, in thirds: of one number an end is before a coming, but for one's own.
    events: list[tuple[int, bool, Asking]] = []
    for one in asked:
        events.append((3 * one.after + 1, True, one))
        if one.ended_at is not None and (one.admitted or one.unallowed):
            # One that ended before anything else happened, or by a forged record before it came, ends after it came.
            at_once = one.ended_after <= one.after
            events.append((3 * one.after + 2 if at_once else 3 * one.ended_after, False, one))
    events.sort(key=itemgetter(0))
    counted: dict[tuple[str, str], _Counted] = {}
    #: By what was asked, which many ask again.
    by_what: dict[int, list[tuple[Limit, _Counted]]] = {}
    found: list[tuple[int, Breach]] = []
    full_for: dict[int, list[Limit]] = {}
    for _, comes, one in events:
        what = id(one.requested)
        concerned = by_what.get(what)
        if concerned is None:
            scopes = one.requested.scopes
            concerned = by_what[what] = [
                (limit, _of(counted, limit, scopes[limit.scope]))
                for limit in policy.limits
                if concerns(limit, one.requested)
            ]
        if comes:
            full = [limit for limit, so_far in concerned if not so_far.has_room(one.at)]
            if full or not one.admitted:
                found += [(one.after, breach) for breach in _at_the_door(one, full)]
            if one.unallowed:
                full_for[one.after] = full
            if one.admitted:
                for _, so_far in concerned:
                    so_far.begin(one)
        else:
            if one.unallowed:
                found += [(one.after, breach) for breach in _at_the_meter(one, full_for[one.after])]
            for _, so_far in concerned:
                so_far.end(one)
    return [breach for _, breach in sorted(found, key=lambda each: each[0])]


def _at_the_door(one: Asking, full: Sequence[Limit]) -> Iterator[Breach]:
    if one.admitted:
        for limit in full:
            yield Breach(one.key, one.at, limit.name, f"let in, though {_reached(limit)}")
    elif one.cited:
        if one.alone and not any(limit.name in one.cited for limit in full):
            yield Breach(one.key, one.at, one.cited[0], "refused, though there was room")
    elif not full:
        yield Breach(one.key, one.at, "", "refused, though every limit had room")


def _at_the_meter(one: Asking, full: Sequence[Limit]) -> Iterator[Breach]:
    for limit in full:
        what = f"read at the meter without an allowance: {_reached(limit)}"
        yield Breach(one.key, one.at, limit.name, what, Author.HEAD_END)
    if not full:
        yield Breach(one.key, one.at, UNALLOWED, "read at the meter without an allowance", Author.HEAD_END)


def _reached(limit: Limit) -> str:
    return f"{limit.amount:,} {limit.measure.value} are reached"


class _Counted(Protocol):
    """What one limit has counted for one scope value so far. Called in the order of what happened."""

    def has_room(self, at: Seconds) -> bool:
        """Whether one more may come in at an instant."""

    def begin(self, one: Asking) -> None:
        """One was let in."""

    def end(self, one: Asking) -> None:
        """It has ended, or a meter was read for one that was not let in."""


def _of(counted: dict[tuple[str, str], _Counted], limit: Limit, value: str) -> _Counted:
    so_far = counted.get((limit.name, value))
    if so_far is None:
        so_far = counted[limit.name, value] = _COUNTED[limit.measure](limit)
    return so_far


class _InWindow:
    """Successes, or octets: one under way counts as if it will succeed, or as estimated."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._octets = limit.measure is Measure.OCTETS
        #: By instant and number; of each number how much it counts.
        self._inside: list[tuple[Seconds, int]] = []
        self._weights: dict[int, int] = {}
        self._total = 0

    def has_room(self, at: Seconds) -> bool:
        while self._inside and not _together(self._limit, self._inside[0][0], at):
            self._total -= self._weights.pop(heapq.heappop(self._inside)[1])
        return self._total + (self._limit.estimate if self._octets else 1) <= self._limit.amount

    def begin(self, one: Asking) -> None:
        self._put(one, self._limit.estimate if self._octets else 1)

    def end(self, one: Asking) -> None:
        weight = one.octets if self._octets else int(one.success or one.unallowed)
        if one.after in self._weights:
            self._total += weight - self._weights[one.after]
            self._weights[one.after] = weight
        elif one.unallowed:
            self._put(one, weight)

    def _put(self, one: Asking, weight: int) -> None:
        heapq.heappush(self._inside, (one.at, one.after))
        self._weights[one.after] = weight
        self._total += weight


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


class _UnderWay:
    """Requests under way at once."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._open = 0

    def has_room(self, at: Seconds) -> bool:  # noqa: ARG002
        return self._open < self._limit.amount

    def begin(self, one: Asking) -> None:  # noqa: ARG002
        self._open += 1

    def end(self, one: Asking) -> None:
        self._open -= one.admitted


class _Tokens:
    """A bucket: each success has taken a token when it was asked for, one under way too; a read that was not let in when it was found."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        #: In parts of a token, ``per_s`` to one: when the last was taken that no failure can undo, and the level after it.
        self._stands: tuple[Seconds | None, int] = None, limit.burst * limit.per_s
        #: By number those taken since, in order: when, the level after it, and whether it may still fail.
        self._takes: dict[int, tuple[Seconds, int, bool]] = {}

    def has_room(self, at: Seconds) -> bool:
        return self._after(*self._latest(), at) >= 0

    def _latest(self) -> tuple[Seconds | None, int]:
        return next(reversed(self._takes.values()))[:2] if self._takes else self._stands

    def _after(self, since: Seconds | None, level: int, at: Seconds) -> int:
        """The level after one more take."""
        if since is not None:
            level = min(self._limit.burst * self._limit.per_s, level + self._limit.amount * (at - since))
        return level - self._limit.per_s

    def begin(self, one: Asking) -> None:
        # One that never ended is held for good.
        self._take(one.after, one.at, may_fail=one.ended_at is not None)

    def _take(self, number: int, at: Seconds, *, may_fail: bool) -> None:
        self._takes[number] = at, self._after(*self._latest(), at), may_fail

    def end(self, one: Asking) -> None:
        if one.unallowed:
            assert one.ended_at is not None
            self._take(one.after, one.ended_at, may_fail=False)
        elif one.after in self._takes:
            if one.success:
                self._takes[one.after] = *self._takes[one.after][:2], False
            else:
                # Those that were taken after it found one more.
                behind = list(self._takes.items())
                behind = behind[next(at for at, (number, _) in enumerate(behind) if number == one.after) :]
                for number, _ in behind:
                    del self._takes[number]
                for number, (at, _, may_fail) in behind[1:]:
                    self._take(number, at, may_fail=may_fail)
        while self._takes and not next(iter(self._takes.values()))[2]:
            self._stands = self._takes.pop(next(iter(self._takes)))[:2]


class _Breaker:
    """Failures open it, a cool-down later a probe decides."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._opened: Seconds | None = None
        self._failures: list[Seconds] = []
        #: Instants of those under way, by number, the latest last.
        self._open: dict[int, Seconds] = {}

    def has_room(self, at: Seconds) -> bool:
        if self._opened is None:
            return True
        half_open = self._opened + self._limit.cool_down_s
        probing = bool(self._open) and next(reversed(self._open.values())) >= half_open
        return at >= half_open and not probing

    def begin(self, one: Asking) -> None:
        self._open[one.after] = one.at

    def end(self, one: Asking) -> None:
        if not one.admitted:
            return
        del self._open[one.after]
        assert one.ended_at is not None
        if self._opened is not None:
            if one.at < self._opened + self._limit.cool_down_s:
                return
            if one.meter_failed:
                self._opened = one.ended_at
            elif one.success:
                self._opened = None
        elif one.meter_failed:
            since = one.ended_at - self._limit.within_s
            self._failures = [at for at in self._failures if at > since] + [one.ended_at]
            if len(self._failures) >= self._limit.amount:
                self._opened, self._failures = one.ended_at, []


_COUNTED: dict[Measure, Callable[[Limit], _Counted]] = {
    Measure.SUCCESSES: _InWindow,
    Measure.OCTETS: _InWindow,
    Measure.UNDER_WAY: _UnderWay,
    Measure.TOKENS: _Tokens,
    Measure.METER_FAILURES: _Breaker,
}


class Step(Protocol):
    """What counts of a transition, whoever keeps it: the ledger, a recording, a load study."""

    @property
    def state(self) -> State: ...
    @property
    def at_us(self) -> Micros: ...
    @property
    def meter_allowed(self) -> bool: ...
    @property
    def meter_reads(self) -> int: ...
    @property
    def from_meter(self) -> int: ...
    @property
    def octets(self) -> int: ...
    @property
    def rule(self) -> str: ...


def from_ledger(entries: Iterable[Entry], scopes_of: Callable[[Filed], Mapping[Scope, str]]) -> list[Asking]:
    """``from_steps`` of the requests of a ledger. scopes_of: the scope values that a request was counted under."""
    return from_steps(
        (
            entry.filed.key,
            Requested(kind_counted(entry.filed.kind), entry.filed.door, scopes_of(entry.filed)),
            entry.transitions,
        )
        for entry in entries
    )


def from_steps(lives: Iterable[tuple[str, Requested, Sequence[Step]]]) -> list[Asking]:
    """Requests by their transitions, in the order of their instants; a microsecond's by key.

    Requests that went to the head-end without an allowance (store first) and those answered from an earlier read are not asked of the throttle again:
    the first count as refused, the second are left out.
    """
    asked: list[Asking] = []
    steps: list[tuple[Micros, int, str, bool, Asking]] = []
    for key, requested, transitions in lives:
        life = [step for step in transitions if step.state not in BESIDE]
        first, last = life[0], life[-1]
        states = {step.state for step in life}
        if State.ANSWERED in states and State.ACCEPTED not in states:
            continue
        admitted = any(step.meter_allowed for step in life)
        unallowed = not admitted and any(
            step.meter_reads or step.from_meter or step.rule == UNALLOWED for step in transitions
        )
        asking = Asking(key, to_s(first.at_us), requested, admitted, -1)
        asked.append(asking)
        steps.append((first.at_us, 1, key, False, asking))
        if (admitted or unallowed) and last.state in ENDED:
            # What was not allowed may be told of when all is over: it counts from then on.
            known_us = max([last.at_us, *(step.at_us for step in transitions if unallowed and step.rule == UNALLOWED)])
            asking.ended_at = to_s(known_us)
            asking.success = admitted and last.state is State.COMPLETED and last.meter_reads > 0
            asking.octets = last.octets
            asking.meter_failed = last.state is State.FAILED and last.meter_reads > 0
            asking.unallowed = unallowed
            steps.append((known_us, 0, key, True, asking))
    within = Counter(at_us for at_us, *_ in steps)
    for number, (at_us, *_, is_end, asking) in enumerate(sorted(steps, key=lambda step: step[:3])):
        if is_end:
            asking.ended_after = number
        else:
            asking.after, asking.alone = number, within[at_us] == 1
    return asked
