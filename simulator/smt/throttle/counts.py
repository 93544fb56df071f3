"""What a limit remembers of one scope value, and how each measure is held against it: pure functions, whole numbers.

State is counts by instant (of a calendar window: its start) and, for a bucket and a breaker, one mark. Each measure answers the same question:
may one more come in now, and if not, when at the earliest? The answer supposes that all that is under way succeeds and nothing else comes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from meters.calendar import INTERVAL_S, Seconds, day_end, day_of, day_start, seconds
from simulator.smt.throttle.limits import Limit, Measure, Window

HOUR_S = seconds(3600)
#: A ``retry_at`` that says: never.
NEVER = seconds(0)

_ROLLING_S = {Window.ROLLING_HOUR: HOUR_S, Window.ROLLING_DAY: 24 * HOUR_S}
#: After so long no window looks at a count any more.
FORGOTTEN_S = 2 * 24 * HOUR_S


@dataclass(slots=True)
class Count:
    """What a window holds: what is used, and what requests under way hold that may become so."""

    used: int = 0
    held: int = 0


class Mark(NamedTuple):
    """A bucket: its level at ``as_of``, in tokens x ``per_s``. A breaker: open since ``as_of`` (level 1). UTC epoch seconds."""

    level: int
    as_of: Seconds


@dataclass(slots=True)
class LimitState:
    """The windows of one limit and one scope value, keyed by their start (without calendar: by instant), UTC epoch seconds."""

    windows: dict[Seconds, Count] = field(default_factory=dict)
    mark: Mark | None = None


class Decision(NamedTuple):
    """``retry_at``: the earliest instant at which the limit lets one in again if all that is held succeeds (UTC epoch seconds; NEVER)."""

    ok: bool
    retry_at: Seconds
    window: Seconds


class Ending(NamedTuple):
    """How a request has ended. ``meter_failed``: a meter was tried and did not answer."""

    success: bool
    octets: int = 0
    meter_failed: bool = False


@lru_cache(maxsize=4096)
def _calendar_window(window: Window, quarter: Seconds) -> tuple[Seconds, Seconds]:
    # Every boundary of these windows is a whole quarter hour of UTC, so a quarter belongs to one window.
    if window is Window.DAY:
        day = day_of(quarter)
        return day_start(day), day_end(day)
    start = quarter - quarter % HOUR_S
    return start, start + HOUR_S


def window_of(limit: Limit, at: Seconds) -> Seconds:
    """The window that a request of that instant is counted in, as ``admit`` names it."""
    calendar = limit.measure in (Measure.SUCCESSES, Measure.OCTETS) and limit.window not in _ROLLING_S
    return _calendar_window(limit.window, at - at % INTERVAL_S)[0] if calendar else at


def counted_in(limit: Limit, start: Seconds, now: Seconds) -> bool:
    """Whether the counts of that instant, or window, are still held against a request of ``now``."""
    if limit.measure is Measure.METER_FAILURES:
        return start > now - limit.within_s
    if limit.measure not in (Measure.SUCCESSES, Measure.OCTETS):
        return True
    length = _ROLLING_S.get(limit.window)
    return start == window_of(limit, now) if length is None else start > now - length


def level_of(limit: Limit, state: LimitState, now: Seconds) -> int:
    """What a bucket holds at ``now``, in tokens x ``per_s``; held ones are taken."""
    level, as_of = _level(limit, state)
    return _filled(limit, level, max(now, as_of) - as_of)


def in_window(limit: Limit, state: LimitState, now: Seconds) -> Decision:
    """Successes or octets of a calendar or rolling window."""
    room = limit.amount - limit.weight
    length = _ROLLING_S.get(limit.window)
    if length is None:
        start, end = _calendar_window(limit.window, now - now % INTERVAL_S)
        count = state.windows.get(start)
        ok = room >= (0 if count is None else count.used + count.held)
        return Decision(ok, end if room >= 0 else NEVER, start)
    inside = sorted((start, count.used + count.held) for start, count in state.windows.items() if start > now - length)
    leaving = sum(counted for _, counted in inside) - room
    if leaving <= 0:
        return Decision(True, now, now)
    for start, counted in inside:
        leaving -= counted
        if leaving <= 0:
            return Decision(False, start + length, now)
    return Decision(False, NEVER, now)


def under_way(limit: Limit, state: LimitState, now: Seconds) -> Decision:
    """Requests under way at once. When one will end nobody knows: told is when the ones that stand in the way are expected to have."""
    since = sorted(start for start, count in state.windows.items() for _ in range(count.held))
    leaving = len(since) - limit.amount + 1
    if leaving <= 0:
        return Decision(True, now, now)
    if leaving > len(since):
        return Decision(False, NEVER, now)
    return Decision(False, max(now + 1, since[leaving - 1] + limit.expected_s), now)


def in_bucket(limit: Limit, state: LimitState, now: Seconds) -> Decision:
    """A token for each success, taken at the instant of its request.

    One that fails is as if it had never been asked for: the bucket is counted again without it, so it gives back no more than it took.
    """
    level, as_of = _level(limit, state)
    # A worker whose clock is behind another's decides at the other's instant.
    at = max(now, as_of)
    level = _filled(limit, level, at - as_of)
    if level >= limit.per_s:
        return Decision(True, at, at)
    if not limit.amount or not limit.burst:
        return Decision(False, NEVER, at)
    return Decision(False, at - (level - limit.per_s) // limit.amount, at)


def _filled(limit: Limit, level: int, span: Seconds) -> int:
    return min(limit.burst * limit.per_s, level + limit.amount * span)


def _level(limit: Limit, state: LimitState) -> Mark:
    """The bucket after the latest take, held ones included."""
    level, as_of = state.mark or Mark(limit.burst * limit.per_s, min(state.windows, default=seconds(0)))
    for start in sorted(state.windows):
        count = state.windows[start]
        level = _filled(limit, level, start - as_of) - (count.used + count.held) * limit.per_s
        as_of = start
    return Mark(level, as_of)


def _fold(limit: Limit, state: LimitState) -> None:
    """Put into the mark what is settled: every take before the first that is held."""
    open_from = min((start for start, count in state.windows.items() if count.held), default=None)
    settled = sorted(start for start in state.windows if open_from is None or start < open_from)
    if not settled:
        return
    first = LimitState({start: state.windows.pop(start) for start in settled}, state.mark)
    state.mark = _level(limit, first)


def behind_breaker(limit: Limit, state: LimitState, now: Seconds) -> Decision:
    """A breaker: closed it lets all in; open, nobody until it has cooled down; then one probe at a time, which closes or opens it again."""
    if state.mark is None:
        return Decision(True, now, now)
    half_open_at = state.mark.as_of + limit.cool_down_s
    if now < half_open_at:
        return Decision(False, half_open_at, now)
    probes = [start for start, count in state.windows.items() if count.held and start >= half_open_at]
    if not probes:
        return Decision(True, now, now)
    return Decision(False, max(now + 1, min(probes) + limit.expected_s), now)


def _settle_breaker(limit: Limit, state: LimitState, window: Seconds, now: Seconds, ending: Ending) -> None:
    is_probe = state.mark is not None and window >= state.mark.as_of + limit.cool_down_s
    if state.mark is not None and not is_probe:
        # It was sent before the breaker opened, and says nothing of what is now.
        return
    if is_probe:
        if ending.meter_failed:
            state.mark = Mark(1, now)
        elif ending.success:
            state.mark = None
        return
    if not ending.meter_failed:
        return
    state.windows.setdefault(now, Count()).used += 1
    for start, count in state.windows.items():
        if start <= now - limit.within_s:
            count.used = 0
    if sum(count.used for count in state.windows.values()) >= limit.amount:
        state.mark = Mark(1, now)
        for count in state.windows.values():
            count.used = 0


_ADMITS = {
    Measure.SUCCESSES: in_window,
    Measure.OCTETS: in_window,
    Measure.UNDER_WAY: under_way,
    Measure.TOKENS: in_bucket,
    Measure.METER_FAILURES: behind_breaker,
}


def admit(limit: Limit, state: LimitState, now: Seconds) -> Decision:
    """Whether one more may be let in at ``now`` (UTC epoch seconds); reads the state, changes nothing."""
    return _ADMITS[limit.measure](limit, state, now)


def reserve(limit: Limit, state: LimitState, window: Seconds) -> int:
    """Hold a place in a window that ``admit`` named; returns how much it holds."""
    state.windows.setdefault(window, Count()).held += limit.weight
    return limit.weight


def settle(limit: Limit, state: LimitState, window: Seconds, held: int, now: Seconds, ending: Ending) -> None:
    """End a reservation. A success is used up, anything else is given back; octets are charged as they were spent, success or not.

    held: what ``reserve`` returned. now: UTC epoch seconds. What no window can look at any more is dropped.
    """
    count = state.windows.setdefault(window, Count())
    count.held = max(0, count.held - held)
    if limit.measure is Measure.OCTETS:
        count.used += ending.octets
    elif limit.measure is Measure.METER_FAILURES:
        _settle_breaker(limit, state, window, now, ending)
    elif ending.success and limit.measure is not Measure.UNDER_WAY:
        count.used += 1
    if limit.measure is Measure.TOKENS:
        _fold(limit, state)
        return
    if limit.measure in (Measure.UNDER_WAY, Measure.METER_FAILURES) or len(state.windows) > 1:
        old = [
            start
            for start, count in state.windows.items()
            if count.held == 0 and (start < now - FORGOTTEN_S or count.used == 0)
        ]
        for start in old:
            del state.windows[start]


def charge(limit: Limit, state: LimitState, at: Seconds, now: Seconds, ending: Ending) -> tuple[Seconds, int] | None:
    """Count a use that nobody let in, of a request of ``at``, found at ``now``; the window and how much was held for it, None if it counts none.

    It stands in the window of its request as any other, but takes its token when it is found: what was let in meanwhile stays so.
    """
    if limit.measure in (Measure.UNDER_WAY, Measure.METER_FAILURES):
        return None
    window = max(now, _level(limit, state).as_of) if limit.measure is Measure.TOKENS else window_of(limit, at)
    held = reserve(limit, state, window)
    settle(limit, state, window, held, now, ending)
    return window, held
