"""An on-demand request as it is entered in the ledger when it comes: its gap, its holes, its key."""

from __future__ import annotations

from dataclasses import dataclass

from headend.ondemand.gap import GAP_LIMIT, Gap, gap
from headend.wire import InquiryKind
from meters.calendar import INTERVAL_S, Micros, Seconds, day_of, day_start, floor_interval, iso, seconds, to_s
from simulator.smt.correlation import digits
from simulator.smt.errors import BusinessError
from simulator.smt.ondemand.ledger import Ledger
from simulator.smt.ondemand.lifecycle import Filed, OnDemandRequest, kind_counted
from simulator.smt.ondemand.rules import Finding
from simulator.smt.registry.records import User
from simulator.smt.registry.registry import Registry
from simulator.smt.throttle.decision import Door, Requested, Scope
from simulator.smt.usage.store import VeeStore

#: How far back holes in the posted days are told; the longest billing cycle and a half. A default of this project.
_HOLES_S = 50 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Asked:
    """An on-demand request as it came through one of the doors."""

    user: User
    kind: InquiryKind
    esiid: str
    door: Door
    trans_id: str = ""
    call_reference: str = ""
    meter_number: str | None = None
    #: Slips of the requester that nothing refuses.
    found: tuple[Finding, ...] = ()


class Filing:
    """Makes of what was asked what the ledger keeps, and of what it keeps the request that is fulfilled."""

    def __init__(self, registry: Registry, store: VeeStore, ledger: Ledger, seed: int) -> None:
        """seed: keys follow from it too."""
        self._registry = registry
        self._store = store
        self._ledger = ledger
        self._seed = seed

    def filed(self, asked: Asked, now_us: Micros) -> Filed:
        """What a new request is. Raises BusinessError when there is no gap to fill (AMB-8)."""
        user = asked.user
        cut, holes = Gap(seconds(0), seconds(0), None, 0), list[tuple[Seconds, Seconds]]()
        content = (user.username, asked.esiid, asked.kind, asked.door, asked.trans_id, asked.call_reference)
        ordinal = 0
        with self._ledger.one_look():
            if asked.kind is InquiryKind.INTERVALS:
                cut, holes = self._gap(asked, to_s(now_us))
            # Identical requests of one instant are told apart by their ordinal: the first that is free.
            while self._ledger.entry(key := digits(self._seed, content, now_us, ordinal)) is not None:
                ordinal += 1
        return Filed(
            key=key,
            kind=asked.kind,
            esiid=asked.esiid,
            door=asked.door,
            username=user.username,
            duns=user.duns,
            requester_class=user.requester_class,
            trans_id=asked.trans_id,
            call_reference=asked.call_reference,
            start=cut.start,
            end=cut.end,
            uncovered=cut.uncovered,
            holes=tuple(holes),
            submitted_us=now_us,
            ror=self._ror(asked.esiid, to_s(now_us)),
        )

    def _gap(self, asked: Asked, now: Seconds) -> tuple[Gap, list[tuple[Seconds, Seconds]]]:
        # Without a posted day there is no left edge: the latest 48 h are served. Days of another retailer or customer are not.
        posted = self._store.last_vee_end(asked.esiid)
        vee_end = posted if posted is not None else floor_interval(now) - GAP_LIMIT * INTERVAL_S
        holes_from = day_of(vee_end - _HOLES_S)
        own = day_start(self._registry.seen_since(asked.user, asked.esiid, day_of(now), holes_from))
        vee_end = max(vee_end, own)
        cut = gap(vee_end, now)
        if not cut.intervals:
            raise BusinessError("NO-GAP", iso(vee_end))
        return cut, self._store.holes(asked.esiid, max(day_start(holes_from), own), day_start(day_of(vee_end)))

    def _ror(self, esiid: str, at: Seconds) -> str:
        return self._registry.ror_of_record(esiid, day_of(at)) or ""

    def counted(
        self, esiid: str, kind: InquiryKind, door: Door, requester_class: str, at: Seconds, ror: str = ""
    ) -> Requested:
        """What the throttle knows of a request of ``at`` for an ESI ID of the records. ror: of record then, where it may be another now."""
        point = self._registry.points[esiid]
        scopes = {
            Scope.ESIID: esiid,
            Scope.ROR: ror or self._ror(esiid, at),
            Scope.REQUESTER_CLASS: requester_class,
            Scope.TDSP: point.tdsp_key,
            Scope.ACCESS_POINT: f"{point.tdsp_key}-{point.access_point}",
        }
        return Requested(kind_counted(kind), door, scopes)

    def request(self, filed: Filed) -> OnDemandRequest:
        """A request from what it was when it came; its ESI ID is in the records."""
        at = to_s(filed.submitted_us)
        return OnDemandRequest(
            key=filed.key,
            kind=filed.kind,
            esiid=filed.esiid,
            requested=self.counted(filed.esiid, filed.kind, filed.door, filed.requester_class, at, filed.ror),
            start=filed.start,
            end=filed.end,
            call_reference=filed.call_reference,
            filed=filed,
        )
