from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException
from pymodbus.pdu import ModbusPDU

from meters import register_map as wire
from meters.calendar import epoch
from meters.errors import MeterError
from meters.faults import Fault
from meters.fleet import Fleet
from meters.gateway import Gateway, Silence
from meters.identity import make_esiid, tdsp

NOW = epoch("2026-08-12T17:40") + 22
DEAD = Fault("dead", make_esiid(tdsp("ONCOR"), 1, 1), NOW - 3600, NOW + 3600)
FLEET = Fleet(tdsp("ONCOR"), 1, 3, [DEAD])


@asynccontextmanager
async def running(
    clock: Sequence[int] = (NOW,), silence: Silence = "exception"
) -> AsyncIterator[tuple[Gateway, AsyncModbusTcpClient]]:
    gateway = Gateway({unit: FLEET.meter(unit - 1) for unit in (1, 2, 3)}, lambda: clock[0], silence=silence)
    await gateway.start()
    client = AsyncModbusTcpClient("127.0.0.1", port=gateway.port, retries=0, timeout=0.3, reconnect_delay=0)
    assert await client.connect()
    try:
        yield gateway, client
    finally:
        client.close()
        await gateway.stop()


def test_gateway_answers_each_unit_with_its_own_meter_in_both_read_functions() -> None:
    async def check() -> None:
        async with running() as (_, client):
            for unit in (1, 3):
                holding = await client.read_holding_registers(wire.HEADER, count=wire.HEADER_COUNT, device_id=unit)
                inputs = await client.read_input_registers(wire.HEADER, count=wire.HEADER_COUNT, device_id=unit)
                assert holding.registers == inputs.registers
                assert wire.decode_header(holding.registers).esiid == FLEET.meter(unit - 1).identity.esiid

    asyncio.run(check())


def test_gateway_says_what_is_wrong_in_modbus_exceptions(caplog: pytest.LogCaptureFixture) -> None:
    async def code(answer: ModbusPDU) -> int:
        assert answer.isError()
        return answer.exception_code

    async def check() -> None:
        async with running() as (_, client):
            assert await code(await client.read_holding_registers(wire.BASE, count=2, device_id=9)) == 0x0B
            assert await code(await client.read_holding_registers(wire.BASE, count=2, device_id=2)) == 0x0B
            assert await code(await client.read_holding_registers(100, count=2, device_id=1)) == 2
            assert await code(await client.read_holding_registers(wire.END - 1, count=2, device_id=1)) == 2
            assert await code(await client.write_register(wire.BASE, 1, device_id=1)) == 1
            assert await code(await client.write_registers(wire.BASE, [1, 2], device_id=1)) == 1
            assert await code(await client.read_coils(wire.BASE, count=2, device_id=1)) == 1
            # None of it disturbs the next honest read.
            assert not (await client.read_holding_registers(wire.BASE, count=125, device_id=1)).isError()

    with caplog.at_level(logging.DEBUG):
        asyncio.run(check())
    assert [record for record in caplog.records if record.name.startswith("pymodbus")] == []


def test_hanging_meter_gives_no_answer_and_its_neighbour_does() -> None:
    async def check() -> None:
        async with running(silence="hang") as (_, client):
            with pytest.raises(ModbusIOException):
                await client.read_holding_registers(wire.BASE, count=2, device_id=2)
            assert not (await client.read_holding_registers(wire.BASE, count=2, device_id=1)).isError()
            unknown = await client.read_holding_registers(wire.BASE, count=2, device_id=9)
            assert unknown.exception_code == 0x0B

    asyncio.run(check())


def test_meter_answers_again_when_its_fault_is_over_and_by_the_clock_it_is_given() -> None:
    async def check() -> None:
        clock = [NOW]
        async with running(clock) as (_, client):
            assert (await client.read_holding_registers(wire.BASE, count=2, device_id=2)).isError()
            clock[0] = DEAD.until
            answer = await client.read_holding_registers(wire.HEADER, count=wire.HEADER_COUNT, device_id=2)
            assert wire.decode_header(answer.registers).clock == DEAD.until

    asyncio.run(check())


def test_taken_port_is_named() -> None:
    async def check() -> None:
        async with running() as (gateway, _):
            second = Gateway({}, lambda: NOW, port=gateway.port)
            with pytest.raises(MeterError, match=f"Port {gateway.port} on 127.0.0.1") as refused:
                await second.start()
            assert refused.value.code == "meters.gateway.port_taken"
            await second.stop()

    asyncio.run(check())


def test_stopped_gateway_frees_its_port_and_starts_again() -> None:
    async def check() -> None:
        async with running() as (gateway, client):
            port = gateway.port
            await gateway.stop()
            again = Gateway(gateway.meters, lambda: NOW, port=port)
            await again.start()
            assert again.port == port
            client.close()
            assert await client.connect()
            assert not (await client.read_holding_registers(wire.BASE, count=2, device_id=1)).isError()
            await again.stop()

    asyncio.run(check())


def test_gateway_has_at_most_247_units() -> None:
    meter = FLEET.meter(0)
    Gateway(dict.fromkeys(range(1, 248), meter), lambda: NOW)
    for unit in (0, 248):
        with pytest.raises(MeterError, match="at most 247"):
            Gateway({unit: meter}, lambda: NOW)
