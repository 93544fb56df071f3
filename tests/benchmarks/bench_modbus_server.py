"""What a read costs the server: CPU of a gateway's process beside a bare pymodbus server's, each asked by a client in another process; and midnights.

``modbus_collection`` has client and server of both sides in one loop, so its ratio says little of the server.
"""

from __future__ import annotations

import asyncio
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date
from typing import Any

from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import ModbusTcpServer

from meters.calendar import day_end, day_start
from meters.fleet import Fleet
from meters.identity import tdsp
from meters.register_map import layout as wire
from meters.register_map.encode import encode
from meters.wire.gateway import Gateway

_DAY = date(2026, 8, 11)
_NOW = day_end(_DAY) + 3600
_METERS = 40
#: Where a bare server is read: it has few registers, as looking one up among many costs it more.
_BARE = 100
_ROUNDS = 9
#: How often a round asks every meter.
_TIMES = 5
#: A day of 96 intervals: the header, then four reads of the ring. First register and count.
_READS = (
    (wire.HEADER, wire.HEADER_COUNT),
    *((wire.ring_address(wire.ring_slot(day_start(_DAY)) + at), 24 * wire.SLOT_WORDS) for at in range(0, 96, 24)),
)


def run() -> list[dict[str, Any]]:
    """Give three rows: reads a second of the server's CPU, of a day and of the header alone, and milliseconds of a read of 125 registers of midnights, held to the first one's."""
    ports, servers = {}, {}
    for which in ("bare", "ours"):
        servers[which] = subprocess.Popen(
            [sys.executable, "-m", __name__, which], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        ports[which] = int(_told(servers[which]))
    rows = []
    for name, reads in (("modbus_server", _READS), ("modbus_server_header", _READS[:1] * len(_READS))):
        spent: dict[str, list[float]] = {"bare": [], "ours": []}
        for _ in range(_ROUNDS + 1):
            for which, server in servers.items():
                before = _cpu_s(server)
                _ask(ports[which], [(_BARE, count) for _, count in reads] if which == "bare" else reads)
                spent[which].append((_cpu_s(server) - before) / (_TIMES * _METERS * len(reads)))
        # The first round compiled the load kernel and computed each meter's day.
        bare, ours = (1 / statistics.median(spent[which][1:]) for which in ("bare", "ours"))
        rows.append(
            {
                "name": name,
                "value": ours,
                "unit": "reads/CPU s",
                "baseline": "a bare pymodbus server, as many registers",
                "baseline_value": bare,
                "ratio": ours / bare,
            }
        )
    for server in servers.values():
        server.communicate()
    first, again = _midnights()
    return [
        *rows,
        {
            "name": "midnight_read",
            "value": again,
            "unit": "CPU ms",
            "baseline": "the meter's first",
            "baseline_value": first,
            "ratio": again / first,
        },
    ]


def _ask(port: int, reads: Sequence[tuple[int, int]]) -> None:
    """Ask every meter for these reads, first register and count, one request after the other."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        for unit in list(range(1, _METERS + 1)) * _TIMES:
            for first, count in reads:
                asked = first.to_bytes(2, "big") + count.to_bytes(2, "big")
                line.sendall(bytes((0, 1, 0, 0, 0, 6, unit, 3)) + asked)
                left = 9 + 2 * count
                while left:
                    left -= len(line.recv(left))


def _told(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    return server.stdout.readline()


def _cpu_s(server: subprocess.Popen[str]) -> float:
    assert server.stdin is not None
    server.stdin.write("\n")
    server.stdin.flush()
    return float(_told(server))


def _midnights() -> tuple[float, float]:
    """CPU milliseconds of a read, the first of each meter and the median of later ones."""
    meters = list(Fleet(tdsp("ONCOR"), 1, _METERS + 1).meters())
    encode(meters.pop(), _NOW, wire.SNAPSHOTS, wire.MAX_READ)
    taken = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        for meter in meters:
            encode(meter, _NOW, wire.SNAPSHOTS, wire.MAX_READ)
        taken.append((time.process_time() - began) / _METERS * 1000)
    return taken[0], statistics.median(taken[1:])


async def _serve(which: str) -> None:
    """Serve and tell the port, then for each line of the standard input the CPU seconds so far, until it is closed."""
    if which == "ours":
        gateway = Gateway(dict(enumerate(Fleet(tdsp("ONCOR"), 1, _METERS).meters(), 1)), lambda: _NOW)
        await gateway.start()
        port = gateway.port
    else:
        block = ModbusSequentialDataBlock(1, [12345] * 1000)  # type: ignore[no-untyped-call]
        server = ModbusTcpServer(ModbusServerContext(ModbusDeviceContext(hr=block)), address=("127.0.0.1", 0))
        await server.serve_forever(background=True)
        assert isinstance(server.transport, asyncio.Server)
        port = server.transport.sockets[0].getsockname()[1]
    print(port, flush=True)
    while await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        print(time.process_time(), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
