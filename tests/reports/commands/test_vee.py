"""``ami vee make``, ``run`` and ``score`` as a user has them, over a fleet of eight meters."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from meters.errors import UserError
from reports.commands import vee
from reports.score import made
from simulator.runtime.folder import own
from tests.reports.score.asked import FAULTS, asked, figures, made_in
from tests.simulator.processes import invoked


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was made, with our output."""
    return made_in(tmp_path_factory.mktemp("score"))


def test_our_batch_finds_what_was_done(folder: Path) -> None:
    got = figures(folder)
    # The multiplier on both days, the reset and the rest on the first alone: what lasts is no fault-day of the second.
    days = {kind: row["fault_days"] for kind, row in got["kinds"].items()}
    assert days == {"spike": 1, "gap": 1, "reset": 1, "dead": 1, "multiplier": 2, "outage": 1}
    for kind in ("spike", "gap", "reset", "dead", "multiplier"):
        assert got["kinds"][kind]["seen"] == 1.0
    assert got["kinds"]["spike"]["located"] == got["kinds"]["dead"]["located"] == 1.0
    assert got["kinds"]["outage"]["true_intervals_marked_e"] == 0.0
    assert got["look_alikes"]["peak"] == {"days": 1, "marked_e": 0.0}
    assert got["intervals"]["not_delivered"] == 0
    assert got["unknown_rules"] == []
    assert got["measured"] is True
    # Sixteen meter-days; six of faults on the first day, one on the second.
    assert (got["meter_days"], got["innocent_meter_days"]) == (16, 9)


def test_text_page_and_csv_are_there_for_people(folder: Path) -> None:
    assert "targets:" in asked("score", str(folder), "--html", str(folder / "page.html"))
    assert "our batch: 8 meters of Oncor" in (folder / "page.html").read_text()
    refused = invoked("vee", "score", str(folder), "--html", str(folder / "none/page.html"))
    assert isinstance(refused.exception, UserError)
    assert refused.exception.place == str(folder / "none/page.html")
    lines = (folder / "fed/2026-07-14/reads.csv").read_text().splitlines()
    # The meter that did not answer has no rows, one without a value an empty one.
    assert lines[0] == '"esiid","channel","start","wh","status"'
    assert len(lines) == 1 + 7 * 2 * 96
    assert (folder / "truth/faults.json").exists()
    assert not list((folder / "fed").rglob("*truth*"))


def test_ctrl_c_tells_that_the_same_command_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(made, "make", stopped)
    monkeypatch.setattr(os, "_exit", sys.exit)
    with pytest.raises(SystemExit) as ended:
        vee.make(tmp_path, faults=None)
    assert ended.value.code == 130
    assert capfd.readouterr().err == "stopped; the same command goes on where it was.\n"
    assert signal.getsignal(signal.SIGINT) is before


def test_in_the_background_ctrl_c_stays_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []
    monkeypatch.setattr(made, "make", lambda *_: heard.append(signal.getsignal(signal.SIGINT)))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    vee.make(tmp_path, meters=2, days="2026-08-10", faults=None)
    assert heard == [signal.SIG_IGN]
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_days_without_a_fault_measure_nothing(tmp_path: Path) -> None:
    # August is outside the shipped mix's weeks.
    said = asked("make", "--meters", "2", "--days", "2026-08-10", "--out", str(tmp_path))
    assert "no fault in these days:" in said
    faults = tmp_path / "faults.yaml"
    faults.write_text(FAULTS)
    few = ("--meters", "8", "--days", "2026-08-10", "--faults", str(faults), "--out", str(tmp_path / "few"))
    assert "no fault in these days but of kinds that always act (multiplier):" in asked("make", *few)
    few = ("--meters", "8", "--days", "2026-07-14", "--faults", str(faults), "--out", str(tmp_path / "some"))
    assert "no fault" not in asked("make", *few)
    asked("run", str(tmp_path))
    text = asked("score", str(tmp_path), "--html", str(tmp_path / "page.html"))
    assert "targets: nothing is measured: no fault in these days\n" in text
    page = (tmp_path / "page.html").read_text()
    assert "Nothing is measured: no fault in these days." in page
    assert "targets reached" not in page
    assert 'class="word passed"' not in page
    got = figures(tmp_path)
    assert got["measured"] is False
    assert {target["kept"] for target in got["targets"]} == {None}


def test_what_there_is_not_or_cannot_be_read_is_told_with_its_mend(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "made", ignore=shutil.ignore_patterns("ours"))
    (tmp_path / "notes.txt").write_text("no table\n")
    for words, code, mend in (
        ((), "vee.score.ours", f"Run 'ami vee run {tmp_path / 'made'}' first."),
        (("--engine", str(tmp_path / "nix")), "vee.score.engine", "Name files of the engine."),
        (("--engine", str(tmp_path / "notes.txt")), "vee.score.engine", "Give LSE or CMEP files, CSV or Parquet."),
    ):
        done = invoked("vee", "score", str(tmp_path / "made"), *words)
        assert isinstance(done.exception, UserError)
        assert (done.exception.code, done.exception.mend, done.exception.exit_code) == (code, mend, 2)


def test_a_folder_is_one_commands_at_a_time(folder: Path, tmp_path: Path) -> None:
    with own(folder, ()):
        for words in (("make", "--meters", "2", "--days", "2026-07-14", "--out"), ("run",)):
            done = invoked("vee", *words, str(folder))
            assert isinstance(done.exception, UserError)
            assert (done.exception.code, done.exception.exit_code) == ("out.in_use", 2)
    assert figures(folder)["meter_days"] == 16


def test_a_file_that_was_spoilt_since_is_named(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "made"
    for name in ("fed/2026-07-14/reads", "fed/2026-07-15/events", "truth/2026-07-14/days"):
        shutil.copytree(folder, out, dirs_exist_ok=True)
        (out / f"{name}.parquet").write_bytes((out / f"{name}.parquet").read_bytes()[:-10])
        done = invoked("vee", "score" if name.startswith("truth") else "run", str(out))
        assert isinstance(done.exception, UserError)
        assert (done.exception.code, done.exception.place) == ("vee.score.folder", str(out / f"{name}.parquet"))


def test_every_mistake_of_a_preset_is_told_and_nothing_is_run(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("name: mine\nspikes: 3\n")
    done = invoked("vee", "run", str(tmp_path), "--preset", str(tmp_path / "mine.yaml"))
    assert done.exit_code == 2
    lines = done.stderr.splitlines()
    assert {line.split(":")[0] for line in lines} == {"vee.preset.invalid"}
    assert [line for line in lines if ":1: name: There is no field 'name' here." in line]
    assert [line for line in lines if ":2: spikes: There is no field 'spikes' here." in line]
    unknown = invoked("vee", "run", str(tmp_path), "--preset", "oncorr")
    assert unknown.exit_code == 2
    assert unknown.stderr.startswith("vee.preset.unreadable: oncorr:")
    assert not (tmp_path / "ours").exists()


def test_names_that_lead_to_no_rule_and_rows_of_nothing_made_are_told(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "theirs.csv"
    esiid = (folder / "fed/2026-07-14/reads.csv").read_text().splitlines()[1].split(",")[0].strip('"')
    starts = ("2026-07-14T00:00:00-05:00", "2026-07-20T00:00:00-05:00")
    rows = [f"{esiid},4,{start},100,A,odd-rule\n" for start in starts]
    file.write_text("".join(["esiid,channel,start,wh,status,rule\n", *rows]))
    done = invoked("vee", "score", str(folder), "--engine", str(file))
    assert done.exit_code == 0, done.exception or done.output
    assert "names that lead to no rule: odd-rule" in done.stderr
    assert "1 rows are of no interval that was made, or came again" in done.stderr
