"""A file of exchanges in a test, and its lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from meters.calendar import Micros, micros
from simulator.tap.log import WireLog


class Clock:
    """Model time that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000

    def __call__(self) -> Micros:
        return micros(self.now)


def log_at(path: Path, clock: Clock | None = None, *, ordered: bool = False) -> WireLog:
    return WireLog(path, clock or Clock(), {"product": "a test"}, ordered=ordered)


def lines(path: Path) -> list[dict[str, Any]]:
    """Every line of a file, head and end among them."""
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def told(path: Path) -> list[dict[str, Any]]:
    """The exchanges of a file."""
    return [line for line in lines(path) if "ask" in line]
