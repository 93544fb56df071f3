"""A company's way of doing VEE, as a record: its thresholds and its ladders. How one is written, and read, is in ``simulator/input/vee_preset.py``."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time

import numpy as np

from headend.ports import LongArray
from headend.vee.ladder import Rung
from headend.vee.rules import Limits, limits
from meters.calendar import Seconds, seconds

#: A ladder: rungs from the top, each with its two numbers.
Ladder = tuple[tuple[Rung, int, int], ...]
#: Line up to 2 h (DASMMD), three like days of the last 90, the class's profile.
USUAL: Ladder = ((Rung.INTERPOLATE, 8, 0), (Rung.LIKE_DAYS, 3, 90), (Rung.CLASS_PROFILE, 0, 0), (Rung.ZERO, 0, 0))
#: Places of the ladders in ``Preset.ladders``; where estimation is stopped for an area, nothing is made up.
RESIDENTIAL, COMMERCIAL, STOPPED = range(3)


@dataclass(frozen=True, slots=True)
class PostTime:
    """Local time of the next day at which a day is posted: a time, from it on within a spread (every second alike), or the median of a lognormal time since midnight."""

    at: time = time(7, 30)
    spread_s: Seconds = seconds(0)
    #: Standard deviation of the logarithm; 0: none.
    sigma: float = 0.0


@dataclass(frozen=True, slots=True)
class Preset:
    """What a head-end's batch goes by."""

    name: str = "usual"
    effective: date = date(2000, 11, 1)
    limits: Limits = field(default_factory=limits)
    residential: Ladder = USUAL
    commercial: Ladder = USUAL
    #: Whether what comes late counts, for homes and for businesses.
    late_actual: tuple[bool, bool] = (True, True)
    #: What a day lacks is asked for in so many attempts over so many days, evenly spaced; then it is given up.
    attempts: int = 5
    over_days: int = 5
    post: PostTime = field(default_factory=PostTime)
    #: ESI IDs that are validated in one commit and posted in one file, at most.
    partition: int = 5_000

    @property
    def attempt_s(self) -> Seconds:
        """Seconds from one attempt at a day to the next."""
        return seconds(self.over_days * 24 * 3600 // self.attempts)

    @property
    def back_days(self) -> int:
        """How far a ladder looks back, days; 0 if none does."""
        rungs = (*self.residential, *self.commercial)
        return max((second for rung, _, second in rungs if rung is Rung.LIKE_DAYS), default=0)

    @property
    def ladders(self) -> LongArray:
        """(3, r, 3) as the kernel takes them."""
        ladders = (self.residential, self.commercial, ((Rung.ZERO, 0, 0),))
        table = np.zeros((3, max(map(len, ladders)), 3), np.int64)
        for at, ladder in enumerate(ladders):
            table[at, : len(ladder)] = ladder
        return table
