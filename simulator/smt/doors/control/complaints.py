"""The control API's part for complaints: switch on, list, switch off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from meters.calendar import iso
from simulator.smt.complaints.declared import MOST, Complaint, Complaints, ComplaintSpec, TooManyError, Unmatched
from simulator.smt.complaints.kinds import KINDS
from simulator.smt.doors.both.bodies import BusinessErrorReply
from simulator.smt.doors.both.examples import ESIID, one, told
from simulator.smt.errors import BAD_FIELD


class ComplaintState(BaseModel):
    """A complaint that is switched on, and how often it struck."""

    id: str = Field(examples=["complaint-1"])
    active: bool = Field(description="Whether it may strike now, by its window and its count.")
    strikes: int = Field(description="How often it struck so far.")
    first: str | None = Field(default=None, description="Begins then; none: it has begun.")
    until: str | None = Field(default=None, description="Ends before then; none: it lasts until it is lifted.")
    complaint: ComplaintSpec


class ComplaintList(BaseModel):
    """Complaints, in the order in which they were declared: of several that fit a call, the first strikes."""

    complaints: list[ComplaintState]


_T_FAILED = {"kind": "t_failed", "esiids": [ESIID]}
_MAINTENANCE = {"kind": "smt_maintenance", "first": "2026-09-13T02:00:00-05:00", "until": "2026-09-13T04:00:00-05:00"}
_ASKED: dict[str, Any] = {
    "t_failed": one("T-FAILED at one ESI ID until it is lifted", _T_FAILED),
    "maintenance": one("A maintenance window at SMT", _MAINTENANCE),
    "503": one(
        "A retailer's next three status polls are answered 503 in text/plain",
        {"kind": "text_503", "duns": "9990001110000", "paths": ["/v2/odrstatus/"], "times": 3},
    ),
    "hang": one(
        "A user's calls hang for 30 s of wall time; what they ask for is done all the same",
        {"kind": "hang", "username": "customer.one", "seconds": 30, "taken": True},
    ),
}
_STATE = {
    "id": "complaint-1",
    "active": False,
    "strikes": 0,
    "first": "2026-09-13T02:00:00-05:00",
    "until": "2026-09-13T04:00:00-05:00",
    "complaint": _MAINTENANCE,
}
_DECLARED = {"declared": one("Switched on", _STATE)}
_LIST = {"one": one("One is on", {"complaints": [_STATE]}), "none": one("None is on", {"complaints": []})}
_LIFTED = {"lifted": one("Switched off", _STATE)}
_MALFORMED = {
    "kind": one(
        "Not as documented",
        {"errorCode": BAD_FIELD, "errorMessage": "kind: Input should be one of the kinds of complaint"},
    ),
    "nobody": one(
        "It could strike nobody",
        {"errorCode": BAD_FIELD, "errorMessage": "username: there is no log-in customer.nine"},
    ),
}
_FULL = {"full": one("As many as may be", {"errorCode": "control.complaints.full", "errorMessage": f"{MOST} complaints are on."})}  # fmt: skip
_UNKNOWN = {
    "unknown": one("No such complaint", {"errorCode": "control.complaints.unknown", "errorMessage": "No complaint complaint-9 is on."})
}  # fmt: skip
_KINDS_TOLD = "\n".join(f"* `{kind.value}` ({told.where.value}): {told.does}" for kind, told in KINDS.items())


def router(complaints: Complaints, unmatched: Callable[[ComplaintSpec], Unmatched | None]) -> APIRouter:
    """The routes under ``/control/complaints``. unmatched: why one that is to be declared could never strike."""
    routes = APIRouter(prefix="/control/complaints", tags=["control"])

    @routes.post(
        "",
        status_code=201,
        response_model=ComplaintState,
        responses={
            201: told(_DECLARED),
            400: told(
                _MALFORMED, "The body is not as documented, or the complaint could never strike.", BusinessErrorReply
            ),
            409: told(_FULL, "Too many are on.", BusinessErrorReply),
        },
        summary="Switch a complaint on",
        description=f"What users of SMT complain of, on purpose. It strikes calls of whom it names, in its window of model time.\n\n{_KINDS_TOLD}",
    )
    async def declare(asked: Annotated[ComplaintSpec, Body(openapi_examples=_ASKED)]) -> ComplaintState | JSONResponse:
        never = unmatched(asked)
        if never is not None:
            return _refuse(400, BAD_FIELD, f"{never.field}: {never.message}")
        try:
            return _state(complaints, complaints.declare(asked))
        except TooManyError:
            return _refuse(409, "control.complaints.full", f"{MOST} complaints are on: lift some.")

    @routes.get(
        "", response_model=ComplaintList, responses={200: told(_LIST)}, summary="The complaints that are switched on"
    )
    async def listed() -> ComplaintList:
        return ComplaintList(complaints=[_state(complaints, one) for one in complaints])

    @routes.delete("", response_model=ComplaintList, responses={200: told(_LIST)}, summary="Switch all complaints off")
    async def lift_all() -> ComplaintList:
        """Tells which were on."""
        lifted = [_state(complaints, one) for one in complaints]
        for state in lifted:
            complaints.lift(state.id)
        return ComplaintList(complaints=lifted)

    @routes.delete(
        "/{ident}",
        response_model=ComplaintState,
        responses={200: told(_LIFTED), 404: told(_UNKNOWN, "No such complaint is on.", BusinessErrorReply)},
        summary="Switch one complaint off",
    )
    async def lift(ident: str) -> ComplaintState | JSONResponse:
        lifted = complaints.lift(ident)
        if lifted is None:
            return _refuse(404, "control.complaints.unknown", f"No complaint {ident[:40]} is on.")
        return _state(complaints, lifted)

    return routes


def _state(complaints: Complaints, one: Complaint) -> ComplaintState:
    return ComplaintState(
        id=one.ident,
        active=one in complaints.on(),
        strikes=one.strikes,
        first=None if one.first is None else iso(one.first),
        until=None if one.until is None else iso(one.until),
        complaint=one.spec,
    )


def _refuse(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"errorCode": code, "errorMessage": message}, status_code=status)
