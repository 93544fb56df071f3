"""The ledger of on-demand requests as a tester can look at it: who asked for which call, what became of it, what it cost (AMB-10)."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from headend.wire import InquiryKind, writable
from meters.calendar import iso, local_us
from simulator.smt.doors.both.bodies import day_asked
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.ondemand.ledger import Entry, Transition
from simulator.smt.ondemand.lifecycle import State
from simulator.smt.throttle.decision import Door

#: Requests that one look gives at most. A default of this project.
MOST_GIVEN = 1000


class RequestRefusal(BaseModel):
    """Why the throttle or the desk refused it."""

    code: str = Field(examples=["FR-CR016.1b"])
    reason: str
    retryAt: str | None = Field(default=None, description="None where no time is known.")
    told: bool = Field(description="Whether the requester was told; a silent limit drops a request without a word.")


class RequestStep(BaseModel):
    """One transition. What the answer came from and cost stands from `answered` on."""

    state: State
    at: str = Field(description="Model time.", examples=["2026-08-12T17:41:05.250000-05:00"])
    reason: str = ""
    refusal: RequestRefusal | None = None
    fromStore: int = Field(default=0, description="Intervals of the answer that the head-end's store had.")
    fromMeter: int = Field(default=0, description="Intervals of the answer that the meter was read for.")
    meterReads: int = Field(default=0, description="Tries at the meter.")
    octets: int = Field(default=0, description="Modbus octets that they took.")
    rule: str = Field(
        default="",
        description="Of what was `found`, of a `rejected` call-back, and what it ended by: a fatal rule, `drawn` (lost by lot), "
        "`expired_late` (the clock was not kept).",
        examples=["HOLE"],
    )
    field: str = Field(default="", description="Where that rule was broken.", examples=["intervals[].end"])
    value: str = Field(default="", description="By what.")


class RequestLife(BaseModel):
    """One request: who made it, for which call, and its life so far."""

    correlationId: str
    kind: InquiryKind
    esiid: str
    door: Door
    username: str
    duns: str = Field(description="Of the entity that the user speaks for; a customer has none.")
    requesterClass: str
    callReference: str = Field(description="The customer's call that it belongs to; empty if it named none.")
    transId: str
    submitted: str = Field(description="Model time.")
    transitions: list[RequestStep]


#: Two requests, one through each door.
_EXAMPLE = json.loads(Path(__file__).with_name("request_list.json").read_text("utf-8"))


class RequestList(BaseModel):
    """Requests, the latest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    requests: list[RequestLife]


def _text(value: str | None) -> str | None:
    return None if value is None else writable(value)


class RequestsAsked(BaseModel):
    """Which requests. A name that is not known is refused: it would be taken for no choice at all."""

    model_config = ConfigDict(extra="forbid")

    esiid: str | None = Field(default=None, pattern=r"^[0-9]{1,22}$", examples=["10443729924385485"])
    correlationId: str | None = Field(default=None, pattern=r"^[0-9]{1,64}$", examples=["482915007734"])
    callReference: Annotated[str | None, AfterValidator(_text)] = Field(
        default=None, max_length=64, description="Of one call; empty: those that named none.", examples=["call-1"]
    )
    day: Annotated[date | None, BeforeValidator(day_asked)] = Field(
        default=None, description="Submitted on this day, local.", examples=["2026-08-12"]
    )
    most: int = Field(default=100, ge=1, le=MOST_GIVEN, description="Given at most, the latest.")


def router() -> APIRouter:
    """``GET /control/requests``."""
    routes = APIRouter(prefix="/control", tags=["Control"])

    @routes.get("/requests", summary="On-demand requests, as the ledger has them")
    async def requests(asked: Annotated[RequestsAsked, Query()], smt: ServedSmt) -> RequestList:
        """Tell who asked through which door and for which call, each transition, and what the answer came from and cost."""
        if asked.correlationId is not None:
            entry = smt.ledger.entry(asked.correlationId)
            found = [] if entry is None else [entry]
        else:
            found = smt.ledger.audit(asked.esiid, asked.day, call_reference=asked.callReference, most=asked.most)
        return RequestList(requests=[_life(entry) for entry in reversed(found)])

    return routes


def _life(entry: Entry) -> RequestLife:
    filed = entry.filed
    return RequestLife(
        correlationId=filed.key,
        kind=filed.kind,
        esiid=filed.esiid,
        door=filed.door,
        username=filed.username,
        duns=filed.duns,
        requesterClass=filed.requester_class,
        callReference=filed.call_reference,
        transId=filed.trans_id,
        submitted=local_us(filed.submitted_us).isoformat(),
        transitions=[_step(transition) for transition in entry.transitions],
    )


def _step(transition: Transition) -> RequestStep:
    refusal = None
    if transition.refusal is not None:
        retry_at = iso(transition.refusal.retry_at) if transition.refusal.retry_at else None
        refusal = RequestRefusal(
            code=transition.refusal.code,
            reason=transition.refusal.reason,
            retryAt=retry_at,
            told=transition.refusal.told,
        )
    return RequestStep(
        state=transition.state,
        at=local_us(transition.at_us).isoformat(),
        reason=transition.reason,
        refusal=refusal,
        fromStore=transition.from_store,
        fromMeter=transition.from_meter,
        meterReads=transition.meter_reads,
        octets=transition.octets,
        rule=transition.rule,
        field=transition.field,
        value=transition.value,
    )
