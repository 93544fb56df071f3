"""``ami vee make``, ``run`` and ``score`` as a user has them, over a fleet of eight meters."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from ami import app
from headend.lse import writer as lse
from headend.vee.preset import Preset
from meters.calendar import epoch, iso, seconds
from meters.errors import UserError
from reports.commands import vee
from reports.score import made
from reports.score.delivered import Engine, files_of, ours, read_names
from reports.score.engine import run_day
from reports.score.made import days_of, read_made

FAULTS = """
faults:
  - {kind: spike, meter: 1, factor: 10, first: 2026-07-14T10:00, until: 2026-07-14T10:15}
  - {kind: gap, meter: 2, first: 2026-07-14T10:00, until: 2026-07-14T11:00}
  - {kind: reset, meter: 3, first: 2026-07-14T10:00}
  - {kind: dead, meter: 4, first: 2026-07-15T00:00, until: 2026-07-15T12:00}
  - {kind: multiplier, meter: 5, value: 10}
  - {kind: outage, meter: 6, first: 2026-07-14T10:00, until: 2026-07-14T12:00}
lookalikes:
  - {kind: peak, meter: 7, first: 2026-07-14T15:00, unread: 0}
"""
DAY = date(2026, 7, 14)


def _asked(*words: str) -> str:
    done = CliRunner().invoke(app(), ["vee", *words])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was made, with our output."""
    out = tmp_path_factory.mktemp("score")
    (out / "faults.yaml").write_text(FAULTS)
    words = (
        "--meters",
        "8",
        "--days",
        "2026-07-14..2026-07-15",
        "--faults",
        str(out / "faults.yaml"),
        "--csv",
        "--cmep",
    )
    _asked("make", *words, "--out", str(out / "made"))
    _asked("run", str(out / "made"))
    return out / "made"


def _figures(folder: Path, *words: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(_asked("score", str(folder), *words, "--json"))
    return made


def test_our_batch_finds_what_was_done(folder: Path) -> None:
    got = _figures(folder)
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
    assert "targets:" in _asked("score", str(folder), "--html", str(folder / "page.html"))
    assert "our batch: 8 meters of Oncor" in (folder / "page.html").read_text()
    refused = CliRunner().invoke(app(), ["vee", "score", str(folder), "--html", str(folder / "none/page.html")])
    assert isinstance(refused.exception, UserError)
    assert refused.exception.place == str(folder / "none/page.html")
    lines = (folder / "fed/2026-07-14/reads.csv").read_text().splitlines()
    # The meter that did not answer has no rows, one without a value an empty one.
    assert lines[0] == '"esiid","channel","start","wh","status"'
    assert len(lines) == 1 + 7 * 2 * 96
    assert (folder / "truth/faults.json").exists()
    assert not list((folder / "fed").rglob("*truth*"))


def test_another_engine_in_csv_with_kwh_local_time_and_its_own_names_scores_the_same(
    folder: Path, tmp_path: Path
) -> None:
    ours = pa.concat_tables([pq.read_table(path) for path in sorted((folder / "ours").glob("*.parquet"))]).to_pylist()
    rows = [
        {
            "esiid": row["esiid"],
            "channel": row["channel"],
            "start": iso(seconds(row["start"].timestamp())),
            "kwh": row["wh"] / 1000,
            "status": row["status"],
            "rule": ";".join(f"X-{name}" for name in row["rule"].split(";") if name),
        }
        for row in ours
    ]
    pa.csv.write_csv(pa.Table.from_pylist(rows), tmp_path / "theirs.csv")
    names = {name for row in rows for name in row["rule"].split(";") if name}
    (tmp_path / "names.yaml").write_text("".join(f"{name}: {name[2:]}\n" for name in sorted(names)))
    got = _figures(folder, "--engine", str(tmp_path / "theirs.csv"), "--rules", str(tmp_path / "names.yaml"))
    own = _figures(folder)
    for part in ("kinds", "rules", "intervals", "look_alikes", "innocent_meter_days", "rows_of_nothing_made"):
        assert got[part] == own[part]


def test_lse_files_are_scored_by_their_intervals_alone(folder: Path, tmp_path: Path) -> None:
    whole = read_made(folder)
    posted = epoch("2026-07-15T07:30:00")
    for at, day in enumerate(whole.days):
        records = lse.from_vee(run_day(whole, day, Preset()), posted)
        (tmp_path / lse.file_name("103994067", posted, at)).write_bytes(lse.dumps(records))
    got = _figures(folder, "--engine", str(tmp_path))
    own = _figures(folder)["intervals"]
    # They name no rule, so what is wrong in them is said by nobody.
    assert got["intervals"] == own | {"wrong_as_a_unsaid_percent": own["wrong_as_a_percent"]}
    kinds = got["kinds"]
    assert not got["rules_delivered"]
    assert {row[name] for row in kinds.values() if "seen" in row for name in ("seen", "precision", "f1")} == {None}
    # By E alone, which our batch put where they were.
    assert [kinds[kind]["located"] for kind in ("spike", "gap", "dead")] == [1.0, 1.0, 1.0]
    assert not [target for target in got["targets"] if target["kept"] is False]
    text = _asked("score", str(folder), "--engine", str(tmp_path), "--html", str(tmp_path.parent / "lse.html"))
    assert "\nNo rules delivered: seen and F1 are not judged" in text
    assert "No rules delivered: seen and F1 are not judged" in (tmp_path.parent / "lse.html").read_text()
    assert "No rules" not in _asked("score", str(folder))


def test_cmep_of_what_is_fed_is_an_engine_that_posts_what_was_read(folder: Path) -> None:
    files = [word for day in ("14", "15") for word in ("--engine", str(folder / f"fed/2026-07-{day}/reads.cmep"))]
    got = _figures(folder, *files)
    whole = read_made(folder)
    fed = [whole.fed(day) for day in whole.days]
    counted = np.stack([np.ones(8, np.bool_), whole.assets["generation"]])
    assert got["rows_of_nothing_made"] == 0
    assert got["intervals"]["not_delivered"] == sum(int((~one.present & counted[:, :, None]).sum()) for one in fed)
    # Nine times what flowed at 10:00 was read too much by the first meter.
    spiked = whole.truth(DAY).flowed[0, 0, 40]
    assert got["wrong_as_a_wh"]["spike"] == 9 * spiked
    assert got["intervals"]["e_recall"] == 0.0
    assert (got["kinds"]["spike"]["seen"], got["kinds"]["spike"]["located"]) == (None, 0.0)


def test_a_make_that_was_broken_off_goes_on_with_the_days_that_lack(tmp_path: Path) -> None:
    out, words = tmp_path / "made", ("--meters", "2", "--days", "2026-07-14..2026-07-16")
    _asked("make", *words, "--out", str(out))
    files = {path: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
    # As one is left that was killed within its second day.
    told = json.loads((out / "made.json").read_text())
    (out / "made.json").unlink()
    shutil.rmtree(out / "fed/2026-07-15")
    (out / "fed/.2026-07-15.part").mkdir()
    shipped = (Path(made.__file__).parent / "mix.yaml").read_text()
    asked = {name: told[name] for name in ("tdsp", "meters", "seed", "mix", "days")}
    (out / "begun.json").write_text(json.dumps(asked | {"csv": False, "cmep": False, "faults": shipped}))
    kept = (out / "fed/2026-07-14").stat().st_ino
    with pytest.raises(UserError, match="nothing that 'ami vee make' wrote whole"):
        read_made(out)
    _asked("make", *words, "--out", str(out))
    assert {path: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()} == files
    assert (out / "fed/2026-07-14").stat().st_ino == kept
    # Other words begin anew.
    _asked("make", "--meters", "2", "--days", "2026-07-14", "--out", str(out))
    assert sorted(path.name for path in (out / "fed").iterdir()) == ["2026-07-14", "assets.parquet"]


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


def test_days_without_a_fault_measure_nothing(tmp_path: Path) -> None:
    # August is outside the shipped mix's weeks.
    said = _asked("make", "--meters", "2", "--days", "2026-08-10", "--out", str(tmp_path))
    assert "no fault in these days:" in said
    faults = tmp_path / "faults.yaml"
    faults.write_text(FAULTS)
    few = ("--meters", "8", "--days", "2026-08-10", "--faults", str(faults), "--out", str(tmp_path / "few"))
    assert "no fault in these days but of kinds that always act (multiplier):" in _asked("make", *few)
    few = ("--meters", "8", "--days", "2026-07-14", "--faults", str(faults), "--out", str(tmp_path / "some"))
    assert "no fault" not in _asked("make", *few)
    _asked("run", str(tmp_path))
    text = _asked("score", str(tmp_path), "--html", str(tmp_path / "page.html"))
    assert "targets: nothing is measured: no fault in these days\n" in text
    page = (tmp_path / "page.html").read_text()
    assert "Nothing is measured: no fault in these days." in page
    assert "targets reached" not in page
    assert 'class="word passed"' not in page
    got = _figures(tmp_path)
    assert got["measured"] is False
    assert {target["kept"] for target in got["targets"]} == {None}


def test_our_output_of_another_set_is_never_scored(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "made"
    shutil.copytree(folder, out)
    # As one was left by a batch over other faults, and by one that was killed within its days.
    for mark, said in (("another", "over another set"), ("", "no whole output")):
        (out / "ours/.made").write_text(mark)
        with pytest.raises(UserError, match=said) as caught:
            ours(read_made(out))
        assert (caught.value.place, caught.value.exit_code) == (str(out / "ours"), 2)
        assert f"ami vee run {out}" in caught.value.mend
    words = ("--meters", "2", "--days", "2026-07-14", "--out", str(out))
    assert "holds another set: it is replaced" in _asked("make", *words)
    assert not (out / "ours").exists()
    # The same set again is no other.
    (out / "ours").mkdir()
    assert "replaced" not in _asked("make", *words)
    assert (out / "ours").exists()


def test_what_there_is_not_or_cannot_be_read_is_told_with_its_mend(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "made", ignore=shutil.ignore_patterns("ours"))
    (tmp_path / "notes.txt").write_text("no table\n")
    for words, code, mend in (
        ((), "vee.score.ours", f"Run 'ami vee run {tmp_path / 'made'}' first."),
        (("--engine", str(tmp_path / "nix")), "vee.score.engine", "Name files of the engine."),
        (("--engine", str(tmp_path / "notes.txt")), "vee.score.engine", "Give LSE or CMEP files, CSV or Parquet."),
    ):
        done = CliRunner().invoke(app(), ["vee", "score", str(tmp_path / "made"), *words])
        assert isinstance(done.exception, UserError)
        assert (done.exception.code, done.exception.mend, done.exception.exit_code) == (code, mend, 2)


def test_hidden_files_and_folders_in_an_engines_folder_are_left_alone(tmp_path: Path) -> None:
    for name in ("a.csv", ".a.csv.swp", ".DS_Store", "README"):
        (tmp_path / name).touch()
    (tmp_path / "more.d").mkdir()
    assert files_of([tmp_path]) == [tmp_path / "a.csv"]
    # Named by itself it is meant.
    assert files_of([tmp_path / ".DS_Store"]) == [tmp_path / ".DS_Store"]


def test_what_is_left_away_is_not_delivered(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "ours/2026-07-14.parquet", tmp_path)
    got = _figures(folder, "--engine", str(tmp_path))
    assert got["intervals"]["not_delivered"] == got["intervals"]["intervals"] // 2
    assert got["kinds"]["multiplier"]["seen"] == 0.5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("esiid,channel,start\n1,4,2026-07-14T05:00:00Z\n", "no column 'status'"),
        ("esiid,channel,start,status\n1,4,2026-07-14T05:00:00Z,A\n", "neither a column 'wh' nor 'kwh'"),
        ("esiid,channel,start,wh,status\n1,4,2026-07-14T05:00:00Z,7,V\n", "status 'V' is neither A nor E"),
        ("esiid,channel,start,wh,status\n1,4,2026-07-14T05:00:00,7,A\n", "no time with an offset"),
    ],
)
def test_a_file_that_says_too_little_is_refused_with_its_place(
    folder: Path, tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(UserError, match=said) as caught:
        Engine(read_made(folder), [tmp_path / "x.csv"])
    assert str(tmp_path / "x.csv") in caught.value.place


def test_rows_of_strangers_and_rows_that_come_again_are_counted(folder: Path, tmp_path: Path) -> None:
    esiid = read_made(folder).assets["esiid"][0]
    row = f"{esiid},4,2026-07-14T05:00:00Z,7,A,mine\n"
    strange = f"1,4,2026-07-14T05:00:00Z,7,A,\n{esiid},4,2026-07-14T05:07:00Z,7,A,\n"
    (tmp_path / "x.csv").write_text("esiid,channel,start,wh,status,rule\n" + 2 * row + strange)
    engine = Engine(read_made(folder), [tmp_path / "x.csv"])
    day = engine.day(DAY)
    assert (day.wh[0, 0, 0], engine.strange, engine.unknown) == (7, 3, {"mine"})


def test_a_name_must_lead_to_a_rule(tmp_path: Path) -> None:
    (tmp_path / "names.yaml").write_text("a: [interval.spike, interval.zero]\nb: interval.spik\n")
    with pytest.raises(UserError, match=r"Did you mean interval\.spike\?"):
        read_names(tmp_path / "names.yaml")


def test_days_and_folders_are_told_when_they_are_none(tmp_path: Path) -> None:
    assert days_of("2026-07-15,2026-07-13..2026-07-14") == tuple(date(2026, 7, day) for day in (13, 14, 15))
    for text in ("", "2026-07-14..2026-07-13", "2026-07-14..", "..2026-07-14", "monday"):
        with pytest.raises(UserError, match="are no days"):
            days_of(text)
    with pytest.raises(UserError, match="nothing that 'ami vee make' wrote"):
        read_made(tmp_path)


def test_a_clock_that_is_set_right_at_midnight_is_at_work_on_the_day_that_begins_there(tmp_path: Path) -> None:
    drift = "{kind: clock_drift, meter: 1, seconds_a_day: 1200, first: 2026-07-13T00:00, until: 2026-07-14T00:00}"
    (tmp_path / "faults.yaml").write_text(f"faults:\n  - {drift}\n")
    words = ("--meters", "2", "--days", "2026-07-14", "--faults", str(tmp_path / "faults.yaml"))
    _asked("make", *words, "--out", str(tmp_path / "made"))
    _asked("run", str(tmp_path / "made"))
    got = _figures(tmp_path / "made")
    assert got["innocent_meter_days"] == 1
    assert all(row["false_alarms"] == 0 for row in got["rules"].values())
