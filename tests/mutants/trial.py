"""Mutants, and how one is played: on a copy of the tree, in a process forked from one that has imported what takes long and is not ours."""

from __future__ import annotations

import contextlib
import csv
import importlib
import os
import shutil
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
#: Copies that are played at once.
TREES = 2
#: Wall seconds that a mutant may take. One that never ends is not killed: its test is to see it.
PATIENCE_S = 120
#: Exit codes of a process: a test has failed; the tests could not be run, for which pytest has none so high; a scenario ended by an exception, or without
#: a verdict that failed.
RED, BROKEN, CRASHED, UNSHOWN = 1, 70, 71, 72
FATES = {
    0: "alive",
    RED: "killed",
    CRASHED: "crashed",
    UNSHOWN: "inconclusive",
    -9: "endless",
    -signal.SIGALRM: "endless",
}
_NOT_COPIED = shutil.ignore_patterns(".*", "ami-out", "*.egg-info", "build", "dist")
#: What the product and its tests import and is not ours; pytest's plugins besides.
_WARM = "fastapi httpx hypothesis.strategies numba psycopg pyftpdlib.servers pymodbus.client simpy sqlalchemy trustme typer uvicorn"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A row of a table. ``equivalent``: why no input can tell it from the product; then it is not played.

    ``bends``: requirements. ``shown_by``: of the shipped scenarios that cite one those that are about the part that is bent, all unless named; ``part``: which.
    """

    room: str
    id: str
    file: str
    text: str
    replacement: str
    killed_by: tuple[str, ...]
    equivalent: str
    bends: tuple[str, ...] = ()
    shown_by: tuple[str, ...] = ()
    part: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """Tests, or scenarios, to be run on a tree, with a mutant in it or none. ``patience_s``: wall seconds."""

    mutant: Mutant | None
    tests: Sequence[str]
    patience_s: float


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a job, what its tests have said, and how long it took."""

    job: Job
    fate: str
    said: str
    seconds: float


class Fate(NamedTuple):
    """What became of a mutant: ``killed``, ``alive``, ``crashed``, ``inconclusive``, ``endless`` or ``broken``. ``by``: the tests, or the scenario. ``said``: by it."""

    mutant: Mutant
    by: str
    fate: str
    said: str


@dataclass(frozen=True, slots=True)
class _Running:
    job: Job
    process: ForkProcess
    tree: Path
    mutating: AbstractContextManager[None]
    begun: float

    @property
    def left_s(self) -> float:
        return self.begun + self.job.patience_s - time.monotonic()

    def end(self) -> None:
        """End its process if it still runs, with all that it has forked, and take the mutant out of the tree."""
        if self.process.pid and self.process.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()
        self.process.join()
        self.mutating.__exit__(None, None, None)


def mutants() -> list[Mutant]:
    """Every row of every table."""
    found = []
    for file in sorted(Path(__file__).parent.glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, strict=True):
                changed = (row["file"], row["text"], row["replacement"])
                killed_by, bends, by = (
                    tuple((row.get(name) or "").split()) for name in ("killed_by", "bends", "shown_by")
                )
                part = row.get("part") or ""
                found.append(Mutant(file.stem, row["id"], *changed, killed_by, row["equivalent"], bends, by, part))
    return found


def warm() -> None:
    """Import what each process would import for itself."""
    for plugin in entry_points(group="pytest11"):
        # Which no test takes (pyproject.toml).
        if plugin.name != "schemathesis":
            plugin.load()
    for name in _WARM.split():
        importlib.import_module(name)


def move_into(tree: Path, said: Path) -> None:
    """Of this process, which is forked: what it prints goes to a file, what it imports comes from the tree, and what it forks ends with it."""
    os.setsid()
    with said.open("wb") as out:
        for stream in (1, 2):
            os.dup2(out.fileno(), stream)
    os.chdir(tree)
    # Of the tree are the tests too.
    sys.path[0] = str(tree)
    for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
        del sys.modules[name]


@contextmanager
def _mutated(tree: Path, mutant: Mutant | None) -> Iterator[None]:
    """A tree with one mutant in it. What Python has compiled of a file goes by its time, which comes back with it."""
    if mutant is None:
        yield
        return
    file = tree / mutant.file
    text, before = file.read_text("utf-8"), file.stat()
    try:
        file.write_text(text.replace(mutant.text, mutant.replacement), "utf-8")
        yield
    finally:
        file.write_text(text, "utf-8")
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def unkept() -> None:
    """From here on no process keeps what Python compiles: of a mutant it would stand for the product."""
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"


def played(jobs: Iterable[Job], work: Path, run: Callable[[Path, Job, Path], None]) -> Iterator[Played]:
    """What became of each job, as they end. work: the folder of the copies. run: plays a job in a tree, in a process of its own; what it says goes to a file."""
    forking, waiting, running = get_context("fork"), deque(jobs), list[_Running]()
    free = [work / f"tree{number}" for number in range(TREES)]
    try:
        while waiting or running:
            while waiting and free:
                job, tree = waiting.popleft(), free.pop()
                if not tree.exists():
                    shutil.copytree(ROOT, tree, ignore=_NOT_COPIED)
                mutating = _mutated(tree, job.mutant)
                mutating.__enter__()
                process = forking.Process(target=run, args=(tree, job, tree.with_suffix(".txt")))
                process.start()
                running.append(_Running(job, process, tree, mutating, time.monotonic()))
            wait([one.process.sentinel for one in running], max(0.0, min(one.left_s for one in running)))
            for one in running[:]:
                if one.process.is_alive() and one.left_s > 0:
                    continue
                one.end()
                running.remove(one)
                free.append(one.tree)
                said = one.tree.with_suffix(".txt").read_text("utf-8", errors="replace")
                fate = FATES.get(one.process.exitcode or 0, "broken")
                yield Played(one.job, fate, said, time.monotonic() - one.begun)
    finally:
        for one in running:
            one.end()
