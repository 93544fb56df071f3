"""A scenario begun from another, and told in words."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scenarios.errors import ScenarioError
from scenarios.file.begun import begin
from scenarios.file.lint import load_cases, looked_at
from scenarios.file.shown import in_words
from tests.cases import few
from tests.scenarios.shipped import FILES, FOLDERS, NAMES, shipped
from tests.simulator.processes import ran


@pytest.mark.parametrize("like", few(FOLDERS, NAMES))
def test_a_new_one_is_sound_and_differs_in_its_name_alone(like: str, tmp_path: Path) -> None:
    source = FILES[like]
    made = begin("my-own", source, tmp_path / "my-own.yaml")
    found, others = load_cases(made), shipped(like)
    names = [one.name.replace(like, "my-own", 1) for one in others]
    assert [one.model_dump() for one in found] == [
        one.model_dump() | {"name": name} for one, name in zip(others, names, strict=True)
    ]
    (schema,) = re.findall(r"\$schema=(\S+)", made.read_text(encoding="utf-8"))
    assert Path(schema).is_file()
    assert made.read_text(encoding="utf-8").count("#") == source.read_text(encoding="utf-8").count("#")


def test_new_writes_over_nothing_and_refuses_what_is_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ran("scenario", "new", "mine", "--like", "hour-before") == 0
    kept = Path("mine.yaml").read_bytes()
    assert ran("scenario", "lint", "mine.yaml") == 0
    assert ran("scenario", "new", "mine") == 2
    assert Path("mine.yaml").read_bytes() == kept
    assert ran("scenario", "new", "No_name") == 2
    assert ran("scenario", "new", "other", "--out", "nowhere/other.yaml") == 2
    codes = [line.partition(":")[0] for line in capsys.readouterr().err.splitlines()]
    assert codes == ["out.exists", "scenario.malformed", "out.unusable"]


def test_what_is_not_sound_is_not_begun_with(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: x\ntimeline: []\n", encoding="utf-8")
    with pytest.raises(ScenarioError):
        begin("mine", bad, tmp_path / "mine.yaml")
    assert list(tmp_path.iterdir()) == [bad]


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_in_words_names_each_action_and_fits_the_width(name: str) -> None:
    scenario = shipped(name)[0]
    lines = in_words(scenario).splitlines()
    assert max(map(len, lines)) <= 100
    for action in scenario.timeline:
        head = re.compile(rf"{action.at:%Y-%m-%d %H:%M}.* {action.ref}(:|$)")
        assert sum(head.match(line) is not None for line in lines) == 1
    assert " ".join(" ".join(lines).split()).startswith(f"{scenario.name}: {scenario.title} ")


def test_show_tells_fields_by_name_and_units(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("scenario", "show", "customer-balance-inquiry") == 0
    said = capsys.readouterr().out
    assert "2026-08-12 17:40    balance call call-0001: question balance, patience 180 s\n" in said
    assert "  must come to      outcome refused, refusal FR-CR016.1b, store 70\n" in said
    assert ran("scenario", "show", "customer-balance-inquiry", "--json") == 0
    assert json.loads(capsys.readouterr().out)["name"] == "customer-balance-inquiry"


def test_lint_looks_at_all_of_a_folder_and_tells_line_column_and_excerpt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = begin("good", FILES["hour-before"], tmp_path / "good.yaml")
    text = good.read_text(encoding="utf-8")
    (tmp_path / "bad.yaml").write_text(text.replace("seed: ", "seed: x"), encoding="utf-8")
    (tmp_path / "broken.yaml").write_text("a: [", encoding="utf-8")
    assert ran("scenario", "lint", str(tmp_path), "--json") == 2
    bad, broken, sound = json.loads(capsys.readouterr().out)
    assert (sound["sound"], sound["mistakes"]) == (True, [])
    (mistake,) = bad["mistakes"]
    at = text.splitlines().index(next(line for line in text.splitlines() if line.startswith("seed: ")))
    assert (mistake["line"], mistake["column"]) == (at + 1, 1)
    assert mistake["excerpt"].startswith("seed: x")
    assert [one["code"] for one in broken["mistakes"]] == ["scenario.yaml"]
    assert broken["mistakes"][0]["line"] == 1
    assert ran("scenario", "lint", str(tmp_path)) == 2
    said = capsys.readouterr()
    assert "good.yaml: sound. good," in said.out
    assert len(said.err.splitlines()) == 2


def test_a_file_as_a_whole_has_no_line(tmp_path: Path) -> None:
    sound, (told,) = looked_at(tmp_path / "nowhere.yaml")
    assert (sound, told.error.code, told.line, told.excerpt) == ([], "scenario.unreadable", None, "")


def test_of_a_long_line_what_stands_at_a_mistake_is_told(tmp_path: Path) -> None:
    file = tmp_path / "long.yaml"
    file.write_text("name: x\ntags: [" + ", ".join(str(one) for one in range(1000)) + "]\n", "utf-8")
    _, told = looked_at(file)
    by_line = [one for one in told if one.line == 2]
    assert len(by_line) >= 1000
    assert max(len(one.excerpt) for one in by_line) <= 220
    for number, one in zip(range(1000), by_line, strict=False):
        assert f"{number}" in one.excerpt
