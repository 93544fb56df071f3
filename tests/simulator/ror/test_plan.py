"""Rate plan files: exact decimals, thresholds by their direction, clear refusals, fact labels recomputed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from simulator.ror.errors import RorError
from simulator.ror.fact_label import check_fact_label, label_price
from simulator.ror.plan import EdgeKind, load_plan, plan_edges, shipped_plan, shipped_plans

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
