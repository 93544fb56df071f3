"""The head-end's HTTP service: takes an inquiry (202) and leaves it to the on-demand desk, which calls the result back."""

from __future__ import annotations

from collections.abc import Collection as Members
from typing import Annotated, Any

from fastapi import Body, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from headend.gap import GAP_LIMIT
from headend.live import OnDemandDesk
from headend.wire import InquiryAccepted, InquiryKind, InquiryRequest
from meters.calendar import INTERVAL_S


class InquiryError(BaseModel):
    """Why an inquiry was not taken."""

    code: str = Field(examples=["headend.inquiry.esiid_unknown"])
    message: str
    place: str = Field(default="", description="The field at fault.")


_EXAMPLES: dict[str, Any] = {
    "intervals": {
        "summary": "The gap of a balance inquiry",
        "value": {
            "correlationId": "482915007734",
            "kind": "INTERVALS",
            "esiid": "10443720000000017",
            "start": "2026-08-12T00:00:00-05:00",
            "end": "2026-08-12T17:30:00-05:00",
            "meterAllowed": True,
            "answerBy": "2026-08-12T18:25:00-05:00",
            "replyTo": "http://127.0.0.1:8600/callbacks/inquiries",
            "callReference": "call-0001",
        },
    },
    "power": {
        "summary": "A power status",
        "value": {
            "correlationId": "482915007735",
            "kind": "POWER",
            "esiid": "10443720000000017",
            "meterAllowed": True,
            "answerBy": "2026-08-12T18:25:00-05:00",
            "replyTo": "http://127.0.0.1:8600/callbacks/inquiries",
        },
    },
}
_ERRORS: dict[int | str, dict[str, Any]] = {status: {"model": InquiryError} for status in (400, 404)}


def create_app(desk: OnDemandDesk, esiids: Members[str], title: str) -> FastAPI:
    """Make the service. esiids: the ESI IDs of this TDSP's meters."""
    app = FastAPI(title=title, description="On-demand inquiries of SMT at a TDSP's head-end.", version="1")

    @app.exception_handler(RequestValidationError)
    async def malformed(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part != "body")
        return _refuse(400, "headend.inquiry.malformed", f"{first['msg']}.", place)

    @app.post(
        "/inquiries",
        status_code=202,
        responses=_ERRORS,
        summary="Inquire at the head-end",
        response_model=InquiryAccepted,
    )
    async def inquiries(
        request: Annotated[InquiryRequest, Body(openapi_examples=_EXAMPLES)],
    ) -> InquiryAccepted | JSONResponse:
        """Accept an inquiry; its result is posted to `replyTo` as an `InquiryResult`."""
        if request.esiid not in esiids:
            return _refuse(404, "headend.inquiry.esiid_unknown", "No meter of this TDSP has that ESI ID.", "esiid")
        fault = _window_fault(request)
        if fault:
            return _refuse(400, "headend.inquiry.window", fault, "start")
        desk.accept(request)
        return InquiryAccepted(correlationId=request.correlationId)

    @app.get("/healthz", summary="Is the service up?")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app


def _window_fault(request: InquiryRequest) -> str:
    """What is wrong with the gap of an INTERVALS inquiry; empty when nothing is."""
    if request.kind is not InquiryKind.INTERVALS:
        return ""
    if request.start is None or request.end is None:
        return "An INTERVALS inquiry names its start and end."
    start, end = int(request.start.timestamp()), int(request.end.timestamp())
    if start % INTERVAL_S or end % INTERVAL_S or end <= start:
        return "start and end are whole quarter hours, start before end."
    if end - start > GAP_LIMIT * INTERVAL_S:
        return f"At most {GAP_LIMIT} intervals (48 h) are served."
    return ""


def _refuse(status: int, code: str, message: str, place: str) -> JSONResponse:
    return JSONResponse(InquiryError(code=code, message=message, place=place).model_dump(), status_code=status)
