"""What a read is worth, held to homes whose error is known in closed form, and to a plain reading that bills one home at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from headend.ports import IntArray
from meters.calendar import interval_ends, intervals_in
from meters.day_kinds import SLOTS, DayClass, clock_slots, day_class
from meters.identity import TDSPS
from simulator.ror.billing.bill import bill, bill_to_date
from simulator.ror.billing.plan import RatePlan, shipped_plan, shipped_plans
from simulator.ror.expected import tally
from simulator.ror.expected.like_days import BACK_DAYS, LIKE_C, USUAL_DAYS
from simulator.ror.expected.tally import SEASONS, calls, hours_of, value
from simulator.ror.expected.value import (
    FILLS,
    REACH,
    UNKNOWN,
    UNKNOWN_CLOSING,
    Call,
    Homes,
    Priced,
    Span,
    Terms,
    expect,
    tell,
)
from simulator.ror.usage import Energy

SEED = 7
FLAT = RatePlan.model_validate(
    {
        "name": "Flat",
        "tdu": [{"effective": "2025-01-01", "monthly": 0, "cents_per_kwh": 0}],
        "energy": [{"cents_per_kwh": 10}],
    }
)
CREDIT = FLAT.model_copy(
    update={"bill_credits": (shipped_plan("caprock-credit-1000").bill_credits[0],), "name": "Credit"}
)
SUMMER = Span.around(SEASONS["summer"])


class Twin:
    """One home, read off its days one quarter hour at a time, and billed in words."""

    def __init__(self, span: Span, wh: IntArray, degrees: NDArray[np.float64]) -> None:
        self.wh: dict[date, list[int]] = {}
        self.degrees = dict(zip(span.days, degrees.tolist(), strict=True))
        for at, day in enumerate(span.days):
            self.wh[day] = wh[span.starts[at] : span.starts[at + 1]].tolist()
        self.usual, self.like, self._of_kind = cache(self._usual), cache(self._like), cache(self._days_of_kind)
        # Of all plans the same.
        self.told = cache(self._told)

    def _usual(self, day: date, known_until: date, slot: int) -> int:
        days = self._of_kind(day, known_until)[:USUAL_DAYS]
        return round(sum(self.wh[one][slot] for one in days) / len(days))

    def _like(self, day: date, known_until: date, slot: int) -> int:
        days = self._of_kind(day, known_until)
        counts = [math.exp(-(((self.degrees[one][slot] - self.degrees[day][slot]) / LIKE_C) ** 2) / 2) for one in days]
        return round(sum(c * self.wh[one][slot] for c, one in zip(counts, days, strict=True)) / sum(counts))

    def _days_of_kind(self, day: date, known_until: date) -> list[date]:
        back = (known_until - timedelta(days=at) for at in range(1, BACK_DAYS + 1))
        return [one for one in back if day_class(one) is day_class(day) and intervals_in(one) == SLOTS]

    def _told(self, fill: str, unknown: int, first: date, day: date, last: date, over: int) -> tuple[Energy, Energy]:
        """What the bill to date, and the closing bill, are told on. over: intervals of the day of the call that are."""
        ends, wh = [], []
        latest = [(one, slot) for one in self._days(day - timedelta(days=2), day) for slot in range(96)][: 192 + over]
        lacking = set(latest[len(latest) - unknown :])
        known_until = min(lacking)[0] if lacking else day
        for one in self._days(first, last):
            for at, slot in enumerate(clock_slots(one).tolist()):
                if one > day or (one == day and at >= over):
                    wh.append(self.usual(one, known_until, slot))
                elif (one, at) not in lacking:
                    wh.append(self.wh[one][at])
                else:
                    wh.append(0 if fill == "left out" else self._expected(fill, one, known_until, slot))
            ends += interval_ends(one).tolist()
        until = int(interval_ends(day)[over - 1])
        whole = self._energy(ends, wh)
        upto = whole.ends <= until
        return Energy(whole.ends[upto], whole.wh[upto], whole.given[upto]), whole

    def _expected(self, fill: str, day: date, known_until: date, slot: int) -> int:
        return (self.usual if fill == "usual day" else self.like)(day, known_until, slot)

    def true(self, first: date, last: date) -> Energy:
        of = self._days(first, last)
        return self._energy(
            [end for one in of for end in interval_ends(one)], [wh for one in of for wh in self.wh[one]]
        )

    @staticmethod
    def _days(first: date, last: date) -> list[date]:
        return [first + timedelta(days=at) for at in range((last - first).days + 1)]

    @staticmethod
    def _energy(ends: list[int], wh: list[int]) -> Energy:
        return Energy(np.array(ends), np.array(wh, dtype=np.int32), np.zeros(len(wh), np.int32))


def told_to(homes: Homes, plan: RatePlan, span: Span, call: Call, over: int) -> Any:
    """What all callers are told when so many intervals of the day are over."""
    priced = Priced.over(plan, span)
    edges = np.full(len(homes.wh), (REACH - 1) * SLOTS + over)
    return tell(
        homes, priced.upto(homes, span), expect(homes, span, call), span, call, Terms.of(priced, span, call), edges
    )


@cache
def generated(season: str) -> tuple[Span, Homes, Twin]:
    span = Span.around(SEASONS[season])
    homes = Homes.generated(span, SEED, TDSPS["CENTERPOINT"], 40, 1)
    return span, homes, Twin(span, homes.wh[0], homes.degrees)


@pytest.mark.parametrize("plan", list(shipped_plans()))
@pytest.mark.parametrize(("season", "at", "over"), [("summer", 20, 70), ("autumn", 29, 2), ("winter", 24, 94)])
def test_what_is_told_is_what_one_home_billed_in_words_is_told(plan: str, season: str, at: int, over: int) -> None:
    span, homes, twin = generated(season)
    call = calls(span, 1)[at]
    first, day, last = call.dates(span)
    terms = shipped_plan(plan)
    told = told_to(homes, terms, span, call, over)
    assert told.closed[0] == 100 * bill(terms, twin.true(first, last), first, last).total
    for fill in FILLS:
        for unknown in (0, 1, 16, 72, 96, 112, 192):
            to_date, whole = twin.told(fill, unknown, first, day, last, over)
            at_this = FILLS.index(fill), UNKNOWN.index(unknown)
            assert told.to_date[0][at_this] == 100 * bill_to_date(terms, to_date, first, day, last).total
            if fill != "left out" and unknown in UNKNOWN_CLOSING:
                at_this = FILLS.index(fill) - 1, UNKNOWN_CLOSING.index(unknown)
                assert told.projected[0][at_this] == 100 * bill(terms, whole, first, last).total


def test_the_table_has_what_one_home_is_told_on_one_day() -> None:
    plans = {"caprock-credit-1000": shipped_plan("caprock-credit-1000")}
    table = value(plans, 1, SEED)
    for season, first in SEASONS.items():
        span = Span.around(first)
        homes = Homes.generated(span, SEED, TDSPS["ONCOR"], 0, 1)
        twin = Twin(span, homes.wh[0], homes.degrees)
        # On the first two days an hour is called at once, and again 24 days later.
        call = calls(span, 0)[10]
        hour = int(hours_of(tally.Part(0, 1), 10)[0])
        begin, day, last = call.dates(span)
        (true, _), (lacking, _) = (
            twin.told("usual day", unknown, begin, day, last, 4 * hour + 2) for unknown in (0, 72)
        )
        owed, told = (
            bill_to_date(plans["caprock-credit-1000"], one, begin, day, last).total for one in (true, lacking)
        )
        row = (
            (table["season"] == season)
            & (table["kind"] == day_class(day).value)
            & (table["hour"] == hour)
            & (table["gap"] == "usual day")
            & (table["unknown"] == 72)
            & (table["bill"] == "to date")
        )
        found = {name: of[row].item() for name, of in table.items()}
        off = abs(told - owed)
        kwh = abs(int(true.wh.sum()) - int(lacking.wh.sum())) / 1000
        assert found["calls"] == 1
        assert found["mean_usd"] == found["p50_usd"] == found["p99_usd"] == np.float32(off)
        assert found["mean_kwh"] == np.float32(kwh)
        assert found["unsatisfied"] == (off > 1 and off > owed / 50)


def made(of_day: Callable[[date], int]) -> Homes:
    """One home that takes so many Wh in each quarter hour of a day, under one weather."""
    wh = np.concatenate([np.full(intervals_in(day), of_day(day), np.int32) for day in SUMMER.days])
    return Homes.of(SUMMER, wh[None], np.full((len(SUMMER.days), SLOTS), 30.0))


#: A Monday, the twentieth day of its cycle.
AT = Call(65, 46, 75)


def off(homes: Homes, plan: RatePlan, over: int) -> NDArray[np.int64]:
    """(3, u) cents told less those of the truth, which are the first."""
    told = told_to(homes, plan, SUMMER, AT, over).to_date[0]
    found: NDArray[np.int64] = told - told[0, 0]
    return found


def test_of_a_constant_home_what_is_left_out_is_its_price_and_what_is_expected_is_right() -> None:
    # 400 Wh at 10 c/kWh: 4 c a quarter hour.
    found = off(made(lambda _: 400), FLAT, 70)
    assert found[0].tolist() == [-4 * unknown for unknown in UNKNOWN]
    assert not found[1:].any()
    told = told_to(made(lambda _: 400), FLAT, SUMMER, AT, 70)
    assert told.closed[0] == 30 * 96 * 4
    assert (told.projected == told.closed[0]).all()


def test_a_home_of_two_levels_is_expected_by_the_kind_of_day() -> None:
    found = off(made(lambda day: 400 if day_class(day) is DayClass.WEEKDAY else 800), FLAT, 70)
    assert not found[1:].any()


def test_a_home_that_took_more_from_the_day_before_on_is_expected_by_what_was_known() -> None:
    begins = SUMMER.days[AT.day - 1]
    found = off(made(lambda day: 500 if day >= begins else 400), FLAT, 70)
    for at, unknown in enumerate(UNKNOWN):
        changed = min(unknown, 96 + 70)
        assert found[0, at] == -5 * changed - 4 * (unknown - changed)
        assert found[1, at] == found[2, at] == -changed


def test_a_day_that_was_another_counts_a_tenth_in_the_usual_day_and_a_thirtieth_in_like_days() -> None:
    friday = SUMMER.days[AT.day - 3]
    found = off(made(lambda day: 1400 if day == friday else 400), FLAT, 70)
    for at, unknown in enumerate(UNKNOWN):
        assert found[1, at] == min(unknown, 70)
        # Of 30 weekdays: 433 Wh to the Wh.
        assert abs(found[2, at] - min(unknown, 70) * 0.33) <= 1


def test_at_the_edge_of_a_credit_a_quarter_hour_is_worth_the_credit() -> None:
    # 19 days and 70 of 96 quarter hours of 530 Wh are 1,003.82 kWh; without seven of them more than 1,000.
    wh, quarters = 530, 19 * 96 + 70
    found = off(made(lambda _: wh), CREDIT, 70)
    for at, unknown in enumerate(UNKNOWN):
        true, told = quarters * wh, (quarters - unknown) * wh
        assert found[0, at] == cents_of(told) - cents_of(true) + 12_500 * (told < 1_000_000)
    assert (found[0] > 0).tolist() == [unknown > 7 for unknown in UNKNOWN]
    assert not found[1:].any()


def cents_of(wh: int) -> int:
    """At 10 c/kWh, half up."""
    return (wh + 50) // 100


@cache
def small() -> dict[str, NDArray[Any]]:
    return value({"flat": FLAT}, 20, SEED)


@pytest.mark.long
def test_more_that_is_not_known_is_not_told_better_and_what_is_expected_is_told_better_than_what_is_left_out() -> None:
    table = small()
    of = {
        gap: [
            np.average(table["mean_usd"][row], weights=table["calls"][row])
            for unknown in UNKNOWN
            for row in [(table["bill"] == "to date") & (table["gap"] == gap) & (table["unknown"] == unknown)]
        ]
        for gap in FILLS
    }
    for means in of.values():
        assert means[0] == 0
        assert (np.diff(means) > 0).all()
    assert np.less(of["usual day"][1:], of["left out"][1:]).all()
    assert np.less(of["like days"][8:], of["usual day"][8:]).all()


@pytest.mark.long
def test_the_table_is_the_same_however_many_homes_are_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "SEASONS", {"summer": SEASONS["summer"]})
    told: list[tuple[int, int]] = []
    whole = value({"flat": FLAT}, 7, SEED, lambda done, of: told.append((done, of)))
    monkeypatch.setattr(tally, "PART", 1)
    again = value({"flat": FLAT}, 7, SEED)
    assert told[-1] == (7, 7)
    for name, of in whole.items():
        assert np.array_equal(of, again[name], equal_nan=name == "mean_kwh"), name
    assert not np.array_equal(whole["mean_usd"], value({"flat": FLAT}, 7, SEED + 1)["mean_usd"])


def test_every_home_calls_on_thirty_days_of_each_season_at_every_hour_and_place_of_its_cycle() -> None:
    table = small()
    row = (table["gap"] == "usual day") & (table["unknown"] == 8)
    assert table["calls"][row].sum() == 4 * 30 * 20
    assert set(table["hour"][row].tolist()) == set(range(24))
    for first in SEASONS.values():
        span = Span.around(first)
        for company in range(5):
            assert {call.day - call.first for call in calls(span, company)} == set(range(30))
        days = {at for call in calls(span, 0) for at in range(call.day - REACH + 1, call.day + 1)}
        assert {intervals_in(span.days[at]) for at in days} == {96}
    assert sorted({day_class(day) for day in SUMMER.days[44:74]}) == ["weekday", "weekend"]


def test_an_error_is_told_to_the_cent_and_above_two_dollars_to_a_hundredth() -> None:
    counted = tally.Tally(1, 1, 1)
    errors = np.arange(0, 100_000, 377)
    for error in errors.tolist():
        counted.counts[:] = 0
        counted.add(0, 0, np.array([3]), np.array([[[error]]]), np.array([0]))
        (middle,) = counted.quantiles([0.5])
        told = middle[0, 0, 3, 0, 0]
        assert told == error if error < 200 else abs(told - error) <= 0.0101 * error
    assert counted.cents.sum() == errors.sum()


def test_amb_12_lets_a_dollar_and_two_percent_pass() -> None:
    counted = tally.Tally(1, 1, 3)
    told = np.array([[[10_100, 10_200, 10_201]], [[2_100, 2_101, 1_899]]])
    counted.add(0, 0, np.array([5, 6]), told, np.array([10_000, 2_000]))
    assert counted.unsatisfied[0, 0, 5, 0].tolist() == [0, 0, 1]
    assert counted.unsatisfied[0, 0, 6, 0].tolist() == [0, 1, 1]
