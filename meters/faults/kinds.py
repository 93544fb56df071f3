"""Every kind of fault there is, as a table: what it does, what it must be told, whether it covers whole intervals or has a span at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Layer(StrEnum):
    """Where a fault acts, from the premise outwards."""

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


KINDS: dict[FaultKind, Kind] = {
    FaultKind.OUTAGE: Kind(
        Layer.POWER,
        Span.SECONDS,
        "The power fails: no energy, no answer, the power-fail flag in every interval touched; a last gasp and a restoration event.",
        {
            "last_gasp": Parameter(0, 1, "0 or 1: whether the last gasp gets through", 1),
            "restoration_s": Parameter(0, 86_400, "s after the end at which the meter tells", 30),
        },
    ),
    FaultKind.DISCONNECTED: Kind(
        Layer.POWER,
        Span.SECONDS,
        "The service switch is open: no energy flows, the meter answers, its line has voltage.",
    ),
    FaultKind.ROLLOVER: Kind(
        Layer.METER,
        Span.INSTANT,
        "The delivered register passes its last dial and goes on from 0.",
        {"dials": Parameter(4, 7, "dials of a kWh register", 6)},
    ),
    FaultKind.RESET: Kind(Layer.METER, Span.INSTANT, "Both registers begin again from 0."),
    FaultKind.EXCHANGE: Kind(
        Layer.METER,
        Span.INSTANT,
        "Another meter takes its place: new number, registers of its own, an empty load profile; the premise's load goes on.",
        {"initial_wh": Parameter(0, 10**12, "Wh on the new meter's registers", 0)},
    ),
    FaultKind.MULTIPLIER: Kind(
        Layer.METER,
        Span.ALWAYS,
        "The meter is programmed with another multiplier than the records have, and says so in its header.",
        {"value": Parameter(1, 100_000, "multiplier")},
    ),
    FaultKind.CLOCK_DRIFT: Kind(
        Layer.METER,
        Span.SECONDS,
        "The clock gains (or loses), until it is set right at the end.",
        {"seconds_a_day": Parameter(-3600, 3600, "s a day")},
    ),
    FaultKind.CLOCK_SET: Kind(
        Layer.METER,
        Span.SECONDS,
        "The clock is set by so much at the beginning, and set right at the end.",
        {"seconds": Parameter(-86_400, 86_400, "s")},
    ),
    FaultKind.SWAP: Kind(
        Layer.METER,
        Span.ALWAYS,
        "Two meters hang at each other's premises: each measures the other's load.",
        has_other=True,
    ),
    FaultKind.GAP: Kind(Layer.INTERVALS, Span.INTERVALS, "The meter has no value: recording was stopped."),
    FaultKind.SKIPPED: Kind(Layer.INTERVALS, Span.INTERVALS, "The meter skipped the intervals and says so."),
    FaultKind.SPIKE: Kind(
        Layer.INTERVALS,
        Span.INTERVALS,
        "The values are multiplied, silently.",
        {"factor": Parameter(0, 1000, "times")},
    ),
    FaultKind.STUCK: Kind(Layer.INTERVALS, Span.INTERVALS, "Every interval shows the value of the first."),
    FaultKind.NEGATIVE: Kind(Layer.INTERVALS, Span.INTERVALS, "The values have the wrong sign."),
    FaultKind.ZERO: Kind(Layer.INTERVALS, Span.INTERVALS, "The values are 0 though power flows."),
    FaultKind.PARTIAL: Kind(
        Layer.INTERVALS,
        Span.INTERVALS,
        "Only part of each interval is counted; the status says partial.",
        {"fraction": Parameter(0, 1, "part of the value", 0.5)},
    ),
    FaultKind.LONG: Kind(
        Layer.INTERVALS,
        Span.INTERVALS,
        "More than an interval is counted into each; the status says long.",
        {"fraction": Parameter(0, 1, "part of the value that comes on top", 0.5)},
    ),
    FaultKind.OVERFLOW: Kind(
        Layer.INTERVALS,
        Span.INTERVALS,
        "The pulse counter stops at its limit; the status says overflow.",
        {"limit": Parameter(0, 2**31 - 1, "raw units", 65_535)},
    ),
    FaultKind.TEST_MODE: Kind(
        Layer.INTERVALS,
        Span.INTERVALS,
        "The meter counts test pulses instead; the status says test mode.",
        {"wh": Parameter(0, 1_000_000, "raw units an interval", 0)},
    ),
    FaultKind.CONFIGURATION: Kind(
        Layer.INTERVALS, Span.INTERVALS, "The status says that the configuration was changed; the values are true."
    ),
    FaultKind.DEAD: Kind(Layer.WIRE, Span.SECONDS, "The meter never answers."),
    FaultKind.FLAKY: Kind(
        Layer.WIRE,
        Span.SECONDS,
        "The meter answers for whole operating days or not at all.",
        {"answers": Parameter(0, 1, "share of the days on which it answers", 0.5)},
    ),
    FaultKind.NO_PATH: Kind(
        Layer.WIRE, Span.SECONDS, "The access point is out: its gateway reaches none of its meters."
    ),
    FaultKind.EXCEPTION: Kind(
        Layer.WIRE, Span.SECONDS, "A Modbus exception instead of an answer.", {"code": Parameter(1, 11, "code", 11)}
    ),
    FaultKind.SLOW: Kind(
        Layer.WIRE,
        Span.SECONDS,
        "Every reply comes late.",
        {"seconds": Parameter(0, 600, "wall s")},
    ),
    FaultKind.WRONG_TRANSACTION: Kind(Layer.WIRE, Span.SECONDS, "Replies carry another transaction id."),
    FaultKind.WRONG_UNIT: Kind(Layer.WIRE, Span.SECONDS, "Replies carry another unit id."),
    FaultKind.WRONG_LENGTH: Kind(Layer.WIRE, Span.SECONDS, "Replies carry a length that is not theirs."),
    FaultKind.STALE: Kind(
        Layer.WIRE,
        Span.SECONDS,
        "The meter shows what it showed some time ago, clock and all.",
        {"seconds": Parameter(1, 30 * 86_400, "s ago", 86_400)},
    ),
    FaultKind.ZERO_READ: Kind(Layer.WIRE, Span.SECONDS, "The registers read 0, whatever was used."),
}
