"""What ``ami vee`` makes of eight meters, six of them at fault, and what it answers; for the tests of score and of its commands."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from tests.simulator.processes import invoked

FAULTS = """
faults:
  - {kind: spike, meter: 1, factor: 10, first: 2026-07-14T10:00, until: 2026-07-14T10:15}
  - {kind: gap, meter: 2, first: 2026-07-14T10:00, until: 2026-07-14T11:00}
  - {kind: reset, meter: 3, first: 2026-07-14T10:00}
  - {kind: dead, meter: 4, first: 2026-07-15T00:00, until: 2026-07-15T12:00}
  - {kind: multiplier, meter: 5, value: 10}
  - {kind: outage, meter: 6, first: 2026-07-14T10:00, until: 2026-07-14T12:00}
lookalikes:
  - {kind: peak, meter: 7, first: 2026-07-14T15:00, unread: 0}
"""
DAY = date(2026, 7, 14)


def asked(*words: str) -> str:
    """What is printed."""
    done = invoked("vee", *words)
    assert done.exit_code == 0, done.output
    return done.output


def figures(folder: Path, *words: str) -> dict[str, Any]:
    """The scorecard."""
    made: dict[str, Any] = json.loads(asked("score", str(folder), *words, "--json"))
    return made


def made_in(out: Path) -> Path:
    """The folder of what was made, with our output."""
    (out / "faults.yaml").write_text(FAULTS)
    words = ("--meters", "8", "--days", "2026-07-14..2026-07-15", "--faults", str(out / "faults.yaml"))
    asked("make", *words, "--csv", "--cmep", "--out", str(out / "made"))
    asked("run", str(out / "made"))
    return out / "made"
