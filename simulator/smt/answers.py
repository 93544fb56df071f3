"""What a ledger entry tells its requester: the market's status reply. Pure, and written as SMT writes numbers.

A register read is a JSON number in scientific notation, ``2.3459133E+4``; pending it is ``0E+0``.
"""

from __future__ import annotations

from decimal import Decimal

from headend.wire import InquiryKind, InquiryResult, Outcome
from meters.calendar import INTERVAL_S, US, iso, local, us_stamp
from simulator.smt.ledger import Entry, Filed
from simulator.smt.lifecycle import ENDED, State
from simulator.smt.odr_wire import PENDING, RETRIEVED, OdrRead, OdrStatus, Refusal, Span
from simulator.smt.throttle import Refusal as ThrottleRefusal

#: What a refusal by a silent limit says.
SILENT = "The request was not processed"
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
    if content is not None:
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


def checked(filed: Filed, result: InquiryResult) -> tuple[Outcome, str]:
    """Outcome and reason of a head-end's answer, held against what was asked (AMB-2).

    Completed is only what is complete: every interval of the gap delivered or reported missing, a register read, a power status other
    than UNKNOWN. A head-end that says so without it has failed.
    """
    if result.outcome is not Outcome.COMPLETED:
        return result.outcome, result.reason or f"the TDSP answered: {result.outcome.value}"
    if filed.kind is InquiryKind.REGISTER and result.register_read is None:
        return Outcome.FAILED, "the TDSP's answer holds no register read"
    if filed.kind is InquiryKind.POWER and (result.power is None or result.power.status == "UNKNOWN"):
        return Outcome.FAILED, "nothing is known of the power status"
    if filed.kind is InquiryKind.INTERVALS:
        told = {int(one.end.timestamp()) for one in result.intervals} | {int(at.timestamp()) for at in result.missing}
        lacking = sorted(set(range(filed.start + INTERVAL_S, filed.end + 1, INTERVAL_S)) - told)
        if lacking:
            return Outcome.FAILED, f"the TDSP's answer lacks {len(lacking)} intervals, the first ends {iso(lacking[0])}"
    return Outcome.COMPLETED, result.reason


def trimmed(filed: Filed, result: InquiryResult) -> InquiryResult:
    """The answer without intervals that were not asked for: they would run into the VEE part (AMB-5)."""
    if filed.kind is not InquiryKind.INTERVALS:
        return result
    first, last = local(filed.start), local(filed.end)
    return result.model_copy(
        update={
            "intervals": [one for one in result.intervals if first < one.end <= last],
            "missing": [end for end in result.missing if first < end <= last],
        }
    )


def _span(start: int, end: int) -> Span:
    return Span(start=local(start), end=local(end))
