"""What the load looks like: levels, peaks, spikes, machines, roofs, cars, business hours, and a comparison with ERCOT's profiles."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from meters.calendar import days
from meters.day_kinds import day_class
from meters.identity import Premise, make_esiid, tdsp
from meters.load.kernel import SPANS
from meters.load.premises import CLASSES, CURVES, HOME_CLASSES, LIVED_IN, MARKET, PremiseArrays
from meters.load.truth import GeneratedLoad, day_intervals, intervals, register, registers
from meters.load.weather import ZONES, sky, temperature
from tests.cases import few

PROFILES = Path(__file__).parents[2] / "data" / "ercot_load_profiles_2025w01.csv"
MANY = PremiseArrays.generate(1, tdsp("ONCOR"), 2000)
ESIID = make_esiid(tdsp("ONCOR"), 1, 17)
#: One day of each season.
SEASONS = (date(2026, 1, 15), date(2026, 4, 20), date(2026, 7, 15), date(2026, 10, 20))
WEATHERS = range(6)


def of(zone: str, klass: str, count: int = 2000) -> PremiseArrays:
    return replace(MANY[:count], curves=np.full(count, CURVES.index((zone, klass)), np.int64))


def roofs(watts: int) -> PremiseArrays:
    return replace(MANY, solar_w=np.full(len(MANY), watts, np.int64))


def cars(wh: int) -> PremiseArrays:
    return replace(MANY, ev_wh=np.full(len(MANY), wh, np.int64))


def monthly_kwh(homes: PremiseArrays) -> NDArray[np.float64]:
    """(12,) kWh a day of the mean home in each month, over years of several weathers."""
    firsts = [date(year, month, 1) for year in range(2024, 2030) for month in range(1, 13)]
    length = np.diff([day.toordinal() for day in firsts])
    shown = [[registers(seed, homes, day).delivered.mean() for day in firsts] for seed in WEATHERS]
    daily = np.diff(shown, axis=1) / length / 1000
    months: NDArray[np.float64] = daily[:, :60].reshape(-1, 12).mean(axis=0)
    return months


def test_average_home_uses_38_kwh_a_day_over_the_year_and_50_in_july_and_august() -> None:
    year = monthly_kwh(MANY)
    assert year.mean() == pytest.approx(38, abs=1.0)
    assert year[6:8] == pytest.approx(50, abs=2.5)


def test_homes_of_high_winter_ratio_use_more_in_winter_and_peak_higher() -> None:
    high, low = (of("NCENT", klass) for klass in HOME_CLASSES)
    january = [monthly_kwh(homes)[0] for homes in (high, low)]
    assert january[0] > 1.3 * january[1]
    winter = days(date(2026, 1, 1), date(2026, 2, 28))
    peaks = [max(day_intervals(1, homes, day).delivered.mean(axis=0).max() for day in winter) for homes in (high, low)]
    assert peaks[0] > 1.5 * peaks[1]


def test_summer_load_peaks_between_16_and_18_h() -> None:
    summer = days(date(2026, 7, 1), date(2026, 8, 31))
    means = np.array([day_intervals(1, MANY, day).delivered.mean(axis=0) for day in summer])
    assert 16 <= means.mean(axis=0).reshape(24, 4).sum(axis=1).argmax() < 18
    assert np.mean([16 <= day.reshape(24, 4).sum(axis=1).argmax() < 18 for day in means]) > 0.6


def test_one_home_is_spiky_and_the_mean_of_2000_is_smooth() -> None:
    for day in SEASONS:
        wh = day_intervals(1, MANY, day).delivered
        mean = wh.mean(axis=0)
        assert np.abs(np.diff(wh, axis=1)).mean() > 10 * np.abs(np.diff(mean)).mean()
        assert np.abs(np.diff(mean)).max() < 0.1 * mean.max()
        # Of one home, the highest interval towers over the mean; of the mean home it does not.
        assert (wh.max(axis=1) / wh.mean(axis=1)).mean() > 1.25 * mean.max() / mean.mean()


def test_air_conditioner_cycles_and_follows_the_temperature() -> None:
    load = GeneratedLoad(1, Premise(ESIID, "NCENT", "RESLOWR"))
    summer = days(date(2026, 5, 1), date(2026, 9, 30))
    used = np.array([load.day(day).delivered.sum() for day in summer])
    warm = np.array([temperature(1, "NCENT", day).mean() for day in summer])
    assert np.corrcoef(used, warm)[0, 1] > 0.6
    # At night nobody switches anything on: what goes up and down then is the compressor.
    night = np.array([load.day(day).delivered[8:20] for day in summer])
    hot = night[warm > 29]
    assert len(hot) > 10
    assert np.abs(np.diff(hot, axis=1)).mean() > 2 * np.abs(np.diff(night[warm < 22], axis=1)).mean()


def test_weekends_begin_later_and_use_more_at_midday() -> None:
    workdays = [day_intervals(1, MANY, date(2026, 4, day)).delivered.mean(axis=0) for day in range(13, 18)]
    weekend = [day_intervals(1, MANY, date(2026, 4, day)).delivered.mean(axis=0) for day in (18, 19, 25, 26)]
    work, free = np.mean(workdays, axis=0), np.mean(weekend, axis=0)
    work, free = work / work.sum(), free / free.sum()
    # 6-8 h against 10-15 h.
    assert work[24:32].sum() > 1.05 * free[24:32].sum()
    assert free[40:60].sum() > 1.05 * work[40:60].sum()


def test_businesses_keep_hours_and_rest_on_holidays() -> None:
    shops = of("NCENT", "BUSNODEM")
    work, christmas = (day_intervals(1, shops, day).delivered.mean(axis=0) for day in (SEASONS[1], date(2026, 12, 25)))
    assert work[40:64].mean() > 2.5 * work[:20].mean()
    assert christmas[40:64].mean() < 0.8 * work[40:64].mean()
    medium = day_intervals(1, of("NCENT", "BUSMEDLF"), SEASONS[2]).delivered
    assert 100_000 < medium.sum(axis=1).mean() < 250_000
    assert (medium.max(axis=1) < 12_000 * np.maximum(MANY.scales, 1)).all()


def _plain(_: int) -> PremiseArrays:
    return MANY


@pytest.mark.parametrize(
    ("make", "size", "always"),
    [(_plain, 0, True), (cars, 10_000, True), (cars, 1_000, True), (roofs, 7_000, False), (roofs, 2_000, False)],
)
def test_no_honest_day_looks_like_a_spike_an_empty_home_or_a_blown_service(
    make: Callable[[int], PremiseArrays], size: int, always: bool
) -> None:
    homes = make(size)
    for day in (*SEASONS, date(2026, 2, 10), date(2026, 12, 24)):
        for wh in day_intervals(1, homes, day):
            first, third = np.sort(wh, axis=1)[:, [-1, -3]].T
            assert not ((first >= 500) & (third > 0) & (first > 2.8 * third)).any()
            assert wh.max() < 12_000
        drawn = day_intervals(1, homes, day).delivered[MANY.scales >= LIVED_IN]
        assert drawn.sum(axis=1).min() > 1_000
        if always:
            assert drawn.min() > 0
            highest = np.sort(drawn, axis=1)
            assert ((highest[:, -1] - highest[:, -3]) / highest[:, -3]).max() < 1.8


@cache
def a_market() -> PremiseArrays:
    """A million made premises."""
    return PremiseArrays.generate(1, tdsp("ONCOR"), 1_000_000, mix=MARKET)


def largest(klass: str, count: int = 200) -> PremiseArrays:
    """The largest of a market's premises of a class, in the zone with the coldest days, with the most that a car takes."""
    market = a_market()
    rows = np.flatnonzero(market.curves % len(CLASSES) == CLASSES.index(klass))
    some = market[rows[np.argsort(market.scales[rows])[-count:]]]
    car = 14_000 if klass in HOME_CLASSES else 0
    return replace(some, curves=np.full(count, CURVES.index(("NORTH", klass))), ev_wh=np.full(count, car))


@cache
def coldest(zone: str, count: int = 12) -> list[date]:
    """The coldest days of ten winters."""
    winters = [day for year in range(2020, 2030) for day in days(date(year, 1, 1), date(year, 2, 28))]
    return sorted(winters, key=lambda day: float(temperature(1, zone, day).mean()))[:count]


@pytest.mark.parametrize(("klass", "most"), [("RESHIWR", 12_000), ("RESLOWR", 12_000), ("BUSMEDLF", 125_001)])
def test_the_largest_premises_stay_within_their_service_on_the_coldest_and_hottest_days(klass: str, most: int) -> None:
    premises = largest(klass)
    extremes = (*coldest("NORTH"), *(date(year, 8, 10) for year in range(2020, 2030)))
    peaks = [day_intervals(1, premises, day).delivered.max() for day in extremes]
    assert 0.8 * most < max(peaks) < most


def test_a_home_of_whatever_scale_stays_within_its_service() -> None:
    # More than a made one has: the peaks are levelled, and nothing is lost.
    homes = replace(largest("RESHIWR"), scales=np.full(200, 6.0))
    day = coldest("NORTH")[0]
    used = day_intervals(1, homes, day).delivered
    both = (registers(1, homes, at).delivered for at in (day + timedelta(days=1), day))
    assert (used > 9_000).sum() > 200
    assert used.max() < 12_000
    assert (used.sum(axis=1) == next(both) - next(both)).all()


def test_a_vacant_home_uses_little_and_knows_no_weather_and_no_hours() -> None:
    homes = PremiseArrays.generate(1, tdsp("ONCOR"), 20_000)
    vacant = homes[np.flatnonzero(homes.scales < LIVED_IN)]
    means = []
    for day in (*SEASONS, coldest("NCENT")[0]):
        used = day_intervals(1, vacant, day).delivered
        assert used.sum(axis=1).max() < 2_000
        assert used.min() >= 0
        hours = used.mean(axis=0).reshape(24, 4).sum(axis=1)
        assert hours.max() < 1.1 * hours.min()
        means.append(hours.sum())
    assert max(means) < 1.1 * min(means)


def test_a_premise_leads_or_lags_its_mean_by_days_at_most_however_late() -> None:
    # A vacant home uses the same every day on average, so what its register may be is known.
    homes = PremiseArrays.generate(1, tdsp("ONCOR"), 20_000)
    vacant = homes[np.flatnonzero(homes.scales < LIVED_IN)]
    era, late = date(2020, 1, 1), date(2099, 6, 1)
    shown = {day: registers(1, vacant, day).delivered for day in (era, date(2059, 6, 1), late)}
    assert not shown[era].any()
    a_day = shown[late] / (late - era).days
    apart = shown[date(2059, 6, 1)] / a_day - (date(2059, 6, 1) - era).days
    most = sum(span * share / 2 for span, share in zip(SPANS, (0.20, 0.22, 0.25, 0.28), strict=True))
    assert np.abs(apart).max() < 1.5 * most
    assert np.abs(apart).max() > 0.5 * most


def test_a_homes_days_hang_together_and_none_is_without_use() -> None:
    homes = PremiseArrays.generate(1, tdsp("ONCOR"), 20_000)
    vacant = homes[np.flatnonzero(homes.scales < LIVED_IN)]
    year = [registers(1, vacant, day).delivered for day in days(date(2026, 1, 1), date(2026, 12, 31))]
    used = np.diff(year, axis=0).T / ((year[-1] - year[0]) / 364)[:, None]
    assert used.min() > 0.05
    assert used.max() < 2.2
    apart = used - used.mean(axis=1, keepdims=True)
    lags = [float(np.median((apart[:, lag:] * apart[:, :-lag]).mean(axis=1) / apart.var(axis=1))) for lag in (1, 7, 60)]
    assert 0.25 < lags[0] < 0.7
    assert 0.05 < lags[1] < lags[0]
    assert abs(lags[2]) < 0.2


def test_a_car_charges_in_one_block_at_its_own_hour_of_the_evening_or_by_a_timer_at_night() -> None:
    with_car, without = cars(10_000), MANY
    charged = np.zeros(len(MANY))
    by_night = by_evening = np.zeros(len(MANY), bool)
    for day in days(date(2026, 4, 1), date(2026, 4, 30)):
        block = day_intervals(1, with_car, day).delivered - day_intervals(1, without, day).delivered
        taken = block.sum(axis=1)
        assert taken.min() >= 990
        assert taken.max() <= 19_010
        inside = block > 200
        # An interval more or less is where a Wh of the home's own moves over.
        assert (inside.sum(axis=1) >= 3).all()
        assert (np.abs(np.diff(inside.astype(int), axis=1)).sum(axis=1) <= 2).all()
        assert block.max() <= 1_810
        assert not inside[:, 28:56].any()
        by_night, by_evening = by_night | inside[:, :28].any(axis=1), by_evening | inside[:, 56:].any(axis=1)
        charged += taken
    assert (by_night ^ by_evening).all()
    assert by_night.mean() == pytest.approx(0.4, abs=0.04)
    assert charged.mean() / 30 == pytest.approx(10_000, rel=0.02)


def test_a_roof_sends_by_day_most_at_noon_and_less_under_clouds() -> None:
    homes = roofs(8_000)
    sent: dict[date, NDArray[np.int32]] = {}
    for day in days(date(2026, 3, 15), date(2026, 5, 15)):
        received = day_intervals(1, homes, day).received
        # Before 6 and after 21 h.
        assert not received[:, :24].any()
        assert not received[:, -12:].any()
        sent[day] = received
    noon = np.mean([received.mean(axis=0) for received in sent.values()], axis=0)
    assert 11 <= noon.argmax() / 4 < 15
    cover = {day: sky(1, "NCENT", day, day).cloud[0, 30:70].mean() for day in sent}
    clear = [sent[day].sum(axis=1).mean() for day in sent if cover[day] < 0.25]
    grey = [sent[day].sum(axis=1).mean() for day in sent if cover[day] > 0.85]
    assert min(len(clear), len(grey)) >= 3
    assert np.mean(clear) > 20_000
    assert np.mean(clear) > 2 * np.mean(grey)


def test_a_kilowatt_of_panels_makes_most_in_the_far_west_and_least_on_the_coast() -> None:
    made = {zone: float(sky(1, zone, date(2024, 1, 1), date(2026, 12, 31)).sunshine.sum()) / 3000 for zone in ZONES}
    ordered = sorted(ZONES, key=lambda zone: -made[zone])
    assert ordered[:3] == ["FWEST", "WEST", "NORTH"]
    assert ordered[-1] == "COAST"
    assert 1.12 < made["FWEST"] / made["COAST"] < 1.3


def test_a_roof_saves_and_sends_what_the_sun_makes() -> None:
    homes = 400
    plain, sunny = MANY[:homes], roofs(6_000)[:homes]
    (drawn_0, _), (drawn_1, _) = registers(1, plain, date(2026, 1, 1)), registers(1, plain, date(2027, 1, 1))
    (net_0, sent_0), (net_1, sent_1) = registers(1, sunny, date(2026, 1, 1)), registers(1, sunny, date(2027, 1, 1))
    saved = (drawn_1 - drawn_0).mean() - (net_1 - net_0).mean()
    # A kW of panels makes about 1,500 kWh a year in Texas.
    assert (saved + (sent_1 - sent_0).mean()) / 6 == pytest.approx(1_550_000, rel=0.1)
    assert saved > 1_000_000


@pytest.mark.parametrize("watts", [1, 500, 2_000, 7_000, 15_000, 200_000])
def test_a_larger_roof_sends_more_and_draws_less(watts: int) -> None:
    day = date(2026, 6, 1)
    drawn, sent = register(1, Premise(ESIID, "NCENT", "RESHIWR", 1.0, watts), day)
    more_drawn, more_sent = register(1, Premise(ESIID, "NCENT", "RESHIWR", 1.0, 2 * watts + 1_000), day)
    assert more_sent > sent
    # Beyond a certain size a roof only sends more.
    assert more_drawn < drawn or (watts > 30_000 and more_drawn == drawn)


@lru_cache(maxsize=1)
def _profiles() -> dict[tuple[str, date], NDArray[np.float64]]:
    """ERCOT's rows, each (96,) Wh, by zone and day."""
    with PROFILES.open(encoding="utf-8", newline="") as file:
        return {
            (row["PType_WZ"].removeprefix("RESHIWR_"), date.fromisoformat(row["Date"][:10])): 1000
            * np.array([float(row[f"int_kWh{i}"]) for i in range(1, 97)])
            for row in csv.DictReader(file)
            if row["PType_WZ"].startswith("RESHIWR")
        }


@lru_cache(maxsize=2)
def _winter(zone: str) -> list[tuple[date, NDArray[np.float64]]]:
    """Days of seven generated winters with what the mean of 2,000 homes uses on them."""
    homes = of(zone, "RESHIWR")
    winters = [day for year in range(2020, 2027) for day in days(date(year, 1, 1), date(year, 2, 15))]
    return [(day, day_intervals(1, homes, day).delivered.mean(axis=0)) for day in winters]


def _mape(zone: str, wanted: list[date]) -> float:
    """Mean absolute percentage error of the shape: for each of ERCOT's days the ten generated ones of its class nearest in use.

    All are scaled to one energy, and the mean shape of the wanted days is compared: whose weather came at what hour is nobody's to match.
    """
    ours, theirs = [], []
    for day in wanted:
        row = _profiles()[zone, day]
        alike = [mean for other, mean in _winter(zone) if day_class(other) is day_class(day)]
        alike.sort(key=lambda mean: abs(float(mean.sum() - row.sum())))
        ours.append(np.mean([mean / mean.sum() for mean in alike[:10]], axis=0))
        theirs.append(row / row.sum())
    return float(np.abs(np.mean(ours, axis=0) / np.mean(theirs, axis=0) - 1).mean())


@pytest.mark.parametrize("zone", few(1, ["COAST", "NCENT"]))
def test_mean_of_2000_homes_has_ercots_shape_on_the_mild_days(zone: str, capsys: pytest.CaptureFixture[str]) -> None:
    mild, snap = days(date(2025, 1, 1), date(2025, 1, 5)), days(date(2025, 1, 6), date(2025, 1, 7))
    error = _mape(zone, mild)
    singly = ", ".join(f"{_mape(zone, [day]):.0%}" for day in (*mild, *snap))
    with capsys.disabled():
        print(
            f"\nRESHIWR_{zone}: MAPE of the mild days' shape {error:.1%}, cold snap {_mape(zone, snap):.1%}; singly {singly}"
        )
    assert error < 0.15


@pytest.mark.parametrize("zone", few(1, ["COAST", "NCENT"]))
def test_single_mild_days_without_a_front_have_ercots_shape(zone: str) -> None:
    # On the fourth both zones were mild; on the third neither had a front.
    for day in (date(2025, 1, 3), date(2025, 1, 4)):
        assert _mape(zone, [day]) < 0.15


def test_intervals_of_a_home_are_seldom_alike() -> None:
    wh = intervals(1, Premise(ESIID), SEASONS[1]).delivered
    assert len(np.unique(wh)) > 60
