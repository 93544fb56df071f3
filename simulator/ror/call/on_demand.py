"""An on-demand request as the retailer lives it: asked once, then polled until it is answered, refused, failed, or given up.

One process for meter reads and power status; it never raises for what SMT answers, it records it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import simpy

from headend.ports import Driver
from meters.calendar import Seconds, seconds, to_us
from simulator.ror.client import SmtClient
from simulator.ror.errors import RorError, SmtRefused
from simulator.smt.doors.market.odr_wire import OdrStatus

#: After this many seconds without an answer the retailer stops polling [D].
GIVE_UP_S = seconds(600)
#: SMT's answer about an ESI ID, or days of it, that the retailer may not see.
NOT_YOURS = "smt.AC1"


class RequestEnd(StrEnum):
    """How an on-demand request ended for the retailer."""

    NOT_MADE = "not made"
    ANSWERED = "answered"
    #: By a rule, at SMT or at the head-end; the answer may still bring what the store holds.
    REFUSED = "refused"
    #: The TDSP could not fulfil it (T-FAILED), or SMT answered with an error.
    FAILED = "failed"
    #: No answer until the retailer stopped polling.
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A refusal or an error as it was told to the retailer."""

    code: str
    reason: str
    #: UTC epoch seconds at which to come back; None if not told.
    retry_at: Seconds | None = None


@dataclass(frozen=True, slots=True)
class OnDemand:
    """A request and how it ended. Instants are UTC epoch seconds of model time."""

    end: RequestEnd
    requested_at: Seconds | None = None
    ended_at: Seconds | None = None
    correlation_id: str | None = None
    #: Status polls sent.
    polls: int = 0
    #: Polls that SMT answered with an error.
    failed_polls: int = 0
    status: OdrStatus | None = None
    trouble: Trouble | None = None

    @property
    def not_ours(self) -> bool:
        """Whether SMT says that the retailer may not ask for this ESI ID today: it is another's, or nobody's."""
        return self.trouble is not None and self.trouble.code == NOT_YOURS


class Line:
    """The retailer's line to SMT within one call: exchanges numbered by the call, so that their order is the same twice."""

    def __init__(self, driver: Driver, call_reference: str) -> None:
        """Number from one."""
        self.driver = driver
        self.call_reference = call_reference
        self._count = 0

    def exchange(self, what: str, call: Callable[[], Awaitable[Any]]) -> simpy.Event:
        """Start one exchange with SMT; the event carries its value or fails with its exception."""
        self._count += 1
        ident = f"{self.call_reference}/{self._count:04d}/{what}"
        return self.driver.io("ror", ident, call, lane="smt")


def on_demand(
    line: Line,
    ask: Callable[[], Awaitable[str]],
    client: SmtClient,
    poll_s: Seconds,
    give_up_s: Seconds = GIVE_UP_S,
) -> Generator[simpy.Event, Any, OnDemand]:
    """Ask and poll every ``poll_s`` seconds until the request ends (S3 to S5).

    ask: sends the request and gives its correlation id. An error on a poll is no answer: SMT's front end has bad minutes, so polling goes on.
    """
    driver = line.driver
    requested_at = driver.now()
    try:
        correlation_id = yield line.exchange("ask", ask)
    except SmtRefused as refusal:
        trouble = Trouble(refusal.code, refusal.reason, refusal.retry_at)
        return OnDemand(RequestEnd.REFUSED, requested_at, driver.now(), trouble=trouble)
    except RorError as error:
        trouble = Trouble(error.code, error.message)
        return OnDemand(RequestEnd.FAILED, requested_at, driver.now(), trouble=trouble)
    polls = failed_polls = 0
    last: Trouble | None = None
    while driver.now() + poll_s <= requested_at + give_up_s:
        yield driver.env.timeout(to_us(poll_s))
        polls += 1
        try:
            status: OdrStatus = yield line.exchange(
                "poll", lambda: client.odr_status(correlation_id, line.call_reference)
            )
        except RorError as error:
            failed_polls += 1
            last = Trouble(error.code, error.message)
            continue
        if status.statusCode != "PEN":
            end, failure = _ended(status)
            return OnDemand(
                end, requested_at, driver.now(), correlation_id, polls, failed_polls, status=status, trouble=failure
            )
    waited = driver.now() - requested_at
    trouble = last or Trouble("ror.odr.unanswered", f"SMT had no answer after {waited} s.")
    return OnDemand(
        RequestEnd.UNANSWERED, requested_at, driver.now(), correlation_id, polls, failed_polls, trouble=trouble
    )


def _ended(status: OdrStatus) -> tuple[RequestEnd, Trouble | None]:
    refusal = status.refusal
    if refusal is not None:
        retry = None if refusal.retryAt is None else seconds(refusal.retryAt.timestamp())
        return RequestEnd.REFUSED, Trouble(refusal.code, refusal.reason, retry)
    if status.statusCode == "0":
        return RequestEnd.ANSWERED, None
    return RequestEnd.FAILED, Trouble("smt.odr.failed", status.statusReason)
