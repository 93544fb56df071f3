"""Ten thousand meters in one process: how soon ``ami meters serve`` is ready, and what it holds before and after all of them were read.

A client in another process reads 48 h of every meter, so what the server remembers of its meters' days is in the second figure.
"""

from __future__ import annotations

import asyncio
import json
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from headend.network.transport import ModbusTransport
from headend.ports import MeterAddress
from meters.calendar import floor_interval, seconds

_METERS = 10_000
_STARTS = 3
_WINDOW_S = 48 * 3600
_BEFORE_S = 20 * 24 * 3600


def run() -> list[dict[str, Any]]:
    """Give three rows: seconds to the ready line, MB before and after; the baseline of each is what one meter takes."""
    starts, alone = [], []
    resident = after = lone = 0.0
    for _ in range(_STARTS):
        ready, server, seconds = _start(_METERS)
        starts.append(seconds)
        resident = _resident_mb(server.pid)
        if not after:
            asyncio.run(_read_all(ready))
            after = _resident_mb(server.pid)
        _stop(server)
        _, server, seconds = _start(1)
        alone.append(seconds)
        lone = _resident_mb(server.pid)
        _stop(server)
    first, one = statistics.median(starts), statistics.median(alone)
    return [
        _row("meters_start", first, "s", one),
        _row("meters_memory", resident, "MB", lone),
        _row("meters_memory_read", after, "MB, 48 h of each read twice", lone),
    ]


def _row(name: str, value: float, unit: str, one: float) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "baseline": f"one meter instead of {_METERS:,}",
        "baseline_value": one,
        "ratio": value / one,
    }


def _start(meters: int) -> tuple[dict[str, Any], subprocess.Popen[str], float]:
    ami = Path(sys.executable).with_name("ami")
    began = time.perf_counter()
    server = subprocess.Popen(
        [str(ami), "meters", "serve", "--count", str(meters), "--no-special", "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    ready: dict[str, Any] = json.loads(server.stdout.readline())
    return ready, server, time.perf_counter() - began


def _stop(server: subprocess.Popen[str]) -> None:
    server.send_signal(signal.SIGINT)
    server.wait(30)
    assert server.stdout is not None
    server.stdout.close()


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


async def _read_all(ready: dict[str, Any]) -> None:
    """Read the latest 48 h of every meter, then 48 h of three weeks ago, gateways side by side."""
    now = floor_interval(seconds(time.time()))
    transport = ModbusTransport()

    async def gateway(one: dict[str, Any]) -> None:
        for end in (now, now - _BEFORE_S):
            for meter in one["meters"]:
                address = MeterAddress(
                    meter["esiid"], meter["meter_number"], one["host"], one["port"], meter["unit_id"], 1, 0
                )
                await transport.read_window(address, end - _WINDOW_S, end)

    await asyncio.gather(*(gateway(one) for one in ready["gateways"]))
    await transport.close()
