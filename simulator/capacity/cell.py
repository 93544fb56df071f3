"""One cell of a study: a workload drawn and played under a policy, held to what must be so, and told in figures. Pure in its task."""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headend.network.law import READ_OCTETS, TRY_TIMEOUT_US
from headend.wire import InquiryKind
from meters.calendar import fraction_s, to_s
from simulator.capacity.ends import COMPLETED, FAILED, REFUSED
from simulator.capacity.engine.doors import at_the_doors
from simulator.capacity.engine.law import Assumptions
from simulator.capacity.engine.rows import TURNS, Rows
from simulator.capacity.engine.run import Played, play_load
from simulator.capacity.engine.use import BIN_US
from simulator.capacity.knobs import Setting
from simulator.capacity.outcome import Frame, Key, Observed
from simulator.capacity.pushed import octets_pushed
from simulator.capacity.rows_file import write_rows
from simulator.capacity.told import ALL, Told, in_call_of, told_of, worth
from simulator.capacity.value import ValueTable, read_value
from simulator.capacity.workload.columns import CLASSES, DOORS, KINDS, Workload
from simulator.capacity.workload.curves import hours_at
from simulator.capacity.workload.draw import draw
from simulator.capacity.workload.plan import Plan
from simulator.smt.ondemand.invariants import Asking, breaches
from simulator.smt.throttle.limits import Kind, Measure, Policy, Requested, Scope, Source, concerns
from simulator.versions import code_behind

#: So many spans of the use are an hour; so many draws tell a law's moments.
_AN_HOUR, _DRAWS = 12, 10_000
#: Where a worker finds what computes a cell.
CELL = "simulator.capacity.cell"


@dataclass(frozen=True)
class Task:
    """What a cell is made from, and what it is called."""

    key: Key
    setting: Setting
    #: Of the plan alone: what has the same is drawn once.
    drawn_as: str
    #: Whether it is held to the policy's rules, and more is kept of it than sums.
    first: bool
    #: Folder that a first replication's rows are written into, ``WORKLOAD/POLICY.parquet``; None: nowhere.
    rows: Path | None = None

    @property
    def rows_file(self) -> Path | None:
        """Where its rows lie."""
        if self.rows is None or not self.first:
            return None
        return self.rows / self.key.workload / f"{self.key.policy.replace(':', ' ')}.parquet"

    @cached_property
    def mark(self) -> str:
        """Thirty-two hex digits that change with all that a cell is a result of but the code. A set has no order of its own, so it is sorted."""
        of = [self.drawn_as, self.key.replication, self.first]
        of += [dataclasses.asdict(one) for one in (self.setting.assumptions, self.setting.policy)]
        return hashlib.sha256(json.dumps(of, default=sorted).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Cell:
    """What came out: each group's figures, and of a first replication the frames of ``outcome.Outcome.first`` and what its resources did."""

    told: Mapping[str, Told]
    first: Mapping[str, Frame]
    observed: Sequence[Observed] = ()


@cache
def code() -> str:
    """A hash of the code that computes a cell."""
    return code_behind(CELL)


def plan_mark(plan: Plan) -> str:
    """A hash of all that is drawn from."""
    digest = hashlib.sha256(plan.spec.model_dump_json().encode())
    for stream in plan.streams:
        digest.update(f"{stream.requester_class} {stream.kind}".encode() + stream.expected.tobytes())
    digest.update(repr((plan.bulk, plan.storm, plan.company, plan.patience)).encode())
    if plan.own is not None:
        digest.update(repr((plan.own.rors, plan.own.esiids)).encode())
        for one in dataclasses.fields(plan.own.requests):
            digest.update(getattr(plan.own.requests, one.name).tobytes())
    return digest.hexdigest()


def play_cell(task: Task) -> Cell:
    """Play it, and hold it to what must be so."""
    plan, assumptions, policy = task.setting
    drawn = _drawn(task.drawn_as, task.key.replication, plan)
    played = play_load(drawn.requests, drawn.outages, policy, assumptions, drawn.seed + drawn.replication)
    told = told_of(played, len(drawn.requests), assumptions, _value())
    # What sweeps bring SMT costs the wire, whoever asks.
    pushed = octets_pushed(policy, plan.fleet.meters, plan.ends - plan.begins, assumptions.sweep_every_h)
    told[ALL] = dataclasses.replace(told[ALL], http_octets=told[ALL].http_octets + pushed)
    if not task.first:
        return Cell(told, {})
    kept_rules(policy, played.rows)
    if task.rows_file is not None:
        task.rows_file.parent.mkdir(parents=True, exist_ok=True)
        rows = played.rows
        intervals = in_call_of(rows) & (rows.kind == KINDS.index(InquiryKind.INTERVALS))
        write_rows(task.rows_file, played, drawn.fleet, assumptions, worth(rows, intervals, assumptions, _value()))
    frames = {
        "asked": asked_frame(played, drawn),
        "use": use_frame(played, assumptions),
        "points": points_frame(played),
    }
    return Cell(told, frames, [*observed(played, assumptions, task.key)])


#: The workload that was drawn last, under its plan's mark and the replication: the next cell is mostly of the same.
_LATEST: dict[tuple[str, int], Workload] = {}


def _drawn(mark: str, replication: int, plan: Plan) -> Workload:
    of = mark, replication
    if of not in _LATEST:
        _LATEST.clear()
        _LATEST[of] = draw(plan, replication)
    return _LATEST[of]


@cache
def _value() -> ValueTable:
    """The shipped table."""
    return read_value()


def kept_rules(policy: Policy, rows: Rows) -> None:
    """Assert that the policy let in no more than its limits, and refused nothing that had room: counted again from nothing."""
    if policy.source is Source.STORE_ONLY or not policy.limits:
        return
    was_on = gc.isenabled()
    # All records live to the end, so passes over them free nothing.
    gc.disable()
    try:
        found = breaches(policy, asked(rows, may_break(policy, rows)))
    finally:
        if was_on:
            gc.enable()
    assert not found, f"{policy.name} broke {len(found)} rules: {found[:3]}"


_SCOPES = {Scope.ESIID: "esi", Scope.ROR: "ror", Scope.TDSP: "tdsp", Scope.ACCESS_POINT: "access_point"}


def may_break(policy: Policy, rows: Rows) -> NDArray[np.bool_]:
    """Which rows can break a rule: those refused, and those of a scope value that was asked more often in all than its limit allows at once."""
    status = rows.kind == KINDS.index(InquiryKind.POWER)
    sorts, sort = np.unique(
        np.ravel_multi_index((status, rows.door, rows.requester_class), (2, len(DOORS), len(CLASSES))),
        return_inverse=True,
    )
    of_sort = [
        Requested(Kind.STATUS if power else Kind.READ, DOORS[door], {Scope.REQUESTER_CLASS: str(CLASSES[asking])})
        for power, door, asking in zip(*np.unravel_index(sorts, (2, len(DOORS), len(CLASSES))), strict=True)
    ]
    may: NDArray[np.bool_] = rows["flags"] & 1 == 0
    for limit in policy.limits:
        concerned = np.flatnonzero(np.asarray([concerns(limit, each) for each in of_sort], np.bool_)[sort])
        values = rows[{**_SCOPES, Scope.REQUESTER_CLASS: "requester_class"}[limit.scope]][concerned]
        _, value, times = np.unique(values, return_inverse=True, return_counts=True)
        at_once = {Measure.TOKENS: limit.burst, Measure.OCTETS: 0}.get(limit.measure, limit.amount)
        may[concerned] |= (times > at_once)[value]
    return may


def asked(rows: Rows, of_these: NDArray[np.bool_] | None = None) -> Iterator[Asking]:
    """Rows as records of what was asked of the throttle and how it ended, in the order of their instants.

    of_these: which rows; None: all of them.
    What an earlier read has answered at once was not asked of it. Whether who asks at the instant of another's end came before it, the rows tell.
    """
    at_once = (rows.end == COMPLETED) & (rows.done_us == rows.planned_us)
    begins = np.argsort(rows.planned_us, kind="stable")
    begins = begins[~at_once[begins]] if of_these is None else begins[(of_these & ~at_once)[begins]]
    came = np.empty(2 * len(rows), np.int64)
    turns = np.concatenate([rows.turns % TURNS, rows.turns // TURNS])
    came[np.lexsort([turns, np.concatenate([rows.planned_us, rows.done_us])])] = np.arange(len(came))
    tried = rows.tries > 0
    columns: list[NDArray[Any]] = [
        begins,
        to_s(rows.planned_us)[begins],
        came[: len(rows)][begins],
        to_s(rows.done_us)[begins],
        came[len(rows) :][begins],
        (rows["flags"][begins] & 1).astype(np.bool_),
        (tried & (rows.end == COMPLETED))[begins],
        rows.tries[begins].astype(np.int64) * READ_OCTETS,
        (tried & (rows.end == FAILED))[begins],
        rows.kind[begins] == KINDS.index(InquiryKind.POWER),
        rows.door[begins],
        rows.requester_class[begins],
        *(rows[name][begins] for name in _SCOPES.values()),
    ]
    # Many ask again and again.
    known: dict[tuple[Any, ...], Requested] = {}
    for row, at, after, ended, ended_after, admitted, success, octets, failed, *of in zip(
        *(one.tolist() for one in columns), strict=True
    ):
        requested = known.get(tuple(of))
        if requested is None:
            status, door, asking, *scopes = of
            values = {Scope.REQUESTER_CLASS: str(CLASSES[asking]), **dict(zip(_SCOPES, map(str, scopes), strict=True))}
            requested = known[tuple(of)] = Requested(Kind.STATUS if status else Kind.READ, DOORS[door], values)
        yield Asking(str(row), at, requested, admitted, after, ended, ended_after, success, octets, meter_failed=failed)


def asked_frame(played: Played, drawn: Workload) -> Frame:
    """Requests by class, retailer, hour of the clock, whether told in the call, and what refused."""
    rows = played.rows
    hour = np.zeros(0, np.int64)
    if len(rows):
        hours, at = hours_at(to_s(rows.planned_us))
        hour = np.asarray(hours.hour)[at]
    code = np.where(rows.end == REFUSED, rows.code, -1)
    of = rows.requester_class, rows.ror, hour, in_call_of(rows), code + 1
    sizes = len(CLASSES), len(drawn.fleet.rors), int(hour.max(initial=0)) + 1, 2, len(played.codes) + 1
    sorts, count = np.unique(np.ravel_multi_index([one.astype(np.int64) for one in of], sizes), return_counts=True)
    which = np.stack(np.unravel_index(sorts, sizes), axis=1)
    names = [np.asarray([str(one) for one in CLASSES]), np.asarray(drawn.fleet.rors), np.asarray(["", *played.codes])]
    return {
        "class": names[0][which[:, 0]],
        "ror": names[1][which[:, 1]],
        "hour": which[:, 2],
        "told": which[:, 3].astype(np.bool_),
        "code": names[2][which[:, 4]],
        "requests": count,
    }


def use_frame(played: Played, assumptions: Assumptions) -> Frame:
    """By 5 minutes from ``begins`` (UTC epoch seconds): the mean count of requests at each place, workers busy, tries begun, the busy share of the
    access points (median, 90th percentile, busiest), and at SMT's doors calls, octets, requests that came and that ended. The last has everything later too."""
    use, doors = played.use, at_the_doors(played.rows, played.use, assumptions)
    busy = use.points_busy(0.5, 0.9, 1.0) if use.points_us.size else np.zeros((3, len(use.tries)))
    places = {
        name: getattr(use, f"{name}_us") / BIN_US
        for name in ("middle", "queued", "waiting", "on_air", "resting", "workers")
    }
    return {
        "begins": to_s(use.begins_us) + np.arange(len(use.tries)) * to_s(BIN_US),
        **places,
        "tries": use.tries,
        **dict(zip(("points_p50", "points_p90", "points_most"), busy, strict=True)),
        "http_calls": doors.span_calls,
        "http_octets": doors.span_octets,
        "arrivals": doors.arrivals,
        "ends": doors.ends,
    }


def points_frame(played: Played) -> Frame:
    """By access point: seconds that it was held, and the busy share of its busiest 5 minutes."""
    held_us = played.use.points_us
    return {
        "access_point": np.arange(held_us.shape[1]),
        "held_s": fraction_s(held_us.sum(axis=0)),
        "most": held_us.max(axis=0, initial=0) / BIN_US,
    }


def observed(played: Played, assumptions: Assumptions, key: Key) -> Iterator[Observed]:
    """What each resource did in the hour in which the most tries began."""
    use, rows, network = played.use, played.rows, assumptions.network
    hours = (
        np.convolve(use.tries[:-1], np.ones(_AN_HOUR, np.int64), "valid") if len(use.tries) > _AN_HOUR else use.tries
    )
    begin = int(hours.argmax())
    span = slice(begin, begin + _AN_HOUR)
    from_us, to_us = (use.begins_us + at * BIN_US for at in (span.start, span.stop))
    inside = (rows.planned_us >= from_us) & (rows.planned_us < to_us)
    taken_on = int(np.count_nonzero(inside & (rows.done_us > rows.planned_us)))
    tries, span_s = int(use.tries[span].sum()), _AN_HOUR * to_s(BIN_US)
    if not taken_on or not tries:
        return

    def spent(of: NDArray[np.int64]) -> float:
        return float(of[span].sum()) / 1e6

    tried = rows.tries[inside].astype(np.int64)
    heard = float(np.count_nonzero((tried > 0) & (rows.outcome[inside] == COMPLETED)) / max(1, tried.sum()))
    rng = np.random.Generator(np.random.Philox(key=1))
    out_us, back_us, _ = network.tries(rng, _DRAWS)
    pickup_us, rest_us, _ = assumptions.middle.draw(rng, _DRAWS)
    whole_s, unheard_s = fraction_s(pickup_us + rest_us), np.asarray([fraction_s(TRY_TIMEOUT_US)])
    slot_s = np.asarray([1 / network.access_point_tps])
    held_s = np.maximum(slot_s, network.slot_held_s)
    points = use.points_us.shape[1]
    there = {
        "middle tier": (0, taken_on, spent(use.middle_us), [(1.0, whole_s)]),
        "workers": (
            network.workers,
            tries,
            spent(use.queued_us + use.workers_us),
            [(heard, fraction_s(out_us + back_us).ravel()), (1 - heard, unheard_s)],
        ),
        "an access point": (
            1,
            tries / points,
            spent(use.points_us.sum(axis=1) + use.waiting_us) / points,
            [(heard, slot_s), (1 - heard, held_s)],
        ),
    }
    for resource, (servers, arrivals, there_s, law) in there.items():
        yield Observed(
            key.workload,
            key.policy,
            resource,
            servers,
            arrivals,
            span_s,
            *_moments(law),
            there_s / arrivals,
            there_s / span_s,
        )


def _moments(parts: Sequence[tuple[float, NDArray[np.float64]]]) -> tuple[float, float]:
    """Mean and squared coefficient of variation of a mixture: how much of it, and values of it."""
    mean = sum(share * float(values.mean()) for share, values in parts)
    squared = sum(share * float((values**2).mean()) for share, values in parts)
    return mean, max(0.0, squared / mean**2 - 1)
