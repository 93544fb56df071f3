"""What became of calls and requests: what SMT answered, the decision, the bills told and made again."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import model_validator

from meters.calendar import Seconds
from scenarios.records.values import CODE, Count, Day, Instant, Money, Record, Span
from simulator.ror.call.answer import ToldOn
from simulator.ror.call.basis import Kind
from simulator.ror.call.on_demand import RequestEnd


class Trouble(Record):
    """A refusal or an error."""

    code: str
    reason: str
    retry_at: Instant | None

    def __str__(self) -> str:
        """Code and reason, as a failure shows them."""
        return f"{self.code}: {self.reason}"


class Power(Record):
    """A power status."""

    status: str
    source: str
    switch_state: str | None
    voltage: str | None


class ServedAnswer(Record):
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
    meter_reads: Count | None
    partial: dict[str, Any] | None
    power: Power | None


class RecordedRequest(Record):
    """An on-demand request as the retailer saw it."""

    end: Annotated[RequestEnd, CODE]
    requested_at: Instant | None
    ended_at: Instant | None
    #: From the request to its end.
    seconds: Seconds | None
    correlation_id: str | None
    trouble: Trouble | None
    served: ServedAnswer | None


class OwnRecord(Record):
    """The retailer's own record."""

    last_bill_usd: Money
    paid_usd: Money
    amount_due_usd: Money


class ReadWorth(Record):
    """What reading the gap was worth."""

    gap_wh: Count
    bill_usd: Money
    total_usd: Money


class DecisionFacts(Record):
    """What S2 was decided on. Without VEE data from SMT it is the question alone."""

    question: str
    vee_end: Instant | None = None
    gap_intervals: Count | None = None
    read_worth: ReadWorth | None = None
    worth_asking_usd: Money | None = None


class RecordedDecision(Record):
    """S2."""

    needs_more: bool
    reason: str
    facts: DecisionFacts


class Line(Record):
    """A line of a bill."""

    kind: str
    text: str
    usd: Money


class UndecidedLine(Line):
    """A credit or fee that the rest of the cycle decides."""

    standing: str


class RecordedBill(Record):
    """A bill."""

    first_day: Day
    last_day: Day
    usage_wh: Count
    intervals_wh: Count
    total_usd: Money
    lines: list[Line]
    undecided: list[UndecidedLine]


class Projection(Record):
    """Where the cycle's usage is going."""

    total_wh: int
    low_wh: int
    high_wh: int
    #: Whole days of the premise's own that it is learned from.
    days_used: Count


class BillOutlook(Record):
    """The closed bill over the ways that the cycle may go: its tenth, middle, ninetieth of a hundred, and its mean."""

    low: Money
    middle: Money
    high: Money
    expected: Money


class RestsOn(Record):
    """A part of a bill by what is known of it."""

    kind: Annotated[Kind, CODE]
    intervals: Count
    wh: int
    given_wh: Count
    usd: Money


class Stand(Record):
    """A bill to date and where it is going."""

    to: Instant
    #: End of the last interval that is known of the cycle.
    known_to: Instant | None
    bill: RecordedBill
    owed_usd: BillOutlook
    rests_on: list[RestsOn]
    projected_bill: RecordedBill
    projected_rests_on: list[RestsOn]
    projection: Projection
    projected_usd_at_low_usage: Money
    projected_usd_at_high_usage: Money
    projected_usd: BillOutlook


class Pattern(Record):
    """Usage by hour."""

    day: Day | None
    day_wh: list[int | None]
    usual_wh: list[int | None]


class PlanEdge(Record):
    """An edge of the plan, seen from the bill told."""

    kind: str
    at_wh: int
    to_go_wh: int
    bill_below_usd: Money
    bill_at_usd: Money
    in_reach: bool
    #: Of a hundred ways that the cycle may go those that reach it, and the middle bill of those and of the others.
    odds: Count
    bill_if_usd: Money | None
    bill_if_not_usd: Money | None


class InstantAnswer(Record):
    """What was told at once."""

    told_at: Instant
    sentences: list[str]
    #: On VEE data, and what is expected behind them.
    stand: Stand | None


class RecordedCall(Record):
    """A balance call."""

    asked_at: Instant
    told_at: Instant
    seconds_to_answer: Seconds
    hangs_up_at: Instant
    own_record: OwnRecord
    decision: RecordedDecision
    request: RecordedRequest
    trouble: Trouble | None
    #: The caller had gone when what was read came.
    follow_up: bool
    instant: InstantAnswer
    told_on: Annotated[ToldOn, CODE]
    with_gap: Stand | None
    edges: list[PlanEdge]
    pattern: Pattern
    #: What is missing in the bill told, and what is doubtful.
    marks: list[str]
    sentences: list[str]

    @model_validator(mode="after")
    def _decided(self) -> Self:
        if self.trouble is None and "vee_end" not in self.decision.facts.model_fields_set:
            raise ValueError("the key vee_end of the decision's facts is missing")
        return self

    @property
    def waited(self) -> Seconds:
        """Seconds from the question to the answer."""
        return self.told_at - self.asked_at

    @property
    def stand(self) -> Stand | None:
        """The bill that the caller was told: on the most that was known."""
        return self.with_gap or self.instant.stand

    @property
    def ahead(self) -> Stand | None:
        """That bill, where more of its cycle may come to the retailer: what it tells of the cycle's end is something to go by."""
        return None if self.told_on is ToldOn.OWN_DAYS else self.stand


class RecordedRebill(Record):
    """A re-bill. One of a call that was not over has its trouble alone."""

    instant: Instant | None = None
    rebilled_at: Instant | None = None
    told_usd: Money | None = None
    vee_usd: Money | None = None
    difference_usd: Money | None = None
    told_wh: Count | None = None
    vee_wh: Count | None = None
    covered: bool | None = None
    vee_bill: RecordedBill | None = None
