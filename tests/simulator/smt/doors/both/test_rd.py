"""RD: 100 slots on every day, each value in the slot of its local clock time."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.calendar import intervals_in
from simulator.smt.doors.both.rd import NO_VALUE, RdError, rd_format, rd_parse

ORDINARY, SPRING, FALL = date(2026, 8, 12), date(2026, 3, 8), date(2026, 11, 1)


@given(st.sampled_from([ORDINARY, SPRING, FALL]), st.data())
def test_rd_round_trips_days_of_92_96_and_100_intervals(day: date, data: st.DataObject) -> None:
    count = intervals_in(day)
    values = data.draw(st.lists(st.integers(NO_VALUE, 2_000_000), min_size=count, max_size=count))
    flags = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    wh = np.array(values, dtype=np.int32)
    estimated = np.array(flags) & (wh != NO_VALUE)
    text = rd_format(wh, estimated, day)
    back_wh, back_estimated = rd_parse(text, day)
    assert text.count(",") == 99
    np.testing.assert_array_equal(back_wh, wh)
    np.testing.assert_array_equal(back_estimated, estimated)


def slots_filled(day: date) -> list[int]:
    count = intervals_in(day)
    text = rd_format(np.full(count, 198, dtype=np.int32), np.zeros(count, dtype=np.bool_), day)
    return [slot for slot, part in enumerate(text.split(",")) if part]


def test_ordinary_day_leaves_the_repeated_hour_empty() -> None:
    assert slots_filled(ORDINARY) == [*range(8), *range(12, 100)]


def test_spring_day_leaves_the_skipped_hour_empty_too() -> None:
    assert slots_filled(SPRING) == [*range(8), *range(16, 100)]


def test_fall_back_day_fills_every_slot() -> None:
    assert slots_filled(FALL) == list(range(100))


def test_a_value_is_written_as_the_market_writes_it() -> None:
    wh = np.full(96, 198, dtype=np.int32)
    wh[1] = 1_005
    estimated = np.zeros(96, dtype=np.bool_)
    estimated[1] = True
    assert rd_format(wh, estimated, ORDINARY).startswith(".198-A,1.005-E,.198-A,")


@pytest.mark.parametrize(("slot", "value", "code"), [
    (0, "198-A", "smt.rd.value"),
    (0, ".198-X", "smt.rd.value"),
    (0, "-.198-A", "smt.rd.value"),
    (8, ".198-A", "smt.rd.stray"),
])  # fmt: skip
def test_a_bad_slot_is_refused_by_name(slot: int, value: str, code: str) -> None:
    parts = [""] * 100
    parts[slot] = value
    with pytest.raises(RdError) as caught:
        rd_parse(",".join(parts), ORDINARY)
    assert caught.value.code == code


def test_another_count_of_slots_is_refused() -> None:
    with pytest.raises(RdError, match="has 96 slots"):
        rd_parse(",".join([".198-A"] * 96), ORDINARY)


def test_another_count_of_intervals_is_refused() -> None:
    with pytest.raises(RdError, match="has 92 intervals"):
        rd_format(np.zeros(96, dtype=np.int32), np.zeros(96, dtype=np.bool_), SPRING)
