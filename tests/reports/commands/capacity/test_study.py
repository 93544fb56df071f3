"""``ami capacity``: a study run, broken off and gone on with, looked through and listed; a workload shown; what cannot be run is told."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from meters.errors import UserError
from reports.commands.capacity.compare import shipped_workloads
from reports.commands.capacity.study import STOPPED, app
from scenarios.file.shipped import STUDIES
from simulator.capacity.workload.chosen import shipped

TINY = {
    "name": "tiny",
    "day": "2026-08-12",
    "fleet": {"tdsps": [{"name": "Oncor", "meters": 20_000}]},
    "calls": {"ror_call_centre": {"reads": 200}},
}
STUDY = {
    "name": "small",
    "replications": 2,
    "workloads": ["tiny.yaml"],
    "policies": ["smt-today", "store-only"],
    "levels": ["told_in_call>0.05"],
}


def written(folder: Path, **fields: object) -> Path:
    (folder / "tiny.yaml").write_text(yaml.safe_dump(TINY), "utf-8")
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump({**STUDY, **fields}), "utf-8")
    return path


def test_the_command_runs_a_study_and_goes_on_from_what_is_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["run", str(written(tmp_path)), "--out", str(out), "--workers", "1"]
    first = CliRunner().invoke(app, words)
    assert first.exit_code == 0, first.output
    assert first.stdout.startswith("On tiny the least regret in call centres' interval reads told in the call: ")
    assert "told_in_call>0.05 on tiny: passed\n" in first.stdout
    assert "\n4 cells, 4 of them computed now" in first.stdout
    assert {"outcome.json", "cells.parquet", "asked.parquet", "use.parquet", "points.parquet", "report.html"} <= {
        one.name for one in out.iterdir()
    }
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert json.loads((out / "run.json").read_text("utf-8"))["cells_computed"] == 0
    assert told["mark"] == "passed"
    assert told["answer"] == first.stdout.splitlines()[0]
    other = CliRunner().invoke(app, ["run", str(written(tmp_path, levels=[])), *words[2:]])
    assert other.exit_code == 1
    assert "holds the outcome of another study, 'small'" in other.stderr


def test_mistakes_are_all_told_and_end_it(tmp_path: Path) -> None:
    wrong = written(tmp_path, policies=["smt-todya"], workloads=["none"])
    for command in ("run", "lint"):
        ran = CliRunner().invoke(app, [command, str(wrong)])
        assert ran.exit_code == 2
        assert [line.split(":")[0] for line in ran.stderr.splitlines()] == [
            "capacity.workload.unreadable",
            "policy.unknown",
        ]
    both = CliRunner().invoke(app, ["run", str(written(tmp_path)), "--rows", "--dask", "tcp://127.0.0.1:1"])
    assert (both.exit_code, both.stderr.split(":")[0]) == (2, "capacity.rows.dask")
    file = tmp_path / "file"
    file.write_text("", "utf-8")
    ran = CliRunner().invoke(app, ["run", str(written(tmp_path)), "--out", str(file / "below"), "--workers", "1"])
    assert (ran.exit_code, ran.stderr.split(":")[0]) == (2, "capacity.out.unwritable")
    unknown = CliRunner().invoke(app, ["run", "throttle-polices"])
    assert unknown.exit_code == 2
    assert unknown.stderr.endswith("no shipped load study 'throttle-polices'. Did you mean throttle-policies?\n")


def test_a_study_is_looked_through_and_listed(tmp_path: Path) -> None:
    sound = CliRunner().invoke(app, ["lint", str(written(tmp_path))])
    assert sound.stdout == "small: 1 workloads, the largest of 200 requests, 2 policies, 4 cells, 0 knees.\n"
    listed = json.loads(CliRunner().invoke(app, ["list", "--json"]).stdout)
    assert [one["name"] for one in listed] == list(STUDIES.files()) == ["throttle-policies", "throttle-rule"]


def test_a_signal_keeps_the_cells_that_are_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from simulator.capacity import cell

    played = cell.play_cell

    def broken_off(task: cell.Task) -> cell.Cell:
        if task.key.replication:
            signal.raise_signal(signal.SIGINT)
        return played(task)

    words = ["run", str(written(tmp_path)), "--out", str(tmp_path / "out"), "--workers", "1"]
    with monkeypatch.context() as patched:
        patched.setattr(cell, "play_cell", broken_off)
        stopped = CliRunner().invoke(app, words)
    assert stopped.exit_code == 130
    assert STOPPED in stopped.stderr
    assert "\n4 cells, 2 of them computed now" in CliRunner().invoke(app, words).stdout


def test_the_command_lists_the_shipped_workloads() -> None:
    found = json.loads(CliRunner().invoke(app, ["workload", "--json"]).stdout)
    assert [one["name"] for one in found] == list(shipped())
    assert CliRunner().invoke(app, ["workload"]).stdout.startswith("beryl-2024 ")
    assert shipped_workloads("b") == ["beryl-2024", "bill-surge-x3", "bulk-40000"]


def test_the_command_shows_a_workload_and_writes_its_requests(tmp_path: Path) -> None:
    png, parquet = tmp_path / "day.png", tmp_path / "day.parquet"
    words = ["workload", "ordinary-day", "--json", "--png", str(png), "--parquet", str(parquet)]
    ran = CliRunner().invoke(app, words)
    assert ran.exit_code == 0
    told = json.loads(ran.stdout)
    # 4,900 + 4,000 + 10,000 + 2,000 callers, and 1,200 homes 24 times.
    assert abs(told["requests"] - 49_700) < 4 * np.sqrt(20_900 + 24**2 * 1200)
    assert png.stat().st_size > 10_000
    again = CliRunner().invoke(app, ["workload", str(parquet)])
    assert again.exit_code == 0
    assert f"{told['requests']:,} requests" in again.stdout
    other = CliRunner().invoke(app, ["workload", "ordinary-day", "--replication", "1", "--json"])
    assert json.loads(other.stdout)["requests"] != told["requests"]


def test_the_command_tells_each_mistake_and_ends_with_2(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("hour,class,calls\n24,csp,1\n3,cps,1\n", "utf-8")
    ran = CliRunner().invoke(app, ["workload", str(path)])
    assert ran.exit_code == 2
    assert ran.stderr.splitlines() == [
        f"capacity.workload.curve: {path}:2: '24' is no hour of the day. Write 0 to 23, as the clock shows it.",
        f"capacity.workload.curve: {path}:3: 'cps' is no class. Did you mean csp?",
    ]


def test_requests_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["workload", "ordinary-day", "--parquet", str(tmp_path / "none" / "day.parquet")])
    assert isinstance(ran.exception, UserError)
    assert ran.exception.code == "capacity.workload.parquet"


def test_the_shipped_studies_are_listed_for_people_and_as_json() -> None:
    rows = json.loads(CliRunner().invoke(app, ["list", "--json"]).stdout)
    lines = CliRunner().invoke(app, ["list"]).stdout.splitlines()
    assert [row["name"] for row in rows] == ["throttle-policies", "throttle-rule"]
    wide = len("throttle-policies")
    assert lines == [
        line for of in rows for line in (f"{of['name']:{wide}}  {of['question']}", f"{'':{wide}}  {of['file']}")
    ]
