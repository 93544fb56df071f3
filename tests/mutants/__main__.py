"""``make mutants``: faults put into the product one at a time, each to be found by the test that it names.

A mutant is a row of a table in this folder: a text that its file holds once, and what stands there instead. It is played on a copy of the tree, and
killed when a test of ``killed_by`` fails; without it all of them pass. Two copies are played at once, each mutant in a process forked from this one,
which has imported what takes long and is not ours.

A row may name the requirements that its mutant bends (``bends``): then with ``--cited`` it is played by the shipped scenarios that cite one of them,
the quickest first, until one goes red; with ``--cited --full`` by each of them, and each must.
"""

from __future__ import annotations

import atexit
import csv
import importlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from pathlib import Path

import numba
import pytest
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
#: Copies that are played at once.
TREES = 2
#: Wall seconds that the tests of one mutant, and all tests without any, may take. A mutant that never ends is not killed: its test is to see it.
PATIENCE_S, ALL_PATIENCE_S = 120, 600
#: Exit codes of a process: a test has failed; the tests could not be run, for which pytest has none so high.
RED, BROKEN = 1, 70
_FATES = {0: "alive", RED: "killed", -9: "endless"}
_NOT_COPIED = shutil.ignore_patterns(".*", "ami-out", "*.egg-info", "build", "dist")
#: What the product and its tests import and is not ours; pytest's plugins besides.
_WARM = "fastapi httpx hypothesis.strategies numba psycopg pyftpdlib.servers pymodbus.client simpy sqlalchemy trustme typer uvicorn"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A row of a table. ``equivalent``: why no input can tell it from the product; then it is not played. ``bends``: requirements."""

    room: str
    id: str
    file: str
    text: str
    replacement: str
    killed_by: tuple[str, ...]
    equivalent: str
    bends: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """Tests to be run on a tree, with a mutant in it or none. ``patience_s``: wall seconds."""

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


def mutants() -> list[Mutant]:
    """Every row of every table."""
    found = []
    for file in sorted(Path(__file__).parent.glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, strict=True):
                changed = (row["file"], row["text"], row["replacement"])
                killed_by, bends = (tuple((row.get(name) or "").split()) for name in ("killed_by", "bends"))
                found.append(Mutant(file.stem, row["id"], *changed, killed_by, row["equivalent"], bends))
    return found


def by_scenarios(chosen: Iterable[Mutant], *, each: bool) -> list[Mutant]:
    """Those that bend what a shipped scenario cites, with these scenarios for tests, the quickest first. each: one by one."""
    command = [sys.executable, "-m", "tests.mutants.cited"]
    citing = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    found = []
    for mutant in chosen:
        names = dict.fromkeys(name for ident in mutant.bends for name in citing.get(ident, ()))
        tests = [f"tests/mutants/cited.py::test_a_shipped_scenario_passes[{name}]" for name in names]
        found += [replace(mutant, killed_by=(test,)) for test in tests] if each else []
        found += [replace(mutant, killed_by=tuple(tests))] if tests and not each else []
    return found


def warm() -> None:
    """Import what each process would import for itself."""
    for plugin in entry_points(group="pytest11"):
        plugin.load()
    for name in _WARM.split():
        importlib.import_module(name)


class _Red:
    """Sees whether a test has failed, whatever becomes of the session: what a failed test holds may trouble its end."""

    seen = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seen |= report.failed


def _run(tree: Path, tests: Iterable[str], said: Path) -> None:
    """Run tests of a tree in this process, which is forked and nobody's afterwards."""
    code, red = BROKEN, _Red()
    try:
        with said.open("wb") as out:
            for stream in (1, 2):
                os.dup2(out.fileno(), stream)
        os.chdir(tree)
        # Of the tree are the tests too.
        sys.path[0] = str(tree)
        for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
            del sys.modules[name]
        # To compile a kernel takes longer than to work out its examples without a compiler.
        numba.config.DISABLE_JIT = all(test.startswith("tests/headend/vee/") for test in tests)  # type: ignore[attr-defined]
        # What is warm was imported before pytest could rewrite it, which nobody needs.
        unwarned = "ignore::pytest.PytestAssertRewriteWarning"
        code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-W", unwarned, *tests], plugins=[red])
        # A server that a test has started ends with its session.
        atexit._run_exitfuncs()
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(RED if red.seen else code)


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


def played(jobs: Iterable[Job], work: Path) -> Iterator[Played]:
    """What became of each job, as they end. work: the folder of the copies."""
    forking, waiting, running = get_context("fork"), deque(jobs), list[_Running]()
    free = [work / f"tree{number}" for number in range(TREES)]
    while waiting or running:
        while waiting and free:
            job, tree = waiting.popleft(), free.pop()
            if not tree.exists():
                shutil.copytree(ROOT, tree, ignore=_NOT_COPIED)
            mutating = _mutated(tree, job.mutant)
            mutating.__enter__()
            process = forking.Process(target=_run, args=(tree, job.tests, tree.with_suffix(".txt")))
            process.start()
            running.append(_Running(job, process, tree, mutating, time.monotonic()))
        wait([one.process.sentinel for one in running], max(0.0, min(one.left_s for one in running)))
        for one in running[:]:
            if one.process.is_alive() and one.left_s > 0:
                continue
            one.process.kill()
            one.process.join()
            one.mutating.__exit__(None, None, None)
            running.remove(one)
            free.append(one.tree)
            said = one.tree.with_suffix(".txt").read_text("utf-8", errors="replace")
            fate = _FATES.get(one.process.exitcode or 0, "broken")
            yield Played(one.job, fate, said, time.monotonic() - one.begun)


def play(chosen: Iterable[Mutant], work: Path) -> Iterator[Played]:
    """What becomes of their tests without any mutant, and if they pass, of each mutant."""
    played_ones = [mutant for mutant in chosen if not mutant.equivalent]
    tests = sorted({test for mutant in played_ones for test in mutant.killed_by})
    files = sorted({test.partition("::")[0] for test in tests})
    halves = [[test for test in tests if test.partition("::")[0] in files[half::TREES]] for half in range(TREES)]
    whole = list(played([Job(None, half, ALL_PATIENCE_S) for half in halves if half], work))
    yield from whole
    if any(one.fate != "alive" for one in whole):
        return
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    yield from played([Job(mutant, mutant.killed_by, PATIENCE_S) for mutant in played_ones], work)


def shown(chosen: Iterable[Mutant], ended: Iterable[Played]) -> Table:
    """The table of fates: a row a room."""
    table = Table("room", "mutants", "killed", "alive", "equivalent")
    total = Counter(mutant.room for mutant in chosen)
    even = Counter(mutant.room for mutant in chosen if mutant.equivalent)
    killed = Counter(one.job.mutant.room for one in ended if one.job.mutant and one.fate == "killed")
    for room in total:
        alive = total[room] - killed[room] - even[room]
        table.add_row(room, *map(str, (total[room], killed[room], alive, even[room])))
    table.add_section()
    alive = total.total() - killed.total() - even.total()
    table.add_row("all", *map(str, (total.total(), killed.total(), alive, even.total())))
    return table


def main(wanted: list[str]) -> int:
    """Play mutants, or all: by id, or as ``id=test`` by another test than its own; by scenarios with ``--cited``, by each with ``--full`` too.

    0: all were killed or are equivalent; 1: one is alive; 2: it could not be played.
    """
    known, options = (
        {mutant.id: mutant for mutant in mutants()},
        {one for one in wanted if one in ("--cited", "--full")},
    )
    wanted = [one for one in wanted if one not in options]
    chosen = [] if wanted else list(known.values())
    for each in wanted:
        name, _, test = each.partition("=")
        if name not in known:
            print(f"mutants.unknown: there is no mutant '{name}'.", file=sys.stderr)
            return 2
        chosen.append(replace(known[name], killed_by=(test,)) if test else known[name])
    if options:
        chosen = by_scenarios(chosen, each="--full" in options)
    begun, ended = time.monotonic(), list[Played]()
    warm()
    # Not one that is removed at the end of a process: each that is forked would.
    work = Path(tempfile.mkdtemp(prefix="ami-mutants-"))
    try:
        for one in play(chosen, work):
            mutant = one.job.mutant
            if mutant is not None:
                ended.append(one)
                print(f"{mutant.id} {one.fate} in {one.seconds:.1f} s", file=sys.stderr, flush=True)
            elif one.fate != "alive":
                print(f"{one.said}\nmutants.red: tests fail without any mutant.", file=sys.stderr)
                return 2
    finally:
        shutil.rmtree(work, ignore_errors=True)
    alive = [(one, one.job.mutant) for one in ended if one.job.mutant and one.fate != "killed"]
    for one, mutant in alive:
        print(f"{mutant.id} is {one.fate}: {mutant.file}: {mutant.text!r} -> {mutant.replacement!r}")
        print(f"  by {' '.join(mutant.killed_by)}" + (f"\n{one.said}" if one.fate == "broken" else ""))
    Console(width=100).print(shown(chosen, ended))
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{time.monotonic() - begun:.0f} s, {spent.ru_utime + spent.ru_stime:.0f} s of CPU")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
