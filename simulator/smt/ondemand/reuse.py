"""An earlier read that answers again: its content as an answer to a new request, with no meter read and nothing said to be fresher than it is. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from headend.wire import InquiryKind, InquiryResult, Outcome
from meters.calendar import Seconds, day_of, seconds
from simulator.smt.ondemand.judged import trimmed
from simulator.smt.ondemand.ledger import Entry
from simulator.smt.ondemand.lifecycle import Answered, Filed


def answered_again(earlier: Entry | None, asked: Filed, may_see: Callable[[date], bool]) -> Answered | None:
    """What a completed read gives as the answer to another request; None if it is no answer to that.

    may_see: whether who asks may see an operating day of the ESI ID: a register or a power status of another retailer's last day is that retailer's.
    Intervals are not given again if they begin after the new gap does: what lies between would be missing, and nobody would have said so. Every interval keeps the time at which it was collected and says ``store``: no meter was read for this request. ``reachesTo`` stays where the
    earlier read reached, which may be before the end of the new gap.
    """
    if earlier is None or earlier.content is None:
        return None
    content = trimmed(asked, earlier.content, earlier.filed.end)
    if asked.kind is not InquiryKind.INTERVALS:
        return _again(content, seconds(0)) if may_see(day_of(_read_at(content))) else None
    if earlier.filed.start > asked.start:
        return None
    reaches = min(earlier.filed.end, asked.end)
    return _again(content, reaches) if reaches > asked.start else None


def _read_at(content: InquiryResult) -> Seconds:
    """UTC epoch seconds of what was read."""
    read = content.register_read
    at = read.at if read is not None else content.power.at if content.power is not None else None
    # A power status without an instant tells of nothing that was seen on a day.
    return seconds(at.timestamp()) if at is not None else seconds(0)


def _again(content: InquiryResult, reaches_to: Seconds) -> Answered:
    again = content.model_copy(
        update={
            "intervals": [interval.model_copy(update={"source": "store"}) for interval in content.intervals],
            "meterReads": 0,
            "octets": 0,
        }
    )
    return Answered(Outcome.COMPLETED, "", 0, again, 0, reaches_to)
