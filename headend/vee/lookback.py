"""What a day's VEE looks back on: the port, and the one that answers from VEE'd days."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Protocol

import numpy as np

from headend.ports import BoolArray, IntArray, LongArray, MeterKey
from headend.vee.ladder import Past
from headend.vee.quality import Channel, IntervalStatus
from headend.vee.records import ChannelDay, History
from meters.calendar import intervals_in
from meters.day_kinds import like_days, same_clock


class LookBack(Protocol):
    """Answers by rows of the block at hand. All of it may be asked in any order."""

    def registers_before(self, channel: Channel) -> LongArray:
        """(m,) registers that ended the day before, as they were used then; -1: none."""

    def daily_average(self, channel: Channel) -> LongArray:
        """(m,) Wh a day of the weeks before; -1: not known."""

    def past(self, channel: Channel, rows: LongArray, back_days: int) -> Past:
        """What the rows' estimates lean on, like days up to so many days back."""


def no_past(count: int, intervals: int) -> Past:
    """Of rows of which no earlier day is held."""
    none = np.full(count, -1, np.int64)
    like = np.zeros((count, 0, intervals), np.int32)
    return Past(none, np.zeros(0, np.int64), like, np.zeros(count, np.int64))


class PastDays:
    """Answers from VEE'd days that are fetched when a row needs them."""

    def __init__(
        self,
        day: date,
        meters: Sequence[MeterKey],
        fetch: Callable[[Sequence[MeterKey], int], History] = lambda _meters, _back_days: History(),
        registers: Mapping[Channel, LongArray] | None = None,
        averages: Mapping[Channel, LongArray] | None = None,
    ) -> None:
        """meters: of the block's rows. fetch: the days before of some of them, so many days back. registers, averages: (m,) by channel, -1: none.

        What is not given is not known.
        """
        self._day, self._meters, self._fetch = day, meters, fetch
        self._none = np.full(len(meters), -1, np.int64)
        self._registers, self._averages = registers or {}, averages or {}
        # Mostly the other channel asks for the same rows.
        self._asked: tuple[list[MeterKey], int] | None = None
        self._fetched = History()

    def registers_before(self, channel: Channel) -> LongArray:
        """See ``LookBack``."""
        return self._registers.get(channel, self._none)

    def daily_average(self, channel: Channel) -> LongArray:
        """See ``LookBack``."""
        return self._averages.get(channel, self._none)

    def past(self, channel: Channel, rows: LongArray, back_days: int) -> Past:
        """See ``LookBack``."""
        wanted = [self._meters[row] for row in rows]
        if (wanted, back_days) != self._asked:
            # Yesterday is looked at for more than its likeness, and three days for a run of estimates.
            self._asked, self._fetched = (wanted, back_days), self._fetch(wanted, max(3, back_days))
        history = self._fetched
        places = {meter: at for at, meter in enumerate(history.meters)}
        at = np.array([places.get(meter, -1) for meter in wanted], np.int64)
        return look_back(self._day, at, history, channel, back_days)


def look_back(day: date, at: LongArray, history: History, channel: Channel, back_days: int) -> Past:
    """``Past`` of k rows from VEE'd days. at: (k,) their rows in the history, -1: not in it."""
    found = no_past(len(at), intervals_in(day))
    held = {(day - earlier).days: one for earlier, one in zip(history.days, history.of(channel), strict=True)}
    there = at >= 0
    if 1 in held:
        last = held[1].wh[at, -1]
        usable = there & (held[1].status[at, -1] == IntervalStatus.ACTUAL) & ~held[1].power_failed[at, -1]
        found.before[usable] = last[usable]
    running = there
    age = 1
    while age in held and running.any():
        running = running & (held[age].status[at] == IntervalStatus.ESTIMATED).all(axis=1)
        found.estimated_days[running] = age
        age += 1
    ages = {(day - like).days: like for like in like_days(day, back_days)}
    # Of days that are not held there is nothing to lean on.
    kept = [age for age in ages if age in held]
    like = [_laid_over(day, ages[age], held[age], at, there) for age in kept]
    stacked = np.stack(like, axis=1) if like else found.like
    return Past(found.before, np.array(kept, np.int64), np.ascontiguousarray(stacked), found.estimated_days)


def _laid_over(day: date, on: date, held: ChannelDay, at: LongArray, there: BoolArray) -> IntArray:
    """(k, n) Wh of an earlier day at the day's clock times; -1 where not actual, or where it has no such time."""
    places = same_clock(day, on)
    actual = there[:, None] & (places >= 0) & (held.status[at][:, places] == IntervalStatus.ACTUAL)
    return np.where(actual, held.wh[at][:, places], -1).astype(np.int32)
