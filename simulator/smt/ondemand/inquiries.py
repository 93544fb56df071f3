"""SMT's way to the head-ends and back: inquiries over HTTP, and their call-backs matched with the requests that wait for them."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from enum import StrEnum
from itertools import chain, repeat
from typing import Any

import httpx
import simpy

from headend.boundaries import boundary
from headend.http.exchange import current
from headend.ports import Driver, Journal
from headend.wire import InquiryKind, InquiryRequest, InquiryResult, Outcome
from meters.calendar import Micros, local, local_us, micros, to_us
from simulator.smt.ondemand.judged import checked
from simulator.smt.ondemand.ledger import Entry, Ledger
from simulator.smt.ondemand.lifecycle import Answered, OnDemandRequest, Sent, State
from simulator.smt.registry.registry import Registry

UNREACHABLE = "the TDSP's head-end cannot be reached"
#: Waits before an inquiry of which nobody knows whether it was taken is sent again; the last one again and again. Defaults of this project.
INQUIRY_WAITS_US = (to_us(1), to_us(5), to_us(30), to_us(60), to_us(120))


class CallBack(StrEnum):
    """What became of a call-back."""

    ACCEPTED = "accepted"
    #: The request has ended or expired meanwhile: acknowledged and noted, otherwise without effect.
    LATE = "late"
    #: The same request was called back before: likewise.
    DUPLICATE = "duplicate"
    UNKNOWN = "unknown"


def _not_taken(why: str) -> Sent:
    return Sent(False, Answered(Outcome.FAILED, why, 0))


_UNREACHABLE = _not_taken(UNREACHABLE)
#: The exchange broke off: it may have been taken all the same.
_NOT_KNOWN = Sent(False)


class Inquiries:
    """Those of one SMT."""

    def __init__(
        self,
        driver: Driver,
        registry: Registry,
        ledger: Ledger,
        journal: Journal,
        http: httpx.AsyncClient,
        links: Mapping[str, str],
        *,
        reply_to: str,
        store_allowed: bool,
        here: bool,
    ) -> None:
        """links: base URL of the head-end by TDSP key. reply_to: SMT's own. store_allowed: whether a head-end may answer from its store.

        here: False at a worker: it puts call-backs by for the dispatcher, whose requests wait for them.
        """
        self.links = links
        self.here = here
        self._reply_to = reply_to
        self._driver = driver
        self._registry = registry
        self._ledger = ledger
        self._journal = journal
        self._http = http
        # What waits for a free connection to a head-end that is slow was not sent, and did not fail either: it goes on waiting.
        given = http.timeout
        self._timeout = httpx.Timeout(connect=given.connect, read=given.read, write=given.write, pool=None)
        self._store_allowed = store_allowed
        self._waiting: dict[str, simpy.Event] = {}
        self._called_back: set[str] = set()

    def send(self, request: OnDemandRequest, answer_by_us: Micros) -> Generator[simpy.Event, Any, Sent]:
        """See ``lifecycle.Desk``. A head-end that cannot be reached, or does not take the inquiry, is an answer: FAILED, at once."""
        # Before the call: the call-back may come before the acknowledgement.
        self._waiting[request.key] = self._driver.env.event()
        boundary("inquiry.before_call")
        sent: Sent = yield self._driver.io("inquiry", request.key, lambda: self._send(request, answer_by_us))
        boundary("inquiry.after_call")
        return (yield from self._send_again(request, answer_by_us)) if sent == _NOT_KNOWN else sent

    def _send_again(self, request: OnDemandRequest, answer_by_us: Micros) -> Generator[simpy.Event, Any, Sent]:
        """Repeat an inquiry that may have been taken, until that is known or its time is over: a head-end takes one correlation id once."""
        env, called_back = self._driver.env, self._waiting[request.key]
        for wait_us in chain(INQUIRY_WAITS_US, repeat(INQUIRY_WAITS_US[-1])):
            yield called_back | env.timeout(min(wait_us, max(0, answer_by_us - micros(env.now))))
            if called_back.triggered or micros(env.now) >= answer_by_us:
                break
            self._journal.note(self._driver.now(), "SMT", "inquiry sent again", request.key)
            sent: Sent = yield self._driver.io("inquiry", request.key, lambda: self._send(request, answer_by_us))
            # One that took it and cannot be reached now calls back when it is up again.
            if sent not in (_NOT_KNOWN, _UNREACHABLE):
                return sent
        return _NOT_KNOWN

    def answer(self, request: OnDemandRequest, answer_by_us: Micros) -> Generator[simpy.Event, Any, Answered | None]:
        """See ``lifecycle.Desk``."""
        env = self._driver.env
        called_back = self._waiting[request.key]
        # The exchange may have taken longer than the request has left.
        deadline = env.timeout(max(0, answer_by_us - micros(env.now)))
        yield called_back | deadline
        # From here on a call-back is late.
        del self._waiting[request.key]
        if not called_back.triggered:
            return None
        result = InquiryResult.model_validate(called_back.value)
        assert request.filed is not None
        outcome, reason, handed_on = checked(request.filed, result, self._driver.now())
        return Answered(outcome, reason, result.meterReads, handed_on, result.octets)

    def call_back(self, result: InquiryResult) -> CallBack:
        """Take in what a head-end calls back. Whatever it is, it is acknowledged and noted."""
        boundary("call_back.before")
        key = result.correlationId
        current().correlation_id = key
        entry = self._ledger.entry(key)
        if entry is None:
            became = CallBack.UNKNOWN
        elif not self.here:
            became = self._put_by(entry, result)
        elif key in self._called_back:
            became = CallBack.DUPLICATE
        elif key in self._waiting:
            became = CallBack.ACCEPTED
            self._called_back.add(key)
        else:
            became = CallBack.LATE
        self._driver.inject("callback", key, lambda: self._deliver(result, became))
        return became

    def waiting(self) -> list[str]:
        """The requests that wait here for a call-back, which may have come to a worker."""
        return sorted(self._waiting.keys() - self._called_back)

    def collect(self, keys: Sequence[str]) -> None:
        """Hand over what workers have put by for some of them."""
        for key, result in self._ledger.call_backs(keys).items():
            if key in self._waiting and key not in self._called_back:
                self._called_back.add(key)
                self._deliver(result, CallBack.ACCEPTED)

    def ended(self, key: str) -> None:
        """A request has ended: a call-back for it is late from now on."""
        self._called_back.discard(key)
        self._waiting.pop(key, None)

    async def _send(self, request: OnDemandRequest, answer_by_us: Micros) -> Sent:
        link = self.links.get(self._registry.points[request.esiid].tdsp_key)
        if link is None:
            return _not_taken("no head-end is linked for this TDSP")
        wanted = {
            "correlationId": request.key,
            "kind": request.kind,
            "esiid": request.esiid,
            "meterAllowed": request.meter_allowed,
            "storeAllowed": self._store_allowed,
            "answerBy": local_us(answer_by_us),
            "replyTo": f"{self._reply_to}/callbacks/inquiries",
            "callReference": request.call_reference,
        }
        if request.kind is InquiryKind.INTERVALS:
            wanted |= {"start": local(request.start), "end": local(request.end)}
        body = InquiryRequest.model_validate(wanted).model_dump_json(exclude_none=True)
        try:
            reply = await self._http.post(
                f"{link}/inquiries",
                content=body,
                headers={"content-type": "application/json"},
                timeout=self._timeout,
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol):
            return _UNREACHABLE
        except httpx.HTTPError:
            return _NOT_KNOWN
        if reply.status_code != 202:
            return _not_taken(f"the TDSP's head-end did not take the inquiry (HTTP {reply.status_code})")
        return Sent(True)

    def _put_by(self, entry: Entry, result: InquiryResult) -> CallBack:
        """At a worker: put it by for the dispatcher, who hands it over at its next look."""
        if entry.ended or entry.last.state is State.ANSWERED:
            return CallBack.LATE
        kept = self._ledger.keep_call_back(entry.filed.key, result, to_us(self._driver.now()))
        return CallBack.ACCEPTED if kept else CallBack.DUPLICATE

    def _deliver(self, result: InquiryResult, became: CallBack) -> None:
        self._journal.note(
            self._driver.now(),
            "SMT",
            "call-back",
            result.correlationId,
            became=became.value,
            outcome=result.outcome.value,
        )
        waiting = self._waiting.get(result.correlationId)
        if became is CallBack.ACCEPTED and waiting is not None and not waiting.triggered:
            waiting.succeed(result)
