"""Study files: what the shipped one is, every mistake with its line and mend, what cannot be found and is said before anything is played."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from meters.errors import UserError
from scenarios.file.shipped import STUDIES
from simulator.capacity import study as studies
from simulator.capacity.outcome import Key
from simulator.capacity.study import load_study, read_study, refuse_size, unloaded
from tests.simulator.capacity.pages import SCHEMA, schema_text
from tests.simulator.capacity.studies import assumption, study
from tests.simulator.capacity.workload.planned import plan

WHOLE: Mapping[str, Any] = {
    "name": "small",
    "workloads": ["ordinary-day"],
    "policies": ["smt-today", "store-only"],
}
KNEE: Mapping[str, Any] = {"workload": "ordinary-day", "level": "told_in_call>=0.45", "upto": 8}


def written(tmp_path: Path, **fields: Any) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump({**WHOLE, **fields}, sort_keys=False), encoding="utf-8")
    return path


def test_the_shipped_study_is_large_enough_to_answer() -> None:
    found = load_study(STUDIES.files()["throttle-policies"])
    spec = found.spec
    assert spec.tornado is not None
    assert len(found.policies) >= 14
    assert [one.spec.name for one in found.plans] == [
        "ordinary-day",
        "bill-surge-x3",
        "bulk-40000",
        "home-automation-synchronised",
        "storm-5-percent",
        "beryl-2024",
    ]
    assert len(spec.tornado.assumptions) >= 10
    assert {one.spec.seed for one in found.plans} == {20260812}
    assert len({*found.main(range(spec.replications)), *found.swung()}) == 6 * 21 * 4 + 2 * 18 * 2 * 6 * 2
    for one in found.tornado():
        assert one.low != one.high
        assert one.source


def test_the_schema_is_that_of_the_model() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), "python -m tests.simulator.capacity.pages"


def test_workloads_and_policies_are_taken_from_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(
        "{name: tiny, day: 2026-08-12, fleet: {tdsps: [{name: Oncor, meters: 9000}]}}", "utf-8"
    )
    (tmp_path / "mine.yaml").write_text("{title: Mine, source: store_only, limits: []}", "utf-8")
    mine = {"name": "here", "title": "Written here", "source": "store_only", "limits": []}
    policies = ["mine.yaml", {"preset": "smt-today-guarded", "amount": [2, 4]}, mine, {"preset": "n-per-day"}]
    found = load_study(written(tmp_path, workloads=["tiny.yaml"], policies=policies, seed=3))
    assert [one.name for one in found.policies] == [
        "mine",
        "smt-today-guarded:amount=2",
        "smt-today-guarded:amount=4",
        "here",
        "n-per-day",
    ]
    assert found.plans[0].spec.seed == 3


@pytest.mark.parametrize(
    ("fields", "code", "place", "says"),
    [
        ({"levles": []}, "capacity.study.malformed", ":7: levles", "There is no field 'levles'"),
        ({"workloads": []}, "capacity.study.malformed", ":2: workloads", "at least 1"),
        ({"workloads": ["ordinary-dya"]}, "capacity.workload.unreadable", "ordinary-dya", "Did you mean ordinary-day"),
        ({"workloads": ["ordinary-day"] * 2}, "capacity.study.malformed", "workloads[2]", "Two workloads are called"),
        ({"policies": ["smt-todya"]}, "policy.unknown", "policies[1]", "no policy 'smt-todya'"),
        ({"policies": [{"preset": "smt-today", "amount": 2}]}, "policy.parameter", "policies[1]", "no parameter"),
        ({"policies": [{"title": "no name"}]}, "capacity.study.malformed", "policies[1].name", "missing"),
        ({"policies": ["smt-today"] * 2}, "capacity.study.malformed", "policies[2]", "Two policies are called"),
        ({"levels": ["told>=0.5"]}, "capacity.study.malformed", "levels[1]", "no measure 'told'"),
        ({"assumed": {"wokers": 1}}, "capacity.study.malformed", "assumed", "Did you mean workers"),
        ({"assumed": {"posted": "noon"}}, "capacity.study.malformed", "assumed", "Write it as 07:30"),
        ({"assumed": {"workers": 2.5}}, "capacity.study.malformed", "assumed", "Write a whole number"),
        ({"assumed": {"again": 2}}, "capacity.study.malformed", "assumed", "Write 0 to 1"),
        ({"assumed": {"calls": "many"}}, "capacity.study.malformed", "assumed", "not a number"),
        ({"assumed": {"sweep_rule": "yeilds"}}, "capacity.study.malformed", "assumed", "Did you mean yields"),
        ({"until": {"half_width": 0}}, "capacity.study.malformed", "until.half_width", "more than 0"),
        ({"name": "../up"}, "capacity.study.malformed", ":1: name", "is no name"),
        (
            {"tornado": {"assumptions": [assumption("calls", 2, 2)]}},
            "capacity.study.malformed",
            "tornado.assumptions[1]",
            "one value for low and high",
        ),
        (
            {"tornado": {"assumptions": [assumption("calls", 1, 2)] * 2}},
            "capacity.study.malformed",
            "tornado",
            "moved twice",
        ),
        (
            {"tornado": {"policies": ["token-buckets"], "assumptions": [assumption("calls", 1, 2)]}},
            "capacity.study.malformed",
            "tornado.policies[1]",
            "The study has no policy 'token-buckets'",
        ),
        (
            {"knees": [{**KNEE, "workload": "beryl-2024"}]},
            "capacity.study.malformed",
            "knees[1].workload",
            "no workload",
        ),
        (
            {"knees": [{**KNEE, "knob": "posted"}]},
            "capacity.study.malformed",
            "knees[1]",
            "no number that can be turned",
        ),
        ({"knees": [{**KNEE, "upto": 1}]}, "capacity.study.no_knee", "knees[1].upto", "demand is 1 already"),
        (
            {"knees": [{**KNEE, "level": "told_in_call>=0.9"}]},
            "capacity.study.no_knee",
            "knees[1].level",
            "Without any load 53.4 %",
        ),
    ],
)
def test_a_mistake_is_told_with_file_line_field_and_mend(
    tmp_path: Path, fields: dict[str, Any], code: str, place: str, says: str
) -> None:
    found, mistakes = read_study(written(tmp_path, **fields))
    assert found is None
    assert mistakes[0].code == code
    assert place in str(mistakes[0])
    assert says in str(mistakes[0])
    assert mistakes[0].mend


def test_every_mistake_is_told(tmp_path: Path) -> None:
    _, mistakes = read_study(written(tmp_path, workloads=["none", "nowhere"], policies=["nobody"]))
    assert len(mistakes) == 3
    wrong = {"workers": float("nan"), "ded": 0.1, "patience_s": [1], "posted": "24:30"}
    amounts = {"preset": "smt-today-guarded", "amount": [8, -4, 8.5]}
    _, mistakes = read_study(written(tmp_path, assumed=wrong, seed=-1, policies=[amounts, "smt-today"]))
    assert [one.place.partition(": ")[2] for one in mistakes] == [
        "seed", "assumed.workers", "assumed.ded", "assumed.patience_s", "assumed.posted", "policies[1]", "policies[1]",
    ]  # fmt: skip
    assert "is '8.5'" in str(mistakes[-1])
    _, mistakes = read_study(written(tmp_path, assumed=[], policies=[]))
    assert [one.place.partition(": ")[2] for one in mistakes] == ["policies", "assumed"]


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        (None, "capacity.study.absent", "small.yaml"),
        ("name: [", "capacity.study.yaml", "small.yaml:1"),
        ("- a", "capacity.study.malformed", "small.yaml"),
        ("", "capacity.study.malformed", "small.yaml"),
        ("timeline: []", "capacity.study.is_scenario", "small.yaml"),
    ],
)
def test_what_is_no_study_is_told(tmp_path: Path, text: str | None, code: str, place: str) -> None:
    if text is not None:
        (tmp_path / "small.yaml").write_text(text, "utf-8")
    with pytest.raises(UserError) as caught:
        load_study(tmp_path / "small.yaml")
    assert caught.value.code == code
    assert place in str(caught.value)


def test_a_study_too_large_for_the_memory_is_told_before_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    large = study(knees=[{"workload": "small", "level": "refused<0.1", "upto": 10_000, "policies": ["smt-today"]}])
    assert large.most_octets > 100 * study().most_octets
    monkeypatch.setattr(studies, "memory_octets", lambda: 3 * large.most_octets)
    refuse_size(large, 1, "here")
    with pytest.raises(UserError, match=r"capacity\.study\.too_large: here: .* in each of 2 processes would take"):
        refuse_size(large, 2, "here")


def test_what_the_middle_tier_keeps_is_the_most_that_can_be_told() -> None:
    today = study().setting("small", "smt-today")
    middle = today.assumptions.middle
    patience, n = today.assumptions.patience_s, 200_000
    import numpy as np

    rng = np.random.Generator(np.random.Philox(key=3))
    pickup, back, _ = middle.draw(rng, n)
    by_draws = float(np.exp(-(pickup + back) / 1e6 / patience).mean())
    assert unloaded(today) == pytest.approx(by_draws, abs=0.002)
    assert unloaded(study(policies=("reuse-15-min",)).setting("small", "reuse-15-min")) == 1.0


def test_a_change_is_drawn_anew_only_where_it_touches_who_asks() -> None:
    found = study(tornado={"assumptions": [assumption("workers", 1, 2), assumption("calls", 1, 2)]})
    here = found.task(Key("small", "smt-today"))
    workers, calls = (found.task(Key("small", "smt-today", change)) for change in ("workers=1", "calls=2"))
    assert workers.drawn_as == here.drawn_as != calls.drawn_as
    assert len({here.mark, workers.mark, calls.mark}) == 3
    assert found.task(Key("small", "smt-today", "calls=1")).drawn_as == here.drawn_as
    assert (here.first, workers.first, found.task(Key("small", "smt-today", "", 1)).first) == (True, False, False)


def test_assumptions_of_the_file_are_those_that_cells_are_played_with() -> None:
    found = study(plan(name="a"), plan(name="b"), assumed={"workers": 7, "posted": "15:00"})
    for name in ("a", "b"):
        assumed = found.setting(name, "smt-today").assumptions
        assert (assumed.network.workers, assumed.posted_s) == (7, 15 * 3600)
    changed = found.setting("a", "smt-today", "workers=9").assumptions
    assert (changed.network.workers, changed.posted_s) == (9, 15 * 3600)
