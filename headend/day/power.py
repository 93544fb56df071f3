"""An operating day's power by what meters told unasked: intervals that an outage or an open switch took whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from headend.ports import MeterKey
from headend.store.events import EventStore, Told
from headend.vee.records import OctetArray, Power
from meters.calendar import INTERVAL_S, Seconds, day_end, day_start, interval_ends
from meters.events import EventKind

#: What begins and what ends, and what an interval within it has.
_SPANS = (
    (EventKind.LAST_GASP, EventKind.RESTORATION, Power.OUT),
    (EventKind.DISCONNECTED, EventKind.CONNECTED, Power.SWITCH_OPEN),
)


def told_power(day: date, meters: Sequence[MeterKey], told: Mapping[MeterKey, Sequence[Told]]) -> OctetArray:
    """(m, n) ``Power`` of an operating day. told: as ``EventStore.over`` gives it for that day. What nobody ended lasts, and is not ``OVER``."""
    ends = interval_ends(day)
    power = np.zeros((len(meters), len(ends)), np.uint8)
    for row, meter in enumerate(meters):
        for start, stop, bit in _SPANS if meter in told else ():
            for first, last in _spans(told[meter], start, stop):
                over = Power.OVER if bit is Power.OUT and last is not None else 0
                within = (ends - INTERVAL_S >= first) & (ends <= (day_end(day) if last is None else last))
                power[row, within] |= np.uint8(bit | over)
    return power


def newly_told(events: EventStore, day: date, since: Seconds) -> set[MeterKey]:
    """Meters of whose day's power another thing is known than was at an instant, UTC epoch seconds."""
    esiids = events.heard_since(since)
    if not esiids:
        return set()
    now, then = (events.over(esiids, day_start(day), day_end(day), known_by) for known_by in (None, since))
    meters = sorted(now)
    differs = told_power(day, meters, now) != told_power(day, meters, then)
    return {meter for meter, other in zip(meters, differs.any(axis=1), strict=True) if other}


def _spans(told: Sequence[Told], start: EventKind, stop: EventKind) -> list[tuple[Seconds, Seconds | None]]:
    """When it began and ended; None: nobody has told. Of one instant the end comes last, and an answer first, as in ``network.events.power_failed``.

    An answer says that power is back and not since when: of such an outage nothing is known.
    """
    found: list[tuple[Seconds, Seconds | None]] = []
    since: Seconds | None = None
    for at, kind in sorted(told, key=lambda one: (one[0], one[1] is not None, one[1] is stop)):
        if kind is start and since is None:
            since = at
        elif since is not None and kind is stop:
            found.append((since, at))
            since = None
        elif kind is None and start is EventKind.LAST_GASP:
            since = None
    return found if since is None else [*found, (since, None)]
