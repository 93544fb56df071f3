"""The status poll with the front and without it: one application in one process on two ports, the same client, by turns."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from simulator.runtime.serving import HttpServer, bind
from simulator.smt.doors.service import create_app
from tests.benchmarks.bench_smt_status_poll import CONNECTIONS, process, rate, request_bytes
from tests.simulator.smt.rig import ROR_DUNS, Rig

#: Short turns, and many: what else the machine does changes within seconds.
RUNS, REQUESTS = 100, 40


async def serve() -> None:
    """Print what a client needs, and serve until the process is ended."""
    with tempfile.TemporaryDirectory() as folder:
        async with Rig(Path(folder)) as rig:
            ack = await rig.asked()
            # The same routes for the same SMT; the front is left out of its layers.
            bare = create_app(rig.smt)
            bare.middleware_stack = FastAPI.build_middleware_stack(bare)
            servers = [HttpServer(app, bind("127.0.0.1", 0, "a bench")) for app in (rig.app, bare)]
            for server in servers:
                await server.start()
            ready = {"token": rig.tokens["lonestar.api"], "key": ack["correlationId"]}
            print(json.dumps(ready | {"ports": [server.port for server in servers]}), flush=True)
            await asyncio.Event().wait()


def run() -> list[dict[str, Any]]:
    with process("-m", "tests.benchmarks.bench_front") as (told, pid):
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
        clock = (~pid << 3) | 2

        async def polls_per_cpu_second(port: int) -> float:
            began = time.clock_gettime(clock)
            await rate(port, poll, REQUESTS)
            return CONNECTIONS * REQUESTS / (time.clock_gettime(clock) - began)

        async def measure() -> list[list[float]]:
            runs = []
            for turn in range(RUNS + 1):
                # Whoever comes second finds the machine as the first has left it: they take turns in that too.
                order = ready["ports"][:: 1 if turn % 2 else -1]
                told = {port: await polls_per_cpu_second(port) for port in order}
                runs.append([told[port] for port in ready["ports"]])
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
