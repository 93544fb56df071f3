"""How both doors tell that a request was taken, refused, or ended without an answer."""

from __future__ import annotations

from meters.calendar import local
from simulator.smt.doors.both.bodies import Refusal
from simulator.smt.ondemand.lifecycle import State
from simulator.smt.throttle.decision import Refusal as ThrottleRefusal

SUBMITTED = "Request submitted successfully for further processing"
#: What a refusal by a silent limit says.
SILENT = "The request was not processed"
#: SMT's word for how a request ended without an answer; both doors have one word for what was lost and what came too late.
STATUS_OF = {State.FAILED: "FAILED", State.T_FAILED: "T-FAILED", State.EXPIRED: "T-FAILED"}


def wire_refusal(refusal: ThrottleRefusal | None) -> Refusal | None:
    """A refusal as the requester reads it; None for none, and for a silent limit."""
    if refusal is None or not refusal.told:
        return None
    retry_at = local(refusal.retry_at) if refusal.retry_at else None
    return Refusal(code=refusal.code, reason=refusal.reason, retryAt=retry_at)
