"""The form of what became of an action in a recording: calls, requests, bills, re-bills; and what every part of a recording is made of."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


def _instant(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text}' is not an instant; it is written as 2026-08-12T17:40:00-05:00") from None
    return text


def _day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text}' is not a day; it is written as 2026-08-12") from None
    return text


def _money(text: str) -> str:
    try:
        Decimal(text)
    except InvalidOperation:
        raise ValueError(f"'{text}' is not an amount of dollars; it is written as 171.42") from None
    return text


Instant = Annotated[str, AfterValidator(_instant)]
Day = Annotated[str, AfterValidator(_day)]
Money = Annotated[str, AfterValidator(_money)]
Count = Annotated[int, Field(ge=0)]
#: UTC epoch seconds, and microseconds, to the year 2100.
Epoch = Annotated[int, Field(ge=0, le=4_102_444_800)]
EpochUs = Annotated[int, Field(ge=0, le=4_102_444_800_000_000)]


class Kept(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, strict=True)


class Span(Kept):
    """A stretch of time."""

    start: Instant
    end: Instant


class Trouble(Kept):
    """A refusal or an error."""

    code: str
    reason: str
    retry_at: Instant | None


class ServedAnswer(Kept):
    """What SMT answered."""

    status_code: str
    gap: Span | None
    intervals: Count
    from_store: Count
    from_meter: Count
    missing: list[Instant]
    uncovered: list[Span]
    holes: list[Span]
    reaches_to: Instant | None
    partial: dict[str, Any] | None
    power: dict[str, Any] | None


class RecordedRequest(Kept):
    """An on-demand request as the retailer saw it."""

    end: str
    requested_at: Instant | None
    ended_at: Instant | None
    correlation_id: str | None
    trouble: Trouble | None
    served: ServedAnswer | None


class RecordedPortalRead(Kept):
    """A read through the portal as the customer's client saw it."""

    end: str
    requested_at: Instant
    ended_at: Instant
    calls: Count
    odrdate_before: str | None
    odrdate: str | None
    odrread: str | None
    trouble: Trouble | None


class RecordedAnswers(Kept):
    """What both doors told, by question."""

    market: dict[str, Any]
    portal: dict[str, Any]
    trouble: Trouble | None


class RecordedComplaint(Kept):
    """A complaint that was declared or lifted by the control API."""

    at: Instant
    status: Count
    id: str | None
    strikes: Count | None


class OwnRecord(Kept):
    """The retailer's own record."""

    last_bill_usd: Money
    paid_usd: Money
    amount_due_usd: Money


class DecisionFacts(Kept):
    """What S2 was decided on. Without VEE data from SMT it is the question alone."""

    question: str
    vee_end: Instant | None = None
    gap_intervals: Count | None = None


class RecordedDecision(Kept):
    """S2."""

    needs_more: bool
    reason: str
    facts: DecisionFacts


class Line(Kept):
    """A line of a bill."""

    kind: str
    text: str
    usd_exact: Money


class RecordedBill(Kept):
    """A bill."""

    usage_wh: Count
    total_usd: Money
    tax_usd: Money
    tax_percent: Money
    lines: list[Line]
    undecided: list[dict[str, Any]]


class Projection(Kept):
    """Where the cycle's usage is going."""

    total_wh: int
    low_wh: int
    high_wh: int


class Stand(Kept):
    """A bill to date and where it is going."""

    to: Instant
    bill: RecordedBill
    projected_bill: RecordedBill
    projection: Projection
    projected_usd_at_low_usage: Money
    projected_usd_at_high_usage: Money


class Pattern(Kept):
    """Usage by hour."""

    day: Day | None
    day_wh: list[int | None]
    usual_wh: list[int | None]


class RecordedCall(Kept):
    """A balance call."""

    asked_at: Instant
    told_at: Instant
    hangs_up_at: Instant
    own_record: OwnRecord
    decision: RecordedDecision
    request: RecordedRequest
    trouble: Trouble | None
    told_on: str
    vee_only: Stand | None
    with_gap: Stand | None
    edges: list[dict[str, Any]]
    pattern: Pattern
    sentences: list[str]

    @model_validator(mode="after")
    def _decided(self) -> Self:
        if self.trouble is None and "vee_end" not in self.decision.facts.model_fields_set:
            raise ValueError("the key vee_end of the decision's facts is missing")
        return self


class RecordedRebill(Kept):
    """A re-bill. One of a call that was not over has its trouble alone."""

    rebilled_at: Instant | None = None
    instant: Instant | None = None
    told_usd: Money | None = None
    vee_usd: Money | None = None
    told_wh: Count | None = None
    vee_wh: Count | None = None
    difference_usd: Money | None = None
    covered: bool | None = None
