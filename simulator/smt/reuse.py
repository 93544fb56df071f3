"""An earlier read that answers again: its content as an answer to a new request, with no meter read and nothing said to be fresher than it is. Pure."""

from __future__ import annotations

from headend.wire import InquiryKind, InquiryResult, Outcome
from simulator.smt.answers import trimmed
from simulator.smt.ledger import Entry, Filed
from simulator.smt.lifecycle import Answered


def answered_again(earlier: Entry | None, asked: Filed) -> Answered | None:
    """What a completed read gives as the answer to another request; None if nothing of it was asked for.

    Every interval keeps the time at which it was collected and says ``store``: no meter was read for this request. ``reachesTo`` stays where the
    earlier read reached, which may be before the end of the new gap.
    """
    if earlier is None or earlier.content is None:
        return None
    content = trimmed(asked, earlier.content, earlier.filed.end)
    if asked.kind is not InquiryKind.INTERVALS:
        return _again(content, 0)
    reaches = min(earlier.filed.end, asked.end)
    return _again(content, reaches) if reaches > asked.start else None


def _again(content: InquiryResult, reaches_to: int) -> Answered:
    again = content.model_copy(
        update={
            "intervals": [one.model_copy(update={"source": "store"}) for one in content.intervals],
            "meterReads": 0,
            "octets": 0,
        }
    )
    return Answered(Outcome.COMPLETED, "", 0, again, 0, reaches_to)
