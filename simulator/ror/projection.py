"""Where a cycle's usage is going, and the pattern of a premise's day."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from meters.calendar import INTERVAL_S, day_end, day_of_interval, day_start, interval_ends, intervals_in, local, seconds
from simulator.ror.account import Account
from simulator.ror.billing.windows import apportioned
from simulator.ror.likely import NINETIETH, TENTH, Draws, draw, middle_of, quantile
from simulator.ror.usage import Energy, UsageRecord

#: Recent VEE days that the usual day is made of: two weeks have every day of the week twice [D].
RECENT_DAYS = 14


@dataclass(frozen=True, slots=True)
class Projection:
    """Usage of the whole cycle: what is known plus what may come for every interval that is not. Whole Wh."""

    known_wh: int
    #: The middle of the ways that the cycle may go; in eight of ten it ends between the other two.
    total_wh: int
    low_wh: int
    high_wh: int
    #: Every interval of the cycle as it is known, or as it is in that middle way.
    energy: Energy
    draws: Draws

    @property
    def expected_wh(self) -> int:
        """What is not known of it."""
        return self.total_wh - self.known_wh

    def scaled(self, total_wh: int) -> Energy:
        """The cycle with another usage in all, at the same times."""
        wh = self.energy.wh if self.total_wh else np.ones_like(self.energy.wh)
        return self.energy._replace(wh=apportioned(total_wh, wh.astype(np.int64)).astype(np.int32))

    def to_dict(self) -> dict[str, Any]:
        """JSON values; energy is whole Wh."""
        return {
            "known_wh": self.known_wh,
            "expected_wh": self.expected_wh,
            "total_wh": self.total_wh,
            "low_wh": self.low_wh,
            "high_wh": self.high_wh,
            "days_used": self.draws.days_used,
            "ways": len(self.draws.wh),
        }


@dataclass(frozen=True, slots=True)
class HourlyPattern:
    """Energy by hour of the local day, Wh per hour."""

    #: 24 means over the recent VEE days; None where there are none.
    usual_wh: tuple[int | None, ...]
    #: The day that the non-VEE intervals reach into.
    day: date | None
    #: 24 values of that day; None where the hour is not known as a whole.
    day_wh: tuple[int | None, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON values; energy is whole Wh."""
        return {
            "usual_wh": list(self.usual_wh),
            "day": None if self.day is None else self.day.isoformat(),
            "day_wh": list(self.day_wh),
        }


def usual_hours(record: UsageRecord) -> tuple[int | None, ...]:
    """(24,) mean Wh of each local hour over the last 14 whole VEE days of a record; None without any. Pure."""
    vee = record.vee()
    daily: defaultdict[date, list[tuple[int, int]]] = defaultdict(list)
    for end, wh in zip(vee.ends.tolist(), vee.wh.tolist(), strict=True):
        daily[day_of_interval(end)].append((local(end - INTERVAL_S).hour, wh))
    whole = sorted(day for day, parts in daily.items() if len(parts) == intervals_in(day))[-RECENT_DAYS:]
    hours: defaultdict[int, list[int]] = defaultdict(list)
    for day in whole:
        for hour, wh in daily[day]:
            hours[hour].append(wh)
    # The repeated hour of the fall-back day has eight intervals: the value stays Wh per hour.
    return tuple(round(sum(hours[hour]) * 4 / len(hours[hour])) if hours[hour] else None for hour in range(24))


def project(record: UsageRecord, account: Account) -> Projection:
    """Project the cycle's usage: known intervals, and for each one that is missing, holes included, the ways it may go. Pure."""
    draws = draw(record, account.cycle_first, account.cycle_last)
    before = draws.ends <= account.own_start
    draws.wh[:, before] = draws.given[:, before] = 0
    totals = draws.totals
    middle = middle_of(totals)
    low, high = (round(quantile(totals, share)) for share in (TENTH, NINETIETH))
    known_wh = record.within(account.cycle_start, account.cycle_end).total_wh()
    energy = Energy(draws.ends, draws.wh[middle], draws.given[middle])
    return Projection(known_wh, int(totals[middle]), low, high, energy, draws)


def hourly_pattern(record: UsageRecord) -> HourlyPattern:
    """Give the usual day by hour, of all recent VEE days, and beside it the day that non-VEE intervals reach into. Pure."""
    means = usual_hours(record)
    end = record.vee_end()
    behind = record.only(record.ends > end) if end is not None else record
    if not len(behind.ends):
        return HourlyPattern(means, None, (None,) * 24)
    day = day_of_interval(seconds(behind.ends[-1]))
    today = record.within(day_start(day), day_end(day))
    known = dict(zip(today.ends.tolist(), today.wh.tolist(), strict=True))
    hours: defaultdict[int, list[int | None]] = defaultdict(list)
    for end in interval_ends(day).tolist():
        hours[local(end - INTERVAL_S).hour].append(known.get(end))
    values: list[int | None] = []
    for hour in range(24):
        parts_known = [wh for wh in hours[hour] if wh is not None]
        whole = bool(parts_known) and len(parts_known) == len(hours[hour])
        # The repeated hour of the fall-back day has eight intervals: the value stays Wh per hour.
        values.append(round(sum(parts_known) * 4 / len(parts_known)) if whole else None)
    return HourlyPattern(means, day, tuple(values))
