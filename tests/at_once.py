"""``pytest -p tests.at_once --at-once N``: tests in N processes forked from the one that has collected them. What they import and collect is so once, and not in each."""

from __future__ import annotations

import atexit
import gc
import os
import warnings
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from itertools import groupby
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--at-once", type=int, metavar="N", default=0, help="Run the tests in N processes.")


class _Told:
    """What is told of a test, as it is sent."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.reports: list[dict[str, Any]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.reports.append(self.config.hook.pytest_report_to_serializable(config=self.config, report=report))


class _Worker:
    """A process, and the tests that it was handed and has not told of."""

    def __init__(self, session: pytest.Session, number: int, tests: list[int], lines: Iterable[Connection]) -> None:
        self.number, self.owes = number, deque(tests)
        self.line, its_end = Pipe()
        ours = [self.line, *lines]
        self.process = get_context("fork").Process(target=_work, args=(session, number, tests, its_end, ours))
        with warnings.catch_warnings():
            # From Python 3.12 on, of the threads of OpenBLAS and jemalloc, which know of forks.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.process.start()
        its_end.close()

    def hand(self, tests: list[int]) -> None:
        self.owes.extend(tests)
        # One that has just ended is told of so.
        with suppress(OSError):
            self.line.send(tests)


def _work(session: pytest.Session, number: int, tests: list[int], line: Connection, others: list[Connection]) -> None:
    # What was registered before is for the process that this one is forked from.
    atexit._clear()
    # Or none would hear that it has ended.
    for end in others:
        end.close()
    config = session.config
    # Each has a file of its own for what its tests print; what the terminal shows is shown by the one that is told.
    capture = config.pluginmanager.getplugin("capturemanager")
    capture.stop_global_capturing()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    capture.start_global_capturing()
    capture.suspend_global_capture()
    factory = config._tmp_path_factory  # type: ignore[attr-defined]
    factory._basetemp = factory.mktemp(f"worker-{number}", numbered=False)
    config.pluginmanager.register(told := _Told(config))
    waiting = deque(tests)
    try:
        while waiting:
            item = session.items[waiting.popleft()]
            if not waiting:
                # Asked for before the last one runs: what it shares with the next is kept.
                line.send(None)
                waiting.extend(line.recv())
            item.ihook.pytest_runtest_protocol(item=item, nextitem=session.items[waiting[0]] if waiting else None)
            line.send(told.reports)
            told.reports.clear()
    except (EOFError, OSError, KeyboardInterrupt):
        # The other one has ended: by a first failure (-x), by Ctrl-C.
        pass
    finally:
        session._setupstate.teardown_exact(None)
        # Once nothing more can go, what stays is set aside: pytest looks five times through all that is left for what complains as it goes.
        any(not gc.collect() for _ in range(5))
        gc.freeze()
        config._ensure_unconfigure()
        atexit._run_exitfuncs()


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    config = session.config
    if not (count := config.getoption("--at-once")) or session.testsfailed or config.option.collectonly:
        return None
    if reporter := config.pluginmanager.getplugin("terminalreporter"):
        # Not file by file, since they take turns.
        reporter.showfspath = False
    config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    # The tests of a module share what they make.
    modules = groupby(range(len(session.items)), lambda one: _kind(session.items[one]))
    left = deque([*tests] for _, tests in modules)
    working: dict[Connection, _Worker] = {}
    numbers = iter(range(1_000_000))
    try:
        while left or working:
            while left and len(working) < count:
                worker = _Worker(session, number := next(numbers), _taken(left, number), working)
                working[worker.line] = worker
            told: list[Any] = wait([*working])
            for line in told:
                worker = working[line]
                try:
                    reports = line.recv()
                except (EOFError, ConnectionResetError):
                    del working[line]
                    _ended(session, worker, left)
                    continue
                if reports is None:
                    worker.hand(_taken(left, worker.number))
                else:
                    _tell(session.items[worker.owes.popleft()], reports)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
    finally:
        # After a first failure, or Ctrl-C, they end with the test that they are at.
        for line in working:
            line.close()
    return True


def _kind(item: pytest.Item) -> tuple[Path, bool]:
    return item.path, item.get_closest_marker("process") is None


def _taken(left: deque[list[int]], number: int) -> list[int]:
    """The next module's. Half of the processes take what waits for other processes, which lies first, and half what works, which lies last."""
    if not left:
        return []
    return left.popleft() if number % 2 == 0 else left.pop()


def _ended(session: pytest.Session, worker: _Worker, left: deque[list[int]]) -> None:
    """A process that ends in a test has failed it; what else it was handed is for the others."""
    worker.process.join()
    code = worker.process.exitcode
    if not worker.owes:
        assert code == 0, f"a process of the tests ended with {code}"
        return
    item = session.items[worker.owes.popleft()]
    said = f"the process of this test ended in it, with {code}"
    report = pytest.TestReport(item.nodeid, item.location, {}, "failed", said, "call")
    _log(item, [report])
    if worker.owes:
        left.append([*worker.owes])


def _tell(item: pytest.Item, reports: list[dict[str, Any]]) -> None:
    hook = item.config.hook
    _log(item, [hook.pytest_report_from_serializable(config=item.config, data=one) for one in reports])


def _log(item: pytest.Item, reports: list[pytest.TestReport]) -> None:
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in reports:
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
