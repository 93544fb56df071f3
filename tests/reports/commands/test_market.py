"""``ami market-day``: publishes, goes on where it was, and tells what goes wrong in one line."""

from __future__ import annotations

import json
import os
import re
import sys
from concurrent.futures import Executor, Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

import reports.commands.executors
import reports.commands.market
from meters.errors import UserError
from tests.headend.market.days import asked
from tests.simulator.processes import AMI, done, fails

app = typer.Typer()
app.command()(reports.commands.market.market_day)


def ran(out: Path, *words: str) -> Result:
    found = CliRunner().invoke(app, ["--workers", "1", "--out", str(out), *words])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found


def figures(out: Path, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ran(out, "--json", *words).stdout)
    return found


def test_all_five_companies_are_published_and_a_second_run_takes_what_is_there(tmp_path: Path) -> None:
    found = figures(tmp_path, "--meters", "300")
    assert {key: one["meters"] for key, one in found["tdsps"].items()} == {
        "ONCOR": 148,
        "CENTERPOINT": 104,
        "AEP_CENTRAL": 31,
        "AEP_NORTH": 7,
        "TNMP": 10,
    }
    assert (found["computed_meters"], found["all"]["meters"]) == (300, 300)
    assert {key: one["preset"] for key, one in found["tdsps"].items()} == {key: key.lower() for key in found["tdsps"]}
    again = figures(tmp_path, "--meters", "300")
    assert again["computed_meters"] == 0
    assert again["all"] == found["all"]
    assert json.loads((tmp_path / "summary.json").read_text())["all"] == found["all"]
    # By key of a rule is what changes a value told, and no other seed's is kept.
    other = ran(tmp_path, "--meters", "300", "--seed", "9", "--preset", "oncor", "--tdsp", "oncor", "--tdsp", "ONCOR")
    assert "10 files are of another run: they are replaced." in other.stderr
    assert re.search(r"^Oncor +300 ", other.stdout, re.MULTILINE)
    assert "300 meters computed now, 0 were there" in other.stdout
    assert asked(f"select count(*) from '{tmp_path}/intervals/*.parquet'") == [(300,)]


def test_faults_of_a_file_take_the_place_of_the_ordinary_ones(tmp_path: Path) -> None:
    (tmp_path / "faults.yaml").write_text("faults:\n- {kind: dead, meter: 3}\n", encoding="utf-8")
    words = ("--meters", "20", "--tdsp", "TNMP", "--faults", str(tmp_path / "faults.yaml"))
    found = figures(tmp_path / "out", *words, "--lse", "--date", "2026-11-01")
    # Once a channel; it has been dead for all its days.
    assert found["all"]["findings"] == {"interval.missing": 2, "register.missing": 2, "estimate.prolonged": 2}
    assert (found["all"]["answered"], found["all"]["intervals"]) == (19, 2000)
    assert len(found["lse"]) == 1
    assert Path(found["lse"][0]).stat().st_size > 20 * 100 * 8


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--tdsp", "LUBBOCK"), "meters.tdsp.unknown: There is no TDSP 'LUBBOCK'. Take one of ONCOR"),
        (
            ("--date", "2019-01-01"),
            "market.day: --date: There is no market's day on 2019-01-01. Take one of 2020-04-02",
        ),
        (("--date", "tomorrow"), "market.day: --date: 'tomorrow' is no day. Write it as 2026-07-15."),
        (("--dask", "nonsense"), "market.dask.silent: --dask nonsense: No scheduler answers: missing port number"),
        (("--out", __file__), f"out.unusable: {__file__}: The output folder cannot be used: File exists."),
    ],
)
def test_what_cannot_be_is_told_in_one_line(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    with pytest.raises(UserError) as raised:
        ran(tmp_path, "--meters", "50", *words)
    assert str(raised.value).startswith(told)


def test_a_scheduler_that_nobody_has_started_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports.commands.executors, "_ANSWERS_S", 0.2)
    with pytest.raises(UserError, match=r"market\.dask\.silent: --dask tcp://127\.0\.0\.1:1: No scheduler answers: "):
        ran(tmp_path, "--meters", "50", "--dask", "tcp://127.0.0.1:1")


def test_without_dask_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UserError, match=r"market\.dask\.missing: --dask: .*Install the package 'distributed'"):
        ran(tmp_path, "--meters", "50", "--dask", "tcp://127.0.0.1:1")


class Lost(Executor):
    """A cluster that goes away, or breaks with an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def __enter__(self) -> Lost:
        return self

    def get_executor(self) -> Lost:
        return self

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        gone: Future[Any] = Future()
        if self.error is None:
            gone.cancel()
            gone.set_running_or_notify_cancel()
        else:
            gone.set_exception(self.error)
        return gone


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (None, r"market\.dask\.lost: --dask here: The cluster gave up: CancelledError\."),
        (
            RuntimeError("Error during deserialization of the task graph."),
            r"market\.dask\.other: .*another ami-testbed",
        ),
        (RuntimeError("a fault of ours"), "a fault of ours"),
    ],
)
def test_a_cluster_that_gives_up_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception | None, told: str
) -> None:
    comm = SimpleNamespace(CommClosedError=ConnectionError)
    dask = SimpleNamespace(Client=lambda *_, **__: Lost(error), KilledWorker=ZeroDivisionError, comm=comm)
    monkeypatch.setitem(sys.modules, "distributed", dask)
    with pytest.raises((UserError, RuntimeError), match=told):
        ran(tmp_path, "--meters", "50", "--dask", "here")


def dies(_: object) -> None:
    os._exit(9)


@pytest.mark.process
def test_a_worker_that_is_killed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headend.market.run.work", dies)
    with pytest.raises(UserError, match=r"market\.worker: --workers: A worker process was killed\."):
        ran(tmp_path, "--meters", "50", "--workers", "2")


def test_a_preset_with_mistakes_is_told_and_ends_it(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("preset: mine\n", encoding="utf-8")
    found = ran(tmp_path / "out", "--meters", "50", "--preset", str(tmp_path / "mine.yaml"))
    assert found.exit_code == 2
    assert "mine.yaml" in found.stderr


def test_a_folder_that_is_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"market\.out: .*: It cannot be written: No space left on device\. Make room"):
        ran(tmp_path, "--meters", "50")
    assert list((tmp_path / "intervals").iterdir()) == []


@pytest.mark.long
@pytest.mark.process
def test_as_a_command_in_two_processes_it_gives_what_one_gives(tmp_path: Path) -> None:
    words = ("market-day", "--meters", "150", "--json", "--out", str(tmp_path))
    told = json.loads(done(*AMI, *words, "--workers", "2").stdout)
    assert told["all"] == figures(tmp_path / "one", "--meters", "150")["all"]
    assert fails("market-day", "--meters", "0").startswith("ami.usage: --meters: '0' is less than 1.")
