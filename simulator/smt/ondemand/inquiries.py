"""SMT's way to the head-ends and back: inquiries over HTTP, and their call-backs matched with the requests that wait for them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from enum import StrEnum
from itertools import chain, repeat
from typing import Any

import httpx
import simpy

from headend.boundaries import boundary
from headend.http.exchange import current
from headend.http.foreign import document
from headend.http.links import LinkKeys, bearing, same
from headend.ports import Driver, Journal
from headend.wire import InquiryKind, InquiryRequest, InquiryResult, Outcome
from meters.calendar import Micros, Seconds, day_of, local, local_us, micros, to_us
from simulator.smt.errors import GatewayRefusal
from simulator.smt.ondemand.judged import Case, digest, judged
from simulator.smt.ondemand.ledger import Entry, Ledger, Transition
from simulator.smt.ondemand.lifecycle import NOT_TAKEN, Answered, OnDemandRequest, Sent, State
from simulator.smt.ondemand.rules import UNALLOWED, Finding, finding
from simulator.smt.registry.meter_attributes import most_wh
from simulator.smt.registry.registry import Registry
from simulator.smt.throttle.limits import Policy, Source

UNREACHABLE = "the TDSP's head-end cannot be reached"
#: Waits before an inquiry of which nobody knows whether it was taken is sent again; the last one again and again. Defaults of this project.
INQUIRY_WAITS_US = (to_us(1), to_us(5), to_us(30), to_us(60), to_us(120))
#: Call-backs beside the one that counts that the ledger keeps of one request. A default of this project.
MOST_BESIDE = 10
#: Where SMT is called back, below its base URL.
CALL_BACKS = "/callbacks/inquiries"


class CallBack(StrEnum):
    """What became of a call-back."""

    ACCEPTED = "accepted"
    #: The request has ended or expired meanwhile: acknowledged and noted, otherwise without effect.
    LATE = "late"
    #: The same request was called back before: likewise.
    DUPLICATE = "duplicate"
    #: And otherwise than now: likewise, and the ledger says so.
    DIFFERS = "differs"
    UNKNOWN = "unknown"
    #: It was no answer as documented (HTTP 400): the ledger says so if it named a request.
    REJECTED = "rejected"


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
        keys: Mapping[str, LinkKeys],
        *,
        open_links: bool,
        reply_to: str,
        policy: Policy,
        here: bool,
        overdue: Callable[[Entry, Finding, int], None],
    ) -> None:
        """links, keys: base URL of the head-end and keys of its link, by TDSP key. open_links: call-backs are taken without. reply_to: SMT's own. policy: what a head-end may answer by.

        here: False at a worker: it puts call-backs by for the dispatcher, whose requests wait for them. overdue: counts a read that is told of when
        its request has ended: the entry, what was found, octets.
        """
        self.links = links
        self.here = here
        self._keys = keys
        self._open = open_links
        self._reply_to = reply_to
        self._driver = driver
        self._registry = registry
        self._ledger = ledger
        self._journal = journal
        self._http = http
        # What waits for a free connection to a head-end that is slow was not sent, and did not fail either: it goes on waiting.
        given = http.timeout
        self._timeout = httpx.Timeout(connect=given.connect, read=given.read, write=given.write, pool=None)
        self._policy = policy
        self._overdue = overdue
        self._waiting: dict[str, simpy.Event] = {}
        #: By what was called back, as far as it tells one answer from another.
        self._called_back: dict[str, str] = {}

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
            request.reason = self._why_not_taken(request.key)
            return None
        result, now = InquiryResult.model_validate(called_back.value), self._driver.now()
        assert request.filed is not None
        most = self._most_wh(request.esiid, now)
        answered = judged(Case(request.filed, request.meter_allowed, result, now, most, self._policy.store_within_s))
        request.found += answered.found
        answered.digest = self._called_back.get(request.key, "")
        return answered

    def _most_wh(self, esiid: str, now: Seconds) -> int:
        """What the meters at an ESI ID carry in a quarter hour at most, Wh."""
        here = self._registry.meters(self._registry.point(esiid, day_of(now)))
        return sum(most_wh(meter.attributes) for meter in here)

    def _why_not_taken(self, key: str) -> str:
        entry = self._ledger.entry(key)
        rejected = [step for step in entry.transitions if step.state is State.REJECTED] if entry is not None else []
        return NOT_TAKEN.format(f"{rejected[-1].field}: {rejected[-1].value}") if rejected else ""

    def hold(self, key: str, seal: str, bearer: str) -> None:
        """Hold a call-back, before it is read, against the link: the key that it bears is that of the head-end that was asked, and it is made to the
        address that this one was given. Raises GatewayRefusal.
        """
        if self._open:
            return
        links = [one for one in self._keys.values() if same(bearer, one.headend)]
        if not links:
            raise GatewayRefusal("link_key")
        sealed = [one for one in links if same(seal, one.seal(key))]
        entry = self._ledger.entry(key) if sealed else None
        if not sealed or (entry is not None and self._link_of(entry.filed.esiid) not in sealed):
            raise GatewayRefusal("link_seal")

    def call_back(self, result: InquiryResult) -> CallBack:
        """Take in what a head-end calls back. Whatever it is, it is acknowledged and noted."""
        boundary("call_back.before")
        key = result.correlationId
        current().correlation_id = key
        entry, came = self._ledger.entry(key), digest(result)
        first = self._called_back.get(key, "" if entry is None else entry.digest)
        if entry is None:
            became = CallBack.UNKNOWN
        elif first and first != came:
            became = self._differs(entry)
        elif not self.here:
            became = self._put_by(entry, result)
        elif key in self._called_back:
            became = CallBack.DUPLICATE
        elif key in self._waiting:
            became = CallBack.ACCEPTED
            self._called_back[key] = came
        else:
            became = self._late(entry, result)
        self._driver.inject("callback", key, lambda: self._deliver(result, became))
        return became

    def rejected(self, key: str, place: str, message: str) -> None:
        """Note a call-back that was refused, in the ledger of the request that it was for, however it is written."""
        current().correlation_id = key
        entry = self._ledger.entry(key)
        if entry is not None:
            self._keep_beside(entry, State.REJECTED, finding("MALFORMED", place, message))
        became = CallBack.REJECTED.value
        self._driver.inject(
            "callback",
            key,
            lambda: self._journal.note(self._driver.now(), "SMT", "call-back", key, became=became, outcome=place),
        )

    def _late(self, entry: Entry, result: InquiryResult) -> CallBack:
        """Nothing is told of an answer to a request that has ended, or never went out; a read that was not allowed is held against it all the same."""
        if not entry.unallowed and not any(step.meter_allowed for step in entry.life):
            now = self._driver.now()
            found = judged(
                Case(
                    entry.filed, False, result, now, self._most_wh(entry.filed.esiid, now), self._policy.store_within_s
                )
            ).found
            unallowed = next((one for one in found if one.rule == UNALLOWED), None)
            if unallowed is not None:
                self._overdue(entry, unallowed, result.octets)
        return CallBack.LATE

    def _differs(self, entry: Entry) -> CallBack:
        self._keep_beside(entry, State.FOUND, finding("SECOND-ANSWER", "body", ""))
        return CallBack.DIFFERS

    def _keep_beside(self, entry: Entry, state: State, found: Finding) -> None:
        """Enter what came beside the answer that counts; so many times, since anybody may send what he likes."""
        beside = ("MALFORMED", "SECOND-ANSWER")
        if sum(step.rule in beside for step in entry.transitions) >= MOST_BESIDE:
            return
        at_us = max(micros(self._driver.env.now), to_us(self._driver.now()), entry.transitions[-1].at_us)
        step = Transition(state, at_us, found.said, rule=found.rule, field=found.field, value=found.value)
        self._ledger.append(entry.filed.key, step)

    def waiting(self) -> list[str]:
        """The requests that wait here for a call-back, which may have come to a worker."""
        return sorted(self._waiting.keys() - self._called_back.keys())

    def collect(self, keys: Sequence[str]) -> None:
        """Hand over what workers have put by for some of them."""
        for key, result in self._ledger.call_backs(keys).items():
            if key in self._waiting and key not in self._called_back:
                self._called_back[key] = digest(result)
                self._deliver(result, CallBack.ACCEPTED)

    def ended(self, key: str) -> None:
        """A request has ended: a call-back for it is late from now on."""
        self._called_back.pop(key, None)
        self._waiting.pop(key, None)

    async def _send(self, request: OnDemandRequest, answer_by_us: Micros) -> Sent:
        link, keys = self.links.get(self._registry.points[request.esiid].tdsp_key), self._link_of(request.esiid)
        if link is None or keys is None:
            return _not_taken("no head-end is linked for this TDSP")
        wanted = {
            "correlationId": request.key,
            "kind": request.kind,
            "esiid": request.esiid,
            "meterAllowed": request.meter_allowed,
            "storeAllowed": self._policy.source is not Source.METER_ONLY,
            "answerBy": local_us(answer_by_us),
            "replyTo": f"{self._reply_to}{CALL_BACKS}/{request.key}/{keys.seal(request.key)}",
            "callReference": request.call_reference,
        }
        if request.kind is InquiryKind.INTERVALS:
            wanted |= {"start": local(request.start), "end": local(request.end)}
        # Told only where the policy has it so: a head-end may know no such field.
        if self._policy.store_within_s:
            wanted["storeWithin"] = self._policy.store_within_s
        if self._policy.last_gasp_answers:
            wanted["lastGaspAnswers"] = True
        if self._policy.push_to_smt:
            wanted["pushToSmt"] = True
        body = InquiryRequest.model_validate(wanted).model_dump_json(exclude_unset=True)
        try:
            reply = await self._http.post(
                f"{link}/inquiries",
                content=body,
                headers=bearing(keys.smt),
                timeout=self._timeout,
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol):
            return _UNREACHABLE
        except httpx.HTTPError:
            return _NOT_KNOWN
        if reply.status_code != 202:
            return _not_taken(f"the TDSP's head-end did not take the inquiry (HTTP {reply.status_code}{_said(reply)})")
        other = _other_id(reply, request.key)
        if other:
            request.found.append(finding("OTHER-ID", "correlationId", other))
        return Sent(True)

    def _link_of(self, esiid: str) -> LinkKeys | None:
        point = self._registry.points.get(esiid)
        return None if point is None else self._keys.get(point.tdsp_key)

    def _put_by(self, entry: Entry, result: InquiryResult) -> CallBack:
        """At a worker: put it by for the dispatcher, who hands it over at its next look."""
        if entry.ended or entry.last.state is State.ANSWERED:
            return self._late(entry, result)
        key = entry.filed.key
        if self._ledger.keep_call_back(key, result, to_us(self._driver.now())):
            return CallBack.ACCEPTED
        same = digest(self._ledger.call_backs([key])[key]) == digest(result)
        return CallBack.DUPLICATE if same else self._differs(entry)

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


def _said(reply: httpx.Response) -> str:
    """What a head-end says of why it took nothing: the code and sentence of our own's shape, short and in plain letters; empty of any other."""
    try:
        body = document(reply.content)
    except ValueError:
        return ""
    told = [body.get(name) for name in ("code", "message")] if isinstance(body, dict) else []
    words = ": ".join(word for word in told if isinstance(word, str))[:200]
    return f"; {ascii(words)[1:-1]}" if words else ""


def _other_id(reply: httpx.Response, key: str) -> str:
    """The id that an acknowledgement names, if it is another one. It need not name any."""
    try:
        body = document(reply.content)
    except ValueError:
        return ""
    named = body.get("correlationId", key) if isinstance(body, dict) else key
    return "" if named == key else str(named)
