"""The status poll of an on-demand request over HTTP, beside a bare FastAPI POST: each server in a process of its own, the same client.

Pending polls are what a portal serves most of. The poll of a completed 70-interval request stands beside it, without a budget.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

CONNECTIONS, REQUESTS, RUNS = 8, 250, 5

BARE = """
import socket, sys, uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

class Asked(BaseModel):
    trans_id: str
    requestorID: str
    correlationId: str

app = FastAPI()

@app.post("/poll")
async def poll(asked: Asked) -> dict[str, str]:
    return {"trans_id": asked.trans_id, "correlationId": asked.correlationId, "statusCode": "PEN"}

bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
bound.bind(("127.0.0.1", 0))
print(bound.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[bound])
"""


@contextlib.contextmanager
def process(*command: str) -> Iterator[tuple[str, int]]:
    """A server process that prints one line when it is ready; the line, and the process's number."""
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline(), server.pid
        finally:
            server.terminate()
            server.wait(20)


def request_bytes(path: str, body: dict[str, Any], token: str = "") -> bytes:
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n"
    return (head + (f"authorization: Bearer {token}\r\n" if token else "") + "\r\n").encode() + content


async def rate(port: int, request: bytes, requests: int = REQUESTS) -> float:
    """Requests a second over a few kept-open connections."""

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(requests):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
        writer.close()
        await writer.wait_closed()

    began = time.perf_counter()
    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return CONNECTIONS * requests / (time.perf_counter() - began)


def prepare(ready: dict[str, Any]) -> tuple[bytes, bytes]:
    """A pending request and a completed one on the sandbox; the requests that poll them."""
    ror = ready["logins"]["ror"]
    who = {
        "requestorID": ror["username"],
        "requesterType": "REP",
        "requesterAuthenticationID": ror["duns"],
        "reportFormat": "JSON",
        "deliveryMode": "API",
        "SMTTermsandConditions": "Y",
    }
    with httpx.Client(base_url=ready["smt_url"], timeout=60, trust_env=False) as http:
        login = {"username": ror["username"], "password": ror["password"]}
        token = http.post("/v2/token/", json=login).json()["accessToken"]
        keys = []
        for meter, more in ((0, {"readType": "INTERVALS"}), (1, {})):
            asked = {"trans_id": "b", "ESIID": ready["esiids"][meter]["esiid"], **who, **more}
            reply = http.post("/v2/odr/", json=asked, headers={"Authorization": f"Bearer {token}"}).json()
            keys.append(reply["correlationId"])
            if meter == 0:
                http.post("/control/clock/advance", json={"seconds": 3600})
    completed, pending = (
        request_bytes("/v2/odrstatus/", {"trans_id": "b", "correlationId": key, **who}, token) for key in keys
    )
    return pending, completed


def run() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as out:
        code = "import sys, ami; sys.argv[0] = 'ami'; ami.main()"
        options = (
            "sandbox",
            "--json",
            "--clock",
            "manual",
            "--date",
            "2026-08-12T17:40",
            "--port-base",
            "0",
            "--out",
            out,
        )
        with process("-c", code, *options) as (told, _), process("-c", BARE) as (bare_told, _):
            ready = json.loads(told)
            pending, completed = prepare(ready)
            smt_port, bare_port = urlsplit(ready["smt_url"]).port or 0, int(bare_told)
            bare = request_bytes("/poll", {"trans_id": "b", "requestorID": "r", "correlationId": "1"})

            async def measure() -> list[tuple[float, float, float]]:
                runs = [
                    (await rate(smt_port, pending), await rate(bare_port, bare), await rate(smt_port, completed))
                    for _ in range(RUNS + 1)
                ]
                return runs[1:]

            runs = asyncio.run(measure())
    baseline = statistics.median(one[1] for one in runs)
    return [
        {
            "name": name,
            "value": statistics.median(one[column] for one in runs),
            "unit": "polls/s",
            "baseline": "bare FastAPI POST",
            "baseline_value": baseline,
            "ratio": statistics.median(one[column] / one[1] for one in runs),
        }
        for name, column in (("smt_status_poll", 0), ("smt_status_poll_70_intervals", 2))
    ]
