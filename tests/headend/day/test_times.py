"""When a day is posted: at a time, within a spread, by a distribution; drawn day by day."""

from __future__ import annotations

from datetime import date, time, timedelta

import numpy as np
import pytest

from headend.day.times import Apart, DailyTimes
from headend.vee.preset import PostTime
from headend.vee.quality import Channel
from meters.calendar import epoch, seconds

DAY = date(2026, 8, 12)
DAYS = [DAY + timedelta(days=number) for number in range(60)]


def after_midnight(times: DailyTimes) -> list[float]:
    """Hours since the midnight after each day, by the wall."""
    return [(times.posted_at(day) - epoch(f"{day + timedelta(days=1)}T00:00")) / 3600 for day in DAYS]


def test_a_time_of_day_is_the_walls_on_the_next_day_whatever_the_clocks_did() -> None:
    noon = DailyTimes(post=PostTime(time(12, 0)))
    assert noon.posted_at(DAY) == epoch("2026-08-13T12:00")
    # The nights in which clocks go forward and back.
    assert [noon.posted_at(date(2026, *day)) for day in ((3, 7), (10, 31))] == [
        epoch("2026-03-08T12:00"),
        epoch("2026-11-01T12:00"),
    ]
    assert noon.validated_at(DAY) == epoch("2026-08-13T01:00")


def test_a_spread_is_drawn_evenly_and_alike_for_a_seed() -> None:
    spread = PostTime(time(15, 0), seconds(90 * 60))
    drawn = after_midnight(DailyTimes(post=spread, seed=1))
    assert drawn == after_midnight(DailyTimes(post=spread, seed=1)) != after_midnight(DailyTimes(post=spread, seed=2))
    assert 15 <= min(drawn) < 15.2
    assert 16.3 < max(drawn) <= 16.5
    assert np.mean(drawn) == pytest.approx(15.75, abs=0.15)


def test_a_lognormal_has_its_median_and_sigma_and_ends_at_the_deadline_and_after_vee() -> None:
    drawn = after_midnight(DailyTimes(post=PostTime(time(11, 0), sigma=0.2), seed=3))
    assert np.median(drawn) == pytest.approx(11, rel=0.1)
    assert np.std(np.log(drawn)) == pytest.approx(0.2, rel=0.25)
    wide = after_midnight(DailyTimes(post=PostTime(time(11, 0), sigma=2.0), seed=3))
    assert (min(wide), max(wide)) == (1, 23)
    # What is said to be later is later.
    assert after_midnight(DailyTimes(post=PostTime(time(23, 30)))) == [23.5] * 60


def test_days_apart_are_posted_at_a_time_late_or_never() -> None:
    held = [
        Apart(DAY, DAY, held_days=3),
        Apart(DAYS[1], DAYS[2], held_days=None),
        Apart(DAYS[3], DAYS[3], at=time(12, 0)),
        Apart(DAYS[4], DAYS[4], at=time(0, 30)),
        Apart(date(2026, 10, 30), date(2026, 10, 30), held_days=1),
    ]
    times = DailyTimes(apart=tuple(held))
    assert times.posted_at(DAY) == epoch("2026-08-16T07:30")
    assert [times.posted_at(day) > epoch("2099-01-01T00:00") for day in DAYS[:5]] == [False, True, True, False, False]
    # Never before it is validated, and late by days of the wall's, the long one too.
    assert [times.posted_at(DAYS[3]), times.posted_at(DAYS[4])] == [
        epoch("2026-08-16T12:00"),
        epoch("2026-08-17T01:00"),
    ]
    assert times.posted_at(date(2026, 10, 30)) == epoch("2026-11-01T07:30")
    assert times.posted_at(DAYS[5]) == DailyTimes().posted_at(DAYS[5])


def test_a_meter_and_a_channel_are_left_out_of_their_days_alone() -> None:
    apart = (
        Apart(DAY, DAYS[1], held_days=None, esiids=frozenset({"1"})),
        Apart(DAYS[1], DAYS[1], held_days=None, channel=Channel.GENERATION),
    )
    times = DailyTimes(apart=apart)
    left_out = [
        (number, esiid, channel)
        for number, day in enumerate(DAYS[:3])
        for esiid in ("1", "2")
        for channel in Channel
        if times.withholds(day, esiid, channel)
    ]
    both, given = (Channel.GENERATION, Channel.LOAD), Channel.GENERATION
    assert left_out == [*((0, "1", one) for one in both), *((1, "1", one) for one in both), (1, "2", given)]
    assert times.posted_at(DAY) == DailyTimes().posted_at(DAY)
