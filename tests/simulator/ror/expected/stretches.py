"""Makes ``simulator/ror/expected/stretches.npz``: stretches of days of generated homes of all companies, under many weathers. ``make pages`` does not: it takes minutes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from meters.calendar import intervals_in
from meters.day_kinds import SLOTS, DayClass, clock_slots, day_class
from meters.identity import TDSPS
from meters.load.premises import Mix, PremiseArrays
from meters.load.truth import day_intervals, registers
from simulator.ror.expected import likely
from simulator.ror.expected.likely import AFTER, BEFORE, FloatArray, weekend_share

FILE = Path(likely.__file__).with_name("stretches.npz")
#: Seeds of the homes in the file, and of those with a roof: more of them, since all under one sky give alike. Whoever tries it takes others.
SEEDS, ROOF_SEEDS = range(9_001, 9_013), range(9_101, 9_131)
FIRST, DAYS, HOMES_EACH, TAKEN_EACH = date(2023, 12, 1), 760, 100, 200
ROOFS_EACH, ROOFS_TAKEN_EACH = 40, 80
COMPANIES = tuple(TDSPS.values())
#: A home that takes less is not lived in, Wh a day.
LIVED_IN_WH = 2_000


def daily(seed: int, count: int = HOMES_EACH, first: date = FIRST, days: int = DAYS) -> FloatArray:
    """(count, days) Wh a day of homes of the company that the seed falls on."""
    homes = PremiseArrays.generate(seed, COMPANIES[seed % len(COMPANIES)], count)
    return _per_day(seed, homes, first, days)[0]


def roofed(seed: int, count: int) -> PremiseArrays:
    """As many homes of that company, all with a roof."""
    # The first ones and the vacant have none.
    some = PremiseArrays.generate(seed, COMPANIES[seed % len(COMPANIES)], 2 * count + 8, mix=Mix(solar=1.0))
    rows = np.flatnonzero(some.solar_w > 0)[:count]
    assert len(rows) == count
    return some[rows]


def _per_day(seed: int, homes: PremiseArrays, first: date, days: int) -> tuple[FloatArray, FloatArray]:
    """(homes, days) Wh a day taken and given."""
    shown = [registers(seed, homes, first + timedelta(days=at)) for at in range(days + 1)]
    taken, given = (np.stack([getattr(one, side) for one in shown], axis=1) for side in ("delivered", "received"))
    return np.diff(taken).astype(np.float64), np.diff(given).astype(np.float64)


def weekends(first: date, days: int) -> NDArray[np.bool_]:
    """(days,) which are of that kind."""
    return np.array([day_class(first + timedelta(days=at)) is DayClass.WEEKEND for at in range(days)])


def taken(seed: int) -> Iterator[tuple[FloatArray, int]]:
    """Stretches of a seed's homes, drawn by it, and the day of the year in their middle."""
    of_homes, kinds = daily(seed), weekends(FIRST, DAYS)
    drawn = np.random.default_rng(seed)
    for home, at in zip(
        drawn.integers(0, HOMES_EACH, TAKEN_EACH), drawn.integers(BEFORE, DAYS - AFTER, TAKEN_EACH), strict=True
    ):
        span = slice(at - BEFORE, at + AFTER)
        wh = of_homes[home, span]
        if wh.mean() >= LIVED_IN_WH:
            share = weekend_share(wh[None], kinds[span])[0]
            yield (
                np.where(kinds[span], wh / share, wh),
                (FIRST + timedelta(days=int(at))).timetuple().tm_yday,
            )


def taken_of_roofs(seed: int) -> Iterator[tuple[FloatArray, FloatArray, int]]:
    """The same of its homes with a roof: what they took, what they gave, and the day of the year."""
    wh, given = _per_day(seed, roofed(seed, ROOFS_EACH), FIRST, DAYS)
    kinds, drawn = weekends(FIRST, DAYS), np.random.default_rng(seed)
    for home, at in zip(
        drawn.integers(0, ROOFS_EACH, ROOFS_TAKEN_EACH),
        drawn.integers(BEFORE, DAYS - AFTER, ROOFS_TAKEN_EACH),
        strict=True,
    ):
        span = slice(at - BEFORE, at + AFTER)
        share = weekend_share(wh[None, home, span], kinds[span])[0]
        yield (
            wh[home, span] / np.where(kinds[span], share, 1.0),
            given[home, span],
            (FIRST + timedelta(days=int(at))).timetuple().tm_yday,
        )


def shapes() -> FloatArray:
    """(12, 96) a mean home's day in the middle of each month; what a day lacks of the clock is its neighbours'."""
    homes = PremiseArrays.generate(SEEDS[0], COMPANIES[0], 1_000)
    found = np.zeros((12, SLOTS))
    for month in range(12):
        day = date(2025, month + 1, 15)
        assert intervals_in(day) == SLOTS
        found[month, clock_slots(day)] = day_intervals(SEEDS[0], homes, day).delivered.sum(axis=0)
    of_sum: FloatArray = found / found.sum(axis=1, keepdims=True)
    return of_sum


if __name__ == "__main__":
    found = [one for seed in SEEDS for one in taken(seed)]
    of_roofs = [one for seed in ROOF_SEEDS for one in taken_of_roofs(seed)]
    np.savez_compressed(
        FILE,
        kwh=np.array([wh / 1000 for wh, _ in found], np.float16),
        season=np.array([season for _, season in found], np.int16),
        shapes=shapes().astype(np.float32),
        roof_kwh=np.array([wh / 1000 for wh, _, _ in of_roofs], np.float16),
        roof_given_kwh=np.array([wh / 1000 for _, wh, _ in of_roofs], np.float16),
        roof_season=np.array([season for _, _, season in of_roofs], np.int16),
    )
