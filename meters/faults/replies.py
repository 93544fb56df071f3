"""How a meter with faults behaves on the wire at an instant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from meters.calendar import Seconds, day_of
from meters.faults.fault import Fault
from meters.faults.kinds import FaultKind
from meters.kernels.philox import philox4x32, words
from meters.shown import Reply, Wire

#: Counter word of the draw whether a flaky meter answers on a day.
_FLAKY = np.uint64(0xF1A2)
_PLAIN = Reply()
#: The worst first: what makes a meter silent hides whatever else is wrong with its replies.
_SEEN_AS: dict[FaultKind, Wire] = {
    FaultKind.NO_PATH: Wire.NO_PATH,
    FaultKind.OUTAGE: Wire.SILENT,
    FaultKind.DEAD: Wire.SILENT,
    FaultKind.FLAKY: Wire.SILENT,
    FaultKind.EXCEPTION: Wire.EXCEPTION,
    FaultKind.WRONG_TRANSACTION: Wire.WRONG_TRANSACTION,
    FaultKind.WRONG_UNIT: Wire.WRONG_UNIT,
    FaultKind.WRONG_LENGTH: Wire.WRONG_LENGTH,
}


def reply(faults: Sequence[Fault], seed: int, esiid_hash: int, now: Seconds) -> Reply:
    """The behaviour of the meter with these faults. A flaky one answers for a whole operating day or not at all, drawn by day."""
    active = [fault for fault in faults if fault.covers(now) and silences(fault.kind)]
    if not active:
        return _PLAIN
    delay = sum(fault.params["seconds"] for fault in active if fault.kind is FaultKind.SLOW)
    for kind, wire in _SEEN_AS.items():
        for fault in active:
            if fault.kind is kind and not (kind is FaultKind.FLAKY and answers_on(fault, seed, esiid_hash, now)):
                return Reply(wire, int(fault.params.get("code", 0)), delay)
    return Reply(Wire.ANSWER, 0, delay)


def silences(kind: FaultKind) -> bool:
    """Whether it acts on replies alone, and leaves what a meter holds as it is."""
    return kind in _SEEN_AS or kind is FaultKind.SLOW


def answers_on(fault: Fault, seed: int, esiid_hash: int, now: Seconds) -> bool:
    """Whether a flaky meter answers on the operating day of ``now``."""
    low, high = words(esiid_hash)
    word = philox4x32(low, high, np.uint64(day_of(now).toordinal()), _FLAKY, *words(seed))[0]
    return int(word) < fault.params["answers"] * 2**32
