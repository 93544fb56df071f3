"""The batch report of an operating day, as the head-end tells it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from itertools import groupby

from pydantic import BaseModel, Field

from headend.day.summary import together
from headend.store.partitions import Partition, State
from headend.store.states import DayState
from headend.wire import Instant
from meters.calendar import Seconds, local


class Offender(BaseModel):
    """A meter with findings."""

    esiid: str = Field(examples=["10443720000000017"])
    meterNumber: str
    findings: int


class RuleCount(BaseModel):
    """How often a rule found something."""

    rule: str = Field(examples=["interval.missing"])
    findings: int


class StoppedArea(BaseModel):
    """An area with so many silent meters that for those nothing is made up."""

    accessPoint: int
    silentMeters: int


class BatchRun(BaseModel):
    """One run of VEE over a day: the first over all meters, later ones over those of which something came late."""

    run: int
    beganAt: Instant
    preset: str = Field(description="How its VEE goes.", examples=["oncor"])
    state: State = Field(description="How far all of its partitions are.")
    partitions: int = Field(description="Each is validated in one commit, and posted in a file of its own.")
    partitionsValidated: int
    partitionsPosted: int
    durationS: Seconds = Field(description="Of its VEE, by the model's clock: 0 on the manual one.")
    metersPerS: float | None = Field(default=None, description="By the same clock.")
    esiidsRevised: int | None = Field(default=None, description="Of a later run: whose results it changed.")
    postedAt: Instant | None = Field(default=None, description="When SMT's site had all of its files.")
    meters: int
    actualPercent: float = Field(description="Of the intervals of the consumption channel.")
    estimatedPercent: float
    findings: list[RuleCount] = Field(description="By rule.")
    topOffenders: list[Offender] = Field(description="The ten meters with most findings.")
    stoppedAreas: list[StoppedArea] = Field(
        description="For which estimation was stopped (`estimate.stopped`), when it ran."
    )


class BatchReport(BaseModel):
    """An operating day's batch."""

    operatingDay: date
    meters: int = Field(description="Whose collection was tried.")
    complete: int = Field(description="Of which everything is collected by now.")
    completePercent: float
    runs: list[BatchRun]


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 3) if whole else 0.0


def _run(run: int, partitions: Sequence[Partition]) -> BatchRun:
    reports = [json.loads(partition.report) for partition in partitions if partition.report]
    told = together(reports)
    intervals, duration_s = told["actual"] + told["estimated"], told["duration_s"]
    states = [list(State).index(partition.state) for partition in partitions]
    posted = [partition.posted_at for partition in partitions if partition.posted_at is not None]
    return BatchRun(
        run=run,
        beganAt=local(partitions[0].began_at),
        preset=next((report["preset"] for report in reports if "preset" in report), ""),
        state=list(State)[min(states)],
        partitions=len(partitions),
        partitionsValidated=len(reports),
        partitionsPosted=len(posted),
        durationS=duration_s,
        metersPerS=round(told["meters"] / duration_s, 1) if duration_s else None,
        esiidsRevised=None if run == 1 else sum(len(one.esiids.split()) for one in partitions if one.report),
        postedAt=local(max(posted)) if len(posted) == len(partitions) else None,
        meters=told["meters"],
        actualPercent=_percent(told["actual"], intervals),
        estimatedPercent=_percent(told["estimated"], intervals),
        findings=[RuleCount(rule=rule, findings=count) for rule, count in told["findings"].items()],
        topOffenders=[
            Offender(esiid=esiid, meterNumber=number, findings=count) for esiid, number, count in told["offenders"]
        ],
        stoppedAreas=[StoppedArea(accessPoint=area, silentMeters=count) for area, count in told["stopped"]],
    )


def report_of(day: date, partitions: Sequence[Partition], states: Sequence[DayState]) -> BatchReport:
    """The report of a day. partitions: its, by run and part."""
    complete = sum(state.complete for state in states)
    return BatchReport(
        operatingDay=day,
        meters=len(states),
        complete=complete,
        completePercent=_percent(complete, len(states)),
        runs=[_run(run, list(of_run)) for run, of_run in groupby(partitions, key=lambda one: one.run)],
    )
