"""Collecting meter-days through a gateway, against bare pymodbus reads of as many registers, client and server in one loop."""

from __future__ import annotations

import asyncio
import statistics
import time
from datetime import date
from typing import Any

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import ModbusTcpServer

from headend.network.transport import ModbusTransport
from headend.ports import MeterAddress
from meters.calendar import day_end, day_start
from meters.fleet import Fleet
from meters.identity import tdsp
from meters.register_map.layout import HEADER_COUNT, SLOT_WORDS
from meters.wire.gateway import Gateway

_DAY = date(2026, 8, 11)
_METERS = 40
_ROUNDS = 15
#: A day of 96 intervals: the header, then four reads of the ring.
_READS_A_DAY = 5
_MEAN_REGISTERS = (HEADER_COUNT + 96 * SLOT_WORDS) // _READS_A_DAY


def run() -> list[dict[str, Any]]:
    """Give one row: meter-days a second; the baseline is what bare reads a second would give at five reads a meter-day."""
    bare, ours = asyncio.run(_measure())
    return [
        {
            "name": "modbus_collection",
            "value": ours,
            "unit": "meter-days/s",
            "baseline": f"bare pymodbus, {_READS_A_DAY} reads of {_MEAN_REGISTERS} registers a meter-day",
            "baseline_value": bare,
            "ratio": ours / bare,
        }
    ]


async def _measure() -> tuple[float, float]:
    """Median meter-days a second of both, rounds taken in turn so that both see the same machine."""
    start, end = day_start(_DAY), day_end(_DAY)
    fleet = Fleet(tdsp("ONCOR"), 1, _METERS)
    units = dict(enumerate(fleet.meters(), 1))
    gateway = Gateway(units, lambda: end + 3600)
    await gateway.start()
    transport = ModbusTransport()
    addresses = [
        MeterAddress(meter.identity.esiid, meter.identity.meter_number, gateway.host, gateway.port, unit, 1, 0)
        for unit, meter in units.items()
    ]
    block = ModbusSequentialDataBlock(1, [12345] * 1000)  # type: ignore[no-untyped-call]
    server = ModbusTcpServer(ModbusServerContext(ModbusDeviceContext(hr=block)), address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    assert isinstance(server.transport, asyncio.Server)
    port = server.transport.sockets[0].getsockname()[1]
    client = AsyncModbusTcpClient("127.0.0.1", port=port, retries=0)
    await client.connect()

    bare, ours = [], []
    for _ in range(_ROUNDS + 1):
        began = time.perf_counter()
        for _ in range(_METERS * _READS_A_DAY):
            await client.read_holding_registers(100, count=_MEAN_REGISTERS, device_id=1)
        bare.append(_METERS / (time.perf_counter() - began))
        began = time.perf_counter()
        for address in addresses:
            await transport.read_window(address, start, end)
        ours.append(_METERS / (time.perf_counter() - began))
    client.close()
    await server.shutdown()  # type: ignore[no-untyped-call]
    await transport.close()
    await gateway.stop()
    # The first round compiled the load kernel and computed each meter's day.
    return statistics.median(bare[1:]), statistics.median(ours[1:])
