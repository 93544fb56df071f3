"""What is measured of a room's own tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from coverage import Coverage

from tests import room_coverage
from tests.room_coverage import PLAYED_BY, main, rooms, share
from tests.test_rooms import ROOT, modules


def test_every_file_is_of_one_room() -> None:
    assert sorted(file for _, files in rooms() for file in files) == sorted(set(modules().values()) - {ROOT / "ami.py"})


def test_a_branch_that_only_other_rooms_tests_take_does_not_count(tmp_path: Path) -> None:
    file = tmp_path / "decides.py"
    file.write_text("def f(x):\n    if x:\n        return 1\n    return 2\n")
    measured = Coverage(data_file=None, branch=True, config_file=False)
    for folder, arc in (("tests/meters/load", (2, 3)), ("tests/meters/load/deep", (3, -1)), ("tests/meters", (2, 4))):
        measured.get_data().set_context(folder)
        measured.get_data().add_arcs({str(file): [arc]})
    assert share(measured, "meters/load", [file]) == (1, 2)
    assert share(measured, "meters", [file]) == (2, 2)
    assert share(measured, "meters/wire", [file]) == (0, 2)


def test_what_another_room_alone_plays_counts_by_its_tests_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [one for one in PLAYED_BY.items() if not all((ROOT / room).is_dir() for room in one)] == []
    file = tmp_path / "decides.py"
    file.write_text("def f(x):\n    if x:\n        return 1\n    return 2\n")
    measured = Coverage(data_file=None, branch=True, config_file=False)
    measured.get_data().set_context("tests/scenarios/judging")
    measured.get_data().add_arcs({str(file): [(2, 3)]})
    monkeypatch.setattr(room_coverage, "PLAYED_BY", {"meters/load": "scenarios/judging"})
    assert [share(measured, room, [file]) for room in ("meters/load", "meters/wire")] == [(1, 2), (0, 2)]


def test_of_no_test_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    measured = Coverage(data_file=None, branch=True, config_file=False)
    measured.get_data().set_context("")
    measured.get_data().add_arcs({str(ROOT / "ami.py"): [(1, 2)]})
    assert main(measured) == 2
    assert capsys.readouterr().out.startswith("No test was measured")
