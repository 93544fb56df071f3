"""How a limit stands, for whoever looks and asks for nothing."""

from __future__ import annotations

from typing import NamedTuple

from meters.calendar import Seconds
from simulator.smt.throttle.counts import Decision, LimitState, counted_in, level_of
from simulator.smt.throttle.decision import admit
from simulator.smt.throttle.limits import Limit, Measure


class Standing(NamedTuple):
    """A limit for one scope value: how much of it is used and held in the window that counts, and whether one more comes in."""

    limit: Limit
    scope_value: str
    used: int
    held: int
    decision: Decision


def standing(limit: Limit, scope_value: str, state: LimitState, now: Seconds) -> Standing:
    """How it stands at ``now`` (UTC epoch seconds)."""
    decision = admit(limit, state, now)
    counts = [count for start, count in state.windows.items() if counted_in(limit, start, now)]
    used, held = sum(count.used for count in counts), sum(count.held for count in counts)
    if limit.measure is Measure.TOKENS:
        # What is gone of the bucket, those under way among it.
        used = limit.burst - level_of(limit, state, now) // max(limit.per_s, 1) - held
    return Standing(limit, scope_value, max(used, 0), held, decision)
