"""What a workload is: a request a row, in order of the planned arrivals, as columns for an engine and one by one for a live load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from headend.wire import InquiryKind
from meters.calendar import Micros, Seconds, micros, to_us
from simulator.capacity.workload.fleet import Fleet
from simulator.capacity.workload.outages import Outages
from simulator.smt.throttle.limits import Door, RequesterClass, Scope

#: What the columns number.
CLASSES, KINDS, DOORS = tuple(RequesterClass), tuple(InquiryKind), tuple(Door)
#: A portal's client asks how its read is every 15 s, 20 times; before that it logs in and asks for the read. Source: DOMAIN §4 [V], the public client's code.
POLL_US, POLLS, BEFORE_POLLS = to_us(15), 20, 2


@dataclass(frozen=True, slots=True, eq=False)
class Requests:
    """(n,) each, ascending in (planned_us, call)."""

    #: Planned arrival, microseconds since the epoch.
    planned_us: NDArray[np.int64]
    #: The request's own number, below 2^52 and no one else's, which draws are keyed by: it does not change with what others do.
    call: NDArray[np.int64]
    #: Index of the meter; from ``Fleet.meters`` on one of ``Workload.own``.
    esi: NDArray[np.int32]
    #: Places in ``Fleet.rors``, ``CLASSES``, ``KINDS``, ``DOORS``.
    ror: NDArray[np.int16]
    requester_class: NDArray[np.int8]
    kind: NDArray[np.int8]
    door: NDArray[np.int8]
    #: Number of the access point, and place of the TDSP in ``Fleet.companies``.
    access_point: NDArray[np.int16]
    tdsp: NDArray[np.int8]
    #: Microseconds from the planned arrival to the hang-up; ``NEVER_US`` of a job that waits.
    patience_us: NDArray[np.int64]

    def __len__(self) -> int:
        """Count of requests."""
        return len(self.planned_us)

    def take(self, at: NDArray[np.int64] | NDArray[np.bool_]) -> Self:
        """Some of the rows."""
        return type(self)(*(getattr(self, one.name)[at] for one in fields(self)))

    def counts(self, edges_us: NDArray[np.int64]) -> NDArray[np.int64]:
        """(classes, bins) requests by class between ascending instants, microseconds since the epoch."""
        at = np.searchsorted(edges_us, self.planned_us, side="right") - 1
        bins = len(edges_us) - 1
        inside = (at >= 0) & (at < bins)
        place = self.requester_class[inside].astype(np.int64) * bins + at[inside]
        return np.bincount(place, minlength=len(CLASSES) * bins).reshape(len(CLASSES), bins)


#: Octets of a row.
ROW_OCTETS = 8 + 8 + 4 + 2 + 1 + 1 + 1 + 2 + 1 + 8


def in_order(parts: Sequence[Requests]) -> Requests:
    """One workload of several, ascending in (planned_us, call)."""
    joined = Requests(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Requests)))
    return joined.take(np.lexsort((joined.call, joined.planned_us)))


class Planned(NamedTuple):
    """A request as a live load plays it."""

    key: str
    at_us: Micros
    kind: InquiryKind
    esiid: str
    requester_class: RequesterClass
    ror: str
    tdsp: str
    access_point: int
    door: Door
    patience_us: Micros

    @property
    def scopes(self) -> Mapping[Scope, str]:
        """Whom the throttle counts it for."""
        return {
            Scope.ESIID: self.esiid,
            Scope.ROR: self.ror,
            Scope.REQUESTER_CLASS: self.requester_class,
            Scope.TDSP: self.tdsp,
            Scope.ACCESS_POINT: str(self.access_point),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Workload:
    """Everybody who asks in a span of whole operating days."""

    name: str
    title: str
    fleet: Fleet
    #: UTC epoch seconds.
    begins: Seconds
    ends: Seconds
    #: What everything else that is drawn of a request is keyed by, beside its ``call``.
    seed: int
    replication: int
    requests: Requests
    outages: Outages
    #: ESI IDs of one's own that are none of the fleet's.
    own: tuple[str, ...] = ()

    def esiid(self, esi: int) -> str:
        """The ESI ID of an index."""
        meters = self.fleet.meters
        return self.fleet.esiid(esi) if esi < meters else self.own[esi - meters]

    def in_turn(self) -> Iterator[Planned]:
        """Every request in order."""
        fleet, rows = self.fleet, self.requests
        for at in range(len(rows)):
            yield Planned(
                str(rows.call[at]),
                micros(rows.planned_us[at]),
                KINDS[rows.kind[at]],
                self.esiid(int(rows.esi[at])),
                CLASSES[rows.requester_class[at]],
                fleet.rors[rows.ror[at]],
                fleet.companies[rows.tdsp[at]].tdsp.name,
                int(rows.access_point[at]),
                DOORS[rows.door[at]],
                micros(rows.patience_us[at]),
            )


def portal_calls(waited_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) calls that a portal's client makes at SMT for a read it waited so long for: 3 to 22, most of them polls."""
    calls: NDArray[np.int64] = BEFORE_POLLS + np.clip(-(-waited_us // POLL_US), 1, POLLS)
    return calls
