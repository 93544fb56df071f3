"""The billing analysis: projection, pattern, edges, and the decision to ask for more."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.calendar import days, epoch, interval_ends, intervals_in
from simulator.ror.billing.plan import EnergyPrice, shipped_plan
from simulator.ror.call.analysis import Question, decide, edge_worths
from simulator.ror.expected.projection import project
from simulator.ror.pattern import hourly_pattern
from simulator.ror.usage import UsageRecord, empty, from_vee
from tests.simulator.ror.support import ACCOUNT, CALL, vee_record

PLAN = shipped_plan("longhorn-thousand-24")
FLAT = PLAN.model_copy(update={"bill_credits": (), "energy": (EnergyPrice(cents_per_kwh=Decimal("14.9")),)})
POSTED = vee_record(date(2026, 7, 1), date(2026, 8, 11))


def constant(first: date, last: date, wh: int) -> UsageRecord:
    ends = np.concatenate([interval_ends(day) for day in days(first, last)])
    return from_vee(ends, np.full(len(ends), wh, dtype=np.int32), np.zeros(len(ends), dtype=np.bool_))


def test_constant_usage_projects_to_itself() -> None:
    ahead = project(constant(date(2026, 7, 1), date(2026, 8, 11), 400), ACCOUNT)
    assert abs(ahead.expected_wh - 3 * 96 * 400) < 0.05 * 3 * 96 * 400
    assert ahead.low_wh < 30 * 96 * 400 < ahead.high_wh
    assert (ahead.known_wh, ahead.draws.days_used) == (27 * 96 * 400, 14)


def test_projection_band_holds_what_a_steady_premise_takes() -> None:
    ahead = project(POSTED, ACCOUNT)
    truth = vee_record(ACCOUNT.cycle_first, ACCOUNT.cycle_last).total_wh()
    assert ahead.low_wh <= truth <= ahead.high_wh
    assert ahead.low_wh < ahead.total_wh < ahead.high_wh
    assert int(ahead.energy.wh.sum()) == ahead.total_wh


def test_a_hole_is_expected_and_never_known() -> None:
    holed = POSTED.only(POSTED.ends != epoch("2026-07-18T12:00"))
    ahead, whole = project(holed, ACCOUNT), project(POSTED, ACCOUNT)
    assert ahead.known_wh < whole.known_wh
    assert abs(ahead.total_wh - whole.total_wh) < 100


@given(st.integers(0, 29))
def test_projection_never_falls_below_what_is_known(days_known: int) -> None:
    record = vee_record(date(2026, 6, 20), ACCOUNT.cycle_first + timedelta(days=days_known))
    ahead = project(record, ACCOUNT)
    assert ahead.known_wh <= ahead.low_wh <= ahead.total_wh <= ahead.high_wh


def test_without_history_it_may_be_any_home_of_the_season() -> None:
    ahead = project(empty(), ACCOUNT)
    assert (ahead.known_wh, ahead.draws.days_used) == (0, 0)
    assert 30 * 5_000 < ahead.low_wh < ahead.total_wh / 2 < 2 * ahead.total_wh < 2 * ahead.high_wh


def test_days_that_lack_an_interval_are_not_learned_from() -> None:
    lacking = POSTED.only(POSTED.ends != epoch("2026-08-11T12:00"))
    assert project(lacking, ACCOUNT).draws.days_used == 14
    assert project(lacking.only(lacking.ends > epoch("2026-08-09T00:00")), ACCOUNT).draws.days_used == 2


def test_pattern_has_24_usual_hours_and_no_gap_day_on_vee_data_alone() -> None:
    pattern = hourly_pattern(POSTED)
    assert len(pattern.usual_wh) == 24
    assert all(wh is not None and wh > 0 for wh in pattern.usual_wh)
    assert pattern.day is None


def test_fall_back_hour_stays_wh_per_hour() -> None:
    day = date(2025, 11, 2)
    assert intervals_in(day) == 100
    pattern = hourly_pattern(constant(day - timedelta(days=3), day, 250))
    assert set(pattern.usual_wh) == {1000}


def test_one_kwh_below_the_credit_and_at_it_are_weighed() -> None:
    worth = edge_worths(PLAN, ACCOUNT, project(POSTED, ACCOUNT))[0]
    assert (worth.edge.wh, worth.in_reach) == (1_000_000, True)
    # $100 less one kWh at 13.9 + 5.6 c, with 3.16 % tax; five lines of each bill are rounded.
    assert abs(worth.worth + (Decimal("100") - Decimal("0.195")) * Decimal("1.0316")) <= Decimal("0.02")
    assert "bill credit of $100.00 is earned at 1,000 kWh" in worth.statement()


def test_a_question_about_now_next_to_an_edge_needs_more() -> None:
    decision = decide(ACCOUNT, Question.BALANCE, POSTED, PLAN, CALL)
    assert decision.needs_more
    assert decision.facts["gap_intervals"] == 70
    assert decision.facts["edges_in_reach"][0]["at_wh"] == 1_000_000


def test_a_day_of_unknown_energy_needs_more_also_without_an_edge() -> None:
    decision = decide(ACCOUNT, Question.BALANCE, POSTED, FLAT, CALL)
    assert decision.needs_more
    assert "of error in the bill to date" in decision.reason
    assert decision.facts["read_worth"]["total_usd"] == decision.facts["read_worth"]["bill_usd"]


@pytest.mark.parametrize(
    ("worth_asking", "at", "asked"),
    [("0.25", "17:40", True), ("1.00", "17:40", False), ("0", "01:10", True), ("0.25", "01:10", False)],
)
def test_an_account_says_what_a_read_must_be_worth(worth_asking: str, at: str, asked: bool) -> None:
    account = ACCOUNT.model_copy(update={"worth_asking": Decimal(worth_asking)})
    decision = decide(account, Question.BALANCE, POSTED, FLAT, epoch(f"2026-08-12T{at}"))
    assert (decision.needs_more, decision.facts["worth_asking_usd"]) == (asked, worth_asking)


def test_a_customer_who_came_today_is_read_and_one_without_data_for_weeks_is_not() -> None:
    new = ACCOUNT.model_copy(update={"cycle_first": date(2026, 8, 12)})
    decision = decide(new, Question.BALANCE, empty(), PLAN, CALL)
    assert (decision.needs_more, decision.facts["gap_intervals"]) == (True, 70)
    assert "The customer came at 2026-08-12T00:00:00-05:00, 17 h 30 before the call" in decision.reason
    within = ACCOUNT.model_copy(update={"customer_since": date(2026, 8, 12)})
    assert decide(within, Question.BALANCE, empty(), PLAN, CALL).needs_more
    assert not decide(ACCOUNT, Question.BALANCE, empty(), PLAN, CALL).needs_more


def test_before_the_first_whole_interval_of_a_cycle_none_is_needed() -> None:
    new = ACCOUNT.model_copy(update={"cycle_first": date(2026, 8, 12)})
    assert "no gap" in decide(new, Question.BALANCE, POSTED, PLAN, epoch("2026-08-12T00:10")).reason


def test_a_call_soon_after_midnight_needs_none() -> None:
    decision = decide(ACCOUNT, Question.BALANCE, POSTED, FLAT, epoch("2026-08-12T01:10"))
    assert not decision.needs_more
    assert decision.facts["gap_intervals"] == 4


def test_a_question_about_the_last_bill_needs_none() -> None:
    assert not decide(ACCOUNT, Question.LAST_BILL, POSTED, PLAN, CALL).needs_more


def test_no_whole_interval_since_the_vee_end_needs_none() -> None:
    assert "no gap" in decide(ACCOUNT, Question.BALANCE, POSTED, PLAN, epoch("2026-08-12T00:14")).reason


def test_a_cycle_that_is_all_posted_needs_none() -> None:
    posted = vee_record(date(2026, 7, 1), date(2026, 8, 14))
    assert not decide(ACCOUNT, Question.BALANCE, posted, PLAN, epoch("2026-08-15T17:40")).needs_more
