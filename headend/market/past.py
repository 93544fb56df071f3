"""What a fleet's day looks back on: registers and like days as they were read then, faults and all, made anew and never kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from headend.market.collected import block
from headend.ports import LongArray, MeterKey
from headend.vee.batch import run_batch
from headend.vee.preset import Preset
from headend.vee.quality import Channel
from headend.vee.records import Assets, ChannelDay, History, VeeDay
from meters.day_kinds import like_days
from meters.fleet import Fleet, Ordinals, Partition
from meters.identity import make_esiid, make_meter_number, ordinal_of

#: In the order of a fleet's columns.
CHANNELS = (Channel.LOAD, Channel.GENERATION)
#: Like days that are looked at: three are wanted, and some are not actual.
_LIKE_DAYS = 6
AVERAGE_OF_DAYS = 28

ByChannel = Mapping[Channel, LongArray]


class FleetMeters(Sequence[MeterKey]):
    """Keys of a fleet's meters, each made when it is asked for: of most nobody asks."""

    def __init__(self, fleet: Fleet, ordinals: NDArray[np.int64]) -> None:
        """ordinals: (m,)."""
        self._fleet, self._ordinals = fleet, ordinals

    def __len__(self) -> int:
        """How many."""
        return len(self._ordinals)

    def __getitem__(self, row: int) -> MeterKey:  # type: ignore[override]
        """The key of a row."""
        ordinal, fleet = int(self._ordinals[row]), self._fleet
        return MeterKey(make_esiid(fleet.tdsp, fleet.seed, ordinal), make_meter_number(fleet.seed, ordinal))


def before(fleet: Fleet, day: date, ordinals: Ordinals) -> tuple[LongArray, LongArray, LongArray]:
    """What was read of these meters before the day: (m, 2) registers that ended the day before, (m, 2) Wh a day of the weeks before it, and (m,) numbers in the records.

    -1 where a register was not read, or ran back. Channels are delivered and received.
    """
    days = [day - timedelta(days=back) for back in (1, AVERAGE_OF_DAYS)]
    yesterday, earlier = fleet.rows_on(days, ordinals, marked=False)
    ended, began = as_read(yesterday)[1], as_read(earlier)[0]
    known = (ended >= began) & (began >= 0) & (yesterday.numbers == earlier.numbers)[:, None]
    return ended, np.where(known, (ended - began) // AVERAGE_OF_DAYS, -1), yesterday.numbers


def as_read(part: Partition) -> tuple[LongArray, LongArray]:
    """(m, 2) registers at the two midnights; -1 of a meter that did not answer."""
    answers = part.answers[:, None]
    return np.where(answers, part.r0, -1), np.where(answers, part.r1, -1)


def by_channel(columns: LongArray) -> ByChannel:
    """(m, 2) as a port of VEE gives it."""
    return {channel: np.ascontiguousarray(columns[:, place]) for place, channel in enumerate(CHANNELS)}


class FleetHistory:
    """VEE'd days before one, of the meters that are asked for: each as it was read, faults and all, and validated."""

    def __init__(self, fleet: Fleet, day: date, preset: Preset) -> None:
        """preset: the one by which they were validated too."""
        self._fleet, self._day, self._preset = fleet, day, preset
        self._held = History()

    def __call__(self, meters: Sequence[MeterKey], back_days: int) -> History:
        """The three days before, and the latest like days. Mostly the other channel asks for meters that are held."""
        wanted = set(meters).union(self._held.meters)
        if len(wanted) == len(self._held.meters):
            return self._held
        fleet = self._fleet
        at = {ordinal_of(fleet.tdsp, fleet.seed, meter.esiid): meter for meter in wanted}
        ordinals = np.array(sorted(at), np.int64)
        keys = tuple(at[ordinal] for ordinal in ordinals.tolist())
        near = [self._day - timedelta(days=back) for back in (1, 2, 3)]
        days = sorted({*near, *like_days(self._day, back_days)[:_LIKE_DAYS]}, reverse=True)
        done = [self._validated(part, keys) for part in fleet.rows_on(days, ordinals, marked=False)]
        sides = (tuple(_channel_day(one, channel) for one in done) for channel in CHANNELS)
        self._held = History(keys, tuple(days), *sides)
        return self._held

    def _validated(self, part: Partition, keys: tuple[MeterKey, ...]) -> VeeDay:
        present = part.present & part.answers[:, None]
        status = np.where(part.answers[:, None], part.status, np.uint16(0))
        collected = block(part.day, keys, (part.delivered, part.received), present, status, as_read(part))
        return run_batch(collected, None, self._preset, Assets.plain(len(keys), part.multipliers))


def _channel_day(day: VeeDay, channel: Channel) -> ChannelDay:
    side = day.channel(channel)
    return ChannelDay(side.wh, side.status, side.power_failed)
