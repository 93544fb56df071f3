"""The throttle, once for the live database and for the model: limits as data, admission and settlement as pure functions of a state.

A request reserves in every limit that concerns it or in none; a read that ends after midnight is charged to the window of its submission.
What a limit is stands in ``limits``, how each measure counts in ``counts``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from meters.calendar import Seconds
from simulator.smt.throttle.counts import (
    NEVER,
    Count,
    Decision,
    Ending,
    LimitState,
    Mark,
    admit,
    charge,
    reserve,
    settle,
)
from simulator.smt.throttle.limits import (
    Door,
    Kind,
    Limit,
    Measure,
    Policy,
    Requested,
    RequesterClass,
    Scope,
    Source,
    Window,
    concerns,
)

__all__ = [
    "NEVER",
    "Count",
    "Decided",
    "Decision",
    "Door",
    "Ending",
    "Held",
    "Kind",
    "Lease",
    "Limit",
    "LimitState",
    "Mark",
    "Measure",
    "MemoryAdmission",
    "Policy",
    "Refusal",
    "Requested",
    "RequesterClass",
    "Scope",
    "Source",
    "Window",
    "admit",
    "charged",
    "concerns",
    "decide",
    "refusal_at",
    "reserve",
    "settle",
]


class Refusal(NamedTuple):
    """Why the throttle refused. ``retry_at`` in UTC epoch seconds; NEVER if no time is known at which it would not."""

    code: str
    reason: str
    retry_at: Seconds
    portal_code: str
    told: bool


class Held(NamedTuple):
    """A place in one limit: its name, the scope value, the window, and how much of the measure."""

    limit: str
    scope_value: str
    window: Seconds
    amount: int


class Lease(NamedTuple):
    """What a request holds: one place in each limit that counts it."""

    held: tuple[Held, ...]


class Decided(NamedTuple):
    """The outcome of looking at every limit: the lease, or the limit that refuses with its refusal."""

    lease: Lease
    refusing: Limit | None = None
    refusal: Refusal | None = None


def decide(policy: Policy, requested: Requested, now: Seconds, state_of: Callable[[Limit, str], LimitState]) -> Decided:
    """Look at every limit of one snapshot, then reserve in all or in none. now: UTC epoch seconds.

    Of several limits that refuse, the one that binds longest is told: before it is over, none of them lets the request in.
    """
    seen, refused = _looked_at(policy, requested, now, state_of)
    if refused is not None:
        return refused
    held = (Held(limit.name, value, window, reserve(limit, state, window)) for limit, value, state, window in seen)
    return Decided(Lease(tuple(held)))


def refusal_at(
    policy: Policy, requested: Requested, now: Seconds, state_of: Callable[[Limit, str], LimitState]
) -> Decided | None:
    """How ``decide`` would refuse; None if it would not. Reserves nothing."""
    return _looked_at(policy, requested, now, state_of)[1]


def charged(
    policy: Policy,
    requested: Requested,
    at: Seconds,
    now: Seconds,
    ending: Ending,
    state_of: Callable[[Limit, str], LimitState],
) -> Lease:
    """Count a read that was not let in, in every limit that counts reads; what it took there. Instants: UTC epoch seconds."""
    taken = []
    for limit in policy.limits:
        if concerns(limit, requested):
            value = requested.scopes[limit.scope]
            place = charge(limit, state_of(limit, value), at, now, ending)
            taken += [] if place is None else [Held(limit.name, value, *place)]
    return Lease(tuple(taken))


def _looked_at(
    policy: Policy, requested: Requested, now: Seconds, state_of: Callable[[Limit, str], LimitState]
) -> tuple[list[tuple[Limit, str, LimitState, Seconds]], Decided | None]:
    """The limits that count a request, with scope value, state and window; and the refusal, if there is one."""
    seen: list[tuple[Limit, str, LimitState, Seconds]] = []
    refusing: Limit | None = None
    longest = NEVER
    for limit in policy.limits:
        if not concerns(limit, requested):
            continue
        value = requested.scopes[limit.scope]
        state = state_of(limit, value)
        decision = admit(limit, state, now)
        seen.append((limit, value, state, decision.window))
        if not decision.ok and (refusing is None or _binds_longer(decision.retry_at, longest)):
            refusing, longest = limit, decision.retry_at
    if refusing is None:
        return seen, None
    refusal = Refusal(refusing.code, refusing.rule, longest, refusing.portal_code, refusing.told)
    return seen, Decided(Lease(()), refusing, refusal)


def _binds_longer(retry_at: Seconds, than: Seconds) -> bool:
    return than != NEVER and (retry_at == NEVER or retry_at > than)


class MemoryAdmission:
    """Admission over states in memory: the model's, and the reference for the database's."""

    def __init__(self, policy: Policy) -> None:
        """Begin with nothing used."""
        self.policy = policy
        self.states: dict[tuple[str, str], LimitState] = {}
        self._limits = {limit.name: limit for limit in policy.limits}

    def state(self, limit_name: str, scope_value: str) -> LimitState:
        """The state of one limit for one scope value."""
        found = self.states.get((limit_name, scope_value))
        if found is None:
            found = self.states[limit_name, scope_value] = LimitState()
        return found

    def reserve(self, request_key: str, requested: Requested, now: Seconds) -> Lease | Refusal:  # noqa: ARG002
        """Reserve in all limits or in none."""
        decided = decide(self.policy, requested, now, lambda limit, value: self.state(limit.name, value))
        return decided.refusal or decided.lease

    def refusal(self, requested: Requested, now: Seconds) -> Refusal | None:
        """How a request would be refused now; None if it would not. Reserves nothing."""
        decided = refusal_at(self.policy, requested, now, lambda limit, value: self.state(limit.name, value))
        return None if decided is None else decided.refusal

    def settle(
        self,
        request_key: str,  # noqa: ARG002
        lease: Lease,
        now: Seconds,
        success: bool,
        octets: int = 0,
        meter_failed: bool = False,
    ) -> None:
        """End a lease in all its limits."""
        ending = Ending(success, octets, meter_failed)
        for name, value, window, held in lease.held:
            settle(self._limits[name], self.state(name, value), window, held, now, ending)

    def charge(self, request_key: str, requested: Requested, at: Seconds, now: Seconds, octets: int = 0) -> None:  # noqa: ARG002
        """Count a read that was not let in."""
        charged(
            self.policy, requested, at, now, Ending(True, octets), lambda limit, value: self.state(limit.name, value)
        )
