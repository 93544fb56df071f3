"""What is due when an operating day has ended: its own VEE, and again that of the days before it of which something came late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from headend.day.power import newly_told
from headend.day.storm import resumed, stopped_meters
from headend.day.summary import together
from headend.day.validated import validate_partition
from headend.ports import MeterKey
from headend.store.partitions import State
from headend.store.store import HeadEndStore
from headend.vee.preset import Preset
from headend.vee.revise import leaning
from meters.calendar import Seconds, days


class Done(NamedTuple):
    """What VEE gave of a day: of all its meters, or again of some; ``told`` as in ``day.summary``."""

    day: date
    again: bool
    told: dict[str, Any]


def validate_due(
    store: HeadEndStore, esiids: Sequence[str], day: date, preset: Preset, now: Callable[[], Seconds]
) -> list[Done]:
    """Validate an ended operating day, and again what came late of the days before it, as far back as is collected. Blocking.

    In their order, since a day leans on those before it. esiids: the head-end's, ascending. Partition by partition, each in one commit with its results, so that
    whoever comes after an end in the middle goes on with those that are left. now: gives UTC epoch seconds. What was seen already is not looked at again.
    """
    done: list[Done] = []
    first = day - timedelta(days=preset.over_days)
    # Of neither does a day's work change what there is of another.
    partitions, stopped = store.partitions.of_days(first, day), stopped_meters(store, first, day)
    for one in days(first, day):
        begun = partitions.get(one, [])
        pending = [partition for partition in begun if partition.state is State.PENDING]
        if begun:
            seen_to = max(partition.began_at for partition in begun)
            came = {*store.states.changed_since(one, seen_to), *newly_told(store.events, one, seen_to)}
            late = {meter for meter in came if _late_counts(store, preset, meter)}
            late |= resumed(store, one, stopped.get(one, set()), preset, now())
            revised = store.vee.day(sorted(store.partitions.revised(first, one, seen_to)), one)
            lean = leaning(revised, revised.meters)
            if late | lean:
                pending += store.partitions.again(one, {meter.esiid for meter in late | lean}, now())
        elif one == day:
            pending += store.partitions.begin(one, esiids, preset.partition, now())
        for again in (False, True):
            of_run = [partition for partition in pending if (partition.run > 1) == again]
            told = [validate_partition(store, esiids, partition, preset, now) for partition in of_run]
            if told:
                done.append(Done(one, again, together(told)))
    return done


def _late_counts(store: HeadEndStore, preset: Preset, meter: MeterKey) -> bool:
    """Whether the ladder of the meter's class has the rung of the late actual."""
    address = store.records.addresses.get(meter)
    return preset.late_actual[int(address is not None and address.multiplier > 1)]
