"""The usage page of a day, signed in, beside the portal API's answer of the same quarter hours: one server in a process of its own, the same client, by turns.

Beside it, without a budget: a page of 24 months, milliseconds of the server's CPU.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from simulator.runtime.serving import HttpServer, bind
from tests.benchmarks.bench_smt_status_poll import CONNECTIONS, process, rate, request_bytes
from tests.simulator.smt.rig import PASSWORD, PLAIN, Rig

#: Short turns, and many: what else the machine does changes within seconds.
RUNS, REQUESTS = 10, 10
DAYS = 730


async def serve() -> None:
    """Print what a client needs, and serve until the process is ended."""
    with tempfile.TemporaryDirectory() as folder:
        async with Rig(Path(folder)) as rig:
            rig.post_days(count=DAYS)
            server = HttpServer(rig.app, bind("127.0.0.1", 0, "a bench"))
            await server.start()
            print(json.dumps({"url": server.url, "port": server.port}), flush=True)
            await asyncio.Event().wait()


def prepare(url: str) -> tuple[bytes, bytes, bytes]:
    """A log-in at the pages and one at the API; the page of a day, of 24 months, and the API's request for the same day."""
    login = {"username": "customer", "password": PASSWORD}
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
        token = http.post("/commonapi/user/authenticate", json=login).json()["token"]
        assert http.post("/ui/login", data=login, headers={"origin": url}).status_code == 303
        cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
    day, months = (
        f"GET /ui/m/{PLAIN}/usage?{query} HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\n\r\n".encode()
        for query in ("day=2026-08-11", "view=year")
    )
    body = {"esiid": PLAIN, "startDate": "08/11/2026", "endDate": "08/11/2026"}
    return day, months, request_bytes("/api/usage/interval", body, token)


def run() -> list[dict[str, Any]]:
    with process("-m", "tests.benchmarks.bench_web_page") as (told, pid):
        ready = json.loads(told)
        page, months, api = prepare(ready["url"])
        # Of the server's process: what the client takes, and whoever else is on the machine, is none of the page's cost.
        clock = (~pid << 3) | 2

        async def per_cpu_second(request: bytes, requests: int = REQUESTS) -> float:
            began = time.clock_gettime(clock)
            await rate(ready["port"], request, requests)
            return CONNECTIONS * requests / (time.clock_gettime(clock) - began)

        async def measure() -> list[tuple[float, float]]:
            runs = []
            for turn in range(RUNS + 1):
                # Whoever comes second finds the machine as the first has left it: they take turns in that too.
                order = (page, api)[:: 1 if turn % 2 else -1]
                found = {request: await per_cpu_second(request) for request in order}
                runs.append((found[page], found[api]))
            return runs[1:]

        runs = asyncio.run(measure())
        of_months = 1000 / asyncio.run(per_cpu_second(months, 1))
    pages, answers = (statistics.median(one[at] for one in runs) for at in range(2))
    return [
        {
            "name": "web_page",
            "value": pages,
            "unit": "pages/CPU s",
            "baseline": "the same by the portal API",
            "baseline_value": answers,
            "ratio": statistics.median(one[0] / one[1] for one in runs),
        },
        {
            "name": "web_page_months",
            "value": of_months,
            "unit": "CPU ms, 24 months",
            "baseline": "a page of a day",
            "baseline_value": 1000 / pages,
            "ratio": of_months * pages / 1000,
        },
    ]


if __name__ == "__main__":
    asyncio.run(serve())
