"""Declared weather moves the truth of its zone's days, and nothing else."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.calendar import days
from meters.errors import MeterError
from meters.identity import Premise, make_esiid, tdsp
from meters.load.premises import CLASSES, PremiseArrays
from meters.load.truth import day_intervals, registers, scale_to
from meters.load.weather import EASE_H, Spell, SpellKind, temperature
from tests.cases import few

ONCOR = tdsp("ONCOR")
#: Among them the two days on which the clock is changed.
STARTS = [date(2026, 1, 5), date(2026, 3, 7), date(2026, 7, 20), date(2026, 10, 31), date(2025, 12, 30)]
spells = st.builds(
    lambda kind, zone, first, length, degrees: Spell(kind, zone, first, first + timedelta(days=length), degrees),
    st.sampled_from(SpellKind),
    st.sampled_from(["NCENT", "COAST"]),
    st.sampled_from(STARTS),
    st.integers(1, 6),
    st.floats(0, 30),
)
some = st.lists(
    st.builds(
        Premise,
        esiid=st.integers(0, 10**6).map(lambda ordinal: make_esiid(ONCOR, 5, ordinal)),
        zone=st.sampled_from(["NCENT", "COAST"]),
        klass=st.sampled_from(CLASSES),
        scale=st.floats(0.01, 10.0),
        solar_w=st.one_of(st.just(0), st.integers(1, 40_000)),
        ev_wh=st.one_of(st.just(0), st.integers(1, 20_000)),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("weathers", few(1, [30, 100]))
def test_days_add_up_under_any_weather_and_are_the_usual_ones_without_it(weathers: int) -> None:
    @settings(max_examples=weathers)
    @given(weather=st.lists(spells, min_size=1, max_size=3).map(tuple), homes=some)
    def add_up(weather: tuple[Spell, ...], homes: list[Premise]) -> None:
        columns = PremiseArrays.of(homes)
        for first in {spell.first for spell in weather}:
            for day in days(first - timedelta(days=2), first + timedelta(days=8)):
                begin, end = (registers(5, columns, at, weather) for at in (day, day + timedelta(days=1)))
                wh, usual = day_intervals(5, columns, day, weather), day_intervals(5, columns, day)
                touched = {spell.zone for spell in weather if spell.first <= day < spell.until}
                for channel in (0, 1):
                    assert (wh[channel].sum(axis=1, dtype=np.int64) == end[channel] - begin[channel]).all()
                    assert (wh[channel] >= 0).all()
                    for row, home in enumerate(homes):
                        if home.zone not in touched:
                            assert wh[channel][row].tolist() == usual[channel][row].tolist()

    add_up()


def test_no_degrees_change_nothing_and_what_a_spell_took_stays_in_the_registers() -> None:
    columns = PremiseArrays.generate(5, ONCOR, 200)
    first, until = date(2026, 1, 10), date(2026, 1, 14)
    none, snap = ((Spell(SpellKind.COLD_SNAP, "NCENT", first, until, degrees),) for degrees in (0.0, 12.0))
    taken = sum(
        day_intervals(5, columns, day, snap).delivered.sum(axis=1, dtype=np.int64)
        - day_intervals(5, columns, day).delivered.sum(axis=1, dtype=np.int64)
        for day in days(first, until)[:-1]
    )
    # A vacant home has no thermostat.
    assert (np.asarray(taken) >= 0).all()
    assert np.percentile(np.asarray(taken), 10) > 5_000
    for day in (first, date(2026, 1, 12), until, date(2026, 7, 1), date(2060, 1, 1)):
        usual = registers(5, columns, day).delivered
        assert registers(5, columns, day, none).delivered.tolist() == usual.tolist()
        if day >= until:
            assert registers(5, columns, day, snap).delivered.tolist() == (usual + taken).tolist()


def test_degrees_come_and_go_within_hours_and_are_whole_in_between() -> None:
    first = date(2026, 1, 10)
    weather = (Spell(SpellKind.COLD_SNAP, "NCENT", first, first + timedelta(days=2), 12.0),)
    whole = int(EASE_H * 4)
    apart = temperature(5, "NCENT", first, weather) - temperature(5, "NCENT", first)
    assert np.abs(apart[whole:] + 12.0).max() < 0.011
    # Half way it is half as cold.
    assert np.interp(whole / 2 - 0.5, np.arange(96), apart) == pytest.approx(-6.0, abs=0.02)
    assert abs(apart[0]) < 0.03
    assert (np.diff(apart) < 0.011).all()
    heat = (Spell(SpellKind.HEAT_WAVE, "NCENT", first, first + timedelta(days=1), 7.0),)
    hotter = temperature(5, "NCENT", first, heat) - temperature(5, "NCENT", first)
    assert hotter[48] == pytest.approx(7.0, abs=0.011)
    assert hotter[95] == pytest.approx(hotter[0], abs=0.011)
    assert not (temperature(5, "COAST", first, heat) - temperature(5, "COAST", first)).any()


@pytest.mark.parametrize("seed", [1, 5, 9])
def test_a_cold_snap_of_15_degrees_gives_a_home_80_to_110_kwh_a_day(seed: int) -> None:
    """On a January day near the normal. ERCOT's residential high winter ratio, North Central, 2025-01-06: 88.6 kWh."""
    esiids = [make_esiid(ONCOR, seed, ordinal) for ordinal in range(400)]
    homes = PremiseArrays.of([Premise(esiid, "NCENT", "RESHIWR") for esiid in esiids])
    usual = min(
        days(date(2026, 1, 3), date(2026, 1, 30)), key=lambda day: abs(temperature(seed, "NCENT", day).mean() - 8.0)
    )
    snap = (
        Spell(SpellKind.COLD_SNAP, "NCENT", usual - timedelta(days=1), usual + timedelta(days=2), 15.0),
        Spell(SpellKind.HEAT_WAVE, "COAST", usual, usual + timedelta(days=2), 15.0),
    )
    mean = day_intervals(seed, homes, usual, snap).delivered.sum(axis=1).mean()
    assert 80_000 < mean < 110_000
    assert mean > 1.6 * day_intervals(seed, homes, usual).delivered.sum(axis=1).mean()


def test_a_heat_wave_in_july_is_felt_by_what_cools() -> None:
    homes = PremiseArrays.generate(5, ONCOR, 400)
    day = date(2026, 7, 22)
    wave = (Spell(SpellKind.HEAT_WAVE, "NCENT", day, day + timedelta(days=2), 6.0),)
    hot, usual = (day_intervals(5, homes, day, weather).delivered.mean() for weather in (wave, ()))
    assert 1.15 < hot / usual < 1.6


def test_a_premise_is_scaled_to_what_it_uses_under_the_weather() -> None:
    home = Premise(make_esiid(ONCOR, 5, 3), "NCENT")
    first = date(2026, 1, 10)
    snap = (Spell(SpellKind.COLD_SNAP, "NCENT", first, first + timedelta(days=3), 10.0),)
    scaled = PremiseArrays.of([scale_to(5, home, first, first + timedelta(days=9), 512_345, snap)])
    ends = (registers(5, scaled, at, snap).delivered[0] for at in (first, first + timedelta(days=10)))
    assert -int(np.subtract(*ends)) == 512_345


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"zone": "NOWHERE"}, "meters.zone.unknown"),
        ({"until": date(2026, 1, 5)}, "meters.weather.span"),
        ({"until": date(2026, 2, 6)}, "meters.weather.span"),
        ({"degrees": -3.0}, "meters.weather.degrees"),
        ({"degrees": float("nan")}, "meters.weather.degrees"),
    ],
)
def test_weather_that_is_nowhere_or_never_is_refused(wrong: dict[str, object], code: str) -> None:
    fields = {"zone": "NCENT", "first": date(2026, 1, 5), "until": date(2026, 1, 9), "degrees": 5.0} | wrong
    with pytest.raises(MeterError, match=code):
        Spell(SpellKind.COLD_SNAP, **fields)  # type: ignore[arg-type]
