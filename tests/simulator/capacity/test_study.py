"""The study file: what it may hold, and how it says what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.capacity.study import Study, load_study, parse_study
from simulator.errors import SimulatorError
from simulator.input.yaml_text import YamlDocument
from simulator.smt.throttle.decision import Source

FIRST_LOOK = Path(__file__).parents[3] / "scenarios" / "capacity" / "first-look.yaml"


def written(**changed: Any) -> dict[str, Any]:
    return {
        "name": "small",
        "seed": 7,
        "replications": 2,
        "tdsp": {"name": "Oncor", "meters": 50_000},
        "hour": {"day": "2026-08-12"},
        "levels": [{"name": "few", "calls": 60}],
        "policies": ["fr-cr016-1"],
        **changed,
    }


def study(**changed: Any) -> Study:
    return parse_study(YamlDocument("small.yaml", written(**changed)))


def test_first_look_is_the_study_of_the_peak_hour() -> None:
    found = load_study(FIRST_LOOK)
    assert [(level.name, level.calls) for level in found.spec.levels] == [("ordinary", 374), ("10x", 3740)]
    assert [policy.source for policy in found.policies] == [
        Source.METER_ONLY,
        Source.STORE_FIRST,
        Source.STORE_FIRST,
        Source.STORE_ONLY,
    ]
    assert found.ends - found.begins == 3600
    assert found.calls_before(found.spec.levels[0]) == 2380


def test_calls_before_the_hour_can_be_told() -> None:
    found = study(levels=[{"name": "storm", "calls": 100, "calls_before": 12}])
    assert found.calls_before(found.spec.levels[0]) == 12


def test_laws_take_the_fields_that_differ() -> None:
    found = study(laws={"middle": {"median_s": 10}, "network": {"max_hops": 3}})
    assert found.middle.median_s == 10
    assert found.middle.sigma == 0.35
    assert found.network.max_hops == 3


@pytest.mark.parametrize(
    ("changed", "code", "place", "words"),
    [
        ({"levles": []}, "capacity.study.malformed", "small.yaml: levles", "There is no field 'levles'"),
        ({"levels": []}, "capacity.study.malformed", "small.yaml: levels", "at least 1"),
        (
            {"levels": [{"name": "few", "calls": 0}]},
            "capacity.study.malformed",
            "small.yaml: levels[1].calls",
            "at least 1",
        ),
        ({"levels": [{"name": "a", "calls": 1}] * 2}, "capacity.study.malformed", "small.yaml: levels", "one name"),
        ({"hour": {"day": "2026-08-15"}}, "capacity.study.malformed", "small.yaml: hour.day", "is a Saturday"),
        (
            {"hour": {"day": "2026-08-12", "begins": "18:00"}},
            "capacity.study.malformed",
            "small.yaml: hour",
            "must end after",
        ),
        (
            {"hour": {"day": "2026-08-12", "begins": "16:10", "ends": "17:00"}},
            "capacity.study.sweep",
            "small.yaml: sweeps",
            "sweep",
        ),
        (
            {"hour": {"day": "2026-08-12", "begins": "07:00"}},
            "capacity.study.hour",
            "small.yaml: day_so_far.begins",
            "before",
        ),
        ({"policies": ["fr-cr17"]}, "policy.unknown", "small.yaml: policies[1]", "fr-cr17"),
        ({"policies": ["store-only", "store-only"]}, "capacity.policy.twice", "small.yaml: policies[2]", "twice"),
        ({"policies": [{"title": "no name"}]}, "capacity.study.malformed", "small.yaml: policies[1].name", "missing"),
        (
            {"policies": [{"name": "x", "title": "t", "like": "none"}]},
            "policy.unknown",
            "small.yaml: policies[1].like",
            "none",
        ),
        ({"laws": {"middle": {"medain_s": 1}}}, "capacity.study.malformed", "small.yaml: laws.middle", "medain_s"),
        (
            {"laws": {"network": {"access_point_tps": 0}}},
            "capacity.study.malformed",
            "small.yaml: laws.network",
            "above 0",
        ),
        ({"meter_states": {"good": 0.5}}, "capacity.study.malformed", "small.yaml: meter_states", "add up to 1"),
        ({"name": "../up"}, "capacity.study.malformed", "small.yaml: name", "is no name"),
    ],
)
def test_a_mistake_names_the_field(changed: dict[str, Any], code: str, place: str, words: str) -> None:
    with pytest.raises(SimulatorError) as caught:
        study(**changed)
    assert caught.value.code == code
    assert caught.value.place.startswith(place)
    assert words in caught.value.message
    assert caught.value.mend


def test_a_clock_time_needs_no_quotes(tmp_path: Path) -> None:
    text = FIRST_LOOK.read_text(encoding="utf-8").replace(
        'begins: "17:00", ends: "18:00"', "begins: 17:00, ends: 18:00"
    )
    path = tmp_path / "unquoted.yaml"
    path.write_text(text, encoding="utf-8")
    assert load_study(path) == load_study(FIRST_LOOK)
    path.write_text(text.replace("ends: 18:00", "ends: 25:00"), encoding="utf-8")
    with pytest.raises(SimulatorError, match=r"unquoted\.yaml:8: hour\.ends: '25:00' is not a time of day"):
        load_study(path)


def test_a_scenario_is_sent_to_its_command() -> None:
    with pytest.raises(SimulatorError, match="ami scenario run"):
        load_study(FIRST_LOOK.parents[1] / "library" / "customer-balance-inquiry.yaml")


def test_a_limit_that_the_model_does_not_know_is_refused() -> None:
    limit = {"name": "R", "kind": "read", "scope": "ror", "amount": 5, "window": "day", "code": "R", "rule": "five"}
    with pytest.raises(SimulatorError, match=r"capacity\.policy\.unmodelled"):
        study(policies=[{"name": "per-ror", "title": "t", "limits": [limit]}])


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("name: [", "capacity.study.yaml", ":1"),
        ("name: a\n\tseed: 1", "capacity.study.yaml", ":2"),
        ("- a", "capacity.study.malformed", ""),
        ("", "capacity.study.malformed", ""),
    ],
)
def test_a_file_that_is_no_study_names_the_line(tmp_path: Path, text: str, code: str, place: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SimulatorError) as caught:
        load_study(path)
    assert caught.value.code == code
    assert caught.value.place.startswith(f"{path}{place}")


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match=r"capacity\.study\.absent"):
        load_study(tmp_path / "none.yaml")
    with pytest.raises(SimulatorError, match=r"capacity\.study\.unreadable"):
        load_study(tmp_path)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SimulatorError, match=r"capacity\.study\.unreadable"):
        load_study(tmp_path / "bytes.yaml")
