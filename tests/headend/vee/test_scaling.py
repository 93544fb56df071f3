from __future__ import annotations

import numpy as np
from headend.vee.scaling import Scaling, scale_to_registers
from hypothesis import given
from hypothesis import strategies as st


def _scale(values: list[int], estimated: list[int], register: int, tolerance: int = 2) -> tuple[list[int], Scaling]:
    mask = np.zeros(len(values), np.bool_)
    mask[estimated] = True
    wh, how = scale_to_registers(np.array(values, np.int32), mask, register, tolerance)
    return wh.tolist(), how


def test_estimates_are_multiplied_by_what_the_registers_leave() -> None:
    # D = 1000 - (300 + 100) = 600; sum of estimates 300; factor 2.
    assert _scale([300, 100, 200, 100], [2, 3], 1000) == ([300, 100, 400, 200], Scaling.MULTIPLIED)


def test_rounding_residue_goes_into_the_largest_estimate() -> None:
    # D = 100, estimates 1, 1, 1: 33 each, 1 left over for the first of equals.
    assert _scale([1, 1, 1], [0, 1, 2], 100) == ([34, 33, 33], Scaling.MULTIPLIED)
    # D = 101, estimates 1, 3: 25.25 and 75.75, so 25 and 75 + 1.
    assert _scale([1, 3], [0, 1], 101) == ([25, 76], Scaling.MULTIPLIED)


def test_estimates_that_are_all_zero_get_equal_shares() -> None:
    # D = 110 - 10 = 100 over three.
    assert _scale([10, 0, 0, 0], [1, 2, 3], 110) == ([10, 34, 33, 33], Scaling.SHARED)


def test_nothing_owed_sets_the_estimates_to_zero_by_multiplication() -> None:
    assert _scale([10, 5], [1], 10) == ([10, 0], Scaling.MULTIPLIED)


def test_small_negative_remainder_zeroes_the_estimates() -> None:
    # D = 98 - 100 = -2, the tolerance is 2.
    assert _scale([100, 5], [1], 98) == ([100, 0], Scaling.ZEROED)


def test_good_intervals_beyond_the_registers_are_not_scaled() -> None:
    # D = 97 - 100 = -3.
    assert _scale([100, 5], [1], 97) == ([100, 5], Scaling.REFUSED)


def test_day_without_estimates_is_left_alone() -> None:
    assert _scale([100, 5], [], 1) == ([100, 5], Scaling.NOTHING)


_days = st.integers(92, 100).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 12_000), min_size=n, max_size=n), st.lists(st.booleans(), min_size=n, max_size=n)
    )
)


@given(_days, st.integers(0, 2**31 - 1), st.integers(0, 5000))
def test_day_with_estimates_sums_to_its_registers_and_good_intervals_stay(
    day: tuple[list[int], list[bool]], register: int, tolerance: int
) -> None:
    values, mask = np.array(day[0], np.int32), np.array(day[1], np.bool_)
    wh, how = scale_to_registers(values, mask, register, tolerance)
    owed = register - int(values[~mask].sum())
    assert wh.dtype == np.int32
    assert (wh[~mask] == values[~mask]).all()
    assert (wh >= 0).all()
    if not mask.any():
        assert how is Scaling.NOTHING
    elif owed >= 0:
        assert int(wh.sum(dtype=np.int64)) == register
    elif owed >= -tolerance:
        assert how is Scaling.ZEROED
        assert not wh[mask].any()
    else:
        assert how is Scaling.REFUSED
        assert (wh == values).all()
