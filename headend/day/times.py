"""When on the day after an operating day its VEE runs and its files are posted; the time of posting may be drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, time, timedelta

from headend.network.law import generator_for
from headend.vee.preset import PostTime
from meters.calendar import Seconds, epoch, seconds

#: By this local time a day's data are in (ERCOT RMGRR075): no draw is later.
DEADLINE = time(23, 0)


@dataclass(frozen=True, slots=True)
class DailyTimes:
    """Of a head-end. ``seed``: the same seed draws the same times, day by day."""

    vee_at: time = time(1, 0)
    post: PostTime = field(default_factory=PostTime)
    seed: int = 0

    def validated_at(self, day: date) -> Seconds:
        """When the VEE of an operating day begins, UTC epoch seconds."""
        return _next_day(day, self.vee_at)

    def posted_at(self, day: date) -> Seconds:
        """When the posting of an operating day begins, UTC epoch seconds: not before its VEE."""
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
