"""Clients of the portal find it by SMT's own host names, over TLS, untouched: only where the names lead is changed, as a DNS record would."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import smart_meter_texas as smt_client
from aiohttp.abc import AbstractResolver, ResolveResult

from meters.calendar import US, day_of, epoch, us_date
from simulator.clock import Clock, ClockMode
from simulator.market import CUSTOMER_LOGIN
from simulator.sandbox import Sandbox, SandboxSettings
from simulator.smt.middle import FixedMiddle
from simulator.smt.policy import preset
from simulator.world import build, default_world

SPEED = 600.0
#: What each version of the client sends, as its source has it.
REQUESTS = json.loads((Path(__file__).parent / "portal_client_requests.json").read_text(encoding="utf-8"))


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


@asynccontextmanager
async def bench(out: Path) -> AsyncIterator[tuple[Sandbox, aiohttp.ClientSession, Loopback]]:
    noon = epoch(f"{day_of(int(time.time()))}T12:00")
    settings = SandboxSettings(
        world=build(default_world(day_of(noon), day_of(noon) - timedelta(days=1), 12, posted_days=3), 11),
        clock=Clock(ClockMode.SCALED, noon * US, SPEED),
        policy=preset("smt-today"),
        middle=FixedMiddle(18, 52),
        out=out,
        tls=True,
        history=True,
    )
    async with Sandbox(settings) as sandbox:
        serving = asyncio.get_running_loop().create_task(sandbox.runtime.serve())
        names = Loopback(sandbox.smt_server.port)
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=names, use_dns_cache=False)
        ) as session:
            yield sandbox, session, names
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def test_the_client_reads_a_meter_at_smts_own_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Chicago")
    time.tzset()
    # The client's own pause, shortened as the sandbox's clock is quicker.
    monkeypatch.setattr(smt_client, "OD_READ_RETRY_TIME", 15 / SPEED)

    async def run() -> None:
        async with bench(tmp_path) as (sandbox, session, names):
            account = smt_client.Account(CUSTOMER_LOGIN.username, CUSTOMER_LOGIN.password)
            client = smt_client.Client(session, account, sandbox.ca.client_context())
            (meter,) = await account.fetch_meters(client)
            await meter.read_meter(client)
            await meter.get_15min(client)
            assert meter.reading > 0
            assert meter.read_15min_consumption
            assert set(names.asked) == {"www.smartmetertexas.com"}

    asyncio.run(run())


@pytest.mark.parametrize("version", sorted(REQUESTS))
def test_the_requests_of_each_version_are_answered_as_it_needs(tmp_path: Path, version: str) -> None:
    recorded = REQUESTS[version]

    async def run() -> None:
        async with bench(tmp_path) as (sandbox, session, names):
            own = sandbox.settings.world.meters[0].identity
            filled = {
                "USERNAME": CUSTOMER_LOGIN.username,
                "PASSWORD": CUSTOMER_LOGIN.password,
                "ESIID": own.esiid,
                "METER": own.meter_number,
                "DATE": us_date(day_of(sandbox.runtime.now()) - timedelta(days=1)),
            }
            headers = dict(recorded["headers"])
            context = sandbox.ca.client_context()

            async def sent(one: dict[str, Any]) -> Any:
                body = {name: _filled(value, filled) for name, value in one.get("json", {}).items()} or None
                url = f"https://{recorded['host']}{one['path']}"
                async with session.request(one["method"], url, json=body, headers=headers, ssl=context) as reply:
                    assert reply.status == 200, one
                    return await reply.json() if one["method"] == "POST" else await reply.text()

            for one in recorded["log_in"]:
                told = await sent(one)
            headers["Authorization"] = f"Bearer {told['token']}"
            told = {one["path"]: (await sent(one))["data"] for one in recorded["calls"]}
            (meter,) = told["/api/meter"]
            assert (meter["esiid"], meter["meterNumber"]) == (own.esiid, own.meter_number)
            assert meter["address"]
            assert told["/api/ondemandread"]["statusCode"] == "0"
            assert told["/api/usage/latestodrread"]["odrstatus"] == "PENDING"
            assert next(one["RT"] for one in told["/api/adhoc/intervalsynch"]["energyData"]) == "C"
            assert set(names.asked) == {recorded["host"]}

    asyncio.run(run())


def _filled(value: Any, filled: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_filled(one, filled) for one in value]
    return filled.get(value, value) if isinstance(value, str) else value


def test_a_storm_with_a_dead_token_leaves_the_others_their_answers(tmp_path: Path) -> None:
    """2,000 calls without a pause, as a client that repeats a dead token makes them: one at a time, as fast as they are answered."""
    most = 2000

    async def run() -> None:
        async with bench(tmp_path) as (sandbox, session, _):
            context, base = sandbox.ca.client_context(), "https://www.smartmetertexas.com"

            async def called(path: str, token: str, **body: Any) -> tuple[int, Any]:
                headers = {"Authorization": f"Bearer {token}"}
                async with session.post(f"{base}{path}", json=body, headers=headers, ssl=context) as reply:
                    return reply.status, await reply.json()

            _, login = await called(
                "/commonapi/user/authenticate", "", username=CUSTOMER_LOGIN.username, password=CUSTOMER_LOGIN.password
            )
            dead = login["token"][:-4] + "AAAA"

            async def storm() -> None:
                for _ in range(most):
                    assert await called("/api/meter", dead, esiid="*") == (401, {"message": "Invalid Token"})

            storming = asyncio.get_running_loop().create_task(storm())
            answered = 0
            while not storming.done():
                status, told = await called("/api/meter", login["token"], esiid="*")
                assert (status, len(told["data"])) == (200, 1)
                answered += 1
            await storming
            # Turn and turn about would be one for one.
            assert answered >= most / 4

    asyncio.run(run())
