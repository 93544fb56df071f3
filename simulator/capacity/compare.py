"""Throttle policies over whole workloads: the same callers under each, played by the compiled engine; what they were told, in which time, at what cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headend.network.law import READ_OCTETS, NetworkLaw
from headend.wire import InquiryKind
from meters.calendar import INTERVAL_S, day_of, day_start, fraction_s, micros, to_s
from meters.day_kinds import day_class
from simulator.capacity.engine.kernel import HELD
from simulator.capacity.engine.law import Assumptions
from simulator.capacity.engine.rows import Rows
from simulator.capacity.engine.run import Played, play_load
from simulator.capacity.outcome import COMPLETED, ENDS, REFUSED
from simulator.capacity.pushed import octets_pushed
from simulator.capacity.value import MOST_UNKNOWN, ValueTable, read_value, season_of
from simulator.capacity.workload.columns import CLASSES, KINDS
from simulator.capacity.workload.curves import hours_of
from simulator.capacity.workload.draw import draw
from simulator.capacity.workload.plan import Plan
from simulator.smt.throttle.limits import Policy, RequesterClass

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
#: Told with (cells done, cells in all) whenever some are done.
Progress = Callable[[int, int], None]

#: What makes throttles differ [D]: finite workers, a try that is not heard holds its access point, pick-up in batches, losses in spells of 6 minutes.
CONTENDED = Assumptions(network=NetworkLaw(slot_held_s=30.0, workers=400), batched=True, losing_mean_s=360.0)
#: Whose requests are told of together: call centres' interval reads, which the question is about; everybody; each class.
READS, ALL = "call_centre_reads", "all"
GROUPS = (READS, ALL, *(str(one) for one in CLASSES))


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a group in one cell. Shares are of all its requests, those that were asked again among them; NaN of nothing."""

    #: Requests as planned, and those that were asked again because the caller was not told in the call.
    planned: int
    again: int
    #: Intervals, or the register or status that was asked for, before the hang-up.
    told_in_call: float
    #: The same by where it came from: a meter, read for this or shortly before for another; the store.
    told_meter: float
    told_store: float
    refused: float
    #: Tries at meters, and Modbus octets that these are on air.
    meter_reads: int
    octets_on_air: int
    #: Seconds from the question to the answer, of those that got one, in time or not.
    p50_s: float
    p95_s: float
    #: Of requests for intervals: mean dollars by which the bill told is off, mean over the shipped plans, and the share that it leaves unsatisfied (AMB-12).
    usd: float
    unsatisfied: float
    #: Refused requests by the code of what refused.
    refused_by: Mapping[str, int]


#: What of ``Told`` is a figure.
MEASURES = tuple(one.name for one in fields(Told) if one.name != "refused_by")


class Cell(NamedTuple):
    """A workload under a policy, one replication: by place, and what each group was told."""

    workload: int
    policy: int
    replication: int
    told: Mapping[str, Told]
    #: Octets on HTTP of what head-ends send SMT after each sweep.
    octets_pushed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """All cells, and whose they are."""

    workloads: Sequence[Plan]
    policies: Sequence[Policy]
    replications: int
    #: (workloads, policies, replications), row by row.
    cells: Sequence[Cell]

    def of(self, workload: int, policy: int) -> Sequence[Cell]:
        """The replications of a workload under a policy."""
        begin = (workload * len(self.policies) + policy) * self.replications
        return self.cells[begin : begin + self.replications]

    def values(self, measure: str, group: str = READS) -> Floats:
        """(workloads, policies, replications) one of ``MEASURES``."""
        found = np.asarray([getattr(one.told[group], measure) for one in self.cells], dtype=np.float64)
        return found.reshape(len(self.workloads), len(self.policies), self.replications)


def compare(
    workloads: Sequence[Plan],
    policies: Sequence[Policy],
    replications: int,
    executor: Executor | None = None,
    progress: Progress | None = None,
    assumptions: Assumptions = CONTENDED,
) -> Comparison:
    """Play each workload under each policy so many times; executor: None plays in this process. The same whatever plays it."""
    cells: list[Cell] = []
    parts = [(at, one, replication) for at, one in enumerate(workloads) for replication in range(replications)]
    count = len(parts) * len(policies)

    def keep(found: list[Cell]) -> None:
        cells.extend(found)
        if progress is not None:
            progress(len(cells), count)

    if progress is not None:
        progress(0, count)
    if executor is None:
        for at, plan, replication in parts:
            keep(cells_of(at, plan, policies, replication, assumptions))
    else:
        futures = [executor.submit(cells_of, at, plan, policies, one, assumptions) for at, plan, one in parts]
        for future in as_completed(futures):
            keep(future.result())
    return Comparison(workloads, policies, replications, sorted(cells, key=lambda one: one[:3]))


def cells_of(
    workload: int, plan: Plan, policies: Sequence[Policy], replication: int, assumptions: Assumptions
) -> list[Cell]:
    """One replication of a workload, the same callers and draws under each policy."""
    drawn = draw(plan, replication)
    seed = drawn.seed + replication
    found = []
    for policy_at, policy in enumerate(policies):
        pushed = octets_pushed(policy, plan.fleet.meters, plan.ends - plan.begins, assumptions.sweep_every_h)
        played = play_load(drawn.requests, drawn.outages, policy, assumptions, seed)
        found.append(
            Cell(
                workload, policy_at, replication, told_of(played, len(drawn.requests), assumptions, read_once()), pushed
            )
        )
    return found


def told_of(played: Played, planned: int, assumptions: Assumptions, value: ValueTable) -> dict[str, Told]:
    """What each group was told. planned: how many of the rows were not asked again."""
    rows = played.rows
    conserved(rows, planned)
    intervals = rows.kind == KINDS.index(InquiryKind.INTERVALS)
    answered = np.where(intervals, rows.reach > 0, rows.end == COMPLETED)
    in_call = answered & (rows.done_us - rows.planned_us <= rows.patience_us)
    usd, unsatisfied = worth(rows, intervals & in_call, assumptions, value)
    every = _Every(played, planned, intervals, answered, in_call, usd, unsatisfied)
    centre = rows.requester_class == CLASSES.index(RequesterClass.ROR_CALL_CENTRE)
    which = {READS: centre & intervals, ALL: np.ones(len(rows), np.bool_)}
    return {
        group: every.told(which[group] if group in which else rows.requester_class == GROUPS.index(group) - 2)
        for group in GROUPS
    }


def conserved(rows: Rows, planned: int) -> None:
    """Every row has one end, no earlier than its beginning, and all that were not planned were asked again for another."""
    assert ((rows.end >= 0) & (rows.end < len(ENDS))).all()
    assert (rows.done_us >= rows.planned_us).all()
    assert (rows.repeat_of[:planned] == -1).all()
    assert (rows.repeat_of[planned:] >= 0).all()
    assert len(np.unique(rows.repeat_of[planned:])) == len(rows) - planned


def worth(rows: Rows, told: Bools, assumptions: Assumptions, value: ValueTable) -> Floats:
    """(2, n) dollars by which a caller is told a wrong bill, and the odds that it leaves him unsatisfied.

    told: who has intervals in the call: the quarter hours between their end and the question are expected as on the usual day. Of the others those
    since the last midnight that is posted are, which is what the desk says without a read.
    """
    if not len(rows):
        return np.zeros((2, 0))
    asked = to_s(rows.planned_us)
    first, last = (day_of(to_s(micros(at))) for at in (rows.planned_us.min(), rows.planned_us.max()))
    hours = hours_of(first, (last - first).days + 1)
    at = np.searchsorted(hours.begins, asked, side="right") - 1
    usual = [
        usual_day(value, season_of(day), str(day_class(day)))[:, hour]
        for day, hour in zip(hours.day, hours.hour, strict=True)
    ]
    midnight, before = (
        np.asarray([day_start(day - timedelta(days=back)) for day in hours.day], dtype=np.int64)[at] for back in (0, 1)
    )
    posted = np.where(asked >= midnight + assumptions.posted_s, midnight, before)
    known = np.where(told, rows.reach, posted)
    unknown = np.clip((asked - known) // INTERVAL_S, 0, MOST_UNKNOWN)
    found: Floats = np.stack(usual, axis=1)[:, at, unknown]
    return found


@cache
def usual_day(value: ValueTable, season: str, kind: str) -> Floats:
    """(2, 24, 193) mean dollars, and the share unsatisfied, mean over the plans, by hour of the call and quarter hours expected as on the usual day."""
    figures = [value.packed(season, kind, "VEE + usual day", figure) for figure in ("mean_usd", "unsatisfied")]
    found: Floats = np.stack(figures).mean(axis=3, dtype=np.float64)
    return found


@cache
def read_once() -> ValueTable:
    """The shipped table."""
    return read_value()


class _Every(NamedTuple):
    """What is known of every row."""

    played: Played
    planned: int
    intervals: Bools
    answered: Bools
    in_call: Bools
    usd: Floats
    unsatisfied: Floats

    def told(self, which: Bools) -> Told:
        """What some of the rows were told."""
        rows = self.played.rows
        some: Any = rows[which]
        in_call = self.in_call[which]
        # A read that is younger than the policy's reuse answers at once, without a try of its own; so does what SMT holds, which is no read.
        at_once = (some.done_us == some.planned_us) & (some["flags"] & HELD == 0)
        by_meter = (some.end == COMPLETED) & ((some.tries > 0) | at_once)
        refused = some.end == REFUSED
        waited = fraction_s(rows.done_us - rows.planned_us)[which & self.answered]
        by_code = np.bincount(some.code[refused], minlength=len(self.played.codes)).tolist()
        reads = int(some.tries.sum())
        of_intervals = which & self.intervals
        p50, p95 = np.percentile(waited, (50, 95)).tolist() if len(waited) else (np.nan, np.nan)
        return Told(
            planned=int(np.count_nonzero(which[: self.planned])),
            again=int(np.count_nonzero(which[self.planned :])),
            told_in_call=_mean(in_call),
            told_meter=_mean(in_call & by_meter),
            told_store=_mean(in_call & ~by_meter),
            refused=_mean(refused),
            meter_reads=reads,
            octets_on_air=reads * READ_OCTETS,
            p50_s=p50,
            p95_s=p95,
            usd=_mean(self.usd[of_intervals]),
            unsatisfied=_mean(self.unsatisfied[of_intervals]),
            refused_by={code: count for code, count in zip(self.played.codes, by_code, strict=True) if count},
        )


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else float("nan")
