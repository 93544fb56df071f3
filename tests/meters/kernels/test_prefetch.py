"""A hint changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from meters.kernels.jit import lean_kernel
from meters.kernels.prefetch import prefetch


@lean_kernel
def hinted(numbers: Any) -> int:
    total = 0
    for at in range(len(numbers)):
        prefetch(numbers, min(at + 4, len(numbers) - 1))
        total += numbers[at]
    return total


def test_what_is_sent_for_is_what_it_was() -> None:
    numbers = np.arange(1000)
    assert hinted(numbers) == 999 * 500
    assert (numbers == np.arange(1000)).all()
