"""The rule book as a table (``rules.csv``): what a rule looks at, what becomes of what it finds, since when, whose rule, its sentence, its thresholds.

Sources: EEI *Uniform Business Practices for Unbundled Electricity Metering*, Vol. 2 (2000), its public twin, the Californian DASMMD rules, and the
vocabulary of commercial meter-data systems. A rule's second threshold has a row of its own, that names the rule alone.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import NamedTuple


class Rule(IntEnum):
    """The rules by number, as findings and kernels know them, in the order of the table."""

    MISSING = 1
    DUPLICATE = 2
    NEGATIVE = 3
    CONDITION = 4
    HARD_MAXIMUM = 5
    SPIKE = 6
    STUCK = 7
    ZERO = 8
    RESIDUAL = 9
    SUM_FAILED = 10
    SUM_UNLOCATED = 11
    REGISTER_MISSING = 12
    REGISTER_CONTINUITY = 13
    REGISTER_ROLLOVER = 14
    REGISTER_BACKWARDS = 15
    REGISTER_EXCHANGE = 16
    REGISTER_IMPLAUSIBLE = 17
    USAGE_HIGH = 18
    USAGE_LOW = 19
    USAGE_DISCONNECTED = 20
    USAGE_OUTAGE = 21
    USAGE_INACTIVE = 22
    CLOCK_DRIFT = 23
    CLOCK_OFF = 24
    ASSET_MULTIPLIER = 25
    ASSET_NUMBER = 26
    ASSET_UNIT = 27
    ASSET_INTERVAL_SIZE = 28
    ESTIMATE_IMPLAUSIBLE = 29
    ESTIMATE_PROLONGED = 30
    ESTIMATE_STOPPED = 31


class Severity(StrEnum):
    """What becomes of what a rule finds."""

    #: The intervals are estimated.
    ESTIMATE = "estimate"
    #: It is told, and no value changes.
    TELL = "tell"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number that a rule is held to. One written with a point counts in thousandths inside, so that what lies exactly at it passes."""

    default: float
    least: float
    most: float
    unit: str

    def inside(self, value: float) -> int:
        """The value as the kernels have it."""
        return round(value * 1000) if isinstance(self.default, float) else int(value)


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One row of the table."""

    rule: Rule
    id: str
    scope: str
    severity: Severity
    effective: date
    source: str
    #: The sentence for people; what it fills in is told by ``findings.explain``.
    says: str
    thresholds: dict[str, Threshold] = field(default_factory=dict)


def _number(text: str) -> float:
    return float(text) if "." in text else int(text)


def table_of(lines: Iterable[str]) -> dict[str, RuleRow]:
    """The table as it is written (``rules.csv``): a rule's first row says what it is, more of them have only a threshold each."""
    table: dict[str, RuleRow] = {}
    for row in csv.DictReader(lines):
        name = row["rule"]
        if row["says"]:
            rule, severity = Rule(len(table) + 1), Severity(row["severity"])
            effective = date.fromisoformat(row["effective"])
            table[name] = RuleRow(rule, name, row["scope"], severity, effective, row["source"], row["says"])
        if row["threshold"]:
            default, least, most = (_number(row[column]) for column in ("default", "least", "most"))
            table[name].thresholds[row["threshold"]] = Threshold(default, least, most, row["unit"])
    return table


RULES = table_of(Path(__file__).with_suffix(".csv").read_text(encoding="utf-8").splitlines())
BY_NUMBER = {row.rule: row for row in RULES.values()}


class Limits(NamedTuple):
    """Every threshold as the kernels have it: ``<rule>_<threshold>``, whole numbers or thousandths."""

    interval_hard_maximum_wh: int
    interval_spike_ratio: int
    interval_spike_floor: int
    interval_spike_registers_confirm: int
    interval_spike_without_register: int
    interval_stuck_count: int
    interval_stuck_on_failed_sum: int
    interval_stuck_registers_confirm: int
    interval_zero_on_failed_sum: int
    interval_zero_registers_confirm: int
    interval_residual_share: int
    sum_failed_counts: int
    sum_failed_share: int
    sum_failed_lacking: int
    sum_unlocated_estimate_day: int
    register_rollover_share: int
    usage_high_ratio: int
    usage_low_ratio: int
    usage_low_registers_confirm: int
    clock_drift_seconds: int
    clock_off_seconds: int
    clock_off_estimate_day: int
    asset_multiplier_estimate_day: int
    estimate_prolonged_days: int
    estimate_stopped_share: int
    estimate_stopped_meters: int
    estimate_stopped_days: int


def limits(told: Mapping[str, Mapping[str, float]] | None = None) -> Limits:
    """The table's thresholds, but for those that are told: by rule and name, as ``{"interval.spike": {"ratio": 2.5}}``; both must be the table's."""
    told = told or {}
    return Limits(
        **{
            f"{name}_{threshold}".replace(".", "_"): number.inside(told.get(name, {}).get(threshold, number.default))
            for name, row in RULES.items()
            for threshold, number in row.thresholds.items()
        }
    )
