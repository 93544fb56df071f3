"""What is seen of how a meter answers requests of any kind: alike, ahead, outside its map."""

from __future__ import annotations

from collections.abc import Callable

from meters.register_map import layout as wire
from meters.wire.faults import NO_RESPONSE, PATH_UNAVAILABLE
from scenarios.actions.outside.read_meter import (
    HOLDING,
    IDENTIFY,
    INPUT,
    NO_FUNCTION,
    SILENT,
    WRITE_ONE,
)
from scenarios.certify.meter.before import ADDRESS, FUNCTION, VALUE, Found, Look, Readings, Seen, where_sound
from scenarios.certify.meter.reading import Reading, Said

# What it answers.


def _ahead(reading: Reading) -> Found:
    its = [one for one in reading.said if one.ahead]
    wrong = [one for one in its if one.trouble or one.code is not None]
    if its:
        said = f"of {len(its)} requests that were sent at once, one comes to {wrong[0].answer}" if wrong else ""
        yield not wrong, said, wrong or its


def _input(reading: Reading) -> Found:
    for one in reading.said:
        if one.function == INPUT and one.words and reading.headers:
            held = reading.headers[0][0]
            same = one.words == held.words[one.first - held.first :][: one.count]
            yield same, f"by function 4 the registers from {one.first} are others than by function 3", [held, one]


def _refuses(which: Callable[[Said], bool], code: int) -> Look:
    def look(reading: Reading) -> Found:
        for one in reading.said:
            if one.unit == reading.record.unit and which(one):
                what = f"a request of function {one.function} about {one.count} registers from {one.first}"
                yield one.code == code, f"{what} comes to {one.answer}, not to exception {code}", [one]

    return look


def _unit(reading: Reading) -> Found:
    for one in reading.said:
        if one.unit != reading.record.unit:
            held = one.trouble == SILENT or (not one.trouble and one.code in (NO_RESPONSE, PATH_UNAVAILABLE))
            yield held, f"unit {one.unit}, behind which there is no meter, comes to {one.answer}", [one]


def _named(reading: Reading) -> Found:
    for one in reading.said:
        if one.function == IDENTIFY:
            found, at = {}, 7
            while one.code is None and at + 1 < len(one.told):
                length = one.told[at + 1]
                found[one.told[at]] = one.told[at + 2 : at + 2 + length]
                at += 2 + length
            held = one.told[1:2] == b"\x0e" and all(found.get(ident) for ident in range(3))
            yield held, f"the identification comes to {one.answer} with objects {sorted(found)}", [one]


def _other_write(one: Said) -> bool:
    """Half a clock, or what nobody may write."""
    return one.function == WRITE_ONE and one.first != wire.SWITCH


def _reads_outside(one: Said) -> bool:
    return one.function == HOLDING and 1 <= one.count <= wire.MAX_READ and not one.of_map and not one.ahead


def _reads_too_many(one: Said) -> bool:
    return one.function == HOLDING and not 1 <= one.count <= wire.MAX_READ


#: By id what is seen of it.
SEEN: dict[str, Callable[[Readings], Seen]] = {
    "MT-AHEAD": where_sound(_ahead),
    "MT-INPUT": where_sound(_input),
    "MT-ADDRESS": where_sound(_refuses(_reads_outside, ADDRESS)),
    "MT-COUNT": where_sound(_refuses(_reads_too_many, VALUE)),
    "MT-FUNCTION": where_sound(_refuses(lambda one: one.function == NO_FUNCTION, FUNCTION)),
    "MT-UNIT": where_sound(_unit),
    "MT-NAMED": where_sound(_named),
    "MT-WRITES": where_sound(_refuses(_other_write, ADDRESS)),
}
