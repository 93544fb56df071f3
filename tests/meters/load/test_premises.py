from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.errors import MeterError
from meters.identity import ORDINALS, Premise, make_esiid, tdsp
from meters.load.premises import (
    BUSINESS_CLASSES,
    CLASSES,
    CURVES,
    HOME_SPREAD,
    HOMES,
    LEAST_MEDIUM,
    LIVED_IN,
    MARKET,
    PLAIN,
    VACANT,
    Mix,
    PremiseArrays,
    make_premise,
)

ESIID = make_esiid(tdsp("ONCOR"), 1, 17)
COUNT = 50_000


@pytest.mark.parametrize("mix", [HOMES, MARKET])
def test_generated_columns_are_those_of_the_generated_records(mix: Mix) -> None:
    homes = [make_premise(tdsp("CENTERPOINT"), 4, ordinal, mix) for ordinal in range(300, 400)]
    made = PremiseArrays.generate(4, tdsp("CENTERPOINT"), 100, first=300, mix=mix)
    for column, other in zip(made.columns, PremiseArrays.of(homes).columns, strict=True):
        assert column.dtype == other.dtype
        assert (column == other).all()


@given(seed=st.integers(0, 2**64 - 1), first=st.integers(0, ORDINALS - 20), cut=st.integers(0, 20))
def test_a_slice_of_the_columns_is_generated_alone_alike(seed: int, first: int, cut: int) -> None:
    whole = PremiseArrays.generate(seed, tdsp("TNMP"), 20, first, MARKET)
    part = PremiseArrays.generate(seed, tdsp("TNMP"), 20 - cut, first + cut, MARKET)
    assert all((one == other).all() for one, other in zip(whole[cut:].columns, part.columns, strict=True))


def test_homes_are_plain_and_of_both_classes() -> None:
    homes = PremiseArrays.generate(1, tdsp("ONCOR"), COUNT)
    assert not homes.solar_w.any()
    assert not homes.ev_wh.any()
    kinds, counts = np.unique(homes.curves, return_counts=True)
    assert [CURVES[kind] for kind in kinds] == [("NCENT", "RESHIWR"), ("NCENT", "RESLOWR")]
    assert counts.min() > 0.49 * COUNT
    assert homes.scales.mean() == pytest.approx(1.0, abs=0.01)


def test_a_market_has_its_shares_of_businesses_roofs_and_cars() -> None:
    market = PremiseArrays.generate(1, tdsp("ONCOR"), COUNT, mix=MARKET)
    business = np.array([CURVES[curve][1] in BUSINESS_CLASSES for curve in market.curves])
    roofs, cars = market.solar_w > 0, market.ev_wh > 0
    assert business.mean() == pytest.approx(MARKET.business, abs=0.005)
    assert roofs[~business].mean() == pytest.approx(MARKET.solar, abs=0.005)
    assert cars[~business].mean() == pytest.approx(MARKET.ev, abs=0.005)
    assert not (roofs | cars)[business].any()
    assert 4_000 <= market.solar_w[roofs].min() <= market.solar_w[roofs].max() < 10_000
    assert 6_000 <= market.ev_wh[cars].min() <= market.ev_wh[cars].max() < 14_000


def test_what_is_a_plain_home_in_a_market_is_the_same_home_without_one() -> None:
    homes, market = (PremiseArrays.generate(1, tdsp("ONCOR"), COUNT, mix=mix) for mix in (HOMES, MARKET))
    stayed = market.curves == homes.curves
    assert stayed.mean() > 0.89
    assert (market.scales == homes.scales)[stayed].all()


def test_scales_of_each_class_differ_around_a_mean_of_1_and_vacant_homes_count() -> None:
    market = PremiseArrays.generate(1, tdsp("ONCOR"), 1_000_000, mix=MARKET)
    classes = market.curves % len(CLASSES)
    for klass in range(len(CLASSES)):
        assert market.scales[classes == klass].mean() == pytest.approx(1.0, abs=0.03)
    homes = market.scales[classes < 2]
    assert homes.mean() == pytest.approx(1.0, abs=0.004)
    assert (homes < LIVED_IN).mean() == pytest.approx(VACANT, abs=0.001)
    # Closed form: exp of s times a sum of three uniform draws of unit variance has the mean (sinh(s) / s)^3.
    first, second = ((np.sinh(s) / s) ** 3 for s in (HOME_SPREAD, 2 * HOME_SPREAD))
    lived_in = homes[homes >= LIVED_IN]
    assert lived_in.std() / lived_in.mean() == pytest.approx((second / first**2 - 1) ** 0.5, rel=0.01)
    assert np.percentile(lived_in, 1) < 0.27
    assert lived_in.max() > 3.5
    for klass in (2, 3):
        businesses = market.scales[classes == klass]
        assert businesses.std() > 1.0
    assert market.scales[classes == 3].min() >= LEAST_MEDIUM


def test_the_first_homes_of_a_fleet_are_lived_in_and_of_an_ordinary_size() -> None:
    for seed in range(200):
        first = PremiseArrays.generate(seed, tdsp("ONCOR"), PLAIN + 1, mix=MARKET)
        assert (first.curves % len(CLASSES) < 2).all()
        assert (first.scales > 0.5).all()
        assert (first.scales < 1.7).all()
        assert not (first.solar_w + first.ev_wh).any()


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone": "MARS"},
        {"klass": "BUSLOLF"},
        {"scale": 0.0},
        {"scale": float("nan")},
        {"solar_w": -1},
        {"solar_w": 10**7},
        {"ev_wh": -1},
        {"ev_wh": 0.5},
        {"ev_wh": 10**7},
    ],
)
def test_premise_that_makes_no_sense_is_refused_by_its_esiid(wrong: dict[str, object]) -> None:
    with pytest.raises(MeterError, match=ESIID):
        PremiseArrays.of([Premise(ESIID, **wrong)])  # type: ignore[arg-type]


def test_ordinals_out_of_range_are_refused() -> None:
    with pytest.raises(MeterError, match=r"meters\.ordinal\.range"):
        PremiseArrays.generate(1, tdsp("ONCOR"), 2, ORDINALS - 1)
