"""How a limit stands, for each measure: what is used and held in the window that counts, and nothing of one that is over."""

from __future__ import annotations

import pytest

from meters.calendar import epoch, seconds
from simulator.smt.throttle.counts import Count, LimitState, Mark
from simulator.smt.throttle.limits import Kind, Limit, Measure, Scope, Window
from simulator.smt.throttle.standing import standing

NOW = epoch("2026-08-12T17:40")
HOUR = 3600


def limit(measure: Measure, window: Window = Window.DAY, **more: int) -> Limit:
    return Limit("L", Kind.READ, Scope.ESIID, 2, window, "L", "", measure=measure, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("its", "windows", "used", "held", "free"),
    [
        (limit(Measure.SUCCESSES), {epoch("2026-08-12T00:00"): Count(1, 1), epoch("2026-08-11T00:00"): Count(9, 9)}, 1, 1, False),
        (limit(Measure.SUCCESSES, Window.CLOCK_HOUR), {epoch("2026-08-12T17:00"): Count(1, 0), epoch("2026-08-12T16:00"): Count(2, 0)}, 1, 0, True),
        (limit(Measure.SUCCESSES, Window.ROLLING_HOUR), {NOW - HOUR: Count(2, 0), NOW - HOUR + 1: Count(1, 1)}, 1, 1, False),
        (limit(Measure.UNDER_WAY), {NOW - 9: Count(0, 1), NOW - 5: Count(0, 1)}, 0, 2, False),
        (limit(Measure.TOKENS, burst=4, per_s=HOUR), {NOW: Count(1, 2)}, 1, 2, True),
        (limit(Measure.TOKENS, burst=4, per_s=HOUR), {NOW - HOUR: Count(3, 0)}, 1, 0, True),
        (limit(Measure.METER_FAILURES, within_s=HOUR, cool_down_s=HOUR), {NOW - HOUR: Count(1, 0), NOW - 60: Count(1, 0)}, 1, 0, True),
    ],
)  # fmt: skip
def test_it_counts_what_counts_now(its: Limit, windows: dict[int, Count], used: int, held: int, free: bool) -> None:
    state = LimitState({seconds(start): count for start, count in windows.items()})
    found = standing(its, "1", state, NOW)
    assert (found.used, found.held, found.decision.ok) == (used, held, free)


def test_an_open_breaker_is_no_free_limit() -> None:
    state = LimitState({}, Mark(1, NOW))
    found = standing(limit(Measure.METER_FAILURES, within_s=HOUR, cool_down_s=HOUR), "1", state, NOW)
    assert (found.used, found.decision.ok, found.decision.retry_at) == (0, False, NOW + HOUR)
