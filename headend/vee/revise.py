"""Which meters of a day lean on the day before, so that they are estimated again when that is revised."""

from __future__ import annotations

from headend.ports import MeterKey
from headend.vee.quality import Channel, IntervalStatus, Method
from headend.vee.records import VeeDay


def leaning(day: VeeDay) -> set[MeterKey]:
    """Of meters of which an earlier day was revised those whose first gap leans on midnight, or that have no actual interval: the days running count on.

    day: theirs, as it was validated last.
    """
    found = set()
    for row, meter in enumerate(day.meters):
        for channel in Channel:
            side = day.channel(channel)
            first = side.status[row, 0] == IntervalStatus.ESTIMATED
            by_neighbour = side.method[row, 0] in (Method.INTERPOLATED, Method.FLAT)
            if (first and by_neighbour) or (side.status[row] == IntervalStatus.ESTIMATED).all():
                found.add(meter)
    return found
