"""One operating day of many meters through VEE: flag, estimate, scale, check the sum again. Arrays in, arrays and findings out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache

import numpy as np

from headend.ports import BoolArray, LongArray, MeterKey
from headend.vee.findings import FINDING, FindingArray, in_order
from headend.vee.flags import MISSING, Flags, no_flags
from headend.vee.kernel import validate_rows
from headend.vee.ladder import Estimated, Rung, estimate_rows
from headend.vee.lookback import LookBack, PastDays
from headend.vee.preset import COMMERCIAL, RESIDENTIAL, STOPPED, Preset
from headend.vee.quality import Channel, IntervalStatus
from headend.vee.records import Asset, Assets, DayBlock, DayColumns, OctetArray, VeeChannel, VeeDay
from meters.calendar import intervals_in
from meters.status import Common

#: Sound meters of which a class's profile is made, at most: more do not move it.
_PROFILE_OF = 5_000


def run_batch(
    block: DayBlock,
    look_back: LookBack | None = None,
    preset: Preset | None = None,
    assets: Assets | None = None,
    power: OctetArray | None = None,
    profiles: LongArray | None = None,
) -> VeeDay:
    """Validate, edit and estimate one operating day. Pure: the same arrays give the same day.

    block: m meters, n intervals. look_back: the days before; none unless given. assets: plain ones unless given. power: (m, n) ``Power``, nothing known unless
    given. profiles: (2, 3, n) as an earlier result had them; made of these meters where there are none. In the result every interval has a value; a day in which something was estimated sums exactly to its registers unless its good intervals alone
    exceed them, and one whose sum fails and is not put right has a finding that says so.
    """
    shape = block.present.shape
    look_back = look_back or PastDays(block.day, block.meters)
    preset = preset or Preset()
    assets = assets or Assets.plain(len(block.meters))
    power = np.zeros(shape, np.uint8) if power is None else power
    found: list[FindingArray] = []
    sides: list[VeeChannel] = []
    made = np.zeros((2, 3, shape[1]), np.int64) if profiles is None else profiles.copy()
    channels = Channel.LOAD, Channel.GENERATION
    days = [
        block.columns(channel, assets, look_back.registers_before(channel), look_back.daily_average(channel), power)
        for channel in channels
    ]
    failed = days[0].present & ((days[0].status & np.uint16(Common.POWER_FAIL << 12)) != 0)
    for channel, day, of_classes in zip(channels, days, made, strict=True):
        flags, told = validate(day, preset, channel)
        fresh = class_profiles(day, flags, preset)
        of_classes[:] = np.where(of_classes.any(axis=1, keepdims=True), of_classes, fresh)
        estimated, told_then = estimate(day, flags, look_back, preset, channel, of_classes)
        found += [told, told_then]
        sides.append(_published(day, flags, estimated, failed))
    delivered, received = sides
    return VeeDay(block.day, block.meters, delivered, received, in_order(np.concatenate(found)), made)


@cache
def warm() -> None:
    """Compile the kernels, or take them from the disk, once a process: before a clock runs, since everybody waits for a compiler."""
    day, zero = date(2026, 8, 12), np.zeros(1, np.int64)
    nothing, no = np.zeros((1, intervals_in(day)), np.int32), np.zeros(1, np.bool_)
    absent = DayBlock(
        day=day,
        meters=(MeterKey("", ""),),
        delivered=nothing,
        received=nothing,
        status=nothing.astype(np.uint16),
        present=nothing.astype(np.bool_),
        delivered_r0=zero,
        received_r0=zero,
        have_r0=no,
        delivered_r1=zero,
        received_r1=zero,
        have_r1=no,
    )
    run_batch(absent)


def validate(day: DayColumns, preset: Preset, channel: Channel) -> tuple[Flags, FindingArray]:
    """Every check of one channel."""
    flags = no_flags(day.wh.shape)

    def run(findings: FindingArray) -> int:
        # Of the run before, which had too little room; a whole array of zeros would be written for nothing.
        flags.bad[flags.touched] = 0
        return validate_rows(day, preset.limits, int(channel), flags, findings)

    return flags, _told(run, len(day.wh))


def estimate(
    day: DayColumns, flags: Flags, look_back: LookBack, preset: Preset, channel: Channel, profiles: LongArray
) -> tuple[Estimated, FindingArray]:
    """A value for every interval that ``flags`` does not let stand. With ``estimate_day`` it flags whole days that nothing else puts right.

    profiles: (3, n) as ``class_profiles`` gives them.
    """
    shape = day.wh.shape
    rows = np.flatnonzero(flags.touched)
    out = Estimated(day.wh.copy(), np.zeros(shape, np.uint8), np.zeros(shape, np.bool_))
    if not len(rows):
        return out, np.zeros(0, FINDING)
    of_rows = day.asset[rows]
    ladder_of = np.where(of_rows & Asset.COMMERCIAL, COMMERCIAL, RESIDENTIAL)
    ladder_of = np.where(of_rows & Asset.STOPPED, STOPPED, ladder_of)
    past = look_back.past(channel, rows, preset.back_days)

    def run(findings: FindingArray) -> int:
        out.wh[rows] = np.where(flags.bad[rows], 0, day.wh[rows])
        return estimate_rows(
            rows, day, flags, preset.limits, int(channel), preset.ladders, ladder_of, profiles, past, out, findings
        )

    return out, _told(run, len(rows))


def _told(run: Callable[[FindingArray], int], rows: int) -> FindingArray:
    """What a kernel tells, all of it: if there was not room enough it runs again."""
    room = 16 + rows // 4
    while True:
        findings = np.zeros(room, FINDING)
        told = run(findings)
        if told <= room:
            return findings[:told]
        room = told


def class_profiles(day: DayColumns, flags: Flags, preset: Preset) -> LongArray:
    """(3, n) Wh of sound meters of each ladder's class on this very day, whose weather it has had; 0 where no rung asks for it. Their scale means nothing."""
    profiles = np.zeros((3, day.wh.shape[1]), np.int64)
    for ladder, klass, at in ((preset.residential, 0, RESIDENTIAL), (preset.commercial, Asset.COMMERCIAL, COMMERCIAL)):
        if any(rung is Rung.CLASS_PROFILE for rung, _, _ in ladder):
            of_class = (day.asset & Asset.COMMERCIAL) == klass
            sound = np.flatnonzero(of_class & (flags.advance >= 0) & ~flags.touched)
            of_day = day.wh[sound[:_PROFILE_OF]].sum(axis=0, dtype=np.int64)
            # Below 2^31 together, so that energy times weight fits.
            profiles[at] = of_day // (of_day.sum() // 2**31 + 1)
    return profiles


def _published(day: DayColumns, flags: Flags, estimated: Estimated, failed: BoolArray) -> VeeChannel:
    status = (flags.bad != 0).view(np.uint8) * np.uint8(IntervalStatus.ESTIMATED)
    if failed.any():
        # Not where the registers deny the outage.
        failed = failed & ((flags.bad & MISSING) == 0)
    have = day.r0 >= 0, day.r1 >= 0
    return VeeChannel(*estimated, status, failed, np.maximum(day.r0, 0), np.maximum(day.r1, 0), *have)
