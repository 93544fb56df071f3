"""When on the day after an operating day its VEE runs and its files are posted; the time of posting may be drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, time, timedelta

from headend.network.law import generator_for
from headend.vee.preset import PostTime
from headend.vee.quality import Channel
from meters.calendar import LAST_DAY, Seconds, epoch, local, seconds

#: By this local time a day's data are in (ERCOT RMGRR075): no draw is later.
DEADLINE = time(23, 0)


@dataclass(frozen=True, slots=True)
class Apart:
    """Operating days, both included, whose posting is not as on others.

    at: posted at this local time of the next day. held_days: posted so many days later; None for never. esiids, channel: what alone is held, which never is posted.
    """

    first: date
    last: date
    at: time | None = None
    held_days: int | None = 0
    esiids: frozenset[str] = frozenset()
    channel: Channel | None = None

    @property
    def whole(self) -> bool:
        """Whether all of a day is meant."""
        return not self.esiids and self.channel is None

    def withholds(self, day: date, esiid: str, channel: Channel) -> bool:
        """Whether a record is left out of what is posted of a day."""
        its = self.first <= day <= self.last and not self.whole
        return its and (not self.esiids or esiid in self.esiids) and self.channel in (None, channel)


@dataclass(frozen=True, slots=True)
class DailyTimes:
    """Of a head-end. ``seed``: the same seed draws the same times, day by day. ``apart``: days that are not as others."""

    vee_at: time = time(1, 0)
    post: PostTime = field(default_factory=PostTime)
    seed: int = 0
    apart: tuple[Apart, ...] = ()

    def validated_at(self, day: date) -> Seconds:
        """When the VEE of an operating day begins, UTC epoch seconds."""
        return _next_day(day, self.vee_at)

    def withholds(self, day: date, esiid: str, channel: Channel) -> bool:
        """Whether a record is left out of what is posted of an operating day."""
        return any(one.withholds(day, esiid, channel) for one in self.apart)

    def posted_at(self, day: date) -> Seconds:
        """When the posting of an operating day begins, UTC epoch seconds: not before its VEE."""
        for one in self.apart:
            if one.whole and one.first <= day <= one.last:
                if one.held_days is None:
                    return epoch(f"{LAST_DAY}T00:00")
                at = self._usual(day) if one.at is None else max(self.validated_at(day), _next_day(day, one.at))
                return epoch(local(at).replace(tzinfo=None) + timedelta(days=one.held_days))
        return self._usual(day)

    def _usual(self, day: date) -> Seconds:
        post = self.post
        at, drawn = _next_day(day, post.at), generator_for(self.seed, "posting", day.isoformat())
        if post.sigma:
            of_day = post.at.hour * 3600 + post.at.minute * 60
            at = at + seconds(of_day * math.expm1(post.sigma * drawn.standard_normal()))
        elif post.spread_s:
            at = at + seconds(post.spread_s * drawn.random())
        latest = max(_next_day(day, DEADLINE), _next_day(day, post.at))
        return max(self.validated_at(day), min(at, latest))


def _next_day(day: date, at: time) -> Seconds:
    return epoch(f"{day + timedelta(days=1)}T{at.isoformat()}")
