"""One INTERVALS inquiry over all wires, on the manual clock, in CPU time: of one process, which is SMT, head-end and meters.

Asked at SMT over HTTP, sent to the head-end, read at the meter over Modbus, called back, polled until it is completed. Beside it a bare FastAPI POST.
The clock goes on by a quarter hour after every round, so each asks for an interval that nobody has collected; nothing is swept meanwhile.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from meters.calendar import day_of, epoch, to_us
from simulator.parties.sandbox import Sandbox, SandboxSettings
from simulator.runtime.clock import Clock, ClockMode
from simulator.smt.ondemand.middle import FixedMiddle
from simulator.smt.throttle.policy import load_policy
from simulator.world.market import ROR_LOGIN
from simulator.world.meters import build, default_world
from tests.benchmarks.bench_smt_status_poll import BARE, CONNECTIONS, REQUESTS, process, rate, request_bytes

METERS, ROUNDS, RUNS = 40, 4, 5
NOW = epoch("2026-08-12T11:10")
WHO = {
    "trans_id": "b",
    "requestorID": ROR_LOGIN.username,
    "requesterType": "REP",
    "requesterAuthenticationID": ROR_LOGIN.duns,
    "reportFormat": "JSON",
    "deliveryMode": "API",
    "SMTTermsandConditions": "Y",
}


async def serve(out: Path) -> None:
    """Keep a sandbox up and print where it is and whom its retailer serves."""
    # As the command does it.
    gc.set_threshold(50_000, 20, 100)
    world = build(default_world(day_of(NOW), day_of(NOW - 86_400), METERS, 4), 3, NOW)
    settings = SandboxSettings(
        world=world,
        clock=Clock(ClockMode.MANUAL, to_us(NOW)),
        policy=load_policy("n-per-day:amount=1000"),
        middle=FixedMiddle(18, 52),
        out=out,
        sweep_every_h=24,
        history=True,
    )
    async with Sandbox(settings) as sandbox:
        odd = {esiid for esiid, _, note in sandbox.market.notes if not note.startswith("ordinary")}
        ror = sandbox.market.registry.ror_of_record
        own = [one for one in map(world.esiid, range(METERS)) if ror(one, day_of(NOW)) == ROR_LOGIN.duns]
        esiids = [one for one in own if one not in odd]
        print(json.dumps({"url": sandbox.smt_server.url, "esiids": esiids}), flush=True)
        await sandbox.runtime.serve()


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used, all its threads."""
    return time.clock_gettime((~pid << 3) | 2)


async def told(port: int, path: str, token: str, bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is answered to each, over one connection that is kept open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    replies = []
    for body in bodies:
        writer.write(request_bytes(path, body, token))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        replies.append(json.loads(await reader.readexactly(length)))
    writer.close()
    await writer.wait_closed()
    return replies


async def inquiries(port: int, token: str, esiids: list[str]) -> None:
    """Rounds of an inquiry for each ESI ID, each completed with an interval of the meter."""
    for _ in range(ROUNDS):
        asked = [WHO | {"ESIID": one, "readType": "INTERVALS"} for one in esiids]
        keys = [one["correlationId"] for one in await told(port, "/v2/odr/", token, asked)]
        await told(port, "/control/clock/advance", token, [{"seconds": 900}])
        for one in await told(port, "/v2/odrstatus/", token, [WHO | {"correlationId": key} for key in keys]):
            assert (one["statusCode"], one["meterReads"]) == ("0", 1), one


def run() -> list[dict[str, Any]]:
    with (
        tempfile.TemporaryDirectory() as out,
        process("-m", "tests.benchmarks.bench_live_inquiry", out) as (line, pid),
        process("-c", BARE) as (bare_line, bare_pid),
    ):
        ready, bare_port = json.loads(line), int(bare_line)
        login, port = {"username": ROR_LOGIN.username, "password": ROR_LOGIN.password}, urlsplit(ready["url"]).port or 0
        token = httpx.post(f"{ready['url']}/v2/token/", json=login, timeout=60, trust_env=False).json()["accessToken"]
        bare = request_bytes("/poll", {"trans_id": "b", "requestorID": "r", "correlationId": "1"})
        runs = []
        for _ in range(RUNS + 1):
            before, bare_before = cpu_s(pid), cpu_s(bare_pid)
            asyncio.run(inquiries(port, token, ready["esiids"]))
            spent = cpu_s(pid) - before
            asyncio.run(rate(bare_port, bare))
            runs.append(
                (ROUNDS * len(ready["esiids"]) / spent, CONNECTIONS * REQUESTS / (cpu_s(bare_pid) - bare_before))
            )
    return [
        {
            "name": "live_inquiry",
            "value": statistics.median(one for one, _ in runs[1:]),
            "unit": "inquiries a CPU second",
            "baseline": "bare FastAPI POST",
            "baseline_value": statistics.median(bare for _, bare in runs[1:]),
            "ratio": statistics.median(one / bare for one, bare in runs[1:]),
        }
    ]


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
