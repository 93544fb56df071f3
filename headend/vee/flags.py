"""What the compiled checks share: the bits that an interval may be flagged by, what they say of a channel, how a finding is written."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headend.ports import BoolArray, LongArray
from headend.vee.findings import FindingArray
from headend.vee.records import Asset, OctetArray, Power
from headend.vee.rules import Limits
from meters.kernels.jit import kernel
from meters.status import Common

#: Bits of ``Flags.bad``. The last is also that of a whole day, if nothing that was read of it is to be trusted.
MISSING, NEGATIVE, CONDITION, HARD_MAXIMUM, SPIKE, STUCK, ZERO, RESIDUAL = (1 << bit for bit in range(8))
#: The channel of what is taken, and of status and power what explains that nothing is.
LOAD = 4
POWER_FAIL = int(Common.POWER_FAIL) << 12
NO_USE = int(Power.OUT | Power.SWITCH_OPEN)
_THREE_PHASE = int(Asset.THREE_PHASE)
_MOST = 2**31 - 1


class Flags(NamedTuple):
    """What the rules say of one channel."""

    #: (m, n) the bits above; 0: the value stands.
    bad: OctetArray
    #: (m,) Wh of the day by its registers; -1: not known.
    advance: LongArray
    #: (m,) Wh that sum and registers may differ by.
    tolerance: LongArray
    #: (m,) True where the sum check failed.
    failed: BoolArray
    #: (m,) True where it failed, or something is flagged.
    touched: BoolArray


def no_flags(shape: tuple[int, int]) -> Flags:
    """To be filled by ``validate_rows``. shape: meters, intervals."""
    m = shape[0]
    return Flags(
        np.zeros(shape, np.uint8), np.full(m, -1, np.int64), np.zeros(m, np.int64), *np.zeros((2, m), np.bool_)
    )


@kernel
def service_wh(limits: Limits, multiplier: int, asset: int) -> int:
    """Most Wh that a meter's service carries in an interval."""
    most = limits.interval_hard_maximum_wh * multiplier
    return most * 3 // 2 if (asset & _THREE_PHASE) != 0 else most


@kernel
def tell(
    findings: FindingArray,
    told: int,
    row: int,
    rule: int,
    channel: int,
    first: int,
    last: int,
    value: int,
    limit: int,
) -> int:
    """Write a finding if there is room; returns how many were told with it."""
    if told < len(findings):
        one = findings[told]
        one["row"], one["rule"], one["channel"], one["first"], one["last"] = row, rule, channel, first, last
        one["value"], one["limit"] = min(max(value, -_MOST), _MOST), min(max(limit, -_MOST), _MOST)
    return told + 1


@kernel
def is_zero(x: int, status: int, power: int) -> bool:
    """Nothing, though neither outage nor open switch says why."""
    return x == 0 and (status & POWER_FAIL) == 0 and (power & NO_USE) == 0
