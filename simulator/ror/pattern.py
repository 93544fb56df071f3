"""The pattern of a premise's day: what it never goes below, when it takes most, and a day beside those before it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headend.ports import LongArray
from meters.calendar import INTERVAL_S, day_end, day_of_interval, day_start, intervals_in, seconds
from meters.day_kinds import DayClass, clock_slots, day_class, like_days, same_clock
from meters.load.weather import Weather, temperature
from simulator.ror.billing.money import kwh
from simulator.ror.usage import UsageRecord

FloatArray = NDArray[np.float64]
#: (n,) degrees C outdoors in each interval of an operating day.
Outdoors = Callable[[date], FloatArray]
#: The weather of each zone.
ZoneWeather = Callable[[str], Outdoors]

#: Whole VEE days that the usual day is made of: two weeks have every day of the week twice [D].
RECENT_DAYS = 14
#: Days before that are looked at, and that are needed to tell what the weather does to a premise [D].
_BACK, _FEWEST_BY_WEATHER = 60, 21
#: How many like days are told of, and how far back they may lie: the recent level of that kind of day [D].
_LIKE, _LIKE_BACK = 4, 28
#: Hours of the peak, and the share of a day's quarter hours that take no more than the base load [D].
PEAK_HOURS, _BASE_SHARE = 3, 0.1
#: Outdoors a house is neither cooled nor heated: 65 F, the base of degree-days.
_NEITHER_C = 18.3


@dataclass(frozen=True, slots=True)
class Beside:
    """A day beside an earlier one, or the mean of several, over the quarter hours of the clock that all of them know. Wh."""

    #: ``the day before``
    other: str
    days: tuple[date, ...]
    quarter_hours: int
    wh: int
    their_wh: int
    #: What of the difference the heat outdoors makes, and the cold; None: nobody knows.
    heat_wh: int | None
    cold_wh: int | None

    @property
    def more_wh(self) -> int:
        """Negative: less."""
        return self.wh - self.their_wh

    def words(self) -> str:
        """``3.1 kWh more than the day before, 2.4 of them heat``."""
        told = f"{_tenths(self.more_wh)} kWh {_side(self.more_wh)} than {self.other}"
        if self.heat_wh is None or self.cold_wh is None:
            return told
        wh, word = max((self.heat_wh, "heat"), (self.cold_wh, "cold"), key=lambda one: abs(one[0]))
        if abs(wh) < 100:
            return told
        if (wh > 0) is (self.more_wh > 0) and abs(wh) <= abs(self.more_wh):
            return f"{told}, {_tenths(wh)} of them {'' if wh > 0 else 'for less '}{word}"
        return f"{told}, though the {word} alone makes {_tenths(wh)} {_side(wh)}"

    def to_dict(self) -> dict[str, Any]:
        """JSON values; energy is whole Wh."""
        told = {name: getattr(self, name) for name in self.__slots__}
        return told | {"days": [day.isoformat() for day in self.days], "more_wh": self.more_wh}


@dataclass(frozen=True, slots=True)
class HourlyPattern:
    """Energy by hour of the local day, Wh per hour."""

    #: 24 means over the recent VEE days; None where there are none.
    usual_wh: tuple[int | None, ...]
    #: The day that is told of.
    day: date | None
    #: 24 values of that day; None where the hour is not known as a whole.
    day_wh: tuple[int | None, ...]
    #: What the recent days go no lower than but in a tenth of their time, W; None without any.
    base_w: int | None
    #: The hour of the local clock at which the three begin that usually take most.
    peak: int | None
    beside: tuple[Beside, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON values; energy is whole Wh."""
        return {
            "usual_wh": list(self.usual_wh),
            "day": None if self.day is None else self.day.isoformat(),
            "day_wh": list(self.day_wh),
            "base_w": self.base_w,
            "peak_hour": self.peak,
            "beside": [one.to_dict() for one in self.beside],
        }

    def day_sentence(self) -> str:
        """The day and what it is beside; empty where there is nothing to compare."""
        if self.day is None or not self.beside:
            return ""
        hours = max(one.quarter_hours for one in self.beside) / 4
        widest = max(self.beside, key=lambda one: one.quarter_hours)
        words = "; ".join(one.words() for one in self.beside)
        return f"On {self.day} the {hours:g} hours known took {_tenths(widest.wh)} kWh: {words}."

    def usual_sentence(self) -> str:
        """Base load and peak; empty without a recent day."""
        if self.base_w is None or self.peak is None:
            return ""
        most = sum(wh or 0 for wh in self.usual_wh[self.peak : self.peak + PEAK_HOURS])
        return (
            f"Usually it takes no less than {self.base_w / 1000:.2f} kW, "
            f"and most from {self.peak:02d}:00 to {self.peak + PEAK_HOURS:02d}:00: {_tenths(most)} kWh."
        )


def weather_of(zone: str, seed: int, declared: Weather = ()) -> Outdoors:
    """The weather of a zone of generated premises. Raises MeterError for an unknown one."""
    temperature(seed, zone, date(2026, 1, 1))
    return lambda day: temperature(seed, zone, day, declared)


def hourly_pattern(record: UsageRecord, day: date | None = None, outdoors: Outdoors | None = None) -> HourlyPattern:
    """The usual day by hour, of recent VEE days, and a day beside those before it.

    day: which one; unless given that which the non-VEE intervals reach into, if there are any. outdoors: the weather, where it is known.
    """
    vee_end = record.vee_end()
    behind = record.only(record.ends > vee_end) if vee_end is not None else record
    if day is None and len(behind.ends):
        day = day_of_interval(seconds(behind.ends[-1]))
    until = day if day is not None else day_of_interval(vee_end) + timedelta(days=1) if vee_end is not None else None
    recent = {} if until is None else _whole_days(record.vee(), until)
    usual, base = _usual(recent)
    peak = None
    if base is not None:
        sums = np.convolve(np.array([wh or 0 for wh in usual]), np.ones(PEAK_HOURS, np.int64), "valid")
        peak = int(sums.argmax())
    if day is None:
        return HourlyPattern(usual, None, (None,) * 24, base, peak, ())
    return HourlyPattern(
        usual, day, _hours(_held(record, day), day), base, peak, _beside(record, day, recent, outdoors)
    )


def _held(record: UsageRecord, day: date) -> LongArray:
    """(n,) Wh of each interval of a day; -1 where it is not known."""
    its = record.within(day_start(day), day_end(day))
    found = np.full(intervals_in(day), -1, np.int64)
    found[(its.ends - day_start(day)) // INTERVAL_S - 1] = its.wh
    return found


def _whole_days(record: UsageRecord, until: date) -> dict[date, LongArray]:
    """(n,) Wh of the days shortly before one that are known as a whole, the latest first."""
    cut = record.within(day_start(until - timedelta(days=_BACK)), day_start(until))
    days = [until - timedelta(days=back) for back in range(1, _BACK + 1)]
    return {day: held for day in days if (held := _held(cut, day)).min() >= 0}


def _hours(wh: LongArray, day: date) -> tuple[int | None, ...]:
    """24 values, Wh per hour; the repeated hour of the fall-back day has eight intervals."""
    hour = clock_slots(day) // 4
    parts = [wh[hour == one] for one in range(24)]
    return tuple(round(float(its.mean()) * 4) if len(its) and its.min() >= 0 else None for its in parts)


def _usual(recent: Mapping[date, LongArray]) -> tuple[tuple[int | None, ...], int | None]:
    """24 mean Wh of each local hour, and the base load, of the latest whole days."""
    latest = [*recent.items()][:RECENT_DAYS]
    if not latest:
        return (None,) * 24, None
    sums, counts = np.zeros(24), np.zeros(24)
    for day, wh in latest:
        hour = clock_slots(day) // 4
        sums += np.bincount(hour, wh, 24)
        counts += np.bincount(hour, minlength=24)
    base = float(np.median([np.quantile(wh, _BASE_SHARE) for _, wh in latest]))
    means = (round(float(total) * 4 / count) if count else None for total, count in zip(sums, counts, strict=True))
    return tuple(means), round(base * 4)


def _beside(
    record: UsageRecord, day: date, recent: Mapping[date, LongArray], outdoors: Outdoors | None
) -> tuple[Beside, ...]:
    mine = _held(record, day)
    slopes = None if outdoors is None else _slopes(recent, outdoors)
    alike = [one for one in like_days(day, _LIKE_BACK) if one in recent][:_LIKE]
    rows = (
        ("the day before", [day - timedelta(days=1)]),
        ("a week before", [day - timedelta(days=7)]),
        (f"the last {len(alike)} days like it", alike),
    )
    found = []
    for other, others in rows:
        at = [same_clock(day, one) for one in others]
        theirs = [np.where(places < 0, -1, _held(record, one)[places]) for one, places in zip(others, at, strict=True)]
        known = np.logical_and.reduce([mine >= 0, *(wh >= 0 for wh in theirs)])
        if not others or not known.any():
            continue
        by_weather: Sequence[int | None] = (None, None)
        if outdoors is not None and slopes is not None:
            degrees = [_degrees(outdoors(one))[:, places[known]] for one, places in zip(others, at, strict=True)]
            apart = _degrees(outdoors(day))[:, known].sum(axis=1) - np.mean(
                [one.sum(axis=1) for one in degrees], axis=0
            )
            by_weather = [round(float(each)) for each in slopes * apart]
        mean = round(float(np.mean([wh[known].sum() for wh in theirs])))
        found.append(Beside(other, tuple(others), int(known.sum()), int(mine[known].sum()), mean, *by_weather))
    return tuple(found)


def _degrees(outdoors: FloatArray) -> FloatArray:
    """(2, n) degrees that each interval is too hot, and too cold."""
    return np.maximum([outdoors - _NEITHER_C, _NEITHER_C - outdoors], 0.0)


def _slopes(recent: Mapping[date, LongArray], outdoors: Outdoors) -> FloatArray | None:
    """Wh that a degree too hot, and one too cold, make in a quarter hour: by what whole days took, weekends apart; None: too few days tell."""
    if len(recent) < _FEWEST_BY_WEATHER:
        return None
    took = np.array([wh.sum() for wh in recent.values()], np.float64)
    weekend = np.array([day_class(day) is DayClass.WEEKEND for day in recent], np.float64)
    degrees = np.array([_degrees(outdoors(day)).sum(axis=1) for day in recent])
    solved = np.linalg.lstsq(np.column_stack([np.ones(len(took)), weekend, degrees]), took, rcond=None)[0]
    # Nobody takes less because it is hotter.
    slopes: FloatArray = np.maximum(solved[2:], 0.0)
    return slopes


def _tenths(wh: int) -> str:
    return kwh(round(abs(wh) / 100) * 100)[:-2]


def _side(wh: int) -> str:
    return "more" if wh >= 0 else "less"
