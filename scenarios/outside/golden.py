"""The golden bills of the profile, by name: each was worked by hand, line by line, and is published with its plan and its usage."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parents[1] / "profile" / "vectors" / "bills.json"


@cache
def golden() -> dict[str, dict[str, Any]]:
    """``in``, with ``plan`` and what is taken, and ``out``, lines and total, by the vector's id without ``bill.``."""
    return {one["id"].removeprefix("bill."): one for one in json.loads(_FILE.read_text("utf-8"))}
