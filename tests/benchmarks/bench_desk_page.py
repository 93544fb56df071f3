"""The page of a call that was told, beside the API's record of it: one server in a process of its own, the same client, by turns. No log-in is in either.

Beside it the answer without a read: from a form sent to a page with what is owed, of a sandbox in the same process; milliseconds of the wall.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from simulator.parties.ror import AGENT
from simulator.parties.sandbox import DeskSettings
from simulator.runtime.serving import HttpServer, bind
from tests.benchmarks.bench_smt_status_poll import CONNECTIONS, process, rate
from tests.simulator.ror.desk.support import desk_rig
from tests.simulator.ror.desk.web.visits import AGENT as NAME
from tests.simulator.ror.desk.web.visits import PASSWORD
from tests.simulator.sandboxes import rig

#: Short turns, and many: what else the machine does changes within seconds.
RUNS, REQUESTS = 10, 10
ACCOUNTS = range(1, 7)
_TOKEN = re.compile(r'form_token" value="(\w+)"')


async def serve() -> None:
    """Print what a client needs, and serve until the process is ended."""
    with tempfile.TemporaryDirectory() as folder:
        alone, box = Path(folder) / "alone", Path(folder) / "box"
        alone.mkdir()
        async with desk_rig(alone) as desk, rig(box, posted_days=35, desk=DeskSettings()) as made:
            call_id = await desk.take()
            await desk.to("2026-08-12T17:50")
            server = HttpServer(desk.app, bind("127.0.0.1", 0, "a bench"))
            await server.start()
            assert made.sandbox.ror is not None
            told = {"url": server.url, "port": server.port, "call": call_id, "box": made.sandbox.ror.server.url}
            print(json.dumps(told), flush=True)
            await asyncio.Event().wait()


def signed_in(http: httpx.Client, username: str, password: str) -> None:
    fields, url = {"username": username, "password": password}, str(http.base_url).rstrip("/")
    http.post("/desk/login", data=fields, headers={"origin": url})
    assert http.cookies


def prepare(ready: dict[str, Any]) -> tuple[bytes, bytes]:
    """The page of the call, and the API's request for its record."""
    with httpx.Client(base_url=ready["url"], timeout=60, trust_env=False) as http:
        signed_in(http, NAME, PASSWORD)
        cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
    basic = base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
    return (
        f"GET /desk/accounts/A-1001?call={ready['call']} HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\n\r\n".encode(),
        f"GET /calls/{ready['call']} HTTP/1.1\r\nhost: localhost\r\nauthorization: Basic {basic}\r\n\r\n".encode(),
    )


def at_once(url: str) -> list[float]:
    """Seconds of the wall from a call's form to its page with the answer without a read, of accounts that have not called yet."""
    took = []
    with httpx.Client(base_url=url, timeout=60, trust_env=False, follow_redirects=True) as http:
        signed_in(http, AGENT.username, AGENT.password)
        for number in ACCOUNTS:
            at = f"/desk/accounts/A-{number:04d}"
            found = _TOKEN.search(http.get(at).text)
            assert found is not None
            fields = {"form_token": found[1], "question": "balance", "patience_s": "180"}
            began = time.perf_counter()
            page = http.post(f"{at}/call", data=fields, headers={"origin": url}).text
            took.append(time.perf_counter() - began)
            assert 'class="says"' in page
    return took


def run() -> list[dict[str, Any]]:
    with process("-m", "tests.benchmarks.bench_desk_page") as (told, pid):
        ready = json.loads(told)
        page, api = prepare(ready)
        # Of the server's process: what the client takes, and whoever else is on the machine, is none of the page's cost.
        clock = (~pid << 3) | 2

        async def per_cpu_second(request: bytes) -> float:
            began = time.clock_gettime(clock)
            await rate(ready["port"], request, REQUESTS)
            return CONNECTIONS * REQUESTS / (time.clock_gettime(clock) - began)

        async def measure() -> list[tuple[float, float]]:
            runs = []
            for turn in range(RUNS + 1):
                order = (page, api)[:: 1 if turn % 2 else -1]
                found = {request: await per_cpu_second(request) for request in order}
                runs.append((found[page], found[api]))
            return runs[1:]

        runs = asyncio.run(measure())
        began = time.clock_gettime(clock)
        waited = at_once(ready["box"])
        cpu_ms = 1000 * (time.clock_gettime(clock) - began) / len(waited)
    pages, records = (statistics.median(one[at] for one in runs) for at in range(2))
    longest_ms = 1000 * max(waited[1:])
    return [
        {
            "name": "desk_page",
            "value": pages,
            "unit": "pages/CPU s",
            "baseline": "the same by the desk's API",
            "baseline_value": records,
            "ratio": statistics.median(one[0] / one[1] for one in runs),
        },
        {
            "name": "desk_at_once",
            "value": longest_ms,
            "unit": "ms, the longest of five",
            "baseline": "CPU ms of a call, SMT's too",
            "baseline_value": cpu_ms,
            "ratio": longest_ms / cpu_ms,
        },
    ]


if __name__ == "__main__":
    asyncio.run(serve())
