from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headend.vee import rules
from headend.vee.quality import Channel
from meters.status import Common, Condition, status_word


def _day(*values: int, n: int = 96) -> np.ndarray:
    day = np.full((1, n), 100, np.int32)
    day[0, : len(values)] = values
    return day


def test_interval_at_exactly_2_8_times_the_third_highest_passes() -> None:
    # p1 = 2800, p3 = 1000: (2800 - 1000) / 1000 = 1.8, not above 1.8.
    assert not rules.spike_intervals(_day(2800, 1000, 1000)).any()


def test_interval_one_wh_above_2_8_times_the_third_highest_fails() -> None:
    assert np.flatnonzero(rules.spike_intervals(_day(2801, 1000, 1000))[0]).tolist() == [0]


def test_spike_is_measured_against_the_third_highest_so_two_can_be_found() -> None:
    # p1 = 9000, p2 = 8000, p3 = 1000: (9000 - 1000) / 1000 = 8 and (8000 - 1000) / 1000 = 7, both above 1.8.
    flags = rules.spike_intervals(_day(100, 9000, 1000, 8000))
    assert np.flatnonzero(flags[0]).tolist() == [1, 3]


def test_day_with_third_highest_zero_is_skipped() -> None:
    day = np.zeros((1, 96), np.int32)
    day[0, :2] = 9000
    assert not rules.spike_intervals(day).any()


def test_spike_below_the_floor_of_half_a_kwh_is_skipped() -> None:
    assert not rules.spike_intervals(_day(499, n=92)).any()
    assert np.flatnonzero(rules.spike_intervals(_day(500, n=92))[0]).tolist() == [0]


def test_day_of_fewer_than_three_intervals_has_no_spike() -> None:
    assert not rules.spike_intervals(np.array([[9000, 1]], np.int32)).any()


@given(st.lists(st.integers(0, 20_000), min_size=92, max_size=100))
def test_never_more_than_two_intervals_are_spikes(values: list[int]) -> None:
    assert rules.spike_intervals(np.array([values], np.int32)).sum() <= 2


def test_missing_check_flags_what_is_not_present() -> None:
    assert rules.missing_check(np.array([[True, False]])).tolist() == [[False, True]]


def test_negative_check_flags_below_zero_only() -> None:
    assert rules.negative_check(np.array([[-1, 0, 1]], np.int32)).tolist() == [[True, False, False]]


def test_sum_tolerance_is_two_counts_of_the_register_for_a_small_day() -> None:
    # 0.1 % of 1,500 Wh = 1 Wh, less than 2 x 1 Wh x 1; with M = 40, 2 x 1 x 40 = 80.
    register = np.array([1500, 1500], np.int64)
    assert rules.sum_tolerance(register, np.array([1, 40])).tolist() == [2, 80]


def test_sum_tolerance_is_a_thousandth_for_a_large_day() -> None:
    assert rules.sum_tolerance(np.array([38_000], np.int64)).tolist() == [38]


def test_sum_check_fails_one_wh_beyond_the_tolerance() -> None:
    register = np.array([38_000, 38_000, 38_000, 38_000], np.int64)
    sums = np.array([38_038, 38_039, 37_962, 37_961], np.int64)
    assert rules.sum_check(sums, register, rules.sum_tolerance(register)).tolist() == [False, True, False, True]


def test_register_advance_needs_both_registers_and_a_plausible_difference() -> None:
    r0 = np.array([100, 100, 100, 0], np.int64)
    r1 = np.array([350, 350, 99, 2**31], np.int64)
    have = np.ones(4, np.bool_)
    advance, usable = rules.register_advance(r0, r1, have, np.array([True, False, True, True]))
    assert advance.tolist() == [250, 0, 0, 0]
    assert usable.tolist() == [True, False, False, False]


def test_every_condition_of_a_channel_but_ok_fails() -> None:
    words = np.array([[status_word(0, condition) for condition in Condition]], np.uint16)
    for channel in Channel:
        assert rules.condition_check(words, channel).tolist() == [[False] + [True] * 7]


def test_clock_set_fails_and_dst_or_power_failure_alone_does_not() -> None:
    words = np.array([[status_word(common, Condition.OK) for common in Common]], np.uint16)
    # DST, POWER_FAIL, CLOCK_FORWARD, CLOCK_BACK
    assert rules.condition_check(words, Channel.LOAD).tolist() == [[False, False, True, True]]
    assert rules.power_failures(words).tolist() == [[False, True, False, False]]


def test_condition_of_one_channel_leaves_the_other_alone() -> None:
    word = np.array([[Condition.OVERFLOW << 8]], np.uint16)
    assert rules.condition_check(word, Channel.LOAD).all()
    assert not rules.condition_check(word, Channel.GENERATION).any()
