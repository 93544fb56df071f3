"""The batch report of an operating day, as the head-end tells it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel, Field

from headend.store.runs import Run
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
    durationS: Seconds = Field(description="Of its VEE, by the model's clock: 0 on the manual one.")
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


def _run(run: Run) -> BatchRun:
    report = json.loads(run.report)
    intervals = report["actual"] + report["estimated"]
    return BatchRun(
        run=run.run,
        beganAt=local(run.began_at),
        durationS=report["duration_s"],
        postedAt=None if run.posted_at is None else local(run.posted_at),
        meters=report["meters"],
        actualPercent=_percent(report["actual"], intervals),
        estimatedPercent=_percent(report["estimated"], intervals),
        findings=[RuleCount(rule=rule, findings=count) for rule, count in report["findings"].items()],
        topOffenders=[
            Offender(esiid=esiid, meterNumber=number, findings=count) for esiid, number, count in report["offenders"]
        ],
        # Runs of an earlier version knew of none.
        stoppedAreas=[StoppedArea(accessPoint=area, silentMeters=count) for area, count in report.get("stopped", ())],
    )


def report_of(day: date, runs: Sequence[Run], states: Sequence[DayState]) -> BatchReport:
    """The report of a day that has runs."""
    complete = sum(state.complete for state in states)
    return BatchReport(
        operatingDay=day,
        meters=len(states),
        complete=complete,
        completePercent=_percent(complete, len(states)),
        runs=[_run(run) for run in runs],
    )
