"""The lock files: every package pinned, and no package host named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("lock", sorted(ROOT.glob("*.lock")), ids=lambda lock: lock.name)
def test_a_lock_pins_every_package_and_names_no_index(lock: Path) -> None:
    lines = [line for line in lock.read_text().splitlines() if line and line[0] != "#"]
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)] == []
