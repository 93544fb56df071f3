"""The retailer's usage record of one ESI ID: intervals whose quality and source are kept apart, and whose holes stay holes.

VEE always wins: a non-VEE interval counts only after the end of the last VEE interval, and only until VEE data arrive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headend.ports import BoolArray, IntArray, LongArray, StatusArray
from headend.wire import ServedInterval
from meters.calendar import INTERVAL_S, Seconds, seconds
from simulator.ror.errors import RorError

CodeArray = NDArray[np.int8]


class Quality(IntEnum):
    """What an interval's value has been through."""

    VEE_ACTUAL = 0
    VEE_ESTIMATED = 1
    NON_VEE = 2


class Source(IntEnum):
    """Where the retailer got an interval from."""

    #: SMT's repository of posted VEE data.
    SMT = 0
    #: The head-end's store, by an on-demand request.
    STORE = 1
    #: The meter, read for an on-demand request.
    METER = 2


class Energy(NamedTuple):
    """What a bill counts of intervals."""

    #: (n,) UTC epoch seconds, ascending.
    ends: LongArray
    #: (n,) Wh taken from the grid, and given to it.
    wh: IntArray
    given: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class UsageRecord:
    """Intervals by ascending end; an interval that is not here is a hole."""

    #: (n,) UTC epoch seconds.
    ends: LongArray
    #: (n,) Wh taken from the grid.
    wh: IntArray
    #: (n,) Quality.
    quality: CodeArray
    #: (n,) Source.
    source: CodeArray
    #: (n,) Wh given to the grid; 0 where none was posted.
    given: IntArray
    #: (n,) the meter's status words of non-VEE intervals; 0 of VEE ones, which come without. Given empty: 0 throughout.
    status: StatusArray = field(default_factory=lambda: np.zeros(0, np.uint16))

    def __post_init__(self) -> None:
        """Refuse arrays of unequal length, unordered or repeated ends, negative energy."""
        count = len(self.ends)
        if not len(self.status):
            object.__setattr__(self, "status", np.zeros(count, np.uint16))
        if {len(getattr(self, column)) for column in self.__slots__} != {count}:
            raise RorError("ror.usage.lengths", "Ends, energy, quality, source and status differ in length.")
        if count and (np.any(np.diff(self.ends) <= 0) or np.any(self.ends % INTERVAL_S)):
            raise RorError(
                "ror.usage.order",
                "Interval ends must ascend, each once, on whole quarter hours.",
                mend="Keep one value per interval.",
            )
        if count and min(int(self.wh.min()), int(self.given.min())) < 0:
            raise RorError("ror.usage.negative", "An interval has negative energy.", mend="Leave it out: it is a hole.")

    def only(self, chosen: BoolArray) -> UsageRecord:
        """Keep the chosen intervals. chosen: (n,) True to keep."""
        return self._part(chosen)

    def _part(self, chosen: BoolArray | slice) -> UsageRecord:
        """Some of it, in its order: what has been looked through need not be again."""
        part = object.__new__(UsageRecord)
        for column in self.__slots__:
            object.__setattr__(part, column, getattr(self, column)[chosen])
        return part

    @property
    def energy(self) -> Energy:
        """What a bill counts of it."""
        return Energy(self.ends, self.wh, self.given)

    def within(self, start: Seconds, end: Seconds) -> UsageRecord:
        """Keep the intervals that lie in ``[start, end)``, UTC epoch seconds."""
        first, last = np.searchsorted(self.ends, (start, end), side="right").tolist()
        return self._part(slice(first, last))

    def latest(self, count: int) -> UsageRecord:
        """Keep the last so many intervals."""
        return self._part(slice(max(len(self.ends) - count, 0), None))

    def vee(self) -> UsageRecord:
        """Keep the VEE intervals."""
        return self.only(self.quality != Quality.NON_VEE)

    def vee_end(self) -> Seconds | None:
        """End of the last VEE interval; None without any."""
        ends = self.ends[self.quality != Quality.NON_VEE]
        return seconds(ends[-1]) if len(ends) else None

    def total_wh(self) -> int:
        """Exact sum."""
        return int(self.wh.sum(dtype=np.int64))

    def wh_of(self, quality: Quality) -> int:
        """Exact sum of one quality."""
        return int(self.wh[self.quality == quality].sum(dtype=np.int64))

    def count_of(self, source: Source) -> int:
        """Count of intervals from one source."""
        return int(np.count_nonzero(self.source == source))

    def holes(self, start: Seconds, end: Seconds) -> list[tuple[Seconds, Seconds]]:
        """List the stretches of ``[start, end)`` without a value, as ``(start, end)`` in UTC epoch seconds."""
        missing = np.setdiff1d(np.arange(start + INTERVAL_S, end + 1, INTERVAL_S, dtype=np.int64), self.ends)
        if not len(missing):
            return []
        runs = np.split(missing, np.flatnonzero(np.diff(missing) > INTERVAL_S) + 1)
        return [(seconds(run[0]) - INTERVAL_S, seconds(run[-1])) for run in runs]


def empty() -> UsageRecord:
    """Give a record without intervals."""
    return from_vee(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.bool_))


def from_vee(ends: LongArray, wh: IntArray, estimated: BoolArray, given: IntArray | None = None) -> UsageRecord:
    """Make a record of posted VEE intervals. All (n,): UTC epoch seconds ascending, Wh, True where estimated, Wh given (none)."""
    quality = np.where(estimated, Quality.VEE_ESTIMATED, Quality.VEE_ACTUAL).astype(np.int8)
    nothing = np.zeros(len(ends), np.int32)
    source = np.full(len(ends), Source.SMT, dtype=np.int8)
    return UsageRecord(ends, wh, quality, source, nothing if given is None else given)


def joined(records: Iterable[UsageRecord]) -> UsageRecord:
    """Put records behind each other, in order of time."""
    parts = [[getattr(one, column) for column in UsageRecord.__slots__] for one in records]
    return UsageRecord(*map(np.concatenate, zip(*parts, strict=True))) if parts else empty()


def from_gap(intervals: Iterable[ServedInterval]) -> UsageRecord:
    """Make a record of the non-VEE intervals that an on-demand request brought. Raises RorError if one comes twice.

    Nothing has validated them: one with negative energy cannot be billed and is left out, a hole that marks the bill.
    """
    served = sorted((interval for interval in intervals if interval.wh >= 0), key=lambda interval: interval.end)
    return UsageRecord(
        np.array([seconds(interval.end.timestamp()) for interval in served], dtype=np.int64),
        np.array([interval.wh for interval in served], dtype=np.int32),
        np.full(len(served), Quality.NON_VEE, dtype=np.int8),
        np.array([Source.METER if interval.source == "meter" else Source.STORE for interval in served], dtype=np.int8),
        np.zeros(len(served), dtype=np.int32),
        np.array([interval.status for interval in served], dtype=np.uint16),
    )


def merge(vee: UsageRecord, gap: UsageRecord) -> UsageRecord:
    """Put gap intervals behind the VEE part.

    Whatever the gap says inside the VEE part is dropped: VEE wins where it has a value, and its older holes are not for non-VEE data
    to fill (AMB-5).
    """
    end = vee.vee_end()
    behind = gap if end is None else gap.only(gap.ends > end)
    return joined((vee, behind))
