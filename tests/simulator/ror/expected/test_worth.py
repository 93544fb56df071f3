"""What the ways of a cycle mean in dollars, by examples that are worked by hand: 10 c a kWh in all, a credit of $50 from 100 kWh, no tax."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from meters.calendar import INTERVAL_S, Seconds, day_end, day_start, interval_ends
from simulator.ror.account import Account
from simulator.ror.billing.plan import BillCredit, EnergyPrice, RatePlan, TduCharge, plan_edges
from simulator.ror.expected.likely import Draws
from simulator.ror.expected.worth import EdgeDoubt, closed_bills, outlook, read_worth

DAY, NEXT = date(2026, 8, 12), date(2026, 8, 13)
ACCOUNT = Account(
    account_id="A-1",
    customer_name="An Example",
    esiid="10443720000000017",
    plan="-",
    cycle_first=DAY,
    cycle_last=NEXT,
)
PLAN = RatePlan(
    name="Ten",
    tdu=(TduCharge(effective=date(2020, 1, 1), monthly=Decimal(0), cents_per_kwh=Decimal(4)),),
    energy=(EnergyPrice(cents_per_kwh=Decimal(6)),),
    bill_credits=(BillCredit(from_kwh=Decimal(100), amount=Decimal(50)),),
)
CREDIT = plan_edges(PLAN)[0]
#: The gap: the first day's second half. Before it everything is known, the second day is to come.
GAP = (day_start(DAY) + 48 * INTERVAL_S, day_start(DAY) + 96 * INTERVAL_S)


def ways(*kwh: tuple[int, int]) -> Draws:
    """A way for each (kWh of the gap, kWh of the second day), behind 40 kWh that are known."""
    wh = np.zeros((len(kwh), 192), np.int32)
    wh[:, 0] = 40_000
    wh[:, 48], wh[:, 96] = np.array(kwh).T * 1_000
    ends = np.concatenate([interval_ends(DAY), interval_ends(NEXT)])
    return Draws(ends, wh, np.zeros_like(wh), np.arange(192) < 48, 14)


def test_each_way_has_its_closed_bill() -> None:
    # 40 + 20 + 30 = 90 kWh: $9.00. 40 + 30 + 30 = 100 kWh: $10 less $50.
    assert closed_bills(PLAN, ACCOUNT, ways((20, 30), (30, 30))).tolist() == [900, -4000]


def test_of_99_ways_the_tenth_and_the_ninetieth_are_told() -> None:
    told = outlook(np.arange(100, 10_000, 100)[::-1].copy())
    assert (told.low, told.middle, told.high, told.expected) == tuple(
        map(Decimal, ("10.00", "50.00", "90.00", "50.00"))
    )


def _of(draws: Draws, expected_from: Seconds = GAP[0]) -> tuple[Decimal, list[EdgeDoubt]]:
    worth = read_worth(PLAN, ACCOUNT, draws, expected_from, GAP, {CREDIT: Decimal(50)})
    assert worth.total == worth.bill + sum(one.worth for one in worth.edges)
    return worth.bill, list(worth.edges)


def test_far_from_the_edge_it_is_what_the_bill_is_wrong_by_with_what_is_expected() -> None:
    # The middle of 10, 20 and 40 kWh is billed: $1, nothing and $2 are the errors.
    assert _of(ways((10, 5), (20, 5), (40, 5))) == (Decimal("1.00"), [])
    assert _of(ways((20, 5), (20, 5))) == (Decimal("0.00"), [])


@pytest.mark.parametrize(
    ("draws", "wrong", "after", "worth"),
    [
        # The gap alone decides: 40 + 10 + 30 or 40 + 30 + 30.
        (ways((10, 30), (30, 30)), 0.5, 0.0, "25.00"),
        # The day to come alone decides: 40 + 20 + 20 or + 40.
        (ways((20, 20), (20, 40)), 0.5, 0.5, "0.00"),
        # Either: of 10 and 30 with 20 and 40 only 10 + 20 stays below, so one of four would be told wrongly. Once 30 is read none is; once 10 is, half.
        (ways((10, 20), (30, 40)), 0.25, 0.25, "0.00"),
        # 10, 30 and 50 with 20, 40 and 0 need 60: none of 10's, one of 30's, two of 50's, 3 of 9. Once it is read 0, 1 and 1 of 3 are told wrongly.
        (ways((10, 20), (30, 40), (50, 0)), 3 / 9, 2 / 9, "5.56"),
    ],
)
def test_at_the_edge_it_is_how_much_less_often_the_wrong_side_would_be_told(
    draws: Draws, wrong: float, after: float, worth: str
) -> None:
    _, (doubt,) = _of(draws)
    assert doubt.wrong == pytest.approx(wrong)
    assert doubt.wrong_after == pytest.approx(after)
    assert doubt.worth == Decimal(worth)


def _unknown_before() -> Draws:
    """10 or 20 kWh of the gap, and 1 or 9 kWh that are not known before it."""
    draws = ways((10, 5), (20, 5))
    draws.known[10] = False
    draws.wh[:, 10] = 1_000, 9_000
    return draws


def test_a_hole_before_the_gap_is_the_same_read_or_not() -> None:
    # Of the two the higher counts as the middle, $1 above the other.
    assert _of(_unknown_before())[0] == Decimal("0.50")


def test_what_a_gap_is_too_long_for_stays_uncertain_when_the_rest_is_read() -> None:
    # Expected are 11 or 29 kWh, so the bill is wrong by $1.80 in one of two; of the 20 read, by the $0.80 between 1 and 9 kWh.
    assert _of(_unknown_before(), day_start(DAY))[0] == Decimal("0.50")


def test_at_the_end_of_the_cycle_the_credit_is_in_the_bill_and_counts_once() -> None:
    whole = (day_start(NEXT), day_end(NEXT))
    draws = replace(ways((10, 20), (10, 60)), known=np.arange(192) < 96)
    worth = read_worth(PLAN, ACCOUNT, draws, whole[0], whole, {CREDIT: Decimal(50)})
    # 40 + 10 + 20 = 70 kWh cost $7.00, 110 kWh $11.00 less $50: $46.00 apart, in one of two.
    assert (worth.bill, worth.edges) == (Decimal("23.00"), ())
