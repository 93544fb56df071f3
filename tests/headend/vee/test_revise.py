"""Which meters of a day lean on the midnight before it."""

from __future__ import annotations

import numpy as np

from headend.vee.batch import run_batch, warm
from headend.vee.revise import leaning
from tests.headend.vee.days import block, lose, ramp, without_registers


def test_a_first_gap_by_its_neighbours_and_a_day_without_an_actual_value_lean_on_the_day_before() -> None:
    warm()
    collected = block(np.tile(np.array(ramp(), np.int32), (5, 1)))
    collected = lose(lose(collected, 1, 0, 4), 2, 40, 44)
    collected = lose(lose(collected, 3, 0, 96), 4, 0, 90)
    day = run_batch(without_registers(collected))
    whole, first, midday, all_day, long = day.meters
    assert leaning(day, day.meters) == {first, all_day}
    assert leaning(day, {whole, midday, long}) == set()
    assert leaning(day, {first}) == {first}
