from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.calendar import day_end, day_start, epoch, intervals_in
from meters.errors import MeterError
from meters.faults import Fault
from meters.identity import MeterIdentity, Premise, make_esiid, tdsp
from meters.load import ERA, intervals, register
from meters.meter import EmulatedMeter
from meters.status import Channel, Common, common_nibble, delivered_condition

ESIID = make_esiid(tdsp("ONCOR"), 1, 1)
PREMISE = Premise(ESIID, scale=3.0)
DAY = date(2026, 8, 12)
SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)


def meter(faults: tuple[Fault, ...] = (), **identity: int) -> EmulatedMeter:
    return EmulatedMeter(MeterIdentity("900000001", ESIID, **identity), PREMISE, 1, faults)  # type: ignore[arg-type]


@pytest.mark.parametrize("day", [DAY, SPRING, AUTUMN])
def test_meter_shows_the_premises_day(day: date) -> None:
    shown = meter().window(day_start(day), day_end(day))
    assert shown.delivered.tolist() == intervals(1, PREMISE, day).tolist()
    assert shown.received.tolist() == [0] * intervals_in(day)
    assert shown.present.all()
    assert (delivered_condition(shown.status) == Channel.OK).all()


def test_window_crosses_days_of_any_length_without_a_seam() -> None:
    start, end = day_start(SPRING) - 3 * 900, day_end(SPRING) + 2 * 900
    shown = meter().window(start, end)
    before, after = SPRING - timedelta(days=1), SPRING + timedelta(days=1)
    assert shown.delivered.tolist() == [
        *intervals(1, PREMISE, before)[-3:].tolist(),
        *intervals(1, PREMISE, SPRING).tolist(),
        *intervals(1, PREMISE, after)[:2].tolist(),
    ]
    saving = (common_nibble(shown.status) & Common.DST).astype(bool)
    assert saving.tolist() == [False] * (3 + 8) + [True] * (84 + 2)
    assert len(meter().window(start, start).delivered) == 0


@settings(max_examples=30)
@given(multiplier=st.sampled_from([1, 7, 40, 120]), initial=st.integers(0, 10**9), offset=st.integers(-3, 3))
def test_raw_intervals_add_up_to_raw_registers_whatever_the_multiplier(
    multiplier: int, initial: int, offset: int
) -> None:
    day = AUTUMN + timedelta(days=offset)
    emulated = meter(multiplier=multiplier, initial_delivered_wh=initial, initial_received_wh=500)
    shown = emulated.window(day_start(day), day_end(day))
    (r0, back), (r1, _) = emulated.midnight(day), emulated.midnight(day + timedelta(days=1))
    assert int(shown.delivered.sum()) == r1 - r0
    assert r0 == (register(1, PREMISE, day) + initial) // multiplier
    assert back == 500 // multiplier


@settings(max_examples=30)
@given(second=st.integers(0, 3 * 86_400), multiplier=st.sampled_from([1, 40]))
def test_live_register_is_midnight_plus_intervals_plus_partial(second: int, multiplier: int) -> None:
    emulated, now = meter(multiplier=multiplier), day_start(DAY) + second
    live = emulated.live(now)
    floor = now - now % 900
    since = emulated.window(day_start(DAY), floor)
    assert live.partial_seconds == now - floor
    assert live.delivered_register == emulated.midnight(DAY)[0] + int(since.delivered.sum()) + live.partial_delivered
    running = int(emulated.window(floor, floor + 900).delivered[0])
    assert 0 <= live.partial_delivered <= running + 1
    assert 2300 <= live.decivolts <= 2500


def test_partial_grows_to_the_interval() -> None:
    floor = epoch("2026-08-12T17:30")
    emulated = meter()
    whole = int(emulated.window(floor, floor + 900).delivered[0])
    assert emulated.live(floor).partial_delivered == 0
    assert emulated.live(floor + 450).partial_delivered == whole // 2
    assert emulated.live(floor + 899).partial_delivered == whole * 899 // 900
    assert emulated.live(floor + 900).delivered_register - emulated.live(floor).delivered_register == whole


def test_faults_overlay_intervals_and_spare_the_registers() -> None:
    at = epoch("2026-08-12T10:00")
    gap, spike = Fault("gap", ESIID, at, at + 1800), Fault("spike", ESIID, at + 1800, at + 2700, {"factor": 9})
    faulty, sound = meter((gap, spike)), meter()
    shown, truth = faulty.window(at, at + 3600), sound.window(at, at + 3600)
    assert shown.present.tolist() == [False, False, True, True]
    assert shown.delivered.tolist() == [0, 0, 9 * truth.delivered[2], truth.delivered[3]]
    assert faulty.live(at + 2000) == sound.live(at + 2000)
    assert faulty.midnight(DAY + timedelta(days=1)) == sound.midnight(DAY + timedelta(days=1))


def test_dead_meter_does_not_answer_while_dead() -> None:
    at = epoch("2026-08-10T00:00")
    emulated = meter((Fault("dead", ESIID, at, at + 86_400),))
    assert [emulated.answers(now) for now in (at - 1, at, at + 86_399, at + 86_400)] == [True, False, False, True]


def test_meter_remembers_a_few_days_however_far_one_looks_back() -> None:
    emulated = meter()
    shown = emulated.window(day_start(DAY) - 60 * 86_400, day_end(DAY))
    assert len(shown.delivered) == 61 * 96
    assert len(emulated._days) <= 4


def test_recording_is_stopped_before_the_era() -> None:
    shown = meter().window(day_start(ERA) - 900, day_start(ERA) + 900)
    assert shown.present.tolist() == [False, True]
    assert delivered_condition(shown.status)[0] == Channel.STOPPED


def test_days_that_are_kept_cannot_be_written_over() -> None:
    shown = meter().window(day_start(DAY), day_end(DAY))
    with pytest.raises(ValueError, match="read-only"):
        shown.delivered[0] = np.int32(1)


def test_window_of_broken_intervals_is_refused() -> None:
    for start, end in ((1, 900), (0, 901), (900, 0)):
        with pytest.raises(MeterError, match=r"meters\.window\.unaligned"):
            meter().window(start, end)


def test_premise_or_fault_of_another_esiid_is_refused() -> None:
    other = make_esiid(tdsp("ONCOR"), 1, 2)
    with pytest.raises(MeterError, match=r"meters\.meter\.mixed"):
        EmulatedMeter(MeterIdentity("900000001", other), PREMISE, 1)
    with pytest.raises(MeterError, match=other):
        meter((Fault("gap", other, 0, 900),))
