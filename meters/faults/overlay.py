"""What the recorded intervals of one meter show instead of the truth. An interval lies in a fault's span when it begins in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from meters.calendar import INTERVAL_S, Seconds
from meters.faults.fault import Fault
from meters.faults.kinds import FaultKind, Layer
from meters.status import Condition

_MAX_RAW = np.iinfo(np.int32).max
_CHANNELS = np.uint16(0x0FF0)
#: What the channels' nibbles say of an interval under a fault; kinds that are not here are silent.
_SAYS: dict[FaultKind, Condition] = {
    FaultKind.PARTIAL: Condition.PARTIAL,
    FaultKind.LONG: Condition.LONG,
    FaultKind.OVERFLOW: Condition.OVERFLOW,
    FaultKind.TEST_MODE: Condition.TEST_MODE,
    FaultKind.CONFIGURATION: Condition.CONFIGURATION_CHANGED,
    FaultKind.SKIPPED: Condition.SKIPPED,
    FaultKind.GAP: Condition.STOPPED,
}
#: Kinds that take the value away come last: what was not recorded cannot spike.
_ORDER = [kind for kind in FaultKind if kind not in (FaultKind.SKIPPED, FaultKind.GAP)] + [
    FaultKind.SKIPPED,
    FaultKind.GAP,
]


def overlay(
    faults: Sequence[Fault],
    start: Seconds,
    delivered: NDArray[np.int32],
    received: NDArray[np.int32],
    status: NDArray[np.uint16],
    true_at: Callable[[Seconds], int],
) -> None:
    """Put the faults of the recorded intervals over one meter's columns, in place; other layers' faults are left out.

    start: UTC epoch seconds at which the first interval begins. delivered, received, status: (n,), raw units.
    true_at: the true delivered value of the interval that begins then, for a value that stuck before the columns begin.
    Spikes, stuck and negative values and zeros are the delivered channel's alone.
    """
    mine = [fault for fault in faults if fault.row.layer is Layer.INTERVALS]
    for fault in sorted(mine, key=lambda fault: (_ORDER.index(fault.kind), fault.first)):
        low = min(max((fault.first - start) // INTERVAL_S, 0), len(status))
        high = min(max((fault.until - start) // INTERVAL_S, 0), len(status))
        if low >= high:
            continue
        span = slice(low, high)
        touched = np.ones(high - low, np.bool_)
        if fault.kind is FaultKind.OVERFLOW:
            # A counter that has not come to its limit has not overflowed.
            touched = np.maximum(delivered[span], received[span]) > int(fault.params["limit"])
        _values(fault, delivered, received, span, lambda fault=fault: true_at(fault.first))  # type: ignore[misc]
        if fault.kind in _SAYS:
            said = np.uint16(_SAYS[fault.kind] << 8 | _SAYS[fault.kind] << 4)
            status[span] = np.where(touched, status[span] & ~_CHANNELS | said, status[span])


def _values(
    fault: Fault, delivered: NDArray[np.int32], received: NDArray[np.int32], span: slice, first: Callable[[], int]
) -> None:
    params = fault.params
    match fault.kind:
        case FaultKind.SPIKE:
            delivered[span] = _times(delivered[span], params["factor"])
        case FaultKind.STUCK:
            delivered[span] = first()
        case FaultKind.NEGATIVE:
            delivered[span] = -np.abs(delivered[span])
        case FaultKind.ZERO:
            delivered[span] = 0
        case FaultKind.PARTIAL | FaultKind.LONG:
            factor = params["fraction"] + (1.0 if fault.kind is FaultKind.LONG else 0.0)
            for column in (delivered, received):
                column[span] = _times(column[span], factor)
        case FaultKind.OVERFLOW:
            for column in (delivered, received):
                column[span] = np.minimum(column[span], int(params["limit"]))
        case FaultKind.TEST_MODE:
            delivered[span], received[span] = int(params["wh"]), 0
        case FaultKind.SKIPPED | FaultKind.GAP:
            delivered[span], received[span] = 0, 0


def _times(raw: NDArray[np.int32], factor: float) -> NDArray[np.int32]:
    scaled: NDArray[np.int32] = np.minimum(np.rint(raw * float(factor)), _MAX_RAW).astype(np.int32)
    return scaled
