"""When sweeps are due, and which midnights are caught up."""

from __future__ import annotations

from datetime import date
from itertools import islice, pairwise

import pytest

from headend.network.sweep import CATCH_UP_DAYS, midnights_due, sweep_times
from meters.calendar import day_start, epoch, iso, seconds


def test_sweeps_are_due_at_midnight_and_every_four_hours() -> None:
    due = [iso(at)[5:16] for at in islice(sweep_times(epoch("2026-08-12T16:00"), seconds(4 * 3600)), 4)]
    assert due == ["08-12T16:00", "08-12T20:00", "08-13T00:00", "08-13T04:00"]


@pytest.mark.parametrize(("day", "count"), [("2026-03-08", 6), ("2026-11-01", 7)])
def test_every_day_has_a_sweep_at_its_midnight_also_over_dst(day: str, count: int) -> None:
    begins = day_start(date.fromisoformat(day))
    times = list(islice(sweep_times(begins, seconds(4 * 3600)), 10))
    next_midnight = next(at for at in times[1:] if iso(at)[11:16] == "00:00")
    assert times.index(next_midnight) == count
    assert all(after - before <= 4 * 3600 for before, after in pairwise(times))


def test_the_midnight_of_the_sweep_itself_is_due() -> None:
    midnight = day_start(date(2026, 8, 12))
    assert midnights_due(midnight - 1, midnight) == [midnight]
    assert midnights_due(midnight, midnight + 4 * 3600) == []


def test_missed_midnights_are_caught_up_as_far_back_as_a_meter_is_read_again() -> None:
    end = day_start(date(2026, 8, 20))
    due = midnights_due(day_start(date(2026, 8, 1)), end)
    assert due[0] == day_start(date(2026, 8, 20 - CATCH_UP_DAYS))
    assert due[-1] == end
