"""Clients of the portal find it by SMT's own host names, over TLS, untouched: only where the names lead is changed, as a DNS record would."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from meters.calendar import day_of, epoch
from simulator.parties.sandbox import Sandbox
from simulator.world.market import CUSTOMER_LOGIN
from simulator.world.meters import PremiseSpec
from tests.simulator import portal_reader
from tests.simulator.portal_bench import PAUSE_S, portal_sandbox
from tests.simulator.portal_reader import led_to
from tests.simulator.processes import patience
from tests.simulator.smt.crash_play import speed

WWW, APEX = "https://www.smartmetertexas.com", "https://smartmetertexas.com"
OF_0_5 = ["meter", "ondemandread", "usage/latestodrread", "adhoc/intervalsynch"]
#: By version: its first calls, up to the token, and the calls after them; ``make setup`` puts each into a folder of its own, but for the last.
CLIENTS = {
    "0.2.11": (
        [f"GET {WWW}/", f"POST {WWW}/api/user/authenticate"],
        [f"{WWW}//api/ondemandread", f"{WWW}/api/usage/latestodrread"],
    ),
    "0.3.1": (
        [f"GET {WWW}/", f"POST {WWW}/api/user/authenticate"],
        [f"{WWW}/api/{path}" for path in ("dashboard", "ondemandread", "usage/latestodrread")],
    ),
    "0.5.3": (
        [f"GET {APEX}/", f"POST {APEX}/api/user/authenticate"],
        [f"{APEX}/api/{path}" for path in OF_0_5],
    ),
    "0.5.5": ([f"POST {WWW}//commonapi/user/authenticate"], [f"{WWW}/api/{path}" for path in OF_0_5]),
    "0.5.6": ([f"POST {WWW}/commonapi/user/authenticate"], [f"{WWW}/api/{path}" for path in OF_0_5]),
}
INSTALLED = "0.5.6"
#: How much faster than a play of crashes the clock runs for who comes every hour: an inquiry ends within a quarter of one.
HOURLY = 9.0
#: A roof for the first meter: some clients keep surplus generation alone of a day's intervals.
ROOFED = (PremiseSpec(meter=1, solar_kw=8),)


async def played(sandbox: Sandbox, version: str, pause_s: float = PAUSE_S, **more: Any) -> dict[str, Any]:
    """What a client of a version found, in a process of its own."""
    folder = "" if version == INSTALLED else str(Path(sys.prefix) / f"smart-meter-texas-{version}")
    assert not folder or Path(folder).is_dir(), f"there is no {folder}: make setup"
    own = sandbox.settings.world.meters[0].identity
    told = {
        "port": sandbox.smt_server.port,
        "ca_file": str(sandbox.ca.ca_file),
        "username": CUSTOMER_LOGIN.username,
        "password": CUSTOMER_LOGIN.password,
        "pause_s": pause_s,
        "meter": [own.esiid, own.meter_number],
    }
    client = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", portal_reader.__file__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"TZ": "America/Chicago", "PYTHONPATH": folder},
    )
    out, errors = await asyncio.wait_for(client.communicate(json.dumps(told | more).encode()), patience())
    assert client.returncode == 0, errors.decode()
    found: dict[str, Any] = json.loads(out)
    assert (found["version"], found["meters"]) == (version, [told["meter"]])
    return found


@pytest.mark.process
@pytest.mark.long
async def test_every_published_client_reads_a_meter_at_smts_own_address(tmp_path: Path) -> None:
    """Each log-in, each list, each read, as published; one after the other, so that none is shown another's request as pending."""
    async with portal_sandbox(tmp_path, premises=ROOFED, policy="n-per-day:amount=10") as sandbox:
        own, now = sandbox.settings.world.meters[0], sandbox.runtime.now()
        today = day_of(now)
        yesterday = today - timedelta(days=1)
        truth = own.window(epoch(f"{yesterday}T00:00"), epoch(f"{today}T00:00"), now).received
        assert truth.any()
        for version, (log_in, others) in CLIENTS.items():
            found = await played(sandbox, version)
            assert found["calls"][: len(log_in)] == log_in
            assert sorted(found["calls"][len(log_in) :]) == sorted(f"POST {path}" for path in others)
            assert found["reading"] == own.live(found["read_at"]).delivered_register / 1000
            if version >= "0.5":
                assert [kwh for _, kwh in found["surplus"]] == [wh / 1000 for wh in truth.tolist()]
                assert found["surplus"][0][0] == yesterday.strftime("%m/%d/%Y 0:00")


@pytest.mark.process
async def test_home_assistant_sets_itself_up_and_reads_every_hour(tmp_path: Path) -> None:
    """Its own steps, with the client that it has: a wrong password, the right one, the meters, a read at once and three hourly ones."""
    hourly = HOURLY * speed()
    async with portal_sandbox(tmp_path, speed=hourly) as sandbox:
        own, began = sandbox.settings.world.meters[0], sandbox.runtime.now()
        found = await played(sandbox, "0.5.5", 15 / hourly, hours=3, hour_s=3600 / hourly)
        ended = sandbox.runtime.now()
    assert found["steps"] == ["invalid_auth", "entry created"]
    at = [one["read_at"] for one in found["readings"]]
    # Each is what the meter showed then; that it may be the read of the hour before is the scenario hour-before.
    assert [one["reading"] for one in found["readings"]] == [own.live(one).delivered_register / 1000 for one in at]
    assert began <= at[0] <= at[1] <= at[2] <= at[3] <= ended
    assert at[3] - at[0] >= 3600


@pytest.mark.long
async def test_a_storm_with_a_dead_token_leaves_the_others_their_answers(tmp_path: Path) -> None:
    """2,000 calls without a pause, as a client that repeats a dead token makes them: one at a time, as fast as they are answered."""
    most = 2000
    async with portal_sandbox(tmp_path) as sandbox, led_to(sandbox.smt_server.port) as session:
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
