"""Every draw of a request, by key: seed, call, attempt of the call, purpose, number. Whoever asks, and in whatever order, gets the same.

The compiled engine and the reference over the live processes call these functions, so neither order nor policy can move a draw.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from headend.network.law import TRY_TIMEOUT_US
from meters.calendar import Micros, micros
from meters.kernels.jit import lean_kernel
from meters.kernels.philox import philox4x32
from simulator.capacity.engine.law import Law, Longs
from simulator.capacity.engine.throttle import day_place

#: What a draw is for. The first four are of a call, the others of a meter.
MIDDLE, PATH, TRY, AGAIN, METER, DAY = range(6)

_MASK = 0xFFFFFFFF
_SECOND: Any = 1_000_000
_TIMEOUT_US = TRY_TIMEOUT_US


@lean_kernel
def last_from(t: Longs, m: Longs, cursor: int, first: int, count: int, at: int) -> int:
    """Of ``count`` ascending numbers of the tables from place ``first`` on, the place of the last that is not above ``at``; one before ``first`` if none is.

    cursor: where in the memory stands what was found last, which is near: time goes on.
    """
    place = first - 1 + m[cursor]
    while place + 1 < first + count and t[place + 1] <= at:
        place += 1
    while place >= first and t[place] > at:
        place -= 1
    m[cursor] = place - first + 1
    return int(place)


@lean_kernel
def four(law: Law, key: int, attempt: int, purpose: int, number: int) -> tuple[float, float, float, float]:
    """Four numbers, uniform in (0, 1)."""
    low, high = np.uint64(key & _MASK), np.uint64((key >> 32) & _MASK)
    a, b, c, d = philox4x32(
        low, high, np.uint64(attempt << 8 | purpose), np.uint64(number), law.seed_low, law.seed_high
    )
    return (a + 0.5) / 4294967296.0, (b + 0.5) / 4294967296.0, (c + 0.5) / 4294967296.0, (d + 0.5) / 4294967296.0


@lean_kernel
def normal(u: float) -> float:
    """The standard normal quantile, to a relative error of 1.2e-9. Source: Acklam, "An algorithm for computing the inverse normal cumulative distribution function" (2003)."""
    if u < 0.02425 or u > 0.97575:
        tail = u if u < 0.5 else 1.0 - u
        q = math.sqrt(-2.0 * math.log(tail))
        top = -7.784894002430293e-03 * q - 3.223964580411365e-01
        top = ((top * q - 2.400758277161838) * q - 2.549732539343734) * q + 4.374664141464968
        under = (7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996
        z = (top * q + 2.938163982698783) / ((under * q + 3.754408661907416) * q + 1.0)
        return z if u < 0.5 else -z
    q = u - 0.5
    r = q * q
    top = (-3.969683028665376e01 * r + 2.209460984245205e02) * r - 2.759285104469687e02
    top = ((top * r + 1.383577518672690e02) * r - 3.066479806614716e01) * r + 2.506628277459239
    under = (-5.447609879822406e01 * r + 1.615858368580409e02) * r - 1.556989798598866e02
    under = ((under * r + 6.680131188771972e01) * r - 1.328068155288572e01) * r + 1.0
    return q * top / under


@lean_kernel
def middle_way(
    law: Law, t: Longs, m: Longs, call: int, attempt: int, accepted_us: Micros
) -> tuple[Micros, Micros, int]:
    """When an accepted request is picked up (microseconds since the epoch), how long the way back takes, and what the middle tier does to it.

    That is 0 for taking it through, 1 for ending it FAILED, 2 T-FAILED. Asked once for each, in the order of acceptance: the memory counts its batch.
    """
    z, which, slow, wait = four(law, call, attempt, MIDDLE, 0)
    if which < law.slow_share:
        whole = micros((law.slow_from_s + slow * (law.slow_to_s - law.slow_from_s)) * _SECOND)
    else:
        whole = micros(law.middle_median_s * math.exp(law.middle_sigma * normal(z)) * _SECOND)
    if law.batched:
        picked_us = _batch(law, m, accepted_us)
    else:
        picked_us = accepted_us + min(micros(wait * law.pickup_us), whole)
    return picked_us, max(micros(0), accepted_us + whole - picked_us), _lost(law, t, m, which, picked_us)


@lean_kernel
def _batch(law: Law, m: Longs, accepted_us: Micros) -> Micros:
    """The batch that has room for one more."""
    at_us = accepted_us - accepted_us % law.pickup_us + law.pickup_us
    batch = law.batch_place
    if at_us > m[batch]:
        m[batch], m[batch + 1] = at_us, 0
    elif law.batch_size and m[batch + 1] >= law.batch_size:
        m[batch], m[batch + 1] = m[batch] + law.pickup_us, 0
    m[batch + 1] += 1
    return micros(m[batch])


@lean_kernel
def _lost(law: Law, t: Longs, m: Longs, which: float, picked_us: Micros) -> int:
    if law.clustered:
        # Begins stand at even places, so from an odd one no spell goes on.
        at = last_from(t, m, law.cursors_place, law.losing_place, law.losing_n, picked_us) - law.losing_place
        if at < 0 or at % 2:
            return 0
        # The digits that have not decided anything yet.
        return 1 + (which * 1024.0 % 1.0 < 0.5)
    if which < 1.0 - law.lost_share:
        return 0
    return 1 + (which >= 1.0 - law.lost_share / 2)


@lean_kernel
def tried(law: Law, call: int, attempt: int, number: int) -> tuple[Micros, Micros, bool]:
    """One try at the meter: microseconds out and back, and whether the network lets it be heard. Law: ``NetworkLaw.tries``."""
    path = four(law, call, attempt, PATH, 0)
    hops = 0
    while law.hops_upto[hops] < path[0]:
        hops += 1
    heard = path[1] if number == 0 else path[2] if number == 1 else path[3]
    if number > 2:
        heard = four(law, call, attempt, PATH, number)[1]
    a, b, c, d = four(law, call, attempt, TRY, number)
    out = math.exp(law.hops_mean[hops] + law.hops_sigma[hops] * normal(a))
    back = math.exp(law.hops_mean[hops] + law.hops_sigma[hops] * normal(b))
    out_us = max(micros(1), micros((out + law.backhaul_s * math.exp(law.backhaul_sigma * normal(c))) * _SECOND))
    back_us = max(micros(1), micros((back + law.backhaul_s * math.exp(law.backhaul_sigma * normal(d))) * _SECOND))
    return out_us, back_us, heard >= law.unheard and out_us + back_us < _TIMEOUT_US


@lean_kernel
def meter(law: Law, esi: int) -> tuple[float, Micros]:
    """A meter: what ``answers`` goes by, and the microseconds from a sweep's begin until it is read, the same each time."""
    state, place, _, _ = four(law, esi, 0, METER, 0)
    return state, micros(place * law.sweep_takes_us)


@lean_kernel
def answers(law: Law, t: Longs, esi: int, state: float, at_us: Micros) -> bool:
    """Whether a meter is one that answers on the operating day of an instant: good ones always, flaky ones on half of the days."""
    if state >= law.good + law.flaky:
        return False
    return state < law.good or four(law, esi, 0, DAY, t[day_place(t, at_us // _SECOND)] // 3600)[0] < 0.5


@lean_kernel
def calls_again(law: Law, call: int, attempt: int, requester_class: int, ended_us: Micros) -> Micros:
    """When a caller who was not told in the call asks again, microseconds since the epoch; -1: never."""
    if attempt >= law.most_again or not (law.again_classes >> requester_class) & 1:
        return micros(-1)
    which, after, _, _ = four(law, call, attempt, AGAIN, 0)
    return ended_us + micros(-math.log(after) * law.again_mean_s * _SECOND) if which < law.again_share else micros(-1)


@lean_kernel
def patience_again_us(law: Law, call: int, attempt: int) -> Micros:
    """How long a caller who asks again waits for the answer, microseconds."""
    return micros(-math.log(four(law, call, attempt, AGAIN, 1)[0]) * law.patience_s * _SECOND)
