"""A client that nobody here wrote: ``smart-meter-texas``, unmodified but for values it is given, against the portal API over TLS."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import smart_meter_texas as smt_client
from smart_meter_texas import exceptions

from meters.calendar import day_of, epoch, seconds
from simulator.parties.sandbox import Sandbox
from simulator.world.market import CUSTOMER_LOGIN
from tests.simulator.portal_bench import PAUSE_S, portal_sandbox


@dataclass
class Wall:
    """SMT's wall clock, which the test moves."""

    ahead_s: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


@dataclass
class Bench:
    """A sandbox, the client on it, the customer's own meter, SMT's wall."""

    sandbox: Sandbox
    client: Any
    account: Any
    wall: Wall


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setenv("TZ", "America/Chicago")
    time.tzset()
    wall = Wall()
    async with portal_sandbox(tmp_path, wall) as sandbox, asyncio.timeout(30):
        monkeypatch.setattr(smt_client, "BASE_ENDPOINT", f"{sandbox.smt_server.url}/api")
        monkeypatch.setattr(smt_client, "AUTH_ENDPOINT", f"{sandbox.smt_server.url}/commonapi/user/authenticate")
        monkeypatch.setattr(smt_client, "OD_READ_RETRY_TIME", PAUSE_S)
        async with aiohttp.ClientSession() as session:
            account = smt_client.Account(CUSTOMER_LOGIN.username, CUSTOMER_LOGIN.password)
            yield Bench(sandbox, smt_client.Client(session, account, sandbox.ca.client_context()), account, wall)


async def test_it_lists_the_customers_own_meter(bench: Bench) -> None:
    (meter,) = await bench.account.fetch_meters(bench.client)
    own = bench.sandbox.settings.world.meters[0].identity
    assert (meter.esiid, meter.meter) == (own.esiid, own.meter_number)
    assert meter.address


async def test_an_on_demand_read_is_pending_then_completed_with_a_changed_odrdate(bench: Bench) -> None:
    (meter,) = await bench.account.fetch_meters(bench.client)
    first = await meter.read_meter(bench.client)
    before = meter.reading
    reading = asyncio.get_running_loop().create_task(meter.read_meter(bench.client))
    seen = []
    while not reading.done():
        latest = await meter._latest_od_read(bench.client)
        seen.append((latest["odrstatus"], latest["odrdate"], latest["odrread"]))
    second = await reading
    # The stale read first (if it was asked for that soon), then PENDING with 0, then the new one.
    statuses = [status for status, _, _ in seen]
    assert "PENDING" in statuses
    assert {read for status, _, read in seen if status == "PENDING"} == {"0"}
    assert {date for status, date, _ in seen if status == "COMPLETED"} <= {first["odrdate"], second["odrdate"]}
    assert second["odrstatus"] == "COMPLETED"
    assert second["odrdate"] != first["odrdate"]
    assert meter.reading > before
    shown = bench.sandbox.settings.world.meters[0].live(seconds(meter.reading_datetime.timestamp()))
    assert meter.reading == shown.delivered_register / 1000


async def test_it_reads_the_intervals_of_the_last_posted_day(bench: Bench) -> None:
    (meter,) = await bench.account.fetch_meters(bench.client)
    await meter.get_15min(bench.client)
    yesterday = day_of(bench.sandbox.runtime.now()) - timedelta(days=1)
    truth = bench.sandbox.settings.world.meters[0].window(
        epoch(f"{yesterday}T00:00"), epoch(f"{yesterday}T06:00"), bench.sandbox.runtime.now()
    )
    shown = [float(kwh) for _, kwh in meter.read_15min_consumption[:24]]
    assert shown == [wh / 1000 for wh in truth.delivered.tolist()]
    assert meter.read_15min_consumption[0][0] == yesterday.strftime("%m/%d/%Y 0:00")


async def test_a_third_read_within_the_hour_goes_unseen_and_times_out_as_it_does_with_smt(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    (meter,) = await bench.account.fetch_meters(bench.client)
    await meter.read_meter(bench.client)
    await meter.read_meter(bench.client)
    monkeypatch.setattr(smt_client, "OD_READ_RETRIES", 4)
    with pytest.raises(exceptions.SmartMeterTexasTimeoutError):
        await meter.read_meter(bench.client)


async def test_a_wrong_password_is_an_authentication_error(bench: Bench) -> None:
    bench.account.password = "not it"
    with pytest.raises(exceptions.SmartMeterTexasAuthError):
        await bench.account.fetch_meters(bench.client)


async def test_after_an_expired_token_it_storms_until_its_own_timer_ends_and_then_logs_in_again(bench: Bench) -> None:
    await bench.account.fetch_meters(bench.client)
    dead = bench.client.token
    bench.wall.ahead_s = 16 * 60
    bench.client.token_expiration = datetime.now() + timedelta(seconds=0.3)
    (meter,) = await bench.account.fetch_meters(bench.client)
    assert meter.esiid == bench.sandbox.settings.world.meters[0].identity.esiid
    assert bench.client.token != dead
    # The sandbox outlived the storm.
    assert await meter._latest_od_read(bench.client)
