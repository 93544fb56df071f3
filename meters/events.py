"""What a meter tells unasked: the last gasp of a power failure, its end, a blink of power, and who moved its switch or clock."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from meters.calendar import Seconds


class EventKind(StrEnum):
    """Kinds of events, by the words of the field."""

    LAST_GASP = "last_gasp"
    RESTORATION = "restoration"
    #: Power was away for less than a last gasp takes; told when it is back.
    MOMENTARY = "momentary"
    DISCONNECTED = "disconnected"
    CONNECTED = "connected"
    CLOCK_SET = "clock_set"


@dataclass(frozen=True, slots=True, order=True)
class MeterEvent:
    """One event of one meter; they sort by time."""

    #: UTC epoch seconds at which it happened (true time, not the meter's clock).
    at: Seconds
    esiid: str
    meter_number: str
    kind: EventKind


def batch_ident(events: Sequence[MeterEvent]) -> str:
    """A batch's name, from its content alone."""
    lines = "\n".join(f"{event.at} {event.esiid} {event.meter_number} {event.kind}" for event in events)
    return hashlib.blake2b(lines.encode(), digest_size=8).hexdigest()
