"""The throttle, once for the live database and for the model: limits as data, admission and settlement as pure functions of a state.

A request reserves in every limit that concerns it or in none; a read that ends after midnight is charged to the window of its submission.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from meters.calendar import INTERVAL_S, day_end, day_of, day_start

HOUR_S = 3600


class Kind(StrEnum):
    """What a limit counts."""

    READ = "read"
    STATUS = "status"


class Scope(StrEnum):
    """Whose requests are counted together."""

    ESIID = "esiid"
    ROR = "ror"
    REQUESTER_CLASS = "requester_class"
    TDSP = "tdsp"


class Window(StrEnum):
    """Over which time is counted."""

    DAY = "day"
    CLOCK_HOUR = "clock_hour"
    ROLLING_HOUR = "rolling_hour"
    ROLLING_DAY = "rolling_day"


class Channel(StrEnum):
    """By which of SMT's doors a request came."""

    API = "api"
    PORTAL = "portal"


class Source(StrEnum):
    """Where an answer may come from."""

    METER_ONLY = "meter_only"
    STORE_FIRST = "store_first"
    STORE_ONLY = "store_only"


_ROLLING_S = {Window.ROLLING_HOUR: HOUR_S, Window.ROLLING_DAY: 24 * HOUR_S}


@dataclass(frozen=True, slots=True)
class Limit:
    """So many successes of a kind, per scope and window."""

    name: str
    kind: Kind
    scope: Scope
    amount: int
    window: Window
    #: Code of the refusal, and the sentence that tells the rule.
    code: str
    rule: str
    #: What the portal API answers instead (5031 hourly, 5032 daily).
    portal_code: str = "5032"
    #: A silent limit refuses without a reason.
    told: bool = True
    #: Only requests through these doors count.
    channels: frozenset[Channel] = frozenset(Channel)


@dataclass(frozen=True, slots=True)
class Policy:
    """A throttle: limits x source. Refuses nothing by itself; see ``admit``."""

    name: str
    title: str
    source: Source
    limits: tuple[Limit, ...]


@dataclass(slots=True)
class Count:
    """What a window holds: successes, and requests under way that may become one."""

    used: int = 0
    held: int = 0


@dataclass(slots=True)
class LimitState:
    """The windows of one limit and one scope value, keyed by their start (rolling: by the instant of the use), UTC epoch seconds."""

    windows: dict[int, Count] = field(default_factory=dict)


class Decision(NamedTuple):
    """``retry_at``: the earliest instant at which the limit lets one in again if all that is held succeeds (UTC epoch seconds)."""

    ok: bool
    retry_at: int
    window: int


class Refusal(NamedTuple):
    """Why the throttle refused. ``retry_at`` in UTC epoch seconds."""

    code: str
    reason: str
    retry_at: int
    portal_code: str
    told: bool


class Lease(NamedTuple):
    """What a request holds: (limit name, scope value, window) for each limit that counts it."""

    held: tuple[tuple[str, str, int], ...]


@lru_cache(maxsize=4096)
def _calendar_window(window: Window, quarter: int) -> tuple[int, int]:
    # Every boundary of these windows is a whole quarter hour of UTC, so a quarter belongs to one window.
    if window is Window.DAY:
        day = day_of(quarter)
        return day_start(day), day_end(day)
    start = quarter - quarter % HOUR_S
    return start, start + HOUR_S


def admit(limit: Limit, state: LimitState, now: int) -> Decision:
    """Whether one more may be let in at ``now`` (UTC epoch seconds); reads the state, changes nothing."""
    length = _ROLLING_S.get(limit.window)
    if length is None:
        start, end = _calendar_window(limit.window, now - now % INTERVAL_S)
        count = state.windows.get(start)
        if count is None or count.used + count.held < limit.amount:
            return Decision(limit.amount > 0, end, start)
        return Decision(False, end, start)
    inside = sorted((start, count.used + count.held) for start, count in state.windows.items() if start > now - length)
    total = sum(counted for _, counted in inside)
    if total < limit.amount:
        return Decision(True, now, now)
    leaving = total - limit.amount + 1
    for start, counted in inside:
        leaving -= counted
        if leaving <= 0:
            return Decision(False, start + length, now)
    return Decision(False, now + length, now)


def reserve(state: LimitState, window: int) -> None:
    """Hold one place in a window that ``admit`` named."""
    state.windows.setdefault(window, Count()).held += 1


def settle(state: LimitState, window: int, now: int, success: bool) -> None:
    """End a reservation: a success is used up, anything else is given back.

    now: UTC epoch seconds; windows that no limit can look at any more (older than two days, nothing held) are dropped.
    """
    count = state.windows[window]
    count.held -= 1
    if success:
        count.used += 1
    if len(state.windows) > 1:
        old = [
            start
            for start, one in state.windows.items()
            if one.held == 0 and (start < now - 2 * 24 * HOUR_S or one.used == 0)
        ]
        for start in old:
            del state.windows[start]


class Requested(NamedTuple):
    """What the throttle must know of a request."""

    kind: Kind
    channel: Channel
    scopes: Mapping[Scope, str]


def concerns(limit: Limit, requested: Requested) -> bool:
    """Whether a limit counts a request."""
    return limit.kind is requested.kind and requested.channel in limit.channels


class MemoryAdmission:
    """Admission over states in memory: the model's, and the reference for the database's."""

    def __init__(self, policy: Policy) -> None:
        """Begin with nothing used."""
        self.policy = policy
        self.states: dict[tuple[str, str], LimitState] = {}

    def state(self, limit_name: str, scope_value: str) -> LimitState:
        """The state of one limit for one scope value."""
        found = self.states.get((limit_name, scope_value))
        if found is None:
            found = self.states[limit_name, scope_value] = LimitState()
        return found

    def reserve(self, request_key: str, requested: Requested, now: int) -> Lease | Refusal:  # noqa: ARG002
        """Look at every limit of one snapshot, then reserve in all or in none."""
        held: list[tuple[str, str, int]] = []
        states: list[tuple[LimitState, int]] = []
        refusal: Refusal | None = None
        for limit in self.policy.limits:
            if not concerns(limit, requested):
                continue
            value = requested.scopes[limit.scope]
            state = self.state(limit.name, value)
            decision = admit(limit, state, now)
            if not decision.ok:
                refusal = later(refusal, limit, decision)
            held.append((limit.name, value, decision.window))
            states.append((state, decision.window))
        if refusal is not None:
            return refusal
        for state, window in states:
            reserve(state, window)
        return Lease(tuple(held))

    def settle(self, request_key: str, lease: Lease, now: int, success: bool) -> None:  # noqa: ARG002
        """End a lease in all its limits."""
        for name, value, window in lease.held:
            settle(self.state(name, value), window, now, success)


def later(refusal: Refusal | None, limit: Limit, decision: Decision) -> Refusal:
    """Of two limits that refuse, the one that binds longer is the one to tell."""
    if refusal is not None and refusal.retry_at >= decision.retry_at:
        return refusal
    return Refusal(limit.code, limit.rule, decision.retry_at, limit.portal_code, limit.told)
