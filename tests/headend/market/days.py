"""Small markets: a few hundred meters with many faults, in a folder of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from headend.market.plan import Task, run_key
from headend.market.usual import usual
from headend.vee.preset import Preset
from meters.faults.rules import FaultRule
from meters.fleet import Fleet
from meters.identity import tdsp
from meters.load.premises import MARKET

DAY = date(2026, 7, 15)
#: Ten times as many as on an ordinary day.
MANY = [replace(rule, rate=10 * rule.rate) for rule in usual(DAY)]


def fleet(count: int, rules: Sequence[FaultRule] = (), company: str = "ONCOR", seed: int = 5) -> Fleet:
    return Fleet(tdsp(company), seed, count, rules, MARKET)


def asked(query: str) -> list[tuple[Any, ...]]:
    """What DuckDB answers, a reader that shares nothing with the writer."""
    found = duckdb.sql(query)
    assert found is not None
    return found.fetchall()


def tasks(
    folder: Path, of: Fleet, size: int, day: date = DAY, preset: Preset | None = None, *, lse: bool = False
) -> list[Task]:
    """The fleet's day in partitions of so many meters."""
    preset = preset or Preset()
    key = run_key(of, preset, day, "code")
    cut = enumerate(range(1, of.count + 1, size))
    return [Task(of, preset, day, at, min(size, of.count + 1 - at), key, folder, lse, counter) for counter, at in cut]
