"""Daily reads as both doors tell them, in one shape; and what the intervals of the same day sum up to."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from scenarios.recording.actions import UsageRow

#: Day, consumption and both midnight registers, as the market API and the portal name them.
BY_API = ("readDate", "energyDataKwh", "startReading", "endReading")
AT_PORTAL = ("date", "reading", "startreading", "endreading")
#: Digits with a point among them or before them.
_NUMBER = re.compile(r"\d*\.?\d+")


def daily_reads(rows: list[dict[str, Any]], words: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Day, kWh and registers of each row. Consumption is text at one door and a number at the other: three places are a Wh."""
    found: list[tuple[str, ...]] = []
    for row in rows:
        day, used, start, end = (str(row.get(word)) for word in words)
        found.append((day, f"{Decimal(used):.3f}" if _NUMBER.fullmatch(used) else used, start, end))
    return found


def kwh_of(row: UsageRow) -> str:
    """What the 100 slots of an operating day sum up to."""
    values = [slot.partition("-")[0] for slot in str((row.model_extra or {}).get("RD", "")).split(",")]
    return f"{sum((Decimal(value) for value in values if _NUMBER.fullmatch(value)), Decimal(0)):.3f}"
