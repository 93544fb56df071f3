"""docs/write-a-scenario.md does what it says: its file is sound, its commands work, what it says fails does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from tests.simulator.processes import ran

PAGE = (Path(__file__).parents[2] / "docs" / "write-a-scenario.md").read_text(encoding="utf-8")
FILE, MATRIX = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
COMMANDS = [line for block in re.findall(r"```\n(ami .*?)```", PAGE, re.S) for line in block.splitlines()]
NAME = yaml.safe_load(FILE)["name"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"{NAME}.yaml").write_text(FILE, encoding="utf-8")
    return tmp_path


def test_every_command_of_the_page_works_on_its_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [line.split()[2] for line in COMMANDS] == ["list", "show", "lint", "run", "explain", "from", "lint", "run"]
    for line in COMMANDS:
        assert ran(*shlex.split(line)[1:]) == 0, capsys.readouterr()
    assert capsys.readouterr().out.count("verdict: passed") == 2
    assert (folder / "ami-out" / NAME / "report.html").is_file()


def test_what_the_page_says_fails_does(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / f"{NAME}.yaml"
    path.write_text(FILE.replace("tags:", "policy: smt-today\ntags:"), encoding="utf-8")
    assert ran("scenario", "lint", str(path)) == 2
    assert "has no limit FR-CR016.1b" in capsys.readouterr().err
    path.write_text(FILE.replace("meter: 6", "meter: 5"), encoding="utf-8")
    assert ran("scenario", "run", str(path)) == 1
    said = capsys.readouterr().out
    assert "expected 5, found 6" in said
    assert "verdict: FAILED in first-call" in said


def test_its_matrix_makes_two_cases_that_pass(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / f"{NAME}.yaml").write_text(f"{FILE}\n{MATRIX}", encoding="utf-8")
    assert ran("scenario", "run", ".", "--jobs", "1", "--summary", "out.md", "--junit", "out.xml") == 0
    assert "2 scenarios: 2 passed" in capsys.readouterr().out
    assert {path.name for path in folder.iterdir()} >= {"out.md", "out.xml"}
