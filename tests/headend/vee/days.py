"""Days for tests: everything was collected, the registers agree, nothing is known against anybody; but for what a test changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from headend.ports import MeterKey
from headend.vee.batch import class_profiles, estimate, validate
from headend.vee.findings import explain
from headend.vee.flags import Flags
from headend.vee.ladder import Estimated
from headend.vee.lookback import LookBack, PastDays
from headend.vee.preset import Preset
from headend.vee.quality import Channel
from headend.vee.records import Assets, ChannelDay, DayBlock, DayColumns, History
from meters.calendar import intervals_in

WEDNESDAY = date(2026, 8, 12)
R0 = 5_000_000


def ramp(n: int = 96) -> list[int]:
    """No two neighbours are equal, none is 0, the highest is below the floor of spikes."""
    return [300 + 10 * (i % 7) for i in range(n)]


def columns(*rows: Sequence[int], **changes: Any) -> DayColumns:
    """Rows of one channel."""
    wh = np.array(rows, np.int32)
    m, n = wh.shape
    none = np.full(m, -1, np.int64)
    day = DayColumns(
        wh=wh,
        other=np.zeros((m, n), np.int32),
        status=np.zeros((m, n), np.uint16),
        present=np.ones((m, n), np.bool_),
        power=np.zeros((m, n), np.uint8),
        r0=np.full(m, R0, np.int64),
        r1=R0 + wh.sum(axis=1, dtype=np.int64),
        r1_before=none,
        average=none.copy(),
        **Assets.plain(m)._asdict(),
    )
    return day._replace(
        **{
            name: np.array(value, getattr(day, name).dtype).reshape(getattr(day, name).shape)
            for name, value in changes.items()
        }
    )


def ran(
    day: DayColumns, preset: Preset | None = None, channel: Channel = Channel.LOAD
) -> tuple[Flags, list[tuple[str, int, int]]]:
    """Flags, and (rule, value, limit) of each finding."""
    flags, findings = validate(day, preset or Preset(), channel)
    return flags, [(explain(one, WEDNESDAY).id, int(one["value"]), int(one["limit"])) for one in findings]


def told(day: DayColumns, preset: Preset | None = None, channel: Channel = Channel.LOAD) -> list[tuple[str, int, int]]:
    """(rule, value, limit) of each finding."""
    return ran(day, preset, channel)[1]


def flagged(day: DayColumns, preset: Preset | None = None, row: int = 0) -> list[int]:
    """Intervals of a row that do not stand."""
    return np.flatnonzero(ran(day, preset)[0].bad[row]).tolist()


def estimated(
    day: DayColumns, preset: Preset | None = None, look_back: LookBack | None = None, on: date = WEDNESDAY
) -> Estimated:
    """The day after the ladder."""
    preset = preset or Preset()
    flags, _ = ran(day, preset)
    back = look_back or PastDays(on, [MeterKey(str(row), "") for row in range(len(day.wh))])
    return estimate(day, flags, back, preset, Channel.LOAD, class_profiles(day, flags, preset))[0]


def block(delivered: np.ndarray, day: date = WEDNESDAY) -> DayBlock:
    """Both channels; nothing was received."""
    m, n = delivered.shape
    assert n == intervals_in(day)
    zeros, yes = np.zeros(m, np.int64), np.ones(m, np.bool_)
    return DayBlock(
        day=day,
        meters=tuple(MeterKey(f"1044372000000{row:04d}", "") for row in range(m)),
        delivered=delivered.astype(np.int32),
        received=np.zeros((m, n), np.int32),
        status=np.zeros((m, n), np.uint16),
        present=np.ones((m, n), np.bool_),
        delivered_r0=zeros + R0,
        received_r0=zeros,
        have_r0=yes,
        delivered_r1=R0 + delivered.sum(axis=1, dtype=np.int64),
        received_r1=zeros,
        have_r1=yes.copy(),
    )


def lose(collected: DayBlock, row: int, begin: int, end: int) -> DayBlock:
    """The same day without the intervals [begin, end) of a meter."""
    present, delivered = collected.present.copy(), collected.delivered.copy()
    present[row, begin:end], delivered[row, begin:end] = False, 0
    return replace(collected, present=present, delivered=delivered)


def without_registers(collected: DayBlock) -> DayBlock:
    """The same day, of which no register was read."""
    none = np.zeros(len(collected.meters), np.bool_)
    return replace(collected, have_r0=none, have_r1=none)


def history(meters: Sequence[MeterKey], values: dict[int, int], last: int | None = None) -> History:
    """VEE'd days before WEDNESDAY: the same Wh all day, by how many days back; last: of each day's last interval."""
    days = tuple(WEDNESDAY - timedelta(days=back) for back in sorted(values))

    def side(value: int, day: date) -> ChannelDay:
        held = np.full((len(meters), intervals_in(day)), value, np.int32)
        if last is not None and value:
            held[:, -1] = last
        return ChannelDay(held, np.zeros(held.shape, np.uint8), np.zeros(held.shape, np.bool_))

    delivered = tuple(side(values[back], day) for back, day in zip(sorted(values), days, strict=True))
    return History(meters, days, delivered, tuple(side(0, day) for day in days))


def past_of(held: History) -> PastDays:
    """A look-back over a history."""
    return PastDays(WEDNESDAY, held.meters, lambda _meters, _back: held)
