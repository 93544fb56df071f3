"""A day of both channels from what was collected to what is published."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from headend.vee.batch import run_batch
from headend.vee.findings import FINDING, explain
from headend.vee.preset import Preset
from headend.vee.quality import IntervalStatus, Method
from headend.vee.records import Assets, Power, VeeDay
from headend.vee.rules import RULES, limits
from meters.calendar import intervals_in
from meters.status import Common, Condition, status_word
from tests.headend.vee.days import R0, WEDNESDAY, block, history, lose, past_of, ramp, without_registers

WHOLE = Preset(limits=limits({"sum.unlocated": {"estimate_day": 1}}))


def _ids(vee: VeeDay, row: int = 0) -> list[str]:
    return [explain(one, vee.day).id for one in vee.findings if one["row"] == row]


def test_good_day_stays_as_it_is_and_has_no_finding() -> None:
    vee = run_batch(block(np.full((2, 96), 400)))
    assert (vee.delivered.wh == 400).all()
    assert (vee.delivered.status == IntervalStatus.ACTUAL).all()
    assert len(vee.findings) == 0
    assert vee.delivered.start_wh.tolist() == [R0] * 2
    assert vee.delivered.stop_wh.tolist() == [R0 + 38_400] * 2


def test_short_gap_is_interpolated_and_scaled_to_the_registers() -> None:
    wh = np.full((1, 96), 400)
    wh[0, 40:44] = [500, 600, 700, 801]
    vee = run_batch(lose(block(wh), 0, 40, 44))
    # Interpolated 400 each, 1,600 in all; D = 2,601; 400 x 2601 / 1600 = 650.25, so 650 and the residue of 1 in the first.
    assert vee.delivered.wh[0, 40:44].tolist() == [651, 650, 650, 650]
    assert (vee.delivered.status[0, 40:44] == IntervalStatus.ESTIMATED).all()
    assert (vee.delivered.method[0, 40:44] == Method.INTERPOLATED).all()
    assert vee.delivered.scaled[0].sum() == 4
    assert vee.delivered.wh.sum() == wh.sum()
    assert _ids(vee) == ["interval.missing", "interval.missing"]
    missing = explain(vee.findings[1], vee.day)
    assert missing.evidence["first"] == "2026-08-12T10:00:00-05:00"
    assert missing.evidence["last"] == "2026-08-12T11:00:00-05:00"
    assert missing.sentence.startswith("4 intervals of channel 4 have no value")


def test_spike_is_replaced_and_the_registers_give_the_true_value_back() -> None:
    collected = block(np.array([ramp()]))
    spiked = collected.delivered.copy()
    spiked[0, 30] = 9400
    vee = run_batch(replace(collected, delivered=spiked))
    assert vee.delivered.wh[0].tolist() == ramp()
    assert np.flatnonzero(vee.delivered.status[0]).tolist() == [30]
    assert _ids(vee) == ["interval.spike", "sum.failed"]


def test_a_true_peak_stays_actual() -> None:
    peak = [*ramp()[:30], 9400, *ramp()[31:]]
    vee = run_batch(block(np.array([peak])))
    assert vee.delivered.wh[0].tolist() == peak
    assert (vee.delivered.status == IntervalStatus.ACTUAL).all()
    assert _ids(vee) == []


def test_negative_and_conditioned_intervals_are_estimated() -> None:
    collected = block(np.full((1, 96), 400))
    delivered, status = collected.delivered.copy(), collected.status.copy()
    delivered[0, 10] = -5
    status[0, 20] = status_word(0, Condition.OVERFLOW)
    vee = run_batch(replace(collected, delivered=delivered, status=status))
    assert np.flatnonzero(vee.delivered.status[0]).tolist() == [10, 20]
    assert np.flatnonzero(vee.received.status[0]).tolist() == [20]
    assert (vee.delivered.wh == 400).all()
    assert set(_ids(vee)) == {"interval.negative", "interval.condition"}


def test_zero_with_a_power_failure_stays_actual() -> None:
    wh = np.full((1, 96), 400)
    wh[0, 50:60] = 0
    collected = block(wh)
    status = collected.status.copy()
    status[0, 50:60] = status_word(Common.POWER_FAIL, Condition.OK)
    vee = run_batch(replace(collected, status=status))
    assert (vee.delivered.status == IntervalStatus.ACTUAL).all()
    assert vee.delivered.power_failed[0].sum() == 10
    assert _ids(vee) == []


def test_dead_meter_gets_a_whole_day_of_like_days() -> None:
    collected = lose(block(np.full((2, 96), 400)), 1, 0, 96)
    have = np.array([True, False])
    collected = replace(collected, have_r0=have, have_r1=have)
    vee = run_batch(collected, past_of(history(collected.meters, {1: 250, 2: 250, 5: 250})))
    assert (vee.delivered.wh[1] == 250).all()
    assert (vee.delivered.method[1] == Method.LIKE_DAY).all()
    assert (vee.delivered.status[1] == IntervalStatus.ESTIMATED).all()
    assert (vee.received.wh[1] == 0).all()
    assert vee.delivered.have_start.tolist() == [True, False]
    assert _ids(vee) == []


def test_three_days_running_without_an_actual_interval_are_told() -> None:
    collected = without_registers(lose(block(np.full((1, 96), 400)), 0, 0, 96))
    for days, is_told in ((1, False), (2, True)):
        held = history(collected.meters, dict.fromkeys(range(1, days + 1), 250))
        for one in held.delivered:
            one.status[:] = IntervalStatus.ESTIMATED
        vee = run_batch(collected, past_of(held))
        assert ("estimate.prolonged" in _ids(vee)) is is_told
        # Estimates make no like days.
        assert (vee.delivered.method == Method.ZERO).all()


def test_dead_meter_without_history_and_neighbours_gets_zeroes() -> None:
    vee = run_batch(without_registers(lose(block(np.full((1, 96), 400)), 0, 0, 96)))
    assert (vee.delivered.wh == 0).all()
    assert (vee.delivered.method == Method.ZERO).all()


def test_whole_missing_day_with_registers_sums_to_them() -> None:
    vee = run_batch(lose(block(np.full((1, 96), 400)), 0, 0, 96))
    # Nothing to go by: 38,400 Wh in equal shares.
    assert (vee.delivered.wh == 400).all()
    assert vee.delivered.scaled.all()


def test_a_failed_sum_is_located_or_told_and_never_goes_out_unsaid() -> None:
    steps = np.array([[300 + 10 * (i % 2) for i in range(96)]])
    collected = block(steps)
    collected = replace(collected, delivered_r1=collected.delivered_r1 + 200)
    vee = run_batch(collected)
    assert _ids(vee) == ["sum.failed", "sum.unlocated"]
    assert (vee.delivered.status == IntervalStatus.ACTUAL).all()
    # The other preset estimates such a day whole, to its registers.
    whole = run_batch(collected, preset=WHOLE)
    assert _ids(whole) == ["sum.failed"]
    assert (whole.delivered.status == IntervalStatus.ESTIMATED).all()
    assert int(whole.delivered.wh.sum()) == int(steps.sum()) + 200


def test_behind_a_multiplier_of_40_a_sum_may_be_80_wh_off() -> None:
    collected = block(np.array([ramp()]))
    collected = replace(collected, delivered_r1=collected.delivered_r1 + 80)
    assert "sum.failed" in _ids(run_batch(collected))
    assert _ids(run_batch(collected, assets=Assets.plain(1, 40))) == []


def test_good_intervals_beyond_the_registers_fail_the_sum_check_unscaled() -> None:
    collected = lose(block(np.array([[300 + 10 * (i % 2) for i in range(96)]])), 0, 40, 44)
    collected = replace(collected, delivered_r1=collected.delivered_r0 + 20_000)
    vee = run_batch(collected)
    assert not vee.delivered.scaled[0].any()
    assert _ids(vee) == ["interval.missing", "interval.missing", "sum.failed", "sum.unlocated"]


def test_a_register_that_runs_backwards_is_told_and_not_used() -> None:
    collected = lose(block(np.array([ramp()])), 0, 40, 44)
    vee = run_batch(replace(collected, delivered_r1=collected.delivered_r0 - 1))
    assert "register.backwards" in _ids(vee)
    assert not vee.delivered.scaled[0].any()


def test_a_class_profile_takes_the_shape_of_the_day_that_its_class_has_had() -> None:
    noon = np.array([[100] * 48 + [300] * 48] * 3)
    collected = lose(block(noon), 2, 0, 96)
    vee = run_batch(replace(collected, delivered_r1=collected.delivered_r0 + np.array([19_200, 19_200, 9_600])))
    # Half of the class's energy in the class's shape.
    assert vee.delivered.wh[2].tolist() == [50] * 48 + [150] * 48
    assert (vee.delivered.method[2] == Method.PROFILE).all()


def test_an_estimate_beyond_the_service_is_told() -> None:
    collected = lose(block(np.array([ramp()])), 0, 40, 41)
    vee = run_batch(replace(collected, delivered_r1=collected.delivered_r1 + 12_000))
    assert "estimate.implausible" in _ids(vee)
    assert vee.delivered.wh[0, 40] == 12_000 + ramp()[40]


def test_findings_are_sixteen_octets_and_every_rule_can_be_explained() -> None:
    assert FINDING.itemsize == 16
    for row in RULES.values():
        one = np.array([(0, row.rule, 4, 0, 95, 3, 7)], FINDING)[0]
        assert explain(one, WEDNESDAY).sentence.endswith(".")


def test_findings_that_exceed_their_room_tell_what_they_would_have() -> None:
    # Four findings a row and more; alone, a row's fit into the first room.
    wild = [400, -1, *ramp()[2:40], 9000, *[777] * 12, *ramp()[53:]]
    alone = run_batch(without_registers(block(np.array([wild]))))
    many = run_batch(without_registers(block(np.array([wild] * 400))))
    assert {"interval.negative", "interval.spike", "interval.stuck", "register.missing"} <= set(_ids(alone))
    for row in (0, 399):
        assert _ids(many, row) == _ids(alone)
        assert many.delivered.status[row].tolist() == alone.delivered.status[0].tolist()


@settings(max_examples=60)
@given(
    st.sampled_from([date(2026, 3, 8), date(2026, 8, 12), date(2026, 11, 1)]),
    st.integers(0, 2**32 - 1),
    st.floats(0.0, 1.0),
)
def test_every_estimated_day_sums_to_its_registers_and_actuals_never_change(
    day: date, seed: int, share_lost: float
) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 1200, (4, intervals_in(day)))
    collected = block(truth, day)
    present = rng.random(truth.shape) >= share_lost
    collected = replace(collected, present=present, delivered=np.where(present, truth, 0).astype(np.int32))
    vee = run_batch(collected)
    estimated = vee.delivered.status == IntervalStatus.ESTIMATED
    assert (vee.delivered.wh.sum(axis=1, dtype=np.int64) == truth.sum(axis=1)).all()
    assert (vee.delivered.wh[~estimated] == truth[~estimated]).all()
    assert (vee.delivered.wh >= 0).all()
    assert (estimated != present).all()
    assert ((vee.delivered.method == Method.MEASURED) == ~estimated).all()


def test_what_an_outage_took_that_was_told_to_its_end_is_0_and_actual_before_the_meter_is_read() -> None:
    wh = np.array([ramp()] * 3)
    wh[:, 40:60] = 0
    collected = lose(lose(lose(block(wh), 0, 38, 96), 1, 38, 96), 2, 38, 96)
    power = np.zeros((3, 96), np.uint8)
    power[0, 40:60] = Power.OUT | Power.OVER
    power[1, 40:] = Power.OUT
    vee = run_batch(
        replace(collected, have_r1=np.zeros(3, np.bool_)), past_of(history(collected.meters, {1: 70})), power=power
    )
    side = vee.delivered
    # Its edges, in which it had power for a while, are estimated: by the neighbour before the outage, and as on another day after it.
    assert side.wh[0].tolist() == ramp()[:38] + [ramp()[37]] * 2 + [0] * 20 + [70] * 36
    assert np.flatnonzero(side.status[0]).tolist() == [38, 39, *range(60, 96)]
    assert np.flatnonzero(side.power_failed[0]).tolist() == list(range(40, 60))
    # Whose end nobody has told may be over: it is estimated, and nothing is made up.
    assert side.wh[1].tolist() == ramp()[:38] + [ramp()[37]] * 2 + [0] * 56
    assert np.flatnonzero(side.status[1]).tolist() == list(range(38, 96))
    assert set(side.method[1, 40:].tolist()) == {Method.ZERO}
    # Of which nothing was told is as on another day.
    assert side.wh[2, 38:].tolist() == [70] * 58


def test_a_told_outage_that_the_registers_deny_is_estimated_like_any_gap_and_said() -> None:
    wh = np.array([ramp()] * 2)
    power = np.zeros((2, 96), np.uint8)
    power[0, 40:60] = Power.OUT | Power.OVER
    collected = lose(lose(block(wh), 0, 40, 60), 1, 40, 60)
    vee = run_batch(collected, past_of(history(collected.meters, {1: 70})), power=power)
    side = vee.delivered
    for column in (side.wh, side.method, side.status, side.power_failed):
        assert column[0].tolist() == column[1].tolist()
    assert side.wh[0].sum() == wh[0].sum()
    assert np.flatnonzero(side.status[0]).tolist() == list(range(40, 60))
    assert _ids(vee) == ["interval.missing", "usage.outage"]
    assert [(one["first"], one["last"]) for one in vee.findings] == [(40, 59)] * 4


def test_a_told_outage_beside_a_gap_that_can_have_had_what_the_registers_have_more_stands() -> None:
    wh, power = np.array([ramp()]), np.zeros((1, 96), np.uint8)
    wh[0, 40:60] = 0
    power[0, 40:60] = Power.OUT | Power.OVER
    vee = run_batch(lose(block(wh), 0, 36, 64), power=power)
    assert np.flatnonzero(vee.delivered.status[0]).tolist() == [*range(36, 40), *range(60, 64)]
    assert _ids(vee) == ["interval.missing"] * 2


def test_what_was_read_of_a_told_outage_is_no_gap_nor_is_one_of_which_the_registers_have_less() -> None:
    wh, power = np.array([ramp()] * 2), np.zeros((2, 96), np.uint8)
    power[:, 40:60] = Power.OUT | Power.OVER
    collected = lose(block(wh), 1, 40, 60)
    registers = R0 + collected.delivered.sum(axis=1) + np.array([3_000, -3_000])
    vee = run_batch(replace(collected, delivered_r1=registers), power=power)
    assert not vee.delivered.status.any()
    assert _ids(vee) == ["sum.failed", "sum.unlocated", "usage.outage"]
    assert _ids(vee, 1) == ["sum.failed", "sum.unlocated"]
