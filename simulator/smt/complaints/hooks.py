"""Where complaints act inside SMT: the middle tier loses requests, the desk refuses them before any allowance is looked at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from meters.calendar import Seconds, iso, local, seconds
from simulator.smt.complaints.declared import Complaint, Complaints, Sought
from simulator.smt.complaints.kinds import KINDS, ComplaintKind, Where
from simulator.smt.ondemand.middle import Middle, MiddleDraws
from simulator.smt.registry.records import User
from simulator.smt.throttle.decision import Refusal

_HOUR_S = seconds(3600)


class ComplaintMiddle:
    """``MiddleDraws`` that loses the requests of t_failed and failed; every other one has its own draw."""

    def __init__(self, draws: MiddleDraws, complaints: Complaints, sought: Callable[[str], Sought]) -> None:
        """sought: what is known of the request with a key."""
        self._draws = draws
        self._complaints = complaints
        self._sought = sought

    def __call__(self, key: str) -> Middle:
        """See ``MiddleDraws``; asked once per request, when it sets out."""
        drawn = self._draws(key)
        if not self._complaints:
            return drawn
        found = self._complaints.strike(self._sought(key), ComplaintKind.T_FAILED, ComplaintKind.FAILED)
        if found is None:
            return drawn
        lost = "FAILED" if found.spec.kind is ComplaintKind.FAILED else "T-FAILED"
        self._complaints.struck(found, request=key, did=lost)
        return drawn._replace(lost=lost)


#: By each kind that refuses: the refusal's code, and what the portal answers instead.
REFUSED_WITH = {
    ComplaintKind.QUOTA_USED: ("QUOTA-USED", "5031"),
    ComplaintKind.SMT_MAINTENANCE: ("SMT-MAINTENANCE", "SMT-MAINTENANCE"),
    ComplaintKind.TDSP_MAINTENANCE: ("TDSP-MAINTENANCE", "TDSP-MAINTENANCE"),
}
_AT_DESK = tuple(kind for kind, row in KINDS.items() if row.where is Where.DESK)


def refusal_of(complaints: Complaints, user: User, esiid: str, now: Seconds) -> Refusal | None:
    """Why a complaint has an on-demand request refused, and when to come back; None if none has.

    Maintenance: its end. quota_used: the next clock hour, or its end if that comes first.
    """
    if not complaints:
        return None
    found = complaints.strike(Sought(user.username, user.duns, (esiid,)), *_AT_DESK)
    if found is None:
        return None
    kind = found.spec.kind
    complaints.struck(found, esiid=esiid, did="refused")
    code, portal_code = REFUSED_WITH[kind]
    if kind is ComplaintKind.QUOTA_USED:
        retry_at = (now // _HOUR_S + 1) * _HOUR_S
        retry_at = retry_at if found.until is None else min(retry_at, found.until)
        by = found.spec.by or "another client of this ESI ID"
        told = f"The hour's on-demand reads of this ESI ID are used up by {by}."
        return Refusal(code, told, retry_at, portal_code, True)
    assert found.until is not None
    return Refusal(code, maintenance(found)[1], found.until, portal_code, True)


def maintenance(complaint: Complaint) -> tuple[str, str]:
    """Code and sentence of a maintenance window."""
    kind = complaint.spec.kind
    who = "Smart Meter Texas" if kind is ComplaintKind.SMT_MAINTENANCE else "The TDSP"
    return REFUSED_WITH[kind][0], f"{who} is under maintenance until {iso(complaint.until or seconds(0))}."


def until_told(complaint: Complaint) -> datetime:
    """When a maintenance window ends."""
    assert complaint.until is not None
    return local(complaint.until)
