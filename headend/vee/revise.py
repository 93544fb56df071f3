"""Which meters of a day lean on the day before, so that they are estimated again when that is revised."""

from __future__ import annotations

from collections.abc import Collection

from headend.ports import MeterKey
from headend.vee.quality import Channel, IntervalStatus, Method
from headend.vee.records import VeeDay


def leaning(day: VeeDay, revised: Collection[MeterKey]) -> set[MeterKey]:
    """Of meters whose day before was revised those whose first gap leans on that midnight, or that have no actual interval: the days running count on.

    day: as it was validated last.
    """
    found = set()
    for row, meter in enumerate(day.meters):
        if meter not in revised:
            continue
        for channel in Channel:
            side = day.channel(channel)
            first = side.status[row, 0] == IntervalStatus.ESTIMATED
            by_neighbour = side.method[row, 0] in (Method.INTERPOLATED, Method.FLAT)
            if (first and by_neighbour) or (side.status[row] == IntervalStatus.ESTIMATED).all():
                found.add(meter)
    return found
