"""The arrays that VEE takes and gives: one operating day of many meters, a row a meter, a column an interval.

m meters, n intervals (92, 96 or 100). Energy in whole Wh, multiplied.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from headend.ports import BoolArray, IntArray, LongArray, MeterKey, StatusArray
from headend.vee.quality import Channel, Finding

OctetArray = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class DayBlock:
    """What was collected of an operating day, not validated yet."""

    day: date
    #: m meters, the order of all rows.
    meters: tuple[MeterKey, ...]
    #: (m, n) Wh delivered to the premise, 0 where not ``present``.
    delivered: IntArray
    #: (m, n) Wh received from the premise.
    received: IntArray
    #: (m, n) the meter's status words.
    status: StatusArray
    #: (m, n) False where nothing was collected or the meter has no value.
    present: BoolArray
    #: (m,) registers at the midnight that begins the day, valid where ``have_r0``.
    delivered_r0: LongArray
    received_r0: LongArray
    have_r0: BoolArray
    #: (m,) registers at the midnight that ends the day, valid where ``have_r1``.
    delivered_r1: LongArray
    received_r1: LongArray
    have_r1: BoolArray

    def wh(self, channel: Channel) -> IntArray:
        """(m, n) Wh of one channel."""
        return self.delivered if channel is Channel.LOAD else self.received

    def registers(self, channel: Channel) -> tuple[LongArray, LongArray]:
        """(m,) registers of one channel at the beginning and at the end of the day."""
        if channel is Channel.LOAD:
            return self.delivered_r0, self.delivered_r1
        return self.received_r0, self.received_r1


@dataclass(frozen=True, slots=True, eq=False)
class ChannelDay:
    """One channel of an operating day after VEE, as later days look back on it."""

    #: (m, n) Wh.
    wh: IntArray
    #: (m, n) ``IntervalStatus``; MISSING where no VEE'd day is held.
    status: OctetArray
    #: (m, n) True where the meter flagged a power failure in the interval.
    power_failed: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """VEE'd days before the one at hand, the latest first. Meters not in it have no history."""

    meters: tuple[MeterKey, ...] = ()
    days: tuple[date, ...] = ()
    delivered: tuple[ChannelDay, ...] = ()
    received: tuple[ChannelDay, ...] = ()

    def of(self, channel: Channel) -> tuple[ChannelDay, ...]:
        """The days of one channel, in the order of ``days``."""
        return self.delivered if channel is Channel.LOAD else self.received


@dataclass(frozen=True, slots=True, eq=False)
class VeeChannel:
    """One channel of an operating day after VEE: every interval has a value."""

    #: (m, n) Wh.
    wh: IntArray
    #: (m, n) ``IntervalStatus``, ACTUAL or ESTIMATED.
    status: OctetArray
    #: (m, n) ``Method``.
    method: OctetArray
    #: (m, n) True where an estimate was changed so that the day adds up to the registers.
    scaled: BoolArray
    #: (m, n) True where the meter flagged a power failure in the interval.
    power_failed: BoolArray
    #: (m,) registers at the two midnights, valid where ``have_start`` / ``have_stop``.
    start_wh: LongArray
    stop_wh: LongArray
    have_start: BoolArray
    have_stop: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class VeeDay:
    """An operating day after VEE."""

    day: date
    meters: tuple[MeterKey, ...]
    delivered: VeeChannel
    received: VeeChannel
    #: m tuples: what the rules found, per meter.
    findings: tuple[tuple[Finding, ...], ...]

    def channel(self, channel: Channel) -> VeeChannel:
        """One channel of the day."""
        return self.delivered if channel is Channel.LOAD else self.received
