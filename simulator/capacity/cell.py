"""One cell of a study: a workload drawn and played under a policy, held to what must be so, and told in figures. Pure in its task."""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headend.network.law import READ_OCTETS
from headend.wire import InquiryKind
from meters.calendar import day_of, micros, to_s
from simulator.capacity.ends import COMPLETED, FAILED, REFUSED
from simulator.capacity.engine.rows import Rows
from simulator.capacity.engine.run import Played, play_load
from simulator.capacity.knobs import Setting
from simulator.capacity.outcome import Frame, Key
from simulator.capacity.told import Told, in_call_of, told_of
from simulator.capacity.value import ValueTable, read_value
from simulator.capacity.workload.columns import CLASSES, DOORS, KINDS, Workload
from simulator.capacity.workload.curves import hours_of
from simulator.capacity.workload.draw import draw
from simulator.capacity.workload.plan import Plan
from simulator.smt.ondemand.invariants import Asking, breaches
from simulator.smt.throttle.limits import Kind, Policy, Requested, Scope, Source

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

    @cached_property
    def mark(self) -> str:
        """Thirty-two hex digits that change with all that a cell is a result of but the code. A set has no order of its own, so it is sorted."""
        of = [self.drawn_as, self.key.replication, self.first]
        of += [dataclasses.asdict(one) for one in (self.setting.assumptions, self.setting.policy)]
        return hashlib.sha256(json.dumps(of, default=sorted).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Cell:
    """What came out: each group's figures, and of a first replication the frames of ``outcome.Outcome.first``."""

    told: Mapping[str, Told]
    first: Mapping[str, Frame]


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
    if not task.first:
        return Cell(told, {})
    kept_rules(policy, played.rows)
    return Cell(told, {"asked": asked_frame(played, drawn)})


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
        found = breaches(policy, asked(rows))
    finally:
        if was_on:
            gc.enable()
    assert not found, f"{policy.name} broke {len(found)} rules: {found[:3]}"


_SCOPES = {Scope.ESIID: "esi", Scope.ROR: "ror", Scope.TDSP: "tdsp", Scope.ACCESS_POINT: "access_point"}


def asked(rows: Rows) -> Iterator[Asking]:
    """Rows as records of what was asked of the throttle and how it ended, in the order of their instants.

    What an earlier read has answered at once was not asked of it.
    """
    at_once = (rows.end == COMPLETED) & (rows.done_us == rows.planned_us)
    begins = np.argsort(rows.planned_us, kind="stable")
    begins = begins[~at_once[begins]]
    instants = np.unique(np.concatenate([rows.planned_us, rows.done_us]))
    tried = rows.tries > 0
    columns: list[NDArray[Any]] = [
        begins,
        to_s(rows.planned_us)[begins],
        np.searchsorted(instants, rows.planned_us[begins]),
        to_s(rows.done_us)[begins],
        np.searchsorted(instants, rows.done_us[begins]),
        (rows["flags"][begins] & 1).astype(np.bool_),
        (tried & (rows.end == COMPLETED))[begins],
        rows.tries[begins].astype(np.int64) * READ_OCTETS,
        (tried & (rows.end == FAILED))[begins],
        rows.kind[begins] == KINDS.index(InquiryKind.POWER),
        rows.door[begins],
        rows.requester_class[begins],
        *(rows[name][begins] for name in _SCOPES.values()),
    ]
    for row, at, after, ended, ended_after, admitted, success, octets, failed, status, door, asking, *of in zip(
        *(one.tolist() for one in columns), strict=True
    ):
        scopes = {Scope.REQUESTER_CLASS: str(CLASSES[asking]), **dict(zip(_SCOPES, map(str, of), strict=True))}
        requested = Requested(Kind.STATUS if status else Kind.READ, DOORS[door], scopes)
        yield Asking(str(row), at, requested, admitted, after, ended, ended_after, success, octets, meter_failed=failed)


def asked_frame(played: Played, drawn: Workload) -> Frame:
    """Requests by class, retailer, hour of the clock, whether told in the call, and what refused."""
    rows = played.rows
    first, last = (day_of(to_s(micros(at))) for at in (rows.planned_us.min(initial=0), rows.planned_us.max(initial=0)))
    hours = hours_of(first, (last - first).days + 1) if len(rows) else hours_of(first, 1)
    hour = np.asarray(hours.hour)[np.searchsorted(hours.begins, to_s(rows.planned_us), side="right") - 1]
    code = np.where(rows.end == REFUSED, rows.code, -1)
    of = np.stack([rows.requester_class, rows.ror, hour, in_call_of(rows), code], axis=1).astype(np.int64)
    which, count = np.unique(of, axis=0, return_counts=True)
    names = [np.asarray([str(one) for one in CLASSES]), np.asarray(drawn.fleet.rors), np.asarray([*played.codes, ""])]
    return {
        "class": names[0][which[:, 0]],
        "ror": names[1][which[:, 1]],
        "hour": which[:, 2],
        "told": which[:, 3].astype(np.bool_),
        "code": names[2][which[:, 4]],
        "requests": count,
    }
