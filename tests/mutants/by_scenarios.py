"""Mutants played by the shipped scenarios that cite what they bend, and what was played kept: a pair of the two is played once while neither changes.

A mutant has a process that imports the product with it, and forks one for each scenario.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numba

from tests.mutants.trial import BROKEN, CRASHED, FATES, RED, ROOT, UNSHOWN, Fate, Job, Mutant, move_into, played, unkept

#: Of a checkout, and gone with all else that is there (``make clean``).
KEPT = Path(os.environ.get("MUTANTS_PLAYED", ROOT / "ami-out" / "mutants-played.jsonl"))
#: What a scenario is played with, beside the scenario.
_PRODUCT = ("meters", "headend", "simulator", "scenarios", "requirements.lock", "tests/mutants/cited.py")
#: Wall seconds that a scenario may take: one of them has twenty cases.
_PATIENCE_S = 600
#: Scenarios that a process plays one after the other.
_AT_A_TIME = 12


@dataclass(frozen=True, slots=True)
class Pair:
    """A mutant, or None, and a shipped scenario by name. ``key``: of both and the product, as they are."""

    mutant: Mutant | None
    scenario: str
    key: str

    def __str__(self) -> str:
        """As it is told of."""
        return f"{self.mutant.id if self.mutant else 'no mutant'} by {self.scenario}"


@dataclass(frozen=True, slots=True)
class Library:
    """``citing``: by requirement the shipped scenarios that cite it, the quickest first. ``keys``: by scenario one of it and of the product."""

    citing: dict[str, list[str]]
    keys: dict[str, str]

    @classmethod
    def read(cls, only: Iterable[str] = ()) -> Library:
        """That of this checkout. only: scenarios that are enough; all unless given."""
        command = [sys.executable, "-m", "tests.mutants.cited", *only]
        told = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
        product = _digest_of_product()
        return cls(told["citing"], {name: product + digest for name, (digest,) in told["digests"].items()})

    def showing(self, mutant: Mutant) -> list[str]:
        """Those that a mutant must fail, the quickest first."""
        citing = dict.fromkeys(name for ident in mutant.bends for name in self.citing.get(ident, ()))
        return [name for name in citing if not mutant.shown_by or name in mutant.shown_by]

    def pair(self, mutant: Mutant | None, scenario: str) -> Pair:
        """A mutant and a scenario."""
        changed = (mutant.file, mutant.text, mutant.replacement) if mutant else ()
        return Pair(mutant, scenario, _digest([self.keys[scenario], *changed]))


def _digest(parts: Iterable[str]) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def _digest_of_product() -> str:
    """One of every file that a scenario is played with."""
    found = hashlib.blake2b(digest_size=16)
    for part in _PRODUCT:
        for file in sorted((ROOT / part).rglob("*")) if (ROOT / part).is_dir() else [ROOT / part]:
            if file.is_file() and "__pycache__" not in file.parts and "library" not in file.relative_to(ROOT).parts:
                found.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return found.hexdigest()


def pairs(library: Library, chosen: Iterable[Mutant], *, each: bool) -> list[Pair]:
    """Every mutant that bends what is cited, with the quickest scenario that shows it, or with each."""
    found = ((mutant, library.showing(mutant)[: None if each else 1]) for mutant in chosen if not mutant.equivalent)
    return [library.pair(mutant, name) for mutant, names in found for name in names]


def played_by_scenarios(chosen: Iterable[Mutant], work: Path, *, each: bool) -> list[Fate] | None:
    """What becomes of each mutant by the quickest scenario that shows what it bends, or by each, if all of them pass without any; None if one does not.

    work: the folder of the copies of the tree.
    """
    chosen = [mutant for mutant in chosen if mutant.bends]
    named = {name for mutant in chosen for name in mutant.shown_by}
    library = Library.read(named if all(mutant.shown_by for mutant in chosen) else ())
    wanted = pairs(library, chosen, each=each)
    without = [library.pair(None, name) for name in sorted({pair.scenario for pair in wanted})]
    red = [one for one in fates(library, without, work) if one["fate"] != "alive"]
    if red:
        print(*red, "mutants.red: scenarios fail without any mutant.", sep="\n", file=sys.stderr)
        return None
    unkept()
    ended = zip(wanted, fates(library, wanted, work), strict=True)
    return [Fate(pair.mutant, pair.scenario, one["fate"], one.get("why", "")) for pair, one in ended if pair.mutant]


def fates(library: Library, wanted: Sequence[Pair], work: Path) -> list[dict[str, Any]]:
    """What became of each pair: what was kept, and what is played now."""
    done, left = _kept(), dict[Mutant | None, list[str]]()
    for pair in wanted:
        # Where the time was too short, or the run was ended, another time may tell.
        if done.get(pair.key, {}).get("fate") not in ("alive", "killed"):
            left.setdefault(pair.mutant, []).append(pair.scenario)
    jobs = [
        Job(mutant, names[at : at + _AT_A_TIME], _PATIENCE_S * _AT_A_TIME)
        for mutant, names in left.items()
        for at in range(0, len(names), _AT_A_TIME)
    ]
    KEPT.parent.mkdir(exist_ok=True, parents=True)
    for one in played(jobs, work, partial(_play_each, library)):
        if one.fate != "alive":
            print(one.said, file=sys.stderr)
    done = _kept()
    return [done.get(pair.key, {"pair": str(pair), "fate": "broken"}) for pair in wanted]


def _kept() -> dict[str, dict[str, Any]]:
    lines = KEPT.read_text("utf-8").splitlines() if KEPT.exists() else []
    return {one["key"]: one for one in map(json.loads, lines)}


def _play_each(library: Library, tree: Path, job: Job, said: Path) -> None:
    """Play scenarios in the tree that the mutant is in, each in a process forked from this one, and keep what becomes of them."""
    code, terminal = BROKEN, os.dup(2)
    try:
        move_into(tree, said)
        # Of a kernel that calls another one in another file, numba would play what it compiled of that before the mutant. Scenarios are as quick without.
        numba.config.DISABLE_JIT = True  # type: ignore[attr-defined]
        cited = importlib.import_module("tests.mutants.cited")
        for name in job.tests:
            pair, began = library.pair(job.mutant, name), time.monotonic()
            fate, red = played_apart(cited, name, tree.with_name(f"{tree.name}-out"))
            seconds = round(time.monotonic() - began, 1)
            line = {"key": pair.key, "pair": str(pair), "fate": fate, "seconds": seconds, **red}
            with KEPT.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")
            os.write(terminal, f"{pair}: {fate} in {seconds} s\n".encode())
        code = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def played_apart(cited: ModuleType, name: str, out: Path) -> tuple[str, dict[str, Any]]:
    """A scenario in a process of its own: its fate, and why. One that falls over, or is inconclusive, has not shown the mutant; one that takes too long is stopped."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    told = out / "red.json"
    child = os.fork()
    if child == 0:
        code = BROKEN
        try:
            signal.alarm(_PATIENCE_S)
            red = cited.failed(name, out)
            told.write_text(json.dumps(red and red._asdict()), "utf-8")
            code = 0 if red is None else RED if red.mark is cited.Mark.FAILED else UNSHOWN
        except Exception as error:
            told.write_text(json.dumps({"why": f"{type(error).__name__}: {error}"[:300]}), "utf-8")
            code = CRASHED
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    fate = FATES.get(os.waitstatus_to_exitcode(status), "broken")
    red = json.loads(told.read_text("utf-8")) if told.exists() else None
    shutil.rmtree(out, ignore_errors=True)
    return fate, red or {}
