"""``read_meter``: a meter is read by its register map, past the head-end and octet by octet, and asked what it must refuse."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from meters.calendar import INTERVAL_S, Seconds, day_of, day_start, floor_interval, iso, seconds
from meters.device.meter import CLOCK_LIMIT_S
from meters.register_map import layout as wire
from meters.wire.faults import HEAD
from scenarios.actions.action import Played, Row, Seen
from scenarios.outside.party import OutsideMeter
from scenarios.parts.expected import COUNT, TEXT, Fact
from scenarios.parts.setting import Act
from scenarios.records.values import Count, Instant, Record
from simulator.parties.sandbox import HOST
from simulator.tap.modbus import reader_seen

if TYPE_CHECKING:
    from scenarios.stage import Stage
    from simulator.tap.log import Began

Part = Literal[
    "map", "input", "refused", "ahead", "stranger", "named", "power", "midnights", "intervals", "clock", "switch"
]
#: Modbus's function codes, and one that no device has.
HOLDING, INPUT, WRITE_ONE, WRITE, IDENTIFY, NO_FUNCTION = 3, 4, 6, 16, 43, 65
#: What is wrong with the head of a reply, and what keeps one from coming.
MISFITS = ("another transaction", "another protocol", "another unit", "another length")
SILENT, CUT = "no answer", "the connection is lost"
#: Behind a reply that did not fit no other is waited for.
NOT_AWAITED = "not waited for"
#: What the first call of a reading asks for: the mark and the first model's head.
FIRST_WORDS = 4
#: The header but for what moves, which two reads must tell alike.
STILL_WORDS = wire.CLOCK - wire.HEADER
#: How far a clock is set, and how far it may not be. Defaults of this project.
SET_S, FAR_S = seconds(1200), 2 * CLOCK_LIMIT_S
#: A unit behind which a gateway seldom has a meter, and another for the meter that is just that. Defaults of this project.
STRANGERS = (247, 246)
#: Wall seconds that a late reply is waited for, beyond the patience; a barrier waits longer. And until the rest of one is there that has begun.
_LATE_S, _REST_S = 12.0, 0.5
#: Without a system that is not ours.
_PATIENCE_S, _CLOCK_S = 5.0, 3.0


class ReadMeter(Act):
    """A meter is read by its register map, past the head-end: each exchange stands on the wire as it was sent."""

    parts: tuple[Part, ...] = Field(default=(), description="What beside its mark and its header, in this order.")
    days: int = Field(default=2, ge=1, le=40, description="Of the intervals: so many local days, and today's.")


class RecordedReading(Record):
    """A reading. What was to be there, and how far it may be off; trouble: what ended it early."""

    at: Instant
    esiid: str
    meter_number: str
    unit: Count
    clock_s: float
    answer_s: float
    exchanges: Count
    trouble: str


SeenReading = Seen[ReadMeter, RecordedReading]


@dataclass(frozen=True, slots=True)
class Request:
    """PDUs that go out at once, to one unit. must: without an answer to it nothing more is asked."""

    pdus: tuple[bytes, ...]
    unit: int | None = None
    must: bool = True


Reply = bytes
Asks = Generator[Request, list[Reply], None]


def _read(address: int, count: int, function: int = HOLDING) -> bytes:
    return bytes((function, *address.to_bytes(2, "big"), *count.to_bytes(2, "big")))


def _one(address: int, value: int) -> bytes:
    return bytes((WRITE_ONE, *address.to_bytes(2, "big"), *value.to_bytes(2, "big")))


def _set(clock: Seconds) -> bytes:
    return bytes((WRITE, *wire.CLOCK.to_bytes(2, "big"), 0, 2, 4, *clock.to_bytes(4, "big")))


#: What is asked at once, without an answer in between.
_AHEAD = (wire.BASE, wire.COMMON_BLOCK.first, wire.HEADER)
_HEADER = Request((_read(wire.HEADER, wire.HEADER_COUNT),))


def _shown(replies: list[Reply]) -> Seconds:
    """The clock in a header's reply."""
    at = 2 + 2 * (wire.CLOCK - wire.HEADER)
    return seconds(int.from_bytes(replies[0][at : at + 4], "big"))


def _of(request: Request) -> Asks:
    yield request


def _map() -> Asks:
    yield Request((_read(wire.BASE, wire.METER_BLOCK.first - wire.BASE),))
    yield Request((_read(wire.METER_BLOCK.first, wire.METER_BLOCK.size),))
    yield Request((_read(wire.END_MODEL, 2),))


def _refused() -> Asks:
    for pdu in (
        _read(wire.BASE - 1, 1),
        _read(wire.END_MODEL, 3),
        _read(wire.HEADER, 0),
        _read(wire.RING, wire.MAX_READ + 1),
        bytes((NO_FUNCTION,)),
    ):
        yield Request((pdu,), must=False)


def _power() -> Asks:
    yield _HEADER
    yield Request((_read(wire.METER_BLOCK.first, wire.METER_BLOCK.size),))


def _slots(first: int, size: int, begin: int, count: int, of: int) -> Asks:
    """So many slots of a block from one on, which may lie over its end."""
    most, at = wire.MAX_READ // size, 0
    while at < count:
        slot = (begin + at) % of
        run = min(most, count - at, of - slot)
        yield Request((_read(first + slot * size, run * size),))
        at += run


def _intervals(due: Seconds, since: Seconds) -> Asks:
    count = min((floor_interval(due) - since) // INTERVAL_S, wire.SAFE_SLOTS)
    begin = wire.ring_slot(floor_interval(due) - count * INTERVAL_S)
    yield from _slots(wire.RING, wire.SLOT_WORDS, begin, count, wire.RING_SLOTS)


def _clock(due: Seconds) -> Asks:
    """Sets it ahead, looks at the intervals that lie there, tries what must be refused, and sets it right."""
    shown = _shown((yield _HEADER))
    yield Request((_set(shown + SET_S),))
    ahead = _shown((yield _HEADER))
    yield from _intervals(max(ahead, due), floor_interval(shown) - INTERVAL_S)
    yield Request((_set(ahead + FAR_S),), must=False)
    yield Request((_one(wire.CLOCK, 0),), must=False)
    yield Request((_one(wire.HEADER_BLOCK.addresses["IntvS"], 1800),), must=False)
    yield Request((_set(due),), must=False)
    yield _HEADER


def _switch() -> Asks:
    for value in (wire.SWITCH_OPEN, wire.SWITCH_CLOSED):
        yield Request((_one(wire.SWITCH, value),))
        yield _HEADER
    yield Request((_one(wire.SWITCH, 2),), must=False)


def _asks(action: ReadMeter, meter: OutsideMeter, due: Seconds) -> Asks:
    """Everything that is asked, one after the other."""
    other = next(one for one in STRANGERS if one != meter.unit)
    since = day_start(day_of(due) - timedelta(days=action.days))
    parts: dict[Part, Callable[[], Asks]] = {
        "map": _map,
        "input": lambda: _of(Request((_read(wire.HEADER, STILL_WORDS, INPUT),))),
        "refused": _refused,
        "ahead": lambda: _of(Request(tuple(_read(first, 2 + more) for more, first in enumerate(_AHEAD)), must=False)),
        "stranger": lambda: _of(Request(_HEADER.pdus, other, must=False)),
        "named": lambda: _of(Request((bytes((IDENTIFY, 14, 1, 0)),), must=False)),
        "power": _power,
        "midnights": lambda: _slots(wire.SNAPSHOTS, wire.SNAPSHOT_WORDS, 0, wire.SNAPSHOT_SLOTS, wire.SNAPSHOT_SLOTS),
        "intervals": lambda: _intervals(due, since),
        "clock": lambda: _clock(due),
        "switch": _switch,
    }
    yield Request((_read(wire.BASE, FIRST_WORDS),))
    yield _HEADER
    for part in action.parts:
        yield from parts[part]()


class _Line:
    """A connection to the meter's gateway, and how each exchange is told."""

    def __init__(self, meter: OutsideMeter, patience_s: float, stage: Stage, ref: str) -> None:
        self.meter, self.patience_s, self.asked = meter, patience_s, 0
        self._runtime, self._log = stage.runtime, stage.sandbox.wire
        ids = {"callReference": ref, "esiid": meter.esiid, "meter": meter.meter_number}
        self._note = reader_seen(self._log, ids) if self._log else None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, request: Request) -> tuple[list[Reply], str]:
        """Send PDUs, and take as many replies: those that fit, in their order, and what is wrong first."""
        unit, first = request.unit or self.meter.unit, self.asked + 1
        asked = {(first + at) % 65_536: pdu for at, pdu in enumerate(request.pdus)}
        self.asked += len(asked)
        due, began, wall = self.due(), self._log.begin() if self._log else None, time.monotonic()
        found: dict[int, Reply] = {}
        open_ones, ahead, trouble = dict(asked), len(asked) > 1, ""
        try:
            if self._streams is None:
                self._streams = await asyncio.wait_for(
                    asyncio.open_connection(self.meter.host, self.meter.port), self.patience_s
                )
            reader, writer = self._streams
            writer.write(b"".join(HEAD.pack(at, 0, len(pdu) + 1, unit) + pdu for at, pdu in asked.items()))
            for _ in asked:
                transaction, reply, trouble = await self._reply(reader, asked, unit)
                took = time.monotonic() - wall
                late = {"late_s": round(took, 1)} if took > self.patience_s else {}
                open_ones.pop(transaction if transaction in open_ones else min(open_ones))
                self._tell(began, (unit, asked.get(transaction, request.pdus[0]), due, ahead), reply, trouble, late)
                if trouble or late:
                    trouble = trouble or "late"
                    break
                found[transaction] = reply
        except TimeoutError:
            trouble = SILENT
        except (OSError, asyncio.IncompleteReadError):
            trouble = CUT
        for lost in open_ones.values():
            # Each request that was sent stands on the wire, whatever became of it.
            why = trouble if trouble in (SILENT, CUT) else NOT_AWAITED
            self._tell(began, (unit, lost, due, ahead), b"", why, {})
        if trouble:
            await self.close()
        return [found[at] for at in asked if at in found], trouble

    async def _reply(self, reader: asyncio.StreamReader, asked: dict[int, bytes], unit: int) -> tuple[int, Reply, str]:
        """The next reply: its transaction, its PDU, and what is wrong with its head."""
        async with asyncio.timeout(max(self.patience_s, _LATE_S) if unit == self.meter.unit else self.patience_s):
            transaction, protocol, length, of = HEAD.unpack(await reader.readexactly(HEAD.size))
        rest = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REST_S):
                while len(rest) < length - 1 and (more := await reader.read(length - 1 - len(rest))):
                    rest += more
        whole = len(rest) == length - 1 and length > 1 and _fits(rest, asked.get(transaction, b""))
        fits = (transaction in asked, protocol == 0, of == unit, whole)
        return transaction, rest, next((said for said, well in zip(MISFITS, fits, strict=True) if not well), "")

    def due(self) -> float:
        """What the meter's clock must show."""
        return round(self.meter.clock(self._runtime.now()), 3)

    def _tell(
        self,
        began: Began | None,
        of: tuple[int, bytes, float, bool],
        reply: Reply,
        trouble: str,
        late: dict[str, float],
    ) -> None:
        unit, pdu, due, ahead = of
        if self._note and began:
            ask = {"unit": unit, "pdu": pdu.hex(), "due": due} | ({"ahead": True} if ahead else {})
            self._note(began, ask, {"pdu": reply.hex()} | ({"error": trouble} if trouble else {}) | late)

    async def close(self) -> None:
        """Close the connection; the next exchange opens it again."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()


def _fits(pdu: Reply, asked: bytes) -> bool:
    """Whether a reply to a read has as many octets as it says, and as were asked for where those may be."""
    if pdu[0] not in (HOLDING, INPUT):
        return True
    count = int.from_bytes(asked[3:5], "big") if asked[:1] == pdu[:1] else 0
    octets = 2 * count if 1 <= count <= wire.MAX_READ else len(pdu) - 2
    return len(pdu) == 2 + octets and len(pdu) > 1 and pdu[1] == octets


def _play(stage: Stage, action: ReadMeter) -> Played:
    runtime, outside = stage.runtime, stage.outside
    meter, patience_s = _meter(stage, action), outside.patience_s if outside else _PATIENCE_S
    line = _Line(meter, patience_s, stage, action.ref)
    asking = _asks(action, meter, seconds(line.due()))
    at, trouble = runtime.now(), ""
    with contextlib.suppress(StopIteration):
        request = next(asking)
        while True:
            name = f"{action.ref}/{line.asked:05}"
            replies, wrong = yield runtime.io("meter", name, partial(line.exchange, request))
            if request.must and (wrong or replies[0][0] & 0x80):
                trouble = wrong or f"exception {replies[0][1]}"
                break
            request = asking.send(replies)
    yield runtime.io("meter", f"{action.ref}/close", line.close)
    return {
        "at": iso(at),
        "esiid": meter.esiid,
        "meter_number": meter.meter_number,
        "unit": meter.unit,
        "clock_s": meter.clock_s,
        "answer_s": patience_s,
        "exchanges": line.asked,
        "trouble": trouble,
    }


def _meter(stage: Stage, action: ReadMeter) -> OutsideMeter:
    """The one that is not ours, or the account's."""
    if stage.outside and stage.outside.meter:
        return stage.outside.meter
    ports = [gateway.port for gateway in stage.sandbox.gateways]
    its = next(one for one in stage.world.addresses(HOST, ports) if one.esiid == stage.esiid(action))
    return OutsideMeter(its.host, its.port, its.unit_id, its.esiid, its.meter_number, _CLOCK_S, float)


def _tell(seen: SeenReading) -> str:
    if seen.record is None:
        return "Nothing recorded."
    ended = f", and that ends it: {seen.record.trouble}" if seen.record.trouble else ""
    return f"{seen.record.exchanges} requests are sent to the meter{ended}."


ROWS = (
    Row(
        "read_meter",
        "Meter read by its map",
        ReadMeter,
        RecordedReading,
        _play,
        (
            Fact("exchanges", COUNT, "requests that it was sent", lambda seen: seen.record and seen.record.exchanges),
            Fact("trouble", TEXT, "what ended the reading early", lambda seen: (seen.record and seen.record.trouble) or None),
        ),
        _tell,
    ),
)  # fmt: skip
