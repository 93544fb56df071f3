"""``ami scenario run``: what it prints and writes, and its exit codes, through the front door."""

from __future__ import annotations

import json
import re
import signal
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from scenarios.file.shipped import SCENARIOS
from simulator.runtime.driver import StalledError
from simulator.runtime.progress_file import read_progress
from tests.scenarios.short import short_balance, short_last_bill, written
from tests.simulator.processes import ending, invoked, line, patience, ran, started


def test_a_missing_file_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("scenario", "run", "nowhere.yaml") == 2
    said = capsys.readouterr().err
    assert said.startswith("scenario.unreadable: nowhere.yaml")
    assert said.count("\n") == 1


def test_run_passes_with_0_and_writes_the_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = written(tmp_path / "one.yaml", short_last_bill()), tmp_path / "out"
    far, junit, table = tmp_path / "far.jsonl", tmp_path / "junit.xml", tmp_path / "table.md"
    files = ("--progress", str(far), "--junit", str(junit), "--summary", str(table))
    assert ran("scenario", "run", str(file), "--out", str(out), *files) == 0
    told = read_progress(far)
    assert [told[0]["event"], told[-1]] == ["begun", {"event": "ended", "error": ""}]
    states = [set(one["states"].values()) for one in told if one["event"] == "reached"]
    assert (states[0], states[-1]) == ({"waiting"}, {"over"})
    # What was told of the steps while it ran is what the verdict says of them at its end.
    result = json.loads((out / "result.json").read_text("utf-8"))
    marks = {one["id"]: one["mark"] for one in (*result["steps"], *result["checks"])}
    judged = {one["id"]: one["mark"] for line in told if line["event"] == "judged" for one in line["judged"]}
    assert judged
    assert judged.items() <= marks.items()
    said = capsys.readouterr().out
    assert "not exercised S3" in said
    assert "verdict: passed" in said
    assert said.endswith(f"\n  page: {out / 'report.html'}\n")
    assert (out / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert max(len(line) for line in said.splitlines() if str(out) not in line) <= 100
    assert not re.search(r"T\d\d:\d\d:\d\d-0[56]:00", said)
    assert {"recording.json", "result.json", "run.json", "lse"} <= {path.name for path in out.iterdir()}
    (suite,) = ElementTree.parse(junit).getroot().iter("testsuite")
    assert (suite.get("name"), suite.get("failures")) == ("short-last-bill", "0")
    assert "| short-last-bill |" in table.read_text("utf-8")


def test_how_far_it_is_is_told_of_one_scenario_in_a_file_that_can_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, code in (
        (("hour-before", "gap-of-17-h-30"), "scenario.progress"),
        (("power-status-in-an-outage",), "progress.unusable"),
    ):
        assert ran("scenario", "run", *words, "--progress", str(tmp_path)) == 2
        assert capsys.readouterr().err.startswith(f"{code}: ")


def test_shipped_outage_scenario_passes_and_its_ledger_names_the_outage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert ran("scenario", "run", "power-status-in-an-outage", "--out", str(out)) == 0
    assert "Power is OFF: switch unknown, no voltage told, by event." in capsys.readouterr().out
    outage, unheard = json.loads((out / "faults.json").read_text())
    assert unheard["params"]["last_gasp"] == 0
    assert outage["kind"] == "outage"
    # It touches the intervals from 19:00 to 20:30, and leaves of them the first five minutes and the last ten.
    assert outage["intervals"] == 6
    assert 0 < outage["shown_wh"] < outage["true_wh"] / 2


def test_run_with_a_failed_verdict_exits_1_and_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = short_last_bill()
    content["timeline"][0]["expect"] = {"outcome": "answered"}
    file = written(tmp_path / "one.yaml", content)
    assert ran("scenario", "run", str(file), "--out", str(tmp_path / "out"), "--json") == 1
    result = json.loads(capsys.readouterr().out)
    assert result["mark"] == "failed"
    failed = next(check for check in result["checks"] if check["id"] == "call-0001")
    assert failed["failures"][0] == {"what": "how the request ended", "expected": "answered", "found": "not_needed"}


def test_run_that_cannot_write_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path / "one.yaml", short_last_bill())
    (tmp_path / "out").write_text("a file")
    assert ran("scenario", "run", str(file), "--out", str(tmp_path / "out")) == 2
    assert "out.unusable" in capsys.readouterr().err
    assert ran("scenario", "run", str(file), "--out", str(tmp_path / "out" / "x")) == 2
    assert "out.unusable" in capsys.readouterr().err


def test_two_scenarios_of_one_name_are_refused(tmp_path: Path) -> None:
    files = [str(written(tmp_path / name, short_last_bill())) for name in ("a.yaml", "b.yaml")]
    assert ran("scenario", "run", *files) == 2


@pytest.mark.process
def test_ctrl_c_ends_with_130_and_one_line(tmp_path: Path) -> None:
    file, out = SCENARIOS.files()["customer-balance-inquiry"], tmp_path / "out"
    running = started("scenario", "run", str(file), "--out", str(out), fresh=True)
    with ending(running):
        # The database of the head-end is made after the sockets are bound: from here on there is something to close.
        deadline = time.monotonic() + patience()
        while not (out / "headend.sqlite").exists() and time.monotonic() < deadline and running.poll() is None:
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        assert running.wait(patience()) == 130
        assert running.stderr is not None
        assert running.stderr.read() == "Stopped: the parties were shut down, the run is not complete.\n"
        assert line(running) == ""


def test_a_fault_of_ours_in_a_run_is_inconclusive_and_leaves_its_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr("headend.day.cycle.DailyCycle.validate", breaks)
    file, out = written(tmp_path / "one.yaml", short_last_bill()), tmp_path / "out"
    assert ran("scenario", "run", str(file), "--out", str(out)) == 3
    assert "A process ended by a fault of ami-testbed's own: " in " ".join(capsys.readouterr().out.split())
    assert json.loads((out / "result.json").read_text(encoding="utf-8"))["mark"] == "inconclusive"
    assert ran("scenario", "judge", str(out / "recording.json")) == 3


def test_a_run_that_stalls_is_inconclusive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stalls(*_: object) -> None:
        raise StalledError("runtime.stalled", "Still in flight.")

    monkeypatch.setattr("scenarios.many.run_and_judge", stalls)
    assert ran("scenario", "run", "t-failed-for-days", "--out", str(tmp_path)) == 3
    assert capsys.readouterr().err == "t-failed-for-days: runtime.stalled: Still in flight.\n"
    monkeypatch.setattr("scenarios.many.run_and_judge", lambda *_: 1 / 0)
    assert ran("scenario", "run", "t-failed-for-days", "--out", str(tmp_path)) == 3
    assert "This is a fault of ami-testbed" in capsys.readouterr().err


def several(folder: Path) -> Path:
    """A folder with one that fails between two that pass."""
    folder.mkdir()
    bad = short_last_bill()
    bad["timeline"][0]["expect"] = {"outcome": "answered"}
    written(folder / "a.yaml", short_last_bill() | {"name": "a", "tags": ["good"]})
    written(folder / "b.yaml", bad | {"name": "b"})
    written(folder / "c.yaml", short_last_bill() | {"name": "c", "tags": ["good"]})
    return folder


def test_several_are_told_in_a_table_and_on_pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files, out, junit, summary = several(tmp_path / "in"), tmp_path / "out", tmp_path / "x" / "j.xml", tmp_path / "s.md"
    told = ("--junit", str(junit), "--summary", str(summary), "--out", str(out), "--jobs", "1")
    assert ran("scenario", "run", str(files), *told) == 1
    head, *rows, last = capsys.readouterr().out.splitlines()
    assert head.startswith("scenario")
    assert [row.split()[:2] for row in rows] == [["a", "passed"], ["b", "failed"], ["c", "passed"]]
    assert re.fullmatch(rf"3 scenarios: 1 failed, 2 passed; [0-9.]+ CPU s\. Pages: {out / 'index.html'}", last)
    assert {"a/report.html", "b/report.html", "c/report.html"} <= set(
        re.findall(r'href="([^"]+)"', (out / "index.html").read_text("utf-8"))
    )
    assert junit.read_text("utf-8").count("<testsuite ") == 3
    assert summary.read_text("utf-8").startswith("## 3 scenarios: 1 failed, 2 passed\n")


def test_a_tag_takes_some_and_json_gives_their_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files, out = several(tmp_path / "in"), tmp_path / "out"
    assert ran("scenario", "run", str(files), "--tag", "good", "--out", str(out), "--jobs", "1", "--json") == 0
    assert [one["scenario"]["name"] for one in json.loads(capsys.readouterr().out)] == ["a", "c"]


def test_fail_fast_plays_no_more_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files, out = several(tmp_path / "in"), tmp_path / "out"
    assert ran("scenario", "run", str(files), "--fail-fast", "--out", str(out), "--jobs", "1") == 1
    assert "3 scenarios: 1 failed, 1 passed, 1 not played; " in capsys.readouterr().out
    assert not (out / "c").exists()


def test_a_summary_that_cannot_be_written_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path / "one.yaml", short_last_bill())
    where = str(tmp_path / "one.yaml" / "s.md")
    assert ran("scenario", "run", str(file), "--summary", where, "--out", str(tmp_path / "out")) == 2
    assert capsys.readouterr().err.startswith(f"out.unusable: {where}: ")


def test_nothing_that_is_named_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("scenario", "run") == 2
    assert capsys.readouterr().err.startswith("scenario.none_named: ")


@pytest.mark.long
@pytest.mark.process
def test_ctrl_c_among_many_keeps_and_tells_what_was_judged(tmp_path: Path) -> None:
    files, out = several(tmp_path / "in"), tmp_path / "out"
    (files / "b.yaml").unlink()
    long = short_balance()
    long["world"] |= {"first_day": "2026-01-01", "meters": 40}
    written(files / "long.yaml", long | {"name": "long"})
    running = started("scenario", "run", str(files), "--out", str(out), "--jobs", "2", fresh=True)
    with ending(running):
        deadline = time.monotonic() + patience()
        while not (out / "c" / "report.html").exists() and time.monotonic() < deadline and running.poll() is None:
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        assert running.wait(patience()) == 130
        assert running.stdout is not None
        said = running.stdout.read()
    assert re.search(r"^3 scenarios: [12] passed, [12] not played; ", said, re.MULTILINE)
    assert (out / "a" / "result.json").exists()
    assert not (out / "long" / "result.json").exists()
    assert 'href="a/report.html"' in (out / "index.html").read_text("utf-8")


def test_what_is_shown_of_each_requirement_is_told_and_written_as_table_and_page(tmp_path: Path) -> None:
    table, page = tmp_path / "new" / "covered.csv", tmp_path / "covered.html"
    done = invoked("scenario", "coverage", "gap-of-17-h-30", "--csv", str(table), "--html", str(page))
    assert done.exit_code == 0, done.exception or done.output
    lines = done.stdout.splitlines()
    assert [line.split() for line in lines if line.startswith("UC-N1 ")] == [["UC-N1", "shown", "by", "gap-of-17-h-30"]]
    rows = table.read_text("utf-8").splitlines()
    assert len(rows) - 1 == int(lines[-1].split()[0])
    assert "gap-of-17-h-30" in page.read_text("utf-8")
    check = invoked("scenario", "coverage", "gap-of-17-h-30", "--check")
    assert check.exit_code == 1
    assert all("NOTHING shows it" in line for line in check.stdout.splitlines()[:-1])
    (tmp_path / "file").write_text("")
    refused = invoked("scenario", "coverage", "gap-of-17-h-30", "--csv", str(tmp_path / "file" / "covered.csv"))
    assert str(refused.exception).startswith("out.unusable:")
    assert str(refused.exception).endswith("Name another with --csv.")
