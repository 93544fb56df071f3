"""A TDSP's file posted over FTPS to an SMT whose status polls go on: how long it holds the database, and how long a poll takes meanwhile.

The file has 20,000 records, and two RORs are due their share. SMT is a process of its own, with its file site, on a clock that runs.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from threading import Lock
from typing import Any

from headend.day.posting import FtpsSite, upload
from headend.lse.writer import dumps, file_name
from meters.calendar import to_us
from simulator.parties import control
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.local_ca import LocalCa
from simulator.runtime.serving import HttpServer, bind
from simulator.smt.database import engine
from simulator.smt.registry.records import RorPeriod
from simulator.smt.registry.registry import Registry
from simulator.smt.usage.site.file_site import FileSite
from tests.benchmarks.bench_lse import POSTED_AT, records
from tests.benchmarks.bench_smt_status_poll import request_bytes
from tests.simulator.smt.rig import PASSWORD, PLAIN, RIVAL_DUNS, ROR_DUNS, TDSP_DUNS, Rig, registry

RECORDS, CONNECTIONS, IDLE_S = 20_000, 2, 5.0


@dataclass(slots=True)
class _Turns:
    """The lock by which writers wait for each other, and how long it was held each time: seconds, and CPU seconds of who held it."""

    lock: Lock
    held: list[tuple[float, float]] = field(default_factory=list)
    since: tuple[float, float] = (0.0, 0.0)

    def __enter__(self) -> None:
        self.lock.acquire()
        self.since = time.perf_counter(), time.thread_time()

    def __exit__(self, *_: object) -> None:
        self.held.append((time.perf_counter() - self.since[0], time.thread_time() - self.since[1]))
        self.lock.release()


def _market(meters: int) -> Registry:
    """The test market, and as many meters, every second one of each ROR."""
    was = registry().records
    plain = next(point for point in was.points if point.esiid == PLAIN)
    esiids = [f"1044372{meter:010d}" for meter in range(meters)]
    points = [replace(plain, esiid=esiid, meter_number=esiid[-9:]) for esiid in esiids]
    since = date(2025, 1, 1)
    periods = [RorPeriod(esiid, (ROR_DUNS, RIVAL_DUNS)[at % 2], since) for at, esiid in enumerate(esiids)]
    return Registry([*was.points, *points], was.entities, [*was.periods, *periods], was.users)


def _status() -> dict[str, float]:
    lines = Path("/proc/self/status").read_text().splitlines()
    return {
        name: int(rest.split()[0]) / 1024
        for name, _, rest in (line.partition(":") for line in lines)
        if name[:2] == "Vm"
    }


async def serve(meters: int) -> None:
    """Print where it is; for each number that it reads wait until so many files are taken in, and print what that cost."""
    # As the command does it.
    gc.set_threshold(50_000, 20, 100)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        root, ca = Path(folder), LocalCa.make(Path(folder))
        market = _market(meters)
        site = FileSite(root / "ftps", market.users, ca.server_file)
        clock = Clock(ClockMode.SCALED, to_us(POSTED_AT), 1.0)
        async with Rig(root, registered=market, folders=site, clock=clock) as rig:
            ack = await rig.asked()
            site.start(rig.smt.intake.on_file, rig.smt.intake.postings, rig.smt.gatekeeper.guard)
            bound = bind("127.0.0.1", 0, "a bench")
            rig.app.serve(control.router().routes, rig.runtime)
            server = HttpServer(rig.app, bound)
            await server.start()
            serving = asyncio.create_task(rig.runtime.serve())
            turns = engine._WRITERS[rig.smt.store._engine] = _Turns(Lock())  # type: ignore[assignment]
            ready = {"port": server.port, "ftps": site.port, "ca": str(ca.ca_file), "key": ack["correlationId"]}
            began, empty = time.process_time(), _size(root)
            print(json.dumps(ready | {"token": rig.tokens["lonestar.api"], "memory": _status()["VmRSS"]}), flush=True)
            while (line := await asyncio.to_thread(sys.stdin.readline)).strip():
                while len(rig.notes.of("intake")) < int(line):
                    await asyncio.sleep(0.02)
                told: dict[str, Any] = {"cpu_s": time.process_time() - began, "memory": _status()["VmHWM"]}
                told |= {"held_s": [max(times) for times in zip(*turns.held, strict=True)]}
                shares = [path.stat().st_size for path in (root / "ftps").glob("*.api/*.lse")]
                results = [one["results"] for one in rig.notes.of("intake")]
                told |= {"database": _size(root) - empty, "shares": len(shares), "shares_octets": sum(shares)}
                print(json.dumps(told | {"results": results}), flush=True)
            serving.cancel()
            await server.stop()
            site.stop()


def _size(root: Path) -> int:
    return sum(path.stat().st_size for path in root.glob("smt.db*"))


@contextmanager
def smt(meters: int) -> Iterator[tuple[dict[str, Any], Any]]:
    """An SMT of as many meters in a process of its own: what it told, and ``taken_in(files)``, which waits and tells what that cost."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_smt_files", str(meters)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told, asked = process.stdout, process.stdin

        def taken_in(files: int) -> dict[str, Any]:
            print(files, file=asked, flush=True)
            answer: dict[str, Any] = json.loads(told.readline())
            return answer

        try:
            yield json.loads(told.readline()), taken_in
        finally:
            asked.close()
            process.wait(60)


def post(ready: dict[str, Any], meters: range, counter: int) -> int:
    """Post a file with a day of some meters; returns its octets."""
    site = FtpsSite("127.0.0.1", ready["ftps"], "wires", PASSWORD, Path(ready["ca"]))
    content = dumps(records(len(meters), meters.start))
    upload(site, file_name(TDSP_DUNS, POSTED_AT, counter), content)
    return len(content)


async def _polls(port: int, request: bytes, until: asyncio.Event, took_ms: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not until.is_set():
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        took_ms.append(1000 * (time.perf_counter() - began))
        await asyncio.sleep(0.01)
    writer.close()
    await writer.wait_closed()


async def _measured(ready: dict[str, Any], taken_in: Any) -> tuple[list[float], list[float], dict[str, Any]]:
    """Milliseconds of polls while nothing is posted, and while a file is; and what that cost."""
    asked = {
        "trans_id": "b",
        "correlationId": ready["key"],
        "requestorID": "lonestar.api",
        "requesterType": "REP",
        "requesterAuthenticationID": ROR_DUNS,
        "SMTTermsandConditions": "Y",
    }
    request = request_bytes("/v2/odrstatus/", asked, ready["token"])

    async def polled(meanwhile: Any) -> tuple[list[float], Any]:
        until, took_ms = asyncio.Event(), list[float]()
        polls = [asyncio.create_task(_polls(ready["port"], request, until, took_ms)) for _ in range(CONNECTIONS)]
        result = await meanwhile
        until.set()
        await asyncio.gather(*polls)
        return took_ms, result

    idle, _ = await polled(asyncio.sleep(IDLE_S))
    await asyncio.to_thread(post, ready, range(RECORDS), 1)
    busy, told = await polled(asyncio.to_thread(taken_in, 1))
    return idle, busy, told


def run() -> list[dict[str, Any]]:
    """Give the rows: the longest that the database was held, the polls' 95th percentile."""
    with smt(RECORDS) as (ready, taken_in):
        idle, busy, told = asyncio.run(_measured(ready, taken_in))
    assert told["results"] == [{"00": RECORDS}], told
    p95_idle, p95_busy = (statistics.quantiles(one, n=20)[-1] for one in (idle, busy))
    held_ms, cpu_ms = (1000 * most for most in told["held_s"])
    rows = [
        ("smt_files", held_ms, "ms held at most", "CPU ms of a turn at most", cpu_ms),
        ("smt_files_polls", p95_busy, "ms (p95)", "while nothing is posted", p95_idle),
    ]
    return [
        {
            "name": name,
            "value": value,
            "unit": unit,
            "baseline": beside,
            "baseline_value": other,
            "ratio": value / other,
        }
        for name, value, unit, beside, other in rows
    ]


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
