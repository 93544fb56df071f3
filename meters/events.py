"""What a meter tells unasked: the last gasp of a power failure, its end, and who moved its switch or clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    """Kinds of events, by the words of the field."""

    LAST_GASP = "last_gasp"
    RESTORATION = "restoration"
    DISCONNECTED = "disconnected"
    CONNECTED = "connected"
    CLOCK_SET = "clock_set"


@dataclass(frozen=True, slots=True, order=True)
class MeterEvent:
    """One event of one meter; they sort by time."""

    #: UTC epoch seconds at which it happened (true time, not the meter's clock).
    at: int
    esiid: str
    meter_number: str
    kind: EventKind
