"""What a ledger entry tells its requester: the market's status reply. Pure, and written as SMT writes numbers.

A register read is a JSON number in scientific notation, ``2.3459133E+4``; pending it is ``0E+0``.
"""

from __future__ import annotations

from decimal import Decimal

from headend.wire import InquiryKind, InquiryResult
from meters.calendar import Seconds, local, seconds, to_s, us_stamp
from simulator.smt.doors.both.refusal import SILENT, STATUS_OF, wire_refusal
from simulator.smt.doors.market.odr_wire import PENDING, RETRIEVED, AnswerFinding, OdrRead, OdrStatus, Span
from simulator.smt.ondemand.ledger import Entry
from simulator.smt.ondemand.lifecycle import ENDED, State
from simulator.smt.ondemand.rules import RULES


def scientific(wh: int) -> str:
    """KWh of whole Wh as SMT writes the number: ``2.3459133E+4``, ``0E+0``."""
    kwh = Decimal(wh).scaleb(-3).normalize()
    return f"{kwh:E}" if kwh else "0E+0"


def status_of(entry: Entry, trans_id: str) -> OdrStatus:
    """The reply of ``/v2/odrstatus/``."""
    filed, last, content = entry.filed, entry.last, entry.content
    status = OdrStatus(trans_id=trans_id, correlationId=filed.key, statusCode="PEN", statusReason=PENDING)
    if filed.kind is InquiryKind.INTERVALS:
        status.gap = _span(filed.start, filed.end)
        status.uncovered = [_span(*filed.uncovered)] if filed.uncovered else []
        status.holes = [_span(*hole) for hole in filed.holes]
    if last.state not in ENDED:
        status.odrRead = OdrRead(registeredRead=0, readDate=us_stamp(to_s(filed.submitted_us)))
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
        status.findings = [
            AnswerFinding(code=step.rule, field=step.field, reason=step.reason)
            for step in entry.transitions
            if step.state is State.FOUND and RULES[step.rule].author == "head-end"
        ] or None
    return status


def _add_content(status: OdrStatus, kind: InquiryKind, content: InquiryResult) -> None:
    if content.register_read is not None:
        read = content.register_read
        status.odrRead = OdrRead(registeredRead=read.wh / 1000, readDate=us_stamp(seconds(read.at.timestamp())))
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


def _span(start: Seconds, end: Seconds) -> Span:
    return Span(start=local(start), end=local(end))
