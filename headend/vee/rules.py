"""The validation rules: each a formula from arrays to flags, True where the rule fails. Nothing here changes a value.

Sources: EEI *Uniform Business Practices for Unbundled Electricity Metering*, Vol. 2 (2000), and its public twin, the
Californian DASMMD rules. Thresholds without a source are defaults of this project and say so.
"""

from __future__ import annotations

import numpy as np

from headend.ports import BoolArray, IntArray, LongArray, StatusArray
from headend.vee.quality import Channel
from meters.status import Common, Condition, common_nibble, delivered_condition, received_condition

#: Largest day's energy that fits the interval arrays.
_MOST_WH = np.iinfo(np.int32).max


def missing_check(present: BoolArray) -> BoolArray:
    """Flag intervals without a value.

    present: (meters, intervals). Returns (meters, intervals) True where there is nothing.
    Source: EEI UBP Vol. 2 (2000), missing intervals / gap.
    """
    return ~present


def negative_check(wh: IntArray) -> BoolArray:
    """Flag intervals of negative energy: a channel counts one direction only.

    wh: (meters, intervals) Wh. Returns (meters, intervals) True where x < 0.
    Source: EEI UBP Vol. 2 (2000).
    """
    flags: BoolArray = wh < 0
    return flags


def spike_intervals(wh: IntArray, floor_wh: int = 500, ratio: float = 1.8) -> BoolArray:
    """Flag the intervals that tower over the third highest of their day.

    wh: (meters, intervals) energy in Wh, missing intervals already masked out (as 0).
    Returns (meters, intervals) True where (x - p3) / p3 > ratio and x >= floor_wh; p3 is the day's third-highest interval.
    So at most two intervals a day. Days with p3 = 0, which includes days of fewer than three values, pass.
    Source: EEI UBP Vol. 2 (2000); ratio as in the DASMMD pass/fail criterion. floor_wh is a default of this project.
    """
    if wh.shape[1] < 3:
        return np.zeros(wh.shape, dtype=np.bool_)
    third: LongArray = np.partition(wh, -3, axis=1)[:, -3, None].astype(np.int64)
    # Whole thousandths, so that a day exactly at the ratio passes whatever the binary fraction of 1.8 is.
    towers: BoolArray = (wh - third) * 1000 > round(ratio * 1000) * third
    flags: BoolArray = towers & (third > 0) & (wh >= floor_wh)
    return flags


def condition_check(status: StatusArray, channel: Channel) -> BoolArray:
    """Flag intervals of which the meter itself says that the value is not what was used.

    status: (meters, intervals) status words as in ``meters.status``. Returns (meters, intervals) True for overflow, partial, long, skipped,
    test mode, configuration changed, stopped in the channel, and for a clock set forward or back. A power failure alone does not fail.
    Source: EEI UBP Vol. 2 (2000), status flags; conditions as in ANSI C12.19.
    """
    condition = delivered_condition(status) if channel is Channel.LOAD else received_condition(status)
    clock_set = (common_nibble(status) & (Common.CLOCK_FORWARD | Common.CLOCK_BACK)) != 0
    flags: BoolArray = (condition != Condition.OK) | clock_set
    return flags


def power_failures(status: StatusArray) -> BoolArray:
    """(meters, intervals) True where the status word tells of a power failure."""
    flags: BoolArray = np.not_equal(common_nibble(status) & Common.POWER_FAIL, 0)
    return flags


def register_advance(
    r0: LongArray, r1: LongArray, have_r0: BoolArray, have_r1: BoolArray
) -> tuple[LongArray, BoolArray]:
    """Energy of the day by its midnight registers.

    r0, r1: (meters,) Wh, multiplied. Returns (meters,) R1 - R0 in Wh (0 where unusable) and (meters,) True where it can be used: both
    registers held, not running backwards (rollover, reset and exchange are not resolved here), and no more than the arrays can hold.
    """
    advance = np.where(have_r0 & have_r1, r1 - r0, 0)
    usable = have_r0 & have_r1 & (advance >= 0) & (advance <= _MOST_WH)
    return np.where(usable, advance, 0), usable


def sum_tolerance(
    register_wh: LongArray, multiplier: LongArray | int = 1, lsb_wh: int = 1, per_mille: int = 1
) -> LongArray:
    """How far a day's intervals may be from its registers: max(2 LSB M, 0.1 %).

    register_wh: (meters,) R1 - R0 in Wh, multiplied. multiplier: (meters,) or one for all. lsb_wh: Wh of one count of the register.
    Returns (meters,) Wh. Both terms are defaults of this project, for a day of Wh registers.
    """
    counts: LongArray = np.maximum(
        2 * lsb_wh * np.asarray(multiplier, dtype=np.int64), np.abs(register_wh) * per_mille // 1000
    )
    return counts


def sum_check(sum_wh: LongArray, register_wh: LongArray, tolerance_wh: LongArray) -> BoolArray:
    """Flag days whose intervals do not add up to their registers.

    sum_wh, register_wh, tolerance_wh: (meters,) Wh. Returns (meters,) True where abs(sum x - (R1 - R0) M) > tolerance.
    Source: EEI UBP Vol. 2 (2000), sum check; tolerance see ``sum_tolerance``.
    """
    flags: BoolArray = np.greater(np.abs(sum_wh - register_wh), tolerance_wh)
    return flags
