"""What is seen of a meter whose clock and switch are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from meters.calendar import floor_interval, iso, seconds
from meters.register_map import layout as wire
from meters.status import Common
from scenarios.actions.outside.read_meter import (
    SET_S,
    WRITE,
    WRITE_ONE,
)
from scenarios.certify.meter.before import VALUE, Found, Readings, Seen, where_sound
from scenarios.certify.meter.reading import Points, Reading, Said

# What it obeys.


def _writes(reading: Reading, address: int, function: int) -> Iterator[tuple[Said, int, Said | None, Points]]:
    """Each write of clock or switch that a header follows: the write, its value, and the header then."""
    for one in reading.said:
        if one.function == function and one.first == address and one.unit == reading.record.unit:
            value = int.from_bytes(one.asked[-4:] if function == WRITE else one.asked[-2:], "big")
            then = next(((had, told) for had, told in reading.headers if had.n > one.n), None)
            yield one, value, *(then or (None, {}))


def _set(reading: Reading) -> tuple[Said, int, Said | None, Points] | None:
    return next(_writes(reading, wire.CLOCK, WRITE), None)


def _clock_set(reading: Reading) -> Found:
    found = _set(reading)
    if found:
        said, value, then, header = found
        shown = int(header["Clk"]) - (then.due - said.due) if then else None
        held = shown is not None and said.code is None and abs(shown - value) <= reading.record.clock_s
        text = f"it is set to {iso(seconds(value))}, which comes to {said.answer}, and shows " + (
            "nothing" if shown is None else iso(seconds(int(shown)))
        )
        yield held, text, [said, *([then] if then else [])]


def _obeyed(reading: Reading) -> bool:
    return next((held is True for held, _, _ in _clock_set(reading)), False)


def _clock_far(reading: Reading) -> Found:
    if _obeyed(reading):
        for one, value, _, _ in list(_writes(reading, wire.CLOCK, WRITE))[1:2]:
            yield one.code == VALUE, f"a clock set to {iso(seconds(value))} comes to {one.answer}", [one]


def _marked(reading: Reading) -> Found:
    found = _set(reading)
    if found is None:
        return
    if not _obeyed(reading):
        yield None, "the clock is not set", []
        return
    at = floor_interval(seconds(found[1]) - SET_S)
    for one, slots in reading.slots:
        if one.n > found[0].n and (slot := slots.get(at)):
            held = bool(slot.status >> 12 & Common.CLOCK_FORWARD)
            yield held, f"the interval from {iso(at)} in which the clock was set has status {slot.status:#06x}", [one]


def _switch(reading: Reading) -> Found:
    for one, value, then, header in _writes(reading, wire.SWITCH, WRITE_ONE):
        if value in (wire.SWITCH_OPEN, wire.SWITCH_CLOSED):
            held = one.code is None and then is not None and header["Sw"] == value
            yield held, f"the switch is set to {value} and shows {header.get('Sw')}", [one, *([then] if then else [])]
        else:
            yield one.code == VALUE, f"a switch set to {value} comes to {one.answer}", [one]


#: By id what is seen of it.
SEEN: dict[str, Callable[[Readings], Seen]] = {
    "MT-CLOCK-SET": where_sound(_clock_set),
    "MT-CLOCK-FAR": where_sound(_clock_far),
    "MT-MARKED": where_sound(_marked),
    "MT-SWITCH": where_sound(_switch),
}
