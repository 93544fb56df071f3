"""Which scenarios a command line names."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from scenarios.errors import ScenarioError
from scenarios.file.cases import cases
from scenarios.file.chosen import chosen, files_of
from scenarios.file.shipped import SCENARIOS, STUDIES, Shelf
from scenarios.file.text import read
from tests.scenarios.short import short_last_bill, written


def named(folder: Path, name: str, *tags: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return written(folder / f"{name}.yaml", short_last_bill() | {"name": name, "tags": list(tags)})


def refused(*given: Path, tag: str | None = None) -> ScenarioError:
    with pytest.raises(ScenarioError) as told:
        chosen(given, tag=tag)
    return told.value


def test_a_folder_stands_for_all_files_in_it_and_below() -> None:
    assert files_of([SCENARIOS.folder], every=False) == sorted(SCENARIOS.folder.rglob("*.yaml"))


def test_a_file_that_is_named_twice_is_taken_once(tmp_path: Path) -> None:
    one, other = named(tmp_path, "one"), named(tmp_path / "deep", "other")
    assert files_of([other, tmp_path, Path("hour-before"), one], every=False) == [
        other,
        one,
        SCENARIOS.files()["hour-before"],
    ]


def test_all_are_the_shipped_ones() -> None:
    every = [case.value["name"] for path in SCENARIOS.files().values() for case in cases(path)]
    assert [one.name for one in chosen((), every=True)] == every


def test_a_tag_finds_among_what_is_named_or_the_shipped_ones(tmp_path: Path) -> None:
    named(tmp_path, "one", "mine", "quick")
    named(tmp_path, "two", "quick")
    assert [one.name for one in chosen([tmp_path], tag="mine")] == ["one"]
    assert [one.name for one in chosen([tmp_path], tag="quick")] == ["one", "two"]
    assert {"hour-before", "t-failed-for-days"} < {one.name for one in chosen((), tag="complaints")}
    told = refused(tmp_path, tag="quik")
    assert (told.code, told.mend) == ("scenario.no_tag", "Did you mean quick?")


def test_what_names_no_scenario_is_refused(tmp_path: Path) -> None:
    assert refused().code == "scenario.none_named"
    assert refused(tmp_path).code == "scenario.unknown"
    assert refused(Path("hour-befor")).mend == "Did you mean hour-before?"


def test_two_files_with_one_name_are_both_told(tmp_path: Path) -> None:
    first, second = named(tmp_path / "a", "one"), named(tmp_path / "b", "one")
    told = refused(tmp_path)
    assert (told.code, told.place) == ("scenario.double", str(second))
    assert str(first) in told.message


def test_shipped_files_lie_in_folders_and_are_found_by_name(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "scenario", "scenario.unknown")
    deep = named(tmp_path / "gap", "deep")
    assert shelf.named(Path("deep")) == deep
    assert shelf.all_in(Path("gap")) == [deep]


@pytest.mark.parametrize("shelf", [SCENARIOS, STUDIES], ids=lambda shelf: str(shelf.kind))
def test_no_two_shipped_files_have_one_name(shelf: Shelf) -> None:
    names = Counter(file.stem for file in shelf.folder.rglob("*.yaml"))
    assert [name for name, count in names.items() if count > 1] == []


def test_a_shipped_file_is_called_as_its_scenario() -> None:
    assert {name: read(path).value["name"] for name, path in SCENARIOS.files().items()} == {
        name: name for name in SCENARIOS.names()
    }
