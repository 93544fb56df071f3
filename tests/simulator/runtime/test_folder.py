"""An output folder belongs to one run at a time, which clears what an earlier one wrote and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.errors import SimulatorError
from simulator.runtime.folder import LOCK, own, write_whole


def test_a_run_clears_what_an_earlier_one_wrote_and_nothing_else(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "new" / "out", tmp_path / "mine"
    (folder / "pages").mkdir(parents=True)
    elsewhere.mkdir()
    for file in (folder / "pages" / "a.html", folder / "run.json", folder / "notes.txt", elsewhere / "kept.txt"):
        file.write_text("x")
    (folder / "link").symlink_to(elsewhere)
    with own(folder, ["pages", "run.json", "link", "not there"]) as owned:
        assert sorted(path.name for path in owned.iterdir()) == [LOCK, "notes.txt"]
    assert (elsewhere / "kept.txt").exists()


def test_a_folder_in_use_is_left_alone_until_the_run_is_over(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    with own(tmp_path, []):
        with (
            pytest.raises(SimulatorError, match=rf"^out\.in_use: {tmp_path}: ") as caught,
            own(tmp_path, ["run.json"], "--to"),
        ):
            pass
        assert caught.value.mend == "Wait for it, or name another with --to."
        assert (tmp_path / "run.json").exists()
    with own(tmp_path, ["run.json"]):
        assert not (tmp_path / "run.json").exists()


def test_what_is_no_folder_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(SimulatorError, match=rf"^out\.unusable: {file}: .*File exists") as caught, own(file, []):
        pass
    assert caught.value.mend == "Name another with --out."


def test_a_text_is_written_whole_over_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    for text in ("é" * 10, "short"):
        write_whole(file, text)
        assert file.read_text("utf-8") == text
    assert list(tmp_path.iterdir()) == [file]
