"""Estimates made to add up to the registers: what the good intervals leave of R1 - R0 is what the estimates must sum to."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from headend.ports import BoolArray, IntArray


class Scaling(StrEnum):
    """What became of a day's estimates."""

    #: Nothing was estimated: nothing may be changed.
    NOTHING = "nothing"
    #: Multiplied by D / sum(estimates).
    MULTIPLIED = "multiplied"
    #: The estimates were all 0: each got an equal share of D.
    SHARED = "shared"
    #: D a little below 0, within the tolerance: set to 0.
    ZEROED = "zeroed"
    #: D below the tolerance: the good intervals alone exceed the registers, so the sum check has failed.
    REFUSED = "refused"


def scale_to_registers(
    wh: IntArray, estimated: BoolArray, register_wh: int, tolerance_wh: int
) -> tuple[IntArray, Scaling]:
    """Scale the estimates of one day so that the day sums to its registers.

    wh: (intervals,) Wh, estimates >= 0. estimated: (intervals,) True where the value is an estimate. register_wh: R1 - R0 in Wh,
    multiplied. With D = register_wh - sum(good): D >= 0 multiplies the estimates by D / sum(estimates), or shares D equally if that sum is
    0; -tolerance <= D < 0 sets them to 0; D < -tolerance leaves everything. What rounding leaves over goes into the largest estimate (the
    first of equals), so with D >= 0 the day sums exactly. Good intervals never change.
    Source: EEI UBP Vol. 2 (2000).
    """
    if not estimated.any():
        return wh, Scaling.NOTHING
    owed = register_wh - int(wh[~estimated].sum(dtype=np.int64))
    if owed < -tolerance_wh:
        return wh, Scaling.REFUSED
    out = wh.copy()
    if owed < 0:
        out[estimated] = 0
        return out, Scaling.ZEROED
    guess = wh[estimated].astype(np.int64)
    total = int(guess.sum())
    how = Scaling.MULTIPLIED if total else Scaling.SHARED
    weights = guess if total else np.ones_like(guess)
    # Rounding down keeps every share >= 0 and the residue too; both factors are below 2^31, so the product fits.
    shares = weights * owed // (total or len(guess))
    shares[int(shares.argmax())] += owed - int(shares.sum())
    out[estimated] = shares
    return out, how
