"""What the average premise of each class uses: by the quarter hour on one day, and summed up from the era to any midnight.

Base load, habits by kind of day, cooling and heating against the weather of the zone. The sums are tables of a zone, grown year by
year when asked for, so that a register is a look-up whatever its date.
"""

from __future__ import annotations

import threading
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meters.calendar import days, intervals_in
from meters.day_kinds import SLOTS, DayClass, clock_slots, day_class
from meters.errors import MeterError
from meters.load.kernel import EVENT_WH, FINE, REACH, SPANS, Floats, Ints, Midnight, Shape, fill_leads, fill_net
from meters.load.premises import BUSINESS_CLASSES, CLASSES, HOME_CLASSES
from meters.load.weather import CENTI, Sky, Weather, sky, sky_of

#: Registers count from the midnight that begins this day; there is no truth before it. Default of this project.
ERA = date(2020, 1, 1)
#: The last midnight that has a register: an end, so that no one waits for the tables of a thousand years.
LAST = date(2100, 12, 31)
#: Cooling begins above, heating below; below FROST_C heat pumps fall behind and resistance heats. Defaults of this project.
COOLING_C, HEATING_C, FROST_C = 21.0, 15.5, 3.0
#: Share of a home's habits that comes as such events; the rest is many small things.
_EVENTFUL = 0.5


class Use(NamedTuple):
    """What an average premise of a class uses, Wh a day. Defaults of this project, in proportion as in surveys of homes' end uses."""

    base: float
    #: Habits, or what an open business uses.
    weekday: float
    weekend: float
    #: For each degree of the day's mean excess above COOLING_C, below HEATING_C, below FROST_C.
    cooling: float
    heating: float
    frost: float
    #: What its air conditioner and its heater draw while they run, Wh in a quarter hour.
    cooler: float
    heater: float
    #: How much the weekend of one differs from the average one, up to.
    weekend_spread: float


USES: dict[str, Use] = {
    "RESHIWR": Use(11_500, 14_200, 15_600, 2_450, 2_400, 1_200, 1_000, 1_600, 0.1),
    "RESLOWR": Use(12_700, 13_600, 15_000, 2_650, 370, 0, 1_050, 220, 0.1),
    "BUSNODEM": Use(11_000, 21_000, 9_000, 1_500, 700, 0, 1_000, 1_000, 0.9),
    "BUSMEDLF": Use(52_000, 76_000, 36_000, 5_200, 1_800, 0, 3_200, 2_200, 0.7),
}
#: The sums that are kept of each class.
COMPONENTS = ("base", "weekday", "weekend", "cooling", "heating")
#: Rated W of a roof for each W of the premise's mean use, for which netting is tabulated; between them it is interpolated.
ROOFS = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 20.0])
#: What stands for netting where there is no roof.
_NO_NET, _NO_LEADS = np.zeros((len(CLASSES), len(ROOFS), 2), np.int64), np.zeros((1, len(CLASSES), len(ROOFS), 2, 2))
#: Mean use of the class, W at scale 1: what ``ROOFS`` is relative to.
MEAN_W = np.array([38_000.0, 38_000.0, 32_000.0, 132_000.0]) / 24


@lru_cache(maxsize=256)
def shape(seed: int, zone: str, day: date, weather: Weather = ()) -> Shape:
    """The average premises' operating day."""
    slots = clock_slots(day)
    above = sky_of(seed, zone, day, weather)
    tables: list[list[Floats]] = []
    for klass, (cooling, heating) in zip(CLASSES, _thermal(above)[:, :, 0], strict=True):
        habit = _habit(klass, day_class(day)) * _season(day.toordinal())
        eventful = _EVENTFUL if klass in HOME_CLASSES else 0.0
        # A running event keeps others from beginning: chance p gives events p L / (1 + p (L - 1)) of the time, L long on average.
        running = habit * eventful / (EVENT_WH + 127.5)
        chance = running / (2.5 - 1.5 * running)
        tables.append([habit * (1 - eventful) * FINE, chance * 256, cooling * FINE, heating * FINE])
    columns = np.rint(np.array(tables)[:, :, slots]).astype(np.int64)
    habits, busy, coolings, heatings = (np.ascontiguousarray(columns[:, k]) for k in range(4))
    steady = np.array([round(USES[klass].base / SLOTS * FINE) for klass in CLASSES], np.int64)
    return Shape(steady, habits, busy, coolings, heatings, above.sunshine[0][slots] * FINE)


@lru_cache(maxsize=256)
def thermal(seed: int, zone: str, day: date, weather: Weather = ()) -> Floats:
    """(classes, n) share of the average premises' load that cools or heats."""
    above = sky_of(seed, zone, day, weather)
    shares = []
    for klass, (cooling, heating) in zip(CLASSES, _thermal(above)[:, :, 0], strict=True):
        other = USES[klass].base / SLOTS + _habit(klass, day_class(day)) * _season(day.toordinal())
        both = cooling + heating
        shares.append(both / (other + both))
    made: Floats = np.array(shares)[:, clock_slots(day)]
    return made


class Sums:
    """Wh at scale 1 from the era to each midnight, in one zone. Several threads may ask."""

    def __init__(self, seed: int, zone: str) -> None:
        """Nothing is computed yet."""
        self._seed, self._zone = seed, zone
        self._lock = threading.Lock()
        self._use = np.zeros((1, len(CLASSES), len(COMPONENTS)), np.int64)
        self._net = np.zeros((1, len(CLASSES), len(ROOFS), 2), np.int64)

    def upto(self, count: int, roofs: bool) -> Ints:
        """(count or more, classes, components) at the midnights from the era on, or (count or more, classes, roofs, 2) under roofs."""
        with self._lock:
            while (has := len(self._net if roofs else self._use)) < count:
                self._grow(has, roofs)
            return self._net if roofs else self._use

    def _grow(self, has: int, roofs: bool) -> None:
        """By a year each table that has so many midnights; what is under roofs only where that is asked for. Both have one sky."""
        year = date.fromordinal(ERA.toordinal() + has - 1).year
        first, last = date(year, 1, 1), date(year, 12, 31)
        calendar, above = _calendar(first, last), sky(self._seed, self._zone, first, last)
        thermal = _thermal(above)
        if len(self._use) == has:
            self._use = _grown(self._use, _daily_use(calendar, thermal))
        if roofs:
            self._net = _grown(self._net, _daily_net(calendar, above, thermal))


@lru_cache(maxsize=64)
def sums(seed: int, zone: str) -> Sums:
    """The sums of a zone; they are kept for the zones and seeds last used."""
    return Sums(seed, zone)


@lru_cache(maxsize=256)
def midnight(seed: int, zone: str, since: int, roofs: bool) -> Midnight:
    """The midnight so many days after the era. What is under roofs is made only where there are any."""
    # A day of the last midnight ends a day after it.
    low, high = max(since - REACH, 0), min(since + REACH, since_era(LAST) + 1)

    def look(roofs: bool) -> tuple[Ints, Floats]:
        window = sums(seed, zone).upto(high + 1, roofs)[low : high + 1]
        # Habits have one lead: a stretch without a weekend, or of nothing else, is as its neighbours are.
        curves = window if roofs else np.add.reduceat(window, (0, 1, 3, 4), axis=2)
        leads = np.empty((sum(SPANS), curves[0].size, 2))
        fill_leads(curves.reshape(len(window), -1), since - low, high - low, leads)
        return window[since - low], leads.reshape(len(leads), *curves.shape[1:], 2)

    # What is under roofs comes first: with it all is made that is there without any.
    net, net_leads = look(True) if roofs else (_NO_NET, _NO_LEADS)
    use, use_leads = look(False)
    return Midnight(use, net, use_leads, net_leads, ERA.toordinal() + since, since)


class SpellDays(NamedTuple):
    """What the average premises of a zone use on consecutive days under declared weather, Wh at scale 1."""

    first: date
    #: (days, classes, components), and (days, classes, roofs, 2) delivered and received.
    use: Ints
    net: Ints


@lru_cache(maxsize=64)
def spell_days(seed: int, zone: str, weather: Weather) -> tuple[SpellDays, ...]:
    """The days that declared weather touches in a zone, those that follow each other together, in order."""
    touched = {day for spell in weather if spell.zone == zone for day in days(spell.first, spell.until)[:-1]}
    firsts = sorted(day for day in touched if day - timedelta(days=1) not in touched)
    lasts = sorted(day for day in touched if day + timedelta(days=1) not in touched)
    made = []
    for first, last in zip(firsts, lasts, strict=True):
        calendar, above = _calendar(first, last), sky(seed, zone, first, last, weather)
        thermal = _thermal(above)
        made.append(SpellDays(first, _daily_use(calendar, thermal), _daily_net(calendar, above, thermal)))
    return tuple(made)


def since_era(day: date) -> int:
    """Days from the era to a midnight that has a register. Raises MeterError for one that has none."""
    if not ERA <= day <= LAST:
        code, side = ("before_era", f"before {ERA}, when") if day < ERA else ("after_last", f"after {LAST}, until when")
        raise MeterError(f"meters.day.{code}", f"{day} is {side} there are registers.", place=str(day))
    return (day - ERA).days


def _needed(day: date) -> int:
    """How many midnights from the era on the registers at the ends of a day depend on."""
    return min(since_era(day) + REACH, since_era(LAST)) + 2


def _grown(table: Ints, daily: Ints) -> Ints:
    return np.concatenate([table, table[-1] + np.cumsum(daily, axis=0)])


class _Calendar(NamedTuple):
    """The calendar of days."""

    ordinals: Ints
    weekend: NDArray[np.bool_]
    #: (days, 96) how often each quarter hour of the clock comes: 1; 0 or 2 where the clock is changed.
    passes: Ints


@lru_cache(maxsize=128)
def _calendar(first: date, last: date) -> _Calendar:
    every = days(first, last)
    passes = np.ones((len(every), SLOTS), np.int64)
    for d, day in enumerate(every):
        if intervals_in(day) != SLOTS:
            passes[d] = np.bincount(clock_slots(day), minlength=SLOTS)
    weekend = np.array([day_class(day) is DayClass.WEEKEND for day in every])
    return _Calendar(np.array([day.toordinal() for day in every]), weekend, passes)


def _daily_use(calendar: _Calendar, thermal: Floats) -> Ints:
    """(days, classes, components) Wh of each day. thermal: as ``_thermal`` gives it."""
    out = np.zeros((len(calendar.ordinals), len(CLASSES), len(COMPONENTS)), np.int64)
    season = _season(calendar.ordinals)
    for c, klass in enumerate(CLASSES):
        out[:, c, 0] = np.rint(USES[klass].base / SLOTS * calendar.passes.sum(axis=1))
        for component, kind, held in (
            (1, DayClass.WEEKDAY, ~calendar.weekend),
            (2, DayClass.WEEKEND, calendar.weekend),
        ):
            out[:, c, component] = np.where(held, np.rint(calendar.passes @ _habit(klass, kind) * season), 0)
        for component, energy in zip((3, 4), thermal[c], strict=True):
            out[:, c, component] = np.rint((energy * calendar.passes).sum(axis=1))
    return out


def _daily_net(calendar: _Calendar, above: Sky, thermal: Floats) -> Ints:
    """(days, classes, roofs, 2) Wh delivered and received by the average premises with roofs. thermal: as ``_thermal`` gives it."""
    season = _season(calendar.ordinals)[:, None]
    out = np.empty((len(calendar.ordinals), len(CLASSES), len(ROOFS), 2))
    for c, klass in enumerate(CLASSES):
        habit = np.where(calendar.weekend[:, None], _habit(klass, DayClass.WEEKEND), _habit(klass, DayClass.WEEKDAY))
        cooling, heating = thermal[c]
        load = USES[klass].base / SLOTS + habit * season + cooling + heating
        fill_net(load, above.sunshine / 1000, calendar.passes, ROOFS * MEAN_W[c], out[:, c])
    return np.rint(out).astype(np.int64)


def _thermal(above: Sky) -> Floats:
    """(classes, 2, days, 96) Wh that cool and that heat the average premise in each quarter hour of the clock."""
    felt = above.felt / CENTI
    hot, cold, frost = (np.maximum(0.0, degrees) for degrees in (felt - COOLING_C, HEATING_C - felt, FROST_C - felt))
    out = np.empty((len(CLASSES), 2, *felt.shape))
    for klass, (cooling, heating) in zip(CLASSES, out, strict=True):
        use, (cool, heat) = USES[klass], _rhythm(klass)
        cooling[:] = hot * (use.cooling / SLOTS) * cool
        heating[:] = (cold * (use.heating / SLOTS) + frost * (use.frost / SLOTS)) * heat
    return out


@lru_cache(maxsize=16)
def _rhythm(klass: str) -> tuple[Floats, Floats]:
    """Two (96,) around 1: how much of the weather people let count by the time of day, when cooling and when heating."""
    hours = (np.arange(SLOTS) + 0.5) / 4
    if klass in BUSINESS_CLASSES:
        open_hours = _step(hours, 7.0, 19.0, 0.5)
        return 0.45 + 0.95 * open_hours, 0.6 + 0.7 * open_hours + 0.3 * _bell(hours, 7.0, 1.0)
    # Thermostats rest while people are out and are asked most of when they are back; heating starts the morning.
    cool = 0.95 - 0.08 * _bell(hours, 11.0, 3.0) + 0.20 * _bell(hours, 17.0, 2.2)
    heat = 0.95 - 0.10 * _bell(hours, 13.0, 3.5) + 0.25 * _bell(hours, 6.8, 1.2) + 0.10 * _bell(hours, 20.0, 2.5)
    return cool, heat


@lru_cache(maxsize=16)
def _habit(klass: str, kind: DayClass) -> Floats:
    """(96,) Wh of habits in each quarter hour of the clock: of a home, its hours awake and meals; of a business, its hours."""
    hours = (np.arange(SLOTS) + 0.5) / 4
    weekday = kind is DayClass.WEEKDAY
    if klass in BUSINESS_CLASSES:
        form = 0.04 + (_step(hours, 7.5, 18.5, 0.4) if weekday else _step(hours, 9.5, 17.5, 0.6))
    elif weekday:
        form = (
            0.30
            + 0.40 * _step(hours, 6.2, 23.2, 1.2)
            + 0.45 * _bell(hours, 7.2, 1.1)
            + 0.85 * _bell(hours, 19.3, 2.4)
            + 0.25 * _bell(hours, 22.3, 1.6)
        )
    else:
        form = (
            0.30
            + 0.45 * _step(hours, 7.3, 23.6, 1.3)
            + 0.35 * _bell(hours, 9.4, 1.7)
            + 0.20 * _bell(hours, 13.0, 2.5)
            + 0.75 * _bell(hours, 19.3, 2.6)
            + 0.25 * _bell(hours, 22.6, 1.6)
        )
    use = USES[klass]
    wh: Floats = form / form.sum() * (use.weekday if weekday else use.weekend)
    return wh


def _season(ordinals: Ints | int) -> Floats:
    """Around 1: more light and warmer water in winter."""
    angle = 2 * np.pi * (np.asarray(ordinals) - date(2020, 1, 5).toordinal()) / 365.2425
    season: Floats = 1.0 + 0.06 * np.cos(angle)
    return season


def _bell(hours: Floats, centre: float, width: float) -> Floats:
    """A bump of height 1 around a clock time, with midnight joined to midnight."""
    away = np.abs(hours - centre)
    bump: Floats = np.exp(-0.5 * (np.minimum(away, 24 - away) / width) ** 2)
    return bump


def _step(hours: Floats, begin: float, end: float, width: float) -> Floats:
    """1 between two clock times, 0 outside, each edge about ``width`` hours wide."""
    up, down = (1.0 / (1.0 + np.exp(-4.0 * (hours - edge) / width)) for edge in (begin, end))
    step: Floats = up - down
    return step
