from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.calendar import days, intervals_in
from meters.day_kinds import clock_slots
from meters.errors import MeterError
from meters.load.weather import CLIMATES, ZONES, sky, sunshine, temperature

seeds = st.integers(0, 2**64 - 1)
zones = st.sampled_from(ZONES)
some_days = st.one_of(
    st.dates(date(2020, 1, 1), date(2099, 12, 31)), st.sampled_from([date(2026, 3, 8), date(2026, 11, 1)])
)
YEARS = (date(2026, 1, 1), date(2029, 12, 31))


@given(seed=seeds, zone=zones, day=some_days)
def test_weather_is_bounded_and_has_every_interval(seed: int, zone: str, day: date) -> None:
    degrees, sun = temperature(seed, zone, day), sunshine(seed, zone, day)
    clouds = sky(seed, zone, day, day).cloud[0][clock_slots(day)]
    assert degrees.shape == clouds.shape == sun.shape == (intervals_in(day),)
    assert -35 < degrees.min() <= degrees.max() < 50
    assert 0 <= clouds.min() <= clouds.max() <= 1
    assert 0 <= sun.min() <= sun.max() < 250


@given(seed=seeds, zone=zones, day=some_days, before=st.integers(0, 40), after=st.integers(0, 40))
def test_a_day_is_the_same_in_whatever_span_it_is_asked_for(
    seed: int, zone: str, day: date, before: int, after: int
) -> None:
    one = sky(seed, zone, day, day)
    span = sky(seed, zone, day - timedelta(days=before), day + timedelta(days=after))
    assert (span.temperature[before] == one.temperature[0]).all()
    assert (span.felt[before] == one.felt[0]).all()
    assert (span.sunshine[before] == one.sunshine[0]).all()


@given(seed=seeds, zone=zones, day=some_days)
def test_it_never_shines_at_night(seed: int, zone: str, day: date) -> None:
    sun = sunshine(seed, zone, day)
    assert sun.max() > 0
    assert sun[:20].max() == sun[-12:].max() == 0


@pytest.mark.parametrize("zone", ZONES)
def test_years_of_weather_keep_to_the_climate(zone: str) -> None:
    shown = np.mean([sky(seed, zone, *YEARS).temperature.mean() / 100 for seed in range(5)])
    assert shown == pytest.approx(np.mean(CLIMATES[zone].monthly), abs=0.7)


def test_winter_changes_more_from_day_to_day_than_summer() -> None:
    def spread(month: int) -> float:
        means = [
            sky(seed, "NCENT", date(year, month, 1), date(year, month, 28)).temperature.mean(axis=1) / 100
            for seed in range(5)
            for year in range(2026, 2030)
        ]
        return float(np.std(means))

    assert spread(1) > 2 * spread(7)


def test_fronts_reach_neighbouring_zones() -> None:
    anomalies = [sky(1, zone, *YEARS).temperature.mean(axis=1) for zone in ("NCENT", "NORTH")]
    winter = [day.month in (12, 1, 2) for day in days(*YEARS)]
    assert np.corrcoef(anomalies[0][winter], anomalies[1][winter])[0, 1] > 0.8


def test_afternoon_is_the_warmest_and_dawn_the_coldest() -> None:
    mean = sky(1, "COAST", *YEARS).temperature.mean(axis=0)
    assert 15 <= mean.argmax() / 4 < 17
    assert 5 <= mean.argmin() / 4 < 8


def test_clouds_take_sun() -> None:
    june = sky(1, "NCENT", date(2026, 6, 1), date(2029, 6, 30))
    cover, energy = june.cloud[:, 32:72].mean(axis=1), june.sunshine.sum(axis=1)
    assert energy[cover < 0.2].mean() > 1.5 * energy[cover > 0.9].mean()


def test_an_unknown_zone_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(MeterError, match=r"NCENT"):
        temperature(1, "MARS", date(2026, 1, 1))
