"""The modelled ports: tabled draws, a store known only by how far it reaches, meters that are a time-out; everything else is the live code.

``submit``, ``fulfil``, ``answer_inquiry`` and the throttle are the ones the live parties run. simpy runs free in integer microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import Any, NamedTuple

import simpy

from headend.network.law import READ_OCTETS, AccessPoint, NetworkLaw, Span, SweepRule, Try, TryDraws, Workers
from headend.ondemand.process import Answer, Inquiry, answer_inquiry
from headend.ports import MeterKey
from headend.wire import InquiryKind, Outcome
from meters.calendar import Micros, Seconds, micros, seconds
from simulator.smt.ondemand.lifecycle import (
    ENDED,
    EXPIRY_US,
    Admission,
    Answered,
    OnDemandRequest,
    Sent,
    State,
    fulfil,
    kind_counted,
    submit,
)
from simulator.smt.ondemand.middle import Middle, MiddleDraws
from simulator.smt.throttle.decision import Door, MemoryAdmission, Policy, Requested, Scope, Source


class Air(NamedTuple):
    """What happens to the access points: their law, when each (by number) has no power, when all are swept, and what that does to a read."""

    network: NetworkLaw = NetworkLaw()
    dark: Mapping[int, Sequence[Span]] = MappingProxyType({})
    swept: Sequence[Span] = ()
    rule: SweepRule = SweepRule.YIELDS


class TabledRequest(NamedTuple):
    """One request with all its draws. A meter that does not answer is given by tries none of which is heard."""

    key: str
    kind: InquiryKind
    esiid: str
    submitted_us: Micros
    #: The gap, UTC epoch seconds; 0, 0 for other kinds than INTERVALS.
    start: Seconds
    end: Seconds
    scopes: Mapping[Scope, str]
    door: Door
    middle: Middle
    tries: tuple[Try, ...]
    #: Number of the radio resource that the meter hangs on.
    access_point: int = 0


class Sweep(NamedTuple):
    """A collection sweep as the store sees it: known from ``completed_us`` on, intervals up to ``reaches_to`` (UTC epoch seconds)."""

    completed_us: Micros
    reaches_to: Seconds


class PowerFailure(NamedTuple):
    """A power failure as the head-end is told: it knows of it from ``told_us`` on, until ``over_us``. It began at ``at`` (UTC epoch seconds)."""

    at: Seconds
    told_us: Micros
    over_us: Micros


#: Of each ESI ID that has any.
PowerFailures = Mapping[str, Sequence[PowerFailure]]

#: The sweeps of every ESI ID alike, or of each (one that is not named is never swept). Ascending.
Sweeps = Sequence[Sweep] | Mapping[str, Sequence[Sweep]]


class ModelStore:
    """``headend.ondemand.process.Store`` without intervals: the last completed sweep, and the spans that reads have added."""

    def __init__(self, env: simpy.Environment, sweeps: Sweeps) -> None:
        """Begin with what the sweeps have brought."""
        self._env = env
        self._each: Mapping[str, Sequence[Sweep]] = sweeps if isinstance(sweeps, Mapping) else {}
        self._all: Sequence[Sweep] = () if isinstance(sweeps, Mapping) else sweeps
        self._spans: dict[str, list[tuple[Seconds, Seconds]]] = {}

    def swept(self, esiid: str, start: Seconds, now_us: Micros) -> Seconds:
        """To where sweeps have brought the intervals from ``start`` on by ``now_us``; ``start`` when none has."""
        for completed_us, reaches_to in reversed(self._each.get(esiid, self._all)):
            if completed_us <= now_us:
                return max(start, reaches_to)
        return start

    def reach(self, esiid: str, start: Seconds, now_us: Micros) -> Seconds:
        """To where the intervals from ``start`` on are known without a break at ``now_us``; ``start`` when none is."""
        at = self.swept(esiid, start, now_us)
        for begins, ends in self._spans.get(esiid, ()):
            if begins <= at < ends:
                at = ends
        return at

    def first_missing(self, meter: MeterKey, start: Seconds, end: Seconds) -> Seconds | None:
        """See ``headend.ondemand.process.Store``."""
        at = self.reach(meter.esiid, start, micros(self._env.now))
        return None if at >= end else at

    def extend(self, esiid: str, begins: Seconds, ends: Seconds) -> None:
        """Add the intervals of [begins, ends), UTC epoch seconds, as a read has brought them."""
        spans = self._spans.setdefault(esiid, [])
        spans.append((begins, ends))
        spans.sort()


class ModelMeters:
    """``headend.ondemand.process.Meters`` without meters: one time-out for each try."""

    def __init__(self, env: simpy.Environment, store: ModelStore, air: Air, power_failures: PowerFailures) -> None:
        """Begin with every access point and worker idle."""
        self.workers = Workers(air.network.workers)
        self._env = env
        self._store = store
        self._air = air
        self._power_failures = power_failures
        self._points: dict[int, AccessPoint] = {}
        self._point_of: dict[str, AccessPoint] = {}

    def place(self, esiid: str, access_point: int) -> None:
        """Tell on which access point a meter hangs."""
        point = self._points.get(access_point)
        if point is None:
            law, dark = self._air.network, self._air.dark.get(access_point, ())
            point = AccessPoint(law.access_point_tps, law.slot_held_s, self._air.rule, dark, self._air.swept)
            self._points[access_point] = point
        self._point_of[esiid] = point

    def access_point(self, meter: MeterKey) -> AccessPoint:
        """See ``headend.ondemand.process.Meters``."""
        return self._point_of[meter.esiid]

    def power_failed_at(self, meter: MeterKey) -> Seconds | None:
        """See ``headend.ondemand.process.Meters``."""
        for failure in self._power_failures.get(meter.esiid, ()):
            if failure.told_us <= self._env.now < failure.over_us:
                return failure.at
        return None

    def read(
        self, inquiry: Inquiry, lacked_from: Seconds, start_us: Micros, attempt: Try
    ) -> Generator[simpy.Event, Any, Any]:
        """See ``headend.ondemand.process.Meters``; a reading is True."""
        yield self._env.timeout(start_us + attempt.takes_us - micros(self._env.now))
        if not attempt.heard:
            return None
        if inquiry.kind is InquiryKind.INTERVALS:
            # What was asked for, as the live transport reads it: the window from what lacked to the end of the gap.
            self._store.extend(inquiry.meter.esiid, lacked_from, inquiry.end)
        return True


_AT_ONCE = nullcontext()
_ACKNOWLEDGED = Sent(True)
_NO_READ = (micros(0), seconds(0), seconds(0))


class ModelDesk:
    """``lifecycle.Desk`` over tables: draws by key, allowances in memory, the head-end's own process a call away."""

    def __init__(
        self,
        env: simpy.Environment,
        policy: Policy,
        admission: Admission,
        store: ModelStore,
        meters: ModelMeters,
        expiry_us: Micros,
        ended: Callable[[OnDemandRequest], None] | None,
        middle: MiddleDraws | None,
        tries: TryDraws | None,
    ) -> None:
        """ended: called with each request when it has ended, its state and history complete. middle, tries: unless given, those of the table."""
        self.env = env
        self.policy = policy
        self.admission = admission
        self.middle: MiddleDraws = middle or self._middle_of
        self._tries: TryDraws = tries or self._try_of
        self.expiry_us = expiry_us
        self.store = store
        self.meters = meters
        self._ended = ended
        self._under_way: dict[str, TabledRequest] = {}
        #: Of each ESI ID and kind the latest completed request that a meter was read for: when it was answered, and its gap.
        self._reads: dict[tuple[str, InquiryKind], tuple[Micros, Seconds, Seconds]] = {}

    def arrivals(
        self, requests: Sequence[TabledRequest], kept: list[OnDemandRequest] | None
    ) -> Generator[Any, Any, None]:
        """Bring in every request at its planned instant; the one process that does so. requests: ascending in time."""
        env = self.env
        for tabled in requests:
            if tabled.submitted_us > env.now:
                yield env.timeout(tabled.submitted_us - micros(env.now))
            self.meters.place(tabled.esiid, tabled.access_point)
            request = OnDemandRequest(
                tabled.key,
                tabled.kind,
                tabled.esiid,
                Requested(kind_counted(tabled.kind), tabled.door, tabled.scopes),
                tabled.start,
                tabled.end,
            )
            if kept is not None:
                kept.append(request)
            self._under_way[tabled.key] = tabled
            if submit(self, request, tabled.submitted_us):
                env.process(fulfil(self, request))

    def _middle_of(self, key: str) -> Middle:
        return self._under_way[key].middle

    def _try_of(self, key: str, attempt: int) -> Try:
        return self._under_way[key].tries[attempt]

    def _remember(self, request: OnDemandRequest) -> None:
        answered_us = next(at_us for state, at_us in request.history if state is State.ANSWERED)
        place = request.esiid, request.kind
        if (
            request.answered is not None
            and request.answered.meter_reads
            and answered_us > self._reads.get(place, _NO_READ)[0]
        ):
            self._reads[place] = answered_us, request.start, request.end

    def behind_since(self, at_us: Micros) -> bool:  # noqa: ARG002
        """See ``lifecycle.Desk``: nothing is late where the time waits for whatever is done."""
        return False

    def earlier_read(self, request: OnDemandRequest, since_us: Micros) -> Answered | None:
        """See ``lifecycle.Desk``. Of callers one and the same retailer's is modelled, who may see every day of an ESI ID."""
        answered_us, start, end = self._reads.get((request.esiid, request.kind), _NO_READ)
        if not answered_us or answered_us < since_us or (end and not start <= request.start < end):
            return None
        return Answered(Outcome.COMPLETED, "", 0, Answer(Outcome.COMPLETED), reaches_to=min(end, request.end))

    def held_at_smt(self, request: OnDemandRequest) -> Answered | None:
        """See ``lifecycle.Desk``: each sweep is sent on as soon as it is over."""
        reach = self.store.swept(request.esiid, request.start, micros(self.env.now))
        if reach == request.start:
            return None
        return Answered(Outcome.COMPLETED, "", 0, Answer(Outcome.COMPLETED), reaches_to=min(reach, request.end))

    def keep(self, request: OnDemandRequest, state: State, at_us: Micros) -> None:  # noqa: ARG002
        """See ``lifecycle.Desk``; the history is on the request, so only ends are told."""
        if state in ENDED:
            if self.policy.reuse_s and state is State.COMPLETED:
                self._remember(request)
            del self._under_way[request.key]
            if self._ended is not None:
                self._ended(request)

    def as_one(self, request: OnDemandRequest) -> AbstractContextManager[object]:  # noqa: ARG002
        """See ``lifecycle.Desk``; a memory is never half written."""
        return _AT_ONCE

    def send(self, request: OnDemandRequest, answer_by_us: Micros) -> Generator[simpy.Event, Any, Sent]:  # noqa: ARG002
        """See ``lifecycle.Desk``: the head-end is a call away, behind all that is due at this instant, and always acknowledges."""
        yield self.env.timeout(0)
        return _ACKNOWLEDGED

    def answer(self, request: OnDemandRequest, answer_by_us: Micros) -> Generator[simpy.Event, Any, Answered | None]:
        """See ``lifecycle.Desk``. ``Answered.content`` is the head-end's ``Answer``."""
        inquiry = Inquiry(
            request.key,
            request.kind,
            MeterKey(request.esiid, ""),
            request.start,
            request.end,
            request.meter_allowed,
            answer_by_us,
            self.policy.source is not Source.METER_ONLY,
            self.policy.store_within_s,
            self.policy.last_gasp_answers,
        )
        answer = yield from answer_inquiry(self.env, inquiry, self.store, self.meters, self._tries)
        if self.env.now >= answer_by_us:
            return None
        octets = answer.meter_reads * READ_OCTETS
        return Answered(answer.outcome, answer.reason, answer.meter_reads, answer, octets)


class Model:
    """One market on a modelled transport: allowances and store can be given a past before ``run``."""

    def __init__(
        self,
        policy: Policy,
        sweeps: Sweeps,
        begins_us: Micros,
        *,
        air: Air = Air(),  # noqa: B008 (it cannot be changed)
        expiry_us: Micros = EXPIRY_US,
        ended: Callable[[OnDemandRequest], None] | None = None,
        power_failures: PowerFailures | None = None,
        middle: MiddleDraws | None = None,
        tries: TryDraws | None = None,
    ) -> None:
        """begins_us: model time at the start, microseconds since the epoch, not after the first request.

        ended: called with each request that has. middle, tries: draws by key; unless given, each request brings its own.
        """
        self._env = simpy.Environment(initial_time=begins_us)
        self.policy = policy
        self.admission = MemoryAdmission(policy)
        self.store = ModelStore(self._env, sweeps)
        meters = ModelMeters(self._env, self.store, air, power_failures or {})
        self._desk = ModelDesk(self._env, policy, self.admission, self.store, meters, expiry_us, ended, middle, tries)

    def run(self, requests: Sequence[TabledRequest], kept: list[OnDemandRequest] | None = None) -> None:
        """Take every request to its end. requests: ascending in time, keys unique. kept: gets every request, if given."""
        self._env.process(self._desk.arrivals(requests, kept))
        self._env.run()

    def ask(self, request: TabledRequest) -> None:
        """One more request, while others are under way."""
        self._env.process(self._desk.arrivals([request], None))
