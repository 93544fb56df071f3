"""What is seen of a meter, id by id: its replies as they stand on the wire, held against the register map and against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from meters.calendar import INTERVAL_S, day_start, floor_interval, iso, local, seconds
from meters.register_map import layout as wire
from meters.register_map.sunspec import POWER_FAILURE_BIT, SPLIT_PHASE, WYE
from meters.status import Common, Condition
from meters.wire.faults import NO_RESPONSE, PATH_UNAVAILABLE
from scenarios.actions.read_meter import (
    CUT,
    HOLDING,
    IDENTIFY,
    INPUT,
    MISFITS,
    NO_FUNCTION,
    SET_S,
    SILENT,
    WRITE,
    WRITE_ONE,
)
from scenarios.certified import of_role
from scenarios.certify.observed import Observation
from scenarios.certify.reading import Points, Reading, Said, Slot

#: Codes of exceptions.
FUNCTION, ADDRESS, VALUE = 1, 2, 3
#: Raw units by which a register and a sum may differ: each is cut to whole ones by itself.
_CUT_RAW = 2
#: Slots by which a ring is tried for being turned.
_TURNS: tuple[int, ...] = (*range(-4, 0), *range(1, 5))
#: Volts from line to line by phases, and the share by which they may be off. Defaults of this project, wider than ANSI C84.1's ranges.
_VOLTS, _OFF = {2: 240.0, 3: 208.0}, 0.1
_HZ = range(59, 62)
#: Raw units that a register must have grown by, so that its growth tells a multiplier.
_GROWN_RAW = 3

Seen = Iterator[Observation]
Readings = Sequence[Reading]
#: Whether it is as it should be (None: nothing can be told of it), what there is to say, and the exchanges that show it.
Found = Iterator[tuple[bool | None, str, Sequence[Said]]]
_Look = Callable[[Reading], Found]


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
_BEFORE: dict[str, _Look] = {
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


def _lacks(reading: Reading, before: str = "") -> str:
    """Why nothing more can be told of a reading: the first of what must come before an id that did not."""
    for ident, check in _BEFORE.items() if before not in _APART else ():
        if ident == before:
            break
        if any(not held for held, _, _ in check(reading)):
            return f"{ident} does not hold"
    return ""


def _check(ident: str) -> Callable[[Readings], Seen]:
    """What is seen of one of what must come before."""

    def seen(its: Readings) -> Seen:
        for reading in its:
            lacks = _lacks(reading, ident)
            found = list(_BEFORE[ident](reading))
            if lacks:
                yield reading.saw(None, lacks)
                continue
            for held, said, exchanges in found:
                if not held:
                    yield reading.saw(False, said, *exchanges)
            if found and all(held for held, _, _ in found):
                yield reading.saw(True, "", *(one for _, _, exchanges in found for one in exchanges))

    return seen


def _sound(look: _Look) -> Callable[[Readings], Seen]:
    """What is seen in each reading in which all holds that must come before."""

    def seen(its: Readings) -> Seen:
        for reading in its:
            lacks = _lacks(reading)
            if lacks or not reading.header:
                yield reading.saw(None, lacks or "it tells no header")
                continue
            for held, said, exchanges in look(reading):
                yield reading.saw(held, said, *exchanges)

    return seen


# What it answers.


def _ahead(reading: Reading) -> Found:
    its = [one for one in reading.said if one.ahead]
    wrong = [one for one in its if one.trouble or one.code is not None]
    if its:
        said = f"of {len(its)} requests that were sent at once, one comes to {wrong[0].answer}" if wrong else ""
        yield not wrong, said, wrong or its


def _input(reading: Reading) -> Found:
    for one in reading.said:
        if one.function == INPUT and one.words:
            held = reading.headers[0][0]
            same = one.words == held.words[one.first - held.first :][: one.count]
            yield same, f"by function 4 the registers from {one.first} are others than by function 3", [held, one]


def _refuses(which: Callable[[Said], bool], code: int) -> _Look:
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
        f"{len(holes)} intervals have no value and say nothing of why, the first begins {_at(holes)}" if holes else ""
    )
    yield not holes, said, _where(reading, holes)


def _at(found: Sequence[int]) -> str:
    return iso(seconds(found[0]))


def _where(reading: Reading, found: Sequence[int]) -> list[Said]:
    """The reads that told of some intervals; the first reads of the ring where there are none."""
    its = reading.reads(wire.RING, wire.END_MODEL)
    return [one for one in its if any(at in reading.slots(one) for at in found[:1])] or its


def _each(wrong: Callable[[int, Slot], bool], said: str) -> _Look:
    """What no interval may be."""

    def look(reading: Reading) -> Found:
        found = [at for at, slot in sorted(reading.ring.items()) if wrong(at, slot)]
        if reading.ring:
            told = f"{len(found)} intervals {said}, the first begins {_at(found)}" if found else ""
            yield not found, told, _where(reading, found)

    return look


def _odd(_: int, slot: Slot) -> bool:
    return bool(slot.status & 0xF) or max(slot.conditions) > Condition.STOPPED


def _saving(at: int, slot: Slot) -> bool:
    return slot.held and bool(slot.status >> 12 & Common.DST) != bool(local(seconds(at)).dst())


def _again(its: Readings) -> Seen:
    for one, other in _pairs(its):
        if _lacks(one) or _lacks(other):
            yield other.saw(None, _lacks(one) or _lacks(other))
            continue
        both = one.ring.keys() & other.ring.keys()
        slots = one.midnights.keys() & other.midnights.keys()
        moved = sorted(at for at in both if one.ring[at] != other.ring[at])
        days = [one.midnights[at] for at in slots if one.midnights[at] != other.midnights[at]]
        days = [told for told in days if told.at and other.today == one.today]
        if both or slots:
            said = (
                f"{len(moved)} intervals are others than before, the first begins {_at(moved)}"
                if moved
                else f"the registers of {_at([days[0].at])} are others than before"
                if days
                else ""
            )
            yield other.saw(not moved and not days, said, *_where(other, moved))


def _pairs(its: Readings) -> Iterator[tuple[Reading, Reading]]:
    """Readings of a step, each with the one before."""
    return ((one, other) for one, other in pairwise(its) if one.step is other.step)


def _part(reading: Reading) -> Found:
    for one, header in reading.headers:
        since, clock = int(header["PartS"]), int(header["Clk"]) % INTERVAL_S
        yield since == clock, f"{since} s of the running interval have gone, by its clock {clock} s", [one]


def _after_change(day: date) -> bool:
    """Whether the day before had another number of quarter hours than 96."""
    return day_start(day) - day_start(day - timedelta(days=1)) != 96 * INTERVAL_S


def _midnights(reading: Reading) -> Found:
    its, days = reading.reads(wire.SNAPSHOTS, wire.RING), _days(reading)
    for day in days:
        told = reading.midnights.get(day.toordinal() % wire.SNAPSHOT_SLOTS)
        if told and told.at and not _after_change(day) and told.at != day_start(day):
            yield False, f"where {day} should begin there is {iso(seconds(told.at))}", its
            return
    if any(reading.midnight(day) for day in days):
        yield True, "", its


def _days(reading: Reading) -> list[date]:
    """The days of its midnights, the oldest first."""
    return [reading.today - timedelta(days=back) for back in reversed(range(wire.SNAPSHOT_SLOTS))]


def _registers(reading: Reading) -> list[tuple[str, int, int]]:
    """Its registers at midnights that follow each other, and now: when, delivered, received."""
    found = [
        (day.isoformat(), told.delivered, told.received) for day in _days(reading) if (told := reading.midnight(day))
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
    for day in _days(reading):
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
    return its is not None and abs(its - day.grown) <= _CUT_RAW


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
        yield not turned, f"every day's sum comes right {turned:+d} slots from where it should", _where(reading, [])
    elif reading.ring and reading.midnights:
        yield None, "no day's intervals sum to its registers", []


def _sums(reading: Reading) -> Found:
    spans = list(_spans(reading, received=False))
    if next(_falls(reading), None) or _turned(spans):
        yield None, "MT-GROWS or MT-SLOTS does not hold", []
        return
    for day in spans:
        said = f"on {day.name} the intervals sum to {day.sums[0]} raw, and the register grows by {day.grown}"
        yield _agrees(day), said, _where(reading, [day_start(date.fromisoformat(day.name))])


def _received(reading: Reading) -> Found:
    for day in _spans(reading, received=True):
        if day.grown or day.sums[0]:
            said = (
                f"on {day.name} the intervals received sum to {day.sums[0]} raw, and the register grows by {day.grown}"
            )
            yield _agrees(day), said, _where(reading, [day_start(date.fromisoformat(day.name))])


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
        for said, points in reading.whole(wire.METER_BLOCK) if not _lacks(reading) else ():
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
            yield other.saw(abs(went - grown * by) <= _CUT_RAW * by, text, said, then)


def _scaled(points: Points, name: str, exponent: str) -> float:
    return int(points[name]) * 10.0 ** int(points[exponent])


def _failed(points: Points) -> bool:
    return bool(int(points["Evt"]) >> POWER_FAILURE_BIT & 1)


def _voltage(reading: Reading) -> Found:
    wanted = _VOLTS.get(reading.number("Ph"))
    for said, points in reading.whole(wire.METER_BLOCK):
        volts, hz = _scaled(points, "PPV", "V_SF"), _scaled(points, "Hz", "Hz_SF")
        if wanted is None:
            yield False, f"it says that it has {reading.number('Ph')} phases", [said]
        elif volts or not _failed(points):
            held = abs(volts - wanted) <= wanted * _OFF and round(hz) in _HZ
            yield held, f"it shows {volts:g} V and {hz:g} Hz, of {wanted:g} V and 60 Hz", [said]


def _watts(reading: Reading) -> Found:
    for said, points in reading.whole(wire.METER_BLOCK):
        header = next((told for one, told in reversed(reading.headers) if one.n < said.n), None)
        since = int(header["Clk"]) % INTERVAL_S if header else 0
        if header and since >= 60:
            by, unit = int(header["Mult"]), 10.0 ** int(points["W_SF"])
            counted = (int(header["PartDel"]) - int(header["PartRcv"])) * by
            flowed = _scaled(points, "W", "W_SF") * since / 3600
            held = abs(flowed - counted) <= _CUT_RAW * by + unit * since / 3600
            yield held, f"at its power {flowed:.0f} Wh flow in {since} s, and {counted} Wh are counted", [said]


def _event(reading: Reading) -> Found:
    for said, points in reading.whole(wire.METER_BLOCK):
        volts, tells = _scaled(points, "PPV", "V_SF"), _failed(points)
        yield tells is (volts == 0), f"with {volts:g} V it tells {'of a' if tells else 'of no'} power failure", [said]


def _day_of(quarters: int) -> _Look:
    """The days of so many quarter hours."""

    def look(reading: Reading) -> Found:
        for day in _days(reading):
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
    for one in reading.reads(wire.RING, wire.END_MODEL):
        if one.n > found[0].n and (slot := reading.slots(one).get(at)):
            held = bool(slot.status >> 12 & Common.CLOCK_FORWARD)
            yield held, f"the interval from {iso(at)} in which the clock was set has status {slot.status:#06x}", [one]


def _switch(reading: Reading) -> Found:
    for one, value, then, header in _writes(reading, wire.SWITCH, WRITE_ONE):
        if value in (wire.SWITCH_OPEN, wire.SWITCH_CLOSED):
            held = one.code is None and then is not None and header["Sw"] == value
            yield held, f"the switch is set to {value} and shows {header.get('Sw')}", [one, *([then] if then else [])]
        else:
            yield one.code == VALUE, f"a switch set to {value} comes to {one.answer}", [one]


def _other_write(one: Said) -> bool:
    """Half a clock, or what nobody may write."""
    return one.function == WRITE_ONE and one.first != wire.SWITCH


def _reads_outside(one: Said) -> bool:
    return one.function == HOLDING and 1 <= one.count <= wire.MAX_READ and not one.of_map and not one.ahead


def _reads_too_many(one: Said) -> bool:
    return one.function == HOLDING and not 1 <= one.count <= wire.MAX_READ


_SEEN: dict[str, Callable[[Readings], Seen]] = {
    "MT-AHEAD": _sound(_ahead),
    "MT-INPUT": _sound(_input),
    "MT-ADDRESS": _sound(_refuses(_reads_outside, ADDRESS)),
    "MT-COUNT": _sound(_refuses(_reads_too_many, VALUE)),
    "MT-FUNCTION": _sound(_refuses(lambda one: one.function == NO_FUNCTION, FUNCTION)),
    "MT-UNIT": _sound(_unit),
    "MT-NAMED": _sound(_named),
    "MT-SLOTS": _after_another(_sound(_slots), _again),
    "MT-WHOLE": _sound(_whole_ring),
    "MT-SIGN": _sound(_each(lambda _, slot: min(slot[:2]) < 0, "count below zero")),
    "MT-STATUS": _sound(_each(_odd, "have a status that the map does not have")),
    "MT-AGAIN": _again,
    "MT-PART": _sound(_part),
    "MT-MIDNIGHTS": _sound(_midnights),
    "MT-GROWS": _sound(_grows),
    "MT-SUM": _after_another(_sound(_sums), _again),
    "MT-SCALE": _scale,
    "MT-ROLLOVER": _sound(_rolls),
    "MT-RECEIVED": _after_another(_sound(_received), _again),
    "MT-VOLTAGE": _sound(_voltage),
    "MT-WATTS": _sound(_watts),
    "MT-EVENT": _sound(_event),
    "MT-SAVING": _sound(_each(_saving, "say otherwise than the calendar whether saving time was in effect")),
    "MT-DST-SPRING": _sound(_day_of(92)),
    "MT-DST-FALL": _sound(_day_of(100)),
    "MT-CLOCK-SET": _sound(_clock_set),
    "MT-CLOCK-FAR": _sound(_clock_far),
    "MT-MARKED": _sound(_marked),
    "MT-SWITCH": _sound(_switch),
    "MT-WRITES": _sound(_refuses(_other_write, ADDRESS)),
}
#: By id what is seen of it.
SEEN: dict[str, Callable[[Readings], Seen]] = {
    one.id: _check(one.id) if one.id in _BEFORE else _SEEN[one.id] for one in of_role("meter")
}
