"""What has flowed through a meter's place: the premise's load, less what an outage or an open switch kept back. Wh since the era.

Of what was kept back, cooling and heating catch up when power is back: a house that grew warm or cold asks for more for some hours.
That dies away exponentially, so what has been caught up is closed form at any instant, and of an outage's last hours alone: beyond
them a house is as warm as it gets, and no outage costs more to look up than another.

Both channels always go together: row 0 is delivered (LSE channel 4), row 1 received (LSE channel 1).
"""

from __future__ import annotations

import itertools
import math
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
#: So many instants are looked up one by one: for fewer numbers arrays cost more than they save.
_FEW = 3
#: Catching up: of what did not cool or heat in so many last hours this share comes later, no more of it in the first hour than this
#: share, and no more than so many times what the premise uses then; after so many hours it is over. Defaults of this project.
_OWED_S, _CAUGHT_UP, _AT_ONCE, _AT_MOST, OVER_S = 6 * 3600, 0.9, 0.9, 1.6, 12 * 3600


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
    """What has been computed of a load: its last days' bounds and beginnings, and of spans without power what they kept back, each (2, k), and owe."""

    days: OrderedDict[date, NDArray[np.int64]] = field(default_factory=OrderedDict)
    beginnings: OrderedDict[date, NDArray[np.int64]] = field(default_factory=OrderedDict)
    kept: dict[TimeSpan, NDArray[np.int64]] = field(default_factory=dict)
    owed: dict[TimeSpan, tuple[float, float]] = field(default_factory=dict)


class Energy:
    """The load of one premise as one meter sees it, at any instant. Instants are true UTC epoch seconds."""

    def __init__(
        self, load: PremiseLoad, service_wh: int, share: Share = WHOLE, computed: Computed | None = None
    ) -> None:
        """Nothing is computed before it is asked for. service_wh: most Wh of a quarter hour. computed: of the same load and share."""
        self.load = load
        self._service_wh = service_wh
        self._share = share
        self._computed = computed or Computed()
        self._spans: tuple[TimeSpan, ...] = ()

    def twin(self) -> Energy:
        """The same load at the same place, always with power; what it has computed is shared."""
        return Energy(self.load, self._service_wh, self._share, self._computed)

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
            load = self.load.day(day)
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
        made = self.wanted(at)
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

    def wanted(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """(2, k) Wh that would have flowed by the instants (k,) if there had been power, caught up included."""
        made = self.used(at)
        if not self._spans:
            return made
        latest = int(at.max()) if len(at) else 0
        for (first, until), then in itertools.zip_longest(self._spans, self._spans[1:]):
            if until >= latest:
                break
            owed, pace_s = self._owes((first, until))
            if owed:
                # The next failure ends it.
                end = until + OVER_S if then is None else min(until + OVER_S, then[0])
                passed = np.clip(at, until, end) - until
                made[0] += np.floor(owed * -np.expm1(-passed / pace_s)).astype(np.int64)
        return made

    def _owes(self, span: TimeSpan) -> tuple[float, float]:
        """Wh that are caught up after a span without power, and the seconds in which that dies away to the e-th part."""
        if span not in self._computed.owed:
            first, until = max(span[0], span[1] - _OWED_S), span[1]
            bounds = np.arange(first - first % INTERVAL_S, until + INTERVAL_S, INTERVAL_S).clip(first, until)
            owed = _CAUGHT_UP * float(np.diff(self.used(bounds)[0]) @ [self._thermal(at) for at in bounds[:-1]])
            soon = np.diff(self.used(np.array([until, until + 3600]))[0])
            at_once = min(_AT_ONCE * owed, _AT_MOST * float(soon[0]), owed * self._room(until, owed))
            self._computed.owed[span] = (owed, -3600 / math.log1p(-at_once / owed)) if at_once > 0 else (0.0, math.inf)
        return self._computed.owed[span]

    def _room(self, until: Seconds, owed: float) -> float:
        """The share of what is owed that the first hour can bring, so that no quarter hour takes more than the service gives."""
        begins = until - until % INTERVAL_S
        most = np.diff(self.used(np.arange(begins, until + OVER_S + INTERVAL_S, INTERVAL_S))[0]).max()
        first = min(max(self._service_wh - float(most), 0.0) / owed, 1.0) if owed else 1.0
        return float(1.0 - (1.0 - first) ** (3600 / INTERVAL_S))

    def _thermal(self, at: np.int64) -> float:
        """The share of an instant's load that cools or heats."""
        day = day_of(seconds(at))
        return float(self.load.thermal(day)[(at - day_start(day)) // INTERVAL_S]) if day >= ERA else 0.0

    def _kept_back(self, span: TimeSpan) -> NDArray[np.int64]:
        """(2, 1) Wh that did not flow over a whole span."""
        if span not in self._computed.kept:
            ends = self.used(np.array(span))
            self._computed.kept[span] = ends[:, 1:] - ends[:, :1]
        return self._computed.kept[span]

    def used(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """(2, k) Wh used at the instants, as if there were always power."""
        if len(at) <= _FEW:
            return np.array([self._used_then(seconds(one)) for one in at.tolist()], np.int64).reshape(-1, 2).T
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
        return _kept(self._computed.beginnings, day, np.array(self.load.registers(day), np.int64)[:, None])

    def _used_then(self, at: Seconds) -> tuple[int, int]:
        """``used`` at one instant."""
        day = day_of(at)
        index, into = divmod(at - day_start(day), INTERVAL_S)
        if not index and not into and day >= ERA and day not in self._computed.days:
            # A midnight alone needs no intervals.
            began = self._share.of(self._began(day))
            return int(began[0, 0]), int(began[1, 0])
        bounds = self.bounds(day)
        (from_wh, to_wh), (back_from_wh, back_to_wh) = bounds[:, index : index + 2].tolist()
        return from_wh + (to_wh - from_wh) * into // INTERVAL_S, back_from_wh + (
            back_to_wh - back_from_wh
        ) * into // INTERVAL_S

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
