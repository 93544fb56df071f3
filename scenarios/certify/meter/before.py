"""What must come before anything else is told of a meter's reading: that it is answered, whose it is, that its clock is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from meters.calendar import INTERVAL_S
from meters.register_map import layout as wire
from meters.register_map.sunspec import SPLIT_PHASE, WYE
from scenarios.actions.outside.read_meter import (
    CUT,
    MISFITS,
    SILENT,
)
from scenarios.certify.meter.reading import Reading, Said
from scenarios.certify.observed import Observation

#: Codes of exceptions.
FUNCTION, ADDRESS, VALUE = 1, 2, 3
#: Raw units by which a register and a sum may differ: each is cut to whole ones by itself.
CUT_RAW = 2

Seen = Iterator[Observation]
Readings = Sequence[Reading]
#: Whether it is as it should be (None: nothing can be told of it), what there is to say, and the exchanges that show it.
Found = Iterator[tuple[bool | None, str, Sequence[Said]]]
Look = Callable[[Reading], Found]


# What must come before: each gives what it found, and a reading in which one is wrong shows nothing of what comes after.


def _answers(reading: Reading) -> Found:
    for one in reading.said:
        if one.of_map and one.unit == reading.record.unit and one.trouble not in MISFITS:
            lost = one.trouble in (SILENT, CUT) or one.code is not None
            yield not lost, f"a read of {one.count} registers from {one.first} comes to {one.answer}", [one]


def _in_time(reading: Reading) -> Found:
    for one in reading.said:
        if one.of_map and one.unit == reading.record.unit and one.told:
            said = f"the reply comes after {one.late_s:g} s, {reading.record.answer_s:g} s would pass"
            yield not one.late_s, said, [one]


def _frame(reading: Reading) -> Found:
    for one in reading.said:
        if one.told and one.unit == reading.record.unit and not one.ahead:
            yield one.trouble not in MISFITS, f"the reply has {one.trouble} than it should", [one]


def _mark(reading: Reading) -> Found:
    high, low = (reading.register(wire.BASE + at) for at in (0, 1))
    if high and low:
        told = (high[1] << 16 | low[1]).to_bytes(4, "big").decode("ascii", "replace")
        yield told == wire.MARK, f"registers {wire.BASE} and {wire.BASE + 1} say '{told}'", [high[0]]


def _chain(reading: Reading) -> Found:
    kinds = {wire.BASE + 2: (wire.COMMON_MODEL,), wire.METER_BLOCK.first: (SPLIT_PHASE, WYE)}
    kinds |= {wire.HEADER: (wire.VENDOR_MODEL,), wire.END_MODEL: (0xFFFF,)}
    at, known = wire.BASE + 2, {**kinds}
    while at in known:
        ident, length = reading.register(at), reading.register(at + 1)
        expected = known.pop(at)
        ahead = min((one for one in kinds if one > at), default=wire.END)
        if ident is None or length is None:
            at = ahead
            continue
        follows = at + 2 + length[1]
        well = ident[1] in expected and follows == ahead
        yield well, f"at {at} there is model {ident[1]}, and the next one at {follows}", [ident[0], length[0]]
        at = ahead


def _who(reading: Reading) -> Found:
    record = reading.record
    if reading.header:
        told = str(reading.header["ESIID"]), str(reading.header["MtrNum"])
        said = (
            f"it says that it is meter {told[1]} at {told[0]}, the records have {record.meter_number} at {record.esiid}"
        )
        yield told == (record.esiid, record.meter_number), said, [reading.headers[0][0]]
    serial = wire.COMMON_BLOCK.addresses["SN"] - wire.BASE
    for one in reading.said:
        if one.words and (one.first, one.count) == (wire.BASE, wire.METER_BLOCK.first - wire.BASE):
            octets = b"".join(word.to_bytes(2, "big") for word in one.words[serial : serial + 16])
            number = octets.rstrip(b"\0").decode("ascii", "replace")
            yield number == record.meter_number, f"the common model has the serial number '{number}'", [one]


def _clock(reading: Reading) -> Found:
    for said, header in reading.headers[:1]:
        off = int(header["Clk"]) - said.due
        limit = reading.record.clock_s
        yield abs(off) <= limit, f"its clock is {off:+.0f} s off, {limit:g} s would pass", [said]


def _size(reading: Reading) -> Found:
    wanted = {"IntvS": INTERVAL_S, "Slots": wire.RING_SLOTS, "Mids": wire.SNAPSHOT_SLOTS, "Ver": wire.VENDOR_VERSION}
    for said, header in reading.headers[:1]:
        wrong = [f"{name} is {header[name]}, not {value}" for name, value in wanted.items() if header[name] != value]
        yield not wrong, "; ".join(wrong), [said]


#: In their order: what comes later is looked at where all before it hold.
BEFORE: dict[str, Look] = {
    "MT-ANSWERS": _answers,
    "MT-IN-TIME": _in_time,
    "MT-FRAME": _frame,
    "MT-MARK": _mark,
    "MT-CHAIN": _chain,
    "MT-WHO": _who,
    "MT-CLOCK": _clock,
    "MT-SIZE": _size,
}
#: Of these each is told by itself.
_APART = ("MT-ANSWERS", "MT-IN-TIME", "MT-FRAME")


def lacks_before(reading: Reading, before: str = "") -> str:
    """Why nothing more can be told of a reading: the first of what must come before an id that did not."""
    for ident, check in BEFORE.items() if before not in _APART else ():
        if ident == before:
            break
        if any(not held for held, _, _ in check(reading)):
            return f"{ident} does not hold"
    return ""


def check_before(ident: str) -> Callable[[Readings], Seen]:
    """What is seen of one of what must come before."""

    def seen(its: Readings) -> Seen:
        for reading in its:
            lacks = lacks_before(reading, ident)
            found = list(BEFORE[ident](reading))
            if lacks:
                yield reading.saw(None, lacks)
                continue
            for held, said, exchanges in found:
                if not held:
                    yield reading.saw(False, said, *exchanges)
            if found and all(held for held, _, _ in found):
                yield reading.saw(True, "", *(one for _, _, exchanges in found for one in exchanges))

    return seen


def where_sound(look: Look) -> Callable[[Readings], Seen]:
    """What is seen in each reading in which all holds that must come before."""

    def seen(its: Readings) -> Seen:
        for reading in its:
            lacks = lacks_before(reading)
            if lacks or not reading.header:
                yield reading.saw(None, lacks or "it tells no header")
                continue
            for held, said, exchanges in look(reading):
                yield reading.saw(held, said, *exchanges)

    return seen


#: By id what is seen of it.
SEEN: dict[str, Callable[[Readings], Seen]] = {ident: check_before(ident) for ident in BEFORE}
