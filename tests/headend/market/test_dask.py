"""A cluster that is real and loses a worker: a scheduler and two workers on the loopback, one killed with -9 while it works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import distributed
import pytest

from headend.market.partition import work
from headend.market.run import run
from meters.errors import UserError
from simulator.versions import only_as, told_by_code
from tests.cases import few
from tests.headend.market.days import MANY, asked, fleet, tasks
from tests.simulator.processes import ending, patience

pytestmark = pytest.mark.process

#: Ends with who started it; no page of its own.
_QUIET = ("--no-dashboard", "--host", "127.0.0.1")


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[Any, list[subprocess.Popen[str]]]]:
    """A client of a scheduler, and its two workers, each a process of one thread."""
    dask: Any = distributed
    told = folder / "scheduler.json"
    words = [sys.executable, "-W", "ignore", "-m"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    log = (folder / "log").open("w")

    def begun(*rest: str) -> subprocess.Popen[str]:
        return subprocess.Popen([*words, *rest], stdout=log, stderr=log, cwd=folder, env=environment, text=True)

    scheduler = begun("distributed.cli.dask_scheduler", "--port", "0", "--scheduler-file", str(told), *_QUIET)
    workers = [
        begun("distributed.cli.dask_worker", "--scheduler-file", str(told), "--nthreads", "1", "--no-nanny", *_QUIET)
        for _ in range(2)
    ]
    with log, ending(scheduler, *workers), dask.Client(scheduler_file=str(told), timeout=patience()) as client:
        client.wait_for_workers(2, timeout=patience())
        yield client, workers


@pytest.fixture(scope="module", params=few(1, ["threads", "processes"]))
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Of a cluster whose workers are threads of this process, which begins at once, or processes."""
    if request.param == "processes":
        with cluster(tmp_path_factory.mktemp("cluster")) as (client, _):
            yield client
        return
    dask: Any = distributed
    here = {"n_workers": 2, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with dask.LocalCluster(**here) as workers, dask.Client(workers) as client:
        yield client


@pytest.mark.long
def test_a_worker_that_is_killed_costs_nothing_and_nothing_is_there_twice(tmp_path: Path) -> None:
    cut = tasks(tmp_path / "cluster", fleet(480, MANY), 40)
    killed: list[int] = []
    with cluster(tmp_path) as (client, workers):

        def kill(done: int, _: int) -> None:
            if done >= 160 and not killed:
                killed.append(workers[0].pid)
                os.kill(workers[0].pid, signal.SIGKILL)

        found = run(cut, client.get_executor(), kill)
        assert workers[0].wait(patience()) == -signal.SIGKILL
        assert workers[1].poll() is None
    alone = [replace(task, folder=tmp_path / "alone") for task in cut]
    assert found == run(alone, None)
    assert [task.intervals.read_bytes() for task in cut] == [task.intervals.read_bytes() for task in alone]
    folder = tmp_path / "cluster" / "intervals"
    assert asked(f"select count(*), count(distinct esiid) from '{folder}/*.parquet'") == [(480, 480)]
    assert len(list(folder.iterdir())) == len(cut)


def test_who_breaks_it_off_keeps_what_is_done_and_leaves_the_workers_idle(client: Any, tmp_path: Path) -> None:
    cut = tasks(tmp_path / "market", fleet(480, MANY), 40)

    def interrupt(done: int, _: int) -> None:
        if done >= 80:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(cut, client.get_executor(), interrupt)
    until = time.monotonic() + patience()
    # A scheduler forgets what is taken back, though a thread is still at it.
    while any(client.run(lambda dask_worker: len(dask_worker.active_threads)).values()):
        assert time.monotonic() < until
    folder = tmp_path / "market" / "intervals"
    kept = {path: path.stat().st_ino for path in folder.glob("*.parquet")}
    assert len(kept) >= 2
    assert not [path for path in folder.iterdir() if path not in kept]
    assert sum(one.meters for one in run(cut, None).values()) == 480
    assert {path: path.stat().st_ino for path in kept} == kept


@pytest.mark.long
def test_a_worker_with_other_code_makes_nothing_and_names_both(client: Any, tmp_path: Path) -> None:
    cut = tasks(tmp_path / "market", fleet(80, MANY), 40)
    module = "headend.market.partition"
    for_another = partial(only_as, "ami-testbed 0.0.9, code 0123456789ab", module, work)
    with pytest.raises(UserError) as raised:
        run(cut, client.get_executor(), make=for_another)
    assert told_by_code(module) in str(raised.value)
    assert "asked was for ami-testbed 0.0.9, code 0123456789ab." in str(raised.value)
    assert not list((tmp_path / "market" / "intervals").iterdir())
    ours = partial(only_as, told_by_code(module), module, work)
    assert sum(one.meters for one in run(cut, client.get_executor(), make=ours).values()) == 80
