from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meters.calendar import days, interval_ends, intervals_in
from meters.errors import MeterError
from meters.identity import Premise, make_esiid, tdsp
from meters.load import ERA, day_intervals, intervals, register, registers, scale_to
from meters.premises import CLASSES, CURVES, ZONES, PremiseArrays, make_premise

SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)
seeds = st.integers(0, 2**64 - 1)
some_days = st.one_of(
    st.dates(ERA, date(2040, 12, 31)), st.sampled_from([SPRING, AUTUMN, date(2025, 3, 9), date(2025, 11, 2)])
)
premises = st.builds(
    Premise,
    esiid=st.integers(0, 10**6).map(lambda ordinal: make_esiid(tdsp("ONCOR"), 5, ordinal)),
    zone=st.sampled_from(list(ZONES)),
    klass=st.sampled_from(list(CLASSES)),
    scale=st.floats(0.01, 1000.0),
)
HOME = make_premise(tdsp("ONCOR"), 1, 17)
MANY = PremiseArrays.generate(1, tdsp("ONCOR"), 2000)


@given(seed=seeds, day=some_days, homes=st.lists(premises, min_size=1, max_size=5))
@example(seed=1, day=SPRING, homes=[HOME])
@example(seed=1, day=AUTUMN, homes=[HOME])
def test_one_meter_and_the_array_give_the_same_watt_hours(seed: int, day: date, homes: list[Premise]) -> None:
    columns = PremiseArrays.of(homes)
    assert registers(seed, columns, day).tolist() == [register(seed, home, day) for home in homes]
    assert day_intervals(seed, columns, day).tolist() == [intervals(seed, home, day).tolist() for home in homes]


@given(seed=seeds, day=some_days, home=premises)
@example(seed=1, day=SPRING, home=HOME)
@example(seed=1, day=AUTUMN, home=HOME)
def test_intervals_are_an_exact_split_of_the_days_registers(seed: int, day: date, home: Premise) -> None:
    wh = intervals(seed, home, day)
    assert wh.shape == (intervals_in(day),)
    assert wh.dtype == np.int32
    assert wh.min() >= 0
    used = register(seed, home, day + timedelta(days=1)) - register(seed, home, day)
    assert int(wh.sum(dtype=np.int64)) == used
    assert used > 0


@given(seed=seeds, day=some_days)
def test_truth_is_reproducible_and_depends_on_seed_and_day(seed: int, day: date) -> None:
    assert (intervals(seed, HOME, day) == intervals(seed, HOME, day)).all()
    assert intervals(seed, HOME, day).tolist() != intervals(seed ^ 1, HOME, day).tolist()
    assert intervals(seed, HOME, day).tolist() != intervals(seed, HOME, day + timedelta(days=2)).tolist()


def test_pinned_day_stays_what_it_is() -> None:
    assert register(1, HOME, date(2026, 8, 12)) == 101387110
    assert intervals(1, HOME, date(2026, 8, 12))[:4].tolist() == [375, 358, 299, 297]


@pytest.mark.parametrize("curve", CURVES)
def test_register_rises_every_day_of_years_even_for_the_least_premise(curve: tuple[str, str]) -> None:
    home = Premise(HOME.esiid, *curve, scale=0.01)
    shown = [register(9, home, day) for day in days(ERA, date(2023, 1, 1))]
    assert shown[0] >= 0
    assert min(np.diff(shown)) > 0


def test_average_home_uses_38_kwh_a_day_over_the_year_and_50_in_july() -> None:
    year = registers(1, MANY, date(2027, 1, 1)) - registers(1, MANY, date(2026, 1, 1))
    july = registers(1, MANY, date(2026, 8, 1)) - registers(1, MANY, date(2026, 7, 1))
    assert 37_000 < year.mean() / 365 < 39_000
    assert 48_000 < july.mean() / 31 < 53_000


def test_summer_load_peaks_between_16_and_18_h_and_single_homes_are_spikier_than_their_mean() -> None:
    wh = day_intervals(1, MANY, date(2026, 7, 15))
    mean = wh.mean(axis=0)
    assert 16 <= int(mean.reshape(24, 4).sum(axis=1).argmax()) < 18
    assert np.abs(np.diff(wh, axis=1)).mean() > 4 * np.abs(np.diff(mean)).mean()


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_shape_follows_the_local_clock_over_a_clock_change(day: date) -> None:
    before = day_intervals(1, MANY, day - timedelta(days=1)).mean(axis=0)[-4 * 6 :]
    after = day_intervals(1, MANY, day).mean(axis=0)[-4 * 6 :]
    assert len(interval_ends(day)) != 96
    assert int(np.abs(int(before.argmax()) - int(after.argmax()))) <= 2


def test_no_honest_day_looks_like_a_spike_an_empty_home_or_a_blown_service() -> None:
    for day in (date(2026, 1, 15), date(2026, 4, 20), date(2026, 7, 15), date(2026, 10, 20)):
        wh = np.sort(day_intervals(1, MANY, day), axis=1)
        assert ((wh[:, -1] - wh[:, -3]) / wh[:, -3]).max() < 1.8
        assert wh.min() > 0
        assert wh.max() < 12_000


@settings(max_examples=50)
@given(seed=seeds, home=premises, wh=st.integers(50_000, 3_000_000), length=st.integers(1, 40))
def test_premise_is_scaled_to_the_watt_hour(seed: int, home: Premise, wh: int, length: int) -> None:
    first = date(2026, 7, 16)
    last = first + timedelta(days=length - 1)
    scaled = scale_to(seed, home, first, last, wh)
    used = sum(int(intervals(seed, scaled, day).sum()) for day in days(first, last))
    assert abs(used - wh) <= 1


def test_use_that_no_scale_gives_is_refused() -> None:
    for wh in (0, 10**12):
        with pytest.raises(MeterError, match=r"meters\.premise\.unscalable"):
            scale_to(1, HOME, date(2026, 7, 16), date(2026, 8, 14), wh)
    with pytest.raises(MeterError, match="before the first"):
        scale_to(1, HOME, date(2026, 8, 14), date(2026, 7, 16), 1_000_000)


def test_generated_columns_are_those_of_the_generated_records() -> None:
    homes = [make_premise(tdsp("CENTERPOINT"), 4, ordinal) for ordinal in range(300, 340)]
    made, from_records = PremiseArrays.generate(4, tdsp("CENTERPOINT"), 40, first=300), PremiseArrays.of(homes)
    assert (made.hashes == from_records.hashes).all()
    assert (made.curves == from_records.curves).all()
    assert (made.scales == from_records.scales).all()


@pytest.mark.parametrize("wrong", [{"zone": "MARS"}, {"klass": "BUSLOLF"}, {"scale": 0.0}, {"scale": float("nan")}])
def test_premise_without_a_load_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(MeterError, match=HOME.esiid):
        register(1, Premise(HOME.esiid, **wrong), date(2026, 8, 12))  # type: ignore[arg-type]


def test_there_is_no_truth_before_the_era() -> None:
    with pytest.raises(MeterError, match=r"meters\.day\.before_era"):
        register(1, HOME, ERA - timedelta(days=1))
