"""The truth: what a premise uses, as a pure function of seed, premise and day. The register is its primitive.

A register at a midnight is closed form (expected curve plus a bounded draw), a day is a difference of two, its intervals are an
exact integer split. One meter and a million go through the same kernel. Premises only use energy as yet: received is 0.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from meters.calendar import day_start, interval_ends, local
from meters.errors import MeterError
from meters.identity import Premise
from meters.jit import kernel
from meters.philox import Word, philox4x32, words
from meters.premises import CLASSES, CURVES, MAX_SCALE, MIN_SCALE, ZONES, PremiseArrays

__all__ = ["ERA", "PremiseArrays", "day_intervals", "intervals", "register", "registers", "scale_to"]

#: Registers count from the midnight that begins this day; there is no truth before it. Default of this project.
ERA = date(2020, 1, 1)
#: Annual mean of a home's day, Wh: about 38 kWh in this market.
MEAN_WH = 38_000.0
#: The hottest day, from which the seasons are counted.
_HOTTEST = date(2020, 8, 1)
_YEAR_S = 365.25 * 86_400
#: A midnight's register lies up to this far above the curve, Wh at scale 1: the days' scatter. Below the least expected day
#: (29.6 kWh), so that every day uses something.
SCATTER_WH = 14_000.0


def register(seed: int, premise: Premise, day: date) -> int:
    """Wh that the premise has used since the era at the local midnight that begins ``day``. O(1), strictly rising by day."""
    return int(registers(seed, PremiseArrays.of([premise]), day)[0])


def intervals(seed: int, premise: Premise, day: date) -> NDArray[np.int32]:
    """(n,) Wh of the operating day's intervals, n = 92, 96 or 100; they add up to the day's registers exactly."""
    wh: NDArray[np.int32] = day_intervals(seed, PremiseArrays.of([premise]), day)[0]
    return wh


def registers(seed: int, premises: PremiseArrays, day: date) -> NDArray[np.int64]:
    """(m,) ``register`` of many premises."""
    out = np.empty(len(premises), np.int64)
    _registers(*words(seed), day.toordinal(), premises.hashes, premises.curves, premises.scales, _expected(day), out)
    return out


def day_intervals(seed: int, premises: PremiseArrays, day: date) -> NDArray[np.int32]:
    """(m, n) ``intervals`` of many premises."""
    steady, thermal, habit, busy = _shape(day)
    start, end = registers(seed, premises, day), registers(seed, premises, date.fromordinal(day.toordinal() + 1))
    out = np.empty((len(premises), len(steady)), np.int32)
    _split(*words(seed), day.toordinal(), premises.hashes, end - start, steady, thermal, habit, busy, out)
    return out


def scale_to(seed: int, premise: Premise, first: date, last: date, wh: int) -> Premise:
    """The premise, scaled so that it uses ``wh`` over the operating days first to last, both included; to 1 Wh.

    Raises MeterError where that needs a scale out of bounds.
    """
    # The register is floor(scale x X) for one real X a midnight: at the largest scale the floor costs least.
    big = replace(premise, scale=MAX_SCALE)
    after = date.fromordinal(last.toordinal() + 1)
    per_scale = (register(seed, big, after) - register(seed, big, first)) / MAX_SCALE
    scale = wh / per_scale if per_scale > 0 else 0.0
    if not MIN_SCALE <= scale <= MAX_SCALE:
        raise MeterError(
            "meters.premise.unscalable",
            f"No scale gives {wh} Wh over {first} to {last}.",
            place=premise.esiid,
            mend="Ask for a use nearer to a home's, and for a last day not before the first.",
        )
    return replace(premise, scale=scale)


@lru_cache(maxsize=512)
def _expected(day: date) -> NDArray[np.float64]:
    """(curves,) Wh at scale 1 expected from the era to the midnight that begins the day: the integral of mean + two cosines.

    It runs over elapsed time, so the day of 23 hours expects 23/24. Python's own floats, so that kernels only multiply.
    """
    if day < ERA:
        raise MeterError("meters.day.before_era", f"{day} is before {ERA}, when registers begin.", place=str(day))
    era, hottest, at = day_start(ERA), day_start(_HOTTEST), day_start(day)
    angle_0, angle_1 = (math.tau * (ts - hottest) / _YEAR_S for ts in (era, at))
    whole = math.sin(angle_1) - math.sin(angle_0)
    half = (math.sin(2 * angle_1) - math.sin(2 * angle_0)) / 2
    radian_days = _YEAR_S / 86_400 / math.tau
    mean = MEAN_WH * (at - era) / 86_400
    yearly = [(ZONES[zone] * CLASSES[klass][0], CLASSES[klass][1]) for zone, klass in CURVES]
    return np.array([mean + radian_days * (year * whole + half_year * half) for year, half_year in yearly])


@lru_cache(maxsize=128)
def _shape(day: date) -> tuple[NDArray[np.int64], ...]:
    """Four (n,) tables over the day's intervals by local clock time, about Wh of an average home.

    steady: what never stops. thermal: air conditioning, highest 16-18 h in summer; in winter heating, morning and night.
    habit: evening and breakfast. busy: chance in 256 that somebody switches something large on.
    """
    clock = [local(int(end) - 450) for end in interval_ends(day)]
    hours = np.array([at.hour + at.minute / 60 + at.second / 3600 for at in clock])
    season = math.cos(math.tau * (day_start(day) - day_start(_HOTTEST)) / _YEAR_S)
    hot, cold = max(0.0, season), max(0.0, -season)
    thermal = hot * (80 + 620 * _bell(hours, 16.3, 3.8)) + cold * (
        80 + 260 * _bell(hours, 6.5, 2.0) + 160 * _bell(hours, 22.0, 3.0)
    )
    habit = 130 * _bell(hours, 7.3, 1.2) + 150 * _bell(hours, 19.8, 1.8)
    busy = 3 + 9 * _bell(hours, 12.0, 5.0) + 16 * _bell(hours, 19.0, 2.5)
    steady = np.full(len(hours), 170.0)
    return tuple(np.rint(table).astype(np.int64) for table in (steady, thermal, habit, busy))


def _bell(hours: NDArray[np.float64], centre: float, width: float) -> NDArray[np.float64]:
    """A bump of height 1 around a clock time, with midnight joined to midnight."""
    away = np.abs(hours - centre)
    bump: NDArray[np.float64] = np.exp(-0.5 * (np.minimum(away, 24 - away) / width) ** 2)
    return bump


@kernel
def _registers(
    k0: Word,
    k1: Word,
    ordinal: int,
    hashes: NDArray[np.uint64],
    curves: NDArray[np.int64],
    scales: NDArray[np.float64],
    expected: NDArray[np.float64],
    out: NDArray[np.int64],
) -> None:
    """Fill out[m] = floor(scale x (expected + scatter x uniform)). Rises, since the scatter is less than any day."""
    mask, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    day, purpose = np.uint64(ordinal), np.uint64(0)
    for row in range(len(hashes)):
        word = philox4x32(hashes[row] & mask, hashes[row] >> half, day, purpose, k0, k1)[0]
        uniform = np.float64(word) / 2.0**32
        out[row] = np.int64(math.floor(scales[row] * (expected[curves[row]] + SCATTER_WH * uniform)))


@kernel
def _split(
    k0: Word,
    k1: Word,
    ordinal: int,
    hashes: NDArray[np.uint64],
    totals: NDArray[np.int64],
    steady: NDArray[np.int64],
    thermal: NDArray[np.int64],
    habit: NDArray[np.int64],
    busy: NDArray[np.int64],
    out: NDArray[np.int32],
) -> None:
    """Fill out[m, n]: each day's total cut where the running sum of its weights says, in integers, so nothing is lost.

    A Philox call gives eight intervals two bytes each: one jitters the weight by a quarter (compressor cycles), one switches
    something large on, for one to four intervals.
    """
    n = out.shape[1]
    weights = np.empty(n, np.int64)
    mask, half, byte = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(0xFF)
    day = np.uint64(ordinal)
    for row in range(len(hashes)):
        low, high = hashes[row] & mask, hashes[row] >> half
        # What is the home's own: strength of cooling and of habits (in 128ths), and up to an hour's shift of the habits.
        own = hashes[row] * np.uint64(0x9E3779B97F4A7C15)
        cooling = 80 + np.int64(own >> np.uint64(57))
        habits = 64 + np.int64((own >> np.uint64(50)) & np.uint64(0x7F))
        shift = np.int64((own >> np.uint64(40)) & np.uint64(7)) - 4
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
            if left > 0:
                left -= np.int64(1)
            elif event < busy[i]:
                left = jitter & np.int64(3)
                extra = 150 + jitter
            else:
                extra = np.int64(0)
            j = min(max(i + shift, 0), n - 1)
            smooth = steady[i] + (thermal[i] * cooling + habit[j] * habits) // 128
            weights[i] = smooth * (192 + (jitter >> 1)) // 256 + extra
            whole += weights[i]
        running = before = np.int64(0)
        for i in range(n):
            running += weights[i]
            upto = np.int64(np.uint64(running * totals[row]) // np.uint64(whole))
            out[row, i] = upto - before
            before = upto
