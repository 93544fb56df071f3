"""The control API's part for counts: what became of a day's requests, and of the records of its files."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from meters.calendar import day_of
from simulator.smt.doors.both.bodies import day_asked
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.ondemand.lifecycle import State
from simulator.smt.ondemand.tally import DayTally, tally_of


class CountsAsked(BaseModel):
    """Of which day. A name that is not known is refused."""

    model_config = ConfigDict(extra="forbid")

    day: Annotated[date | None, BeforeValidator(day_asked)] = Field(
        default=None, description="Local; the model's present day unless given.", examples=["2026-08-12"]
    )


class Took(BaseModel):
    """How long requests took from the instant at which they came to SMT, model seconds."""

    count: int = Field(description="Of how many: those that ended so.")
    p50S: float | None = Field(description="The middle one; null of none.", examples=[72.4])
    p95S: float | None = Field(description="19 of 20 took no longer.")
    longestS: float | None


class StateCount(BaseModel):
    """How many requests stand there."""

    state: State
    count: int


class Refused(Took):
    """The refused ones, by the limit or rule that refused them too."""

    codes: dict[str, int] = Field(description="By the code of the refusal.")


class Posted(BaseModel):
    """Files that TDSPs posted, and what became of their records."""

    files: int
    cut: int = Field(description="Of these, whose upload was cut off.")
    codes: dict[str, int] = Field(description="Records by result code.")


class Counts(BaseModel):
    """A day in numbers. What was refused is told apart from what failed, here and in the times."""

    day: date
    requests: list[StateCount] = Field(description="Requests that came on the day, by where they stand now.")
    answered: Took
    refused: Refused
    failed: Took = Field(description="`failed`, `t_failed` and `expired`.")
    posted: Posted


def router() -> APIRouter:
    """``GET /control/counts``."""
    routes = APIRouter(prefix="/control", tags=["Control"])

    @routes.get("/counts", summary="A day in numbers")
    def counts(asked: Annotated[CountsAsked, Query()], smt: ServedSmt) -> Counts:
        """Tell how many requests came on a day and where they stand, which refusals there were, how long it took, and what became of posted records."""
        day = asked.day or day_of(smt.driver.now())
        tally, posted = smt.ledger.tally(day), smt.posting_list.tally(day)
        return Counts(
            day=day,
            requests=[StateCount(state=state, count=tally.states[state]) for state in State if tally.states[state]],
            answered=_took(tally, State.COMPLETED),
            refused=Refused(**_took(tally, State.REFUSED).model_dump(), codes=dict(sorted(tally.refusals.items()))),
            failed=_took(tally, State.FAILED, State.T_FAILED, State.EXPIRED),
            posted=Posted(files=posted.files, cut=posted.cut, codes=dict(sorted(posted.records.items()))),
        )

    return routes


def _took(tally: DayTally, *states: State) -> Took:
    found = tally_of(tally, states)
    return Took(count=found.many, p50S=found.p50_s, p95S=found.p95_s, longestS=found.longest_s)
