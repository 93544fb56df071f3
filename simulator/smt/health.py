"""Whether an SMT process can do its work: its database answers, a dispatcher works on it, the queue is looked through."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError

from meters.calendar import US
from simulator.smt.party import Smt
from simulator.smt.seat import Role

#: Looks that may be missed before the dispatcher counts as stuck. A default of this project.
MISSED_SWEEPS = 4


class SmtHealth(BaseModel):
    """The service answers; ``status`` says whether it can do its work."""

    status: Literal["ok", "degraded"]
    role: Role = Field(description="`alone`, or `dispatcher` or `worker` of several processes at one database.")
    database: Literal["ok", "unreachable"]
    dispatcher: Literal["alive", "stuck", "absent", "unknown"] = Field(
        description="Who runs the on-demand processes, at whichever process: `stuck` when the queue was not looked through for long."
    )
    lastSweepAgeS: float | None = Field(
        default=None, description="Seconds of model time since the queue was last looked through."
    )


GOOD_HEALTH: dict[str, Any] = {
    "alone": {
        "summary": "It works",
        "value": {
            "status": "ok",
            "role": "alone",
            "database": "ok",
            "dispatcher": "alive",
            "lastSweepAgeS": 42.0,
        },
    }
}
BAD_HEALTH: dict[str, Any] = {
    "absent": {
        "summary": "A worker without a dispatcher",
        "value": {
            "status": "degraded",
            "role": "worker",
            "database": "ok",
            "dispatcher": "absent",
            "lastSweepAgeS": 310.5,
        },
    },
    "unreachable": {
        "summary": "No database",
        "value": {
            "status": "degraded",
            "role": "dispatcher",
            "database": "unreachable",
            "dispatcher": "unknown",
            "lastSweepAgeS": None,
        },
    },
}


def health_of(smt: Smt) -> SmtHealth:
    """Look, and say."""
    role = smt.config.role
    try:
        swept_us = smt.ledger.swept_us()
        alive = smt.seat.dispatcher_alive()
        smt.ledger.open_counts()
    except DBAPIError:
        return SmtHealth(status="degraded", role=role, database="unreachable", dispatcher="unknown")
    age_us = None if swept_us is None else max(0, smt.now_us() - swept_us)
    dispatcher: Literal["alive", "stuck", "absent"] = "alive" if alive else "absent"
    if alive and age_us is not None and age_us > MISSED_SWEEPS * smt.config.sweep_every_us:
        dispatcher = "stuck"
    return SmtHealth(
        status="ok" if dispatcher == "alive" else "degraded",
        role=role,
        database="ok",
        dispatcher=dispatcher,
        lastSweepAgeS=None if age_us is None else round(age_us / US, 3),
    )
