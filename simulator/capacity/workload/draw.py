"""The requests of a plan, drawn: Poisson counts by the hour, homes at their phases, jobs at their pace, statuses from inside an outage.

Every class, kind and hour has a generator of its own (seed, replication, stream, hour), so a part of the span has the rows that the whole has there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headend.network.law import generator_for
from headend.wire import InquiryKind
from meters.calendar import Micros, Seconds, rounded_us, to_us
from simulator.capacity.workload.columns import CLASSES, DOORS, KINDS, Requests, Workload, in_order
from simulator.capacity.workload.curves import HOUR_S, by_hour
from simulator.capacity.workload.never import NEVER_US
from simulator.capacity.workload.plan import Plan
from simulator.capacity.workload.spec import ASKERS, StatusesSpec
from simulator.smt.throttle.limits import RequesterClass

Longs = NDArray[np.int64]

_HOUR_US = to_us(HOUR_S)
#: A call's number: its stream, an hour (or another slot), its place there.
_STREAM, _SLOT = 44, 28
#: Streams beside those of the plan: homes, jobs, statuses when the power goes, statuses in the days after; own requests are 255.
_HOMES, _BULK, _GONE, _AWAY = range(250, 254)


def draw(plan: Plan, replication: int = 0, hours: range | None = None) -> Workload:
    """Draw one replication of a plan: all of its hours, or only the requests planned in some of them.

    hours: places in ``plan.hours``, without gaps. Outages are those of the whole span.
    """
    drawing = _Drawing(plan, replication, range(len(plan.hours)) if hours is None else hours)
    own = plan.own
    return Workload(
        name=plan.spec.name,
        title=plan.spec.title,
        fleet=drawing.fleet,
        begins=plan.begins,
        ends=plan.ends,
        seed=plan.spec.seed,
        replication=replication,
        requests=in_order([drawing.empty(), *drawing.parts()]),
        outages=drawing.outages,
        own=() if own is None else own.esiids,
    )


class _Stream(NamedTuple):
    """Who asks for what, and the stream's number."""

    requester_class: RequesterClass
    kind: InquiryKind
    number: int


class _Drawing:
    """One replication of a plan in some of its hours."""

    def __init__(self, plan: Plan, replication: int, hours: range) -> None:
        self._plan, self._replication, self._hours = plan, replication, hours
        self._begin_us = to_us(np.asarray(plan.hours.begins, dtype=np.int64))
        self.fleet = plan.fleet if plan.own is None else plan.fleet.with_rors(plan.own.rors)
        self.outages = plan.outages(replication)

    def parts(self) -> Iterator[Requests]:
        plan = self._plan
        for number, one in enumerate(plan.streams):
            stream = _Stream(one.requester_class, one.kind, number)
            for hour in self._hours:
                yield self._calls(stream, hour, float(one.expected[hour]))
        yield from self._homes()
        for number, job in enumerate(plan.bulk):
            yield self._within(self._job(number, job.at, job.requests, job.a_second, job.ror))
        if plan.spec.storm is not None:
            yield self._within(self._gone(plan.spec.storm.statuses))
            yield from self._away(plan.spec.storm.statuses)
        if plan.own is not None:
            yield self._within(plan.own.requests)

    def empty(self) -> Requests:
        """No request: its columns' types."""
        none = np.zeros(0, dtype=np.int64)
        return self._rows(_Stream(RequesterClass.CSP, InquiryKind.POWER, 0), none, none, none, none)

    def _generator(self, stream: int, slot: int = 0) -> np.random.Generator:
        return generator_for(self._plan.spec.seed, "workload", f"{self._replication}:{stream}:{slot}")

    def _rows(self, stream: _Stream, planned_us: Longs, call: Longs, esi: Longs, patience_us: Longs) -> Requests:
        n, asker = len(planned_us), ASKERS[stream.requester_class]
        return Requests(
            planned_us=planned_us,
            call=call + (stream.number << _STREAM),
            esi=esi.astype(np.int32),
            ror=self.fleet.ror_of(esi).astype(np.int16),
            requester_class=np.full(n, CLASSES.index(stream.requester_class), dtype=np.int8),
            kind=np.full(n, KINDS.index(stream.kind), dtype=np.int8),
            door=np.full(n, DOORS.index(asker.door), dtype=np.int8),
            access_point=self.fleet.point_of(esi).astype(np.int16),
            tdsp=self.fleet.company_of(esi).astype(np.int8),
            patience_us=patience_us,
        )

    def _patience(self, asking: RequesterClass, rng: np.random.Generator, count: int) -> Longs:
        asker = ASKERS[asking]
        if asker.patience_s:
            drawn: Longs = to_us(rng.exponential(asker.patience_s * self._plan.patience, count)).astype(np.int64)
            return drawn
        return np.full(count, rounded_us(asker.waits_s) if asker.waits_s else NEVER_US, dtype=np.int64)

    def _calls(self, stream: _Stream, hour: int, expected: float) -> Requests:
        rng = self._generator(stream.number, hour)
        count = int(rng.poisson(expected))
        planned = self._begin_us[hour] + (rng.random(count) * _HOUR_US).astype(np.int64)
        esi = rng.integers(0, self.fleet.meters, count)
        patience = self._patience(stream.requester_class, rng, count)
        return self._rows(stream, planned, (hour << _SLOT) + np.arange(count), esi, patience)

    def _homes(self) -> Iterator[Requests]:
        """Each home at its own time of every hour, as long as it has power."""
        spec = self._plan.spec.home_automation
        if spec is None:
            return
        stream = _Stream(RequesterClass.HOME_AUTOMATION, ASKERS[RequesterClass.HOME_AUTOMATION].kind, _HOMES)
        rng = self._generator(_HOMES)
        meters = self.fleet.meters
        homes = min(int(rng.poisson(spec.share * meters)), meters)
        esi = rng.choice(meters, homes, replace=False, shuffle=False).astype(np.int64)
        within_us = _HOUR_US if spec.synchronised_within_s is None else rounded_us(spec.synchronised_within_s)
        phase = (rng.random(homes) * within_us).astype(np.int64)
        point = self.fleet.point_of(esi)
        for hour in self._hours:
            planned = self._begin_us[hour] + phase
            at = np.flatnonzero(~self.outages.dark(point, planned))
            patience = self._patience(stream.requester_class, rng, len(at))
            yield self._rows(stream, planned[at], (hour << _SLOT) + at, esi[at], patience)

    def _job(self, number: int, at: Seconds, requests: int, a_second: float, ror: int) -> Requests:
        """One after the other at an even pace, each ESI ID of the retailer's once."""
        rng = self._generator(_BULK, number)
        mine = np.flatnonzero(self.fleet.ror_of(np.arange(self.fleet.meters)) == ror)
        esi = rng.choice(mine, min(requests, len(mine)), replace=False)
        nth = np.arange(len(esi))
        planned = to_us(at) + np.floor(nth * (1e6 / a_second)).astype(np.int64)
        stream = _Stream(RequesterClass.ROR_BULK, InquiryKind.INTERVALS, _BULK)
        return self._rows(stream, planned, (number << _SLOT) + nth, esi, np.full(len(esi), NEVER_US))

    def _gone(self, statuses: StatusesSpec) -> Requests:
        """Statuses asked because the power has just gone; nobody asks any more when it is back."""
        out, rng = self.outages, self._generator(_GONE)
        places = [self.fleet.meters_at(point) for point in out.access_point.tolist()]
        first, meters = np.asarray(places, dtype=np.int64).reshape(-1, 2).T
        which = np.repeat(np.arange(len(out)), rng.poisson(meters * statuses.a_meter))
        after = to_us(rng.exponential(60 * statuses.after_minutes, len(which))).astype(np.int64)
        esi = first[which] + (rng.random(len(which)) * meters[which]).astype(np.int64)
        patience = self._patience(RequesterClass.ROR_CALL_CENTRE, rng, len(which))
        planned = out.from_us[which] + after
        rows = self._rows(
            _Stream(RequesterClass.ROR_CALL_CENTRE, InquiryKind.POWER, _GONE),
            planned,
            np.arange(len(which)),
            esi,
            patience,
        )
        return rows.take(planned < out.to_us[which])

    def _away(self, statuses: StatusesSpec) -> Iterator[Requests]:
        """Statuses asked while the power is away, along the curve of calls: as if by all that are ever out, and those left that are."""
        points = np.unique(self.outages.access_point).astype(np.int64)
        places = [self.fleet.meters_at(point) for point in points.tolist()]
        first, meters = np.asarray(places, dtype=np.int64).reshape(-1, 2).T
        expected = by_hour("calls", self._plan.hours) * statuses.a_day * int(meters.sum())
        upto = np.cumsum(meters)
        stream = _Stream(RequesterClass.ROR_CALL_CENTRE, InquiryKind.POWER, _AWAY)
        for hour in self._hours:
            rng = self._generator(_AWAY, hour)
            count = int(rng.poisson(expected[hour]))
            planned = self._begin_us[hour] + (rng.random(count) * _HOUR_US).astype(np.int64)
            nth = rng.integers(0, max(int(meters.sum()), 1), count)
            which = np.searchsorted(upto, nth, side="right")
            esi = first[which] + nth - (upto - meters)[which]
            patience = self._patience(stream.requester_class, rng, count)
            rows = self._rows(stream, planned, (hour << _SLOT) + np.arange(count), esi, patience)
            yield rows.take(self.outages.dark(points[which], planned))

    def _within(self, rows: Requests) -> Requests:
        """Those planned in the hours that are drawn."""
        begins, ends = self._begin_us[self._hours.start] if self._hours else 0, self._end_us()
        return rows.take((rows.planned_us >= begins) & (rows.planned_us < ends))

    def _end_us(self) -> Micros:
        return to_us(self._plan.hours.begins[self._hours.stop - 1] + HOUR_S) if self._hours else to_us(0)
