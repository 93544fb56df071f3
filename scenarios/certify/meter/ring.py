"""What is seen of a meter's ring of intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

from meters.calendar import INTERVAL_S, day_start, iso, local, seconds
from meters.register_map import layout as wire
from meters.status import Common, Condition
from scenarios.certify.meter.before import Found, Look, Readings, Seen, lacks_before, where_sound
from scenarios.certify.meter.reading import Reading, Said, Slot

# What it holds.


def _whole_ring(reading: Reading) -> Found:
    if not reading.ring:
        return
    told = Common.POWER_FAIL | Common.CLOCK_FORWARD | Common.CLOCK_BACK
    first = next((at for at, slot in sorted(reading.ring.items()) if slot.held), None)
    holes = [at for at, slot in sorted(reading.ring.items()) if not slot.held and not slot.status >> 12 & told]
    holes = [at for at in holes if first is not None and at > first]
    if first is None:
        yield False, "no interval has a value", reading.reads(wire.RING, wire.END_MODEL)
        return
    said = (
        f"{len(holes)} intervals have no value and say nothing of why, the first begins {instants_of(holes)}"
        if holes
        else ""
    )
    yield not holes, said, where_read(reading, holes)


def instants_of(found: Sequence[int]) -> str:
    return iso(seconds(found[0]))


def where_read(reading: Reading, found: Sequence[int]) -> list[Said]:
    """The reads that told of some intervals; the first reads of the ring where there are none."""
    return [one for one, slots in reading.slots if any(at in slots for at in found[:1])] or [
        one for one, _ in reading.slots
    ]


def _each(wrong: Callable[[int, Slot], bool], said: str) -> Look:
    """What no interval may be."""

    def look(reading: Reading) -> Found:
        found = [at for at, slot in sorted(reading.ring.items()) if wrong(at, slot)]
        if reading.ring:
            told = f"{len(found)} intervals {said}, the first begins {instants_of(found)}" if found else ""
            yield not found, told, where_read(reading, found)

    return look


def _odd(_: int, slot: Slot) -> bool:
    return bool(slot.status & 0xF) or max(slot.conditions) > Condition.STOPPED


def _saving(at: int, slot: Slot) -> bool:
    return slot.held and bool(slot.status >> 12 & Common.DST) != bool(local(seconds(at)).dst())


def read_again(its: Readings) -> Seen:
    for one, other in _pairs(its):
        if lacks_before(one) or lacks_before(other):
            yield other.saw(None, lacks_before(one) or lacks_before(other))
            continue
        both = one.ring.keys() & other.ring.keys()
        slots = one.midnights.keys() & other.midnights.keys()
        moved = sorted(at for at in both if one.ring[at] != other.ring[at])
        days = [one.midnights[at] for at in slots if one.midnights[at] != other.midnights[at]]
        days = [told for told in days if told.at and other.today == one.today]
        if both or slots:
            said = (
                f"{len(moved)} intervals are others than before, the first begins {instants_of(moved)}"
                if moved
                else f"the registers of {instants_of([days[0].at])} are others than before"
                if days
                else ""
            )
            yield other.saw(not moved and not days, said, *where_read(other, moved))


def _pairs(its: Readings) -> Iterator[tuple[Reading, Reading]]:
    """Readings of a step, each with the one before."""
    return ((one, other) for one, other in pairwise(its) if one.step is other.step)


def _part(reading: Reading) -> Found:
    for one, header in reading.headers:
        since, clock = int(header["PartS"]), int(header["Clk"]) % INTERVAL_S
        yield since == clock, f"{since} s of the running interval have gone, by its clock {clock} s", [one]


def after_change(day: date) -> bool:
    """Whether the day before had another number of quarter hours than 96."""
    return day_start(day) - day_start(day - timedelta(days=1)) != 96 * INTERVAL_S


def days_of(reading: Reading) -> list[date]:
    """The days of its midnights, the oldest first."""
    return [reading.today - timedelta(days=back) for back in reversed(range(wire.SNAPSHOT_SLOTS))]


def _day_of(quarters: int) -> Look:
    """The days of so many quarter hours."""

    def look(reading: Reading) -> Found:
        for day in days_of(reading):
            ends = day + timedelta(days=1)
            if day_start(ends) - day_start(day) != quarters * INTERVAL_S or ends > reading.today or not reading.ring:
                continue
            begin, end = (reading.midnights.get(one.toordinal() % wire.SNAPSHOT_SLOTS) for one in (day, ends))
            its = [reading.ring.get(at) for at in range(day_start(day), day_start(ends), INTERVAL_S)]
            if begin and end and begin.at and all(its):
                lasts = (end.at - begin.at) / INTERVAL_S
                told = sum(slot is not None and slot.held for slot in its)
                said = f"{day} has {quarters} quarter hours, and its midnights are {lasts:g} apart, with {told} values"
                yield lasts == quarters, said, reading.reads(wire.SNAPSHOTS, wire.RING)

    return look


#: By id what is seen of it.
SEEN: dict[str, Callable[[Readings], Seen]] = {
    "MT-WHOLE": where_sound(_whole_ring),
    "MT-SIGN": where_sound(_each(lambda _, slot: min(slot[:2]) < 0, "count below zero")),
    "MT-STATUS": where_sound(_each(_odd, "have a status that the map does not have")),
    "MT-AGAIN": read_again,
    "MT-PART": where_sound(_part),
    "MT-SAVING": where_sound(_each(_saving, "say otherwise than the calendar whether saving time was in effect")),
    "MT-DST-SPRING": where_sound(_day_of(92)),
    "MT-DST-FALL": where_sound(_day_of(100)),
}
