"""Many scenarios, one after the other or in several processes: each run, judged, its page made, told as a row."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from meters.errors import UserError
from scenarios.file.schema import Scenario
from scenarios.judging.result import label
from scenarios.run import JudgedRun, run_and_judge
from scenarios.running.runner import Progress
from simulator.runtime.worker_pool import worker_pool
from simulator.verdicts import Mark, exit_code_of

#: Makes the page of a run in its folder; sent to other processes, so a function of a module.
Page = Callable[[JudgedRun], object]
#: What is said where a run has no verdict.
COULD_NOT_RUN = "could not run"


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a scenario. ``day``: of its last action; ``code``: its exit code; ``cpu_s``, ``seconds``: CPU and wall time, the page included.

    ``result``: as in ``result.json``, None of one that could not run; ``error``: why it could not.
    """

    name: str
    title: str
    day: date
    out: Path
    code: int
    cpu_s: float
    seconds: float
    result: dict[str, Any] | None
    error: str = ""

    @property
    def verdict(self) -> str:
        """The mark, or that it could not run."""
        return COULD_NOT_RUN if self.result is None else str(self.result["mark"])

    @property
    def judged(self) -> list[dict[str, Any]]:
        """Steps and checks of its result."""
        return [] if self.result is None else [*self.result["steps"], *self.result["checks"]]

    @property
    def why(self) -> str:
        """What failed, in a line; empty if nothing did."""
        failed = [(label(one), failure) for one in self.judged for failure in one["failures"]]
        if failed:
            (ident, first), more = failed[0], len(failed) - 1
            text = f"{ident}: {first['what']}: expected {first['expected']}, found {first['found']}"
            return f"{text}; and {more} more" if more else text
        if self.verdict == Mark.INCONCLUSIVE:
            return next((str(one["happened"]) for one in self.judged if one["mark"] == Mark.INCONCLUSIVE), "")
        return self.error


def play(scenario: Scenario, out: Path, page: Page, progress: Progress | None = None) -> Played:
    """Run a scenario, judge it and make its page in ``out``. One that cannot run says so: the others still have their say."""
    played = _played(scenario, out, page, progress)
    # A world is full of circles, and by itself Python finds them after dozens of worlds.
    gc.collect()
    set_aside()
    return played


@cache
def set_aside() -> None:
    """Once a process: what its first world leaves (libraries, what was compiled) stays as long as it does, and is not looked through each time."""
    gc.freeze()


def _played(scenario: Scenario, out: Path, page: Page, progress: Progress | None) -> Played:
    cpu, began = time.process_time(), time.perf_counter()
    result, error = None, ""
    try:
        done = run_and_judge(scenario, out, progress)
        page(done)
        result, code = done.result, exit_code_of(done.verdict.mark)
    except UserError as found:
        error, code = str(found), found.exit_code
    spent, seconds = time.process_time() - cpu, time.perf_counter() - began
    day = scenario.timeline[-1].at.date()
    return Played(scenario.name, scenario.title, day, out, code, spent, seconds, result, error)


def play_all(scenarios: Sequence[tuple[Scenario, Path]], page: Page, jobs: int) -> Generator[Played, None, None]:
    """Play scenarios, each into its folder, in so many processes; gives each when it has ended. What still runs ends with the iterator."""
    if jobs == 1:
        for scenario, out in scenarios:
            yield play(scenario, out, page)
        return
    with worker_pool(jobs) as pool:
        # The longest first, so that none is left to run alone.
        longest_first = sorted(scenarios, key=lambda one: -size(one[0]))
        for ended in as_completed([pool.submit(play, scenario, out, page) for scenario, out in longest_first]):
            yield ended.result()


def size(scenario: Scenario) -> int:
    """About how long a scenario takes, beside others: its meters' days."""
    days = (scenario.timeline[-1].at.date() - scenario.world.first_day).days
    return scenario.world.meters * max(days, 1)
