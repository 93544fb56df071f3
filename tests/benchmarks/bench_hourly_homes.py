"""Two hundred homes that read their meters every hour with a public client, at 60 times the wall's speed: how many rounds end in a read.

The client is ``smart-meter-texas`` as published, but for its pause between polls; the sandbox is a process of its own, with the law of the middle
tier, which loses one request in 50. What else ends a round without a read is told beside it: nothing should, on a machine that keeps the clock.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import smart_meter_texas as smt_client

from meters.calendar import day_of, epoch, to_us
from simulator.parties.sandbox import Sandbox, SandboxSettings
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.until_stopped import Up, serve
from simulator.smt.ondemand.middle import LawMiddle, MiddleLaw
from simulator.smt.throttle.policy import preset
from simulator.world.market import logins
from simulator.world.market_spec import MarketSpec
from simulator.world.meters import build, default_world

HOMES, HOURS, SPEED = 200, 2, 60.0
DAY = epoch("2026-08-12T12:00")
#: Each meter has a customer of its own.
MARKET = MarketSpec.model_validate(
    {"occupancies": [{"meter": number, "customer": f"customer.h{number}"} for number in range(1, HOMES + 1)]}
)


def run() -> list[dict[str, Any]]:
    """Give one row; its baseline is what the law alone would let end in a read."""
    with (
        tempfile.TemporaryDirectory() as out,
        subprocess.Popen([sys.executable, "-m", __name__, out], stdout=subprocess.PIPE, text=True) as sandbox,
    ):
        assert sandbox.stdout is not None
        try:
            ready = json.loads(sandbox.stdout.readline())
            ended, took, lives, lag_s = asyncio.run(_played(ready))
        finally:
            sandbox.terminate()
            sandbox.wait(30)
    rounds = sum(ended.values())
    by_law = sum(any(step.get("rule") == "drawn" for step in life["transitions"]) for life in lives)
    value, law = ended["read"] / rounds, 1 - by_law / rounds
    p50, p90, p99 = (statistics.quantiles(took, n=100)[at - 1] for at in (50, 90, 99))
    told = ", ".join(f"{count} {how}" for how, count in sorted(ended.items()))
    print(
        f"hourly_homes: {rounds} rounds: {told}; {by_law} lost by lot; p50/p90/p99 {p50:.0f}/{p90:.0f}/{p99:.0f} s; clock lag at most {lag_s:.1f} s"
    )
    return [
        {
            "name": "hourly_homes",
            "value": value,
            "unit": "of the rounds",
            "baseline": "not lost by lot",
            "baseline_value": law,
            "ratio": value / law,
        }
    ]


async def _played(ready: dict[str, Any]) -> tuple[Counter[str], list[float], list[dict[str, Any]], float]:
    """How rounds ended, seconds of the model that reads took, each request's life, the greatest lag that was told."""
    smt_client.BASE_ENDPOINT = f"{ready['smt_url']}/api"
    smt_client.AUTH_ENDPOINT = f"{ready['smt_url']}/commonapi/user/authenticate"
    smt_client.OD_READ_RETRY_TIME = 15 / SPEED
    # It logs each read that failed.
    logging.getLogger("smart_meter_texas").setLevel(logging.CRITICAL)
    ended: Counter[str] = Counter()
    took: list[float] = []
    lags = [0.0]
    passwords = {login.username: login.password for login in logins(MARKET).values()}
    context = ssl.create_default_context()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def home(number: int) -> None:
            name = f"customer.h{number}"
            client = smt_client.Client(session, smt_client.Account(name, passwords[name]), context)
            # Phases are even over the hour.
            await asyncio.sleep(number / HOMES * 3600 / SPEED)
            for hour in itertools.count():
                began = time.perf_counter()
                try:
                    (meter,) = await client.account.fetch_meters(client)
                    await meter.read_meter(client)
                    ended["read"] += 1
                    took.append((time.perf_counter() - began) * SPEED)
                except smt_client.exceptions.SmartMeterTexasException as error:
                    ended[str(error).rpartition(" ")[2] if "status" in str(error) else type(error).__name__] += 1
                if hour + 1 == HOURS:
                    return
                await asyncio.sleep(max(0.0, 3600 / SPEED - (time.perf_counter() - began)))

        async def watch() -> None:
            while True:
                await asyncio.sleep(1)
                async with session.get(f"{ready['smt_url']}/healthz") as reply:
                    lags.append((await reply.json())["clockLagS"])

        watching = asyncio.get_running_loop().create_task(watch())
        await asyncio.gather(*(home(number) for number in range(1, HOMES + 1)))
        watching.cancel()
        async with session.get(f"{ready['smt_url']}/control/requests", params={"most": 1000}) as reply:
            lives = (await reply.json())["requests"]
    return ended, took, lives, max(lags)


def _serve(out: Path) -> None:
    """A sandbox whose every meter has a customer of its own, until it is stopped."""
    today = day_of(DAY)
    spec = default_world(today, today - timedelta(days=1), HOMES, posted_days=2)
    settings = SandboxSettings(
        world=build(spec.model_copy(update={"market": MARKET, "faults": ()}), 11),
        clock=Clock(ClockMode.SCALED, to_us(DAY), SPEED),
        policy=preset("smt-today"),
        middle=LawMiddle(MiddleLaw(), 11),
        out=out,
        history=True,
    )

    @asynccontextmanager
    async def up() -> AsyncIterator[Up]:
        async with Sandbox(settings) as sandbox:
            yield Up(sandbox.ready(), [], [sandbox.runtime.serve()])

    serve(up(), "", as_json=True)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
