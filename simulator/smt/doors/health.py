"""Whether an SMT process can do its work: its database answers, a dispatcher works on it, the queue is looked through."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError

from headend.http.examples import documented
from headend.http.links import Asks
from meters.calendar import Seconds, fraction_s, micros, rounded_us
from simulator.smt.database.seat import Loss, Role, SeatLostError
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.party import Smt

#: Looks that may be missed before the dispatcher counts as stuck, and wall seconds that it may be late in any case. Defaults of this project.
MISSED_SWEEPS, LATE_S = 4, 5


class SmtHealth(BaseModel):
    """The service answers; ``status`` says whether it can do its work."""

    status: Literal["ok", "degraded"]
    links: Asks = Field(description="`open`: head-ends are asked for no key.")
    role: Role = Field(description="`alone`, or `dispatcher` or `worker` of several processes at one database.")
    database: Literal["ok", "unreachable", "unwritable", "taken", "replaced"] = Field(
        description="`unwritable`: it is locked, full or read-only. `taken`: another SMT works on it, so this one does not any more. "
        "`replaced`: its file was removed or is another one."
    )
    dispatcher: Literal["alive", "stuck", "absent", "unknown"] = Field(
        description="Who runs the on-demand processes, at whichever process: `stuck` when the queue was not looked through for long."
    )
    lastSweepAgeS: float | None = Field(
        default=None, description="Seconds of model time since the queue was last looked through."
    )
    lastNonVeeAgeS: Seconds | None = Field(
        default=None,
        description="Under a policy that holds non-VEE intervals: seconds of model time since the latest batch of them.",
    )
    clockLagS: float = Field(
        description="Wall seconds that it was behind its clock lately, the most of the last ten; above 1 the clock was not kept."
    )
    reason: str | None = Field(
        default=None,
        description="Of a database that is `taken` or `replaced`: what to do. Of a worker: what the dispatcher works by and it does not.",
    )


_LOST: dict[Loss, Literal["taken", "replaced"]] = {Loss.TAKEN: "taken", Loss.REPLACED: "replaced"}


def router() -> APIRouter:
    """``GET /healthz`` and ``GET /metrics``."""
    routes = APIRouter(tags=["Service"])

    @routes.get(
        "/healthz",
        response_model=SmtHealth,
        responses={503: documented("Something it needs is away.", SmtHealth)},
        summary="Is the service up?",
    )
    async def healthz(smt: ServedSmt) -> JSONResponse:
        """Tell whether the database answers, whether a dispatcher works on it, and when it last looked through the queue."""
        health = health_of(smt)
        return JSONResponse(health.model_dump(), status_code=200 if health.status == "ok" else 503)

    @routes.get("/metrics", include_in_schema=False)
    async def metrics(smt: ServedSmt) -> Response:
        return Response(smt.metrics.text(), media_type="text/plain; version=0.0.4")

    return routes


def health_of(smt: Smt) -> SmtHealth:
    """Look, and say. It writes a row each time, to see whether that can be done."""
    role, lag_s = smt.config.role, round(smt.driver.lag_s, 3)
    links: Asks = "open" if smt.config.open_links else "keyed"
    try:
        alive = smt.seat.dispatcher_alive()
        swept_us = smt.swept_us()
        smt.ledger.open_counts()
        differs = smt.held_to()
        pushed_at = smt.non_vee.latest_at() if smt.non_vee.taken else None
    except SeatLostError as lost:
        return SmtHealth(
            status="degraded",
            links=links,
            role=role,
            database=_LOST[lost.loss],
            dispatcher="unknown",
            clockLagS=lag_s,
            reason=str(lost),
        )
    except SQLAlchemyError:
        return SmtHealth(
            status="degraded",
            links=links,
            role=role,
            database="unreachable",
            dispatcher="unknown",
            clockLagS=lag_s,
        )
    database: Literal["ok", "unwritable"] = "ok"
    try:
        smt.ledger.try_writing()
    except SQLAlchemyError:
        database = "unwritable"
    age_us = None if swept_us is None else max(micros(0), smt.now_us() - swept_us)
    dispatcher: Literal["alive", "stuck", "absent"] = "alive" if alive else "absent"
    late_us = max(MISSED_SWEEPS * smt.config.sweep_every_us, rounded_us(LATE_S * smt.driver.rate))
    if alive and age_us is not None and age_us > late_us:
        dispatcher = "stuck"
    return SmtHealth(
        status="ok" if database == "ok" and dispatcher == "alive" and differs is None else "degraded",
        links=links,
        role=role,
        database=database,
        dispatcher=dispatcher,
        lastSweepAgeS=None if age_us is None else round(fraction_s(age_us), 3),
        lastNonVeeAgeS=None if pushed_at is None else max(0, smt.driver.now() - pushed_at),
        clockLagS=lag_s,
        reason=differs,
    )
