"""The kernels of the load: a premise's registers at a midnight, and its day cut into intervals. Integers wherever energy is shared out.

What a premise has of its own (how strong each habit is, its air conditioner's period, the hour its car comes home) are bits of its
hash; what differs from day to day are Philox draws by premise and day. They share one file, since numba's cache looks at no other.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meters.kernels.jit import kernel
from meters.kernels.philox import Word, philox4x32

if TYPE_CHECKING:
    from meters.load.premises import Columns

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
#: A number inside a kernel.
Whole = int | np.int64

#: A midnight's register lies up to so much of the coming day's expected use ahead of the curve: the days' scatter. Below 1, so that
#: every day uses something. In turn: the household, its cooling and heating, a car, what a roof gives to the grid.
_HOUSEHOLD, _THERMAL, _CAR, _ROOF = 0.5, 0.3, 0.9, 0.15
#: Within a quarter hour a premise uses now less, now more than its average: share of the time, and multiple. A meter nets each.
_SWINGS = ((0.3, 0.2), (0.4, 1.0), (0.3, 1.8))
#: A day that gives less than this to the grid gives it in its best hours, Wh: below it, thin shares would be all alike.
_LITTLE_WH = 500
#: Weights of intervals are whole sixteenths of a Wh.
FINE = 16
#: Something large that is switched on adds this and up to 255 Wh more to each of one to four intervals.
EVENT_WH = 150
#: Most that a car takes in a quarter hour, Wh (7.2 kW), and the fewest intervals it takes.
_CHARGER_WH, _LEAST_CHARGE = 1_800, 3


class Shape(NamedTuple):
    """One operating day of a zone, each (classes, n) in weights (sixteenths of a Wh of the average premise) but for ``busy`` and ``sun``."""

    #: (classes,) what never stops.
    steady: Ints
    #: Many small things.
    habit: Ints
    #: Chance in 256 that something large is switched on.
    busy: Ints
    cooling: Ints
    heating: Ints
    #: (n,) weights of a kW of panels.
    sun: Ints


class Midnights(NamedTuple):
    """What the average premises of a zone have used at consecutive midnights, and what differs by class."""

    #: (midnights, classes, components) and (midnights, classes, roofs, 2) as ``Sums`` gives them.
    use: Ints
    net: Ints
    #: (roofs,) W for each W of mean use.
    roofs: Floats
    #: (classes, 4) Wh a quarter hour of the cooler and the heater, spread of the weekend, mean use in W.
    traits: Floats
    #: Ordinals of the first of the midnights, and of the era.
    ordinal: int
    era: int


@kernel
def _own(number: Word) -> tuple[Whole, Whole, Whole, Whole, Whole, Whole, Whole, Whole, Whole]:
    """Give what the home keeps for ever.

    base, habits, weekend, cooling, heating: strength in 128ths, on average 1. shift: -4 to 4 intervals. size of machines: 0.85 to
    1.15 in 128ths. period of machines: 1200 to 2343 s. plug: 0 to 23.
    """
    seven = np.uint64(0x7F)
    first = number * np.uint64(0x9E3779B97F4A7C15)
    second = (number ^ (number >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    base = 80 + ((np.int64(first >> np.uint64(57)) * 97) >> 7)
    habits = 64 + np.int64((first >> np.uint64(50)) & seven)
    cooling = 80 + ((np.int64((first >> np.uint64(43)) & seven) * 97) >> 7)
    heating = 64 + np.int64((first >> np.uint64(36)) & seven)
    shift = ((np.int64((first >> np.uint64(29)) & seven) * 9) >> 7) - 4
    weekend = np.int64(second >> np.uint64(57))
    size = 109 + ((np.int64((second >> np.uint64(50)) & seven) * 39) >> 7)
    period = 1200 + 9 * np.int64((second >> np.uint64(43)) & seven)
    plug = (np.int64((second >> np.uint64(36)) & seven) * 24) >> 7
    return base, habits, weekend, cooling, heating, shift, size, period, plug


@kernel
def _at_midnight(
    k0: Word, k1: Word, premises: Columns, row: int, midnights: Midnights, at: int
) -> tuple[float, float, float]:
    """Wh that the premise has drawn without its car, that it has given, and that its car has taken since the era.

    Each sum is read a little ahead of the midnight ``at``, by a draw of the premise and the midnight, so it rises as the sums do.
    """
    number, scale = premises.hashes[row], premises.scales[row]
    solar_w, ev_wh = premises.solar_w[row], premises.ev_wh[row]
    use, net, roofs, traits = midnights.use, midnights.net, midnights.roofs, midnights.traits
    ordinal = midnights.ordinal + at
    mask, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    w0, w1, w2, w3 = philox4x32(number & mask, number >> half, np.uint64(ordinal), np.uint64(0), k0, k1)
    household = _HOUSEHOLD * (np.float64(w0) / 2.0**32)
    thermal = _THERMAL * (np.float64(w1) / 2.0**32)
    car = 0.0
    if ev_wh > 0:
        car = ev_wh * ((ordinal - midnights.era) + _CAR * (np.float64(w2) / 2.0**32))
    klass = premises.curves[row] & 3
    if solar_w > 0:
        # Netting is no sum of parts: under a roof lives the average household, at its scale.
        size = solar_w / (scale * traits[klass, 3])
        k = 0
        while k < len(roofs) - 2 and size >= roofs[k + 1]:
            k += 1
        # A roof beyond the table gives everything more that it makes.
        part = min((size - roofs[k]) / (roofs[k + 1] - roofs[k]), 1.0)
        beyond = max(0.0, (size - roofs[-1]) / (roofs[-1] - roofs[-2]))
        ahead = _ROOF * (np.float64(w3) / 2.0**32)
        low = net[at, klass, k, 0] + household * (net[at + 1, klass, k, 0] - net[at, klass, k, 0])
        high = net[at, klass, k + 1, 0] + household * (net[at + 1, klass, k + 1, 0] - net[at, klass, k + 1, 0])
        delivered = low + part * (high - low)
        low = net[at, klass, k, 1] + ahead * (net[at + 1, klass, k, 1] - net[at, klass, k, 1])
        high = net[at, klass, k + 1, 1] + ahead * (net[at + 1, klass, k + 1, 1] - net[at, klass, k + 1, 1])
        received = low + (part + beyond) * (high - low)
        return scale * delivered, scale * received, car
    base, habits, weekend, cooling, heating = _own(number)[:5]
    spread = habits * (1.0 + traits[klass, 2] * (weekend - 64) / 64.0)
    total = 0.0
    for component in range(5):
        strength = np.float64(base)
        ahead = household
        if component == 1:
            strength = np.float64(habits)
        elif component == 2:
            strength = spread
        elif component == 3:
            strength, ahead = np.float64(cooling), thermal
        elif component == 4:
            strength, ahead = np.float64(heating), thermal
        before = use[at, klass, component]
        total += strength / 128.0 * (before + ahead * (use[at + 1, klass, component] - before))
    return scale * total, 0.0, car


@kernel
def fill_registers(
    k0: Word, k1: Word, rows: NDArray[np.intp], premises: Columns, midnights: Midnights, delivered: Ints, received: Ints
) -> None:
    """Fill delivered[row] and received[row], whole Wh since the era at the first of the midnights, for the given rows."""
    for row in rows:
        drawn, given, car = _at_midnight(k0, k1, premises, row, midnights, 0)
        delivered[row] = np.int64(math.floor(drawn + car))
        received[row] = np.int64(math.floor(given))


@kernel
def _running(phase: Whole, on: Whole, period: Whole) -> Whole:
    """Seconds that a machine runs in a quarter hour which begins at a phase of its cycle: the first ``on`` of each period (> 900)."""
    end = phase + 900
    if end <= period:
        return min(end, on) - min(phase, on)
    return on - min(phase, on) + min(end - period, on)


@kernel
def _charge(total: Whole, first: Whole, out: NDArray[np.int32]) -> None:
    """Add a car's energy to out as one block of even power from the interval it is plugged in at, or ending with the day."""
    n = len(out)
    count = min(n, max(_LEAST_CHARGE, -(-total // _CHARGER_WH)))
    begin = min(first, n - count)
    each = total // count
    for i in range(begin, begin + count):
        out[i] += np.int32(each)
    out[begin] += np.int32(total - each * count)


@kernel
def _netted(load: float, made: float) -> tuple[float, float]:
    """What a quarter hour draws from the grid and gives to it, of a load and of what the roof makes; their difference is exact."""
    drawn = given = 0.0
    for share, multiple in _SWINGS:
        left = load * multiple - made
        drawn += share * max(left, 0.0)
        given += share * max(-left, 0.0)
    return drawn, given


@kernel
def fill_net(load: Floats, sun: Floats, passes: Ints, roofs: Floats, out: Floats) -> None:
    """Fill out (days, roofs, 2) with the Wh drawn and given on each day, for each W of roofs.

    load, sun: (days, 96) Wh in a quarter hour of the clock, and those of a W of panels; passes: how often the quarter hour comes.
    """
    for d in range(load.shape[0]):
        for k in range(len(roofs)):
            drawn = given = 0.0
            for i in range(load.shape[1]):
                both = _netted(load[d, i], sun[d, i] * roofs[k])
                drawn += both[0] * passes[d, i]
                given += both[1] * passes[d, i]
            out[d, k, 0], out[d, k, 1] = drawn, given


@kernel
def _share_out(total: Whole, weights: Ints, whole: Whole, out: NDArray[np.int32]) -> None:
    """Fill out with a total, cut where the running sum of the weights says, so that nothing is lost."""
    running = before = np.int64(0)
    for i in range(len(weights)):
        running += weights[i]
        upto = np.int64(np.uint64(running * total) // np.uint64(whole))
        out[i] = upto - before
        before = upto


@kernel
def _under_roof(
    kilowatts: float, sun: Ints, sent: np.int64, weights: Ints, given: Ints, received: NDArray[np.int32]
) -> np.int64:
    """Turn weights of the load into weights of what is drawn, share what is sent into received, return the weights' sum.

    given: (n,) room to work in.
    """
    most, whole = np.int64(0), np.int64(0)
    for i in range(len(weights)):
        drawn, over = _netted(np.float64(weights[i]), kilowatts * sun[i])
        # The sun that a cloud's edge lets through for a minute: so no day's sending is heaped into an interval or two.
        given[i] = np.int64(over + kilowatts * sun[i] / 16.0)
        most = max(most, given[i])
        # One sixteenth of a Wh keeps a day that has something to share from having no weight.
        weights[i] = np.int64(drawn) + 1
        whole += weights[i]
    threshold = min(most - most * sent // _LITTLE_WH, most - 1) if sent < _LITTLE_WH else np.int64(0)
    over_all = np.int64(0)
    for i in range(len(given)):
        # A roof so small that it has no weight of its own sends by the sun.
        given[i] = max(given[i] - threshold, 0) if most > 0 else sun[i]
        over_all += given[i]
    if over_all > 0:
        _share_out(sent, given, over_all, received)
    return whole


@kernel
def fill_days(
    k0: Word,
    k1: Word,
    rows: NDArray[np.intp],
    premises: Columns,
    midnights: Midnights,
    shape: Shape,
    delivered: NDArray[np.int32],
    received: NDArray[np.int32],
) -> None:
    """Fill delivered[row] and received[row], (n,) Wh each, with the day between the first two midnights.

    A Philox call gives eight intervals two bytes each: one jitters the small things by an eighth, one switches something large on.
    """
    n = delivered.shape[1]
    weights, given = np.empty(n, np.int64), np.empty(n, np.int64)
    mask, half, byte = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(0xFF)
    day = np.uint64(midnights.ordinal)
    traits = midnights.traits
    for row in rows:
        number, klass = premises.hashes[row], premises.curves[row] & 3
        habit, busy, cooling, heating = (
            shape.habit[klass],
            shape.busy[klass],
            shape.cooling[klass],
            shape.heating[klass],
        )
        drawn_0, given_0, car_0 = _at_midnight(k0, k1, premises, row, midnights, 0)
        drawn_1, given_1, car_1 = _at_midnight(k0, k1, premises, row, midnights, 1)
        total = np.int64(math.floor(drawn_1 + car_1)) - np.int64(math.floor(drawn_0 + car_0))
        low, high = number & mask, number >> half
        base, habits, _, cools, heats, shift, size, period, plug = _own(number)
        always = (shape.steady[klass] * base) >> 7
        # What a machine draws in a quarter hour, and the seconds of a period it runs for each 65536th of weight that is asked of it.
        cooler = np.int64(traits[klass, 0] * FINE) * cools * size >> 14
        heater = np.int64(traits[klass, 1] * FINE) * heats * size >> 14
        cooler_on, heater_on = ((period * cools) << 9) // cooler, ((period * heats) << 9) // heater
        cooler_s, heater_s = (cooler << 16) // 900, (heater << 16) // 900
        # Its cycles go on through midnights.
        phase = (np.int64(number >> np.uint64(40)) + midnights.ordinal * 86_400) % period
        left, extra, whole = np.int64(0), np.int64(0), np.int64(0)
        w0 = w1 = w2 = w3 = np.uint64(0)
        for i in range(n):
            lane = i & 7
            if lane == 0:
                w0, w1, w2, w3 = philox4x32(low, high, day, np.uint64(1 + (i >> 3)), k0, k1)
            elif lane & 1 == 0:
                w0, w1, w2 = w1, w2, w3
            bits = w0 if lane & 1 == 0 else w0 >> np.uint64(16)
            jitter = np.int64(bits & byte)
            event = np.int64((bits >> np.uint64(8)) & byte)
            j = min(max(i + shift, 0), n - 1)
            if left > 0:
                left -= np.int64(1)
            elif event < busy[j]:
                left = jitter & np.int64(3)
                extra = ((EVENT_WH + jitter) * FINE * habits) >> 7
            else:
                extra = np.int64(0)
            small = always + ((habit[j] * habits) >> 7)
            weight = ((small * (224 + (jitter >> 2))) >> 8) + extra
            if cooling[i] > 0:
                on = min((cooling[i] * cooler_on) >> 16, period)
                weight += (_running(phase, on, period) * cooler_s) >> 16
            if heating[i] > 0:
                on = min((heating[i] * heater_on) >> 16, period)
                weight += (_running(phase, on, period) * heater_s) >> 16
            phase += 900
            if phase >= period:
                phase -= period
            weights[i] = weight
            whole += weight
        if premises.solar_w[row] > 0:
            sent = np.int64(math.floor(given_1)) - np.int64(math.floor(given_0))
            kilowatts = premises.solar_w[row] / (1000.0 * premises.scales[row])
            whole = _under_roof(kilowatts, shape.sun, sent, weights, given, received[row])
        car = min(total, np.int64(car_1 - car_0)) if premises.ev_wh[row] > 0 else np.int64(0)
        _share_out(total - car, weights, whole, delivered[row])
        if car > 0:
            _charge(car, min(68 + plug, n - 1), delivered[row])
