"""The status poll with the front and without it: one application in one process on two ports, the same client, by turns."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from simulator.runtime.serving import HttpServer, bind
from tests.benchmarks.bench_smt_status_poll import CONNECTIONS, REQUESTS, process, rate, request_bytes
from tests.simulator.smt.rig import ROR_DUNS, Rig

RUNS = 15


async def serve() -> None:
    """Print what a client needs, and serve until the process is ended."""
    with tempfile.TemporaryDirectory() as folder:
        async with Rig(Path(folder)) as rig:
            ack = await rig.asked()
            inner = FastAPI.build_middleware_stack(rig.app)

            async def bare(scope: Any, receive: Any, send: Any) -> None:
                scope["app"] = rig.app
                await inner(scope, receive, send)

            servers = [HttpServer(app, bind("127.0.0.1", 0, "a bench")) for app in (rig.app, bare)]
            for server in servers:
                await server.start()
            ready = {"token": rig.tokens["lonestar.api"], "key": ack["correlationId"], "pid": os.getpid()}
            print(json.dumps(ready | {"ports": [server.port for server in servers]}), flush=True)
            await asyncio.Event().wait()


def run() -> list[dict[str, Any]]:
    with process("-m", "tests.benchmarks.bench_front") as told:
        ready = json.loads(told)
        asked = {
            "trans_id": "b",
            "correlationId": ready["key"],
            "requestorID": "lonestar.api",
            "requesterType": "REP",
            "requesterAuthenticationID": ROR_DUNS,
            "SMTTermsandConditions": "Y",
        }
        poll = request_bytes("/v2/odrstatus/", asked, ready["token"])
        # Of the server's process: what the client takes, and whoever else is on the machine, is none of the front's cost.
        clock = (~ready["pid"] << 3) | 2

        async def polls_per_cpu_second(port: int) -> float:
            began = time.clock_gettime(clock)
            await rate(port, poll)
            return CONNECTIONS * REQUESTS / (time.clock_gettime(clock) - began)

        async def measure() -> list[list[float]]:
            runs = [[await polls_per_cpu_second(port) for port in ready["ports"]] for _ in range(RUNS + 1)]
            return runs[1:]

        runs = asyncio.run(measure())
    return [
        {
            "name": "front",
            "value": statistics.median(one[0] for one in runs),
            "unit": "polls/CPU s",
            "baseline": "the same without the front",
            "baseline_value": statistics.median(one[1] for one in runs),
            "ratio": statistics.median(one[0] / one[1] for one in runs),
        }
    ]


if __name__ == "__main__":
    asyncio.run(serve())
