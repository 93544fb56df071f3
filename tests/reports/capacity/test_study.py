"""What a study and a what-if print, against outcomes made by hand; the commands end to end on a tiny day, and what cannot be run."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from reports.capacity.study import lines
from reports.capacity.whatif import lines as if_lines
from reports.commands.capacity import STOPPED, app
from scenarios.shipped import STUDIES
from simulator.capacity.levels import JudgedLevel, StudyVerdict, level_of
from simulator.capacity.outcome import Assumption, Knee, Outcome
from simulator.verdicts import Mark
from tests.simulator.capacity.outcomes import FIRST_IS_BEST, cells, made

WORKERS = Assumption("workers", "tries under way", "", 400.0, 100.0, 1000.0, "D", "a test")
KNEE = Knee(
    "day-0", "smt-today", "told_in_call>=0.4", "demand", 1.0, 8.0, 9.0, 7.0, 700.0, "workers at the head-end", {}, ()
)
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


def moved() -> Outcome:
    """With few workers the first policy tells a tenth fewer, always; with many nothing moves."""
    few = [[[(told - 0.1, usd) for told, usd in of] for of in policies[:1]] for policies in FIRST_IS_BEST[:1]]
    same = [policies[:1] for policies in FIRST_IS_BEST[:1]]
    found = made(FIRST_IS_BEST)
    changed = {**found.cells, **cells(few, "workers=100"), **cells(same, "workers=1000")}
    return replace(found, cells=changed, tornado=[WORKERS])


def test_a_tornado_tells_what_moves_by_how_much() -> None:
    text = list(lines(moved(), StudyVerdict(())))
    assert text[2:] == ["  tries under way [D]: 100 | 400 | 1,000", "    day-0 under smt-today: -10.0 | +0.0 ="]


@pytest.mark.parametrize(
    ("knee", "says"),
    [
        (
            KNEE,
            "is kept up to demand 8, 700 requests a day more than in the study, and no longer at 9; what binds: workers at the head-end.",
        ),
        (
            KNEE._replace(broken=None, binds=""),
            "is kept up to demand 8 at least, 700 requests a day more than in the study.",
        ),
        (KNEE._replace(kept=None, broken=1.0), "is not kept even at demand 1."),
    ],
)
def test_a_knee_tells_where_it_breaks_and_what_binds(knee: Knee, says: str) -> None:
    outcome = replace(made(FIRST_IS_BEST), knees=[knee])
    assert list(lines(outcome, StudyVerdict(())))[-1] == f"day-0 under smt-today: told_in_call>=0.4 {says}"


def test_levels_are_told_by_workload() -> None:
    judged = JudgedLevel(level_of("usd<=1"), "day-0", (Mark.PASSED, Mark.FAILED))
    assert list(lines(made(FIRST_IS_BEST), StudyVerdict((judged,))))[-1] == "usd<=1 on day-0: partly"


def test_a_what_if_tells_both_and_by_how_much() -> None:
    text = [" ".join(line.split()) for line in if_lines(made([FIRST_IS_BEST[0]]))]
    assert text[0] == "Day 0, 100 requests a day to be expected; means of 2 draws, ± half of the paired 95 % interval."
    for line in (
        "store-only smt-today then more by",
        "told in the call, % of call centres' reads 55.0 44.5 -10.5 ± 6.4",
        "tries at meters 50 50 0 ± 0 =",
        "dollars a day by which bills told are off 28 17 -10",
        "store-only SMT-HOUR: ror_call_centre 22, ror_bulk 22, customer 22, home_automation 22, csp 22",
    ):
        assert line in text
    assert "one draw, a first glance" in next(if_lines(made([[[(0.5, 0.1)], [(0.5, float("nan"))]]])))


def test_the_command_runs_a_study_and_goes_on_from_what_is_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["run", str(written(tmp_path)), "--out", str(out), "--workers", "1"]
    first = CliRunner().invoke(app, words)
    assert first.exit_code == 0, first.output
    assert first.stdout.startswith("On tiny the least regret in what is told in the call: ")
    assert "told_in_call>0.05 on tiny: passed\n" in first.stdout
    assert "\n4 cells, 4 of them computed now" in first.stdout
    again = CliRunner().invoke(app, words)
    assert "\n4 cells, 0 of them computed now" in again.stdout
    assert {"outcome.json", "cells.parquet", "asked.parquet", "use.parquet", "points.parquet", "report.html"} <= {
        one.name for one in out.iterdir()
    }
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
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
    assert [one["name"] for one in listed] == list(STUDIES.files()) == ["throttle-policies"]


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


@pytest.mark.process
def test_a_what_if_is_answered_twice_and_held_to_its_bounds(tmp_path: Path) -> None:
    words = ["whatif", "--fleet", "20k", "--policy", "store-only", "--replications", "2", "--workers", "1"]
    ran = CliRunner().invoke(app, [*words, "--assert", "told_in_call>=0.99", "--storm", "0.1", "--post-at", "15:00"])
    assert ran.exit_code == 1, ran.output
    assert "one draw, a first glance" in ran.stdout
    assert "means of 2 draws" in ran.stdout
    assert ran.stdout.splitlines()[-1].endswith(" on what-if under store-only")
    told = json.loads(CliRunner().invoke(app, [*words, "--json", "--assume", "workers=7"]).stdout)
    assert told["assumed"]["network"]["workers"] == 7
    assert told["not_kept"] == []
