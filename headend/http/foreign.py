"""JSON that somebody else has written, whatever he has written."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

#: What is nested deeper nobody means, and no part of ours has to follow it down. A default of this project.
_DEEPEST = 64


def document(text: str | bytes) -> Any:
    """What it says. Raises ValueError for what is no JSON: for numbers that are none (NaN, 1e999), and for what is nested too deep, too."""
    try:
        found = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        found = None
        deep = True
    else:
        opened = (b"[", b"{") if isinstance(text, bytes) else ("[", "{")
        deep = sum(map(text.count, opened)) > _DEEPEST and _is_deep(found)  # type: ignore[arg-type]
    if deep:
        raise ValueError(f"nested deeper than {_DEEPEST}")
    return found


def _is_deep(found: Any) -> bool:
    level = [found]
    for _ in range(_DEEPEST):
        level = [
            one
            for of in level
            for one in (of.values() if isinstance(of, dict) else of)
            if isinstance(one, (dict, list))
        ]
        if not level:
            return False
    return True


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is no number")
    return number


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")
