"""What a meter shows to whoever reads it: the records that cross from the meter to the wire, and to a fleet's ledger."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meters.calendar import Seconds


class Window(NamedTuple):
    """Complete intervals in raw units (energy = raw x multiplier), each (n,)."""

    delivered: NDArray[np.int32]
    received: NDArray[np.int32]
    #: Words as in ``meters.status``.
    status: NDArray[np.uint16]
    #: False where the meter has no delivered value. A channel holds 0 where its nibble says that it has none.
    present: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Live:
    """What a meter shows at an instant. Energy in raw units."""

    #: The meter's own clock, UTC epoch seconds.
    time: Seconds
    delivered_register: int
    received_register: int
    #: All that the meter has counted from its first registers on: neither a last dial nor a reset begins it again.
    delivered_total: int
    received_total: int
    #: Since the last interval end by the meter's clock.
    partial_delivered: int
    partial_received: int
    partial_seconds: Seconds
    #: Service switch.
    switch_closed: bool


@dataclass(frozen=True, slots=True)
class Power:
    """What a meter shows of its line at an instant."""

    #: Mean power of the running interval, W: above 0 delivered to the premise, below 0 received from it.
    watts: int
    #: Line to line, tenths of a volt: the sum of the two legs of a split phase, or the mean of a wye's three pairs.
    decivolts: int
    #: The line has failed (a meter that is read all the same has a battery).
    failed: bool = False


class Wire(StrEnum):
    """What becomes of a request to a meter."""

    ANSWER = "answer"
    #: Nothing comes: exception 0x0B of its gateway, or silence.
    SILENT = "silent"
    #: Its gateway has no path to it: exception 0x0A, or silence.
    NO_PATH = "no_path"
    #: A Modbus exception with the code of ``Reply``.
    EXCEPTION = "exception"
    #: The reply carries another transaction id than the request, another unit id, a length that is not its own.
    WRONG_TRANSACTION = "wrong_transaction"
    WRONG_UNIT = "wrong_unit"
    WRONG_LENGTH = "wrong_length"


@dataclass(frozen=True, slots=True)
class Reply:
    """How a meter behaves on the wire at an instant."""

    wire: Wire = Wire.ANSWER
    #: Exception code of ``Wire.EXCEPTION``.
    code: int = 0
    #: Wall seconds before the reply is sent.
    delay_s: float = 0.0


class WriteResult(StrEnum):
    """What becomes of a write to a meter."""

    DONE = "done"
    #: The value is not one that the meter takes: a clock too far off, a switch position that there is none of.
    REFUSED = "refused"
    #: It could not be kept, so it was not carried out.
    FAILED = "failed"


class CommandKind(StrEnum):
    """What a command to a meter is about."""

    SWITCH = "switch"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Command:
    """A command that a meter has taken. ``at``: true time, UTC epoch seconds."""

    kind: CommandKind
    at: Seconds
    #: Of the switch: 1 closed, 0 open. Of the clock: what it was set to show.
    to: int
