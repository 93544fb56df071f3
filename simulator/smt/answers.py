"""What a ledger entry tells its requester: the market's status reply. Pure, and written as SMT writes numbers.

A register read is a JSON number in scientific notation, ``2.3459133E+4``; pending it is ``0E+0``.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from pydantic import BaseModel

from headend.wire import InquiryKind, InquiryResult, Outcome
from meters.calendar import INTERVAL_S, US, iso, local, us_stamp
from simulator.smt.ledger import Entry, Filed
from simulator.smt.lifecycle import ENDED, State
from simulator.smt.odr_wire import PENDING, RETRIEVED, OdrRead, OdrStatus, Refusal, Span
from simulator.smt.throttle import Refusal as ThrottleRefusal

_Told = TypeVar("_Told", bound=BaseModel)
#: What a refusal by a silent limit says.
SILENT = "The request was not processed"
#: By how much the stamp of a register read, the meter's own, may lie before the request: a clock that is further behind fails VEE too (DOMAIN §6
#: [M]), and the read could be an old one. How far ahead of the answer is a default of this project. Seconds.
CLOCK_BEHIND_S, CLOCK_AHEAD_S = 180, 3600
#: What a power status comes from (AMB-2, AMB-11).
_BACKED_BY = {"ON": "reply", "OFF": "event"}
#: SMT's word for how a request ended without an answer; both doors have one word for what was lost and what came too late.
STATUS_OF = {State.FAILED: "FAILED", State.T_FAILED: "T-FAILED", State.EXPIRED: "T-FAILED"}


def scientific(wh: int) -> str:
    """KWh of whole Wh as SMT writes the number: ``2.3459133E+4``, ``0E+0``."""
    kwh = Decimal(wh).scaleb(-3).normalize()
    return f"{kwh:E}" if kwh else "0E+0"


def wire_refusal(refusal: ThrottleRefusal | None) -> Refusal | None:
    """A refusal as the requester reads it; None for none, and for a silent limit."""
    if refusal is None or not refusal.told:
        return None
    retry_at = local(refusal.retry_at) if refusal.retry_at else None
    return Refusal(code=refusal.code, reason=refusal.reason, retryAt=retry_at)


def status_of(entry: Entry, trans_id: str) -> OdrStatus:
    """The reply of ``/v2/odrstatus/``."""
    filed, last, content = entry.filed, entry.last, entry.content
    status = OdrStatus(trans_id=trans_id, correlationId=filed.key, statusCode="PEN", statusReason=PENDING)
    if filed.kind is InquiryKind.INTERVALS:
        status.gap = _span(filed.start, filed.end)
        status.uncovered = [_span(*filed.uncovered)] if filed.uncovered else []
        status.holes = [_span(*hole) for hole in filed.holes]
    if last.state not in ENDED:
        status.odrRead = OdrRead(registeredRead=0, readDate=us_stamp(filed.submitted_us // US))
        return status
    completed = last.state is State.COMPLETED
    status.statusCode = "0" if completed else "1"
    status.statusReason = RETRIEVED if completed else last.reason
    if last.state in STATUS_OF:
        status.statusReason = f"{STATUS_OF[last.state]}: {last.reason}"
    if last.state is State.REFUSED:
        status.refusal = wire_refusal(last.refusal)
        status.statusReason = status.refusal.reason if status.refusal else SILENT
    # What came too late to be told is not told: nobody would have paid for it.
    if content is not None and last.state is not State.EXPIRED:
        _add_content(status, filed.kind, content)
    return status


def _add_content(status: OdrStatus, kind: InquiryKind, content: InquiryResult) -> None:
    if content.register_read is not None:
        read = content.register_read
        status.odrRead = OdrRead(registeredRead=read.wh / 1000, readDate=us_stamp(int(read.at.timestamp())))
    if kind is InquiryKind.POWER:
        status.powerStatus = content.power
    elif kind is InquiryKind.INTERVALS:
        status.quality = "non-VEE"
        status.intervals = content.intervals
        status.missing = content.missing
        status.partial = content.partial
        status.reachesTo = content.reachesTo
    if kind is not InquiryKind.REGISTER:
        status.meterReads = content.meterReads


def status_json(status: OdrStatus) -> str:
    """The reply's text, the register read in SMT's notation."""
    text = status.model_dump_json(by_alias=True, exclude_none=True, exclude={"odrRead"})
    if status.odrRead is None:
        return text
    number = scientific(round(status.odrRead.registeredRead * 1000))
    date = OdrRead.model_dump_json(status.odrRead, include={"readDate"}).removeprefix("{")
    return f'{text[:-1]},"odrRead":{{"registeredRead":{number},{date}}}'


def checked(filed: Filed, result: InquiryResult, now: int) -> tuple[Outcome, str, InquiryResult]:
    """A head-end's answer held against what was asked (AMB-2): outcome, reason, and what of it is handed on.

    now: UTC epoch seconds. Completed is only what is complete: every interval of the gap delivered or reported missing, once; a register read taken
    after the request; a power status that something backs. A head-end that says so without it has failed.
    """
    handed_on = _in_local_time(trimmed(filed, result))
    if result.outcome is not Outcome.COMPLETED:
        return result.outcome, result.reason or f"the TDSP answered: {result.outcome.value}", handed_on
    fault = _FAULTS[filed.kind](filed, handed_on, now)
    if not fault:
        return Outcome.COMPLETED, result.reason, handed_on
    # What is judged to be no read is not given as one. Intervals that are sound are, as after a refusal.
    unknown = handed_on.power is not None and handed_on.power.status == "UNKNOWN"
    judged = {"register_read": None} | ({} if unknown else {"power": None})
    return Outcome.FAILED, fault, handed_on.model_copy(update=judged) if filed.kind in _JUDGED else handed_on


def _in_local_time(result: InquiryResult) -> InquiryResult:
    """A head-end may tell its instants with any offset; who asked reads them all in Central Prevailing Time."""

    def here(when: datetime) -> datetime:
        return local(int(when.timestamp()))

    def of(told: _Told, *names: str) -> _Told:
        return told.model_copy(update={name: here(at) for name in names if (at := getattr(told, name)) is not None})

    return result.model_copy(
        update={
            "intervals": [of(one, "end", "collectedAt") for one in result.intervals],
            "missing": [here(end) for end in result.missing],
            "partial": None if result.partial is None else of(result.partial, "start", "asOf"),
            "reachesTo": None if result.reachesTo is None else here(result.reachesTo),
            "register_read": None if result.register_read is None else of(result.register_read, "at"),
            "power": None if result.power is None else of(result.power, "at"),
        }
    )


def _register_fault(filed: Filed, result: InquiryResult, now: int) -> str:
    if result.register_read is None:
        return "the TDSP's answer holds no register read"
    at, asked = int(result.register_read.at.timestamp()), filed.submitted_us // US
    if not asked - CLOCK_BEHIND_S <= at <= now + CLOCK_AHEAD_S:
        return f"the TDSP's answer is no read taken after the request of {iso(asked)}: it is of {iso(at)}"
    return ""


def _power_fault(_filed: Filed, result: InquiryResult, _now: int) -> str:
    power = result.power
    if power is None or power.status == "UNKNOWN":
        return "nothing is known of the power status"
    if power.source != _BACKED_BY[power.status]:
        return f"the TDSP says {power.status}, and nothing backs it: its source is '{power.source}'"
    return ""


def _intervals_fault(filed: Filed, result: InquiryResult, _now: int) -> str:
    told = {int(one.end.timestamp()) for one in result.intervals} | {int(at.timestamp()) for at in result.missing}
    lacking = sorted(set(range(filed.start + INTERVAL_S, filed.end + 1, INTERVAL_S)) - told)
    if not lacking:
        return ""
    return f"the TDSP's answer lacks {len(lacking)} intervals, or tells them twice; the first ends {iso(lacking[0])}"


#: Kinds whose answer is one reading, and none if that is at fault.
_JUDGED = frozenset({InquiryKind.REGISTER, InquiryKind.POWER})
_FAULTS = {
    InquiryKind.REGISTER: _register_fault,
    InquiryKind.POWER: _power_fault,
    InquiryKind.INTERVALS: _intervals_fault,
}


def trimmed(filed: Filed, result: InquiryResult, read_to: int | None = None) -> InquiryResult:
    """Of an answer what was asked for, each interval that is told once, in order.

    Others would run into the VEE part (AMB-5). Of one that is told twice, or both served and missing, nobody knows which is true. read_to: where the
    intervals of the answer end, UTC epoch seconds, and what is partial begins; the end of the gap unless given.
    """
    if filed.kind is not InquiryKind.INTERVALS:
        return result
    read_to = filed.end if read_to is None else read_to
    told = Counter(int(one.end.timestamp()) for one in result.intervals)
    told.update(int(end.timestamp()) for end in result.missing)
    asked = range(filed.start + INTERVAL_S, filed.end + 1, INTERVAL_S)
    partial, reaches = result.partial, result.reachesTo
    if partial is not None and not int(partial.start.timestamp()) == read_to <= int(partial.asOf.timestamp()):
        partial = None
    if reaches is not None:
        reaches = local(min(max(int(reaches.timestamp()), filed.start), filed.end))

    def sound(end: datetime) -> bool:
        at = int(end.timestamp())
        return at in asked and told[at] == 1

    return result.model_copy(
        update={
            "intervals": sorted((one for one in result.intervals if sound(one.end)), key=lambda one: one.end),
            "missing": sorted(end for end in result.missing if sound(end)),
            "partial": partial,
            "reachesTo": reaches,
        }
    )


def _span(start: int, end: int) -> Span:
    return Span(start=local(start), end=local(end))
