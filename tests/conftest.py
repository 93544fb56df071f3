"""What holds for all tests: their order, their event loop, that ``make fast`` opens no process, what becomes of those not run; and the two runs that several rooms look at."""

from __future__ import annotations

import functools
import gc
import importlib
import multiprocessing.util
import os
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from coverage import Coverage
from httpx._transports import default as transports
from hypothesis import settings
from typer import testing

if TYPE_CHECKING:
    from scenarios.run import JudgedRun


# A shell that runs the suite in the background has it ignore Ctrl-C, and with it all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
# To look for what can go, while all that is imported and collected stays, would be a quarter of the time that this takes.
gc.disable()
# An example's time says nothing on a busy machine; the first one of some properties compiles the kernels.
settings.register_profile("ami", deadline=None)
settings.load_profile("ami")
# The public authorities are the same for every client, of which the tests make hundreds, and to read them takes a hundredth of a second.
transports.create_ssl_context = functools.cache(transports.create_ssl_context)  # type: ignore[attr-defined]
# So are commands, which the tests call by the dozen, and typer assembles at each call.
testing._get_command = functools.cache(testing._get_command)  # type: ignore[attr-defined]

FAST = "not process and not long"


@pytest.fixture(autouse=True)
def _signals_are_as_before() -> Iterator[None]:
    """A command that a signal ends leaves all later ones alone: its process is over, but for that of the tests."""
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)}
    yield
    # What was stopped may end a process that does not close in time.
    signal.setitimer(signal.ITIMER_REAL, 0)
    for one, handler in before.items():
        signal.signal(one, handler)


def pytest_configure(config: pytest.Config) -> None:
    # Sandboxes that tests start as commands are to find each other's posted days, in all processes, and leave the user's alone.
    if "AMI_KEPT_DAYS" not in os.environ:
        # Not one that clears itself: each process that is forked from this one would.
        folder, ours = tempfile.mkdtemp(prefix="ami-kept-days-"), os.getpid()
        os.environ["AMI_KEPT_DAYS"] = folder

        def clear() -> None:
            if os.getpid() == ours:
                shutil.rmtree(folder, ignore_errors=True)
                del os.environ["AMI_KEPT_DAYS"]

        config.add_cleanup(clear)
    if config.getoption("--at-once", 0) and "not process" not in config.option.markexpr:
        from tests.simulator.processes import begun

        # One for all, which makes itself ready while this one collects.
        begun()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--shuffle", type=int, metavar="SEED", help="Run the modules, and the tests of each, in an order of chance."
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker("process")
    # What waits for processes takes longest and shares the server that they are forked from, so it begins first and on one worker.
    items.sort(key=lambda item: item.get_closest_marker("process") is None)
    if (seed := config.getoption("--shuffle")) is not None:
        chance = random.Random(seed)
        # What the tests of a module share is made once: they stay together.
        of_module = {module: chance.random() for module in sorted({item.path for item in items})}
        chance.shuffle(items)
        items.sort(key=lambda item: of_module[item.path])


def pytest_collection_finish(session: pytest.Session) -> None:
    if at_once := session.config.getoption("--at-once", 0):
        # What each of the processes would load and make once, the first test that needs it in each.
        importlib.import_module("tests.simulator.warm")
    # Modules and collected tests live on: to look through them even once would take each process seconds.
    gc.freeze()
    gc.enable()
    gc.set_threshold(20_000)
    if at_once and any(item.get_closest_marker("process") for item in session.items):
        from tests.simulator.processes import patience

        patience()


def _refused(*_: Any) -> NoReturn:
    raise AssertionError("A test that opens a process is marked so: pytest.mark.process")


def _heard(event: str, words: tuple[Any, ...]) -> None:
    # The platform module asks uname for the processor, for run.json.
    if event == "os.fork" or (event == "subprocess.Popen" and words[0] != "uname"):
        _refused()


@pytest.fixture(scope="session", autouse=True)
def no_process(pytestconfig: pytest.Config) -> None:
    """Under ``make fast`` a test that lacks the mark fails."""
    if pytestconfig.getoption("markexpr") == FAST:
        multiprocessing.util.spawnv_passfds = _refused  # type: ignore[assignment]
        sys.addaudithook(_heard)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def measure_for(node: pytest.Item | pytest.Module) -> None:
    """Note what is measured from here on by the folder of a test (``room_coverage``)."""
    if measured := Coverage.current():
        measured.switch_context(node.path.parent.relative_to(node.config.rootpath).as_posix())


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    measure_for(item)


def pytest_collectstart(collector: pytest.Collector) -> None:
    # A test's module may make what its tests look at.
    if isinstance(collector, pytest.Module):
        measure_for(collector)


def not_run(config: pytest.Config) -> Counter[str]:
    """How many tests were not run, by why."""
    # A process of xdist's has no reporter, and its tests are told of by the one that has started it.
    reporter = config.pluginmanager.getplugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    return Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI nothing may be lost in silence."""
    if os.environ.get("CI") == "true" and not_run(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if why := not_run(config):
        reasons = ", ".join(f"{reason} ({count})" for reason, count in why.items())
        terminalreporter.write_line(f"{why.total()} tests were not run: {reasons}", yellow=True)


@pytest.fixture(scope="session")
def balance_run(tmp_path_factory: pytest.TempPathFactory) -> JudgedRun:
    from tests.scenarios.short import run, short_balance

    return run(short_balance(), tmp_path_factory.mktemp("balance"))


@pytest.fixture(scope="session")
def last_bill_run(tmp_path_factory: pytest.TempPathFactory) -> JudgedRun:
    from tests.scenarios.short import run, short_last_bill

    return run(short_last_bill(), tmp_path_factory.mktemp("last-bill"))
