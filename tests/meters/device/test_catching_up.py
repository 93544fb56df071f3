"""After an outage cooling and heating catch up, out of what it kept back."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.calendar import Seconds, day_end, day_start, days, epoch, seconds
from meters.device.meter import EmulatedMeter
from meters.faults.fault import FOR_EVER, Fault
from meters.faults.kinds import FaultKind
from meters.identity import MeterIdentity, Premise, make_esiid, tdsp
from meters.load.truth import GeneratedLoad, PremiseLoad
from tests.meters.fakes import SteadyLoad

ONCOR = tdsp("ONCOR")
ESIID = make_esiid(ONCOR, 1, 1)
NOON = epoch("2026-08-12T12:00")
HOUR = 3600


def outage(first: Seconds, until: Seconds, esiid: str = ESIID) -> Fault:
    return Fault(FaultKind.OUTAGE, esiid, first, until)


def meter(*faults: Fault, load: PremiseLoad | None = None, esiid: str = ESIID) -> EmulatedMeter:
    return EmulatedMeter(MeterIdentity("900000001", esiid), Premise(esiid, "NCENT"), 1, faults, load=load)


def drawn(emulated: EmulatedMeter, first: Seconds, hours: float) -> int:
    return int(emulated.window(first, seconds(first + hours * HOUR), FOR_EVER - 1).delivered.sum(dtype=np.int64))


def test_what_is_caught_up_dies_away_and_is_never_more_than_was_kept_back() -> None:
    # One Wh a second, half of it cools: in 4 hours 7,200 Wh are not cooled with, 6,480 of them come later,
    # in the first hour 1.6 times 3,600 Wh, and of what is left then the same part in every other.
    emulated = meter(outage(NOON, NOON + 4 * HOUR), load=SteadyLoad(cools=0.5))
    back = NOON + 4 * HOUR
    more = [drawn(emulated, back + hour * HOUR, 1) - 3600 for hour in range(14)]
    left = (6480 - 5760) / 6480
    assert more == pytest.approx([6480 * (left**hour - left ** (hour + 1)) for hour in range(14)], abs=1)
    assert 6470 < sum(more) < 7200
    # The last six hours of a long one count, and a short one gives most of what it owes in the first hour.
    long = meter(outage(NOON - 90 * 86_400, NOON), load=SteadyLoad(cools=0.5))
    assert drawn(long, NOON, 1) == pytest.approx(3600 + 1.6 * 3600, abs=1)
    assert drawn(long, NOON, 12) - 12 * 3600 == pytest.approx(0.9 * 0.5 * 6 * 3600, abs=5)
    short = meter(outage(NOON - 1800, NOON), load=SteadyLoad(cools=0.5))
    assert drawn(short, NOON, 1) == pytest.approx(3600 + 0.9 * 0.9 * 900, abs=1)
    assert drawn(meter(outage(NOON - 6 * HOUR, NOON), load=SteadyLoad()), NOON, 1) == 3600


def test_power_that_is_told_at_once_has_what_is_caught_up_and_a_second_outage_ends_it() -> None:
    emulated = meter(
        outage(NOON, NOON + 4 * HOUR), outage(NOON + 5 * HOUR, NOON + 5 * HOUR + 60), load=SteadyLoad(cools=0.5)
    )
    back = NOON + 4 * HOUR
    first_quarter = emulated.window(back, back + 900, FOR_EVER - 1).delivered[0]
    assert emulated.power(back + 100).watts == int(first_quarter) * 4 > 2.6 * 3600
    assert drawn(emulated, back, 1) == pytest.approx(3600 + 5760, abs=1)
    # The second, of a minute, owes 27 Wh and nothing of the first.
    assert drawn(emulated, back + HOUR, 12) == pytest.approx(12 * 3600 - 60 + 27, abs=2)


@pytest.mark.parametrize("use", [5_000, 11_000, 11_800])
def test_no_quarter_hour_takes_more_than_a_homes_service_gives(use: int) -> None:
    # Without the bound the first takes more than 2.6 times its use.
    back = NOON + 6 * HOUR
    emulated = meter(outage(NOON, back), load=SteadyLoad(use, cools=0.9))
    after = emulated.window(back, back + 12 * HOUR, FOR_EVER - 1).delivered
    assert after[0] == after.max() == pytest.approx(11_800, abs=1)


def homes(count: int) -> list[str]:
    return [make_esiid(ONCOR, 1, ordinal) for ordinal in range(1, count + 1)]


@pytest.mark.parametrize(
    ("back", "least"), [("2026-07-22T19:00", 1.5), ("2026-07-22T15:00", 1.5), ("2026-01-14T06:00", 1.5)]
)
def test_first_hour_after_an_outage_is_one_and_a_half_to_three_times_the_usual_where_it_is_hot_or_cold(
    back: str, least: float
) -> None:
    at = epoch(back)
    ratios, catching = [], []
    for esiid in homes(60):
        out, well = meter(outage(at - 4 * HOUR, at, esiid), esiid=esiid), meter(esiid=esiid)
        ratios.append(drawn(out, at, 1) / drawn(well, at, 1))
        catching.append([drawn(out, at + hour * HOUR, 1) - drawn(well, at + hour * HOUR, 1) for hour in range(12)])
        kept = drawn(well, at - 4 * HOUR, 4) - drawn(out, at - 4 * HOUR, 4)
        assert 0 < sum(catching[-1]) < kept
    assert least < np.mean(ratios) < 3
    assert max(ratios) < 3
    mean = np.mean(catching, axis=0)
    assert (np.diff(mean) <= 1).all()


def test_nothing_is_caught_up_in_a_mild_spring_night_and_little_on_a_spring_day() -> None:
    night, noon = epoch("2026-04-22T04:00"), epoch("2026-04-22T16:00")
    for esiid in homes(20):
        mild = GeneratedLoad(1, Premise(esiid, "NCENT")).thermal(date(2026, 4, 22))
        assert not mild[:16].any()
        out, well = meter(outage(night - 3 * HOUR, night, esiid), esiid=esiid), meter(esiid=esiid)
        assert drawn(out, night, 12) == drawn(well, night, 12)
        out = meter(outage(noon - 3 * HOUR, noon, esiid), esiid=esiid)
        assert drawn(well, noon, 1) <= drawn(out, noon, 1) < 2.6 * drawn(well, noon, 1) + 2


@settings(max_examples=30)
@given(
    spans=st.lists(st.tuples(st.integers(0, 4 * 86_400), st.integers(1, 30 * HOUR)), min_size=1, max_size=4),
    month=st.sampled_from([1, 4, 7, 11]),
)
def test_intervals_add_up_to_registers_and_neither_falls_whatever_is_caught_up(
    spans: list[tuple[int, int]], month: int
) -> None:
    first = date(2026, month, 1)
    began = day_start(first)
    out = meter(*(outage(began + at, began + at + length) for at, length in spans))
    well = meter()
    for day in days(first, first + timedelta(days=7)):
        wh = out.window(day_start(day), day_end(day), FOR_EVER - 1).delivered
        ends = [out.midnight(one, FOR_EVER - 1) for one in (day, day + timedelta(days=1))]
        assert ends[0] is not None
        assert ends[1] is not None
        assert int(wh.sum()) == ends[1][0] - ends[0][0]
        assert wh.min() >= 0
    whole = (day_start(first), 8 * 24)
    assert drawn(out, *whole) <= drawn(well, *whole)
