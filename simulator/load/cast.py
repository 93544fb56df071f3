"""A workload's requests given to those who may ask at an SMT: its retailers speak through the log-ins there are, its ESI IDs are those of the file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headend.wire import InquiryKind
from simulator.capacity.workload.columns import CLASSES, DOORS, KINDS, Workload
from simulator.errors import SimulatorError
from simulator.smt.throttle.limits import Door, RequesterClass
from simulator.world.callers import CUSTOMER, Right

Longs = NDArray[np.int64]

NO_PORTAL_KIND = "the portal has register reads alone"
NO_CUSTOMER = "nobody may ask through the portal"
NO_CLIENT = "nobody may ask through the market API"


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """Who asks. ``workload``: what can be asked here, of this SMT's ESI IDs."""

    workload: Workload
    rights: Sequence[Right]
    #: (n,) place in ``rights`` of each request.
    right: Longs
    #: Requests that nobody can make here, by why.
    left_out: dict[str, int]
    #: How many ESI IDs the workload has, and how many of them there are here.
    esiids: tuple[int, int]


def cast(workload: Workload, rights: Sequence[Right]) -> Cast:
    """Give every request to somebody who may make it. Requests of one ESI ID stay of one; where there are fewer here, several become one.

    A retailer of the workload always speaks through the same log-in, of a class that has one of its own there through that. Raises SimulatorError ``load.nobody`` if no request can be made.
    """
    rows = workload.requests
    at_portal = rows.door == DOORS.index(Door.PORTAL)
    of_csp = ~at_portal & (rows.requester_class == CLASSES.index(RequesterClass.CSP))
    register = rows.kind == KINDS.index(InquiryKind.REGISTER)
    rep, csp, customers = (list(_speakers(rights, kind).values()) for kind in ("REP", "CSP", CUSTOMER))
    right = np.full(len(rows), -1, dtype=np.int64)
    for who, groups in ((at_portal & register, customers), (of_csp, csp or rep), (~at_portal & ~of_csp, rep or csp)):
        for number, by_class in enumerate(groups):
            mine = np.flatnonzero(who & (rows.ror % len(groups) == number))
            nth = np.unique(rows.esi[mine], return_inverse=True)[1]
            for at, asker in enumerate(CLASSES):
                its = rows.requester_class[mine] == at
                places = np.asarray(by_class.get(asker) or next(iter(by_class.values())))
                right[mine[its]] = places[nth[its] % len(places)]
    lost = right < 0
    why = {
        NO_PORTAL_KIND: at_portal & ~register,
        NO_CUSTOMER: lost & at_portal & register,
        NO_CLIENT: lost & ~at_portal,
    }
    left_out = {text: int(which.sum()) for text, which in why.items() if which.any()}
    kept = np.flatnonzero(~lost)
    if not len(kept):
        text = "; ".join(left_out) or "there is none"
        raise SimulatorError("load.nobody", f"No request can be made: {text}.", mend="Name other callers, or hours.")
    known = list(dict.fromkeys(one.esiid for one in rights))
    number_of = {esiid: number for number, esiid in enumerate(known)}
    esi = np.asarray([number_of[one.esiid] for one in rights], dtype=np.int64)[right[kept]]
    taken = replace(rows.take(kept), esi=(workload.fleet.meters + esi).astype(np.int32))
    return Cast(
        replace(workload, requests=taken, own=tuple(known)),
        rights,
        right[kept],
        left_out,
        (len(np.unique(rows.esi[kept])), len(np.unique(esi))),
    )


def _speakers(rights: Sequence[Right], requester: str) -> dict[str, dict[str, list[int]]]:
    """Places in ``rights`` by retailer and class that its log-in counts as, the usual one first; customers together. Where no class is known, each log-in is a retailer's."""
    found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place, one in enumerate(rights):
        if one.requester == requester:
            whose = "" if requester == CUSTOMER else one.login.duns if one.counted else one.login.username
            found[whose][one.counted].append(place)
    return found
