"""Two ESI IDs, a day, and what a meter gives of it."""

from __future__ import annotations

from datetime import date

import numpy as np

from headend.ports import MeterKey, MeterReading
from meters.calendar import INTERVAL_S, Seconds, day_start
from meters.status import Condition, status_word

ESIID, OTHER = "10443720000000017", "10443720000000025"
METER, OTHER_METER = MeterKey(ESIID, ""), MeterKey(OTHER, "")
DAY = date(2026, 8, 12)
MIDNIGHT = day_start(DAY)


def reading(start: Seconds, wh: list[int | None], esiid: str = ESIID, status: int = 0) -> MeterReading:
    """None: the meter has no value."""
    present = np.array([one is not None for one in wh], np.bool_)
    skipped = status_word(0, Condition.SKIPPED)
    return MeterReading(
        esiid=esiid,
        meter_number="",
        start=start,
        delivered=np.array([one or 0 for one in wh], np.int32),
        received=np.array([(one or 0) // 10 for one in wh], np.int32),
        status=np.where(present, status, skipped).astype(np.uint16),
        present=present,
        meter_time=start + INTERVAL_S * len(wh) + 20,
        partial_wh=5,
        register_wh=10_000,
        octets=100,
    )
