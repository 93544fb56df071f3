from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headend.ports import MeterKey
from headend.vee.batch import needs_history, run_batch
from headend.vee.quality import Channel, IntervalStatus, Method
from headend.vee.records import ChannelDay, DayBlock, History, VeeDay
from meters.calendar import intervals_in
from meters.status import Common, Condition, status_word

WEDNESDAY = date(2026, 8, 12)


def _block(delivered: np.ndarray, day: date = WEDNESDAY) -> DayBlock:
    """A day on which everything was collected, nothing was received, and the registers agree."""
    m, n = delivered.shape
    assert n == intervals_in(day)
    zeros, yes = np.zeros(m, np.int64), np.ones(m, np.bool_)
    return DayBlock(
        day=day,
        meters=tuple(MeterKey(f"1044372000000{row:04d}", "") for row in range(m)),
        delivered=delivered.astype(np.int32),
        received=np.zeros((m, n), np.int32),
        status=np.zeros((m, n), np.uint16),
        present=np.ones((m, n), np.bool_),
        delivered_r0=zeros + 5_000_000,
        received_r0=zeros,
        have_r0=yes,
        delivered_r1=5_000_000 + delivered.sum(axis=1, dtype=np.int64),
        received_r1=zeros,
        have_r1=yes.copy(),
    )


def _lose(block: DayBlock, row: int, begin: int, end: int) -> DayBlock:
    present, delivered = block.present.copy(), block.delivered.copy()
    present[row, begin:end], delivered[row, begin:end] = False, 0
    return replace(block, present=present, delivered=delivered)


def _history(block: DayBlock, wh: int, *days: date, last: int | None = None) -> History:
    def side(value: int, day: date) -> ChannelDay:
        shape = (len(block.meters), intervals_in(day))
        held = np.full(shape, value, np.int32)
        if last is not None and value:
            held[:, -1] = last
        return ChannelDay(held, np.zeros(shape, np.uint8), np.zeros(shape, np.bool_))

    return History(block.meters, days, tuple(side(wh, day) for day in days), tuple(side(0, day) for day in days))


def _ids(vee: VeeDay, row: int) -> list[str]:
    return [finding.id for finding in vee.findings[row]]


def test_good_day_stays_as_it_is_and_has_no_finding() -> None:
    block = _block(np.full((2, 96), 400))
    vee = run_batch(block, History())
    assert (vee.delivered.wh == 400).all()
    assert (vee.delivered.status == IntervalStatus.ACTUAL).all()
    assert vee.findings == ((), ())
    assert not needs_history(block).any()
    assert vee.delivered.start_wh.tolist() == [5_000_000] * 2
    assert vee.delivered.stop_wh.tolist() == [5_038_400] * 2


def test_short_gap_is_interpolated_and_scaled_to_the_registers() -> None:
    wh = np.full((1, 96), 400)
    wh[0, 40:44] = [500, 600, 700, 801]
    vee = run_batch(_lose(_block(wh), 0, 40, 44), History())
    # Interpolated 400 each, 1,600 in all; D = 2,601; 400 x 2601 / 1600 = 650.25, so 650 and the residue of 1 in the first.
    assert vee.delivered.wh[0, 40:44].tolist() == [651, 650, 650, 650]
    assert (vee.delivered.status[0, 40:44] == IntervalStatus.ESTIMATED).all()
    assert (vee.delivered.method[0, 40:44] == Method.INTERPOLATED).all()
    assert vee.delivered.scaled[0].sum() == 4
    assert vee.delivered.wh.sum() == wh.sum()
    assert _ids(vee, 0) == ["vee.interval.missing", "vee.interval.estimated", "vee.interval.estimated"]
    assert vee.findings[0][0].evidence["first_end"] == "2026-08-12T10:15:00-05:00"


def test_gap_at_midnight_leans_on_the_vee_data_of_the_day_before() -> None:
    block = _lose(_block(np.full((1, 96), 400)), 0, 0, 3)
    block = replace(block, have_r0=np.zeros(1, np.bool_))
    history = _history(block, 300, WEDNESDAY - timedelta(days=1), last=800)
    vee = run_batch(block, history)
    # 800 to 400 over three: 700, 600, 500; without a register nothing is scaled.
    assert vee.delivered.wh[0, :3].tolist() == [700, 600, 500]
    assert not vee.delivered.scaled.any()
    assert "vee.register.missing" in _ids(vee, 0)


@pytest.mark.parametrize("why", ["estimated", "power failed", "two days before"])
def test_gap_at_midnight_leans_on_nothing_but_an_actual_end_of_the_day_before(why: str) -> None:
    block = _lose(_block(np.full((1, 96), 400)), 0, 0, 3)
    block = replace(block, have_r0=np.zeros(1, np.bool_))
    history = _history(block, 300, WEDNESDAY - timedelta(days=2 if why == "two days before" else 1), last=800)
    before = history.of(Channel.LOAD)[0]
    before.status[0, -1] = IntervalStatus.ESTIMATED if why == "estimated" else IntervalStatus.ACTUAL
    before.power_failed[0, -1] = why == "power failed"
    assert run_batch(block, history).delivered.wh[0, :3].tolist() == [400] * 3


def test_spike_is_replaced_and_the_registers_give_the_true_value_back() -> None:
    wh = np.full((1, 96), 400)
    block = _block(wh)
    spiked = block.delivered.copy()
    spiked[0, 30] = 9400
    block = replace(block, delivered=spiked)
    assert needs_history(block).all()
    vee = run_batch(block, History())
    assert vee.delivered.wh[0].tolist() == [400] * 96
    assert vee.delivered.status[0, 30] == IntervalStatus.ESTIMATED
    assert (vee.delivered.status[0] == IntervalStatus.ESTIMATED).sum() == 1
    assert _ids(vee, 0) == ["vee.interval.spike", "vee.interval.estimated"]
    assert vee.findings[0][0].evidence == {
        "channel": 4,
        "count": 1,
        "first_end": "2026-08-12T07:45:00-05:00",
        "wh": 9400,
    }


def test_negative_and_conditioned_intervals_are_estimated() -> None:
    block = _block(np.full((1, 96), 400))
    delivered, status = block.delivered.copy(), block.status.copy()
    delivered[0, 10] = -5
    status[0, 20] = status_word(0, Condition.OVERFLOW)
    vee = run_batch(replace(block, delivered=delivered, status=status), History())
    assert np.flatnonzero(vee.delivered.status[0]).tolist() == [10, 20]
    assert np.flatnonzero(vee.received.status[0]).tolist() == [20]
    assert (vee.delivered.wh == 400).all()
    assert {"vee.interval.negative", "vee.interval.condition"} <= set(_ids(vee, 0))


def test_zero_with_a_power_failure_stays_actual() -> None:
    wh = np.full((1, 96), 400)
    wh[0, 50:60] = 0
    block = _block(wh)
    status = block.status.copy()
    status[0, 50:60] = status_word(Common.POWER_FAIL, Condition.OK)
    vee = run_batch(replace(block, status=status), History())
    assert (vee.delivered.status == IntervalStatus.ACTUAL).all()
    assert vee.delivered.power_failed[0].sum() == 10


def test_dead_meter_gets_a_whole_day_of_like_days() -> None:
    block = _lose(_block(np.full((2, 96), 400)), 1, 0, 96)
    have = np.array([True, False])
    block = replace(block, have_r0=have, have_r1=have)
    days = [WEDNESDAY - timedelta(days=back) for back in (1, 2, 5)]
    vee = run_batch(block, _history(block, 250, *days))
    assert (vee.delivered.wh[1] == 250).all()
    assert (vee.delivered.method[1] == Method.LIKE_DAY).all()
    assert (vee.delivered.status[1] == IntervalStatus.ESTIMATED).all()
    assert (vee.received.wh[1] == 0).all()
    assert vee.delivered.have_start.tolist() == [True, False]
    assert needs_history(block).tolist() == [False, True]
    assert vee.findings[0] == ()


def test_dead_meter_without_history_gets_zeroes() -> None:
    block = _lose(_block(np.full((1, 96), 400)), 0, 0, 96)
    none = np.zeros(1, np.bool_)
    vee = run_batch(replace(block, have_r0=none, have_r1=none), History())
    assert (vee.delivered.wh == 0).all()
    assert (vee.delivered.method == Method.ZERO).all()


def test_whole_missing_day_with_registers_sums_to_them() -> None:
    block = _lose(_block(np.full((1, 96), 400)), 0, 0, 96)
    vee = run_batch(block, History())
    # Nothing to go by: 38,400 Wh in equal shares.
    assert (vee.delivered.wh == 400).all()
    assert vee.delivered.scaled.all()


def test_like_days_that_are_estimates_themselves_are_not_used() -> None:
    block = _lose(_block(np.full((1, 96), 400)), 0, 0, 96)
    none = np.zeros(1, np.bool_)
    history = _history(block, 250, WEDNESDAY - timedelta(days=1))
    history.delivered[0].status[:] = IntervalStatus.ESTIMATED
    vee = run_batch(replace(block, have_r0=none, have_r1=none), history)
    assert (vee.delivered.method == Method.ZERO).all()


def test_all_actual_day_that_misses_its_registers_is_told_and_left_alone() -> None:
    block = _block(np.full((1, 96), 400))
    block = replace(block, delivered_r1=block.delivered_r1 + 39)
    vee = run_batch(block, History())
    assert _ids(vee, 0) == ["vee.sum.failed"]
    assert vee.findings[0][0].evidence == {"channel": 4, "sum": 38_400, "register": 38_439, "tolerance": 38}
    assert (vee.delivered.wh == 400).all()
    assert run_batch(block, History(), multiplier=40).findings == ((),)


def test_good_intervals_beyond_the_registers_fail_the_sum_check_unscaled() -> None:
    block = _lose(_block(np.full((1, 96), 400)), 0, 40, 44)
    block = replace(block, delivered_r1=block.delivered_r0 + 30_000)
    vee = run_batch(block, History())
    assert vee.delivered.wh[0, 40:44].tolist() == [400] * 4
    assert not vee.delivered.scaled[0].any()
    assert "vee.sum.failed" in _ids(vee, 0)


def test_register_that_runs_backwards_is_told_and_not_used() -> None:
    block = _lose(_block(np.full((1, 96), 400)), 0, 40, 44)
    block = replace(block, delivered_r1=block.delivered_r0 - 1)
    vee = run_batch(block, History())
    assert "vee.register.implausible" in _ids(vee, 0)
    assert not vee.delivered.scaled[0].any()


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
    block = _block(truth, day)
    present = rng.random(truth.shape) >= share_lost
    block = replace(block, present=present, delivered=np.where(present, truth, 0).astype(np.int32))
    vee = run_batch(block, History())
    estimated = vee.delivered.status == IntervalStatus.ESTIMATED
    assert (vee.delivered.wh.sum(axis=1, dtype=np.int64) == truth.sum(axis=1)).all()
    assert (vee.delivered.wh[~estimated] == truth[~estimated]).all()
    assert (vee.delivered.wh >= 0).all()
    assert (estimated | present).all()
    assert ((vee.delivered.method == Method.MEASURED) == ~estimated).all()
