"""Paired differences, regret and who can be told apart, against calculations by hand."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.capacity.paired import Estimate, difference, differs, regret_of

#: By workload, policy and replication: the first is best on the first one, the second on the other.
VALUES = np.asarray([[[0.9, 0.8, 1.0], [0.5, 0.5, 0.7]], [[0.1, 0.2, 0.3], [0.4, 0.4, 0.4]]])


def test_a_difference_is_taken_caller_by_caller() -> None:
    by = difference(np.asarray([1.0, 2.0, 3.0]), np.asarray([0.0, 0.0, 3.0]))
    # 1, 2 and 0: mean 1, deviation 1, t of two degrees of freedom 4.303.
    assert by == pytest.approx((1.0, 4.303 / 3**0.5))
    assert not differs(by)
    # What moves all callers alike takes nothing from a difference.
    assert differs(difference(np.asarray([1.1, 5.2, 9.2]), np.asarray([1.0, 5.0, 9.0])))


def test_one_replication_tells_nothing_apart_nor_do_equals() -> None:
    assert not differs(difference(np.asarray([2.0]), np.asarray([1.0])))
    assert not differs(difference(np.ones(3), np.ones(3)))
    assert not differs(Estimate(None, None))


def test_regret_is_what_a_policy_lacks_where_it_lacks_most() -> None:
    found = regret_of(VALUES)
    assert found.where == [1, 0]
    assert found.series == pytest.approx(np.asarray([[0.3, 0.2, 0.1], [0.4, 0.3, 0.3]]))
    assert found.estimates[0] == pytest.approx((0.2, 4.303 * 0.1 / 3**0.5))


def test_the_least_regret_is_told_only_if_its_lead_is_sure() -> None:
    # 0.1, 0.1 and 0.2 more: mean 0.133, half 0.143.
    assert regret_of(VALUES).leaders == [0, 1]
    sure = VALUES.copy()
    sure[0, 1, 2] += 0.1
    # 0.1 each time.
    assert regret_of(sure).leaders == [0]
    assert regret_of(sure[:, ::-1]).leaders == [1]
    assert regret_of(sure[:, :, :1]).leaders == [0, 1]
