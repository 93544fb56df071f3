"""The arrays that VEE takes and gives: one operating day of many meters, a row a meter, a column an interval.

m meters, n intervals (92, 96 or 100). Energy in whole Wh, multiplied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntFlag
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headend.ports import BoolArray, IntArray, LongArray, MeterKey, StatusArray
from headend.vee.findings import FindingArray
from headend.vee.quality import Channel
from meters.calendar import INTERVAL_S
from meters.status import Common

OctetArray = NDArray[np.uint8]


class Power(IntFlag):
    """What is known of an interval's power beside the meter's own flag; one octet."""

    #: Events say that the whole interval was without power.
    OUT = 1
    #: The service switch was open all the while.
    SWITCH_OPEN = 2
    #: The meter has told that the outage is over; of ``DayColumns``: and nobody has read the interval.
    OVER = 4


class DayColumns(NamedTuple):
    """What collection holds of one channel and day, as the kernels take it. All arrays are C-contiguous; Wh are multiplied."""

    #: (m, n) Wh, anything where not ``present``.
    wh: IntArray
    #: (m, n) Wh of the other channel: energy that went the other way explains a zero.
    other: IntArray
    #: (m, n) status words as in ``meters.status``.
    status: StatusArray
    #: (m, n) False where there is no value.
    present: BoolArray
    #: (m, n) ``Power``.
    power: OctetArray
    #: (m,) registers at the midnights that begin and end the day, and the one that ended the day before as it was used then; -1: none.
    r0: LongArray
    r1: LongArray
    r1_before: LongArray
    #: (m,) Wh a day by the weeks before; -1: not known.
    average: LongArray
    #: (m,) columns of ``Assets``.
    multiplier: LongArray
    told_multiplier: LongArray
    dials: LongArray
    asset: OctetArray
    interval_s: LongArray
    clock_error_s: LongArray
    repeated: LongArray


class Asset(IntFlag):
    """What of a meter's is not as the records have it, or as they know themselves; one octet."""

    #: Another number answered.
    OTHER_NUMBER = 1
    #: It counts in another unit.
    OTHER_UNIT = 2
    #: By the records, or by the numbers that answered, another meter took its place within the day.
    EXCHANGED = 4
    #: By the records nobody is served there.
    INACTIVE = 8
    #: A business, which the ladders tell from a home.
    COMMERCIAL = 16
    #: Estimation is stopped for the meter's area: nothing is made up there (storm mode).
    STOPPED = 32
    #: Its service has three phases: 3 x 120 V carry half as much again as 240 V.
    THREE_PHASE = 64


class Assets(NamedTuple):
    """What the records say of m meters, and what their headers told that day; (m,) each."""

    multiplier: LongArray
    #: As the header tells it; the records' where it told nothing.
    told_multiplier: LongArray
    #: Of the display in kWh; 0: not known.
    dials: LongArray
    #: ``Asset``.
    asset: OctetArray
    #: Seconds of an interval by the header.
    interval_s: LongArray
    #: Meter minus head-end, the worst that was seen that day.
    clock_error_s: LongArray
    #: Intervals that came more than once with different values.
    repeated: LongArray

    @classmethod
    def plain(cls, count: int, multiplier: LongArray | int = 1) -> Assets:
        """Of meters about which there is nothing to tell. multiplier: (m,) or one for all."""
        zeros = np.zeros(count, np.int64)
        multipliers = zeros + multiplier
        octets = np.zeros(count, np.uint8)
        return cls(multipliers, multipliers.copy(), zeros, octets, zeros + INTERVAL_S, zeros.copy(), zeros.copy())


@dataclass(frozen=True, slots=True, eq=False)
class DayBlock:
    """What was collected of an operating day, not validated yet."""

    day: date
    #: m meters, the order of all rows.
    meters: Sequence[MeterKey]
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
    #: (m,) intervals that came more than once with different values; None: not known.
    repeated: LongArray | None = None

    def columns(
        self, channel: Channel, assets: Assets, r1_before: LongArray, average: LongArray, power: OctetArray
    ) -> DayColumns:
        """One channel as the kernels take it. r1_before, average: (m,) Wh, -1 where there is none. power: (m, n) ``Power``.

        What an outage took whole that the meter has told of, beginning and end, is as its record will have it: 0, with the power-fail flag, unless the registers
        deny it.
        """
        sides = (
            (self.delivered, self.delivered_r0, self.delivered_r1),
            (self.received, self.received_r0, self.received_r1),
        )
        (wh, r0, r1), (other, _, _) = sides if channel is Channel.LOAD else sides[::-1]
        status, present = self.status, self.present
        if np.bitwise_or.reduce(power, axis=None) & Power.OVER:
            dark = ((power & np.uint8(Power.OVER)) != 0) & ~present
            wh, present = np.where(dark, 0, wh), present | dark
            status = np.where(dark, np.uint16(Common.POWER_FAIL << 12), status)
            power = np.where(dark, power, power & ~np.uint8(Power.OVER))
        return DayColumns(
            wh=wh,
            other=other,
            status=status,
            present=present,
            power=power,
            r0=np.where(self.have_r0, r0, -1),
            r1=np.where(self.have_r1, r1, -1),
            r1_before=r1_before,
            average=average,
            **assets._asdict(),
        )


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

    meters: Sequence[MeterKey] = ()
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
    #: (m, n) ``Method``.
    method: OctetArray
    #: (m, n) True where an estimate was changed so that the day adds up to the registers.
    scaled: BoolArray
    #: (m, n) ``IntervalStatus``, ACTUAL or ESTIMATED.
    status: OctetArray
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
    meters: Sequence[MeterKey]
    delivered: VeeChannel
    received: VeeChannel
    #: ``findings.FINDING`` records: what the rules found, both channels, by row.
    findings: FindingArray
    #: (2, 3, n) Wh by channel (load, generation) and place in ``Preset.ladders``: what an estimate by its class was made of. None: not known.
    profiles: LongArray | None = None

    def of_rows(self, rows: LongArray) -> VeeDay:
        """The same of some rows, ascending."""

        def side(channel: VeeChannel) -> VeeChannel:
            return VeeChannel(*(getattr(channel, name)[rows] for name in VeeChannel.__slots__))

        found = self.findings[np.isin(self.findings["row"], rows)]
        found["row"] = np.searchsorted(rows, found["row"])
        meters = tuple(self.meters[row] for row in rows)
        return VeeDay(self.day, meters, side(self.delivered), side(self.received), found, self.profiles)

    def channel(self, channel: Channel) -> VeeChannel:
        """One channel of the day."""
        return self.delivered if channel is Channel.LOAD else self.received
