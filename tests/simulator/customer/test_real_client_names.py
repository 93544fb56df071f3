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
from simulator.world.market import CUSTOMER_LOGIN
from simulator.world.meters import PremiseSpec
from tests.simulator import portal_reader
from tests.simulator.portal_bench import PAUSE_S, portal_sandbox
from tests.simulator.portal_reader import led_to

#: Where ``make setup`` puts the older client.
OLDER = Path(sys.prefix) / "smart-meter-texas-0.5.3"
APEX, WWW = "https://smartmetertexas.com", "https://www.smartmetertexas.com"
#: By version: the folder that is first on the path, and the first calls, up to the token.
CLIENTS: dict[str, tuple[Path | None, list[str]]] = {
    "0.5.3": (OLDER, [f"GET {APEX}/", f"POST {APEX}/api/user/authenticate"]),
    "0.5.6": (None, [f"POST {WWW}/commonapi/user/authenticate"]),
}


@pytest.mark.process
@pytest.mark.parametrize("version", CLIENTS)
async def test_the_client_reads_a_meter_at_smts_own_address(tmp_path: Path, version: str) -> None:
    first_on_path, log_in = CLIENTS[version]
    assert first_on_path is None or first_on_path.is_dir(), f"there is no {first_on_path}: make setup"
    environment = os.environ | {"TZ": "America/Chicago", "PYTHONPATH": str(first_on_path or "")}
    # The older one keeps surplus generation alone of a day's intervals.
    roofed = (PremiseSpec(meter=1, solar_kw=8),)
    async with portal_sandbox(tmp_path, premises=roofed) as sandbox:
        told = {
            "port": sandbox.smt_server.port,
            "ca_file": str(sandbox.ca.ca_file),
            "username": CUSTOMER_LOGIN.username,
            "password": CUSTOMER_LOGIN.password,
            "pause_s": PAUSE_S,
        }
        client = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", portal_reader.__file__),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
        out, errors = await asyncio.wait_for(client.communicate(json.dumps(told).encode()), 30)
        assert client.returncode == 0, errors.decode()
        found = json.loads(out)
        own, now = sandbox.settings.world.meters[0], sandbox.runtime.now()
        assert found["version"] == version
        assert found["meters"] == [[own.identity.esiid, own.identity.meter_number]]
        assert found["calls"][: len(log_in)] == log_in
        host = log_in[0].split("/")[2]
        paths = ("meter", "ondemandread", "usage/latestodrread", "adhoc/intervalsynch")
        assert set(found["calls"][len(log_in) :]) == {f"POST https://{host}/api/{path}" for path in paths}
        assert found["reading"] == own.live(found["read_at"]).delivered_register / 1000
        today = day_of(now)
        yesterday = today - timedelta(days=1)
        truth = own.window(epoch(f"{yesterday}T00:00"), epoch(f"{today}T00:00"), now).received
        assert [kwh for _, kwh in found["surplus"]] == [wh / 1000 for wh in truth.tolist()]
        assert truth.any()
        assert found["surplus"][0][0] == yesterday.strftime("%m/%d/%Y 0:00")


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
