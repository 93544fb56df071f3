"""A load that tests can reckon with: the same energy in every second."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from meters.calendar import day_start, intervals_in
from meters.load.truth import ERA, DayLoad


class SteadyLoad:
    """``PremiseLoad`` of so many Wh delivered and received in each interval, of which a share cools."""

    def __init__(self, delivered: int = 900, received: int = 0, cools: float = 0.0) -> None:
        self.delivered, self.received, self.cools = delivered, received, cools

    def registers(self, day: date) -> tuple[int, int]:
        passed = (day_start(day) - day_start(ERA)) // 900
        return passed * self.delivered, passed * self.received

    def day(self, day: date) -> DayLoad:
        n = intervals_in(day)
        return DayLoad(np.full(n, self.delivered, np.int32), np.full(n, self.received, np.int32))

    def thermal(self, day: date) -> NDArray[np.float64]:
        return np.full(intervals_in(day), self.cools)
