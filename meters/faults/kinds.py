"""Every kind of fault there is, as a table: what it does, what it must be told, whether it covers whole intervals or has a span at all.

The rows stand in ``kinds.csv``, those of look-alikes in ``lookalikes.csv``; a kind's second parameter has a row of its own, that names the kind alone.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar


class Layer(StrEnum):
    """Where a fault acts, from the premise outwards."""

    #: What is used, truly: look-alikes, which are no faults.
    PREMISE = "premise"
    #: The premise: whether power flows.
    POWER = "power"
    #: The meter's installation, registers and clock.
    METER = "meter"
    #: The recorded intervals alone: registers stay true.
    INTERVALS = "intervals"
    #: What the meter shows or sends when it is asked.
    WIRE = "wire"


class FaultKind(StrEnum):
    """The kinds, by name."""

    OUTAGE = "outage"
    DISCONNECTED = "disconnected"
    ROLLOVER = "rollover"
    RESET = "reset"
    EXCHANGE = "exchange"
    MULTIPLIER = "multiplier"
    CLOCK_DRIFT = "clock_drift"
    CLOCK_SET = "clock_set"
    SWAP = "swap"
    GAP = "gap"
    SKIPPED = "skipped"
    SPIKE = "spike"
    STUCK = "stuck"
    NEGATIVE = "negative"
    ZERO = "zero"
    PARTIAL = "partial"
    LONG = "long"
    OVERFLOW = "overflow"
    TEST_MODE = "test_mode"
    CONFIGURATION = "configuration"
    DEAD = "dead"
    FLAKY = "flaky"
    NO_PATH = "no_path"
    EXCEPTION = "exception"
    SLOW = "slow"
    WRONG_TRANSACTION = "wrong_transaction"
    WRONG_UNIT = "wrong_unit"
    WRONG_LENGTH = "wrong_length"
    STALE = "stale"
    ZERO_READ = "zero_read"


class LookalikeKind(StrEnum):
    """The kinds of look-alikes: true use that looks like a fault."""

    PEAK = "peak"
    VACATION = "vacation"
    CONSTANT = "constant"
    ROOF_ZEROS = "roof_zeros"


class Channel(StrEnum):
    """Which channels of the record a fault of intervals takes."""

    #: LSE channel 4.
    DELIVERED = "delivered"
    #: LSE channel 1.
    RECEIVED = "received"
    BOTH = "both"


class Span(StrEnum):
    """What a fault's ``first`` and ``until`` mean."""

    #: [first, until), in whole intervals.
    INTERVALS = "whole intervals"
    #: [first, until), to the second.
    SECONDS = "seconds"
    #: Happens at ``first``; ``until`` means nothing.
    INSTANT = "an instant"
    #: The meter has always been so; neither means anything.
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that a kind is told. ``default`` None: it must be given."""

    least: float
    most: float
    unit: str = ""
    default: float | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table."""

    layer: Layer
    span: Span
    #: One sentence for people.
    does: str
    parameters: dict[str, Parameter] = field(default_factory=dict)
    #: Names another meter's ESI ID in the parameter ``other``.
    has_other: bool = False
    #: Of faults of intervals: the channels unless told; None for the rest, which have none.
    channel: Channel | None = None

    @property
    def lasting(self) -> bool:
        """Whether what it did stays done when it is over: in registers, in who hangs there, under the labels of a clock."""
        return self.layer in (Layer.PREMISE, Layer.POWER, Layer.METER)


_K = TypeVar("_K", FaultKind, LookalikeKind)


def _table(name: str, kinds: type[_K]) -> dict[_K, Kind]:
    table: dict[_K, Kind] = {}
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            kind, parameter = kinds(row["kind"]), row["parameter"]
            if row["does"]:
                has_other = parameter == "other"
                channel = Channel(row["channel"]) if row.get("channel") else None
                table[kind] = Kind(
                    Layer(row["layer"]), Span(row["span"]), row["does"], has_other=has_other, channel=channel
                )
            if row["least"]:
                least, most = _number(row["least"]), _number(row["most"])
                default = _number(row["default"]) if row["default"] else None
                table[kind].parameters[parameter] = Parameter(least, most, row["unit"], default)
    return table


def _number(text: str) -> float:
    return float(text) if "." in text else int(text)


KINDS = _table("kinds.csv", FaultKind)
LOOKALIKES = _table("lookalikes.csv", LookalikeKind)
#: Of both.
ROWS: Mapping[str, Kind] = dict[str, Kind]((*KINDS.items(), *LOOKALIKES.items()))
