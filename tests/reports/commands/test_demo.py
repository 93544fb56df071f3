"""``ami demo`` as a user meets it, and ``ami report``."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import typer

from reports.commands import demo as commands
from reports.commands.demo import report
from scenarios.errors import ScenarioError
from scenarios.run import JudgedRun
from tests.simulator.capacity.outcomes import FIRST_IS_BEST, made
from tests.simulator.processes import AMI, done, invoked


@pytest.mark.long
@pytest.mark.process
def test_the_demo_passes_end_to_end_and_prints_steps_bill_rule_and_paths(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    # What it draws needs no matplotlib, which takes longer to import than a page to make.
    (tmp_path / "matplotlib.py").write_text("raise ImportError('matplotlib is not asked for')", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), *filter(None, (os.environ.get("PYTHONPATH"),))])
    demo = done(*AMI, "demo", "--out", str(out), "--json", env={**os.environ, "PYTHONPATH": path})
    assert demo.stdout == (out / "result.json").read_text(encoding="utf-8")
    said = demo.stderr
    for step in ("S1", "S2", "S3", "S4", "S5", "S6", "S7"):
        assert re.search(rf"^{step}  PASS  ", said, re.MULTILINE)
    # The figures that the README shows.
    flat = re.sub(r"\s+", " ", said)
    for words in (
        "64 intervals from its store and reads 6 from the meter",
        "told at once $194.31",
        "You owe $193.84 by now, with tax: for this cycle to 2026-08-12 17:30, and nothing from before.",
        "898.031 VEE actual + 1.681 VEE estimated + 17.400 non-VEE from the store + 2.537 non-VEE from the meter;",
        "The cycle to 2026-08-14 will come to $107.73 to $210.13 in eight of ten, $170.77 in the mean,",
        "38 of 100 ways that the cycle may go reach it; the bill is about $108.12 then and $209.14 otherwise.",
        "Try again from 2026-08-13 00:00. The gap has 73 intervals; the store holds 70, to 2026-08-12 17:30",
        "Power is ON",
        "Told $193.84, re-billed $193.84 on VEE data to the same instant: difference $0.00.",
        "36 operating days posted as LSE over FTPS",
        "PASSED 10 of 10 steps passed, 11 of 11 checks",
    ):
        assert words in flat
    bills = json.loads(demo.stdout)["bills"]
    # What was told at once was right: the bill that was read, and re-billed, lies in its band.
    assert bills["instant"]["owed_usd"]["low"] < "193.84" < bills["instant"]["owed_usd"]["high"]
    assert "\x1b" not in said
    assert (out / "report.html").is_file()
    assert len(list((out / "lse").glob("*.lse"))) == 36


def test_what_is_played_is_a_shipped_scenario_and_its_arithmetic_is_told_to_who_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "DEMO", "two-clients-use-up-a-quota")
    ran = invoked("demo", "--out", str(tmp_path), "--explain")
    assert ran.exit_code == 0, ran.output
    assert "PASSED" in ran.stdout
    assert {"report.html", "result.json", "recording.json"} <= {one.name for one in tmp_path.iterdir()}


def test_report_makes_the_page_of_a_folder_again(balance_run: JudgedRun, capsys: pytest.CaptureFixture[str]) -> None:
    page = balance_run.out / "report.html"
    page.unlink(missing_ok=True)
    with pytest.raises(typer.Exit) as ended:
        report(balance_run.out)
    assert ended.value.exit_code == 0
    assert capsys.readouterr().out.strip() == str(page)
    assert page.is_file()
    with pytest.raises(typer.Exit):
        report(balance_run.out, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"report": str(page), "mark": "passed"}


def test_report_of_a_folder_without_results_names_it(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=re.escape(str(tmp_path))):
        report(tmp_path)


def test_report_makes_the_page_of_a_study_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(FIRST_IS_BEST).save(tmp_path)
    with pytest.raises(typer.Exit) as ended:
        report(tmp_path, as_json=True)
    told = json.loads(capsys.readouterr().out)
    # No service level is asked for, so nothing passed.
    assert (ended.value.exit_code, told["mark"]) == (1, "not exercised")
    assert Path(told["report"]).read_text(encoding="utf-8").startswith("<!doctype html>")
