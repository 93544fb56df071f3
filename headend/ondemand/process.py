"""The on-demand read as one simpy process: the store first, the meter for what the store lacks, retries, an answer.

The same generator runs over Modbus TCP (``LiveMeters``) and over draws (the load engine's ports).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import simpy

from headend.network.law import RETRY_WAITS_US, TRIES, TRY_TIMEOUT_US, AccessPoint, Try, TryDraws, Workers
from headend.ports import MeterKey
from headend.wire import InquiryKind, Outcome
from meters.calendar import Micros, Seconds, micros, seconds

#: Characters of a reason that names several meters, at most: what goes before it has its room on the wire.
_LONGEST_REASON = 400


@dataclass(slots=True)
class Inquiry:
    """One inquiry of SMT's, as the process sees it: at one meter. Instants: UTC epoch seconds; ``answer_by_us`` in microseconds."""

    key: str
    kind: InquiryKind
    meter: MeterKey
    start: Seconds
    end: Seconds
    meter_allowed: bool
    answer_by_us: Micros
    store_allowed: bool = True
    #: By how many seconds the store may fall short of the gap's end and still be the answer.
    store_within: Seconds = seconds(0)
    #: Whether a last gasp that nothing has unsaid answers a power status before any try.
    last_gasp_answers: bool = False


@dataclass(slots=True)
class Answer:
    """How the inquiry ended. ``lacked_from``: from where on the store had to be completed, or falls short and may (None: it held everything)."""

    outcome: Outcome
    reason: str = ""
    lacked_from: Seconds | None = None
    meter_reads: int = 0
    reading: Any = None
    #: Of a power status: when power failed, UTC epoch seconds, as the meter told and has not unsaid by restoration or answer.
    power_failed_at: Seconds | None = None


class Store(Protocol):
    """What the process must know of the head-end's store."""

    def first_missing(self, meter: MeterKey, start: Seconds, end: Seconds) -> Seconds | None:
        """Start of the first interval in [start, end) that was never collected; None when all are known."""


class Meters(Protocol):
    """The way to the meters: live over Modbus TCP, or modelled."""

    workers: Workers

    def access_point(self, meter: MeterKey) -> AccessPoint:
        """The radio resource a meter hangs on."""

    def power_failed_at(self, meter: MeterKey) -> Seconds | None:
        """When a meter's power failed, UTC epoch seconds, if it is off as far as the head-end was told; else None."""

    def read(
        self, inquiry: Inquiry, lacked_from: Seconds, start_us: Micros, attempt: Try
    ) -> Generator[simpy.Event, Any, Any]:
        """Try the meter once, from ``start_us`` on; keep what it gave in the store. The reading, or None after the time-out."""


def worth_a_try(made: int, power_off: bool) -> bool:
    """Whether a meter that did not answer ``made`` tries is tried (again).

    One that has told of its power failure is tried once, because the end of the failure may not have been told yet: in a storm each further try
    would only hold the access point that others wait for. Source: DOMAIN §7 (circuit breaker); the one try is this project's.
    """
    return made < (1 if power_off else TRIES)


def answer_inquiry(
    env: simpy.Environment, inquiry: Inquiry, store: Store, meters: Meters, draws: TryDraws
) -> Generator[simpy.Event, Any, Answer]:
    """Answer one inquiry: a sub-generator that returns the ``Answer``.

    An INTERVALS inquiry is completed when every interval is known (delivered, or reported missing by the meter), but for the last ``store_within`` seconds. Other kinds
    need the meter; a POWER inquiry is answered by a last gasp too, if the meter has not been heard since: at once or where the meter is silent. Never later than ``answer_by_us``: a
    try that could end after it is not begun.
    """
    lacked_from: Seconds | None = inquiry.start
    if inquiry.kind is InquiryKind.INTERVALS and inquiry.store_allowed:
        lacked_from = store.first_missing(inquiry.meter, inquiry.start, inquiry.end)
        if lacked_from is None or lacked_from + inquiry.store_within >= inquiry.end:
            return Answer(Outcome.COMPLETED, lacked_from=lacked_from)
    assert lacked_from is not None
    failed_at = meters.power_failed_at(inquiry.meter)
    if inquiry.kind is InquiryKind.POWER and inquiry.last_gasp_answers and failed_at is not None:
        return Answer(Outcome.COMPLETED, lacked_from=lacked_from, power_failed_at=failed_at)
    if not inquiry.meter_allowed:
        return Answer(Outcome.REFUSED, "the meter is needed and may not be read", lacked_from)
    reads = 0
    while worth_a_try(reads, meters.power_failed_at(inquiry.meter) is not None):
        point = meters.access_point(inquiry.meter)
        taken_up_us = meters.workers.take_up(micros(env.now))
        start_us = point.free_at(taken_up_us)
        if start_us + TRY_TIMEOUT_US > inquiry.answer_by_us:
            # The worker finds it out, and is free again.
            meters.workers.busy_until(taken_up_us)
            if taken_up_us > env.now:
                yield env.timeout(max(0, min(taken_up_us, inquiry.answer_by_us) - micros(env.now)))
            return _unanswered(inquiry, meters, "no time left for another try at the meter", lacked_from, reads)
        attempt = point.tried(start_us, draws(inquiry.key, reads))
        meters.workers.busy_until(start_us + attempt.takes_us)
        reading = yield from meters.read(inquiry, lacked_from, start_us, attempt)
        reads += 1
        if reading is not None:
            if inquiry.kind is InquiryKind.INTERVALS and (
                store.first_missing(inquiry.meter, inquiry.start, inquiry.end) is not None
            ):
                return Answer(
                    Outcome.FAILED, "the meter's intervals do not reach the end of the gap", lacked_from, reads, reading
                )
            # Power may have failed after the meter's reply, while that was on its way.
            failed_at = meters.power_failed_at(inquiry.meter) if inquiry.kind is InquiryKind.POWER else None
            return Answer(Outcome.COMPLETED, "", lacked_from, reads, reading, failed_at)
        if worth_a_try(reads, meters.power_failed_at(inquiry.meter) is not None):
            left_us = inquiry.answer_by_us - micros(env.now)
            yield env.timeout(max(0, min(RETRY_WAITS_US[reads - 1], left_us)))
    return _unanswered(inquiry, meters, f"the meter did not answer {_tries(reads)}", lacked_from, reads)


def joined(answers: Sequence[tuple[str, Answer]], kind: InquiryKind) -> Answer:
    """What the answers of an ESI ID's meters, each with the meter's number, are of the ESI ID: complete if all are, and else it says which lacks.

    Of a power status one last gasp is enough. Readings stay with their meters.
    """
    if len(answers) == 1:
        return answers[0][1]
    whole = Answer(Outcome.COMPLETED, meter_reads=sum(answer.meter_reads for _, answer in answers))
    if kind is InquiryKind.POWER and any(answer.power_failed_at is not None for _, answer in answers):
        return whole
    for number, answer in answers:
        if answer.outcome is not Outcome.COMPLETED:
            whole.outcome = answer.outcome
            whole.reason += f"{'; ' if whole.reason else ''}meter {number}: {answer.reason}"
    whole.reason = whole.reason[:_LONGEST_REASON]
    return whole


def _unanswered(inquiry: Inquiry, meters: Meters, reason: str, lacked_from: Seconds, reads: int) -> Answer:
    """The answer without the meter's: its last gasp says of its power all that is asked, and of anything else why it is silent."""
    failed_at = meters.power_failed_at(inquiry.meter)
    if failed_at is None:
        return Answer(Outcome.FAILED, reason, lacked_from, reads)
    if inquiry.kind is InquiryKind.POWER:
        return Answer(Outcome.COMPLETED, "", lacked_from, reads, power_failed_at=failed_at)
    return Answer(Outcome.FAILED, f"{reason}: it has told that its power failed", lacked_from, reads)


def _tries(count: int) -> str:
    return "1 try" if count == 1 else f"{count} tries"
