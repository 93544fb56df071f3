"""A file's cycle: its bill is the one that was worked by hand, and what is known decides what is told of the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from meters.calendar import (
    INTERVAL_S,
    Seconds,
    day_end,
    day_of_interval,
    days,
    epoch,
    interval_ends,
    local,
    seconds,
    us_date,
)
from meters.errors import UserError
from simulator.ror.billing.plan import load_plan, shipped_plan, shipped_plans
from simulator.ror.errors import RorError
from simulator.ror.files.read import read_usage
from simulator.ror.pattern import weather_of
from simulator.ror.statement import cycle_of, day_given, state
from simulator.ror.usage import UsageRecord
from tests.cases import few
from tests.simulator.ror.billing.hand_bills import FOLDER, HandBill, hand_bills
from tests.simulator.ror.billing.test_hand_bills import used
from tests.simulator.ror.support import vee_record

HEADER = "ESIID,USAGE_DATE,REVISION_DATE,USAGE_START_TIME,USAGE_END_TIME,USAGE_KWH,ESTIMATED_ACTUAL,CONSUMPTION_SURPLUSGENERATION"
FIRST, LAST = date(2026, 7, 16), date(2026, 8, 14)
#: Whole cycles whose energy is told by the quarter hour, billed without a register.
BY_QUARTER_HOURS = [
    one
    for one in hand_bills()
    if "kWh" not in one.of["taken"] and not (one.of["whole_days"] or one.of["cycle_last"] or one.of["register"])
]
PLAN = shipped_plan("longhorn-thousand-24")
ACCOUNT = cycle_of(FIRST, LAST)


@cache
def dated(end: Seconds) -> str:
    begins, ended = local(end - INTERVAL_S), local(end)
    return (
        f"'10443720000000017,{us_date(begins.date())},{us_date(ended.date())} 08:00:00, {begins:%H:%M}, {ended:%H:%M}"
    )


def by_hand(one: HandBill) -> str:
    """Its energy as a file, written without the product's writers."""
    ends = [
        end for day in days(*(date.fromisoformat(one.of[at]) for at in ("first", "last"))) for end in interval_ends(day)
    ]
    rows = []
    for channel, written in (("Consumption", one.of["taken"]), ("Surplus Generation", one.of["given"] or "0 Wh")):
        for end, wh in zip(ends, used(written, ends), strict=True):
            rows.append(f"{dated(end)},{wh / 1000:.3f},A,{channel}")
    return "\n".join([HEADER, *rows])


@pytest.mark.parametrize("one", few(10, {one.name: (one,) for one in BY_QUARTER_HOURS}))
def test_the_bill_of_a_file_is_the_one_that_was_worked_by_hand(tmp_path: Path, one: HandBill) -> None:
    (tmp_path / "hand.csv").write_text(by_hand(one), encoding="utf-8")
    usage = read_usage(tmp_path / "hand.csv")
    name = one.of["plan"]
    plan = shipped_plan(name) if name in shipped_plans() else load_plan(FOLDER / f"{name}.yaml")
    cycle = cycle_of(*(date.fromisoformat(one.of[at]) for at in ("first", "last")))
    told = state(cycle, plan, usage.record)
    assert told.closed
    assert told.stand is not None
    assert told.stand.bill.total == one.total
    assert [line.amount for line in told.stand.bill.lines] == [line.amount for line in one.lines]
    assert told.sentences()[0].startswith("Bill: ")


def test_bills_by_quarter_hours_include_free_nights_roofs_and_both_clock_changes() -> None:
    plans = {one.of["plan"] for one in BY_QUARTER_HOURS}
    assert {"palo-duro-free-nights", "marfa-sun-net"} <= plans
    firsts = {one.of["first"][5:7] for one in BY_QUARTER_HOURS}
    assert len(BY_QUARTER_HOURS) >= 10, firsts


RECORD = vee_record(FIRST - timedelta(days=20), LAST)


def told_at(instant: str, record: UsageRecord = RECORD) -> list[str]:
    return state(ACCOUNT, PLAN, record, epoch(instant)).sentences()


def test_what_is_later_than_the_instant_is_not_looked_at() -> None:
    cut = RECORD.only(RECORD.ends <= epoch("2026-08-01T12:00"))
    assert told_at("2026-08-01T12:07") == state(ACCOUNT, PLAN, cut).sentences()


def test_a_running_cycle_tells_the_bill_to_date_where_it_goes_its_edges_and_the_day() -> None:
    told = told_at("2026-08-01T17:30")
    assert told[0].startswith("Bill to date: $")
    assert "to 2026-08-01 17:30." in told[0]
    assert told[1] == "Bill credit of $100.00 for usage from 1000 kWh: not yet earned."
    assert told[2].startswith("Where it goes by 2026-08-14: ")
    assert any("of 100 ways that the cycle may go reach it" in one for one in told)
    assert told[-2].startswith("On 2026-08-01 the 17.5 hours known took ")
    assert told[-1].startswith("Usually it takes no less than ")


@pytest.mark.parametrize(
    ("whole", "told"),
    [
        (0, "No whole day of this home is known: that is the band of any home in this season."),
        (1, "Only 1 whole day of this home is known of the last 14: the band is as wide as that leaves it."),
        (5, "Only 5 whole days of this home are known of the last 14: the band is as wide as that leaves it."),
    ],
)
def test_a_short_history_is_told_and_makes_the_band_wider(whole: int, told: str) -> None:
    short = RECORD.within(ACCOUNT.cycle_start, day_end(FIRST + timedelta(days=whole - 1)) + 6 * 3600)
    long = RECORD.only(RECORD.ends <= short.ends[-1])
    by_short, by_long = (state(ACCOUNT, PLAN, record) for record in (short, long))
    assert told in by_short.sentences()
    assert not any("known of the last" in one or "No whole day" in one for one in by_long.sentences())
    widths = [one.projection.high_wh - one.projection.low_wh for one in (by_short, by_long)]
    assert widths[0] > widths[1]
    assert by_short.projection.draws.days_used == whole


def test_an_export_plan_of_a_home_that_is_not_known_to_give_is_told_to_have_the_band_of_one_without_a_roof() -> None:
    bare = RECORD.only(RECORD.ends <= ACCOUNT.cycle_start + 5 * 86400)
    roof = replace(bare, given=np.full(len(bare.ends), 100, np.int32))
    morning = roof.within(ACCOUNT.cycle_start, ACCOUNT.cycle_start + 6 * 3600)
    net = shipped_plan("marfa-sun-net")
    mark = "No whole day tells what this home gives to the grid: the band is that of one without a roof."
    told = [mark in state(ACCOUNT, plan, one).sentences() for plan in (net, PLAN) for one in (bare, morning, roof)]
    assert told == [True, True, False, False, False, False]


def test_before_the_first_value_of_the_cycle_nothing_is_billed_and_its_way_is_told() -> None:
    told = state(ACCOUNT, PLAN, vee_record(FIRST - timedelta(days=20), FIRST - timedelta(days=1)))
    assert (told.stand, told.closed) == (None, False)
    assert told.sentences()[0] == "No value of the cycle from 2026-07-16 is known: nothing is billed yet."
    assert told.sentences()[1].startswith("Where it goes by 2026-08-14: ")
    assert told.to_dict()["stand"] is None


def test_holes_and_estimates_of_the_cycle_are_told() -> None:
    lacking = RECORD.only((RECORD.ends <= epoch("2026-07-20T10:00")) | (RECORD.ends > epoch("2026-07-20T11:00")))
    quality = lacking.quality.copy()
    quality[np.searchsorted(lacking.ends, epoch("2026-07-18T10:00"))] = 1
    marked = UsageRecord(lacking.ends, lacking.wh, quality, lacking.source, lacking.given)
    told = told_at("2026-08-01T00:00", marked)
    assert told[1].endswith(" kWh of it are estimated.")
    assert told[2].startswith("4 quarter hours of it are not known, the first from 2026-07-20 10:00")


def test_a_cycle_that_is_over_and_known_in_part_says_that_its_bill_is_of_that_part() -> None:
    half = RECORD.only((RECORD.ends <= epoch("2026-07-18T00:00")) | (RECORD.ends > epoch("2026-07-28T00:00")))
    told = state(ACCOUNT, PLAN, half).sentences()
    assert told[0].startswith("Bill of what is known: ")
    assert told[1].startswith("960 quarter hours of it are not known")
    assert "credits, fees and tiers" in told[1]


@pytest.mark.parametrize(("ahead", "refused"), [(35, False), (36, True)])
def test_a_cycle_further_ahead_than_anything_tells_of_is_refused(ahead: int, refused: bool) -> None:
    first = day_of_interval(seconds(RECORD.ends[-1])) + timedelta(days=1 + ahead)
    if refused:
        with pytest.raises(RorError, match="--cycle-first: The cycle begins on"):
            state(cycle_of(first), PLAN, RECORD)
    else:
        assert state(cycle_of(first), PLAN, RECORD).stand is None


def test_a_cycle_that_is_over_has_one_bill_and_no_odds() -> None:
    told = state(ACCOUNT, PLAN, RECORD)
    assert told.closed
    assert told.edges == ()
    assert told.outlook.low == told.outlook.high
    assert not any("Where it goes" in one for one in told.sentences())


def test_an_instant_before_the_file_is_refused() -> None:
    with pytest.raises(RorError, match="--at: The first value is of 2026-06-26"):
        told_at("2026-01-01T00:00")


@pytest.mark.parametrize(("first", "last"), [(FIRST, date(2026, 7, 15)), (FIRST, date(2028, 1, 1)), (date.max, None)])
def test_what_is_no_cycle_is_refused(first: date, last: date | None) -> None:
    told = f"{first} to {last}" if last else f"30 days from {first}"
    with pytest.raises(RorError, match=f"--cycle-first: {told} is no billing cycle"):
        cycle_of(first, last)


def test_a_cycle_has_thirty_days_unless_told() -> None:
    assert cycle_of(FIRST).cycle_days == 30


def test_a_cycle_that_is_long_over_is_looked_at_as_it_ended() -> None:
    before = cycle_of(date(2026, 6, 28), date(2026, 7, 5))
    assert state(before, PLAN, RECORD).sentences() == state(before, PLAN, RECORD, before.cycle_end).sentences()
    assert state(before, PLAN, RECORD).pattern.day == date(2026, 7, 5)


def test_days_and_zones_that_are_none_are_refused() -> None:
    with pytest.raises(UserError, match="--cycle-first: 'soon' is no day"):
        day_given("soon", "--cycle-first")
    with pytest.raises(UserError, match="There is no weather zone 'DALLAS'"):
        weather_of("DALLAS", 1)
