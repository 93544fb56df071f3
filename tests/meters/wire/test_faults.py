from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.device.meter import EmulatedMeter
from meters.faults.kinds import FaultKind
from meters.register_map import layout as wire
from meters.shown import Wire
from meters.wire.faults import HEAD, spoiled, stand_in, unreached
from meters.wire.gateway import Silence
from tests.meters.gateways import broken, home, served
from tests.meters.wire.test_gateway import read_of, reply, request

SPOILERS = (Wire.WRONG_TRANSACTION, Wire.WRONG_UNIT, Wire.WRONG_LENGTH)
#: Wall seconds: longer than a neighbour's answer takes, and than a test is worth waiting for.
LATE_S, NEVER_S = 0.2, 600
MARK = b"\3\4SunS"


@asynccontextmanager
async def asked(
    meters: dict[int, EmulatedMeter], silence: Silence = "hang"
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with served(meters, silence) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            await writer.wait_closed()


def ask(writer: asyncio.StreamWriter, unit: int, transaction: int = 1) -> None:
    writer.write(request(transaction, unit, read_of(wire.BASE, 2)))


@given(
    transaction=st.integers(0, 0xFFFF),
    unit=st.integers(1, 247),
    pdu=st.binary(min_size=2, max_size=253),
    how=st.sampled_from(SPOILERS),
)
def test_spoiled_reply_differs_in_the_one_field_that_the_fault_names(
    transaction: int, unit: int, pdu: bytes, how: Wire
) -> None:
    frame = HEAD.pack(transaction, 0, len(pdu) + 1, unit) + pdu
    sent = spoiled(frame, how)
    assert len(sent) == len(frame)
    assert sent[HEAD.size :] == pdu
    fields = HEAD.unpack_from(sent)
    changed = [
        name
        for name, field, other in zip(
            ("transaction", "protocol", "length", "unit"), fields, HEAD.unpack_from(frame), strict=True
        )
        if field != other
    ]
    assert changed == [how.removeprefix("wrong_")]
    # A transaction id of 0 is taken for any by some readers.
    assert how is not Wire.WRONG_TRANSACTION or fields[0]


@given(frame=st.binary(min_size=9, max_size=260), how=st.sampled_from([one for one in Wire if one not in SPOILERS]))
def test_reply_that_no_fault_spoils_is_sent_as_it_is(frame: bytes, how: Wire) -> None:
    assert spoiled(frame, how) == frame


def test_gateway_stands_in_for_meters_that_it_cannot_reach() -> None:
    assert [stand_in(one, 4) for one in (Wire.SILENT, Wire.NO_PATH, Wire.EXCEPTION)] == [0x0B, 0x0A, 4]
    assert [stand_in(spoiler, 4) for spoiler in (Wire.ANSWER, *SPOILERS)] == [0] * 4
    assert [one for one in Wire if unreached(one)] == [Wire.SILENT, Wire.NO_PATH]


@pytest.mark.parametrize(
    ("kind", "params", "code"),
    [
        (FaultKind.DEAD, {}, 0x0B),
        (FaultKind.FLAKY, {"answers": 0}, 0x0B),
        (FaultKind.NO_PATH, {}, 0x0A),
        (FaultKind.EXCEPTION, {"code": 6}, 6),
        (FaultKind.EXCEPTION, {}, 0x0B),
    ],
)
@pytest.mark.parametrize("pdu", [read_of(wire.BASE, 2), read_of(0, 2), b"\x2b\x0e\1\0"])
async def test_meter_that_cannot_be_reached_answers_every_request_with_its_exception(
    kind: FaultKind, params: dict[str, float], code: int, pdu: bytes
) -> None:
    async with asked({1: broken(1, kind, **params)}, "exception") as (reader, writer):
        writer.write(request(5, 1, pdu))
        assert await reply(reader) == (5, 1, bytes([pdu[0] | 0x80, code]))


@pytest.mark.parametrize("kind", [FaultKind.DEAD, FaultKind.NO_PATH])
async def test_meter_that_cannot_be_reached_hangs_on_a_real_clock_and_its_neighbour_answers(kind: FaultKind) -> None:
    async with asked({1: broken(1, kind), 2: home(2)}) as (reader, writer):
        ask(writer, 1, 1)
        ask(writer, 2, 2)
        # The first would have been answered first.
        assert await reply(reader) == (2, 2, MARK)


async def test_exception_of_the_meter_itself_comes_on_a_real_clock_too() -> None:
    async with asked({1: broken(1, FaultKind.EXCEPTION, code=4)}) as (reader, writer):
        ask(writer, 1)
        assert await reply(reader) == (1, 1, b"\x83\4")


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        (FaultKind.WRONG_TRANSACTION, b"\0\x41\0\0\0\7\1"),
        (FaultKind.WRONG_UNIT, b"\0\1\0\0\0\7\x41"),
        (FaultKind.WRONG_LENGTH, b"\0\1\0\0\0\x09\1"),
    ],
)
async def test_corrupt_reply_is_on_the_wire_as_its_fault_says(kind: FaultKind, head: bytes) -> None:
    async with asked({1: broken(1, kind)}) as (reader, writer):
        ask(writer, 1)
        assert await asyncio.wait_for(reader.readexactly(13), 10) == head + MARK


async def test_slow_reply_keeps_its_id_and_holds_up_neither_neighbours_nor_other_connections() -> None:
    slow = broken(1, FaultKind.SLOW, seconds=LATE_S)
    async with served({1: slow, 2: home(2)}) as gateway:
        first, second = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(2)]
        began = time.monotonic()
        ask(first[1], 1, 11)
        ask(first[1], 2, 12)
        ask(first[1], 1, 13)
        ask(second[1], 2, 21)
        assert await reply(second[0]) == (21, 2, MARK)
        assert await reply(first[0]) == (12, 2, MARK)
        assert [await reply(first[0]) for _ in range(2)] == [(11, 1, MARK), (13, 1, MARK)]
        # Both waited at once, not one after the other; the clock of a loop ticks coarsely.
        assert time.monotonic() - began > LATE_S * 0.9
        for _, writer in (first, second):
            writer.close()


async def test_slow_reply_leaves_a_half_received_request_alone() -> None:
    slow = broken(1, FaultKind.SLOW, seconds=LATE_S)
    async with asked({1: slow, 2: home(2)}) as (reader, writer):
        ask(writer, 1, 1)
        later = request(2, 2, read_of(wire.BASE, 2))
        writer.write(later[:6])
        assert await reply(reader) == (1, 1, MARK)
        writer.write(later[6:])
        assert await reply(reader) == (2, 2, MARK)


async def test_slow_reply_comes_at_once_when_the_clock_is_moved_by_hand() -> None:
    async with asked({1: broken(1, FaultKind.SLOW, seconds=NEVER_S)}, "exception") as (reader, writer):
        ask(writer, 1)
        assert await reply(reader) == (1, 1, MARK)


async def test_gateway_that_owes_too_many_replies_says_that_it_is_busy() -> None:
    async with asked({1: broken(1, FaultKind.SLOW, seconds=NEVER_S), 2: home(2)}) as (reader, writer):
        for at in range(1, 1002):
            ask(writer, 1, at)
        ask(writer, 2, 2000)
        assert [await reply(reader) for _ in range(2)] == [(1001, 1, b"\x83\6"), (2000, 2, MARK)]


async def test_stopping_and_hanging_up_forget_the_replies_that_are_late() -> None:
    def late(loop: asyncio.AbstractEventLoop) -> int:
        timers = loop._scheduled  # type: ignore[attr-defined]
        return sum(not timer.cancelled() and timer.when() > loop.time() + NEVER_S / 2 for timer in timers)

    async with served({1: broken(1, FaultKind.SLOW, seconds=NEVER_S), 2: home(2)}) as gateway:
        gone, stays = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(2)]
        for reader, writer in (gone, stays):
            ask(writer, 1, 1)
            ask(writer, 2, 2)
            # Served in their order: the late one is on its way.
            assert await reply(reader) == (2, 2, MARK)
        loop = asyncio.get_running_loop()
        assert late(loop) == 2
        gone[1].close()
        await gone[1].wait_closed()
        while late(loop) > 1:
            await asyncio.sleep(0)
        await gateway.stop()
        assert late(loop) == 0
        assert await stays[0].read() == b""
        stays[1].close()
