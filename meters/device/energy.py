"""What has flowed through a meter's place: the premise's load, less what an outage or an open switch kept back. Wh since the era.

Both channels always go together: row 0 is delivered (LSE channel 4), row 1 received (LSE channel 1).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from meters.calendar import INTERVAL_S, Seconds, day_end, day_of, day_start, intervals_in, seconds
from meters.device.supply import TimeSpan, united
from meters.load.truth import ERA, PremiseLoad

#: Days remembered: a sweep needs yesterday and today, a catch-up walks forward.
_REMEMBERED_DAYS = 4


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a premise's load that one of two meters at its ESI ID measures: a percentage, or the rest of it."""

    percent: int = 100
    rest: bool = False

    def of(self, wh: NDArray[np.int64]) -> NDArray[np.int64]:
        """The part of cumulative energy; the two parts add up to it exactly, and both never fall."""
        if self.percent == 100 and not self.rest:
            return wh
        part: NDArray[np.int64] = wh * self.percent // 100
        return wh - part if self.rest else part


WHOLE = Share()


@dataclass(frozen=True, slots=True)
class Computed:
    """What has been computed of a load: its last days' bounds and beginnings, and what spans without power kept back, each (2, k)."""

    days: OrderedDict[date, NDArray[np.int64]] = field(default_factory=OrderedDict)
    beginnings: OrderedDict[date, NDArray[np.int64]] = field(default_factory=OrderedDict)
    kept: dict[TimeSpan, NDArray[np.int64]] = field(default_factory=dict)


class Energy:
    """The load of one premise as one meter sees it, at any instant. Instants are true UTC epoch seconds."""

    def __init__(self, load: PremiseLoad, share: Share = WHOLE, computed: Computed | None = None) -> None:
        """Nothing is computed before it is asked for. computed: of the same load and share."""
        self._load = load
        self._share = share
        self._computed = computed or Computed()
        self._spans: tuple[TimeSpan, ...] = ()

    def twin(self) -> Energy:
        """The same load at the same place, always with power; what it has computed is shared."""
        return Energy(self._load, self._share, self._computed)

    def without_power(self, spans: list[TimeSpan]) -> None:
        """Say when nothing flows; replaces what was said before."""
        self._spans = united(spans)

    def powered(self, at: Seconds) -> bool:
        """Whether energy can flow."""
        return not any(first <= at < until for first, until in self._spans)

    def bounds(self, day: date) -> NDArray[np.int64]:
        """(2, n+1) Wh used at the bounds of an operating day's intervals, as if there were always power; 0 before the era."""
        if day in self._computed.days:
            self._computed.days.move_to_end(day)
            return self._computed.days[day]
        n = intervals_in(day)
        made = np.zeros((2, n + 1), np.int64)
        if day >= ERA:
            load = self._load.day(day)
            np.cumsum(load.delivered, out=made[0, 1:])
            np.cumsum(load.received, out=made[1, 1:])
            made = self._share.of(made + self._began(day))
        made.flags.writeable = False
        return _kept(self._computed.days, day, made)

    def flowed_bounds(self, day: date) -> NDArray[np.int64]:
        """``bounds`` of what has flowed."""
        used = self.bounds(day)
        if not self._spans:
            return used
        begins = day_start(day)
        return self.flowed(np.arange(begins, begins + used.shape[1] * INTERVAL_S, INTERVAL_S))

    def flowed(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """(2, k) Wh that has flowed at the instants (k,); within an interval energy grows linearly."""
        made = self.used(at)
        if not self._spans:
            return made
        latest = int(at.max()) if len(at) else 0
        for span in self._spans:
            if span[0] >= latest:
                break
            if span[1] <= int(at.min()):
                made = made - self._kept_back(span)
                continue
            inside = self.used(np.clip(at, span[0], span[1])) - self.used(np.array([span[0]]))
            made = made - inside
        return made

    def _kept_back(self, span: TimeSpan) -> NDArray[np.int64]:
        """(2, 1) Wh that did not flow over a whole span."""
        if span not in self._computed.kept:
            ends = self.used(np.array(span))
            self._computed.kept[span] = ends[:, 1:] - ends[:, :1]
        return self._computed.kept[span]

    def used(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """(2, k) Wh used at the instants, as if there were always power."""
        made = np.empty((2, len(at)), np.int64)
        rows = np.arange(len(at))
        while len(rows):
            day = day_of(seconds(at[rows[0]]))
            begins, ends = day_start(day), day_end(day)
            here = (at[rows] >= begins) & (at[rows] < ends)
            made[:, rows[here]] = self._used_on(day, at[rows[here]])
            rows = rows[~here]
        return made

    def _began(self, day: date) -> NDArray[np.int64]:
        """(2, 1) Wh that the premise has used when a day begins."""
        if day in self._computed.beginnings:
            return self._computed.beginnings[day]
        return _kept(self._computed.beginnings, day, np.array(self._load.registers(day), np.int64)[:, None])

    def _used_on(self, day: date, at: NDArray[np.int64]) -> NDArray[np.int64]:
        since = at - day_start(day)
        if day >= ERA and day not in self._computed.days and not since.any():
            # A midnight alone needs no intervals.
            return self._share.of(np.repeat(self._began(day), len(at), axis=1))
        index, into = since // INTERVAL_S, since % INTERVAL_S
        bounds = self.bounds(day)
        before = bounds[:, index]
        after = bounds[:, np.minimum(index + 1, bounds.shape[1] - 1)]
        grown: NDArray[np.int64] = before + (after - before) * into // INTERVAL_S
        return grown


def _kept(days: OrderedDict[date, NDArray[np.int64]], day: date, made: NDArray[np.int64]) -> NDArray[np.int64]:
    days[day] = made
    if len(days) > _REMEMBERED_DAYS:
        days.popitem(last=False)
    return made
