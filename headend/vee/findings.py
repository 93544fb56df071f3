"""What the rules found: sixteen octets a finding, and its sentence once somebody reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headend.ports import LongArray
from headend.vee.rules import BY_NUMBER, Rule
from meters.calendar import INTERVAL_S, interval_ends, iso, seconds

FindingArray = NDArray[np.void]
#: ``row`` of the block; ``rule`` as ``Rule``; ``channel``; ``first`` and ``last`` interval, counted from 0; what was found and what it was held to.
FINDING = np.dtype(
    [
        ("row", "u4"),
        ("rule", "u1"),
        ("channel", "u1"),
        ("first", "u1"),
        ("last", "u1"),
        ("value", "i4"),
        ("limit", "i4"),
    ]
)
_EDGES = {1: "start", 2: "end", 3: "start and end"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding for people: the rule's id, a sentence, the numbers behind it."""

    id: str
    severity: str
    sentence: str
    evidence: Mapping[str, int | str]


def none() -> FindingArray:
    """No findings."""
    return np.zeros(0, FINDING)


def in_order(findings: FindingArray) -> FindingArray:
    """The same findings by row, channel and rule, whatever found them."""
    return np.sort(findings, order=["row", "channel", "rule", "first"])


def explain(finding: Any, day: date | LongArray) -> Finding:
    """A record as a sentence with its evidence. finding: one of a ``FINDING`` array. day: the operating day of its block, or the (n,) ends of its intervals."""
    rule = BY_NUMBER[Rule(int(finding["rule"]))]
    value, limit, channel = (int(finding[name]) for name in ("value", "limit", "channel"))
    evidence: dict[str, int | str] = {"channel": channel, "value": value, "limit": limit}
    if rule.scope == "interval":
        ends = interval_ends(day) if isinstance(day, date) else day
        evidence["first"] = iso(seconds(ends[int(finding["first"])] - INTERVAL_S))
        evidence["last"] = iso(seconds(ends[int(finding["last"])]))
    said = rule.says.format(**({"first": "", "last": ""} | evidence), edges=_EDGES.get(value, ""))
    return Finding(rule.id, rule.severity.value, said, evidence)
