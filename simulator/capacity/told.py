"""What callers of a load were told, by group: whether in the call, in which time, by how many dollars wrongly, and at what cost on air."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headend.network.law import READ_OCTETS
from headend.wire import InquiryKind
from meters.calendar import INTERVAL_S, day_start, fraction_s, to_s
from meters.day_kinds import day_class
from simulator.capacity.ends import COMPLETED, ENDS, REFUSED
from simulator.capacity.engine.doors import AtTheDoors, at_the_doors
from simulator.capacity.engine.kernel import HELD
from simulator.capacity.engine.law import Assumptions
from simulator.capacity.engine.rows import Rows
from simulator.capacity.engine.run import Played
from simulator.capacity.value import MOST_UNKNOWN, ValueTable, season_of
from simulator.capacity.workload.columns import CLASSES, KINDS
from simulator.capacity.workload.curves import hours_at
from simulator.smt.throttle.limits import RequesterClass

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
#: Whose requests are told of together: call centres' interval reads, which the question is about; everybody; all power statuses; each class.
READS, ALL, STATUSES = "call_centre_reads", "all", "statuses"
GROUPS = (READS, ALL, STATUSES, *(str(one) for one in CLASSES))


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
    #: Calls at SMT's doors, polls among them, and octets that these are with their answers; of all together, those too that head-ends send after sweeps.
    http_calls: int
    http_octets: int
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


def told_of(played: Played, planned: int, assumptions: Assumptions, value: ValueTable) -> dict[str, Told]:
    """What each group was told. planned: how many of the rows were not asked again."""
    rows = played.rows
    conserved(rows, planned)
    little(played)
    intervals = rows.kind == KINDS.index(InquiryKind.INTERVALS)
    answered = answered_of(rows)
    in_call = in_call_of(rows)
    usd, unsatisfied = worth(rows, intervals & in_call, assumptions, value)
    doors = at_the_doors(rows, played.use, assumptions)
    every = _Every(played, planned, intervals, answered, in_call, usd, unsatisfied, doors)
    centre = rows.requester_class == CLASSES.index(RequesterClass.ROR_CALL_CENTRE)
    which = {
        READS: centre & intervals,
        ALL: np.ones(len(rows), np.bool_),
        STATUSES: rows.kind == KINDS.index(InquiryKind.POWER),
        **{str(one): rows.requester_class == at for at, one in enumerate(CLASSES)},
    }
    return {group: every.told(which[group]) for group in GROUPS}


def answered_of(rows: Rows) -> Bools:
    """(n,) who got what was asked for, in time or not: intervals, or a register or status."""
    found: Bools = np.where(rows.kind == KINDS.index(InquiryKind.INTERVALS), rows.reach > 0, rows.end == COMPLETED)
    return found


def in_call_of(rows: Rows) -> Bools:
    """(n,) who got it before the hang-up."""
    found: Bools = answered_of(rows) & (rows.done_us - rows.planned_us <= rows.patience_us)
    return found


def conserved(rows: Rows, planned: int) -> None:
    """Every row has one end, no earlier than its beginning, and all that were not planned were asked again for another."""
    assert ((rows.end >= 0) & (rows.end < len(ENDS))).all()
    assert (rows.done_us >= rows.planned_us).all()
    assert (rows.repeat_of[:planned] == -1).all()
    assert (rows.repeat_of[planned:] >= 0).all()
    assert len(np.unique(rows.repeat_of[planned:])) == len(rows) - planned


def little(played: Played) -> None:
    """Those that are there, by what each resource was taken for, are the rate times the time that the rows tell, within 1 %."""
    use, rows = played.use, played.rows
    there = sum(int(of.sum()) for of in (use.middle_us, use.queued_us, use.waiting_us, use.on_air_us, use.resting_us))
    waited = int((rows.done_us - rows.planned_us).sum())
    assert abs(there - waited) <= 0.01 * waited, (there, waited)


def worth(rows: Rows, told: Bools, assumptions: Assumptions, value: ValueTable) -> Floats:
    """(2, n) dollars by which a caller is told a wrong bill, and the odds that it leaves him unsatisfied.

    told: who has intervals in the call: the quarter hours between their end and the question are expected as on the usual day. Of the others those
    since the last midnight that is posted are, which is what the desk says without a read.
    """
    if not len(rows):
        return np.zeros((2, 0))
    asked = to_s(rows.planned_us)
    hours, at = hours_at(asked)
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


class _Every(NamedTuple):
    """What is known of every row."""

    played: Played
    planned: int
    intervals: Bools
    answered: Bools
    in_call: Bools
    usd: Floats
    unsatisfied: Floats
    doors: AtTheDoors

    def told(self, which: Bools) -> Told:
        """What some of the rows were told."""
        rows = self.played.rows
        some: Any = rows[which]
        in_call = self.in_call[which]
        # A read that is younger than the policy's reuse answers at once, without a try of its own.
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
            http_calls=int(self.doors.calls[which].sum()),
            http_octets=int(self.doors.octets[which].sum()),
            p50_s=p50,
            p95_s=p95,
            usd=_mean(self.usd[of_intervals]),
            unsatisfied=_mean(self.unsatisfied[of_intervals]),
            refused_by={code: count for code, count in zip(self.played.codes, by_code, strict=True) if count},
        )


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else float("nan")
