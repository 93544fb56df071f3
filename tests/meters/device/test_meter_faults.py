"""What each fault of power, installation, registers, clock and record does to what a meter shows."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meters.calendar import Seconds, day_end, day_start, epoch
from meters.device.account import ledger_of
from meters.device.energy import Share
from meters.device.meter import MOST_COMMANDS, EmulatedMeter
from meters.errors import MeterError
from meters.events import EventKind
from meters.faults.fault import FOR_EVER, Fault
from meters.faults.kinds import FaultKind
from meters.faults.ledger import Effect
from meters.identity import MeterIdentity, Premise, make_esiid, tdsp
from meters.shown import Power, Wire, WriteResult
from meters.status import Common, Condition, common_nibble, delivered_condition
from tests.meters.fakes import SteadyLoad

ESIID = make_esiid(tdsp("ONCOR"), 1, 1)
OTHER = make_esiid(tdsp("ONCOR"), 1, 2)
DAY = date(2026, 8, 12)
MIDNIGHT = day_start(DAY)
NOON = epoch("2026-08-12T12:00")
NEXT = DAY + timedelta(days=1)


def steady(*faults: Fault, **identity: int) -> EmulatedMeter:
    """A meter that sees 900 Wh in each interval: one a second."""
    mine = MeterIdentity("900000001", ESIID, **identity)  # type: ignore[arg-type]
    return EmulatedMeter(mine, Premise(ESIID), 1, faults, load=SteadyLoad())


def fault(kind: FaultKind, first: Seconds = NOON, until: Seconds = FOR_EVER, **params: float) -> Fault:
    return Fault(kind, ESIID, first, until, params)


def shown(emulated: EmulatedMeter, start: Seconds, count: int, now: Seconds | None = None) -> list[int]:
    window = emulated.window(start, start + count * 900, now if now is not None else start + count * 900)
    return [int(one) for one in window.delivered]


def conditions(emulated: EmulatedMeter, start: Seconds, count: int) -> list[int]:
    window = emulated.window(start, start + count * 900, start + count * 900 + 7200)
    return [int(one) for one in delivered_condition(window.status)]


def commons(emulated: EmulatedMeter, start: Seconds, count: int) -> list[int]:
    window = emulated.window(start, start + count * 900, start + count * 900 + 7200)
    return [int(one) & ~int(Common.DST) for one in common_nibble(window.status)]


def register(emulated: EmulatedMeter, day: date, now: Seconds = FOR_EVER - 1) -> int:
    taken = emulated.midnight(day, now)
    assert taken is not None
    return taken[0]


# Power.


def test_outage_stops_energy_and_answers_and_flags_every_interval_it_touches() -> None:
    emulated = steady(fault(FaultKind.OUTAGE, NOON + 300, NOON + 2400))
    assert shown(emulated, NOON, 4) == [300, 0, 300, 900]
    assert commons(emulated, NOON, 4) == [Common.POWER_FAIL] * 3 + [0]
    assert conditions(emulated, NOON, 4) == [Condition.OK] * 4
    assert register(emulated, NEXT) == register(steady(), NEXT) - 2100
    assert [emulated.reply(NOON + at).wire for at in (299, 300, 2399, 2400)] == [
        Wire.ANSWER,
        Wire.SILENT,
        Wire.SILENT,
        Wire.ANSWER,
    ]
    assert emulated.power(NOON + 1000) == Power(0, 0, failed=True)


def test_switch_is_told_closed_only_when_it_is() -> None:
    emulated = steady(
        fault(FaultKind.DISCONNECTED, NOON, NOON + 7200), fault(FaultKind.DISCONNECTED, NOON + 3600, NOON + 10_800)
    )
    assert [(event.kind, event.at - NOON) for event in emulated.events(NOON, NOON + 90_000)] == [
        (EventKind.DISCONNECTED, 0),
        (EventKind.CONNECTED, 10_800),
    ]


def test_outage_is_told_by_a_last_gasp_and_a_restoration() -> None:
    loud = steady(fault(FaultKind.OUTAGE, NOON, NOON + 3600, restoration_s=20))
    assert [(event.kind, event.at) for event in loud.events(NOON, NOON + 7200)] == [
        (EventKind.LAST_GASP, NOON),
        (EventKind.RESTORATION, NOON + 3620),
    ]
    assert loud.events(NOON + 1, NOON + 3620) == []
    lost = steady(fault(FaultKind.OUTAGE, NOON, NOON + 3600, last_gasp=0))
    assert [event.kind for event in lost.events(NOON, NOON + 7200)] == [EventKind.RESTORATION]
    assert loud.restless
    assert not steady().restless


def test_restoration_is_not_told_out_of_a_following_outage() -> None:
    emulated = steady(
        fault(FaultKind.OUTAGE, NOON, NOON + 600, restoration_s=30), fault(FaultKind.OUTAGE, NOON + 610, NOON + 900)
    )
    told = [(event.kind, event.at - NOON) for event in emulated.events(NOON, NOON + 7200)]
    assert told == [(EventKind.LAST_GASP, 0), (EventKind.LAST_GASP, 610), (EventKind.RESTORATION, 930)]


def test_outage_shorter_than_a_last_gasp_takes_is_told_as_momentary_when_it_is_over() -> None:
    def told(**params: float) -> list[tuple[EventKind, int]]:
        emulated = steady(fault(FaultKind.OUTAGE, NOON, NOON + 29, **params))
        return [(event.kind, event.at - NOON) for event in emulated.events(NOON, NOON + 7200)]

    assert told() == told(last_gasp=0) == [(EventKind.MOMENTARY, 59)]
    assert told(momentary_s=29) == [(EventKind.LAST_GASP, 0), (EventKind.RESTORATION, 59)]


@pytest.mark.parametrize("silent", [fault(FaultKind.DEAD), fault(FaultKind.NO_PATH), fault(FaultKind.FLAKY, answers=0)])
def test_meter_that_nobody_reaches_tells_nothing(silent: Fault) -> None:
    outages = [fault(FaultKind.OUTAGE, at, at + 600) for at in (NOON - 3600, NOON)]
    outages.append(fault(FaultKind.DISCONNECTED, NOON + 3600, NOON + 4200))
    told = [(event.kind, event.at - NOON) for event in steady(silent, *outages).events(NOON - 7200, NOON + 7200)]
    assert told == [(EventKind.LAST_GASP, -3600), (EventKind.RESTORATION, -2970)]


def test_meter_without_power_gasps_no_second_time() -> None:
    emulated = steady(fault(FaultKind.OUTAGE, NOON, NOON + 600), fault(FaultKind.OUTAGE, NOON + 300, NOON + 900))
    assert [event.at - NOON for event in emulated.events(NOON, NOON + 7200)] == [0, 930]


def test_open_switch_stops_energy_but_not_answers() -> None:
    emulated = steady(fault(FaultKind.DISCONNECTED, NOON, NOON + 1800))
    assert shown(emulated, NOON - 900, 4) == [900, 0, 0, 900]
    assert commons(emulated, NOON, 2) == [0, 0]
    live, power = emulated.live(NOON + 60), emulated.power(NOON + 60)
    assert (live.switch_closed, power.watts, power.failed) == (False, 0, False)
    assert power.decivolts > 2300
    assert emulated.reply(NOON).wire is Wire.ANSWER
    assert emulated.operate_switch(NOON + 60, True) is WriteResult.REFUSED


def test_switch_is_opened_and_closed_by_command() -> None:
    emulated = steady()
    assert register(emulated, NEXT) - register(emulated, DAY) == 96 * 900
    assert emulated.operate_switch(NOON + 450, False) is WriteResult.DONE
    assert emulated.operate_switch(NOON + 500, False) is WriteResult.DONE
    assert not emulated.live(NOON + 500).switch_closed
    assert emulated.operate_switch(NOON + 1800, True) is WriteResult.DONE
    assert shown(emulated, NOON, 3) == [450, 0, 900]
    assert register(emulated, NEXT) - register(emulated, DAY) == 96 * 900 - 1350
    told = emulated.events(NOON, NOON + 3600)
    assert [(one.kind, one.at) for one in told] == [
        (EventKind.DISCONNECTED, NOON + 450),
        (EventKind.CONNECTED, NOON + 1800),
    ]


@settings(max_examples=40)
@given(
    moves=st.lists(st.integers(0, 3 * 86_400), max_size=12),
    outage=st.tuples(st.integers(0, 86_400), st.integers(1, 86_400)),
)
def test_intervals_add_up_to_registers_whatever_outages_and_switches_do(
    moves: list[int], outage: tuple[int, int]
) -> None:
    began = MIDNIGHT + outage[0]
    emulated = steady(fault(FaultKind.OUTAGE, began, began + outage[1]), multiplier=7)
    for index, at in enumerate(sorted(moves)):
        emulated.operate_switch(MIDNIGHT + at, index % 2 == 1)
    for day in (DAY, NEXT, NEXT + timedelta(days=1)):
        window = emulated.window(day_start(day), day_end(day), FOR_EVER - 1)
        used = register(emulated, day + timedelta(days=1)) - register(emulated, day)
        assert int(window.delivered.sum()) == used
        assert window.delivered.min() >= 0


def test_meter_takes_a_bounded_number_of_commands() -> None:
    emulated = steady()
    for command in range(MOST_COMMANDS):
        assert emulated.operate_switch(NOON + command, command % 2 == 1) is WriteResult.DONE
        assert emulated.set_clock(NOON + command, NOON + command) is WriteResult.DONE
    assert emulated.operate_switch(NOON + MOST_COMMANDS, False) is WriteResult.REFUSED
    assert emulated.set_clock(NOON + MOST_COMMANDS, NOON + MOST_COMMANDS) is WriteResult.REFUSED


# Registers and installation.


def test_register_rolls_over_at_its_last_dial() -> None:
    emulated = steady(fault(FaultKind.ROLLOVER, NOON, dials=5))
    assert emulated.live(NOON - 1).delivered_register == 10**8 - 1
    assert emulated.identity_at(NOON).dials == 5
    assert emulated.live(NOON).delivered_register == 0
    assert shown(emulated, NOON - 900, 2) == [900, 900]
    assert register(emulated, DAY) > register(emulated, NEXT) == 12 * 3600


def test_register_is_reset() -> None:
    emulated = steady(fault(FaultKind.RESET))
    assert emulated.live(NOON - 1).delivered_register > 10**8
    assert emulated.live(NOON + 7).delivered_register == 7
    assert shown(emulated, NOON - 900, 2) == [900, 900]


def test_reset_counts_from_nothing_whatever_was_declared_for_later() -> None:
    emulated = steady(fault(FaultKind.RESET), fault(FaultKind.ROLLOVER, NOON + 86_400, dials=5))
    assert emulated.live(NOON).delivered_register == 0
    assert emulated.live(NOON + 10).delivered_register == 10
    assert emulated.live(NOON - 1).delivered_register == 10**8 - 86_401


@pytest.mark.parametrize("began", [fault(FaultKind.ROLLOVER, dials=5), fault(FaultKind.RESET)])
def test_counter_goes_on_where_the_register_begins_again(began: Fault) -> None:
    emulated = steady(began)
    before, after = emulated.live(NOON - 1), emulated.live(NOON + 9)
    assert after.delivered_register == 9 < before.delivered_register
    assert after.delivered_total - before.delivered_total == 10


def test_counter_of_an_exchanged_meter_begins_anew() -> None:
    emulated = steady(fault(FaultKind.EXCHANGE), fault(FaultKind.RESET, NOON + 5))
    assert emulated.live(NOON - 1).delivered_total > 10**8
    assert emulated.live(NOON + 9).delivered_total == 9


def test_new_meter_keeps_what_its_clock_set_back_records_under_older_labels() -> None:
    emulated = steady(fault(FaultKind.EXCHANGE))
    emulated.set_clock(NOON + 1800, NOON - 1500)
    end = NOON + 6 * 3600
    live = emulated.live(end)
    held = emulated.window(NOON - 7200, live.time // 900 * 900, end)
    assert int(held.delivered.sum()) + live.partial_delivered == live.delivered_register == 6 * 3600


def test_tenth_exchange_does_not_bring_the_first_number_back() -> None:
    emulated = steady(*(fault(FaultKind.EXCHANGE, NOON + days * 60) for days in range(12)))
    numbers = [emulated.identity_at(NOON + days * 60).meter_number for days in range(12)]
    assert "900000001" not in numbers
    assert len(set(numbers[:9])) == 9


def test_exchange_brings_another_meter_and_leaves_the_load_alone() -> None:
    emulated = steady(fault(FaultKind.EXCHANGE, NOON + 300, initial_wh=5000))
    before, after = emulated.identity_at(NOON), emulated.identity_at(NOON + 300)
    assert before.meter_number == "900000001"
    assert after.meter_number == "800000001"
    assert after.esiid == ESIID
    assert shown(emulated, NOON - 900, 1, NOON) == [900]
    window = emulated.window(NOON - 1800, NOON + 1800, NOON + 1800)
    assert window.present.tolist() == [False, False, True, True]
    assert window.delivered.tolist() == [0, 0, 600, 900]
    assert delivered_condition(window.status).tolist() == [Condition.STOPPED] * 2 + [Condition.PARTIAL, Condition.OK]
    assert emulated.live(NOON + 900).delivered_register == 5600
    assert emulated.midnight(DAY, NOON) is not None
    assert emulated.midnight(DAY, NOON + 300) is None
    assert register(emulated, NEXT) == 5000 + 12 * 3600 - 300


def test_wrong_multiplier_is_told_and_makes_energy_seem_less() -> None:
    emulated = steady(Fault(FaultKind.MULTIPLIER, ESIID, params={"value": 10}))
    assert emulated.identity_at(NOON).multiplier == 10
    assert shown(emulated, NOON, 2) == [90, 90]
    assert register(emulated, DAY) == register(steady(), DAY) // 10


def test_swapped_meters_measure_each_others_premise() -> None:
    premises = {ESIID: Premise(ESIID), OTHER: Premise(OTHER, scale=2.0)}
    pair = {
        mine: EmulatedMeter(
            MeterIdentity(f"90000000{row}", mine), premises[other], 1, [Fault(FaultKind.SWAP, mine, other=other)]
        )
        for row, (mine, other) in enumerate(((ESIID, OTHER), (OTHER, ESIID)))
    }
    sound = {esiid: EmulatedMeter(MeterIdentity("900000009", esiid), premise, 1) for esiid, premise in premises.items()}
    assert shown(pair[ESIID], MIDNIGHT, 96) == shown(sound[OTHER], MIDNIGHT, 96)
    assert shown(pair[OTHER], MIDNIGHT, 96) == shown(sound[ESIID], MIDNIGHT, 96)
    assert pair[ESIID].identity_at(NOON).esiid == ESIID


def test_two_meters_at_one_esiid_add_up_to_its_load() -> None:
    premise = Premise(ESIID, solar_w=6000)
    whole = EmulatedMeter(MeterIdentity("900000001", ESIID), premise, 1).window(MIDNIGHT, day_end(DAY), FOR_EVER - 1)
    parts = [
        EmulatedMeter(MeterIdentity(f"90000000{row}", ESIID), premise, 1, share=share).window(
            MIDNIGHT, day_end(DAY), FOR_EVER - 1
        )
        for row, share in enumerate((Share(60), Share(60, rest=True)))
    ]
    assert (parts[0].delivered + parts[1].delivered).tolist() == whole.delivered.tolist()
    assert (parts[0].received + parts[1].received).tolist() == whole.received.tolist()
    assert 0.59 < parts[0].delivered.sum() / whole.delivered.sum() < 0.61


# Clock.


def test_clock_set_forward_skips_and_shortens_intervals_and_is_set_right_at_the_end() -> None:
    emulated = steady(fault(FaultKind.CLOCK_SET, NOON + 300, NOON + 7200, seconds=1500))
    assert emulated.clock(NOON + 299) == NOON + 299
    assert emulated.clock(NOON + 300) == NOON + 1800
    assert emulated.clock(NOON + 7200) == NOON + 7200
    # 12:00 has five minutes; 12:15 none; 12:30 begins at the very set.
    assert shown(emulated, NOON, 3, NOON + 3600) == [300, 0, 900]
    assert conditions(emulated, NOON, 3) == [Condition.PARTIAL, Condition.SKIPPED, Condition.OK]
    assert commons(emulated, NOON, 3) == [Common.CLOCK_FORWARD] * 2 + [0]
    told = [(event.kind, event.at) for event in emulated.events(NOON, NOON + 9000)]
    assert told == [(EventKind.CLOCK_SET, NOON + 300), (EventKind.CLOCK_SET, NOON + 7200)]


def test_clock_set_back_makes_a_long_interval() -> None:
    emulated = steady(fault(FaultKind.CLOCK_SET, NOON + 600, seconds=-300))
    assert shown(emulated, NOON, 2, NOON + 3600) == [1200, 900]
    assert conditions(emulated, NOON, 2) == [Condition.LONG, Condition.OK]
    assert commons(emulated, NOON, 2) == [Common.CLOCK_BACK, 0]
    # Nobody can see the set before it happens.
    assert shown(emulated, NOON, 1, NOON + 599) == [900]


def test_drifting_clock_shifts_labels_and_keeps_the_energy() -> None:
    emulated = steady(fault(FaultKind.CLOCK_DRIFT, MIDNIGHT, day_end(DAY), seconds_a_day=864))
    assert emulated.clock(NOON) == NOON + 432
    assert emulated.clock(day_end(DAY)) == day_end(DAY)
    # An interval by a clock that is 1 % fast is 1 % short.
    assert set(shown(emulated, NOON, 8, day_end(DAY) - 1)) <= {891, 892, 890}
    assert register(emulated, NEXT + timedelta(days=1)) == register(steady(), NEXT + timedelta(days=1))


def test_clock_is_written_within_its_limit() -> None:
    emulated = steady()
    assert emulated.set_clock(NOON, NOON + 3601) is WriteResult.REFUSED
    assert emulated.set_clock(NOON, NOON - 3601) is WriteResult.REFUSED
    assert emulated.clock(NOON) == NOON
    assert emulated.set_clock(NOON, NOON + 3600) is WriteResult.DONE
    assert emulated.clock(NOON + 1) == NOON + 3601
    assert [event.kind for event in emulated.events(NOON, NOON + 1)] == [EventKind.CLOCK_SET]
    live = emulated.live(NOON + 100)
    assert (live.time, live.partial_seconds, live.partial_delivered) == (NOON + 3700, 100, 100)


def test_last_of_two_clock_writes_in_one_second_counts() -> None:
    emulated = steady()
    emulated.set_clock(NOON, NOON + 61)
    emulated.set_clock(NOON, NOON - 30)
    assert emulated.clock(NOON + 1) == NOON - 29


def test_midnight_that_the_clock_jumps_over_is_taken_when_it_is_set() -> None:
    before = MIDNIGHT - 600
    emulated = steady(fault(FaultKind.CLOCK_SET, before, seconds=1200))
    assert register(emulated, DAY) == register(steady(), DAY) - 600


@settings(max_examples=100)
@given(
    sets=st.lists(st.tuples(st.integers(0, 2 * 86_400), st.integers(-3600, 3600)), max_size=5),
    drift=st.integers(-600, 600),
)
@example(sets=[(1, 0)], drift=-1)
@example(sets=[(1, 900)], drift=-1)
def test_no_energy_is_lost_or_made_by_whatever_happens_to_a_clock(sets: list[tuple[int, int]], drift: int) -> None:
    emulated = steady(fault(FaultKind.CLOCK_DRIFT, MIDNIGHT, seconds_a_day=drift))
    for at, by in sorted(sets):
        now = MIDNIGHT + at
        emulated.set_clock(now, emulated.clock(now) + by)
    end = MIDNIGHT + 4 * 86_400
    start, stop = MIDNIGHT - 86_400, emulated.clock(end) // 900 * 900
    labels = emulated.window(start, stop, end)
    live = emulated.live(end)
    seen = int(labels.delivered.sum()) + live.partial_delivered
    # Labels that the clock was set back over at the very end are still to come again.
    assert seen == end - start
    assert not labels.present[delivered_condition(labels.status) == Condition.SKIPPED].any()


# The record.


@pytest.mark.parametrize(
    ("kind", "params", "values", "condition"),
    [
        (FaultKind.GAP, {}, [0, 0], Condition.STOPPED),
        (FaultKind.SKIPPED, {}, [0, 0], Condition.SKIPPED),
        (FaultKind.SPIKE, {"factor": 9}, [8100, 8100], Condition.OK),
        (FaultKind.NEGATIVE, {}, [-900, -900], Condition.OK),
        (FaultKind.ZERO, {}, [0, 0], Condition.OK),
        (FaultKind.PARTIAL, {"fraction": 0.4}, [360, 360], Condition.PARTIAL),
        (FaultKind.LONG, {"fraction": 0.4}, [1260, 1260], Condition.LONG),
        (FaultKind.OVERFLOW, {"limit": 500}, [500, 500], Condition.OVERFLOW),
        (FaultKind.TEST_MODE, {"wh": 3}, [3, 3], Condition.TEST_MODE),
        (FaultKind.CONFIGURATION, {}, [900, 900], Condition.CONFIGURATION_CHANGED),
    ],
)
def test_fault_of_the_record_shows_in_its_intervals_alone_and_spares_the_registers(
    kind: FaultKind, params: dict[str, float], values: list[int], condition: Condition
) -> None:
    declared = fault(kind, NOON, NOON + 1800, **params)
    emulated = steady(declared)
    assert shown(emulated, NOON - 900, 4) == [900, *values, 900]
    assert conditions(emulated, NOON - 900, 4) == [Condition.OK, condition, condition, Condition.OK]
    present = emulated.window(NOON, NOON + 1800, NOON + 1800).present
    assert present.any() == (kind not in (FaultKind.GAP, FaultKind.SKIPPED))
    assert register(emulated, NEXT) == register(steady(), NEXT)
    assert emulated.live(NOON + 1000) == steady().live(NOON + 1000)
    assert emulated.power(NOON + 1000) == steady().power(NOON + 1000)
    (told,) = ledger_of([emulated], MIDNIGHT, day_end(DAY))
    assert told.effect == Effect(1800, sum(values), 0, 0, sum(abs(value - 900) for value in values))


def test_intervals_beyond_the_wire_overflow_and_say_so() -> None:
    mine = MeterIdentity("900000001", ESIID)
    emulated = EmulatedMeter(mine, Premise(ESIID), 1, load=SteadyLoad(1_000_000_000))
    for again in range(4):
        emulated.set_clock(NOON + 600 + 900 * again, NOON - 300)
    assert shown(emulated, NOON - 900, 1, NOON + 20_000) == [2**31 - 1]
    assert conditions(emulated, NOON - 900, 1) == [Condition.OVERFLOW]


def test_effect_of_a_record_fault_goes_by_the_meters_labels() -> None:
    spike = fault(FaultKind.SPIKE, NOON, NOON + 1800, factor=2)
    emulated = steady(spike, fault(FaultKind.CLOCK_SET, NOON - 7200, seconds=5400))
    # Noon by its labels was half past ten.
    (told,) = [one for one in ledger_of([emulated], MIDNIGHT, day_end(DAY)) if one.kind == "spike"]
    assert told.effect == Effect(1800, 3600, 0, 0, 1800)


def test_meter_cannot_be_swapped_twice() -> None:
    third = make_esiid(tdsp("ONCOR"), 1, 3)
    faults = [Fault(FaultKind.SWAP, ESIID, other=other) for other in (OTHER, third)]
    with pytest.raises(MeterError, match=r"meters\.fault\.swap"):
        EmulatedMeter(MeterIdentity("900000001", ESIID), Premise(OTHER), 1, faults)


def test_stuck_value_is_the_first_ones_even_days_later() -> None:
    premise = Premise(ESIID)
    late = epoch("2026-08-11T22:00")
    emulated = EmulatedMeter(MeterIdentity("900000001", ESIID), premise, 1, [fault(FaultKind.STUCK, late)])
    sound = EmulatedMeter(MeterIdentity("900000001", ESIID), premise, 1)
    first = shown(sound, late, 1)[0]
    assert shown(emulated, late, 100) == [first] * 100
    assert shown(emulated, MIDNIGHT, 4) == [first] * 4


# What is shown.


def test_stale_meter_shows_what_it_showed_a_day_ago() -> None:
    emulated = steady(fault(FaultKind.STALE, seconds=86_400))
    assert emulated.live(NOON + 10) == steady().live(NOON + 10 - 86_400)
    assert emulated.power(NOON + 10) == steady().power(NOON + 10 - 86_400)
    assert emulated.clock(NOON + 10) == NOON + 10 - 86_400
    assert emulated.live(NOON - 1) == steady().live(NOON - 1)
    assert emulated.power(NOON - 1) == steady().power(NOON - 1)


def test_clock_of_a_stale_meter_is_set_by_the_difference() -> None:
    emulated = steady(Fault(FaultKind.STALE, ESIID, NOON, NOON + 3600, {"seconds": 86_400}))
    assert emulated.set_clock(NOON + 10, emulated.clock(NOON + 10) + 60) is WriteResult.DONE
    assert emulated.clock(NOON + 4000) == NOON + 4060


def test_zero_read_shows_registers_midnights_and_counters_of_zero() -> None:
    emulated = steady(fault(FaultKind.ZERO_READ))
    live = emulated.live(NOON + 10)
    assert (live.delivered_register, live.received_register, live.delivered_total, live.received_total) == (0,) * 4
    assert emulated.midnight(DAY, NOON + 10) == (0, 0) != emulated.midnight(DAY, NOON - 1)
    assert live.partial_delivered == 10


def test_flaky_meter_answers_for_whole_days_or_not_at_all() -> None:
    emulated = steady(fault(FaultKind.FLAKY, MIDNIGHT, answers=0.5))
    days = [{emulated.reply(MIDNIGHT + day * 86_400 + hour * 3600).wire for hour in range(24)} for day in range(60)]
    assert all(len(seen) == 1 for seen in days)
    answered = sum(Wire.ANSWER in seen for seen in days)
    assert 18 <= answered <= 42


def test_worst_reply_hides_the_others_and_delays_add_up() -> None:
    emulated = steady(
        fault(FaultKind.WRONG_UNIT),
        fault(FaultKind.EXCEPTION, code=6),
        fault(FaultKind.SLOW, seconds=2),
        fault(FaultKind.SLOW, seconds=0.5),
    )
    said = emulated.reply(NOON)
    assert (said.wire, said.code, said.delay_s) == (Wire.EXCEPTION, 6, 2.5)
    assert steady(fault(FaultKind.NO_PATH), fault(FaultKind.DEAD)).reply(NOON).wire is Wire.NO_PATH
