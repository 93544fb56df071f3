"""Status word of an interval: nibbles as in the ANSI C12.19 extended interval status, and what they say about the value.

Bits 15-12 are common to the interval, 11-8 belong to the delivered channel (LSE 4), 7-4 to the received one (LSE 1), 3-0 are 0.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray


class Common(IntFlag):
    """The common nibble: conditions of the whole interval."""

    DST = 1
    POWER_FAIL = 2
    CLOCK_FORWARD = 4
    CLOCK_BACK = 8


class Condition(IntEnum):
    """A channel's nibble: one condition of its value."""

    OK = 0
    OVERFLOW = 1
    PARTIAL = 2
    LONG = 3
    SKIPPED = 4
    TEST_MODE = 5
    CONFIGURATION_CHANGED = 6
    STOPPED = 7


# Arrays compare with plain numbers in half the time.
_SKIPPED, _STOPPED = int(Condition.SKIPPED), int(Condition.STOPPED)


def status_word(common: int, channel: Condition) -> int:
    """The word with one condition in both channels."""
    return common << 12 | channel << 8 | channel << 4


def common_nibble(status: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """(n,) ``Common`` flags of status words."""
    return status >> np.uint16(12)


def delivered_condition(status: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """(n,) ``Condition`` of the delivered channel (LSE 4)."""
    return status >> np.uint16(8) & np.uint16(0xF)


def received_condition(status: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """(n,) ``Condition`` of the received channel (LSE 1)."""
    return status >> np.uint16(4) & np.uint16(0xF)


def has_value(status: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """(n,) False where the meter itself has no delivered value: interval skipped, or recording stopped."""
    return ~_none(delivered_condition(status))


def lacks_received(status: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """(n,) True where the meter itself has no received value."""
    return _none(received_condition(status))


def of_several(status: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """(n,) one word for each interval of several meters: the flags of all, and of each channel's conditions the highest. status: (m, n)."""
    words: NDArray[np.uint16] = np.bitwise_or.reduce(status & np.uint16(0xF00F), axis=0)
    for nibble in (0x0F00, 0x00F0):
        words |= (status & np.uint16(nibble)).max(axis=0)
    return words


def _none(condition: NDArray[np.uint16]) -> NDArray[np.bool_]:
    none: NDArray[np.bool_] = (condition == _SKIPPED) | (condition == _STOPPED)
    return none
