"""The control API's part for complaints: switch on, list, switch off."""

from __future__ import annotations

from collections.abc import Collection

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from headend.http.examples import documented
from meters.calendar import iso
from simulator.smt.complaints.declared import MOST, Complaint, Complaints, ComplaintSpec, TooManyError
from simulator.smt.complaints.kinds import KINDS
from simulator.smt.complaints.targets import unmatched
from simulator.smt.doors.both.bodies import BusinessErrorReply
from simulator.smt.doors.both.served import ServedSmt
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


_KINDS_TOLD = "\n".join(f"* `{kind.value}` ({row.where.value}): {row.does}" for kind, row in KINDS.items())


def router(calls: Collection[str]) -> APIRouter:
    """The routes under ``/control/complaints``. calls: paths of portal and market API, without their last slash."""
    routes = APIRouter(prefix="/control/complaints", tags=["Control"])

    @routes.post(
        "",
        status_code=201,
        response_model=ComplaintState,
        responses={
            400: documented("The body is not as documented, or the complaint could never strike.", BusinessErrorReply),
            409: documented("Too many are on.", BusinessErrorReply),
        },
        summary="Switch a complaint on",
        description=f"What users of SMT complain of, on purpose. It strikes calls of whom it names, in its window of model time.\n\n{_KINDS_TOLD}",
    )
    async def declare(asked: ComplaintSpec, smt: ServedSmt, request: Request) -> ComplaintState | JSONResponse:
        never = unmatched(asked, smt.registry, calls, request.app.called, smt.driver.now())
        if never is not None:
            return _refuse(400, BAD_FIELD, f"{never.field}: {never.message}")
        try:
            return _state(smt.complaints, smt.complaints.declare(asked))
        except TooManyError:
            return _refuse(409, "control.complaints.full", f"{MOST} complaints are on: lift some.")

    @routes.get("", response_model=ComplaintList, summary="The complaints that are switched on")
    async def listed(smt: ServedSmt) -> ComplaintList:
        return ComplaintList(complaints=[_state(smt.complaints, complaint) for complaint in smt.complaints])

    @routes.delete("", response_model=ComplaintList, summary="Switch all complaints off")
    async def lift_all(smt: ServedSmt) -> ComplaintList:
        """Tells which were on."""
        lifted = [_state(smt.complaints, complaint) for complaint in smt.complaints]
        for state in lifted:
            smt.complaints.lift(state.id)
        return ComplaintList(complaints=lifted)

    @routes.delete(
        "/{ident}",
        response_model=ComplaintState,
        responses={404: documented("No such complaint is on.", BusinessErrorReply)},
        summary="Switch one complaint off",
    )
    async def lift(ident: str, smt: ServedSmt) -> ComplaintState | JSONResponse:
        lifted = smt.complaints.lift(ident)
        if lifted is None:
            return _refuse(404, "control.complaints.unknown", f"No complaint {ident[:40]} is on.")
        return _state(smt.complaints, lifted)

    return routes


def _state(complaints: Complaints, complaint: Complaint) -> ComplaintState:
    return ComplaintState(
        id=complaint.ident,
        active=complaint in complaints.on(),
        strikes=complaint.strikes,
        first=None if complaint.first is None else iso(complaint.first),
        until=None if complaint.until is None else iso(complaint.until),
        complaint=complaint.spec,
    )


def _refuse(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"errorCode": code, "errorMessage": message}, status_code=status)
