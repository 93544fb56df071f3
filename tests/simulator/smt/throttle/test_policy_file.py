"""A policy by name, with parameters, or in a file of one's own; and every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.errors import SimulatorError
from simulator.smt.throttle.limits import Measure, RequesterClass, Source, Window
from simulator.smt.throttle.policy import LimitSpec, PolicySpec, load_policy, preset, preset_names

MINE = """title: Two a day, and what is younger than ten minutes again
like: n-per-day:amount=2
reuse_s: 600
limits:
  - name: ROR-BUCKET
    scope: ror
    measure: tokens
    amount: 10
    per_s: 1
    burst: 100
    code: ROR-RATE
    rule: Ten a second per ROR.
"""


def test_a_name_is_a_preset_and_a_yaml_path_is_a_file(tmp_path: Path) -> None:
    assert load_policy("smt-today") == preset("smt-today")
    path = tmp_path / "mine.yaml"
    path.write_text(MINE, encoding="utf-8")
    policy = load_policy(str(path))
    assert (policy.name, policy.source, policy.reuse_s) == ("mine", Source.STORE_FIRST, 600)
    assert [limit.name for limit in policy.limits] == ["READ-DAY", "STATUS-DAY", "ROR-BUCKET"]
    assert policy.limits[2].measure is Measure.TOKENS


def test_a_parameter_goes_into_amount_title_and_rule() -> None:
    assert {limit.amount for limit in preset("n-per-day").limits} == {2}
    five = preset("n-per-day:amount=5")
    assert five.name == "n-per-day:amount=5"
    assert {limit.amount for limit in five.limits} == {5}
    assert five.title.startswith("5 successful reads")
    assert "allows 5 successful reads" in five.limits[0].rule


def test_today_by_the_clock_differs_from_today_in_its_hours_alone() -> None:
    rolling, clock = preset("smt-today").limits, preset("smt-today-clock").limits
    assert [(one.kind, one.amount, one.code) for one in rolling] == [(one.kind, one.amount, one.code) for one in clock]
    assert [one.window for one in rolling].count(Window.ROLLING_HOUR) == 2
    assert [one.window for one in clock].count(Window.CLOCK_HOUR) == 2


def test_every_preset_says_in_its_title_where_its_numbers_come_from() -> None:
    for name in preset_names():
        if preset(name).limits and name != "fr-cr016-1-meter-only":
            assert any(mark in preset(name).title for mark in ("[V]", "[S]", "[D]")) or "like" in name, name


def test_the_page_names_every_preset_field_and_measure_and_its_example_can_be_used(tmp_path: Path) -> None:
    page = (Path(__file__).parents[4] / "docs" / "throttle.md").read_text(encoding="utf-8")
    fields = (set(LimitSpec.model_fields) | set(PolicySpec.model_fields)) - {"parameters"}
    for name in [*preset_names(), *fields, *(one.value for one in Measure), *(one.value for one in RequesterClass)]:
        assert name in page, name
    path = tmp_path / "mine.yaml"
    path.write_text(page.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    assert load_policy(str(path)).limits[2].burst == 100


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("n-per-month", "policy.unknown", "Choose one of: fr-cr016-1"),
        ("n-per-day:days=3", "policy.parameter", "Did you mean|Choose one of: amount"),
        ("n-per-day:amount=many", "policy.parameter", "whole number, as n-per-day:amount=2"),
        ("n-per-day:amount=٣", "policy.parameter", "whole number, as n-per-day:amount=2"),
        ("n-per-day:", "policy.parameter", "Write 'n-per-day' alone"),
        ("n-per-day:amount=2,", "policy.parameter", "lacks a parameter's name"),
        ("n-per-day:amount=2,amount=3", "policy.parameter", "given twice"),
        ("smt-today:amount=3", "policy.parameter", "Write 'smt-today' alone"),
        ("absent.yaml", "policy.unreadable", "No such file"),
    ],
)
def test_a_name_that_is_wrong_is_answered_with_its_mend(name: str, code: str, words: str) -> None:
    with pytest.raises(SimulatorError, match=words) as caught:
        load_policy(name, place="--policy")
    assert caught.value.code == code
    assert caught.value.place == "--policy"


LIMIT = "title: t\nlimits:\n  - {name: A, scope: esiid, amount: 1, code: A, rule: r, %s}\n"


@pytest.mark.parametrize(
    ("text", "code", "place", "words"),
    [
        ("title: [", "policy.yaml", ":1", "YAML is wrong"),
        ("- a", "policy.malformed", "", ""),
        (LIMIT % "window: week", "policy.malformed", ":3: limits[1].window", "week"),
        (LIMIT % "told: true", "policy.malformed", ":3: limits[1]", "needs window"),
        (LIMIT % "window: day, burst: 3", "policy.malformed", ":3: limits[1]", "has no burst"),
        (LIMIT % "measure: tokens, burst: 3", "policy.malformed", ":3: limits[1]", "needs per_s"),
        (LIMIT % "measure: octets, window: day", "policy.malformed", ":3: limits[1]", "needs estimate"),
        (LIMIT % "measure: meter_failures, within_s: 60", "policy.malformed", ":3: limits[1]", "needs cool_down_s"),
        (LIMIT % "window: day, classes: [vip]", "policy.malformed", ":3: limits[1].classes[1]", "vip"),
        (LIMIT % "window: day, reserve: {amount: 2, classes: [csp]}", "policy.malformed", ":3: limits[1]", "more than"),
        (
            LIMIT % "window: day, classes: [csp], reserve: {amount: 1, classes: [csp, customer]}",
            "policy.malformed",
            ":3: limits[1]",
            "does not count customer",
        ),
        (LIMIT % "window: day, measure: octets, estimate: 2", "policy.malformed", ":3: limits[1]", "Lower estimate"),
        (LIMIT % "window: day, portal_code: banana", "policy.malformed", ":3: limits[1].portal_code", "'5031'"),
        (
            LIMIT.replace("amount: 1", "amount: true") % "window: day",
            "policy.malformed",
            ":3: limits[1].amount",
            "whole",
        ),
        (LIMIT.replace("code: A", "code: ''") % "window: day", "policy.malformed", ":3: limits[1].code", "Write one"),
        (LIMIT.replace("rule: r", "rule: ' '") % "window: day", "policy.malformed", ":3: limits[1].rule", "Write one"),
        ("title: t\nreuse_s: true", "policy.malformed", ":2: reuse_s", "whole number"),
        ("title: t\nparameters: {n: true}", "policy.malformed", ":2: parameters.n", "whole number"),
        ("title: t\nparameters: {n: 1}\nlimits: &l\n  - *l", "policy.yaml", ":3", "contains itself"),
        ("title: t\nlike: nobody", "policy.unknown", ":2: like", "nobody"),
        (
            "title: t\nlike: smt-today\n"
            "limits: [{name: SMT-DAY, scope: esiid, amount: 1, window: day, code: A, rule: r}]",
            "policy.twice",
            ":3: limits[1].name",
            "SMT-DAY",
        ),
    ],
)
def test_a_file_that_is_wrong_names_line_and_field(
    tmp_path: Path, text: str, code: str, place: str, words: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SimulatorError) as caught:
        load_policy(str(path))
    assert caught.value.code == code
    assert caught.value.place.startswith(f"{path}{place}")
    assert words in f"{caught.value.message} {caught.value.mend}"
