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

#: How days of one premise hang together: for stretches of so many days, its use is up to such a share more or less than its curve's.
#: Of the household, and under a roof of what is drawn; of cooling and heating; of what a roof gives. Shares of one add up to less than
#: 1, so that every day uses something. Defaults, by what homes' days are found to be like (``ami meters truth``).
SPANS = (64, 16, 4, 1)
_HOUSEHOLD, _THERMAL, _ROOF = (0.20, 0.22, 0.25, 0.28), (0.15, 0.18, 0.20, 0.25), (0.05, 0.05, 0.05, 0.05)
#: How far from a midnight use is looked up for its register, days: two of the longest stretches.
REACH = 2 * SPANS[0]
#: Fourth counter word of the first of those draws: no interval's.
_SWING = 64
#: A car's midnight lies up to so much of a day's charge ahead of its mean.
_CAR = 0.9
#: Within a quarter hour a premise uses now less, now more than its average: share of the time, and multiple. A meter nets each.
_SWINGS = ((0.3, 0.2), (0.4, 1.0), (0.3, 1.8))
#: A day that gives less than this to the grid gives it in its best hours, Wh: below it, thin shares would be all alike.
_LITTLE_WH = 500
#: So many of the classes, the first, are homes.
_HOMES = 2
#: Most that a premise of each class draws in a quarter hour beside its car, Wh. A home's service (200 A at 240 V) gives 12,000.
_SERVICE_WH = (10_000, 10_000, 125_000, 125_000)
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


class Midnight(NamedTuple):
    """What the average premises of a zone have used at a midnight."""

    #: (classes, components) and (classes, roofs, 2) as ``Sums`` gives them, Wh.
    use: Ints
    net: Ints
    #: (phases, classes, components, 2) and (phases, classes, roofs, 2, 2) as ``fill_leads`` gives them, Wh.
    use_leads: Floats
    net_leads: Floats
    #: Ordinal of the midnight, and days since the era.
    ordinal: int
    since: int


class Traits(NamedTuple):
    """What differs by class, and what has no day."""

    #: (classes, 5) Wh a quarter hour of the cooler and the heater, spread of the weekend, mean use in W, and in times the base load.
    classes: Floats
    #: (roofs,) W for each W of mean use.
    roofs: Floats
    #: A home of a smaller scale is vacant: fridge and standby all year, no habits and no thermostat.
    lived_in: float


@kernel
def _own(number: Word) -> tuple[Whole, Whole, Whole, Whole, Whole, Whole, Whole, Whole, Whole]:
    """Give what the home keeps for ever.

    base, habits, weekend, cooling, heating: strength in 128ths, on average 1. shift: -4 to 4 intervals. size of machines: 0.85 to
    1.15 in 128ths. period of machines: 1200 to 2343 s. plug: the interval at which a car begins to charge: of four cars in ten by a timer, 0 to 15, else 68 to 91, back home.
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
    plug = ((np.int64((second >> np.uint64(36)) & seven) * 40) >> 7) + 68
    if plug >= 92:
        plug -= 92
    return base, habits, weekend, cooling, heating, shift, size, period, plug


@kernel
def fill_leads(sums: Ints, at: int, last: int, out: Floats) -> None:
    """Fill out (phases, m, 2): how far registers may lie ahead of each curve at a midnight, Wh for a draw of 1 on either side.

    sums: (midnights, m) curves since the era; at, last: the midnight and the last that there is. There are as many phases as days
    of ``SPANS``: of each span a lattice of midnights for every phase. At its points a register lies ahead of the curve or behind it,
    by a draw times the lesser of what is used in the stretches before and after; in between it follows the curve in proportion. So
    a stretch has one factor, a register is a closed form, and where nothing is used nothing comes of it.
    """
    row = 0
    for span in SPANS:
        for phase in range(span):
            # The stretch that the midnight is in, of the lattice that has a point so many days before it.
            start, end = at - phase, at - phase + span
            points = (max(start - span, 0), max(start, 0), min(end, last), min(end + span, last))
            for j in range(sums.shape[1]):
                before, begun, ended, after = (
                    sums[points[0], j],
                    sums[points[1], j],
                    sums[points[2], j],
                    sums[points[3], j],
                )
                used = ended - begun
                part = (sums[at, j] - begun) / used if used > 0 else 0.0
                out[row, j, 0] = min(begun - before, used) * (1.0 - part)
                out[row, j, 1] = min(used, after - ended) * part
            row += 1


@kernel
def _byte(block: Word, index: Whole) -> float:
    """One of eight draws in -1/2 to 1/2."""
    return (np.float64((block >> np.uint64(8 * (index & 7))) & np.uint64(0xFF)) - 127.5) / 256.0


@kernel
def _draws(k0: Word, k1: Word, number: Word, level: int, index: Whole) -> tuple[Word, Word]:
    """Eight draws each of the household and of the weather, at the lattice points around one."""
    half = np.uint64(32)
    w0, w1, w2, w3 = philox4x32(
        number & np.uint64(0xFFFFFFFF), number >> half, np.uint64(index >> 3), np.uint64(_SWING + level), k0, k1
    )
    return w0 | w1 << half, w2 | w3 << half


@kernel
def _roof(size: float, roofs: Floats) -> tuple[int, float, float]:
    """Place in the table of a roof of so many W for each W of mean use: the row, the way to the next, and the same beyond the last."""
    k = 0
    while k < len(roofs) - 2 and size >= roofs[k + 1]:
        k += 1
    # A roof beyond the table gives everything more that it makes.
    beyond = (size - roofs[k]) / (roofs[k + 1] - roofs[k])
    return k, min(beyond, 1.0), beyond


@kernel
def _at_midnight(
    k0: Word, k1: Word, premises: Columns, row: int, midnight: Midnight, traits: Traits
) -> tuple[float, float, float]:
    """Wh that the premise has drawn without its car, that it has given, and that its car has taken since the era."""
    number, scale, solar_w = premises.hashes[row], premises.scales[row], premises.solar_w[row]
    klass = premises.curves[row] & 3
    use, leads, net, net_leads = midnight.use, midnight.use_leads, midnight.net, midnight.net_leads
    base, habits, weekend, cooling, heating = scale, scale, scale, scale, scale
    k, part, beyond = 0, 0.0, 0.0
    if solar_w > 0:
        # Netting is no sum of parts: under a roof lives the average household, at its scale.
        k, part, beyond = _roof(solar_w / (scale * traits.classes[klass, 3]), traits.roofs)
        drawn = net[klass, k, 0] + part * (net[klass, k + 1, 0] - net[klass, k, 0])
        other = net[klass, k, 1] + beyond * (net[klass, k + 1, 1] - net[klass, k, 1])
    else:
        base, habits, weekend, cooling, heating = _strengths(number, scale, klass, traits)
        drawn = base * use[klass, 0] + habits * use[klass, 1] + weekend * use[klass, 2]
        other = cooling * use[klass, 3] + heating * use[klass, 4]
    alike = min(habits, weekend)
    first = 0
    for level in range(len(SPANS)):
        span = SPANS[level]
        since = midnight.ordinal + np.int64((number >> np.uint64(6 * level)) & np.uint64(span - 1))
        at, index = first + (since & (span - 1)), since // span
        first += span
        household, weather = _draws(k0, k1, number, level, index)
        h0, w0 = _byte(household, index), _byte(weather, index)
        if index & 7 == 7:
            household, weather = _draws(k0, k1, number, level, index + 1)
        h1, w1 = _byte(household, index + 1), _byte(weather, index + 1)
        if solar_w > 0:
            low = h0 * net_leads[at, klass, k, 0, 0] + h1 * net_leads[at, klass, k, 0, 1]
            high = h0 * net_leads[at, klass, k + 1, 0, 0] + h1 * net_leads[at, klass, k + 1, 0, 1]
            drawn += _HOUSEHOLD[level] * (low + part * (high - low))
            low = w0 * net_leads[at, klass, k, 1, 0] + w1 * net_leads[at, klass, k, 1, 1]
            high = w0 * net_leads[at, klass, k + 1, 1, 0] + w1 * net_leads[at, klass, k + 1, 1, 1]
            other += _ROOF[level] * (low + beyond * (high - low))
        else:
            drawn += _HOUSEHOLD[level] * (
                h0 * (base * leads[at, klass, 0, 0] + alike * leads[at, klass, 1, 0])
                + h1 * (base * leads[at, klass, 0, 1] + alike * leads[at, klass, 1, 1])
            )
            other += _THERMAL[level] * (
                w0 * (cooling * leads[at, klass, 2, 0] + heating * leads[at, klass, 3, 0])
                + w1 * (cooling * leads[at, klass, 2, 1] + heating * leads[at, klass, 3, 1])
            )
    car = 0.0
    if premises.ev_wh[row] > 0:
        low_word, high_word = number & np.uint64(0xFFFFFFFF), number >> np.uint64(32)
        ahead = np.float64(philox4x32(low_word, high_word, np.uint64(midnight.ordinal), np.uint64(0), k0, k1)[0])
        car = premises.ev_wh[row] * (midnight.since + _CAR * ahead / 2.0**32)
    if solar_w > 0:
        return scale * drawn, scale * other, car
    return drawn + other, 0.0, car


@kernel
def _strengths(number: Word, scale: float, klass: Whole, traits: Traits) -> tuple[float, float, float, float, float]:
    """How much of each component of its class a premise without a roof uses."""
    base, habits, weekend, cooling, heating = _own(number)[:5]
    unit = scale / 128.0
    if klass < _HOMES and scale < traits.lived_in:
        return unit * base * traits.classes[klass, 4], 0.0, 0.0, 0.0, 0.0
    spread = 1.0 + traits.classes[klass, 2] * (weekend - 64) / 64.0
    return unit * base, unit * habits, unit * habits * spread, unit * cooling, unit * heating


@kernel
def fill_registers(
    k0: Word,
    k1: Word,
    rows: NDArray[np.intp],
    premises: Columns,
    midnight: Midnight,
    traits: Traits,
    delivered: Ints,
    received: Ints,
) -> None:
    """Fill delivered[row] and received[row], whole Wh since the era at the midnight, for the given rows."""
    for row in rows:
        drawn, given, car = _at_midnight(k0, k1, premises, row, midnight, traits)
        delivered[row] = np.int64(math.floor(drawn + car))
        received[row] = np.int64(math.floor(given))


@kernel
def _expected(premises: Columns, row: int, traits: Traits, use: Ints, net: Ints) -> tuple[float, float]:
    """Wh that the premise draws without its car and gives on a day, but for its scatter. use, net: of the day, for each class."""
    klass, scale = premises.curves[row] & 3, premises.scales[row]
    if premises.solar_w[row] > 0:
        k, part, beyond = _roof(premises.solar_w[row] / (scale * traits.classes[klass, 3]), traits.roofs)
        low, high = net[klass, k], net[klass, k + 1]
        return scale * (low[0] + part * (high[0] - low[0])), scale * (low[1] + beyond * (high[1] - low[1]))
    base, habits, weekend, cooling, heating = _strengths(premises.hashes[row], scale, klass, traits)
    day = use[klass]
    return base * day[0] + habits * day[1] + weekend * day[2] + cooling * day[3] + heating * day[4], 0.0


@kernel
def _more(day: float, usual: float, spelt: float) -> Whole:
    """Wh that a day has more (or less) where the average one has ``spelt`` in place of ``usual``; the day's scatter is its own."""
    if usual > 0.0:
        return np.int64(day * (spelt - usual) / usual)
    return np.int64(spelt)


@kernel
def fill_spell(
    k0: Word,
    k1: Word,
    rows: NDArray[np.intp],
    premises: Columns,
    ends: tuple[Midnight, Midnight],
    traits: Traits,
    spelt: tuple[Ints, Ints],
    delivered: Ints,
    received: Ints,
) -> None:
    """Add to delivered[row] and received[row] the Wh by which declared weather changes the day between two midnights.

    spelt: (classes, components) and (classes, roofs, 2) of what the average premises use on it.
    """
    use, net = ends[1].use - ends[0].use, ends[1].net - ends[0].net
    for row in rows:
        drawn_0, given_0, _ = _at_midnight(k0, k1, premises, row, ends[0], traits)
        drawn_1, given_1, _ = _at_midnight(k0, k1, premises, row, ends[1], traits)
        usual = _expected(premises, row, traits, use, net)
        other = _expected(premises, row, traits, *spelt)
        delivered[row] += _more(drawn_1 - drawn_0, usual[0], other[0])
        received[row] += _more(given_1 - given_0, usual[1], other[1])


@kernel
def _running(phase: Whole, on: Whole, period: Whole) -> Whole:
    """Seconds that a machine runs in a quarter hour which begins at a phase of its cycle: the first ``on`` of each period (> 900)."""
    end = phase + 900
    # Without a branch, since nothing foretells it.
    return min(end, on) - min(phase, on) + max(min(end - period, on), 0)


@kernel
def _idle(phase: Whole, period: Whole, weights: Ints) -> Whole:
    """Fill the weights of a vacant home, return their sum: a refrigerator, two fifths of the time, and about as much all the time."""
    whole = np.int64(0)
    for i in range(len(weights)):
        weights[i] = 300 + _running((phase + 900 * i) % period, 2 * period // 5, period)
        whole += weights[i]
    return whole


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
    dark = np.empty(load.shape[1], np.float64)
    for d in range(load.shape[0]):
        for i in range(load.shape[1]):
            dark[i] = _netted(load[d, i], 0.0)[0]
        for k in range(len(roofs)):
            drawn = given = 0.0
            for i in range(load.shape[1]):
                made = sun[d, i] * roofs[k]
                # Half of the day no roof makes anything.
                both = _netted(load[d, i], made) if made > 0.0 else (dark[i], 0.0)
                drawn += both[0] * passes[d, i]
                given += both[1] * passes[d, i]
            out[d, k, 0], out[d, k, 1] = drawn, given


@kernel
def _share_out(total: Whole, weights: Ints, whole: Whole, out: NDArray[np.int32]) -> None:
    """Fill out with a total, cut where the running sum of the weights says, so that nothing is lost."""
    running = before = np.int64(0)
    each = np.float64(total) / np.float64(whole)
    for i in range(len(weights)):
        running += weights[i]
        upto = np.int64(np.float64(running) * each) if running < whole else np.int64(total)
        out[i] = upto - before
        before = upto


@kernel
def _within_service(service: Whole, total: Whole, weights: Ints, whole: Whole) -> Whole:
    """Level the weights of a day until no share of the total is more than the service gives, return their sum.

    A day of more than the service gives all day long stays as it is.
    """
    n, most = len(weights), np.int64(0)
    for i in range(n):
        most = max(most, weights[i])
    over, room = most * total - service * whole, service * n - total
    if over <= 0 or room <= 0:
        return whole
    more = over // room + 1
    for i in range(n):
        weights[i] += more
    return whole + n * more


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
    ends: tuple[Midnight, Midnight],
    traits: Traits,
    shape: Shape,
    more: tuple[Ints, Ints],
    start: tuple[Ints, Ints],
    stop: tuple[Ints, Ints],
    delivered: NDArray[np.int32],
    received: NDArray[np.int32],
) -> None:
    """Fill delivered[row] and received[row], (n,) Wh each, with the day between two midnights and ``more``, (m,) Wh each.

    start, stop: filled as ``fill_registers`` does at the two midnights.
    A Philox call gives eight intervals two bytes each: one jitters the small things by an eighth, one switches something large on.
    """
    n = delivered.shape[1]
    weights, given = np.empty(n, np.int64), np.empty(n, np.int64)
    mask, half, byte = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(0xFF)
    day = np.uint64(ends[0].ordinal)
    for row in rows:
        number, klass = premises.hashes[row], premises.curves[row] & 3
        habit, busy, cooling, heating = (
            shape.habit[klass],
            shape.busy[klass],
            shape.cooling[klass],
            shape.heating[klass],
        )
        drawn_0, given_0, car_0 = _at_midnight(k0, k1, premises, row, ends[0], traits)
        drawn_1, given_1, car_1 = _at_midnight(k0, k1, premises, row, ends[1], traits)
        start[0][row], start[1][row] = np.int64(math.floor(drawn_0 + car_0)), np.int64(math.floor(given_0))
        stop[0][row], stop[1][row] = np.int64(math.floor(drawn_1 + car_1)), np.int64(math.floor(given_1))
        total = stop[0][row] - start[0][row] + more[0][row]
        low, high = number & mask, number >> half
        base, habits, _, cools, heats, shift, size, period, plug = _own(number)
        always = (shape.steady[klass] * base) >> 7
        # What a machine draws in a quarter hour, and the seconds of a period it runs for each 65536th of weight that is asked of it.
        cooler = np.int64(traits.classes[klass, 0] * FINE) * cools * size >> 14
        heater = np.int64(traits.classes[klass, 1] * FINE) * heats * size >> 14
        cooler_on, heater_on = ((period * cools) << 9) // cooler, ((period * heats) << 9) // heater
        cooler_s, heater_s = (cooler << 16) // 900, (heater << 16) // 900
        # Its cycles go on through midnights.
        phase = (np.int64(number >> np.uint64(40)) + ends[0].ordinal * 86_400) % period
        vacant = klass < _HOMES and premises.scales[row] < traits.lived_in
        whole = _idle(phase, period, weights) if vacant else np.int64(0)
        left, extra = np.int64(0), np.int64(0)
        w0 = w1 = w2 = w3 = np.uint64(0)
        for i in range(0 if vacant else n):
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
            sent = stop[1][row] - start[1][row] + more[1][row]
            kilowatts = premises.solar_w[row] / (1000.0 * premises.scales[row])
            whole = _under_roof(kilowatts, shape.sun, sent, weights, given, received[row])
        car = min(total, np.int64(car_1 - car_0)) if premises.ev_wh[row] > 0 else np.int64(0)
        whole = _within_service(_SERVICE_WH[klass], total - car, weights, whole)
        _share_out(total - car, weights, whole, delivered[row])
        if car > 0:
            _charge(car, min(plug, n - 1), delivered[row])
