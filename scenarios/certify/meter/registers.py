"""What is seen of a meter's registers: at its midnights, and beside what its intervals hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from meters.calendar import INTERVAL_S, day_start, floor_interval, iso, seconds
from meters.register_map import layout as wire
from scenarios.certify.meter.before import CUT_RAW, Found, Readings, Seen, lacks_before, where_sound
from scenarios.certify.meter.reading import Reading, Said, Slot
from scenarios.certify.meter.ring import after_change, days_of, read_again, where_read

#: Slots by which a ring is tried for being turned.
_TURNS: tuple[int, ...] = (*range(-4, 0), *range(1, 5))
#: Raw units that a register must have grown by, so that its growth tells a multiplier.
_GROWN_RAW = 3


def _midnights(reading: Reading) -> Found:
    its, days = reading.reads(wire.SNAPSHOTS, wire.RING), days_of(reading)
    for day in days:
        told = reading.midnights.get(day.toordinal() % wire.SNAPSHOT_SLOTS)
        if told and told.at and not after_change(day) and told.at != day_start(day):
            yield False, f"where {day} should begin there is {iso(seconds(told.at))}", its
            return
    if any(reading.midnight(day) for day in days):
        yield True, "", its


def _registers(reading: Reading) -> list[tuple[str, int, int]]:
    """Its registers at midnights that follow each other, and now: when, delivered, received."""
    found = [
        (day.isoformat(), told.delivered, told.received) for day in days_of(reading) if (told := reading.midnight(day))
    ]
    return [*found, ("now", reading.number("RegDel"), reading.number("RegRcv"))] if found else []


def _falls(reading: Reading) -> Iterator[tuple[str, str]]:
    """Where a register is less than before, and not by nearly a whole turn of its dials."""
    for before, after in pairwise(_registers(reading)):
        for at in (1, 2):
            if -reading.turn // 2 < int(after[at]) - int(before[at]) < 0:
                yield before[0], after[0]


def _grows(reading: Reading) -> Found:
    fallen, its = list(_falls(reading)), reading.reads(wire.SNAPSHOTS, wire.RING)
    if _registers(reading):
        yield not fallen, f"from {fallen[0][0]} to {fallen[0][1]} a register falls" if fallen else "", its


def _rolls(reading: Reading) -> Found:
    told, its = _registers(reading), reading.reads(wire.SNAPSHOTS, wire.RING)
    beyond = [one for one in told if max(one[1:]) >= reading.turn]
    if beyond:
        yield False, f"{max(beyond[0][1:])} raw units are shown on {beyond[0][0]}, by the dials it begins again at {reading.turn}", its  # fmt: skip
    elif any(after[1] - before[1] < -reading.turn // 2 for before, after in pairwise(told)):
        yield True, "", its


class _Day(NamedTuple):
    """What a span's register grew by, and what its intervals hold as far as a ring is turned by so many slots."""

    name: str
    grown: int
    sums: dict[int, int | None]


def _spans(reading: Reading, *, received: bool) -> Iterator[_Day]:
    """Whole days of the ring, and what has been of today, of a channel; sound intervals alone."""
    channel = 1 if received else 0
    for day in days_of(reading):
        begin, end = reading.midnight(day), reading.midnight(day + timedelta(days=1))
        last = day_start(day + timedelta(days=1))
        if begin is None:
            continue
        if day == reading.today:
            name, part = ("RegRcv", "PartRcv") if received else ("RegDel", "PartDel")
            grown = reading.number(name) - reading.number(part) - begin[channel + 1]
            last = floor_interval(seconds(reading.number("Clk")))
        elif end is None:
            continue
        else:
            grown = end[channel + 1] - begin[channel + 1]
        sums = {
            turned: _sum(reading.ring, channel, day_start(day) + turned * INTERVAL_S, last + turned * INTERVAL_S)
            for turned in (0, *_TURNS)
        }
        if sums[0] is not None:
            yield _Day(day.isoformat(), grown % reading.turn, sums)


def _sum(ring: dict[int, Slot], channel: int, first: int, end: int) -> int | None:
    its = [ring.get(at) for at in range(first, end, INTERVAL_S)]
    if any(slot is None or not slot.sound for slot in its):
        return None
    return sum((slot.received if channel else slot.delivered) for slot in its if slot)


def _agrees(day: _Day, turned: int = 0) -> bool:
    its = day.sums[turned]
    return its is not None and abs(its - day.grown) <= CUT_RAW


def _turned(spans: Sequence[_Day]) -> int | None:
    """By how many slots the ring is turned: 0, so many by which every day's sum comes right, or None where nothing of it can be told."""
    if all(_agrees(day) for day in spans):
        return 0 if spans else None
    for turned in _TURNS:
        known = [day for day in spans if day.sums[turned] is not None]
        if len(known) > 1 and all(_agrees(day, turned) for day in known):
            return turned
    return None


def _slots(reading: Reading) -> Found:
    turned = _turned(list(_spans(reading, received=False)))
    if turned is not None:
        yield not turned, f"every day's sum comes right {turned:+d} slots from where it should", where_read(reading, [])
    elif reading.ring and reading.midnights:
        yield None, "no day's intervals sum to its registers", []


def _sums(reading: Reading) -> Found:
    spans = list(_spans(reading, received=False))
    if next(_falls(reading), None) or _turned(spans):
        yield None, "MT-GROWS or MT-SLOTS does not hold", []
        return
    for day in spans:
        said = f"on {day.name} the intervals sum to {day.sums[0]} raw, and the register grows by {day.grown}"
        yield _agrees(day), said, where_read(reading, [day_start(date.fromisoformat(day.name))])


def _received(reading: Reading) -> Found:
    for day in _spans(reading, received=True):
        if day.grown or day.sums[0]:
            said = (
                f"on {day.name} the intervals received sum to {day.sums[0]} raw, and the register grows by {day.grown}"
            )
            yield _agrees(day), said, where_read(reading, [day_start(date.fromisoformat(day.name))])


def _after_another(look: Callable[[Readings], Seen], *before: Callable[[Readings], Seen]) -> Callable[[Readings], Seen]:
    """What is told of readings only where something else of their step holds."""

    def seen(its: Readings) -> Seen:
        for step in dict.fromkeys(one.step.name for one in its):
            own = [one for one in its if one.step.name == step]
            if any(one.held is False for check in before for one in check(own)):
                yield own[0].saw(None, "what is read twice is not the same")
            else:
                yield from look(own)

    return seen


def _scale(its: Readings) -> Seen:
    told: list[tuple[Reading, Said, int, int]] = []
    for reading in its:
        for said, points in reading.whole(wire.METER_BLOCK) if not lacks_before(reading) else ():
            register = next((int(one["RegDel"]) for had, one in reversed(reading.headers) if had.n < said.n), None)
            if register is not None and not next(_falls(reading), None):
                told.append((reading, said, register, int(points["TotWhImp"])))
    for (reading, said, register, counted), (other, then, later, counter) in pairwise(told):
        if reading.step is not other.step:
            continue
        by, grown = other.number("Mult"), (later - register) % other.turn
        went = (counter - counted) % 2**32
        if counter == later * by:
            yield other.saw(True, "", said, then)
        elif grown >= _GROWN_RAW:
            text = f"the register grows by {grown} raw of {by} Wh each, and the counter by {went} Wh"
            yield other.saw(abs(went - grown * by) <= CUT_RAW * by, text, said, then)


#: By id what is seen of it.
SEEN: dict[str, Callable[[Readings], Seen]] = {
    "MT-SLOTS": _after_another(where_sound(_slots), read_again),
    "MT-MIDNIGHTS": where_sound(_midnights),
    "MT-GROWS": where_sound(_grows),
    "MT-SUM": _after_another(where_sound(_sums), read_again),
    "MT-SCALE": _scale,
    "MT-ROLLOVER": where_sound(_rolls),
    "MT-RECEIVED": _after_another(where_sound(_received), read_again),
}
