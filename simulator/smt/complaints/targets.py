"""Whether a complaint can ever strike: whom it names must be there, a call that it acts on too, and its time must not be over. Pure.

Only who declares one at the control API is told; a complaint that was declared earlier ends by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from meters.calendar import Seconds, iso
from simulator.smt.complaints.declared import ComplaintSpec, Unmatched, instant
from simulator.smt.complaints.kinds import acts_at
from simulator.smt.registry.registry import Registry


def unmatched(
    spec: ComplaintSpec, registry: Registry, calls: Collection[str], called: Callable[[str], bool], now: Seconds
) -> Unmatched | None:
    """The first reason why a complaint could never strike; None if it may.

    calls: paths of portal and market API, without their last slash. called: whether SMT answers to a name. now: model time, UTC epoch seconds.
    """
    users = registry.users
    for esiid in spec.esiids:
        if esiid not in registry.points:
            return Unmatched("esiids", f"there is no ESI ID {esiid[:40]}")
    if spec.username is not None and spec.username not in users:
        return Unmatched("username", f"there is no log-in {spec.username}")
    if spec.duns is not None:
        speaks = {user.username for user in users.values() if user.duns == spec.duns}
        if not speaks:
            return Unmatched("duns", f"no log-in speaks for the DUNS number {spec.duns}")
        if spec.username is not None and spec.username not in speaks:
            return Unmatched("username", f"{spec.username} does not speak for the DUNS number {spec.duns}")
    struck = [path for path in calls if acts_at(spec.kind, path)]
    for begins in spec.paths:
        if not any(f"{path}/".startswith(begins) for path in struck):
            return Unmatched("paths", f"no call that {spec.kind.value} acts on begins with {begins[:80]}")
    if spec.host is not None and not called(spec.host.lower()):
        return Unmatched(
            "host", f"SMT is not called {spec.host[:80]}: write the name or address of a Host header, without a port"
        )
    until = instant(spec.until)
    if until is not None and until <= now:
        return Unmatched("until", f"it is past: here it is {iso(now)}")
    return None
