"""``ami scenario run`` but for its printing: run, judge, write ``recording.json``, ``result.json`` and ``run.json``; the progress bar."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from meters.calendar import iso, local
from scenarios.file.schema import Scenario
from scenarios.judging.exchanges import Traffic, traffic_of
from scenarios.judging.findings import Verdict
from scenarios.judging.result import dumps, result_of
from scenarios.judging.verdict import judge
from scenarios.recording import Recording, digest_of
from scenarios.running.runner import Progress, SoFar, run
from simulator.runtime.folder import write_whole, writing
from simulator.runtime.progress_file import ProgressFile
from simulator.runtime.until_stopped import run_stoppable
from simulator.versions import PRODUCT, version_of

#: Packages whose versions a run writes down.
PACKAGES = (PRODUCT, "simpy", "numpy", "numba", "pymodbus", "fastapi", "httpx", "SQLAlchemy", "pyftpdlib")


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """A run and what was made of it. ``traffic``: its exchanges, None where none were kept; ``seconds``: wall time of the run; ``digest``: of the recording."""

    recording: Recording
    verdict: Verdict
    result: dict[str, Any]
    traffic: Traffic | None
    out: Path
    seconds: float
    digest: str


def run_and_judge(scenario: Scenario, out: Path, progress: Progress | None = None) -> JudgedRun:
    """Run a scenario, judge it, and write its files into ``out``. Raises a UserError when it cannot run."""
    began, started = datetime.now(UTC), time.perf_counter()
    with writing(out):
        done = run_stoppable(run(scenario, out, progress))
        seconds = time.perf_counter() - started
        verdict = judge(done.recording)
        traffic = traffic_of(done.recording, out)
        result = result_of(done.recording, verdict, traffic)
        text = done.recording.dumps()
        write_whole(out / "recording.json", text)
        write_whole(out / "result.json", dumps(result))
        facts = _run_facts(done.addresses, out, began, seconds)
        write_whole(out / "run.json", dumps(facts | ({"wire": asdict(traffic.chain)} if traffic else {})))
    return JudgedRun(done.recording, verdict, result, traffic, out, seconds, digest_of(text))


def _run_facts(addresses: dict[str, Any], out: Path, began: datetime, seconds: float) -> dict[str, Any]:
    """What differs between two runs."""
    return {
        "addresses": addresses,
        "out": str(out.resolve()),
        "began": began.isoformat(timespec="seconds"),
        "wall_seconds": round(seconds, 2),
        "versions": {name: version_of(name) for name in PACKAGES},
        "machine": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
        },
    }


@contextmanager
def progress_bar(title: str, *, hidden: bool = False) -> Iterator[Progress]:
    """A bar over model time on stderr, drawn where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (TextColumn(title), BarColumn(), TextColumn("{task.fields[at]}"))
    with Progress(*columns, console=console, transient=True, disable=hidden or not console.is_terminal) as bar:
        task = bar.add_task(title, total=1.0, at="starting")

        def show(so_far: SoFar) -> None:
            bar.update(task, completed=so_far.share, at=f"{local(so_far.at):%Y-%m-%d %H:%M} model time")

        yield show


def telling(file: ProgressFile, scenario: Scenario, also: Progress) -> Progress:
    """Tell a file too how far a run is, and of what is over the verdict on what is there by then: the last word has the result."""
    actions = [
        {"ref": one.ref, "do": one.do, "at": one.at.isoformat(), "state": "waiting"} for one in scenario.timeline
    ]
    file.tell("begun", name=scenario.name, title=scenario.title, actions=actions)
    over: set[str] = set()

    def tell(so_far: SoFar) -> None:
        also(so_far)
        file.tell("reached", at=iso(so_far.at), share=round(so_far.share, 4), states=dict(so_far.states))
        ended = {ref for ref, state in so_far.states.items() if state == "over"}
        if ended != over:
            over.update(ended)
            file.tell("judged", at=iso(so_far.at), judged=_judged_of(so_far.recording(), ended))

    return tell


def _judged_of(recording: Recording, ended: set[str]) -> list[dict[str, Any]]:
    """Steps and checks of the actions that are over."""
    told = result_of(recording, judge(recording))
    first = next((one.ref for one in recording.scenario.timeline if one.do == "balance_call"), "")
    steps = [one for one in told["steps"] if one.get("call", first) in ended]
    checks = [one for one in told["checks"] if one["id"] in ended]
    return [
        {"id": one["id"], "call": one.get("call", ""), "mark": one["mark"], "happened": one["happened"]}
        for one in (*steps, *checks)
    ]
