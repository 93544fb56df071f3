"""What the recorded intervals of one meter show instead of the truth. An interval lies in a fault's span when it begins in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from meters.calendar import INTERVAL_S, Seconds
from meters.faults.fault import Fault
from meters.faults.kinds import Channel, FaultKind, Layer
from meters.status import Condition

_MAX_RAW = np.iinfo(np.int32).max
#: The nibbles of a status word that speak of the channels.
_NIBBLES = {Channel.DELIVERED: np.uint16(0x0F00), Channel.RECEIVED: np.uint16(0x00F0), Channel.BOTH: np.uint16(0x0FF0)}
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
    true_at: Callable[[Seconds], tuple[int, int]],
) -> None:
    """Put the faults of the recorded intervals over one meter's columns, in place; other layers' faults are left out.

    start: UTC epoch seconds at which the first interval begins. delivered, received, status: (n,), raw units.
    true_at: the true values, delivered and received, of the interval that begins then, for values that stuck before the columns begin.
    A fault takes the channels that it names, values and nibbles.
    """
    for fault in sorted((one for one in faults if one.row.layer is Layer.INTERVALS), key=order):
        low = min(max((fault.first - start) // INTERVAL_S, 0), len(status))
        high = min(max((fault.until - start) // INTERVAL_S, 0), len(status))
        if low >= high:
            continue
        span = slice(low, high)
        which = fault.channel or Channel.BOTH
        columns = {Channel.DELIVERED: (delivered,), Channel.RECEIVED: (received,)}.get(which, (delivered, received))
        touched = np.ones(high - low, np.bool_)
        if fault.kind is FaultKind.OVERFLOW:
            # A counter that has not come to its limit has not overflowed.
            touched = np.max([column[span] for column in columns], axis=0) > int(fault.params["limit"])
        stuck = true_at(fault.first) if fault.kind is FaultKind.STUCK else (0, 0)
        _values(fault, columns, span, stuck[1:] if which is Channel.RECEIVED else stuck)
        if fault.kind in _SAYS:
            said, bits = np.uint16(_SAYS[fault.kind] << 8 | _SAYS[fault.kind] << 4), _NIBBLES[which]
            status[span] = np.where(touched, status[span] & ~bits | said & bits, status[span])


def order(fault: Fault) -> tuple[int, Seconds]:
    """Sorts a meter's faults of intervals as they are put over each other, the last on top."""
    return _ORDER.index(fault.kind), fault.first


def _values(fault: Fault, columns: Sequence[NDArray[np.int32]], span: slice, stuck: Sequence[int]) -> None:
    """stuck: of each column, what its value stuck at."""
    params = fault.params
    for place, column in enumerate(columns):
        match fault.kind:
            case FaultKind.SPIKE:
                column[span] = _times(column[span], params["factor"])
            case FaultKind.STUCK:
                column[span] = stuck[place]
            case FaultKind.NEGATIVE:
                column[span] = -np.abs(column[span])
            case FaultKind.PARTIAL | FaultKind.LONG:
                column[span] = _times(column[span], params["fraction"] + (fault.kind is FaultKind.LONG))
            case FaultKind.OVERFLOW:
                column[span] = np.minimum(column[span], int(params["limit"]))
            case FaultKind.TEST_MODE:
                # Test pulses are energy in one direction.
                column[span] = 0 if place else int(params["wh"])
            case FaultKind.ZERO | FaultKind.SKIPPED | FaultKind.GAP:
                column[span] = 0


def _times(raw: NDArray[np.int32], factor: float) -> NDArray[np.int32]:
    scaled: NDArray[np.int32] = np.minimum(np.rint(raw * float(factor)), _MAX_RAW).astype(np.int32)
    return scaled
