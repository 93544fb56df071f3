"""Tests in several processes that are forked from one: each told of once, as if there were one process."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.simulator.processes import done
from tests.test_rooms import ROOT

pytestmark = pytest.mark.process

SHARING = """
import os, pytest

@pytest.fixture(scope="module")
def made(tmp_path_factory):
    yield tmp_path_factory.mktemp("made")
    open(os.environ["HERE"] + f"/{__name__}-{os.getpid()}-{os.getppid()}", "x").close()

@pytest.mark.parametrize("number", range(5))
def test_it(number, made):
    print(f"{number} of {__name__}")
    assert number != 3
"""
DYING = """
import os

def test_before(): pass
def test_dies(): os._exit(7)
def test_after(): pass
"""


def told(folder: Path, *options: str, code: int) -> dict[str, list[str]]:
    """What JUnit's XML tells of each test."""
    (folder / "pytest.ini").touch()
    as_xml = (f"--junitxml={folder}/told.xml", "-o", "junit_logging=out-err")
    done(
        sys.executable, "-m", "pytest", "-p", "tests.at_once", "--at-once", "2", *as_xml, *options, "-c", folder / "pytest.ini", folder,
        env={"PYTHONPATH": str(ROOT), "HERE": str(folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, code=code,
    )  # fmt: skip
    tests = ElementTree.parse(folder / "told.xml").iter("testcase")
    return {
        f"{one.get('classname')}.{one.get('name')}": [part.tag + (part.text or "").strip() for part in one]
        for one in tests
    }


def failed(parts: list[str]) -> bool:
    return any(part.startswith("failure") for part in parts)


def test_each_is_told_of_once_by_its_own_words_and_who_ends_in_one_fails_no_other(tmp_path: Path) -> None:
    (tmp_path / "test_0.py").write_text(DYING)
    for name in ("a", "b", "c"):
        (tmp_path / f"test_{name}.py").write_text(SHARING)
    found = told(tmp_path, code=1)
    assert len(found) == 18
    dying = [found.pop(f"test_0.test_{name}") for name in ("before", "dies", "after")]
    assert [failed(parts) for parts in dying] == [False, True, False]
    assert {name for name, parts in found.items() if failed(parts)} == {
        f"test_{name}.test_it[3]" for name in ("a", "b", "c")
    }
    # Of each what it printed, and nobody else's.
    for name, parts in found.items():
        module, number = name.split(".")[0], name[-2]
        [printed] = [one for one in parts if one.startswith("system-out")]
        assert printed.splitlines()[1:] == [f"{number} of {module}"]
    made = [path.name.split("-") for path in tmp_path.glob("test_*-*")]
    assert sorted(module for module, _, _ in made) == ["test_a", "test_b", "test_c"]
    # A module makes what it shares once; all are processes of one.
    assert len({parent for _, _, parent in made}) == 1 < len({child for _, child, _ in made})


def test_the_first_failure_ends_all_if_it_shall(tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d"):
        (tmp_path / f"test_{name}.py").write_text(SHARING)
    found = told(tmp_path, "-x", code=1)
    assert 4 <= len(found) < 20
    # What they share is tidied all the same.
    assert len([*tmp_path.glob("test_*-*")]) >= 2
