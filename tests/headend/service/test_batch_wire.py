"""The batch report: what partitions tell together, and how far they are."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

from headend.service.batch_wire import report_of
from headend.store.partitions import Partition, State
from headend.store.states import DayState
from meters.calendar import Seconds, day_start, epoch, iso, seconds

DAY = date(2026, 8, 12)
BEGAN = epoch("2026-08-13T01:00")


def partition(part: int, state: State, run: int = 1, posted_at: Seconds | None = None, **told: Any) -> Partition:
    report = {"meters": 10, "actual": 900, "estimated": 60, "findings": {}, "offenders": [], "duration_s": 2} | told
    kept = "" if state is State.PENDING else json.dumps(report | {"preset": "mine"})
    return Partition(DAY, run, part, "", "", "", state, BEGAN, posted_at=posted_at, report=kept)


def test_a_run_is_as_far_as_its_last_partition_and_tells_what_all_do() -> None:
    first = partition(1, State.POSTED, posted_at=BEGAN, findings={"a.b": 2}, offenders=[["1", "m", 2]])
    second = partition(2, State.NAMED, findings={"a.b": 3, "a.a": 1}, offenders=[["2", "m", 3], ["3", "m", 1]])
    states = [DayState("1", day_start(DAY), "m", complete=True), DayState("2", day_start(DAY), "m")]
    report = report_of(DAY, [first, second, partition(3, State.PENDING)], states)
    assert (report.meters, report.complete, report.completePercent) == (2, 1, 50.0)
    (run,) = report.runs
    assert (run.state, run.partitions, run.partitionsValidated, run.partitionsPosted) == (State.PENDING, 3, 2, 1)
    assert (run.meters, run.actualPercent, run.durationS, run.metersPerS) == (20, 93.75, 4, 5.0)
    assert (run.preset, run.postedAt, run.esiidsRevised) == ("mine", None, None)
    assert [(one.rule, one.findings) for one in run.findings] == [("a.a", 1), ("a.b", 5)]
    assert [(one.esiid, one.findings) for one in run.topOffenders] == [("2", 3), ("1", 2), ("3", 1)]


def test_a_later_run_tells_whom_it_changed_and_is_posted_when_all_of_it_is() -> None:
    ended = [BEGAN + 120, BEGAN + 60]
    first, *later = (
        partition(part, State.POSTED, run, at)
        for run, part, at in ((1, 1, BEGAN), *((2, *one) for one in enumerate(ended, 1)))
    )
    later = [replace(one, esiids=esiids) for one, esiids in zip(later, ("1 2", "3"), strict=True)]
    run = report_of(DAY, [first, *later], []).runs[1]
    assert (run.run, run.state, run.esiidsRevised, run.metersPerS) == (2, State.POSTED, 3, 5.0)
    assert run.postedAt is not None
    assert iso(seconds(run.postedAt.timestamp())) == iso(ended[0])
    # By a clock that stood still there is no rate.
    assert report_of(DAY, [partition(1, State.VALIDATED, duration_s=0)], []).runs[0].metersPerS is None
