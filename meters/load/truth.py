"""The truth: what a premise draws from the grid and gives to it, as a pure function of seed, premise and day.

The register is its primitive: at a midnight it is closed form, a day is a difference of two, its intervals are an exact integer
split. One meter and a million go through the same kernel.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from itertools import count
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from meters.calendar import intervals_in
from meters.errors import MeterError
from meters.identity import Premise
from meters.kernels.philox import words
from meters.load.kernel import Traits, fill_days, fill_registers, fill_spell
from meters.load.premises import CLASSES, HOME_CLASSES, LIVED_IN, MAX_SCALE, MIN_SCALE, PremiseArrays
from meters.load.shape import ERA, MEAN_W, ROOFS, USES, midnight, shape, since_era, spell_days, thermal
from meters.load.weather import ZONES, Weather

__all__ = [
    "ERA",
    "DayLoad",
    "GeneratedLoad",
    "PremiseArrays",
    "PremiseLoad",
    "Registers",
    "day_between",
    "day_intervals",
    "intervals",
    "register",
    "registers",
    "scale_to",
]

_TRAITS = Traits(
    np.array(
        [
            [use.cooler, use.heater, use.weekend_spread, mean_w, 24 * mean_w / use.base]
            for use, mean_w in zip(USES.values(), MEAN_W, strict=True)
        ]
    ),
    ROOFS,
    LIVED_IN,
)
#: The rows of one premise.
_ONE = np.zeros(1, np.int64)


class Registers(NamedTuple):
    """Wh since the era, each (m,)."""

    #: From the grid to the premise (LSE channel 4).
    delivered: NDArray[np.int64]
    #: From the premise to the grid (LSE channel 1).
    received: NDArray[np.int64]


class DayLoad(NamedTuple):
    """Wh of an operating day's intervals, each (m, n) or, of one premise, (n,); n = 92, 96 or 100."""

    delivered: NDArray[np.int32]
    received: NDArray[np.int32]


class PremiseLoad(Protocol):
    """What a meter measures: made up, or replayed from a file."""

    def registers(self, day: date) -> tuple[int, int]:
        """Wh delivered and received since the era at the local midnight that begins ``day``. Raises MeterError before the era."""
        ...

    def day(self, day: date) -> DayLoad:
        """The operating day, each (n,); it adds up to the registers exactly. Raises MeterError before the era."""
        ...

    def thermal(self, day: date) -> NDArray[np.float64]:
        """(n,) share of each interval's load that cools or heats, 0 to 1; 0 where nobody knows."""
        ...


class GeneratedLoad:
    """The load that is made for a premise."""

    def __init__(self, seed: int, premise: Premise, weather: Weather = ()) -> None:
        """Raises MeterError for a premise that makes no sense."""
        self._seed = seed
        self._weather = weather
        self._columns = PremiseArrays.of([premise])
        #: What ``foresee`` has computed last: registers at midnights, and a day.
        self._midnights: dict[date, tuple[int, int]] = {}
        self._days: dict[date, DayLoad] = {}

    @classmethod
    def foresee(cls, loads: Iterable[PremiseLoad], day: date) -> None:
        """Compute an operating day of those that are generated, in one pass: many take hardly longer than one that is asked for its day alone."""
        alike: dict[tuple[int, Weather], list[GeneratedLoad]] = defaultdict(list)
        for load in loads:
            if isinstance(load, cls):
                alike[load._seed, load._weather].append(load)
        for (seed, weather), some in alike.items():
            columns = PremiseArrays.joined([load._columns for load in some])
            start, both, stop = day_between(seed, columns, day, weather)
            for channel in both:
                channel.flags.writeable = False
            midnights = [list(zip(*map(np.ndarray.tolist, registers), strict=True)) for registers in (start, stop)]
            for load, *at, delivered, received in zip(some, *midnights, *both, strict=True):
                load._keep(day, at, DayLoad(delivered, received))

    def _keep(self, day: date, midnights: Sequence[tuple[int, int]], load: DayLoad) -> None:
        self._midnights = dict(zip((day, day + timedelta(days=1)), midnights, strict=True))
        self._days = {day: load}

    def registers(self, day: date) -> tuple[int, int]:
        """As in ``PremiseLoad``; O(1)."""
        if day in self._midnights:
            return self._midnights[day]
        both = registers(self._seed, self._columns, day, self._weather)
        return int(both.delivered[0]), int(both.received[0])

    def day(self, day: date) -> DayLoad:
        """As in ``PremiseLoad``."""
        if day in self._days:
            return self._days[day]
        both = day_intervals(self._seed, self._columns, day, self._weather)
        return DayLoad(both.delivered[0], both.received[0])

    def thermal(self, day: date) -> NDArray[np.float64]:
        """As in ``PremiseLoad``: that of the average premise of its class."""
        zone, klass = divmod(int(self._columns.curves[0]), len(CLASSES))
        share: NDArray[np.float64] = thermal(self._seed, ZONES[zone], day, self._weather)[klass]
        vacant = CLASSES[klass] in HOME_CLASSES and self._columns.scales[0] < LIVED_IN
        return share * (not vacant)


def register(seed: int, premise: Premise, day: date, weather: Weather = ()) -> tuple[int, int]:
    """Wh delivered and received since the era at the local midnight that begins ``day``. O(1); neither ever falls by day.

    Without a roof the delivered one rises strictly and the received one stays 0.
    """
    return GeneratedLoad(seed, premise, weather).registers(day)


def intervals(seed: int, premise: Premise, day: date) -> DayLoad:
    """Wh of the operating day's intervals, each (n,); they add up to the day's registers exactly."""
    return GeneratedLoad(seed, premise).day(day)


def registers(seed: int, premises: PremiseArrays, day: date, weather: Weather = ()) -> Registers:
    """``register`` of many premises, each (m,).

    Declared weather is summed up over its own days before the midnight, as many as are declared, whatever the date.
    """
    out = Registers(np.empty(len(premises), np.int64), np.zeros(len(premises), np.int64))
    for zone, rows, roofs in _by_zone(premises):
        fill_registers(*words(seed), rows, premises.columns, midnight(seed, zone, since_era(day), roofs), _TRAITS, *out)
        _put_weather(seed, zone, rows, premises, (ERA, day), weather, out)
    return out


def day_intervals(seed: int, premises: PremiseArrays, day: date, weather: Weather = ()) -> DayLoad:
    """``intervals`` of many premises, each (m, n)."""
    return _usual_between(seed, premises, day, weather)[1]


def day_between(
    seed: int, premises: PremiseArrays, day: date, weather: Weather = ()
) -> tuple[Registers, DayLoad, Registers]:
    """``day_intervals``, and the ``registers`` before and after them."""
    start, load, stop = _usual_between(seed, premises, day, weather)
    for zone, rows, _ in _by_zone(premises) if weather else ():
        for until, out in ((day, start), (day + timedelta(days=1), stop)):
            _put_weather(seed, zone, rows, premises, (ERA, until), weather, out)
    return start, load, stop


def _usual_between(
    seed: int, premises: PremiseArrays, day: date, weather: Weather
) -> tuple[Registers, DayLoad, Registers]:
    """As ``day_between``, but for what declared weather adds to the registers."""
    m, size = len(premises), (len(premises), intervals_in(day))
    more, start, stop = (Registers(*np.zeros((2, m), np.int64)) for _ in range(3))
    out = DayLoad(np.empty(size, np.int32), np.zeros(size, np.int32))
    for zone, rows, roofs in _by_zone(premises):
        since = since_era(day)
        ends = midnight(seed, zone, since, roofs), midnight(seed, zone, since + 1, roofs)
        _put_weather(seed, zone, rows, premises, (day, day + timedelta(days=1)), weather, more)
        of_day = shape(seed, zone, day, weather)
        fill_days(*words(seed), rows, premises.columns, ends, _TRAITS, of_day, more, start, stop, *out)
    return start, out, stop


@lru_cache(maxsize=1_000)
def scale_to(seed: int, premise: Premise, first: date, last: date, wh: int, weather: Weather = ()) -> Premise:
    """The premise, scaled so that ``wh`` are delivered to it over the operating days first to last, both included; to 1 Wh.

    Its roof and its car stay as they are. Raises MeterError where that needs a scale out of bounds.
    """
    after = last + timedelta(days=1)

    def delivered(scale: float) -> int:
        scaled = replace(premise, scale=scale)
        return register(seed, scaled, after, weather)[0] - register(seed, scaled, first, weather)[0]

    if not (last >= first and delivered(MIN_SCALE) <= wh <= delivered(MAX_SCALE)):
        raise MeterError(
            "meters.premise.unscalable",
            f"No scale gives {wh} Wh over {first} to {last}.",
            place=premise.esiid,
            mend="Ask for a use nearer to a home's, and for a last day not before the first.",
        )
    # What is delivered rises with the scale, less than evenly under a roof: halve the span until the doubles are used up.
    low, high = MIN_SCALE, MAX_SCALE
    for _ in range(64):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if delivered(middle) <= wh else (low, middle)
    return replace(premise, scale=low)


def _by_zone(premises: PremiseArrays) -> Iterator[tuple[str, NDArray[np.int64], bool]]:
    """Each zone that is there, the rows of its premises, and whether any has a roof."""
    if len(premises) == 1:
        # Mostly a meter asks for itself.
        yield ZONES[int(premises.curves[0]) // len(CLASSES)], _ONE, bool(premises.solar_w[0])
        return
    zones = premises.curves // len(CLASSES)
    for zone in np.flatnonzero(np.bincount(zones, minlength=len(ZONES))):
        rows = np.flatnonzero(zones == zone)
        yield ZONES[zone], rows, bool(premises.solar_w[rows].any())


def _put_weather(
    seed: int,
    zone: str,
    rows: NDArray[np.int64],
    premises: PremiseArrays,
    span: tuple[date, date],
    weather: Weather,
    out: Registers,
) -> None:
    """Add what declared weather changes on the operating days of a span, [first, until)."""
    roofs = bool(premises.solar_w[rows].any())
    for spelt in spell_days(seed, zone, weather) if weather else ():
        for at, use, net in zip(count(since_era(spelt.first)), spelt.use, spelt.net, strict=False):
            if (span[0] - ERA).days <= at < (span[1] - ERA).days:
                ends = midnight(seed, zone, at, roofs), midnight(seed, zone, at + 1, roofs)
                fill_spell(*words(seed), rows, premises.columns, ends, _TRAITS, (use, net), *out)
