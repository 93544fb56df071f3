"""What a bill rests on: parts by what is known of each quarter hour, which add up to the bill to the Wh and the cent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.calendar import INTERVAL_S, day_start, epoch, interval_ends, seconds
from simulator.ror.billing.bill import bill
from simulator.ror.billing.money import kwh
from simulator.ror.billing.plan import BillCredit, EnergyPrice, RatePlan, Tax, TduCharge, shipped_plan
from simulator.ror.billing.sheet import LineKind, sheet
from simulator.ror.call.basis import Kind, kinds_of, parts_of
from simulator.ror.call.on_demand import OnDemand, RequestEnd
from simulator.ror.call.said import marks_of
from simulator.ror.call.stand import take_stand
from simulator.ror.usage import Energy, Quality, Source, UsageRecord, from_vee, joined, merge
from tests.cases import few
from tests.simulator.ror.support import ACCOUNT, CALL, vee_record

DAY = date(2026, 8, 12)
ENDS = interval_ends(DAY)
ONE_DAY = ACCOUNT.model_copy(update={"cycle_first": DAY, "cycle_last": DAY, "full_cycle_days": None})
PLANS = (
    "big-bend-seasons",
    "bluebonnet-saver-12",
    "caprock-credit-1000",
    "longhorn-thousand-24",
    "marfa-sun-net",
    "palo-duro-free-nights",
)
#: 6 c and 4 c a kWh, $3 for the day, a credit of $1 from 10 kWh, 10 % tax.
PLAN = RatePlan(
    name="Ten",
    tdu=(TduCharge(effective=date(2020, 1, 1), monthly=Decimal(3), cents_per_kwh=Decimal(4)),),
    energy=(EnergyPrice(cents_per_kwh=Decimal(6)),),
    bill_credits=(BillCredit(from_kwh=Decimal(10), amount=Decimal(1)),),
    taxes=(Tax(name="tax", percent=Decimal(10)),),
)


def record(wh: int, quality: Quality, source: Source, first: int, last: int) -> UsageRecord:
    """The intervals from ``first`` up to ``last`` of the day, so many Wh each."""
    ends = ENDS[first:last]
    said, came = (np.full(len(ends), one, np.int8) for one in (quality, source))
    return UsageRecord(ends, np.full(len(ends), wh, np.int32), said, came, np.zeros(len(ends), np.int32))


def test_each_quarter_hour_is_of_the_kind_that_is_known_of_it() -> None:
    known = joined(
        (
            record(1, Quality.VEE_ACTUAL, Source.SMT, 8, 10),
            record(1, Quality.VEE_ESTIMATED, Source.SMT, 12, 14),
            record(1, Quality.NON_VEE, Source.STORE, 16, 18),
            record(1, Quality.NON_VEE, Source.METER, 18, 20),
        )
    )
    kinds = kinds_of(ONE_DAY, known, ENDS[:24])
    told = [list(Kind)[kind] for kind in kinds[::2]]
    assert told == [
        *[Kind.NEVER_POSTED] * 4,
        Kind.VEE_ACTUAL,
        Kind.NEVER_POSTED,
        Kind.VEE_ESTIMATED,
        Kind.NOT_DELIVERED,
        Kind.STORE,
        Kind.METER,
        *[Kind.EXPECTED] * 2,
    ]


def test_dollars_follow_the_energy_and_what_is_no_energy_stands_apart() -> None:
    # 12 kWh of VEE data and 8 kWh from the meter: $1.20 and $0.80; $3 less $1 for the day; 10 % on each.
    known = joined(
        (record(1_000, Quality.VEE_ACTUAL, Source.SMT, 0, 12), record(2_000, Quality.NON_VEE, Source.METER, 12, 16))
    )
    terms = sheet(PLAN, DAY, DAY, DAY, 1, closed=True)
    parts = parts_of(terms, known.energy, kinds_of(ONE_DAY, known, known.ends))
    assert [(part.kind, part.intervals, part.wh, str(part.usd)) for part in parts] == [
        (Kind.VEE_ACTUAL, 12, 12_000, "1.32"),
        (Kind.METER, 4, 8_000, "0.88"),
        (Kind.FIXED, 0, 0, "2.20"),
    ]


def test_what_the_register_has_more_is_a_part_of_its_own() -> None:
    known = record(1_000, Quality.VEE_ACTUAL, Source.SMT, 0, 12)
    terms = sheet(PLAN, DAY, DAY, DAY, 1, closed=True)
    parts = parts_of(terms, known.energy, kinds_of(ONE_DAY, known, known.ends), 12_500)
    (register,) = [part for part in parts if part.kind is Kind.REGISTER]
    # 0.5 kWh at 10 c, and its tax to the nearest cent of what was shared out before.
    assert (register.wh, register.intervals) == (500, 0)
    assert register.usd in (Decimal("0.05"), Decimal("0.06"))
    assert sum(part.usd for part in parts) == bill(PLAN, known.energy, DAY, DAY, register_wh=12_500).total


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("days", few(1, [30, 100]))
def test_parts_make_the_bill_of_every_shipped_plan(name: str, days: int) -> None:
    @settings(max_examples=days)
    @given(st.data())
    def make_the_bill(data: st.DataObject) -> None:
        plan = shipped_plan(name)
        seed = data.draw(st.integers(0, 2**32 - 1))
        rng = np.random.default_rng(seed)
        wh, given_wh = rng.integers(0, 4_000, (2, 96)).astype(np.int32)
        kinds = rng.integers(0, 8, 96).astype(np.int8)
        register = data.draw(st.none() | st.integers(0, 400_000))
        energy = Energy(ENDS, wh, given_wh)
        terms = sheet(plan, DAY, DAY, DAY, 1, closed=True)
        parts = parts_of(terms, energy, kinds, register)
        whole = bill(plan, energy, DAY, DAY, register_wh=register)
        assert sum(part.usd for part in parts) == whole.total
        assert sum(part.wh for part in parts) == whole.usage_wh
        assert sum(part.given_wh for part in parts) == given_wh.sum()
        assert sum(part.intervals for part in parts) == 96
        for at, kind in enumerate(list(Kind)[:8]):
            of_it = kinds == at
            told = [(part.intervals, part.wh) for part in parts if part.kind is kind]
            assert told == ([(int(of_it.sum()), int(wh[of_it].sum()))] if of_it.any() else [])

    make_the_bill()


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("at", ["2026-08-12T17:40", "2026-08-14T23:50", "2026-08-15T08:00"])
def test_the_bill_told_and_the_projected_one_are_the_sum_of_what_they_rest_on(name: str, at: str) -> None:
    posted = vee_record(date(2026, 7, 1), date(2026, 8, 11))
    holed = posted.only((posted.ends <= day_start(date(2026, 7, 20))) | (posted.ends > day_start(date(2026, 7, 21))))
    stand = take_stand(ACCOUNT, shipped_plan(name), holed, now=epoch(at))
    assert stand is not None
    for parts, of_bill in ((stand.rests_on, stand.bill), (stand.projected_rests_on, stand.projected)):
        assert sum(part.usd for part in parts) == of_bill.total
        assert sum(part.wh for part in parts) == of_bill.usage_wh
    told = {part.kind: part for part in stand.rests_on}
    assert (told[Kind.NEVER_POSTED].intervals, told[Kind.NEVER_POSTED].wh) == (96, 0)
    assert told[Kind.EXPECTED].intervals == (stand.to - epoch("2026-08-12T00:00")) // INTERVAL_S
    assert stand.owed.low <= stand.bill.total <= stand.owed.high


def test_a_cycle_of_which_nothing_was_posted_though_later_days_were_is_marked() -> None:
    later = vee_record(date(2026, 8, 16), date(2026, 8, 20))
    stand = take_stand(ACCOUNT, PLAN, later, now=epoch("2026-08-21T12:00"))
    assert stand is not None
    assert [(hole.why, hole.start, hole.end) for hole in stand.holes] == [
        (Kind.NEVER_POSTED, ACCOUNT.cycle_start, ACCOUNT.cycle_end)
    ]
    (mark,) = marks_of(ACCOUNT, stand, OnDemand(RequestEnd.NOT_MADE), None, ())
    assert "were never posted as VEE and are not in the bill" in mark


def test_what_a_roof_gave_in_a_gap_that_was_read_is_billed_as_expected_and_told_so() -> None:
    vee = vee_record(date(2026, 7, 1), date(2026, 8, 11))
    roof = replace(vee, given=np.full(len(vee.ends), 900, np.int32))
    read = merge(roof, record(300, Quality.NON_VEE, Source.METER, 0, 70))
    plan = shipped_plan("marfa-sun-net")
    at_once, told = (take_stand(ACCOUNT, plan, one, now=CALL) for one in (roof, read))
    assert at_once is not None
    assert told is not None
    given_wh = {part.kind: part.given_wh for part in told.rests_on}[Kind.METER]
    draws = told.projection.draws
    unread = np.isin(draws.ends, read.ends[read.quality == Quality.NON_VEE])
    assert unread.sum() == 70
    # As one of the ways has it, at the level of the roof's own days.
    assert given_wh in draws.given[:, unread].sum(axis=1)
    assert 0.5 < given_wh / (70 * 900) < 1.5
    exports = [line.amount for stand in (at_once, told) for line in stand.bill.lines if line.kind is LineKind.EXPORT]
    assert len(exports) == 2
    assert all(amount < 0 for amount in exports)
    answered = OnDemand(RequestEnd.ANSWERED)
    assert [f"{kwh(given_wh)} kWh" in mark for mark in marks_of(ACCOUNT, told, answered, None, ())] == [True]
    assert marks_of(ACCOUNT, take_stand(ACCOUNT, PLAN, read, now=CALL), answered, None, ()) == []


def test_a_stand_without_an_instant_ends_where_data_do_and_expects_nothing() -> None:
    posted = vee_record(date(2026, 7, 1), date(2026, 8, 11))
    stand = take_stand(ACCOUNT, PLAN, posted)
    assert stand is not None
    assert (stand.to, {part.kind for part in stand.rests_on}) == (
        seconds(posted.ends[-1]),
        {Kind.VEE_ACTUAL, Kind.FIXED},
    )
    assert (
        take_stand(
            ACCOUNT,
            PLAN,
            from_vee(*vee_record(date(2026, 6, 1), date(2026, 7, 1)).energy[:2], np.zeros(31 * 96, np.bool_)),
        )
        is None
    )
    assert take_stand(ACCOUNT, PLAN, posted, now=CALL) is not None
