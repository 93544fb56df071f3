"""Bills against published figures, at every edge, each line to the cent."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.calendar import days, interval_ends
from simulator.ror.billing.bill import Bill, Standing, bill, bill_to_date
from simulator.ror.billing.plan import RatePlan, shipped_plan
from simulator.ror.billing.sheet import LineKind
from simulator.ror.billing.windows import apportioned
from simulator.ror.errors import RorError
from simulator.ror.usage import Energy

FIRST, LAST = date(2026, 7, 16), date(2026, 8, 14)
#: The month of the published label.
JUNE = (date(2025, 6, 1), date(2025, 6, 30))
FEE_PLAN = shipped_plan("bluebonnet-saver-12")
CREDIT_PLAN = shipped_plan("caprock-credit-1000")
DEMO_PLAN = shipped_plan("longhorn-thousand-24")


def changed(plan: RatePlan, **fields: object) -> RatePlan:
    return RatePlan.model_validate(plan.model_dump() | fields)


def by_day(usage: dict[date, int]) -> Energy:
    """Each day's Wh in its first quarter hour."""
    ends = np.array([interval_ends(day)[0] for day in usage], dtype=np.int64)
    return Energy(ends, np.array([*usage.values()], dtype=np.int32), np.zeros(len(ends), np.int32))


@pytest.mark.parametrize(("kwh", "usd"), [(999, "214.614405"), (1000, "89.825")])
def test_credit_plan_gives_its_published_bill_before_tax(kwh: int, usd: str) -> None:
    closed = bill(CREDIT_PLAN, kwh * 1000, *JUNE)
    # Two lines are rounded, each by half a cent at most.
    assert abs(closed.before_tax - Decimal(usd)) <= Decimal("0.01")


def test_one_kwh_at_the_credit_edge_is_worth_124_79() -> None:
    below, at = (bill(CREDIT_PLAN, wh, *JUNE).before_tax for wh in (999_000, 1_000_000))
    assert below - at == Decimal("124.79")


@given(st.integers(0, 3_000_000))
def test_the_lines_as_they_are_printed_sum_to_the_total_that_is_printed(wh: int) -> None:
    told = bill(DEMO_PLAN, wh, FIRST, LAST).to_dict()
    assert sum(Decimal(line["usd"]) for line in told["lines"]) == Decimal(told["total_usd"])
    assert all(Decimal(line["usd"]).as_tuple().exponent == -2 for line in told["lines"])


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
    plan = changed(FEE_PLAN, energy=[{"tiers": tiers}], minimum_usage_fee=None)
    energy = [line.amount for line in bill(plan, 1_200_000, FIRST, LAST).lines if line.kind is LineKind.ENERGY]
    assert energy == [Decimal(50), Decimal(60), Decimal(40)]
    at_limit = [line for line in bill(plan, 500_000, FIRST, LAST).lines if line.kind is LineKind.ENERGY]
    assert len(at_limit) == 1


def test_a_tdu_change_within_the_cycle_is_prorated_by_days_and_priced_by_the_day_of_usage() -> None:
    charges = [
        {"effective": date(2025, 9, 1), "monthly": "3.00", "cents_per_kwh": "5"},
        {"effective": date(2026, 8, 5), "monthly": "6.00", "cents_per_kwh": "10"},
    ]
    plan = changed(CREDIT_PLAN, tdu=charges)
    usage = by_day({date(2026, 8, 4): 1_000, date(2026, 8, 5): 3_000})
    lines = bill(plan, usage, FIRST, LAST).lines
    # 20 days of the old charge, 10 of the new one.
    assert [line.amount for line in lines if line.kind in (LineKind.TDU_MONTHLY, LineKind.TDU_ENERGY)] == [
        Decimal(2),
        Decimal("0.05"),
        Decimal(2),
        Decimal("0.3"),
    ]


def test_bill_to_date_accrues_monthly_charges_by_the_day() -> None:
    running = bill_to_date(DEMO_PLAN, 900_000, FIRST, date(2026, 8, 12), LAST)
    by_kind = {line.kind: line.amount for line in running.lines}
    assert (running.days, running.cycle_days) == (28, 30)
    assert by_kind[LineKind.BASE] == Decimal("4.62")
    assert by_kind[LineKind.TDU_MONTHLY] == Decimal("3.95")
    assert "28 of 30 days" in running.notes[0]


def test_bill_to_date_keeps_an_unearned_credit_apart() -> None:
    running = bill_to_date(DEMO_PLAN, 900_000, FIRST, date(2026, 8, 12), LAST)
    assert [(one.kind, one.standing) for one in running.undecided] == [(LineKind.CREDIT, Standing.NOT_YET_EARNED)]
    assert all(line.kind is not LineKind.CREDIT for line in running.lines)


def test_bill_to_date_counts_a_credit_that_nothing_can_take_away() -> None:
    running = bill_to_date(DEMO_PLAN, 1_000_000, FIRST, date(2026, 8, 12), LAST)
    assert running.undecided == ()
    assert [line.amount for line in running.lines if line.kind is LineKind.CREDIT] == [Decimal(-100)]


def test_bill_to_date_keeps_a_credit_open_that_more_usage_would_lose() -> None:
    plan = changed(DEMO_PLAN, bill_credits=[{"from_kwh": 1000, "to_kwh": 1500, "amount": 50}])
    running = bill_to_date(plan, 1_200_000, FIRST, date(2026, 8, 12), LAST)
    assert [one.standing for one in running.undecided] == [Standing.WOULD_APPLY]
    assert bill_to_date(plan, 1_500_000, FIRST, date(2026, 8, 12), LAST).undecided == ()


def test_bill_to_date_says_that_the_low_usage_fee_would_apply() -> None:
    running = bill_to_date(FEE_PLAN, 900_000, FIRST, date(2026, 8, 12), LAST)
    assert [(one.kind, one.standing) for one in running.undecided] == [(LineKind.MINIMUM_USAGE, Standing.WOULD_APPLY)]


@given(st.lists(st.integers(0, 120_000), min_size=30, max_size=30))
def test_bill_by_days_equals_bill_of_the_total_at_one_price(daily: list[int]) -> None:
    usage = by_day(dict(zip(days(FIRST, LAST), daily, strict=True)))
    assert bill(DEMO_PLAN, usage, FIRST, LAST) == bill(DEMO_PLAN, sum(daily), FIRST, LAST)


@given(st.integers(-(10**18), 10**18), st.lists(st.integers(0, 10**9), min_size=1, max_size=40).filter(any))
def test_what_is_apportioned_is_each_share_of_the_whole_rounded_from_the_left_and_adds_up(
    total: int, shares: list[int]
) -> None:
    upto = [Fraction(sum(shares[: at + 1]) * total, sum(shares)) for at in range(len(shares))]
    found = apportioned(total, np.array(shares))
    assert np.cumsum(found).tolist() == [math.floor(one + Fraction(1, 2)) for one in upto]
    assert found.dtype == np.int64


@given(st.integers(0, 3_000_000))
def test_the_last_day_to_date_and_the_closed_bill_differ_only_by_what_is_undecided(wh: int) -> None:
    running: Bill = bill_to_date(CREDIT_PLAN, wh, FIRST, LAST, LAST)
    closed = bill(CREDIT_PLAN, wh, FIRST, LAST)
    applied = [one.amount for one in running.undecided if one.standing is Standing.WOULD_APPLY]
    assert closed.before_tax == running.before_tax + sum(applied, Decimal(0))


@pytest.mark.parametrize(("usage", "first", "last", "code"), [
    (by_day({date(2026, 7, 15): 1}), FIRST, LAST, "ror.bill.usage_outside"),
    (by_day({FIRST: -1}), FIRST, LAST, "ror.bill.usage_negative"),
    (-1, FIRST, LAST, "ror.bill.usage_negative"),
    (10**12, FIRST, LAST, "ror.bill.usage_too_much"),
    (1, LAST, FIRST, "ror.bill.days"),
])  # fmt: skip
def test_usage_that_cannot_be_billed_is_refused(usage: int | Energy, first: date, last: date, code: str) -> None:
    with pytest.raises(RorError) as caught:
        bill(CREDIT_PLAN, usage, first, last)
    assert caught.value.code == code
