from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.calendar import day_end, day_start, epoch, intervals_in, seconds
from meters.device.meter import EmulatedMeter
from meters.errors import MeterError
from meters.faults.fault import Fault
from meters.faults.kinds import FaultKind
from meters.identity import MeterIdentity, Premise, make_esiid, tdsp
from meters.load.truth import ERA, intervals, register
from meters.shown import Wire
from meters.status import Common, Condition, common_nibble, delivered_condition

ESIID = make_esiid(tdsp("ONCOR"), 1, 1)
PREMISE = Premise(ESIID, scale=3.0)
ROOF = Premise(ESIID, solar_w=8000)
DAY = date(2026, 8, 12)
SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)
LATER = day_start(date(2026, 12, 1))


def meter(faults: tuple[Fault, ...] = (), premise: Premise = PREMISE, **identity: int) -> EmulatedMeter:
    return EmulatedMeter(MeterIdentity("900000001", ESIID, **identity), premise, 1, faults)  # type: ignore[arg-type]


@pytest.mark.parametrize("premise", [PREMISE, ROOF])
@pytest.mark.parametrize("day", [DAY, SPRING, AUTUMN])
def test_meter_shows_the_premises_day_in_both_channels(day: date, premise: Premise) -> None:
    shown = meter(premise=premise).window(day_start(day), day_end(day), LATER)
    truth = intervals(1, premise, day)
    assert shown.delivered.tolist() == truth.delivered.tolist()
    assert shown.received.tolist() == truth.received.tolist()
    assert len(shown.received) == intervals_in(day)
    assert shown.present.all()
    assert (delivered_condition(shown.status) == Condition.OK).all()


def test_window_crosses_days_of_any_length_without_a_seam() -> None:
    start, end = day_start(SPRING) - 3 * 900, day_end(SPRING) + 2 * 900
    shown = meter().window(start, end, LATER)
    before, after = SPRING - timedelta(days=1), SPRING + timedelta(days=1)
    assert shown.delivered.tolist() == [
        *intervals(1, PREMISE, before).delivered[-3:].tolist(),
        *intervals(1, PREMISE, SPRING).delivered.tolist(),
        *intervals(1, PREMISE, after).delivered[:2].tolist(),
    ]
    saving = (common_nibble(shown.status) & Common.DST).astype(bool)
    assert saving.tolist() == [False] * (3 + 8) + [True] * (84 + 2)
    assert len(meter().window(start, start, LATER).delivered) == 0


@settings(max_examples=30)
@given(
    premise=st.sampled_from([PREMISE, ROOF]),
    multiplier=st.sampled_from([1, 7, 40, 120]),
    initial=st.integers(0, 10**8),
    offset=st.integers(-3, 3),
)
def test_raw_intervals_add_up_to_raw_registers_whatever_the_multiplier(
    premise: Premise, multiplier: int, initial: int, offset: int
) -> None:
    day = AUTUMN + timedelta(days=offset)
    emulated = meter(
        premise=premise, multiplier=multiplier, initial_delivered_wh=initial, initial_received_wh=500, dials=9
    )
    shown = emulated.window(day_start(day), day_end(day), LATER)
    r0, r1 = emulated.midnight(day, LATER), emulated.midnight(day + timedelta(days=1), LATER)
    assert r0 is not None
    assert r1 is not None
    assert (int(shown.delivered.sum()), int(shown.received.sum())) == (r1[0] - r0[0], r1[1] - r0[1])
    delivered, received = register(1, premise, day)
    assert r0 == ((delivered + initial) // multiplier, (received + 500) // multiplier)


@settings(max_examples=30)
@given(second=st.integers(0, 3 * 86_400), multiplier=st.sampled_from([1, 40]), premise=st.sampled_from([PREMISE, ROOF]))
def test_live_register_is_midnight_plus_intervals_plus_partial(second: int, multiplier: int, premise: Premise) -> None:
    emulated, now = meter(premise=premise, multiplier=multiplier), day_start(DAY) + second
    live = emulated.live(now)
    floor = now - now % 900
    since = emulated.window(day_start(DAY), floor, now)
    midnight = emulated.midnight(DAY, now)
    assert midnight is not None
    assert live.partial_seconds == now - floor
    assert live.delivered_register == midnight[0] + int(since.delivered.sum()) + live.partial_delivered
    assert live.received_register == midnight[1] + int(since.received.sum()) + live.partial_received
    running = emulated.window(floor, floor + 900, now)
    assert 0 <= live.partial_delivered <= int(running.delivered[0]) + 1
    power = emulated.power(now)
    assert abs(power.watts - 4 * multiplier * int(running.delivered[0] - running.received[0])) <= 8 * multiplier
    assert 2300 <= power.decivolts <= 2500


def test_partial_grows_to_the_interval() -> None:
    floor = epoch("2026-08-12T17:30")
    emulated = meter()
    whole = int(emulated.window(floor, floor + 900, floor).delivered[0])
    assert emulated.live(floor).partial_delivered == 0
    assert emulated.live(floor + 450).partial_delivered == whole // 2
    assert emulated.live(floor + 899).partial_delivered == whole * 899 // 900
    assert emulated.live(floor + 900).delivered_register - emulated.live(floor).delivered_register == whole


def test_midnight_to_come_has_no_snapshot() -> None:
    assert meter().midnight(DAY, day_start(DAY) - 1) is None
    assert meter().midnight(DAY, day_start(DAY)) is not None
    assert meter().midnight(ERA - timedelta(days=1), LATER) is None


def test_display_of_six_dials_goes_around_at_a_million_kwh() -> None:
    register_wh = register(1, PREMISE, DAY)[0]
    emulated = meter(initial_delivered_wh=10**9 - register_wh + 17)
    assert emulated.midnight(DAY, LATER) == (17, 0)
    assert meter(initial_delivered_wh=10**9 - register_wh + 17, dials=7).midnight(DAY, LATER) == (10**9 + 17, 0)


def test_dead_meter_does_not_answer_while_dead() -> None:
    at = epoch("2026-08-10T00:00")
    emulated = meter((Fault(FaultKind.DEAD, ESIID, at, at + 86_400),))
    shown = [emulated.reply(now).wire for now in (at - 1, at, at + 86_399, at + 86_400)]
    assert shown == [Wire.ANSWER, Wire.SILENT, Wire.SILENT, Wire.ANSWER]


def test_meter_remembers_a_few_days_however_far_one_looks_back() -> None:
    emulated = meter()
    shown = emulated.window(day_start(DAY) - 60 * 86_400, day_end(DAY), LATER)
    assert len(shown.delivered) == 61 * 96
    assert len(emulated._days) <= 4
    assert len(emulated._energy._computed.days) <= 4


def test_recording_is_stopped_before_the_era() -> None:
    shown = meter().window(day_start(ERA) - 900, day_start(ERA) + 900, LATER)
    assert shown.present.tolist() == [False, True]
    assert delivered_condition(shown.status)[0] == Condition.STOPPED


def test_days_that_are_kept_cannot_be_written_over() -> None:
    shown = meter().window(day_start(DAY), day_end(DAY), LATER)
    with pytest.raises(ValueError, match="read-only"):
        shown.delivered[0] = np.int32(1)


def test_window_of_broken_intervals_is_refused() -> None:
    for start, end in ((1, 900), (0, 901), (900, 0)):
        with pytest.raises(MeterError, match=r"meters\.window\.unaligned"):
            meter().window(seconds(start), seconds(end), LATER)


def test_premise_or_fault_of_another_esiid_is_refused() -> None:
    other = make_esiid(tdsp("ONCOR"), 1, 2)
    with pytest.raises(MeterError, match=r"meters\.meter\.mixed"):
        EmulatedMeter(MeterIdentity("900000001", other), PREMISE, 1)
    with pytest.raises(MeterError, match=other):
        meter((Fault(FaultKind.GAP, other, seconds(0), seconds(900)),))
