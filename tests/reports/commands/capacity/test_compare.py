"""``ami capacity compare`` and ``whatif``: a workload of one's own under some policies, bounds that are kept or not, what cannot be compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from meters.errors import UserError
from reports.commands.capacity.compare import WORKLOADS, bounds_in, presets, shipped_workloads
from reports.commands.capacity.study import app
from simulator.capacity.told import GROUPS
from simulator.capacity.workload.chosen import shipped
from simulator.runtime.progress_file import read_progress


def test_a_bound_that_cannot_be_read_is_told() -> None:
    with pytest.raises(
        UserError, match=r"--assert 'told_in_cal>=0.5': There is no measure.*Did you mean told_in_call"
    ) as caught:
        bounds_in(["usd<1", "told_in_cal>=0.5"])
    assert caught.value.code == "capacity.compare.assert"
    assert [one.text for one in bounds_in(["usd<1"])] == ["usd<1"]


SMALL = """name: tiny
day: 2026-08-12
fleet: {tdsps: [{name: Oncor, meters: 20000}]}
calls: {ror_call_centre: {reads: 200}}
"""


@pytest.mark.process
@pytest.mark.long
def test_the_command_compares_a_workload_of_ones_own(tmp_path: Path) -> None:
    mine, cells = tmp_path / "tiny.yaml", tmp_path / "cells.csv"
    mine.write_text(SMALL, "utf-8")
    words = ["compare", str(mine), "--policy", "smt-today", "--policy", "store-only", "--replications", "2"]
    one = CliRunner().invoke(app, [*words, "--workers", "1", "--csv", str(cells), "--assert", "usd<=0.0001"])
    assert one.exit_code == 1, one.output
    assert one.stdout.startswith("On tiny the least regret in call centres' interval reads told in the call: ")
    assert one.stdout.splitlines()[-1].startswith("not kept: usd<=0.0001: 0.")
    assert one.stdout.splitlines()[-1].endswith(" on tiny under store-only")
    assert len(cells.read_text("utf-8").splitlines()) == 1 + 2 * 2 * len(GROUPS)
    other = CliRunner().invoke(app, [*words, "--workers", "2", "--json", "--assert", "usd<=9"])
    assert other.exit_code == 0, other.output
    found = json.loads(other.stdout)
    assert found["answer"] == one.stdout.splitlines()[0]
    assert found["not_kept"] == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["ordinary-dya"], "capacity.workload.unreadable"),
        (["ordinary-day", "--policy", "smt-todya"], "policy.unknown"),
        (["ordinary-day", "ordinary-day"], "capacity.compare.twice"),
        (["ordinary-day", "--policy", "smt-today", "--policy", "smt-today"], "capacity.compare.twice"),
        (["ordinary-day", "--csv", "none/cells.csv"], "capacity.compare.csv"),
        (["ordinary-day", "--assert", "all"], "capacity.compare.assert"),
    ],
)
def test_what_cannot_be_compared_is_told_before_anything_is_played(words: list[str], code: str) -> None:
    ran = CliRunner().invoke(app, ["compare", *words])
    assert isinstance(ran.exception, UserError)
    assert (ran.exception.code, ran.exception.exit_code) == (code, 2)
    assert ran.exception.mend


def test_names_that_are_offered_are_there() -> None:
    assert {*WORKLOADS} <= {*shipped()}
    assert shipped_workloads("b") == ["beryl-2024", "bill-surge-x3", "bulk-40000"]
    assert presets("store") == ["store-within", "store-only"]


@pytest.mark.process
def test_a_what_if_is_answered_twice_and_held_to_its_bounds(tmp_path: Path) -> None:
    words = ["whatif", "--fleet", "20k", "--policy", "store-only", "--replications", "2", "--workers", "1"]
    ran = CliRunner().invoke(app, [*words, "--assert", "told_in_call>=0.99", "--storm", "0.1", "--post-at", "15:00"])
    assert ran.exit_code == 1, ran.output
    assert "one draw, a first glance" in ran.stdout
    assert "means of 2 draws" in ran.stdout
    assert ran.stdout.splitlines()[-1].endswith(" on what-if under store-only")
    out, progress = tmp_path / "out", tmp_path / "progress.jsonl"
    kept = ["--out", str(out), "--progress", str(progress)]
    told = json.loads(CliRunner().invoke(app, [*words, *kept, "--json", "--assume", "workers=7"]).stdout)
    assert json.loads((out / "outcome.json").read_text("utf-8"))["study"]["name"] == "what-if"
    lines = read_progress(progress)
    assert (lines[0]["event"], lines[0]["name"]) == ("begun", "what-if")
    assert [(one["done"], one["of"]) for one in lines if one["event"] == "reached"][-1] == (4, 4)
    assert lines[-1] == {"event": "ended", "error": ""}
    assert told["assumed"]["network"]["workers"] == 7
    assert told["not_kept"] == []


def test_one_draw_is_told_once_and_of_nobody_there_are_no_figures() -> None:
    words = ["whatif", "--fleet", "1", "--policy", "store-only", "--workers", "1"]
    once = CliRunner().invoke(app, [*words, "--replications", "1"]).stdout
    assert once.count("one draw, a first glance") == 1
    assert once.startswith("An ordinary weekday of a TDSP with 1 meter, 0 requests a day")
    assert " nan" not in once
    twice = CliRunner().invoke(app, [*words, "--replications", "2"]).stdout
    dollars, wrong = (
        next(line.split() for line in reversed(twice.splitlines()) if of in line)
        for of in ("dollars a day", "a bill told is off")
    )
    assert dollars[-3:] == wrong[-3:] == ["-", "-", "-"]


@pytest.mark.parametrize("command", [["compare", "ordinary-day"], ["whatif", "--fleet", "20k"]])
def test_a_folder_that_cannot_be_made_is_told_before_anything_is_played(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    ran = CliRunner().invoke(app, [*command, "--workers", "1", "--out", str(tmp_path / "file" / "below")])
    assert isinstance(ran.exception, UserError)
    assert (ran.exception.code, ran.stdout) == ("capacity.out.unwritable", "")
