"""Who else used a meter's allowance up: whom a refusal tells that it was not the requester alone. Classes and doors are told, never names."""

from __future__ import annotations

from collections.abc import Iterable

from meters.calendar import iso, to_s
from simulator.smt.ondemand.ledger import Entry
from simulator.smt.ondemand.lifecycle import ENDED, State, kind_counted
from simulator.smt.throttle.decision import Kind, Policy, Refusal, Scope

#: So many of the latest are told.
_TOLD = 3


def with_others(policy: Policy, refusal: Refusal, kind: Kind, username: str, entries: Iterable[Entry]) -> Refusal:
    """The refusal of a limit per ESI ID with who else drew on it, the latest last; any other refusal as it is.

    entries: the requests of this ESI ID that may have drawn on the limit's window, by time of submission. Its allowance is the ESI ID's,
    whoever asks (AMB-3), so a customer and a retailer can use it up for each other.
    """
    codes = {limit.code for limit in policy.limits if limit.scope is Scope.ESIID}
    if refusal.code not in codes or not refusal.told:
        return refusal
    others = [entry for entry in entries if kind_counted(entry.filed.kind) is kind and entry.filed.username != username]
    drew = [other for other in others if _drew(other)]
    if not drew:
        return refusal
    said = "; ".join(_by(one) for one in drew[-_TOLD:])
    return refusal._replace(reason=f"{refusal.reason} By others: {said}.")


def _drew(entry: Entry) -> bool:
    """Whether a request has used the allowance, or may yet."""
    if entry.last.state not in ENDED:
        return entry.last.meter_allowed or any(step.meter_allowed for step in entry.transitions)
    return entry.unallowed or (entry.last.state is State.COMPLETED and entry.last.meter_reads > 0)


def _by(entry: Entry) -> str:
    what = "used" if entry.last.state in ENDED else "under way"
    who = entry.filed.requester_class.replace("_", " ")
    return f"{who} ({entry.filed.door.value}), asked at {iso(to_s(entry.filed.submitted_us))}, {what}"
