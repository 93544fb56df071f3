"""Mutants played by the tests that they name."""

from __future__ import annotations

import atexit
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import numba
import pytest

from tests.mutants.trial import BROKEN, PATIENCE_S, RED, TREES, Fate, Job, Mutant, move_into, played, unkept

#: Wall seconds that all tests may take without any mutant.
ALL_PATIENCE_S = 600


def played_by_tests(chosen: Sequence[Mutant], work: Path) -> list[Fate] | None:
    """What becomes of each mutant by its tests, if all of them pass without any; None if one does not. work: the folder of the copies."""
    played_ones = [mutant for mutant in chosen if not mutant.equivalent]
    tests = sorted({test for mutant in played_ones for test in mutant.killed_by})
    files = sorted({test.partition("::")[0] for test in tests})
    halves = [[test for test in tests if test.partition("::")[0] in files[half::TREES]] for half in range(TREES)]
    red = [
        one
        for one in played([Job(None, half, ALL_PATIENCE_S) for half in halves if half], work, _run)
        if one.fate != "alive"
    ]
    if red:
        print(*(one.said for one in red), "mutants.red: tests fail without any mutant.", sep="\n", file=sys.stderr)
        return None
    unkept()
    fates = []
    for one in played([Job(mutant, mutant.killed_by, PATIENCE_S) for mutant in played_ones], work, _run):
        if one.job.mutant is not None:
            fates.append(Fate(one.job.mutant, " ".join(one.job.tests), one.fate, one.said))
            print(f"{one.job.mutant.id} {one.fate} in {one.seconds:.1f} s", file=sys.stderr, flush=True)
    return fates


class _Red:
    """Sees whether a test has failed, whatever becomes of the session: what a failed test holds may trouble its end."""

    seen = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seen |= report.failed


def _run(tree: Path, job: Job, said: Path) -> None:
    """Run tests of a tree in this process, which is forked and nobody's afterwards."""
    code, red, tests = BROKEN, _Red(), job.tests
    try:
        move_into(tree, said)
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
