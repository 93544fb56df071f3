"""SMT's HTTP service: the doors on one ``Smt``, the call-backs of head-ends, and how errors are told."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Body, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from headend.api_pages import DescribedApi
from headend.inquiry_examples import RESULTS
from headend.malformed import tell_malformed
from headend.wire import InquiryResult
from simulator.smt import market_api, portal_api, portal_records
from simulator.smt.complaint_door import ComplaintDoor
from simulator.smt.desk import CallBack
from simulator.smt.errors import BAD_FIELD, GATEWAY, BusinessError, GatewayRefusal
from simulator.smt.market_examples import BAD_BODY_TOLD, told
from simulator.smt.party import Smt, SmtConfig
from simulator.smt.portal_api import InvalidToken

__all__ = ["Smt", "SmtConfig", "create_app"]


class CallBackReply(BaseModel):
    """What became of a call-back. `late` and `duplicate` are acknowledged, so that nobody repeats them."""

    correlationId: str = Field(examples=["482915007734"])
    status: CallBack


class Health(BaseModel):
    """The service answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: Literal["ok"] = "ok"


_BECAME = {
    became.value: {"summary": summary, "value": {"correlationId": "482915007734", "status": became.value}}
    for became, summary in {
        CallBack.ACCEPTED: "Taken in",
        CallBack.LATE: "The request has ended or expired meanwhile: noted, without effect",
        CallBack.DUPLICATE: "Called back before: likewise",
    }.items()
}
_UNKNOWN = {"unknown": {"value": {"correlationId": "482915007799", "status": "unknown"}}}


def create_app(smt: Smt) -> FastAPI:
    """Make the service: market API, portal API, call-backs, ``/healthz``, documents under ``/docs``."""
    app = DescribedApi(
        title="Smart Meter Texas (test bed)",
        description="Market API, portal API and the call-back that head-ends use. Energy in extensions is whole Wh.",
        version="2",
        # A redirect would make clients repeat their POST elsewhere; both spellings are served instead.
        redirect_slashes=False,
    )
    app.state.smt = smt
    app.add_middleware(ComplaintDoor, smt=smt)
    app.include_router(market_api.router)
    app.include_router(portal_api.router)
    app.include_router(portal_records.router)

    @app.post(
        "/callbacks/inquiries",
        status_code=202,
        response_model=CallBackReply,
        responses={
            202: told(_BECAME),
            400: BAD_BODY_TOLD,
            404: told(_UNKNOWN, "No such inquiry was ever made.", CallBackReply),
        },
        tags=["Head-end"],
        summary="Call the result of an inquiry back",
    )
    async def call_back(result: Annotated[InquiryResult, Body(openapi_examples=RESULTS)]) -> JSONResponse:
        """Take in a result. Known inquiries are answered 202 whatever their state, unknown ones 404."""
        became = smt.desk.call_back(result)
        reply = CallBackReply(correlationId=result.correlationId, status=became)
        return JSONResponse(reply.model_dump(), status_code=404 if became is CallBack.UNKNOWN else 202)

    @app.get("/healthz", tags=["Service"], summary="Is the service up?")
    async def healthz() -> Health:
        return Health()

    _tell_errors(app)
    return app


def _tell_errors(app: FastAPI) -> None:
    @app.exception_handler(BusinessError)
    async def business(_request: Request, error: BusinessError) -> JSONResponse:
        return JSONResponse({"errorCode": error.code, "errorMessage": error.message})

    @app.exception_handler(GatewayRefusal)
    async def gateway(_request: Request, refusal: GatewayRefusal) -> JSONResponse:
        return JSONResponse({"error": refusal.error.message}, status_code=refusal.error.status)

    @app.exception_handler(InvalidToken)
    async def invalid_token(_request: Request, _error: InvalidToken) -> JSONResponse:
        return JSONResponse({"message": "Invalid Token"}, status_code=401)

    @app.exception_handler(Exception)
    async def broken(_request: Request, _error: Exception) -> JSONResponse:
        # The server logs the traceback; the requester reads the gateway's sentence.
        return JSONResponse({"error": GATEWAY["broken"].message}, status_code=GATEWAY["broken"].status)

    def malformed(place: str, message: str) -> JSONResponse:
        return JSONResponse({"errorCode": BAD_FIELD, "errorMessage": f"{place}: {message}"}, status_code=400)

    tell_malformed(app, malformed)
