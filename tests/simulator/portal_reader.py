"""A program around whichever ``smart-meter-texas`` is first on the path: it logs in at SMT's own address, finds its meter and reads it.

Told on standard input, tells on standard output, both JSON. Of the client nothing is touched but its pause between polls, since the sandbox's
clock is quicker; that SMT's names lead to this machine is the resolver's doing, as a DNS record would. Told of hours it does what Home Assistant
does with it: the set-up's log-in with a wrong and the right password, the list of meters, a read at once and one every hour.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import sys
from importlib import import_module
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import aiohttp
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


def led_to(port: int, *traces: aiohttp.TraceConfig, trust: ssl.SSLContext | bool = True) -> aiohttp.ClientSession:
    """A session for whose requests every name is a port of this machine."""
    connector = aiohttp.TCPConnector(resolver=Loopback(port), use_dns_cache=False, ssl=trust)
    return aiohttp.ClientSession(connector=connector, trace_configs=list(traces))


async def _read_0_2(session: Any, told: dict[str, Any], _trust: ssl.SSLContext) -> dict[str, Any]:
    client: Any = import_module("smart_meter_texas.async_api")
    client.ON_DEMAND_READ_RETRY_TIME = told["pause_s"]
    auth = client.Auth(session, told["username"], told["password"])
    await auth.authenticate()
    meter = client.Meter(auth, *told["meter"])
    await meter.async_read_meter()
    return {"meters": [told["meter"]], **_reading(meter)}


async def _read_0_3(session: Any, told: dict[str, Any], _trust: ssl.SSLContext) -> dict[str, Any]:
    client: Any = import_module("smart_meter_texas.async_api")
    client.OD_READ_RETRY_TIME = told["pause_s"]
    meter = client.SMTMeterReader(session, told["username"], told["password"])
    await meter.authenticate()
    await meter.read_dashboard()
    await meter.read_meter()
    return {"meters": [[meter.esiid, meter.meter]], **_reading(meter)}


async def _read_0_5(session: Any, told: dict[str, Any], trust: ssl.SSLContext) -> dict[str, Any]:
    client: Any = import_module("smart_meter_texas")
    client.OD_READ_RETRY_TIME = told["pause_s"]
    account = client.Account(told["username"], told["password"])
    smt = client.Client(session, account, trust)
    meters = await account.fetch_meters(smt)
    await meters[0].read_meter(smt)
    await meters[0].get_15min(smt)
    surplus = [[when, float(kwh)] for when, kwh in meters[0].read_15min]
    return {"meters": [[one.esiid, one.meter] for one in meters], "surplus": surplus, **_reading(meters[0])}


async def _home_assistant(session: Any, told: dict[str, Any], trust: ssl.SSLContext) -> dict[str, Any]:
    client: Any = import_module("smart_meter_texas")
    client.OD_READ_RETRY_TIME = told["pause_s"]

    async def set_up(password: str) -> str:
        """What the set-up says after the log-in."""
        try:
            await client.Client(session, client.Account(told["username"], password), trust).authenticate()
        except (TimeoutError, aiohttp.ClientError, client.SmartMeterTexasAPIError):
            return "cannot_connect"
        except client.SmartMeterTexasAuthError:
            return "invalid_auth"
        return "entry created"

    steps = [await set_up("not the password"), await set_up(told["password"])]
    account = client.Account(told["username"], told["password"])
    smt = client.Client(session, account, trust)
    meters = await account.fetch_meters(smt)
    readings = []
    for hour in range(told["hours"] + 1):
        if hour:
            await asyncio.sleep(told["hour_s"])
        for meter in meters:
            await meter.read_meter(smt)
            readings.append(_reading(meter))
    return {"steps": steps, "meters": [[one.esiid, one.meter] for one in meters], "readings": readings}


def _reading(meter: Any) -> dict[str, Any]:
    return {"reading": meter.reading, "read_at": seconds(meter.reading_datetime.timestamp())}


#: By the beginning of a version: how that client is used.
READERS = {"0.2.": _read_0_2, "0.3.": _read_0_3, "0.5.": _read_0_5}


async def read(told: dict[str, Any]) -> dict[str, Any]:
    """told: port, ca_file, username, password, pause_s, meter, and for Home Assistant hours and hour_s. Returns the client's version, its calls, and what it read."""
    calls: list[str] = []

    async def called(_: aiohttp.ClientSession, __: SimpleNamespace, begun: aiohttp.TraceRequestStartParams) -> None:
        calls.append(f"{begun.method} {begun.url}")

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(called)
    found = version("smart-meter-texas")
    reader = _home_assistant if "hours" in told else READERS[found[:4]]
    trust = ssl.create_default_context(cafile=told["ca_file"])
    async with led_to(told["port"], trace, trust=trust) as session:
        done = await reader(session, told, trust)
    return {"version": found, "calls": list(dict.fromkeys(calls)), **done}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(read(json.load(sys.stdin)))))
