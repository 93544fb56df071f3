"""What the tap costs: a scenario with its exchanges written and without, and the status poll tapped and untapped; CPU time, by turns in one run.

Beside them how many lines of exchanges are held against their chain in a second.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from meters.calendar import micros
from scenarios.file.schema import Scenario
from scenarios.run import run_and_judge
from scenarios.running import runner
from simulator.parties.sandbox import SandboxSettings
from simulator.runtime.serving import HttpServer, bind
from simulator.tap.chain import check_chain
from simulator.tap.http import tapped
from simulator.tap.log import WireLog
from tests.benchmarks.bench_smt_status_poll import CONNECTIONS, process, rate, request_bytes
from tests.scenarios.short import scenario, short_balance
from tests.simulator.smt.rig import ROR_DUNS, Rig

RUNS, POLLS, REQUESTS = 7, 60, 40


@contextmanager
def untapped() -> Iterator[None]:
    """Runs write no exchanges."""
    with patch.object(runner, "SandboxSettings", lambda **said: replace(SandboxSettings(**said), wire=None)):
        yield


def cpu_seconds(played: Scenario) -> float:
    """CPU time of one run and its verdict."""
    with tempfile.TemporaryDirectory() as out:
        began = time.process_time()
        run_and_judge(played, Path(out))
        return time.process_time() - began


def scenario_rows() -> list[dict[str, Any]]:
    played = scenario(short_balance())
    runs = []
    for _ in range(RUNS + 1):
        with untapped():
            without = cpu_seconds(played)
        runs.append((cpu_seconds(played), without))
    with_it, without_it = (statistics.median(one[side] for one in runs[1:]) for side in (0, 1))
    # How much of the work without it is done in the same time: at most 1.3 times the time is at least 0.77.
    ratio = statistics.median(one[1] / one[0] for one in runs[1:])
    told = {"unit": "CPU s", "baseline": "the same without wire.jsonl", "baseline_value": without_it, "ratio": ratio}
    return [{"name": "wire_scenario", "value": with_it, **told}]


async def serve() -> None:
    """Print what a client needs, and serve until the process is ended."""
    with tempfile.TemporaryDirectory() as folder:
        async with Rig(Path(folder)) as rig:
            ack = await rig.asked()
            log = WireLog(Path(folder) / "wire.jsonl", lambda: micros(0), {})
            servers = []
            for kept in (log, None):
                bound = bind("127.0.0.1", 0, "a bench")
                servers.append(HttpServer(tapped(rig.app, kept, "SMT", bound), bound))
                await servers[-1].start()
            ready = {"token": rig.tokens["lonestar.api"], "key": ack["correlationId"]}
            print(json.dumps(ready | {"ports": [server.port for server in servers]}), flush=True)
            await asyncio.Event().wait()


def poll_rows() -> list[dict[str, Any]]:
    with process("-m", "tests.benchmarks.bench_wire") as (told, pid):
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
        clock = (~pid << 3) | 2

        async def polls_per_cpu_second(port: int) -> float:
            began = time.clock_gettime(clock)
            await rate(port, poll, REQUESTS)
            return CONNECTIONS * REQUESTS / (time.clock_gettime(clock) - began)

        async def measure() -> list[list[float]]:
            runs = []
            for turn in range(POLLS + 1):
                told = {port: await polls_per_cpu_second(port) for port in ready["ports"][:: 1 if turn % 2 else -1]}
                runs.append([told[port] for port in ready["ports"]])
            return runs[1:]

        runs = asyncio.run(measure())
    return [
        {
            "name": "wire_status_poll",
            "value": statistics.median(one[0] for one in runs),
            "unit": "polls/CPU s",
            "baseline": "the same untapped",
            "baseline_value": statistics.median(one[1] for one in runs),
            "ratio": statistics.median(one[0] / one[1] for one in runs),
        }
    ]


def chain_rows() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wire.jsonl"
        asyncio.run(runner.run(scenario(short_balance()), Path(folder) / "run"))
        lines = (Path(folder) / "run" / "wire.jsonl").read_text(encoding="ascii").splitlines()
        texts = [line.split('",', 1)[1][:-1] for line in lines[1:-1]]
        big = 100_000
        again = WireLog(path, lambda: micros(0), {})
        for at in range(0, big, len(texts)):
            again._write(texts[: big - at])
        again.close()
        began = time.process_time()
        found = check_chain(path)
        seconds = time.process_time() - began
        began = time.process_time()
        parsed = [len(json.loads(line)) for line in path.read_bytes().splitlines()]
        base = time.process_time() - began
    assert found.closed
    assert len(parsed) == found.exchanges + 2
    rates = found.exchanges / seconds, found.exchanges / base
    told = {"unit": "lines/CPU s", "baseline": "json.loads of each", "baseline_value": rates[1]}
    return [{"name": "wire_chain", "value": rates[0], **told, "ratio": rates[0] / rates[1]}]


def run() -> list[dict[str, Any]]:
    return [*scenario_rows(), *poll_rows(), *chain_rows()]


if __name__ == "__main__":
    asyncio.run(serve())
