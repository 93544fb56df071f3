from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from meters.calendar import days, interval_ends, intervals_in
from meters.errors import MeterError
from meters.identity import Premise, make_esiid, tdsp
from meters.kernels.philox import philox4x32, words
from meters.load.kernel import _own
from meters.load.premises import CLASSES, CURVES, MARKET, MAX_EV_WH, MAX_SOLAR_W, PremiseArrays, make_premise
from meters.load.shape import LAST, sums
from meters.load.truth import ERA, GeneratedLoad, PremiseLoad, day_intervals, intervals, register, registers, scale_to
from meters.load.weather import ZONES, Spell, SpellKind
from tests.cases import few

SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)
#: Few, since each has weather tables of its own.
seeds = st.sampled_from([0, 2**64 - 1])
some_days = st.one_of(
    st.dates(ERA, date(2032, 12, 31)), st.sampled_from([ERA, SPRING, AUTUMN, date(2025, 3, 9), date(2025, 11, 2)])
)
premises = st.builds(
    Premise,
    esiid=st.integers(0, 10**6).map(lambda ordinal: make_esiid(tdsp("ONCOR"), 5, ordinal)),
    zone=st.sampled_from(ZONES),
    klass=st.sampled_from(CLASSES),
    scale=st.floats(0.01, 1000.0),
    solar_w=st.one_of(st.just(0), st.integers(1, 20_000), st.integers(1, MAX_SOLAR_W)),
    ev_wh=st.one_of(st.just(0), st.integers(1, 20_000), st.integers(1, MAX_EV_WH)),
)
HOME = make_premise(tdsp("ONCOR"), 1, 17)
MANY = PremiseArrays.generate(1, tdsp("ONCOR"), 2000)


def test_generated_load_is_what_a_meter_measures() -> None:
    load: PremiseLoad = GeneratedLoad(1, HOME)
    assert load.registers(SPRING) == register(1, HOME, SPRING)
    assert load.day(SPRING).delivered.tolist() == intervals(1, HOME, SPRING).delivered.tolist()


@given(seed=seeds, day=some_days, some=st.lists(premises, min_size=1, max_size=5))
@example(seed=1, day=SPRING, some=[HOME])
@example(seed=1, day=AUTUMN, some=[HOME])
def test_one_meter_and_the_array_give_the_same_watt_hours(seed: int, day: date, some: list[Premise]) -> None:
    columns = PremiseArrays.of(some)
    assert list(zip(*(c.tolist() for c in registers(seed, columns, day)), strict=True)) == [
        register(seed, premise, day) for premise in some
    ]
    together = day_intervals(seed, columns, day)
    for row, premise in enumerate(some):
        for channel, own in zip(together, intervals(seed, premise, day), strict=True):
            assert channel[row].tolist() == own.tolist()


@pytest.mark.parametrize("day", [ERA, SPRING, AUTUMN])
def test_a_day_that_is_foreseen_of_many_loads_is_each_ones_own(day: date) -> None:
    hot = (Spell(SpellKind.HEAT_WAVE, HOME.zone, SPRING - timedelta(days=3), SPRING + timedelta(days=2), 9.0),)
    made = [(seed, at, weather) for seed in (1, 2) for at in range(9) for weather in ((), hot)]
    foreseen, own = (
        [GeneratedLoad(seed, make_premise(tdsp("ONCOR"), seed, at, MARKET), weather) for seed, at, weather in made]
        for _ in range(2)
    )
    GeneratedLoad.foresee(foreseen, day)
    for one in (day, day + timedelta(days=1)):
        assert [load.registers(one) for load in foreseen] == [load.registers(one) for load in own]
        for theirs, alone in zip(foreseen, own, strict=True):
            assert [wh.tolist() for wh in theirs.day(one)] == [wh.tolist() for wh in alone.day(one)]


@given(seed=seeds, day=some_days, premise=premises)
@example(seed=1, day=SPRING, premise=HOME)
@example(seed=1, day=AUTUMN, premise=HOME)
def test_intervals_are_an_exact_split_of_the_days_registers(seed: int, day: date, premise: Premise) -> None:
    begin, end = register(seed, premise, day), register(seed, premise, day + timedelta(days=1))
    for before, after, wh in zip(begin, end, intervals(seed, premise, day), strict=True):
        assert wh.shape == (intervals_in(day),)
        assert wh.dtype == np.int32
        assert wh.min() >= 0
        assert int(wh.sum(dtype=np.int64)) == after - before
    if premise.solar_w == 0:
        assert end[0] > begin[0] >= 0
        assert begin[1] == end[1] == 0


@given(seed=seeds, day=some_days)
def test_truth_is_reproducible_and_depends_on_seed_and_day(seed: int, day: date) -> None:
    shown = intervals(seed, HOME, day).delivered.tolist()
    assert shown == intervals(seed, HOME, day).delivered.tolist()
    assert shown != intervals(seed ^ 1, HOME, day).delivered.tolist()
    assert shown != intervals(seed, HOME, day + timedelta(days=2)).delivered.tolist()


def test_pinned_days_stay_what_they_are() -> None:
    day = date(2026, 8, 12)
    assert register(1, HOME, day) == (96565888, 0)
    assert intervals(1, HOME, day).delivered[:4].tolist() == [451, 650, 219, 602]
    roof_and_car = Premise(HOME.esiid, "COAST", "RESHIWR", 1.0, solar_w=7000, ev_wh=9000)
    assert register(1, roof_and_car, day) == (76543883, 34734041)
    assert intervals(1, roof_and_car, day).delivered[-8:-4].tolist() == [2769, 3149, 2475, 3036]
    assert intervals(1, roof_and_car, day).received[52:56].tolist() == [459, 236, 438, 261]


def _led(curve: NDArray[np.int64], at: int, span: int, phase: int, draws: Callable[[int], float]) -> float:
    """How far ahead of its curve a register is by one lattice, as its definition says: the curve is Wh at each midnight since the era."""
    k = (ERA.toordinal() + at + phase) // span

    def used(index: int) -> float:
        """Between the lattice points ``index`` and the next."""
        ends = (np.array([index, index + 1]) * span - phase - ERA.toordinal()).clip(0)
        return float(curve[ends[1]] - curve[ends[0]])

    def lead(index: int) -> float:
        return draws(index) * min(used(index - 1), used(index))

    begun = curve[max(k * span - phase - ERA.toordinal(), 0)]
    return lead(k) + (lead(k + 1) - lead(k)) * float(curve[at] - begun) / used(k) if used(k) else 0.0


@pytest.mark.parametrize("ordinal", [17, 18, 40])
def test_register_is_the_classs_curves_and_their_leads_as_defined(ordinal: int) -> None:
    seed, home = 1, make_premise(tdsp("ONCOR"), 1, ordinal)
    number = int(PremiseArrays.of([home]).hashes[0])
    curves = sums(seed, "NCENT").upto(4000, roofs=False)[:, CLASSES.index(home.klass)].T
    own = _own(np.uint64(number))
    base, habits, _, cooling, heating = (home.scale * one / 128 for one in own[:5])
    weekend = habits * (1 + 0.1 * (own[2] - 64) / 64)

    def draws(level: int, group: int) -> Callable[[int], float]:
        """A byte of sixteen for each of eight points of two groups, from -1/2 to 1/2."""

        def draw(index: int) -> float:
            low, high = np.uint64(number & 0xFFFFFFFF), np.uint64(number >> 32)
            block = philox4x32(low, high, np.uint64(index // 8), np.uint64(64 + level), *words(seed))
            octets = b"".join(int(word).to_bytes(4, "little") for word in block)
            return (octets[8 * group + index % 8] + 0.5) / 256 - 0.5

        return draw

    for at in (0, 1, 3, 77, 1500, 2415, 2416, 2417, 3000):
        wanted = float(np.dot([base, habits, weekend, cooling, heating], curves[:, at]))
        for level, span in enumerate((64, 16, 4, 1)):
            phase = (number >> 6 * level) % span
            together = (base, curves[0]), (min(habits, weekend), curves[1] + curves[2])
            wanted += (0.20, 0.22, 0.25, 0.28)[level] * sum(
                strength * _led(curve, at, span, phase, draws(level, 0)) for strength, curve in together
            )
            wanted += (0.15, 0.18, 0.20, 0.25)[level] * sum(
                strength * _led(curve, at, span, phase, draws(level, 1))
                for strength, curve in ((cooling, curves[3]), (heating, curves[4]))
            )
        assert abs(register(seed, home, ERA + timedelta(days=at))[0] - wanted) <= 1


@cache
def _least(zone: str) -> dict[str, NDArray[np.int64]]:
    """(days,) of the least premise of each class, its register at the midnights of three years."""
    columns = PremiseArrays.of([Premise(HOME.esiid, zone, klass, scale=0.01) for klass in CLASSES])
    shown = np.array([registers(9, columns, day).delivered for day in days(ERA, date(2023, 1, 1))])
    return dict(zip(CLASSES, shown.T, strict=True))


# Those of two zones in every run: each zone has tables of its own.
@pytest.mark.parametrize("curve", few(2 * len(CLASSES), [(one,) for one in CURVES]))
def test_register_rises_every_day_of_years_even_for_the_least_premise(curve: tuple[str, str]) -> None:
    shown = _least(curve[0])[curve[1]]
    assert len(shown) == 1097
    assert shown[0] >= 0
    assert min(np.diff(shown)) > 0


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_shape_follows_the_local_clock_over_a_clock_change(day: date) -> None:
    before = day_intervals(1, MANY, day - timedelta(days=1)).delivered.mean(axis=0)[-4 * 6 :]
    after = day_intervals(1, MANY, day).delivered.mean(axis=0)[-4 * 6 :]
    assert len(interval_ends(day)) != 96
    assert abs(int(before.argmax()) - int(after.argmax())) <= 4


def test_a_zone_makes_no_difference_to_who_is_asked_with_whom() -> None:
    mixed = [Premise(make_esiid(tdsp("ONCOR"), 1, k), zone) for k, zone in enumerate((*ZONES, *ZONES))]
    together = day_intervals(1, PremiseArrays.of(mixed), SPRING).delivered
    assert [row.tolist() for row in together] == [intervals(1, one, SPRING).delivered.tolist() for one in mixed]


@settings(max_examples=50)
@given(seed=seeds, premise=premises, share=st.floats(0.1, 20.0), length=st.integers(1, 40))
def test_premise_is_scaled_to_the_watt_hour(seed: int, premise: Premise, share: float, length: int) -> None:
    first, last = date(2026, 7, 16), date(2026, 7, 15) + timedelta(days=length)
    after = last + timedelta(days=1)
    car = 2 * premise.ev_wh * length
    wh = int(share * length * 38_000) + car
    scaled = scale_to(seed, premise, first, last, wh)
    assert scaled == Premise(premise.esiid, premise.zone, premise.klass, scaled.scale, premise.solar_w, premise.ev_wh)
    assert abs(register(seed, scaled, after)[0] - register(seed, scaled, first)[0] - wh) <= 1


def test_use_that_no_scale_gives_is_refused() -> None:
    for wh in (0, 10**12):
        with pytest.raises(MeterError, match=r"meters\.premise\.unscalable"):
            scale_to(1, HOME, date(2026, 7, 16), date(2026, 8, 14), wh)
    with pytest.raises(MeterError, match="before the first"):
        scale_to(1, HOME, date(2026, 8, 14), date(2026, 7, 16), 1_000_000)


def test_there_is_no_truth_before_the_era_nor_after_the_last_midnight() -> None:
    with pytest.raises(MeterError, match=r"meters\.day\.before_era"):
        register(1, HOME, ERA - timedelta(days=1))
    with pytest.raises(MeterError, match=r"meters\.day\.after_last"):
        register(1, HOME, LAST + timedelta(days=1))
    assert register(1, HOME, LAST)[0] > 0


def test_no_premise_gives_no_rows() -> None:
    nobody = MANY[0:0]
    assert registers(1, nobody, SPRING).delivered.shape == (0,)
    assert day_intervals(1, nobody, SPRING).delivered.shape == (0, 92)


def test_a_market_is_computed_like_its_premises_one_by_one() -> None:
    market = PremiseArrays.generate(3, tdsp("TNMP"), 300, mix=MARKET)
    assert (market.solar_w > 0).any()
    assert (market.ev_wh > 0).any()
    whole = day_intervals(3, market, AUTUMN)
    for row in range(0, 300, 7):
        one = intervals(3, make_premise(tdsp("TNMP"), 3, row, MARKET), AUTUMN)
        assert whole.delivered[row].tolist() == one.delivered.tolist()
        assert whole.received[row].tolist() == one.received.tolist()
