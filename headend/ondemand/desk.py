"""The head-end's on-demand desk: keeps an inquiry before it is accepted, takes it to its call-back, and after a restart goes on with those left open."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import simpy
from sqlalchemy.exc import SQLAlchemyError

from headend.boundaries import boundary
from headend.http.links import HeadEndLink
from headend.network.law import TryDraws
from headend.ondemand.answer_wire import inquiries_of, wired
from headend.ondemand.live import LiveMeters
from headend.ondemand.process import Answer, Inquiry, answer_inquiry, joined
from headend.ondemand.push import PushDesk
from headend.ports import FAULT, Driver, HeadEndError, Journal, fault_text, guarded
from headend.store.inquiries import Acceptance
from headend.store.store import HeadEndStore
from headend.wire import InquiryRequest, InquiryResult, Outcome
from meters.calendar import instant_us, micros, to_us

#: Waits before a call-back that was not acknowledged is tried again, as long as ``answerBy`` is not over. Defaults of this project.
CALL_BACK_WAITS_US = (to_us(1), to_us(5), to_us(30), to_us(60), to_us(300), to_us(600))
RESTARTED = "the head-end was restarted while the inquiry was under way"
GONE = "the ESI ID is not in the head-end's records any more"
BROKEN = "a fault of the head-end's own"
TAKEN_IN = "acknowledged"
GIVEN_UP = "given up"


@dataclass(slots=True)
class OnDemandDesk:
    """Takes each accepted inquiry to its call-back. Inquiries are kept in ``store.inquiries``."""

    driver: Driver
    store: HeadEndStore
    meters: LiveMeters
    draws: TryDraws
    http: httpx.AsyncClient
    journal: Journal
    link: HeadEndLink
    push: PushDesk
    #: Correlation ids of the inquiries whose process runs here.
    in_hand: set[str] = field(default_factory=set)

    def accept(self, request: InquiryRequest) -> Acceptance:
        """Keep an inquiry, and start its process unless it was posted before. Raises HeadEndError if it cannot be kept."""
        try:
            became = self.store.inquiries.accept(request, self.driver.now())
        except SQLAlchemyError as error:
            raise HeadEndError(
                "headend.inquiry.not_kept", f"The inquiry cannot be kept: {type(error).__name__}."
            ) from None
        if became is Acceptance.TAKEN:
            if request.pushToSmt:
                self.push.asked()
            self._begin(request, self.serve(request))
        return became

    def recover(self) -> None:
        """After a restart: go on with every inquiry that is open, its times as they were."""
        for left in self.store.inquiries.unended():
            request = left.request
            if request.correlationId in self.in_hand:
                continue
            boundary("headend.recovery.before")
            self.journal.note(self.driver.now(), "TDSP", "inquiry taken up again", request.correlationId)
            self._begin(request, self._tell(request, left.result) if left.result else self.serve(request, resumed=True))
            boundary("headend.recovery.after")

    def _begin(self, request: InquiryRequest, process: Generator[simpy.Event, Any, None]) -> None:
        key = request.correlationId
        self.in_hand.add(key)
        kept = guarded(process, functools.partial(self._broke, key))
        self.driver.inject("inquiry", key, lambda: self.driver.env.process(kept))

    def _broke(self, key: str, error: Exception) -> None:
        """A fault of ours has ended the process. The inquiry stays open, for the next start."""
        self.in_hand.discard(key)
        self.journal.note(self.driver.now(), "TDSP", FAULT, key, error=fault_text(error))

    def serve(self, request: InquiryRequest, *, resumed: bool = False) -> Generator[simpy.Event, Any, None]:
        """Answer one inquiry and call the result back; a simpy process. resumed: the head-end was restarted since it was accepted."""
        answer, result = yield from self._answered(request, resumed)
        self.journal.note(
            self.driver.now(),
            "TDSP",
            "inquiry answered",
            request.correlationId,
            inquiry=request.kind.value,
            outcome=answer.outcome.value,
            reason=answer.reason,
            store=sum(interval.source == "store" for interval in result.intervals),
            meter=sum(interval.source == "meter" for interval in result.intervals),
            missing=len(result.missing),
            meter_reads=answer.meter_reads,
        )
        body = result.model_dump_json(by_alias=True)
        self._keep(request, lambda: self.store.inquiries.keep_result(request.correlationId, body))
        yield from self._tell(request, body)

    def _answered(
        self, request: InquiryRequest, resumed: bool
    ) -> Generator[simpy.Event, Any, tuple[Answer, InquiryResult]]:
        """The answer and its wire form; a fault of the head-end's own is an answer too, so that nobody waits for nothing."""
        records = self.store.records
        try:
            if resumed and request.esiid not in records:
                answer = Answer(Outcome.FAILED, GONE)
                return answer, _without_reading(request, answer)
            meters = records.places(request.esiid)
            inquiries = inquiries_of(request, meters)
            answers = yield from self._asked(inquiries)
            now = self.driver.now()
            numbers = [records.addresses[meter].number_at(now) for meter in meters]
            answer = joined(list(zip(numbers, answers, strict=True)), request.kind)
            if resumed and answer.outcome is Outcome.FAILED:
                answer.reason = f"{RESTARTED}: {answer.reason}"
            return answer, wired(inquiries[0], answer, answers, self.store)
        except Exception as error:
            self.journal.note(self.driver.now(), "TDSP", FAULT, request.correlationId, error=fault_text(error))
            answer = Answer(Outcome.FAILED, BROKEN)
            return answer, _without_reading(request, answer)

    def _asked(self, inquiries: Sequence[Inquiry]) -> Generator[simpy.Event, Any, list[Answer]]:
        """The answer of each meter of an ESI ID; all are asked at once."""
        env = self.driver.env
        asking = [answer_inquiry(env, one, self.store, self.meters, self.draws) for one in inquiries]
        if len(asking) == 1:
            return [(yield from asking[0])]
        faults: list[Exception] = []
        answers = yield env.all_of([env.process(guarded(one, faults.append)) for one in asking])
        if faults:
            raise faults[0]
        return list(answers.values())

    def _tell(self, request: InquiryRequest, body: str) -> Generator[simpy.Event, Any, None]:
        """Call a result back until it is acknowledged, its time is over or its tries are; then the inquiry has ended.

        The first try is made however late it is: who still waits is told. What is refused (HTTP 4xx) is not tried again.
        """
        key, over_us = request.correlationId, instant_us(request.answerBy)
        became, headers = GIVEN_UP, self.link.headers(request.replyTo)
        for wait_us in (*CALL_BACK_WAITS_US, None):
            boundary("headend.call_back.before")
            try:
                reply: httpx.Response = yield self.driver.io(
                    "call-back", key, lambda: self.http.post(str(request.replyTo), content=body, headers=headers)
                )
            except (httpx.InvalidURL, UnicodeError) as error:
                # No address that could be called, however often: as one that refuses.
                status, what = 400, type(error).__name__
            except httpx.HTTPError as error:
                status, what = 0, type(error).__name__
            else:
                status, what = reply.status_code, f"HTTP {reply.status_code}"
            boundary("headend.call_back.after")
            if 200 <= status < 300:
                became = TAKEN_IN
                break
            if wait_us is None or 300 <= status < 500 or micros(self.driver.env.now) + wait_us > over_us:
                self.journal.note(self.driver.now(), "TDSP", "call-back given up", key, reason=what)
                break
            yield self.driver.env.timeout(wait_us)
        self._keep(request, lambda: self.store.inquiries.end(key, self.driver.now(), became))
        self.in_hand.discard(key)

    def _keep(self, request: InquiryRequest, write: Callable[[], None]) -> None:
        """Write to the store. If it cannot, the requester is answered all the same; a restart then answers once more."""
        try:
            write()
        except SQLAlchemyError as error:
            self.journal.note(self.driver.now(), "TDSP", FAULT, request.correlationId, error=fault_text(error))


def _without_reading(request: InquiryRequest, answer: Answer) -> InquiryResult:
    return InquiryResult(correlationId=request.correlationId, outcome=answer.outcome, reason=answer.reason)
