"""Cases of which a few are in every run, and the others among the long ones (``make long``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest


def few(most: int, cases: Iterable[Any] | Mapping[str, Any]) -> list[Any]:
    """The cases of a ``parametrize``, tuples or single values, by name where they have one: all after so many are long."""
    named = cases.items() if isinstance(cases, Mapping) else ((None, one) for one in cases)
    return [
        pytest.param(*(one if isinstance(one, tuple) else (one,)), id=name, marks=[pytest.mark.long] * (at >= most))
        for at, (name, one) in enumerate(named)
    ]
