"""Rate plan files: exact decimals, thresholds by their direction, clear refusals, fact labels recomputed."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import jsonschema_rs
import pytest

from simulator.input.yaml_text import read_yaml_file
from simulator.ror.billing.fact_label import check_fact_label, label_mistakes, label_price
from simulator.ror.billing.plan import (
    EdgeKind,
    RatePlan,
    load_plan,
    plan_edges,
    plan_mistakes,
    plan_schema,
    shipped_plan,
    shipped_plans,
    tdu_files,
)
from simulator.ror.errors import RorError
from tests.simulator.ror.billing.bent_plans import SOURCES, bend
from tests.simulator.ror.billing.pages import SCHEMA, schema_text

GOOD = """
name: Test
energy: [{cents_per_kwh: 10}]
tdu: [{effective: 2025-09-01, monthly: 4.23, cents_per_kwh: 5.60}]
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", shipped_plans())
def test_every_shipped_plan_agrees_with_its_fact_label(name: str) -> None:
    plan = shipped_plan(name)
    assert plan.fact_label is not None
    assert check_fact_label(plan) == []


@pytest.mark.parametrize(("kwh", "price"), [("500", "17.83"), ("1000", "16.61"), ("2000", "15.59")])
def test_minimum_usage_plan_gives_its_published_average_prices(kwh: str, price: str) -> None:
    found = label_price(shipped_plan("bluebonnet-saver-12"), Decimal(kwh))
    assert found.quantize(Decimal("0.01")) == Decimal(price)


def test_prices_are_the_decimals_that_the_file_writes(tmp_path: Path) -> None:
    plan = load_plan(written(tmp_path, GOOD.replace("5.60", "5.6001")))
    assert plan.tdu[0].cents_per_kwh == Decimal("5.6001")


def test_a_wrong_label_price_is_found_with_both_figures(tmp_path: Path) -> None:
    plan = load_plan(
        written(tmp_path, GOOD + "fact_label: {on: 2025-09-01, prices: [{kwh: 500, cents_per_kwh: 12}]}\n")
    )
    codes = [(finding.code, int(finding.kwh)) for finding in check_fact_label(plan)]
    assert codes == [
        ("ror.fact_label.differs", 500),
        ("ror.fact_label.missing", 1000),
        ("ror.fact_label.missing", 2000),
    ]
    assert check_fact_label(plan)[0].computed == Decimal("16.4460")


@pytest.mark.parametrize(("text", "code", "place"), [
    ("name: [", "ror.plan.malformed", "plan.yaml:"),
    ("- 1\n", "ror.plan.malformed", "plan.yaml"),
    ("name: x\nbase_charge: .inf\n", "ror.plan.", "plan.yaml"),
    (GOOD + "surprise: 1\n", "ror.plan.field", "plan.yaml:5: surprise"),
    (GOOD.replace("cents_per_kwh: 10", "cents_per_kwh: -1"), "ror.plan.field", "plan.yaml:3: energy[1].cents_per_kwh"),
    (GOOD.replace("2025-09-01", "soon"), "ror.plan.field", "tdu[1].effective"),
    (GOOD.replace("cents_per_kwh: 10", "tiers: [{up_to_kwh: 5, cents_per_kwh: 10}]"), "ror.plan.field", "energy[1]"),
    (GOOD + "bill_credits: [{from_kwh: 10, to_kwh: 10, amount: 1}]\n", "ror.plan.field", "bill_credits[1]"),
    (GOOD.replace("cents_per_kwh: 10", "cents_per_kwh: 10, tiers: [{cents_per_kwh: 1}]"), "ror.plan.field", "energy[1]"),
    (GOOD.replace("cents_per_kwh: 10", "cents_per_kwh: 10, hours: [20:00-05:00]"), "ror.plan.field", "plan.yaml:3: energy"),
    (GOOD.replace("cents_per_kwh: 10", "cents_per_kwh: 10, hours: [20:00-05:10]"), "ror.plan.field", "energy[1].hours[1]"),
    (GOOD.replace("cents_per_kwh: 10", "cents_per_kwh: 10, first_day: 1999-12-31"), "ror.plan.field", "energy[1].first_day"),
    ("name: Test\nenergy: [{cents_per_kwh: 10}]\ntdu: onkor\n", "ror.plan.field", "plan.yaml:3: tdu"),
    (GOOD.replace("2025-09-01", "20250901"), "ror.plan.field", "tdu[1].effective"),
])  # fmt: skip
def test_a_bad_plan_is_refused_with_file_and_field(tmp_path: Path, text: str, code: str, place: str) -> None:
    with pytest.raises(RorError) as caught:
        load_plan(written(tmp_path, text))
    assert caught.value.code.startswith(code)
    assert place in caught.value.place


def test_a_plan_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RorError, match=r"ror\.plan\.unreadable"):
        load_plan(tmp_path / "none.yaml")


def test_a_day_before_the_first_tdu_charge_has_no_price(tmp_path: Path) -> None:
    plan = load_plan(written(tmp_path, GOOD))
    with pytest.raises(RorError, match=r"ror\.plan\.tdu_undated"):
        plan.tdu_on(date(2025, 8, 31))


def test_edges_are_the_first_wh_on_the_far_side(tmp_path: Path) -> None:
    text = (
        GOOD.replace("[{cents_per_kwh: 10}]", "[{tiers: [{up_to_kwh: 500, cents_per_kwh: 10}, {cents_per_kwh: 12}]}]")
        + "minimum_usage_fee: {threshold_kwh: 800, direction: below, amount: 9.95}\n"
        + "bill_credits:\n"
        + "  - {from_kwh: 1000, to_kwh: 2000, amount: 50}\n"
        + "  - {from_kwh: 1000, to_kwh: 2000, direction: above, amount: 50}\n"
    )
    edges = plan_edges(load_plan(written(tmp_path, text)))
    assert [(edge.wh, edge.kind) for edge in edges] == [
        (500_001, EdgeKind.TIER),
        (800_000, EdgeKind.FEE_ENDS),
        (1_000_000, EdgeKind.CREDIT_EARNED),
        (1_000_001, EdgeKind.CREDIT_EARNED),
        (2_000_000, EdgeKind.CREDIT_LOST),
        (2_000_001, EdgeKind.CREDIT_LOST),
    ]


def test_every_mistake_of_a_plan_is_told_with_its_line(tmp_path: Path) -> None:
    text = GOOD.replace("Test", "''") + "bill_credits:\n  - {from_kwh: -1, amount: 5}\n  - {from_kwh: x, amount: 5}\n"
    plan, mistakes = plan_mistakes(written(tmp_path, text))
    assert plan is None
    assert [one.place for one in mistakes] == [
        "plan.yaml:2: name",
        "plan.yaml:6: bill_credits[1].from_kwh",
        "plan.yaml:7: bill_credits[2].from_kwh",
    ]


def test_a_label_may_differ_by_half_of_its_last_digit(tmp_path: Path) -> None:
    # 10 + 5.6 c and $4.23 a month: 16.446 c/kWh at 500 kWh, 16.023 at 1,000, 15.8115 at 2,000.
    def codes(first: str, second: str, third: str) -> list[str]:
        prices = f"[{{kwh: 500, cents_per_kwh: {first}}}, {{kwh: 1000, cents_per_kwh: {second}}}, {{kwh: 2000, cents_per_kwh: {third}}}]"
        label = f"fact_label: {{on: 2025-09-01, prices: {prices}}}\n"
        return [one.code for one in label_mistakes(load_plan(written(tmp_path, GOOD + label)), "plan.yaml")]

    assert codes("16.4", "16.02", "15.812") == []
    assert codes("16.5", "16.0", "15.81") == ["ror.fact_label.differs"]
    assert codes("16.45", "16.03", "16") == ["ror.fact_label.differs"]


def test_a_label_of_a_day_without_charges_is_a_mistake(tmp_path: Path) -> None:
    plan = load_plan(written(tmp_path, GOOD + "fact_label: {on: 2024-01-01}\n"))
    assert [one.code for one in label_mistakes(plan, "plan.yaml")] == ["ror.plan.tdu_undated"]


def test_each_tdsp_has_its_file_of_charges() -> None:
    assert list(tdu_files()) == ["aep_central", "aep_north", "centerpoint", "oncor", "tnmp"]
    for name in tdu_files():
        plan = RatePlan.model_validate({"name": name, "tdu": name, "energy": [{"cents_per_kwh": 1}]})
        assert plan.tdu_on(date(2026, 8, 12)).effective == date(2025, 9, 1)


def test_a_plan_comes_back_from_json_as_it_was() -> None:
    for name in shipped_plans():
        plan = shipped_plan(name)
        assert RatePlan.model_validate(json.loads(json.dumps(plan.model_dump(mode="json")))) == plan


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_published_schema_takes_every_plan_that_we_have(path: Path) -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(plan_schema()), (
        "python -m tests.simulator.ror.billing.pages"
    )
    schema = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8")))
    plan = read_yaml_file(path).value
    schema.validate(plan)
    assert not schema.is_valid(plan | {"surprise": 1})


def test_a_day_out_of_bounds_is_told_the_bound_as_it_is_written(tmp_path: Path) -> None:
    with pytest.raises(RorError) as told:
        load_plan(written(tmp_path, GOOD.replace("2025-09-01", "1999-12-31")))
    assert told.value.message == "'1999-12-31' is out of range: it must be at least 2000-01-01."
    assert told.value.mend == "Mend the day."


def test_no_spoilt_plan_ends_in_a_traceback_and_each_has_line_and_mend(tmp_path: Path) -> None:
    found = bend(150, tmp_path, seed=2)
    assert {"ror.plan.malformed", "ror.plan.field", "read"} <= found.keys()
