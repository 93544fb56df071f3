"""A roof's share: what a premise draws and what it gives when its load is netted against the sun, and how a total is shared out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meters.jit import kernel

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
#: A number inside a kernel.
Whole = int | np.int64

#: Within a quarter hour a premise uses now less, now more than its average: share of the time, and multiple. A meter nets each.
_SWINGS = ((0.3, 0.2), (0.4, 1.0), (0.3, 1.8))
#: A day that gives less than this to the grid gives it in its best hours, Wh: below it, thin shares would be all alike.
_LITTLE_WH = 500


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
def share_out(total: Whole, weights: Ints, whole: Whole, out: NDArray[np.int32]) -> None:
    """Fill out with a total, cut where the running sum of the weights says, so that nothing is lost."""
    running = before = np.int64(0)
    for i in range(len(weights)):
        running += weights[i]
        upto = np.int64(np.uint64(running * total) // np.uint64(whole))
        out[i] = upto - before
        before = upto


@kernel
def under_roof(
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
        share_out(sent, given, over_all, received)
    return whole
