"""What the truth of a company's premises looks like in figures: use, days, peaks, cars, roofs.

Of made homes in one year; but for mild winter days and for the sun, which are of three.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from meters.calendar import days
from meters.identity import Tdsp
from meters.load.premises import BUSINESS_CLASSES, CLASSES, CURVES, HOMES, MARKET, PremiseArrays
from meters.load.truth import day_intervals, registers
from meters.load.weather import ZONES, sky

Floats = NDArray[np.float64]
#: Premises that daily figures are of, and those that quarter hours are of.
_PREMISES, _SHOWN = 4_000, 500
#: kWh that ERCOT's class RESHIWR_NCENT used on the mild days 2025-01-01 to 05, and how many of our days are taken for each.
_MILD_KWH, _ALIKE = (56.1, 52.1, 40.4, 29.9, 49.0), 10
_CAR_DAYS = 30
_CAR_WH = 10_000
#: Wh a day below which a home counts as vacant, and a quarter hour's end of the evening and morning.
_VACANT_WH = 2_000
_EVENING, _MORNING = 88, 24


@lru_cache(maxsize=2)
def figures(company: Tdsp, seed: int, year: int) -> Mapping[str, float]:
    """Each figure of ``published.csv`` by its name, in the unit that stands there. Raises MeterError for a year without registers."""
    homes = PremiseArrays.generate(seed, company, _PREMISES, mix=HOMES)
    made = {
        **_use(seed, homes, year),
        **_businesses(seed, company, year),
        **_quarters(seed, homes[:_SHOWN], year),
        **_mild(seed, homes, year),
        **_cars(seed, homes[:_SHOWN], year),
        **_roofs(seed, year),
    }
    return MappingProxyType(made)


def daily(seed: int, premises: PremiseArrays, year: int) -> NDArray[np.int64]:
    """(m, days of the year) Wh delivered."""
    midnights = [*days(date(year, 1, 1), date(year, 12, 31)), date(year + 1, 1, 1)]
    return np.diff([registers(seed, premises, day).delivered for day in midnights], axis=0).T


def _use(seed: int, homes: PremiseArrays, year: int) -> dict[str, float]:
    """Annual use, vacant homes, seasons, and how a home's days hang together."""
    used = daily(seed, homes, year) / 1000
    annual = used.sum(axis=1) / 1000
    months = np.array([day.month for day in days(date(year, 1, 1), date(year, 12, 31))])
    mean = used.mean(axis=0)
    out = {f"annual_p{p}": float(np.percentile(annual, p)) for p in (5, 25, 50, 75, 95)}
    lived_in = used.mean(axis=1) >= _VACANT_WH / 1000
    # A home's noise: its day over its mean against the class's day over the class's.
    noise = used[lived_in] / used[lived_in].mean(axis=1, keepdims=True) - mean / mean.mean()
    return {
        "annual_mean": float(annual.mean()),
        **out,
        "annual_cv": float(annual.std() / annual.mean()),
        "vacant": float(100 * (1 - lived_in.mean())),
        "summer_day": float(mean[(months >= 6) & (months <= 8)].mean()),
        "winter_day": float(mean[(months == 12) | (months <= 2)].mean()),
        "mild_day": float(mean[(months == 4) | (months == 10)].mean()),
        "noise_sd": float(np.median(noise.std(axis=1))),
        "noise_lag_1": float(np.median(_lagged(noise, 1))),
        "noise_lag_7": float(np.median(_lagged(noise, 7))),
    }


def _lagged(series: Floats, lag: int) -> Floats:
    """(m,) autocorrelation of each row."""
    apart = series - series.mean(axis=1, keepdims=True)
    lagged: Floats = (apart[:, lag:] * apart[:, :-lag]).mean(axis=1) / apart.var(axis=1)
    return lagged


def _businesses(seed: int, company: Tdsp, year: int) -> dict[str, float]:
    everyone = PremiseArrays.generate(seed, company, 10 * _PREMISES, mix=MARKET)
    classes = everyone.curves % len(CLASSES)
    out: dict[str, float] = {}
    for klass in BUSINESS_CLASSES:
        some = everyone[np.flatnonzero(classes == CLASSES.index(klass))]
        first, last = (registers(seed, some, date(y, 1, 1)).delivered for y in (year, year + 1))
        annual = last - first
        out[f"{klass.lower()}_cv"] = float(annual.std() / annual.mean())
        peak = max(day_intervals(seed, some, date(year, month, 15)).delivered.max() for month in (1, 4, 7, 10))
        out[f"{klass.lower()}_kw"] = float(peak * 4 / 1000)
    return out


def _quarters(seed: int, homes: PremiseArrays, year: int) -> dict[str, float]:
    """Peaks, lows, ramps and zeros of a year of quarter hours."""
    total, highest = np.zeros(len(homes)), np.zeros(len(homes), np.int64)
    lowest, zeros, steps = 10**9, 0, np.zeros(len(homes))
    together: list[Floats] = []
    for day in days(date(year, 1, 1), date(year, 12, 31)):
        wh = day_intervals(seed, homes, day).delivered
        total += wh.sum(axis=1)
        highest = np.maximum(highest, wh.max(axis=1))
        lowest = min(lowest, int(wh.min()))
        zeros += int((wh == 0).sum())
        steps += np.abs(np.diff(wh, axis=1)).sum(axis=1)
        together.append(wh.mean(axis=0))
    mean = np.concatenate(together)
    alone = total / len(mean)
    return {
        "lowest": float(lowest),
        "highest": float(highest.max()) / 1000,
        "zeros": 100 * zeros / (len(mean) * len(homes)),
        "load_factor": float(np.median(alone / highest)),
        "class_load_factor": float(mean.mean() / mean.max()),
        "coincidence": float(mean.max() / highest.mean()),
        "ramp": float(np.median(steps / total)),
    }


def _mild(seed: int, homes: PremiseArrays, year: int) -> dict[str, float]:
    """How mild winter days divide, by six hours: the mean of RESHIWR homes in NCENT on the days nearest in use to each of ERCOT's."""
    alike = replace(homes, curves=np.full(len(homes), CURVES.index(("NCENT", "RESHIWR")), np.int64))
    winters = [day for y in range(year - 1, year + 2) for day in days(date(y, 1, 1), date(y, 2, 15))]
    means = np.array([day_intervals(seed, alike, day).delivered.mean(axis=0) for day in winters])
    nearest = [np.argsort(np.abs(means.sum(axis=1) / 1000 - kwh))[:_ALIKE] for kwh in _MILD_KWH]
    mild = means[np.concatenate(nearest)]
    quarters = mild.mean(axis=0).reshape(4, 24).sum(axis=1)
    return {
        "class_ramp": float(np.abs(np.diff(mild, axis=1)).sum() / mild.sum()),
        **{f"mild_{6 * k:02}_{6 * k + 6:02}": float(100 * quarters[k] / quarters.sum()) for k in range(4)},
    }


def _cars(seed: int, homes: PremiseArrays, year: int) -> dict[str, float]:
    """The share of what cars take that they take from 22 to 06 h, %."""
    cars = replace(homes, ev_wh=np.full(len(homes), _CAR_WH, np.int64))
    first = date(year, 4, 1)
    taken = np.zeros(96)
    for day in (first + timedelta(days=ahead) for ahead in range(_CAR_DAYS)):
        both = (day_intervals(seed, some, day).delivered.sum(axis=0) for some in (cars, homes))
        taken += next(both) - next(both)
    return {"car_22_06": float(100 * (taken[_EVENING:].sum() + taken[:_MORNING].sum()) / taken.sum())}


def _roofs(seed: int, year: int) -> dict[str, float]:
    """kWh a year of a kW of panels in some zones: mean of three years."""
    span = (date(year - 1, 1, 1), date(year + 1, 12, 31))
    return {f"solar_{zone.lower()}": float(sky(seed, zone, *span).sunshine.sum()) / 3 / 1000 for zone in ZONES}
