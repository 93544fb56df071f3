"""The Customer Balance Inquiry at the retailer (S1 to S7) as one process: review, decide, ask, poll, analyse, tell.

It is written once: what it talks to is behind the driver, what it decides is pure, what it finds is one frozen record.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Generator
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

import simpy

from headend.ports import Driver, Journal
from meters.calendar import Seconds, day_of, iso, seconds
from simulator.ror.account import Account, Balance, balance
from simulator.ror.billing.plan import RatePlan
from simulator.ror.call.analysis import READ_REACHES_S, Decision, Question, decide
from simulator.ror.call.answer import Answer, answer
from simulator.ror.call.on_demand import GIVE_UP_S, NOT_YOURS, Line, OnDemand, RequestEnd, Trouble, on_demand
from simulator.ror.client import SmtClient
from simulator.ror.errors import RorError
from simulator.ror.pattern import ZoneWeather
from simulator.ror.usage import Source, UsageRecord, empty, from_gap, merge
from simulator.smt.doors.market.odr_wire import OdrStatus, Span

#: Days of VEE history that a review fetches at least: two weeks and room for a day that is late [D].
HISTORY_DAYS = 35


@dataclass(frozen=True, slots=True)
class CallResult:
    """One call, from the question to the answer. Instants are UTC epoch seconds of model time; ``usage`` is what the bill rests on."""

    call_reference: str
    account: Account
    question: Question
    asked_at: Seconds
    told_at: Seconds
    hangs_up_at: Seconds
    own: Balance
    decision: Decision
    request: OnDemand
    #: SMT would not give the VEE history.
    trouble: Trouble | None
    usage: UsageRecord
    answer: Answer
    #: What was told at once, on VEE data and what is expected behind them, and when; it is the answer where no more was needed.
    instant: Answer
    instant_at: Seconds

    @property
    def before_hang_up(self) -> bool:
        """Whether the caller was still on the line when the answer was there."""
        return self.told_at <= self.hangs_up_at

    @property
    def follow_up(self) -> bool:
        """Whether the caller, who was told at once, hears the answer later, since the read was slow."""
        return self.instant_at <= self.hangs_up_at < self.told_at

    def to_dict(self) -> dict[str, Any]:
        """JSON values only, the same twice: money as strings, energy in whole Wh, instants as ISO 8601 in Central time."""
        answer = self.answer
        return {
            "call_reference": self.call_reference,
            "account_id": self.account.account_id,
            "customer_name": self.account.customer_name,
            "esiid": self.account.esiid,
            "question": self.question.value,
            "asked_at": iso(self.asked_at),
            "told_at": iso(self.told_at),
            "seconds_to_answer": self.told_at - self.asked_at,
            "hangs_up_at": iso(self.hangs_up_at),
            "before_hang_up": self.before_hang_up,
            "follow_up": self.follow_up,
            "own_record": self.own.to_dict(),
            "decision": {
                "needs_more": self.decision.needs_more,
                "reason": self.decision.reason,
                "facts": self.decision.facts,
            },
            "request": request_dict(self.request),
            "trouble": trouble_dict(self.trouble),
            "intervals_by_source": {source.name.lower(): self.usage.count_of(source) for source in Source},
            "instant": {
                "told_at": iso(self.instant_at),
                "marks": list(self.instant.marks),
                "sentences": list(self.instant.sentences),
                "stand": None if answer.instant is None else answer.instant.to_dict(),
            },
            "told_on": answer.told_on.value,
            "with_gap": None if answer.with_gap is None else answer.with_gap.to_dict(),
            "edges": [edge.to_dict() for edge in answer.edges],
            "pattern": answer.pattern.to_dict(),
            "doubts": [asdict(finding) for finding in answer.doubts],
            "marks": list(answer.marks),
            "sentences": list(answer.sentences),
        }


def trouble_dict(trouble: Trouble | None) -> dict[str, Any] | None:
    """JSON values of a refusal or error."""
    if trouble is None:
        return None
    retry_at = None if trouble.retry_at is None else iso(trouble.retry_at)
    return {"code": trouble.code, "reason": trouble.reason, "retry_at": retry_at}


def request_dict(request: OnDemand) -> dict[str, Any]:
    """JSON values of an on-demand request, with the gap that SMT served."""
    status = request.status
    asked, ended = request.requested_at, request.ended_at
    return {
        "end": request.end.value,
        "requested_at": None if asked is None else iso(asked),
        "ended_at": None if ended is None else iso(ended),
        "seconds": None if asked is None or ended is None else ended - asked,
        "correlation_id": request.correlation_id,
        "polls": request.polls,
        "failed_polls": request.failed_polls,
        "trouble": trouble_dict(request.trouble),
        "served": None if status is None else _served_dict(status),
    }


def _served_dict(status: OdrStatus) -> dict[str, Any]:
    intervals = status.intervals or []
    partial = status.partial
    power = status.powerStatus
    return {
        "status_code": status.statusCode,
        "gap": None if status.gap is None else _span(status.gap),
        "intervals": len(intervals),
        "from_store": sum(interval.source == "store" for interval in intervals),
        "from_meter": sum(interval.source == "meter" for interval in intervals),
        "missing": [iso(seconds(end.timestamp())) for end in status.missing or []],
        "uncovered": [_span(span) for span in status.uncovered or []],
        "holes": [_span(span) for span in status.holes or []],
        "reaches_to": None if status.reachesTo is None else iso(seconds(status.reachesTo.timestamp())),
        "meter_reads": status.meterReads,
        "partial": None
        if partial is None
        else {
            "from": iso(seconds(partial.start.timestamp())),
            "as_of": iso(seconds(partial.asOf.timestamp())),
            "seconds": partial.seconds,
            "wh": partial.wh,
        },
        "power": None
        if power is None
        else {
            "status": power.status,
            "source": power.source,
            "switch_state": power.switchState,
            "voltage": None if power.voltage is None else f"{power.voltage:.1f}",
            "at": None if power.at is None else iso(seconds(power.at.timestamp())),
        },
    }


def _span(span: Span) -> dict[str, str]:
    return {"start": iso(seconds(span.start.timestamp())), "end": iso(seconds(span.end.timestamp()))}


@dataclass(frozen=True, slots=True)
class Review:
    """A call as far as it has come: what was told on what is known, and what a read of the meter would go on from."""

    #: As if the call had ended here.
    result: CallResult
    line: Line
    #: S6 on a record, a request and what was told of the register.
    analysed: Callable[..., Answer]


def balance_inquiry(
    driver: Driver,
    client: SmtClient,
    account: Account,
    plan: RatePlan,
    question: Question,
    call_reference: str,
    patience_s: Seconds,
    poll_s: Seconds,
    journal: Journal,
    *,
    give_up_s: Seconds = GIVE_UP_S,
    weather: ZoneWeather | None = None,
) -> Generator[simpy.Event, Any, CallResult]:
    """Answer one call. The process's value is the CallResult; nothing that SMT answers makes it fail.

    patience_s: seconds after the question at which the caller hangs up. poll_s: seconds between status polls. give_up_s: seconds after
    which polling stops. The caller is told at once what VEE data and what is expected behind them say. The request is followed to its end even when the
    caller has gone: then what it brings is a follow-up. weather: of the zone that the account names, where it is known.
    """
    review = yield from reviewed(
        driver, client, account, plan, question, call_reference, patience_s, journal, weather=weather
    )
    if review.result.decision.needs_more:
        review = yield from refined(review, client, poll_s, journal, give_up_s=give_up_s)
    note_told(review.result, driver, journal)
    return review.result


def reviewed(
    driver: Driver,
    client: SmtClient,
    account: Account,
    plan: RatePlan,
    question: Question,
    call_reference: str,
    patience_s: Seconds,
    journal: Journal,
    *,
    weather: ZoneWeather | None = None,
) -> Generator[simpy.Event, Any, Review]:
    """S1, S2 and what is told at once; as ``balance_inquiry`` takes them."""
    line = Line(driver, call_reference)
    asked_at = driver.now()

    def note(step: str, **facts: Any) -> None:
        journal.note(driver.now(), "ROR", step, call_reference, **facts)

    note("S1.called", account=account.account_id, esiid=account.esiid, question=question.value)
    own = balance(account, asked_at)
    vee, trouble = empty(), None
    register_wh: int | None = None
    today = day_of(asked_at)
    first = min(account.cycle_first, today - timedelta(days=HISTORY_DAYS))
    if question is not Question.LAST_BILL:
        last = today - timedelta(days=1)
        try:
            vee = yield line.exchange("vee", lambda: client.intervals(account.esiid, first, last, call_reference))
            if (vee.vee_end() or 0) >= account.cycle_end:
                register_wh = yield line.exchange(
                    "register", lambda: client.register(*account.premise_cycle, call_reference)
                )
        except RorError as error:
            # Of a customer who came just now no day that is over is the retailer's.
            if error.code != NOT_YOURS or asked_at - account.own_start > READ_REACHES_S:
                trouble = Trouble(error.code, error.message)
    if trouble is None:
        decision = decide(account, question, vee, plan, asked_at)
    else:
        decision = Decision(False, f"SMT gave no VEE data to decide on: {trouble.reason}", {"question": question.value})
    note(
        "S2.decided",
        needs_more=decision.needs_more,
        reason=decision.reason,
        vee_intervals=len(vee.ends),
        trouble=trouble_dict(trouble),
    )
    instant_at = driver.now()
    outdoors = None if weather is None or account.zone is None else weather(account.zone)
    analysed = functools.partial(
        answer,
        account,
        plan,
        own=own,
        now=asked_at,
        question=question,
        trouble=trouble,
        register_wh=register_wh,
        outdoors=outdoors,
    )
    request = OnDemand(RequestEnd.NOT_MADE)
    instant = analysed(vee, request=request)
    hangs_up_at = asked_at + patience_s
    result = CallResult(
        call_reference,
        account,
        question,
        asked_at,
        instant_at,
        hangs_up_at,
        own,
        decision,
        request,
        trouble,
        vee,
        instant,
        instant,
        instant_at,
    )
    return Review(result, line, analysed)


def refined(
    review: Review, client: SmtClient, poll_s: Seconds, journal: Journal, *, give_up_s: Seconds = GIVE_UP_S
) -> Generator[simpy.Event, Any, Review]:
    """S3 to S6: ask the meter in a call that was told without, and analyse what comes; as ``balance_inquiry`` takes them."""
    before, line = review.result, review.line
    driver, call, esiid = line.driver, before.call_reference, before.account.esiid
    journal.note(
        driver.now(),
        *("ROR", "S6.instant", call),
        marks=list(before.instant.marks),
        sentences=list(before.instant.sentences),
    )
    journal.note(driver.now(), "ROR", "S3.requested", call, esiid=esiid, read_type="INTERVALS")
    request = yield from on_demand(line, lambda: client.odr(esiid, call, "INTERVALS"), client, poll_s, give_up_s)
    request, usage = _with_gap(request, before.usage)
    journal.note(driver.now(), "ROR", "S4.ended", call, **request_dict(request))
    answered = review.analysed(usage, request=request)
    result = replace(before, told_at=driver.now(), request=request, usage=usage, answer=answered)
    return replace(review, result=result)


def note_told(result: CallResult, driver: Driver, journal: Journal) -> None:
    """S6 and S7: what the caller was told, and whether they were still there."""
    answered = result.answer
    journal.note(
        driver.now(),
        *("ROR", "S6.told", result.call_reference),
        told_on=answered.told_on.value,
        follow_up=result.follow_up,
        marks=list(answered.marks),
        sentences=list(answered.sentences),
    )
    journal.note(
        driver.now(),
        *("ROR", "S7.outcome", result.call_reference),
        before_hang_up=result.before_hang_up,
        seconds_to_answer=result.told_at - result.asked_at,
    )


def _with_gap(request: OnDemand, vee: UsageRecord) -> tuple[OnDemand, UsageRecord]:
    """Put what came behind the VEE part; intervals that make no record count as a failed request."""
    intervals = request.status.intervals if request.status is not None else None
    if not intervals:
        return request, vee
    try:
        return request, merge(vee, from_gap(intervals))
    except RorError as error:
        return replace(request, end=RequestEnd.FAILED, trouble=Trouble(error.code, error.message)), vee


def power_inquiry(
    driver: Driver, client: SmtClient, esiid: str, call_reference: str, poll_s: Seconds, journal: Journal
) -> Generator[simpy.Event, Any, OnDemand]:
    """Ask whether the premise has power, and follow the request to its end (FR CR016.1a). Nothing SMT answers makes it fail."""
    ask = functools.partial(client.power_status, esiid, call_reference)
    return (yield from _followed("power", ask, driver, client, esiid, call_reference, poll_s, journal))


def register_inquiry(
    driver: Driver, client: SmtClient, esiid: str, call_reference: str, poll_s: Seconds, journal: Journal
) -> Generator[simpy.Event, Any, OnDemand]:
    """Ask for the meter's register as it is now, and follow the request to its end (FR CR016.1b). Nothing SMT answers makes it fail."""
    ask = functools.partial(client.odr, esiid, call_reference, "REGISTER")
    return (yield from _followed("register", ask, driver, client, esiid, call_reference, poll_s, journal))


def _followed(
    what: str,
    ask: Callable[[], Awaitable[str]],
    driver: Driver,
    client: SmtClient,
    esiid: str,
    call_reference: str,
    poll_s: Seconds,
    journal: Journal,
) -> Generator[simpy.Event, Any, OnDemand]:
    line = Line(driver, call_reference)
    journal.note(driver.now(), "ROR", f"{what}.requested", call_reference, esiid=esiid)
    request = yield from on_demand(line, ask, client, poll_s, GIVE_UP_S)
    journal.note(driver.now(), "ROR", f"{what}.ended", call_reference, **request_dict(request))
    return request
