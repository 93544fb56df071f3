"""Who calls in the hour, what their day was like, and every draw of their requests: the same for all policies.

Callers are drawn in blocks, each from a seed of its own (study seed, replication, block), so caller k is the same person whatever the
policy, and a level of fewer calls is the first part of a level of more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from headend.network.law import READ_OCTETS, RETRY_WAITS_US, TRY_TIMEOUT_US, Try
from headend.ondemand.gap import gap
from headend.wire import InquiryKind
from meters.calendar import INTERVAL_S, Micros, Seconds, floor_interval, instants, to_s, to_us
from simulator.capacity.model import Model, Sweep, TabledRequest
from simulator.capacity.study import HOUR_S, LevelSpec, Study
from simulator.smt.ondemand.middle import LOST, Middle
from simulator.smt.throttle.decision import (
    Door,
    Kind,
    Lease,
    Measure,
    Requested,
    RequesterClass,
    Scope,
    Source,
    admit,
)

BLOCK = 1024
#: Which family of random numbers a block belongs to.
_CALLERS, _OTHERS = 0, 1
_HOUR_US = to_us(HOUR_S)
#: The day so far is told this far back: a rolling day, which includes the calendar day.
_BACK_US = 24 * _HOUR_US

#: What is under way, and meters that failed lately: nothing of the day before is left of it.
_OF_THE_HOUR = frozenset({Measure.UNDER_WAY, Measure.METER_FAILURES})

Longs = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Day:
    """The day so far of (n,) ESI IDs, up to an instant of each. Times in microseconds since the epoch unless said."""

    #: Index of the ESI ID among the TDSP's meters.
    esiid: Longs
    #: The instant up to which the day is told: the call in the hour; for others the hour's begin.
    until_us: Longs
    #: Time of the earlier call, 0 for none.
    earlier_us: Longs
    #: Whether the earlier call's request came through the middle tier.
    earlier_ok: Bools
    #: Phase in the hour of the home-automation read, -1 for none.
    home_us: Longs
    #: Microseconds into a sweep at which the meter is read.
    sweep_us: Longs
    #: Whether the meter answers that day.
    answers: Bools


@dataclass(frozen=True, slots=True)
class Demand:
    """The callers of one level and replication, in order of their planned arrival."""

    day: Day
    #: (n,) microseconds from the planned arrival to the hang-up.
    patience_us: Longs
    #: (n,) microseconds from request to answer if nobody else called, nothing was refused and the meter was read; 0 if it never comes.
    unloaded_us: Longs
    #: Ascending in time; keys are the positions "0", "1", ...
    requests: list[TabledRequest]


@dataclass(frozen=True, slots=True)
class _Draws:
    """What the requests of (n,) callers draw on the way; (n, tries) for the tries."""

    pickup_us: Longs
    return_us: Longs
    lost: Longs
    radio_out_us: Longs
    radio_back_us: Longs
    heard: Bools
    patience_us: Longs


_Columns = TypeVar("_Columns", Day, _Draws)


def _take(columns: _Columns, at: Longs | slice) -> _Columns:
    return type(columns)(*(getattr(columns, field.name)[at] for field in fields(columns)))


def _joined(parts: Sequence[_Columns]) -> _Columns:
    first = parts[0]
    return type(first)(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(first)))


def draw(study: Study, level: LevelSpec, replication: int) -> Demand:
    """Draw the callers of one level and replication.

    The count is fixed and the instants are uniform over the hour: a Poisson stream given its count, so that levels and replications
    compare like with like. Two calls may come from one ESI ID: the day so far and the meter are then those of the first.
    """
    blocks = [_block(study, replication, number) for number in range(-(-level.calls // BLOCK))]
    day = _take(_joined([block[0] for block in blocks]), slice(level.calls))
    order = np.argsort(day.until_us, kind="stable")
    day, draws = _take(day, order), _take(_joined([block[1] for block in blocks]), order)
    _, first, inverse = np.unique(day.esiid, return_index=True, return_inverse=True)
    if len(first) < len(day.esiid):
        day = replace(_take(day, first[inverse]), until_us=day.until_us)
    draws = replace(draws, heard=draws.heard & day.answers[:, None])
    return Demand(day, draws.patience_us, _unloaded(draws), _requests(study, day, draws))


def _generator(study: Study, replication: int, family: int, block: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(study.spec.seed, spawn_key=(replication, family, block)))


def _block(study: Study, replication: int, number: int) -> tuple[Day, _Draws]:
    rng = _generator(study, replication, _CALLERS, number)
    until = to_us(study.begins) + (rng.random(BLOCK) * to_us(study.ends - study.begins)).astype(np.int64)
    called = rng.random(BLOCK) < study.spec.day_so_far.earlier_share
    day = _day(study, rng, until, called)
    patience = to_us(rng.exponential(study.spec.patience_mean_s, BLOCK)).astype(np.int64)
    return day, _Draws(*study.middle.draw(rng, BLOCK), *study.network.tries(rng, BLOCK), patience)


def _day(study: Study, rng: np.random.Generator, until: Longs, called: Bools) -> Day:
    n = len(until)
    spec = study.spec
    before_us = to_us(study.begins - study.calls_begin)
    earlier = to_us(study.calls_begin) + (rng.random(n) * before_us).astype(np.int64)
    phase = to_us(rng.random(n) * HOUR_S).astype(np.int64)
    state = rng.random(n)
    works = rng.random(n) < 0.5
    good, flaky = spec.meter_states.good, spec.meter_states.flaky
    return Day(
        esiid=rng.integers(0, spec.tdsp.meters, n),
        until_us=until,
        earlier_us=np.where(called & (before_us > 0), earlier, 0),
        earlier_ok=rng.random(n) >= study.middle.lost_share,
        home_us=np.where(rng.random(n) < spec.day_so_far.home_automation_share, phase, -1),
        sweep_us=to_us(rng.random(n) * spec.sweeps.takes_minutes * 60).astype(np.int64),
        answers=(state < good) | ((state < good + flaky) & works),
    )


def _unloaded(draws: _Draws) -> Longs:
    """Latency with idle access points: pick-up, time-outs and waits before the first try that is heard, that try, way back."""
    first = draws.heard.argmax(axis=1)
    waits = np.concatenate([[0], np.cumsum(np.asarray(RETRY_WAITS_US) + TRY_TIMEOUT_US)])
    rows = np.arange(len(first))
    radio = waits[first] + draws.radio_out_us[rows, first] + draws.radio_back_us[rows, first]
    comes = draws.heard.any(axis=1) & (draws.lost == 0)
    result: Longs = np.where(comes, draws.pickup_us + radio + draws.return_us, 0)
    return result


def _name(index: int) -> str:
    # Seventeen digits like Oncor's, under a prefix that no TDSP has.
    return f"{index:017d}"


def _scopes(study: Study, esiid: str, access_point: int) -> dict[Scope, str]:
    return {
        Scope.ESIID: esiid,
        Scope.TDSP: study.spec.tdsp.name,
        Scope.ACCESS_POINT: str(access_point),
        Scope.REQUESTER_CLASS: RequesterClass.ROR_CALL_CENTRE,
    }


def _requests(study: Study, day: Day, draws: _Draws) -> list[TabledRequest]:
    per_point = study.spec.tdsp.meters_per_access_point
    columns = (
        day.esiid.tolist(),
        day.until_us.tolist(),
        draws.pickup_us.tolist(),
        draws.return_us.tolist(),
        draws.lost.tolist(),
        draws.radio_out_us.tolist(),
        draws.radio_back_us.tolist(),
        draws.heard.tolist(),
    )
    requests = []
    for key, (index, at_us, pickup, way_back, lost, out, back, hears) in enumerate(zip(*columns, strict=True)):
        esiid = _name(index)
        span = gap(study.vee_end, to_s(at_us))
        requests.append(
            TabledRequest(
                str(key),
                InquiryKind.INTERVALS,
                esiid,
                at_us,
                span.start,
                span.end,
                _scopes(study, esiid, index // per_point),
                Door.API,
                Middle(pickup, way_back, LOST[lost]),
                tuple(map(Try, out, back, hears)),
                index // per_point,
            )
        )
    return requests


def sweeps_of(study: Study, demand: Demand) -> Mapping[str, Sequence[Sweep]]:
    """What the head-end's sweeps have brought for each caller's meter: read at its place in the sweep, to the last whole interval."""
    day = demand.day
    found: dict[str, Sequence[Sweep]] = {}
    for index, offset, answers in zip(day.esiid.tolist(), day.sweep_us.tolist(), day.answers.tolist(), strict=True):
        starts = study.sweeps if answers else ()
        found[_name(index)] = [Sweep(to_us(start) + offset, floor_interval(start + to_s(offset))) for start in starts]
    return found


def live_day_so_far(study: Study, level: LevelSpec, replication: int, demand: Demand, model: Model) -> None:
    """Put the day before the hour's calls into the model's allowances and store, as its policy would have let it go.

    Each ESI ID that calls in the hour: its earlier call and its home automation's reads, in order, through the throttle itself; a read
    takes no time here. If a limit is shared by the TDSP, everybody else's calls too. Under ``store_only`` nothing is ever read.
    """
    if model.policy.source is Source.STORE_ONLY:
        return
    past = _Past(study, model)
    _, first = np.unique(demand.day.esiid, return_index=True)
    callers = _take(demand.day, first)
    calls = _calls(study, callers, own=True)
    if past.shared:
        mine = int(np.count_nonzero(callers.earlier_us))
        calls += _calls(study, _others(study, replication, max(0, study.calls_before(level) - mine)), own=False)
    calls.sort()
    for call in calls:
        past.call(call)
    quiet = np.flatnonzero((callers.earlier_us == 0) & (callers.home_us >= 0) & callers.answers)
    for index, phase, until_us in zip(
        *(c[quiet].tolist() for c in (callers.esiid, callers.home_us, callers.until_us)), strict=True
    ):
        past.home_reads(_name(index), phase, until_us - _BACK_US, until_us)


class _Call(NamedTuple):
    """An earlier call; ``until_us`` is where the day of its ESI ID ends."""

    at_us: Micros
    esiid: int
    #: Whether it calls in the hour too; if not, it only takes from the limits that all share.
    own: bool
    answers: bool
    came_through: bool
    #: To where the store reached by the sweeps alone, UTC epoch seconds.
    swept_to: Seconds
    #: Phase of home automation, -1 for none.
    home_us: Micros
    until_us: Micros


def _calls(study: Study, day: Day, *, own: bool) -> list[_Call]:
    at = np.flatnonzero(day.earlier_us)
    day = _take(day, at)
    # (calls, sweeps): what each sweep had brought by the time of the call.
    read_at = to_us(np.asarray(study.sweeps, dtype=np.int64)) + day.sweep_us[:, None]
    reach = to_s(read_at) // INTERVAL_S * INTERVAL_S
    known = (read_at <= day.earlier_us[:, None]) & day.answers[:, None]
    swept_to = np.where(known, reach, study.vee_end).max(axis=1, initial=study.vee_end)
    columns = (day.earlier_us, day.esiid, day.answers, day.earlier_ok, swept_to, day.home_us, day.until_us)
    return [_Call(one[0], one[1], own, *one[2:]) for one in zip(*(c.tolist() for c in columns), strict=True)]


class _Past:
    """Lets earlier requests happen, in the model's own allowances and store."""

    def __init__(self, study: Study, model: Model) -> None:
        self._vee_end = study.vee_end
        self._tdsp = study.spec.tdsp.name
        self._per_point = study.spec.tdsp.meters_per_access_point
        self._model = model
        self._meter_only = model.policy.source is Source.METER_ONLY
        #: The limits that all callers share; the study's check allows those of the API alone.
        self.shared = [
            limit
            for limit in model.policy.limits
            if limit.scope is Scope.TDSP and limit.kind is not Kind.STATUS and limit.measure not in _OF_THE_HOUR
        ]

    def call(self, call: _Call) -> None:
        """One earlier call, with the reads of home automation before and after it."""
        now = to_s(call.at_us)
        admission = self._model.admission
        # If a shared limit is full, nobody else is changed by a call that is refused.
        if not call.own and any(not admit(one, admission.state(one.name, self._tdsp), now).ok for one in self.shared):
            return
        esiid = _name(call.esiid)
        home = call.home_us >= 0 and call.answers
        if home:
            self.home_reads(esiid, call.home_us, call.until_us - _BACK_US, call.at_us)
        lease = admission.reserve("", self._requested(esiid, Door.API), now)
        if isinstance(lease, Lease):
            end = floor_interval(now)
            needed = self._meter_only or call.swept_to < end
            read = needed and call.answers and call.came_through
            admission.settle("", lease, now, read, READ_OCTETS if read else 0)
            if read:
                self._model.store.extend(esiid, self._vee_end, end)
        if home and call.own:
            self.home_reads(esiid, call.home_us, call.at_us, call.until_us)

    def home_reads(self, esiid: str, phase_us: Micros, begins_us: Micros, ends_us: Micros) -> None:
        """The hourly register reads in [begins, ends). One that is lost is made up for an hour later, so all count as successes."""
        admission = self._model.admission
        requested = self._requested(esiid, Door.PORTAL)
        for at_us in instants(begins_us + (phase_us - begins_us) % _HOUR_US, ends_us, _HOUR_US):
            lease = admission.reserve("", requested, to_s(at_us))
            if isinstance(lease, Lease):
                admission.settle("", lease, to_s(at_us), True, READ_OCTETS)

    def _requested(self, esiid: str, door: Door) -> Requested:
        asking = RequesterClass.ROR_CALL_CENTRE if door is Door.API else RequesterClass.HOME_AUTOMATION
        scopes = {
            Scope.ESIID: esiid,
            Scope.TDSP: self._tdsp,
            Scope.ACCESS_POINT: str(int(esiid) // self._per_point),
            Scope.REQUESTER_CLASS: asking,
        }
        return Requested(Kind.READ, door, scopes)


def _others(study: Study, replication: int, count: int) -> Day:
    """Earlier callers who do not call in the hour. Their ESI IDs are numbered from the far end: they only share the TDSP's limits."""
    rng = _generator(study, replication, _OTHERS, 0)
    until = np.full(count, to_us(study.begins), dtype=np.int64)
    day = _day(study, rng, until, np.ones(count, dtype=np.bool_))
    return replace(day, esiid=study.spec.tdsp.meters + np.arange(count, dtype=np.int64))
