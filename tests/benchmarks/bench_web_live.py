"""What a person waits for, wall milliseconds on an idle machine: the first paint of a usage page in a real browser, and the APIs while two hundred pages wait.

A page that waits asks as ``live.js`` has it: every 2 s, after 20 s every 5 s. Whether it holds up others is told by the portal API's answers, by turns.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import time
from itertools import pairwise
from typing import Any

import httpx
import numpy as np

from tests.benchmarks.bench_smt_status_poll import process, request_bytes
from tests.simulator.smt.rig import PASSWORD, PLAIN
from tests.simulator.web.driven import DESK, browser

PAINTS, TURNS, PAGES = 9, 2, 200
#: Wall seconds: of a turn, between a page's questions and from when on, between questions at the API.
TURN_S, SOON_S, LATER_S, PATIENT_S, BETWEEN_S = 26.0, 2.0, 5.0, 20.0, 0.05
_PAINTED = """new Promise((tell) => new PerformanceObserver((seen) => {
  const first = seen.getEntriesByName("first-contentful-paint")[0];
  if (first) tell(first.startTime);
}).observe({ type: "paint", buffered: true }))"""
#: A page of one line, painted by the same browser.
_LINE = "data:text/html,<p>One line.</p>"


async def _paints(url: str, login: dict[str, str]) -> tuple[list[float], list[float]]:
    """Milliseconds from the beginning of a page's loading to its first paint: of a day's usage, and of one line."""
    usage, line = [], []
    async with browser(DESK) as page:
        await page.go(f"{url}/")
        await page.write("User name", login["username"])
        await page.write("Password", login["password"])
        await page.press("Enter")
        await page.see("Your meters")
        for _ in range(PAINTS):
            await page.go(f"{url}/ui/m/{PLAIN}/usage?day=2026-08-11")
            usage.append(float(await page.value(_PAINTED)))
            await page.go(_LINE)
            line.append(float(await page.value(_PAINTED)))
    return usage, line


async def _asked(port: int, request: bytes, pauses: list[float], took: list[float] | None = None) -> None:
    """Ask over one connection, with a pause after each answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for pause in pauses:
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        if took is not None:
            took.append(time.perf_counter() - began)
        await asyncio.sleep(pause)
    writer.close()
    await writer.wait_closed()


def _polls() -> list[float]:
    """The pauses of a page that waits through a turn."""
    at, times = 0.0, [0.0]
    while at < TURN_S:
        at += SOON_S if at < PATIENT_S else LATER_S
        times.append(at)
    return [later - earlier for earlier, later in pairwise(times)]


async def _p95(port: int, api: bytes, waiting: bytes | None) -> float:
    """Of the API's answers, milliseconds, while pages wait or none does."""
    took: list[float] = []
    pages = []
    for number in range(PAGES if waiting else 0):
        # They were opened one after the other.
        pages.append(asyncio.create_task(_later(number * SOON_S / PAGES, port, waiting or b"")))
    await _asked(port, api, [BETWEEN_S] * round(TURN_S / BETWEEN_S / 2), took)
    for page in pages:
        page.cancel()
    await asyncio.gather(*pages, return_exceptions=True)
    return float(np.percentile(took, 95)) * 1000


async def _later(first_s: float, port: int, request: bytes) -> None:
    await asyncio.sleep(first_s)
    await _asked(port, request, _polls())


def run() -> list[dict[str, Any]]:
    with process("-m", "tests.benchmarks.bench_web_page") as (told, _):
        ready = json.loads(told)
        login = {"username": "customer", "password": PASSWORD}
        usage, line = asyncio.run(_paints(ready["url"], login))
        with httpx.Client(base_url=ready["url"], timeout=60, trust_env=False) as http:
            token = http.post("/commonapi/user/authenticate", json=login).json()["token"]
            assert http.post("/ui/login", data=login, headers={"origin": ready["url"]}).status_code == 303
            page = http.get(f"/ui/m/{PLAIN}/usage").text
            form = {"form_token": re.findall(r'name="form_token" value="([^"]+)"', page)[0], "kind": "INTERVALS"}
            asked = http.post(f"/ui/m/{PLAIN}/read", data=form, headers={"origin": ready["url"]})
            waits = re.findall(r'data-poll="([^"]+)"', http.get(asked.headers["location"]).text)[0]
            cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        poll = f"GET {waits} HTTP/1.1\r\nhost: localhost\r\nx-fragment: progress\r\ncookie: {cookie}\r\n\r\n".encode()
        body = {"esiid": PLAIN, "startDate": "08/11/2026", "endDate": "08/11/2026"}
        api = request_bytes("/api/usage/interval", body, token)
        turns = [
            (asyncio.run(_p95(ready["port"], api, None)), asyncio.run(_p95(ready["port"], api, poll)))
            for _ in range(TURNS)
        ]
    alone, beside = (statistics.median(one[at] for one in turns) for at in range(2))
    return [
        {
            "name": "web_first_paint",
            "value": statistics.median(usage),
            "unit": "ms, a day's usage at a desk",
            "baseline": "a page of one line",
            "baseline_value": statistics.median(line),
            "ratio": statistics.median(one / other for one, other in zip(usage, line, strict=True)),
        },
        {
            "name": "web_waiting",
            "value": statistics.median(one[1] / one[0] for one in turns),
            "unit": f"times the API's p95, {PAGES} pages wait",
            "baseline": "ms alone",
            "baseline_value": alone,
            "ratio": beside / alone,
        },
    ]
