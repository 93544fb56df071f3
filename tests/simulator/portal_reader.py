"""A program around whichever ``smart-meter-texas`` is first on the path: it logs in at SMT's own address, lists the meters and reads the first.

Told on standard input, tells on standard output, both JSON. Of the client nothing is touched but its pause between polls, since the sandbox's
clock is quicker; that SMT's names lead to this machine is the resolver's doing, as a DNS record would.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import sys
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import aiohttp
import smart_meter_texas as smt_client
from aiohttp.abc import AbstractResolver, ResolveResult

from meters.calendar import seconds


class Loopback(AbstractResolver):
    """Leads every name to a port of this machine."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=self.port, family=socket.AF_INET, proto=0, flags=socket.AI_NUMERICHOST
            )
        ]  # fmt: skip

    async def close(self) -> None:
        """Nothing is open."""


def led_to(port: int, *traces: aiohttp.TraceConfig) -> aiohttp.ClientSession:
    """A session for whose requests every name is a port of this machine."""
    connector = aiohttp.TCPConnector(resolver=Loopback(port), use_dns_cache=False)
    return aiohttp.ClientSession(connector=connector, trace_configs=list(traces))


async def read(told: dict[str, Any]) -> dict[str, Any]:
    """told: port, ca_file, username, password, pause_s. Returns the client's version, its calls, and what it read."""
    calls: list[str] = []

    async def called(_: aiohttp.ClientSession, __: SimpleNamespace, begun: aiohttp.TraceRequestStartParams) -> None:
        calls.append(f"{begun.method} {begun.url}")

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(called)
    smt_client.OD_READ_RETRY_TIME = told["pause_s"]
    async with led_to(told["port"], trace) as session:
        account = smt_client.Account(told["username"], told["password"])
        client = smt_client.Client(session, account, ssl.create_default_context(cafile=told["ca_file"]))
        meters = await account.fetch_meters(client)
        meter = meters[0]
        await meter.read_meter(client)
        await meter.get_15min(client)
    return {
        "version": version("smart-meter-texas"),
        "calls": list(dict.fromkeys(calls)),
        "meters": [[one.esiid, one.meter] for one in meters],
        "reading": meter.reading,
        "read_at": seconds(meter.reading_datetime.timestamp()),
        "surplus": [[when, float(kwh)] for when, kwh in meter.read_15min],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(read(json.load(sys.stdin)))))
