"""Weather as a pure function of seed, zone and day: the climate's normal plus value noise on lattices of Philox draws.

Neighbouring zones share most of a front. Temperatures are whole hundredths of a degree and sunshine whole milliwatt-hours, so
that what is summed up from them is the same on every machine. Declared weather (``Spell``) is so many degrees more or less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meters.calendar import day_start, local
from meters.day_kinds import SLOTS, clock_slots
from meters.errors import MeterError
from meters.kernels.jit import kernel
from meters.kernels.philox import Word, philox4x32, words

Floats = NDArray[np.float64]


class Climate(NamedTuple):
    """The normal of one ERCOT weather zone. Rounded from memory of the climate normals of a city in it: defaults of this project."""

    #: Mean temperature of each month, C.
    monthly: tuple[float, ...]
    #: Degrees between the mean day's lowest and highest.
    daily_range: float
    #: Degrees north and east.
    latitude: float
    longitude: float
    #: How much of the sky clouds cover on average, but for what lies beyond clear and overcast.
    cloud: float


#: By zone. The cities: Houston, Tyler, Midland, Dallas, Wichita Falls, Austin, Corpus Christi, Abilene.
CLIMATES: dict[str, Climate] = {
    "COAST": Climate((12.0, 14.0, 17.5, 21.0, 25.0, 28.2, 29.3, 29.4, 26.8, 22.2, 17.0, 13.2), 9.5, 29.8, -95.4, 0.56),
    "EAST": Climate((8.5, 10.6, 14.6, 18.6, 22.8, 26.7, 28.6, 28.6, 25.2, 19.3, 13.5, 9.6), 11.5, 32.3, -95.3, 0.51),
    "FWEST": Climate((7.2, 9.8, 14.3, 18.9, 24.0, 27.9, 28.7, 28.1, 24.4, 18.9, 12.3, 7.6), 14.5, 31.9, -102.1, 0.18),
    "NCENT": Climate((8.0, 10.2, 14.5, 18.8, 23.5, 27.8, 30.0, 30.1, 26.1, 20.0, 13.7, 9.0), 11.5, 32.8, -97.0, 0.42),
    "NORTH": Climate((5.7, 7.9, 12.6, 17.3, 22.4, 27.1, 29.7, 29.3, 24.7, 18.3, 11.6, 6.6), 13.0, 33.9, -98.5, 0.32),
    "SCENT": Climate((10.8, 12.9, 16.8, 20.8, 24.9, 28.4, 29.8, 30.1, 26.8, 21.9, 15.9, 11.6), 12.0, 30.3, -97.8, 0.45),
    "SOUTH": Climate((15.0, 17.1, 20.6, 23.9, 27.0, 29.2, 29.9, 30.2, 27.9, 24.3, 19.6, 15.9), 10.0, 27.8, -97.5, 0.53),
    "WEST": Climate((7.2, 9.3, 13.7, 18.2, 22.9, 26.9, 28.7, 28.5, 24.4, 18.8, 12.6, 7.8), 13.0, 32.4, -99.7, 0.28),
}
ZONES = tuple(CLIMATES)

#: Hours in which declared weather comes, and in which it goes. Default of this project.
EASE_H = 6.0
#: Most degrees of a declaration, and most operating days of one: each day of them costs a register something for ever after.
MOST_DEGREES, MOST_SPELL_DAYS = 30.0, 31
#: Hundredths of a degree in a degree.
CENTI = 100
#: Days whose weather is made together.
_BLOCK = 16
#: Third counter word of every weather draw: no operating day's ordinal, and not the word of a premise's own draws.
_WEATHER = np.uint64(0xFFFFFFFE)
_YEAR_DAYS = 365.2425
#: Lattice of the fronts: days from point to point, share. A few days, a week and a half, a month.
_FRONTS = ((3.2, 0.5), (9.0, 0.3), (33.0, 0.2))
#: Share of a front that all zones have in common.
_SHARED = 0.75
#: Furthest that the fronts move a day, C: in the middle of summer, and how much more in the middle of winter.
_SUMMER_SWING, _WINTER_SWING = 6.0, 11.0
#: A cold snap: what the coldest air is colder still by in winter, C, and how cold the fronts must be for it.
_SNAP, _SNAP_FROM = 9.0, 0.45
#: A house follows the air outside with this time constant, hours. Default of this project.
_HOUSE_LAG_H = 1.2
#: What full sun on walls and windows is worth to a house, hundredths of a degree for each mWh of ``Sky.sunshine``. Default.
_SUN_GAIN = 1
#: AC energy that panels make of the sun they are rated for, and what their tilt gains. Defaults of this project.
_PANEL_YIELD = 0.86
#: Clock hour (standard time) of the day's lowest and highest temperature.
_COLDEST_H, _WARMEST_H = 6.3, 15.7


class SpellKind(StrEnum):
    """What weather can be declared."""

    COLD_SNAP = "cold_snap"
    HEAT_WAVE = "heat_wave"


@dataclass(frozen=True, slots=True)
class Spell:
    """Declared weather: for whole operating days a zone is so much colder or hotter than it would be, eased in and out over ``EASE_H``."""

    kind: SpellKind
    zone: str
    #: The operating days [first, until).
    first: date
    until: date
    #: 0 to ``MOST_DEGREES`` C.
    degrees: float

    def __post_init__(self) -> None:
        """Refuse weather that is nowhere or never."""
        _known(self.zone)
        count = (self.until - self.first).days
        if not 1 <= count <= MOST_SPELL_DAYS:
            text = f"From {self.first} until {self.until} are {count} days."
            mend = f"Give 'until' 1 to {MOST_SPELL_DAYS} days after 'first': the first day that is spared."
            raise MeterError("meters.weather.span", text, place=self.kind, mend=mend)
        if not 0 <= self.degrees <= MOST_DEGREES:
            text = f"{self.degrees:g} degrees are outside 0 to {MOST_DEGREES:g}."
            raise MeterError("meters.weather.degrees", text, place=self.kind, mend="A cold snap's are above 0 too.")

    def meets(self, other: Spell) -> bool:
        """Whether both have a day of a zone."""
        return self.zone == other.zone and self.first < other.until and other.first < self.until


#: All that is declared. Hashable, since tables are kept by it.
Weather = tuple[Spell, ...]


class Sky(NamedTuple):
    """Days of one zone on the face of the local clock, each (days, 96)."""

    #: Outdoors, hundredths of a degree C.
    temperature: NDArray[np.int64]
    #: The same as a house feels it: later and flatter, and with the sun on it.
    felt: NDArray[np.int64]
    #: 0 clear to 1 overcast.
    cloud: Floats
    #: mWh of AC energy in the quarter hour for each W of panels; 0 while the sun is down.
    sunshine: NDArray[np.int64]


def temperature(seed: int, zone: str, day: date, weather: Weather = ()) -> Floats:
    """(n,) degrees C outdoors in each interval of the operating day. Raises MeterError for an unknown zone."""
    degrees: Floats = sky_of(seed, zone, day, weather).temperature[0][clock_slots(day)] / CENTI
    return degrees


def sunshine(seed: int, zone: str, day: date) -> NDArray[np.int64]:
    """(n,) mWh that each W of panels makes in each interval of the operating day. Raises MeterError for an unknown zone."""
    energy: NDArray[np.int64] = sky_of(seed, zone, day).sunshine[0][clock_slots(day)]
    return energy


def sky_of(seed: int, zone: str, day: date, weather: Weather = ()) -> Sky:
    """One day of a zone, (1, 96) each. It is made with its neighbours, which takes hardly longer, since days are mostly asked for in a row."""
    block, at = divmod(day.toordinal(), _BLOCK)
    held, here = _block(seed, zone, block, weather), slice(at, at + 1)
    return Sky(held.temperature[here], held.felt[here], held.cloud[here], held.sunshine[here])


@lru_cache(maxsize=32)
def _block(seed: int, zone: str, block: int, weather: Weather) -> Sky:
    first = date.fromordinal(block * _BLOCK)
    return sky(seed, zone, first, first + timedelta(days=_BLOCK - 1), weather)


def sky(seed: int, zone: str, first: date, last: date, weather: Weather = ()) -> Sky:
    """The days first to last, both included, of a zone. A day is the same in whatever span it is asked for."""
    _known(zone)
    climate = CLIMATES[zone]
    # Midnights, one more than days.
    midnights = np.arange(first.toordinal(), last.toordinal() + 2, dtype=np.float64)
    winter = 0.5 + 0.5 * np.cos(math.tau * (midnights - date(2020, 1, 18).toordinal()) / _YEAR_DAYS)
    fronts = sum(share * _common(seed, zone, 1 + k, midnights / span) for k, (span, share) in enumerate(_FRONTS))
    snap = np.maximum(0.0, -fronts - _SNAP_FROM) / (1.0 - _SNAP_FROM)
    mean = _normal(climate, midnights) + fronts * (_SUMMER_SWING + _WINTER_SWING * winter) - _SNAP * winter * snap
    # From midnight to midnight in a straight line.
    x = (np.arange(SLOTS) + 0.5) / SLOTS
    level = mean[:-1, None] + (mean[1:] - mean[:-1])[:, None] * x + _declared(zone, midnights[:-1], weather)
    cloud = _cloud(seed, zone, midnights[:-1, None] + x)
    clear = 1.0 - 0.5 * cloud.mean(axis=1)
    swing = (climate.daily_range * 1.15 * clear)[:, None]
    outdoors, house = _rhythm()
    sun = _sunshine(climate, midnights[:-1], cloud)
    return Sky(
        np.rint((level + swing * outdoors) * CENTI).astype(np.int64),
        np.rint((level + swing * house) * CENTI).astype(np.int64) + _SUN_GAIN * sun,
        cloud,
        sun,
    )


def _declared(zone: str, ordinals: Floats, weather: Weather) -> Floats:
    """(d, 96) degrees that declared weather adds."""
    hours = ordinals[:, None] * 24.0 + (np.arange(SLOTS) + 0.5) / 4
    added = np.zeros(hours.shape)
    for spell in weather:
        if spell.zone == zone:
            begins, ends = spell.first.toordinal() * 24.0, spell.until.toordinal() * 24.0
            part = np.clip(np.minimum(hours - begins, ends - hours) / EASE_H, 0.0, 1.0)
            degrees = spell.degrees if spell.kind is SpellKind.HEAT_WAVE else -spell.degrees
            added += degrees * part * part * (3.0 - 2.0 * part)
    return added


def _known(zone: str) -> None:
    if zone not in CLIMATES:
        mend = f"Zones: {', '.join(ZONES)}."
        raise MeterError("meters.zone.unknown", f"There is no weather zone '{zone}'.", mend=mend)


def _normal(climate: Climate, ordinals: Floats) -> Floats:
    """(d,) normal temperature: the months' means, joined between the middles of the months."""
    in_year = (ordinals - date(2020, 1, 1).toordinal()) % _YEAR_DAYS
    middles = (np.arange(12) + 0.5) * _YEAR_DAYS / 12
    return np.interp(in_year, middles, climate.monthly, period=_YEAR_DAYS)


@lru_cache(maxsize=1)
def _rhythm() -> tuple[Floats, Floats]:
    """Two (96,) days of height 1 and mean 0: outdoors, and behind walls that follow with a lag.

    Up from the coldest hour to the warmest in half a cosine, and down again in a longer one.
    """
    hours = (np.arange(SLOTS) + 0.5) / 4
    up = (_WARMEST_H - _COLDEST_H) % 24
    since = (hours - _COLDEST_H) % 24
    rising = -np.cos(math.pi * since / up)
    falling = np.cos(math.pi * (since - up) / (24 - up))
    outdoors = 0.5 * np.where(since < up, rising, falling)
    # An exponential memory of the day before and of this one alike, since days follow each other.
    memory = np.exp(-np.arange(SLOTS) / 4 / _HOUSE_LAG_H)
    back = (np.arange(SLOTS)[:, None] - np.arange(SLOTS)[None, :]) % SLOTS
    house = outdoors[back] @ memory / memory.sum()
    return outdoors, house


def _cloud(seed: int, zone: str, at: Floats) -> Floats:
    """(d, 96) cover at instants in days: weather of days, and clouds of hours."""
    days = _common(seed, zone, 8, at.ravel() / 1.7).reshape(at.shape)
    hours = _noise(seed, 9, ZONES.index(zone) + 1, at.ravel() * 9.0).reshape(at.shape)
    # Stretched over its ends, since skies are more often clear or grey than in between.
    return np.clip(CLIMATES[zone].cloud + 0.85 * days + 0.18 * hours, 0.0, 1.0)


def _sunshine(climate: Climate, ordinals: Floats, cloud: Floats) -> NDArray[np.int64]:
    """(d, 96) mWh for each W of panels.

    Clear sky: 990 sin(elevation) - 30 W/m2, and under clouds the share 1 - 0.75 c^3.4 of it (Kasten and Czeplak 1980).
    """
    declination = np.radians(23.45) * np.sin(math.tau * (ordinals - date(2020, 3, 21).toordinal()) / _YEAR_DAYS)
    saving = _saving_hours(int(ordinals[0]), len(ordinals))
    # Solar noon is at 12 h standard time on the meridian 90 W.
    solar_h = (np.arange(SLOTS) + 0.5) / 4 - saving[:, None] + (climate.longitude + 90.0) / 15.0
    latitude = math.radians(climate.latitude)
    sine = (math.sin(latitude) * np.sin(declination))[:, None] + (math.cos(latitude) * np.cos(declination))[
        :, None
    ] * np.cos(np.radians(15.0 * (solar_h - 12.0)))
    clear = np.maximum(0.0, 990.0 * sine - 30.0)
    energy: NDArray[np.int64] = np.rint(clear * (1.0 - 0.75 * cloud**3.4) * _PANEL_YIELD / 4).astype(np.int64)
    return energy


@lru_cache(maxsize=1024)
def _saving_hours(first: int, count: int) -> Floats:
    """(d,) 1 where the sun of a day, of so many from an ordinal on, rises by daylight saving time, else 0."""
    noons = (local(day_start(date.fromordinal(first + at)) + 43_200) for at in range(count))
    return np.array([offset.total_seconds() / 3600 if (offset := noon.dst()) else 0.0 for noon in noons])


def _common(seed: int, zone: str, stream: int, at: Floats) -> Floats:
    """Noise of which zones share a part."""
    return _SHARED * _noise(seed, stream, 0, at) + (1.0 - _SHARED) * _noise(seed, stream, ZONES.index(zone) + 1, at)


def _noise(seed: int, stream: int, owner: int, at: Floats) -> Floats:
    """Value noise in (-1, 1): a draw at each whole number, eased from one to the next."""
    first, last = math.floor(at.min()), math.floor(at.max()) + 1
    return _eased(*words(seed), np.uint64(stream), np.uint64(owner), first, last - first + 1, at)


@kernel
def _eased(k0: Word, k1: Word, stream: Word, owner: Word, first: int, count: int, at: Floats) -> Floats:
    """(n,) as ``_noise``. The draws are uniform in [-1, 1) at ``count`` lattice points from ``first``, between which all of at lies."""
    points = np.empty(count, np.float64)
    for i in range(count):
        word = philox4x32(np.uint64(first + i), owner, _WEATHER, stream, k0, k1)[0]
        points[i] = np.float64(word) / 2.0**31 - 1.0
    out = np.empty(len(at), np.float64)
    for i in range(len(at)):
        floor = math.floor(at[i])
        part, index = at[i] - floor, floor - first
        out[i] = points[index] + (points[index + 1] - points[index]) * part * part * (3.0 - 2.0 * part)
    return out
