"""A file that is like another, one that makes many cases, and parts that lie in files of their own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from scenarios.file.chosen import chosen
from scenarios.file.lint import lint, load_cases, load_sound
from scenarios.file.refusals import policy_of
from simulator.ror.billing.plan import PLANS
from simulator.smt.throttle.policy import preset
from tests.scenarios.short import short_balance
from tests.simulator.processes import ran

Written = dict[str, Any]


def kept(folder: Path, written: Written, name: str = "it.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.dump(written, Dumper=yaml.CSafeDumper), encoding="utf-8")
    return path


def test_a_file_takes_over_what_it_does_not_say(tmp_path: Path) -> None:
    base = kept(tmp_path, short_balance(), "base.yaml")
    other = {
        "name": "other",
        "like": "base.yaml",
        "policy": "smt-today",
        "world": {"faults": []},
        "account": {"worth_asking": 1000},
    }
    other["timeline"] = [short_balance()["timeline"][0] | {"expect": {"outcome": "not_needed"}}]
    found, source = load_sound(kept(tmp_path, other)), load_sound(base)
    assert (found.name, found.policy, found.world.faults, len(found.timeline)) == ("other", "smt-today", (), 1)
    assert found.world == source.world.model_copy(update={"faults": ()})
    assert found.account == source.account.model_copy(update={"worth_asking": found.account.worth_asking})
    assert (found.title, found.seed, found.post_at) == (source.title, source.seed, source.post_at)
    # A shipped one by its name, and one that is like one that is like another.
    third = kept(tmp_path, {"name": "third", "like": "it.yaml", "seed": 5}, "third.yaml")
    assert load_sound(third) == found.model_copy(update={"name": "third", "seed": 5})
    named = kept(tmp_path, {"name": "named", "like": "hour-before"}, "named.yaml")
    assert load_sound(named).title.startswith("An hourly client")


def test_a_case_is_made_of_each_combination_and_has_a_name_of_its_own(tmp_path: Path) -> None:
    written = short_balance()
    written["timeline"] = written["timeline"][:1]
    written["timeline"][0] |= {"verifies": [], "expect": {"outcome": "answered"}}
    written["matrix"] = {
        "policy": ["fr-cr016-1", "smt-today"],
        "post_at": ["07:30", "12:00"],
        "when": [{"name": "early", "timeline.call-0001.at": "2026-08-12T09:00"}, {"timeline.call-0001.at": "2026-08-12T21:00", "account.zone": "NCENT"}],
    }  # fmt: skip
    path = kept(tmp_path, written)
    found = load_cases(path)
    assert [(one.name, one.policy, f"{one.post_at:%H:%M}", one.timeline[0].at.hour) for one in found] == [
        (f"short-balance-{policy}-{post.replace(':', '-')}-{when}", policy, post, hour)
        for policy in ("fr-cr016-1", "smt-today")
        for post in ("07:30", "12:00")
        for when, hour in (("early", 9), ("2", 21))
    ]
    assert chosen([path]) == found
    assert (lint(path)[0], lint(path)[1]) == (found[0], [])


def test_a_name_that_would_be_too_long_is_numbered(tmp_path: Path) -> None:
    written = short_balance() | {"name": "a" * 60, "matrix": {"seed": [1234567, 7654321], "title": ["x"]}}
    assert [one.name for one in load_cases(kept(tmp_path, written))] == ["a" * 60 + "-1", "a" * 60 + "-2"]


def test_a_mistake_of_several_cases_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = short_balance() | {"matrix": {"policy": ["fr-cr016-1", "none"], "seed": [1, 2]}}
    path = kept(tmp_path, written)
    assert ran("scenario", "lint", str(path)) == 2
    told = capsys.readouterr().err.splitlines()
    assert len([one for one in told if "There is no policy 'none'" in one]) == 1, told


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"like": "nothing"}, "like: There is no file and no shipped scenario 'nothing'"),
        ({"like": "it.yaml"}, "like: it.yaml is like this one"),
        ({"like": [1]}, "like: There is no file and no shipped scenario '[1]'"),
        ({"matrix": {5: [1]}}, "matrix: A matrix has a list of values"),
        ({"matrix": {"x": [{5: 1}]}}, "There is no field '5' here"),
        ({"matrix": 5}, "matrix: A matrix has a list of values"),
        ({"matrix": {"seed": []}}, "matrix: A matrix has a list of values"),
        ({"matrix": {"seed": [*range(2000)]}}, "It makes 2,000 cases: at most 1,000"),
        ({"matrix": {"timeline.call-1.at": ["x"]}}, "There is no field timeline.call-1.at. Did you mean timeline.call-0001?"),
        ({"matrix": {"seed.x": [1]}}, "There is no field seed.x"),
        ({"policy": "none.yaml"}, "policy: "),
        ({"policy": "bad.yaml"}, "bad.yaml:1"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_over_is_told(tmp_path: Path, written: Written, said: str) -> None:
    (tmp_path / "bad.yaml").write_text("title: [", encoding="utf-8")
    with pytest.raises(Exception, match="scenario") as caught:
        load_cases(kept(tmp_path, short_balance() | written))
    assert said in str(caught.value), str(caught.value)


def test_plan_policy_and_faults_of_ones_own_lie_in_files_beside_it_and_are_kept(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text((PLANS / "marfa-sun-net.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    kept(tmp_path, {"title": "As today, from a file", "like": "smt-today"}, "limits.yaml")
    kept(tmp_path, {"faults": short_balance()["world"]["faults"]}, "faults.yaml")
    written = short_balance()
    written["policy"] = "limits.yaml"
    written["account"]["plan"] = "mine.yaml"
    written["world"]["faults"] = "faults.yaml"
    written["timeline"] = [written["timeline"][0] | {"verifies": []}]
    found = load_sound(kept(tmp_path, written))
    assert found.account.rates.name == "Marfa Sun Net"
    assert found.world.faults == load_sound(kept(tmp_path, short_balance(), "base.yaml")).world.faults
    assert [limit.code for limit in policy_of(found).limits] == [limit.code for limit in preset("smt-today").limits]
    # What a recording keeps of it needs no file.
    again = type(found).model_validate_json(found.model_dump_json(exclude_none=True, serialize_as_any=True))
    assert again.account.rates == found.account.rates
    assert "yaml" not in found.model_dump_json()


def test_what_the_page_shows_is_sound(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    blocks = [
        block for block in re.findall(r"```\n(.*?)```", text, re.S) if block[:6] in ("expect", "postin", "matrix")
    ]
    written = short_balance()
    for block in blocks:
        shown = yaml.safe_load(block)
        if isinstance(shown.get("expect"), dict):
            written["timeline"][0]["expect"] = shown["expect"]
        else:
            written |= shown
    # Times as a scenario's own reader has them: text.
    path = tmp_path / "it.yaml"
    path.write_text(yaml.dump(written, Dumper=yaml.CSafeDumper), encoding="utf-8")
    assert len(blocks) == 4
    assert [str(one) for one in lint(path)[1]] == []
    assert len(load_cases(path)) == 4
