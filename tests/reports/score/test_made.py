"""What an engine is fed, and what is left of a set that was made."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from meters.errors import UserError
from reports.score import made
from reports.score.delivered import ours
from reports.score.made import days_of, read_made
from tests.reports.score.asked import asked, figures


def test_a_make_that_was_broken_off_goes_on_with_the_days_that_lack(tmp_path: Path) -> None:
    out, words = tmp_path / "made", ("--meters", "2", "--days", "2026-07-14..2026-07-16")
    asked("make", *words, "--out", str(out))
    files = {path: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
    # As one is left that was killed within its second day.
    told = json.loads((out / "made.json").read_text())
    (out / "made.json").unlink()
    shutil.rmtree(out / "fed/2026-07-15")
    (out / "fed/.2026-07-15.part").mkdir()
    shipped = (Path(made.__file__).parent / "mix.yaml").read_text()
    begun = {name: told[name] for name in ("tdsp", "meters", "seed", "mix", "days")}
    (out / "begun.json").write_text(json.dumps(begun | {"csv": False, "cmep": False, "faults": shipped}))
    kept = (out / "fed/2026-07-14").stat().st_ino
    with pytest.raises(UserError, match="nothing that 'ami vee make' wrote whole"):
        read_made(out)
    asked("make", *words, "--out", str(out))
    assert {path: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()} == files
    assert (out / "fed/2026-07-14").stat().st_ino == kept
    # Other words begin anew.
    asked("make", "--meters", "2", "--days", "2026-07-14", "--out", str(out))
    assert sorted(path.name for path in (out / "fed").iterdir()) == ["2026-07-14", "assets.parquet"]


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
    assert "holds another set: it is replaced" in asked("make", *words)
    assert not (out / "ours").exists()
    # The same set again is no other.
    (out / "ours").mkdir()
    assert "replaced" not in asked("make", *words)
    assert (out / "ours").exists()


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
    asked("make", *words, "--out", str(tmp_path / "made"))
    asked("run", str(tmp_path / "made"))
    got = figures(tmp_path / "made")
    assert got["innocent_meter_days"] == 1
    assert all(row["false_alarms"] == 0 for row in got["rules"].values())
