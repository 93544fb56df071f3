"""What is expected of quarter hours by days of their kind: one home as many, the latest ten, the nearest in temperature."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from meters.day_kinds import DayClass, day_class
from simulator.ror.expected.like_days import BACK_DAYS, by_weather, days_of_kind, expected, usual_day

#: To Sunday 8 November 2026; the clock is set back on the first.
KNOWN = [date(2026, 9, 1) + timedelta(days=at) for at in range(69)]


def test_days_of_a_kind_are_those_of_six_weeks_without_a_clock_change_the_latest_first() -> None:
    found = days_of_kind(DayClass.WEEKEND, KNOWN)
    assert [KNOWN[at].day for at in found[:5]] == [8, 7, 31, 25, 24]
    assert KNOWN[-1] - KNOWN[found[-1]] < timedelta(days=BACK_DAYS)
    assert {day_class(KNOWN[at]) for at in days_of_kind(DayClass.WEEKDAY, KNOWN)} == {DayClass.WEEKDAY}
    assert days_of_kind(DayClass.WEEKDAY, []) == []


def test_the_usual_day_is_the_mean_of_the_latest_ten_and_one_home_is_as_of_many() -> None:
    wh = np.random.default_rng(3).integers(0, 3000, (5, len(KNOWN), 96), dtype=np.int32)
    days = days_of_kind(DayClass.WEEKDAY, KNOWN)
    many = usual_day(wh, days)
    assert np.array_equal(many, np.rint(wh[:, days[:10]].mean(axis=1)))
    assert np.array_equal(usual_day(wh[3:4], days)[0], many[3])
    assert not usual_day(wh, []).any()


def test_a_day_counts_the_more_the_nearer_it_was_in_temperature() -> None:
    degrees = np.array([30.0, 31.5, 40.0])[:, None] * np.ones(96)
    counts = by_weather(degrees, np.full(96, 30.0))
    # A Gaussian of 1.5 C.
    assert np.allclose(counts[:, 0], [1.0, np.exp(-0.5), np.exp(-0.5 * (10 / 1.5) ** 2)])
    # Beyond all of them the nearest still counts 1, and no division fails.
    assert by_weather(degrees, np.full(96, -20.0))[:, 7].max() == 1
    wh = np.array([1000, 2000, 9000], dtype=np.int32)[:, None] * np.ones(96, np.int32)
    told = expected(wh[None], [0, 1, 2], counts)
    assert told[0, 0] == round((1000 + 2000 * np.exp(-0.5)) / (1 + np.exp(-0.5)))
    assert by_weather(np.empty((0, 96)), np.zeros(96)).shape == (0, 96)
