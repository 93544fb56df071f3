"""What the records of a recording are made of: instants, days, money, codes. Each is read from its text once and written as the same text."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, Strict, WithJsonSchema

from meters.calendar import Micros, Seconds, epoch, iso
from meters.errors import MeterError
from simulator.input.mistakes import shown_value

#: No bill comes near it, and sums of bills stay exact.
MOST_USD = Decimal(10**12)


class Record(BaseModel):
    """A part of a recording. Keys beside its fields are let be, and are written again."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    def __bool__(self) -> Literal[True]:
        """Let ``record and record.field`` be None for what a run did not leave, and nothing but the field otherwise."""
        return True


def _instant(text: Any) -> Seconds:
    try:
        return epoch(str(text))
    except MeterError:
        wrong = f"{shown_value(text)} is not an instant; it is written as 2026-08-12T17:40:00-05:00"
        raise ValueError(wrong) from None


def _day(text: Any) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise ValueError(f"{shown_value(text)} is not a day; it is written as 2026-08-12") from None


def _money(text: Any) -> Decimal:
    try:
        amount = Decimal(text if isinstance(text, str) else "NaN")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not (amount.is_finite() and abs(amount) < MOST_USD):
        raise ValueError(f"{shown_value(text)} is not an amount of dollars; it is written as 171.42")
    return amount


#: UTC epoch seconds; ISO 8601 in Central time where it is written.
Instant = Annotated[
    Seconds,
    BeforeValidator(_instant),
    PlainSerializer(iso, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string"}),
]
Day = Annotated[date, BeforeValidator(_day)]
#: Dollars, or a percentage.
Money = Annotated[Decimal, BeforeValidator(_money)]
Count = Annotated[int, Field(ge=0)]
#: UTC epoch seconds, and microseconds, to the year 2100.
Epoch = Annotated[Seconds, Field(ge=0, le=4_102_444_800)]
EpochUs = Annotated[Micros, Field(ge=0, le=4_102_444_800_000_000)]
#: Beside an enum's name: its values are written as text.
CODE = Strict(False)


class Span(Record):
    """A stretch of time."""

    start: Instant
    end: Instant

    def __str__(self) -> str:
        """From and to, as a failure shows it."""
        return f"{iso(self.start)} to {iso(self.end)}"
