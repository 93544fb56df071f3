from __future__ import annotations

import asyncio
import itertools
import logging
import os
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException
from pymodbus.pdu import ModbusPDU

from meters.calendar import Seconds
from meters.device.meter import EmulatedMeter
from meters.errors import MeterError
from meters.faults.kinds import FaultKind
from meters.register_map import layout as wire
from meters.register_map.decode import decode_header
from meters.shown import Live, Reply
from meters.wire.gateway import KEPT_FREE, Gateway, Silence
from tests.meters.gateways import NOW, broken, fault, home, served

DEAD = fault(2, FaultKind.DEAD, NOW - 3600, NOW + 3600)
METERS = {1: home(1), 2: home(2, DEAD), 3: home(3)}


@contextmanager
def descriptors(more: int) -> Iterator[None]:
    """This process can have so many descriptors more than now."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(one) for one in os.listdir("/proc/self/fd"))
    with ExitStack() as undone:
        # No number below is free either.
        while (one := os.dup(0)) <= highest:
            undone.callback(os.close, one)
        os.close(one)
        undone.callback(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        resource.setrlimit(resource.RLIMIT_NOFILE, (one + more, before[1]))
        yield


@asynccontextmanager
async def asked(silence: Silence = "exception") -> AsyncIterator[tuple[Gateway, AsyncModbusTcpClient]]:
    async with served(METERS, silence) as gateway:
        client = AsyncModbusTcpClient("127.0.0.1", port=gateway.port, retries=0, timeout=0.3, reconnect_delay=0)
        assert await client.connect()
        try:
            yield gateway, client
        finally:
            client.close()


class Breaking(EmulatedMeter):
    def live(self, now: Seconds) -> Live:
        raise ZeroDivisionError(now)


class Counting(EmulatedMeter):
    asked = 0

    def reply(self, now: Seconds) -> Reply:
        self.asked += 1
        return super().reply(now)


async def code(answer: ModbusPDU) -> int:
    assert answer.isError()
    return answer.exception_code


def request(transaction: int, unit: int, pdu: bytes) -> bytes:
    return transaction.to_bytes(2, "big") + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + bytes([unit]) + pdu


def read_of(address: int, count: int, function: int = 3) -> bytes:
    return bytes([function]) + address.to_bytes(2, "big") + count.to_bytes(2, "big")


async def reply(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    """Transaction id, unit id and PDU of the next reply."""
    head = await asyncio.wait_for(reader.readexactly(7), 10)
    pdu = await reader.readexactly(int.from_bytes(head[4:6], "big") - 1)
    return int.from_bytes(head[:2], "big"), head[6], pdu


async def outcome(reader: asyncio.StreamReader) -> bytes:
    """PDU of the next reply; empty where the connection is closed."""
    try:
        return (await reply(reader))[2]
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


async def test_gateway_answers_each_unit_with_its_own_meter_in_both_read_functions() -> None:
    async with asked() as (_, client):
        for unit in (1, 3):
            holding = await client.read_holding_registers(wire.HEADER, count=wire.HEADER_COUNT, device_id=unit)
            inputs = await client.read_input_registers(wire.HEADER, count=wire.HEADER_COUNT, device_id=unit)
            assert (holding.function_code, inputs.function_code) == (3, 4)
            assert holding.registers == inputs.registers
            assert decode_header(holding.registers).esiid == METERS[unit].identity.esiid


async def test_gateway_says_what_is_wrong_in_modbus_exceptions(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with asked() as (_, client):
            assert await code(await client.read_holding_registers(wire.BASE, count=2, device_id=9)) == 0x0B
            assert await code(await client.read_holding_registers(wire.BASE, count=2, device_id=2)) == 0x0B
            assert await code(await client.read_holding_registers(100, count=2, device_id=1)) == 2
            assert await code(await client.read_holding_registers(wire.END - 1, count=2, device_id=1)) == 2
            # None of it disturbs the next honest read.
            assert not (await client.read_holding_registers(wire.BASE, count=125, device_id=1)).isError()
    assert [record for record in caplog.records if record.name.startswith(("pymodbus", "meters"))] == []


async def narrow(gateway: Gateway) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that holds little on its way, neither in the sockets nor in the reader."""
    gateway._listening[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", gateway.port))
    return await asyncio.open_connection(sock=client, limit=2048)


@pytest.mark.parametrize(
    ("pdu", "said"),
    [
        (read_of(wire.BASE, 126), 3),
        (read_of(wire.BASE, 0), 3),
        (read_of(wire.BASE, 126, 4), 3),
        (read_of(wire.BASE, 2)[:3], 3),
        (read_of(wire.BASE, 2, 1), 1),
        (read_of(wire.SWITCH, 2, 6), 3),
        (read_of(wire.SWITCH, 1, 6)[:4], 3),
        (read_of(wire.SWITCH, 1, 6) + b"\0", 3),
        (read_of(wire.CLOCK, 1, 6), 2),
        (read_of(0, 1, 6), 2),
        (b"\x08\0\0\0\0", 1),
        (b"\x11", 1),
        (b"\x17" + read_of(wire.BASE, 1)[1:] + read_of(wire.BASE, 1)[1:] + b"\2\0\0", 1),
        (b"\x2b\x0d\1\0", 1),
        (b"\x2b", 3),
        (b"\x2b\x0e\1", 3),
        (b"\x2b\x0e\1\0\0", 3),
        (b"\x2b\x0e\0\0", 3),
        (b"\x2b\x0e\5\0", 3),
        (b"\x2b\x0e\4\3", 2),
        (b"\x63", 1),
        # Two registers announced, one brought; three octets of one register.
        (read_of(wire.CLOCK, 2, 16) + b"\4\0\0", 3),
        (read_of(wire.SWITCH, 1, 16) + b"\3\0\0\0", 3),
        (read_of(wire.SWITCH, 0, 16) + b"\0", 3),
        (read_of(wire.BASE, 1, 16) + b"\2\0\0", 2),
        (read_of(wire.CLOCK, 1, 16) + b"\2\0\0", 2),
        (read_of(wire.CLOCK, 3, 16) + b"\6\0\0\0\0\0\0", 2),
        (read_of(wire.SWITCH, 1, 16) + b"\2\0\2", 3),
        (read_of(wire.CLOCK, 2, 16) + b"\4\0\0\0\0", 3),
    ],
)
async def test_exception_replies_carry_the_function_code_of_the_request(pdu: bytes, said: int) -> None:
    async with served(METERS) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(request(7, 1, pdu))
        assert await reply(reader) == (7, 1, bytes([pdu[0] | 0x80, said]))
        writer.close()


async def test_written_clock_and_switch_show_in_the_next_read() -> None:
    meters = {1: home(1)}
    async with served(meters) as gateway:
        client = AsyncModbusTcpClient("127.0.0.1", port=gateway.port)
        assert await client.connect()
        to = NOW + 90
        done = await client.write_registers(wire.CLOCK, [to >> 16, to & 0xFFFF], device_id=1)
        assert (done.isError(), done.address, done.count) == (False, wire.CLOCK, 2)
        assert not (await client.write_registers(wire.SWITCH, [wire.SWITCH_OPEN], device_id=1)).isError()
        registers = await client.read_holding_registers(wire.HEADER, count=wire.HEADER_COUNT, device_id=1)
        header = decode_header(registers.registers)
        assert (header.clock, header.switch_closed) == (to, False)
        assert len(meters[1].events(NOW, NOW + 1)) == 2
        client.close()


async def test_hanging_meter_gives_no_answer_and_its_neighbour_does() -> None:
    async with asked("hang") as (_, client):
        with pytest.raises(ModbusIOException):
            await client.read_holding_registers(wire.BASE, count=2, device_id=2)
        assert not (await client.read_holding_registers(wire.BASE, count=2, device_id=1)).isError()
        unknown = await client.read_holding_registers(wire.BASE, count=2, device_id=9)
        assert unknown.exception_code == 0x0B


async def test_meter_answers_again_when_its_fault_is_over_and_by_the_clock_it_is_given() -> None:
    clock = [NOW]
    gateway = Gateway(METERS, lambda: clock[0])
    await gateway.start()
    client = AsyncModbusTcpClient("127.0.0.1", port=gateway.port)
    assert await client.connect()
    assert (await client.read_holding_registers(wire.BASE, count=2, device_id=2)).isError()
    clock[0] = DEAD.until
    answer = await client.read_holding_registers(wire.HEADER, count=wire.HEADER_COUNT, device_id=2)
    assert decode_header(answer.registers).clock == DEAD.until
    client.close()
    await gateway.stop()


async def test_requests_sent_without_waiting_are_each_answered_under_their_own_id() -> None:
    async with served(METERS) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        # More than the library's buffer holds, in one piece, the last one cut.
        sent = b"".join(request(at, 1 + 2 * (at % 2), read_of(wire.SWITCH, 1 + at % 3)) for at in range(1, 101))
        writer.write(sent[:-5])
        answers = [await reply(reader) for _ in range(99)]
        writer.write(sent[-5:])
        answers.append(await reply(reader))
        assert [answer[:2] for answer in answers] == [(at, 1 + 2 * (at % 2)) for at in range(1, 101)]
        assert [answer[2][1] for answer in answers] == [2 * (1 + at % 3) for at in range(1, 101)]
        writer.close()


async def test_client_that_does_not_read_is_not_served_until_it_does() -> None:
    meter = Counting(METERS[1].identity, METERS[1].premise, 1)
    async with served({1: meter}) as gateway:
        reader, writer = await narrow(gateway)
        count = 2000
        asks = b"".join(request(at, 1, read_of(wire.COMMON_BLOCK.first, 125)) for at in range(count))
        writer.write(asks)
        for at in range(count):
            transaction, unit, pdu = await reply(reader)
            assert (transaction, unit, len(pdu)) == (at, 1, 252)
            assert at < meter.asked < at + count / 2
        # Nor does it keep the gateway from stopping.
        writer.write(asks)
        await reply(reader)
        await gateway.stop()
        assert meter.asked < 2 * count
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def test_client_that_asks_a_thousand_things_at_once_does_not_keep_another_gateway_waiting() -> None:
    meter = Counting(METERS[1].identity, METERS[1].premise, 1)
    async with served({1: meter}) as busy, served({1: home(1)}) as other:
        reader, second = await asyncio.open_connection(other.host, other.port)
        asking, first = await asyncio.open_connection(busy.host, busy.port)
        first.write(b"".join(request(at, 1, read_of(wire.COMMON_BLOCK.first, 125)) for at in range(1000)))
        second.write(request(7, 1, read_of(wire.COMMON_BLOCK.first, 2)))
        assert (await reply(reader))[0] == 7
        assert meter.asked < 1000
        for at in range(1000):
            assert (await reply(asking))[0] == at
        first.close()
        second.close()


@pytest.mark.parametrize("head", [b"\0\1\0\1\0\6\1\3", b"\0\1\0\0\0\1\1\3", b"\0\1\0\0\1\0\1\3", b"GET / HTTP/1.1\r\n"])
async def test_connection_that_speaks_something_else_is_closed_and_others_live_on(head: bytes) -> None:
    async with served(METERS) as gateway:
        strange, stranger = await asyncio.open_connection("127.0.0.1", gateway.port)
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        stranger.write(head)
        assert await asyncio.wait_for(strange.read(), 10) == b""
        writer.write(request(1, 1, read_of(wire.BASE, 2)))
        assert await reply(reader) == (1, 1, b"\3\4SunS")
        stranger.close()
        writer.close()


async def test_connection_without_a_request_is_closed_and_one_that_asks_stays() -> None:
    async with served(METERS, idle_s=1) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        silent, silence = await asyncio.open_connection("127.0.0.1", gateway.port)
        trickling, trickle = await asyncio.open_connection("127.0.0.1", gateway.port)
        trickle.write(request(1, 1, read_of(wire.BASE, 2))[:-1])
        closed = asyncio.gather(silent.read(), trickling.read())
        for at in itertools.count(1):
            writer.write(request(at % 1000, 1, read_of(wire.BASE, 2)))
            assert await reply(reader) == (at % 1000, 1, b"\3\4SunS")
            if closed.done():
                break
        assert [*closed.result()] == [b"", b""]
        for one in (writer, silence, trickle):
            one.close()


async def test_gateway_at_its_limit_of_descriptors_refuses_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    async with served(METERS) as gateway:
        with descriptors(KEPT_FREE + 20):
            clients = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(24)]
            for _, writer in clients:
                writer.write(request(1, 1, read_of(wire.BASE, 2)))
            answers = await asyncio.gather(*(outcome(reader) for reader, _ in clients))
            served_ = answers.count(b"\3\4SunS")
            assert 0 < served_ < 24 == served_ + answers.count(b"")
            for _, writer in clients:
                writer.close()
            again, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
            writer.write(request(1, 1, read_of(wire.BASE, 2)))
            assert await outcome(again) == b"\3\4SunS"
            writer.close()
    (record,) = caplog.records
    assert "is at the limit of descriptors" in record.message


async def test_gateway_without_a_descriptor_left_accepts_when_there_is_one(caplog: pytest.LogCaptureFixture) -> None:
    async with served(METERS) as gateway:
        client = socket.socket()
        with descriptors(0):
            client.connect(("127.0.0.1", gateway.port))
            async with asyncio.timeout(10):
                while not caplog.records:
                    await asyncio.sleep(0)
        reader, writer = await asyncio.open_connection(sock=client)
        writer.write(request(1, 1, read_of(wire.BASE, 2)))
        assert await outcome(reader) == b"\3\4SunS"
        writer.close()
    (record,) = caplog.records
    assert "is at the limit of descriptors" in record.message


async def test_meter_that_breaks_costs_its_own_request_alone(caplog: pytest.LogCaptureFixture) -> None:
    whole = home(2)
    async with served({1: home(1), 2: Breaking(whole.identity, whole.premise, 1)}) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        for unit, answer in ((2, b"\x83\4"), (1, b"\3\4SunS")):
            writer.write(request(unit, unit, read_of(wire.BASE, 2)))
            assert await reply(reader) == (unit, unit, answer)
        writer.close()
    assert [record.message for record in caplog.records] == ["unit 2 cannot be served"]


async def test_taken_port_is_named() -> None:
    async with served({}) as gateway:
        second = Gateway({}, lambda: NOW, port=gateway.port)
        with pytest.raises(MeterError, match=f"Port {gateway.port} on 127.0.0.1") as refused:
            await second.start()
        assert refused.value.code == "meters.gateway.port_taken"
        await second.stop()


async def test_stopped_gateway_frees_its_port_and_starts_again() -> None:
    async with asked() as (gateway, client):
        port = gateway.port
        await gateway.stop()
        again = Gateway(gateway.meters, lambda: NOW, port=port)
        await again.start()
        assert again.port == port
        client.close()
        assert await client.connect()
        assert not (await client.read_holding_registers(wire.BASE, count=2, device_id=1)).isError()
        await again.stop()


def test_gateway_has_at_most_247_units() -> None:
    meter = broken(1, FaultKind.DEAD)
    Gateway(dict.fromkeys(range(1, 248), meter), lambda: NOW)
    for unit in (0, 248):
        with pytest.raises(MeterError, match="at most 247"):
            Gateway({unit: meter}, lambda: NOW)
