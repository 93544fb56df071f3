"""Bills against published figures, at every edge, exact to the last decimal."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.ror.bill import Bill, LineKind, Standing, bill, bill_to_date, money
from simulator.ror.errors import RorError
from simulator.ror.plan import PLANS, RatePlan, load_plan

FIRST, LAST = date(2026, 7, 16), date(2026, 8, 14)
FEE_PLAN = load_plan(PLANS / "bluebonnet-saver-12.yaml")
CREDIT_PLAN = load_plan(PLANS / "caprock-credit-1000.yaml")
DEMO_PLAN = load_plan(PLANS / "longhorn-thousand-24.yaml")


def changed(plan: RatePlan, **fields: object) -> RatePlan:
    return RatePlan.model_validate(plan.model_dump() | fields)


@pytest.mark.parametrize(("kwh", "price"), [(500, "17.83"), (1000, "16.61"), (2000, "15.59")])
def test_minimum_usage_plan_gives_its_published_average_prices(kwh: int, price: str) -> None:
    assert bill(FEE_PLAN, kwh * 1000, FIRST, LAST).average_cents_per_kwh == Decimal(price)


@pytest.mark.parametrize(("kwh", "usd"), [(999, "214.614405"), (1000, "89.825")])
def test_credit_plan_gives_its_published_bill_before_tax(kwh: int, usd: str) -> None:
    assert bill(CREDIT_PLAN, kwh * 1000, FIRST, LAST).before_tax == Decimal(usd)


def test_one_kwh_at_the_credit_edge_is_worth_124_79() -> None:
    below, at = (bill(CREDIT_PLAN, wh, FIRST, LAST).before_tax for wh in (999_000, 1_000_000))
    assert money(below - at) == "$124.79"


def test_total_has_tax_and_is_rounded_only_at_the_end() -> None:
    closed = bill(CREDIT_PLAN, 1_000_000, FIRST, LAST)
    assert closed.total == Decimal("89.825") * Decimal("1.0316")
    assert closed.total_cents == Decimal("92.66")
    assert closed.to_dict()["total_usd_exact"] == "92.66347"


def test_at_most_counts_the_threshold_and_below_does_not() -> None:
    def fee(plan: RatePlan, wh: int) -> bool:
        return any(line.kind is LineKind.MINIMUM_USAGE for line in bill(plan, wh, FIRST, LAST).lines)

    below = changed(FEE_PLAN, minimum_usage_fee={"threshold_kwh": 1999, "direction": "below", "amount": 8})
    assert [fee(FEE_PLAN, wh) for wh in (1_998_999, 1_999_000, 1_999_001)] == [True, True, False]
    assert [fee(below, wh) for wh in (1_998_999, 1_999_000, 1_999_001)] == [True, False, False]


@pytest.mark.parametrize(("direction", "earned"), [
    ("at_least", [False, True, True, True, False, False]),
    ("above", [False, False, True, True, True, False]),
])  # fmt: skip
def test_credit_band_ends_belong_where_the_direction_says(direction: str, earned: list[bool]) -> None:
    band = [{"from_kwh": 1000, "to_kwh": 2000, "direction": direction, "amount": 50}]
    plan = changed(CREDIT_PLAN, bill_credits=band)
    usages = (999_999, 1_000_000, 1_000_001, 1_999_999, 2_000_000, 2_000_001)
    got = [any(line.kind is LineKind.CREDIT for line in bill(plan, wh, FIRST, LAST).lines) for wh in usages]
    assert got == earned


def test_tiers_price_each_part_of_the_usage() -> None:
    tiers = [{"up_to_kwh": 500, "cents_per_kwh": 10}, {"up_to_kwh": 1000, "cents_per_kwh": 12}, {"cents_per_kwh": 20}]
    plan = changed(FEE_PLAN, energy=tiers, minimum_usage_fee=None)
    energy = [line.amount for line in bill(plan, 1_200_000, FIRST, LAST).lines if line.kind is LineKind.ENERGY]
    assert energy == [Decimal(50), Decimal(60), Decimal(40)]
    at_limit = [line for line in bill(plan, 500_000, FIRST, LAST).lines if line.kind is LineKind.ENERGY]
    assert len(at_limit) == 1


def test_a_tdu_change_within_the_cycle_is_prorated_by_days_and_priced_by_the_day_of_usage() -> None:
    charges = [
        {"effective": date(2025, 9, 1), "monthly": "3.00", "cents_per_kwh": "5"},
        {"effective": date(2026, 8, 5), "monthly": "6.00", "cents_per_kwh": "10"},
    ]
    plan = changed(CREDIT_PLAN, tdu_charges=charges)
    usage = {date(2026, 8, 4): 1_000, date(2026, 8, 5): 3_000}
    amounts = {
        (line.kind, index): line.amount
        for index, line in enumerate(bill(plan, usage, FIRST, LAST).lines)
        if line.kind in (LineKind.TDU_MONTHLY, LineKind.TDU_ENERGY)
    }
    # 20 days of the old charge, 10 of the new one.
    assert list(amounts.values()) == [Decimal(2), Decimal("0.05"), Decimal(2), Decimal("0.3")]


def test_bill_to_date_accrues_monthly_charges_by_the_day() -> None:
    running = bill_to_date(DEMO_PLAN, 900_000, FIRST, date(2026, 8, 12), LAST)
    by_kind = {line.kind: line.amount for line in running.lines}
    assert (running.days, running.cycle_days) == (28, 30)
    assert by_kind[LineKind.BASE] == Decimal("4.62")
    assert by_kind[LineKind.TDU_MONTHLY] == Decimal("3.948")
    assert "28 of 30 days" in running.notes[0]


def test_bill_to_date_keeps_an_unearned_credit_apart() -> None:
    running = bill_to_date(DEMO_PLAN, 900_000, FIRST, date(2026, 8, 12), LAST)
    assert [(one.kind, one.standing) for one in running.undecided] == [(LineKind.CREDIT, Standing.NOT_YET_EARNED)]
    assert all(line.kind is not LineKind.CREDIT for line in running.lines)


def test_bill_to_date_counts_a_credit_that_nothing_can_take_away() -> None:
    running = bill_to_date(DEMO_PLAN, 1_000_000, FIRST, date(2026, 8, 12), LAST)
    assert running.undecided == ()
    assert running.lines[-1].amount == Decimal(-100)


def test_bill_to_date_keeps_a_credit_open_that_more_usage_would_lose() -> None:
    plan = changed(DEMO_PLAN, bill_credits=[{"from_kwh": 1000, "to_kwh": 1500, "amount": 50}])
    running = bill_to_date(plan, 1_200_000, FIRST, date(2026, 8, 12), LAST)
    assert [one.standing for one in running.undecided] == [Standing.WOULD_APPLY]
    assert bill_to_date(plan, 1_500_000, FIRST, date(2026, 8, 12), LAST).undecided == ()


def test_bill_to_date_says_that_the_low_usage_fee_would_apply() -> None:
    running = bill_to_date(FEE_PLAN, 900_000, FIRST, date(2026, 8, 12), LAST)
    assert [(one.kind, one.standing) for one in running.undecided] == [(LineKind.MINIMUM_USAGE, Standing.WOULD_APPLY)]


@given(st.lists(st.integers(0, 120_000), min_size=30, max_size=30))
def test_bill_by_days_equals_bill_of_the_total_under_one_tdu_charge(daily: list[int]) -> None:
    by_day = {FIRST + timedelta(days=i): wh for i, wh in enumerate(daily)}
    split, whole = bill(DEMO_PLAN, by_day, FIRST, LAST), bill(DEMO_PLAN, sum(daily), FIRST, LAST)
    assert split == whole


@given(st.integers(0, 3_000_000))
def test_the_last_day_to_date_and_the_closed_bill_differ_only_by_what_is_undecided(wh: int) -> None:
    running: Bill = bill_to_date(CREDIT_PLAN, wh, FIRST, LAST, LAST)
    closed = bill(CREDIT_PLAN, wh, FIRST, LAST)
    applied = [one.amount for one in running.undecided if one.standing is Standing.WOULD_APPLY]
    assert closed.before_tax == running.before_tax + sum(applied, Decimal(0))


@pytest.mark.parametrize(("usage", "first", "last", "code"), [
    ({date(2026, 7, 15): 1}, FIRST, LAST, "ror.bill.usage_outside"),
    ({FIRST: -1}, FIRST, LAST, "ror.bill.usage_negative"),
    (1, LAST, FIRST, "ror.bill.days"),
])  # fmt: skip
def test_usage_that_cannot_be_billed_is_refused(
    usage: int | dict[date, int], first: date, last: date, code: str
) -> None:
    with pytest.raises(RorError) as caught:
        bill(CREDIT_PLAN, usage, first, last)
    assert caught.value.code == code
