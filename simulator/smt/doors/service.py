"""SMT's HTTP service: the doors on one ``Smt``, the call-backs of head-ends, and how errors are told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

from fastapi import Body, FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from headend.boundaries import boundary
from headend.http.api_pages import DescribedApi
from headend.http.exchange import Exchange, ObserveHttp, current
from headend.http.log import tell
from headend.http.malformed import tell_malformed
from headend.ports import told as told_of
from headend.service.examples import RESULTS
from headend.wire import InquiryResult
from simulator.smt.complaints.targets import unmatched
from simulator.smt.doors.both.examples import BAD_BODY_TOLD, told
from simulator.smt.doors.complaint_door import ComplaintDoor
from simulator.smt.doors.control import access as access_log
from simulator.smt.doors.control import audit
from simulator.smt.doors.health import BAD_HEALTH, GOOD_HEALTH, SmtHealth, health_of
from simulator.smt.doors.market import api as market_api
from simulator.smt.doors.portal import api as portal_api
from simulator.smt.doors.portal import premise as portal_records
from simulator.smt.doors.portal.door import InvalidToken
from simulator.smt.errors import BAD_FIELD, GATEWAY, BusinessError, GatewayRefusal
from simulator.smt.ondemand.inquiries import CallBack
from simulator.smt.party import Smt, SmtConfig
from simulator.web.frame import served

__all__ = ["Smt", "SmtConfig", "create_app"]


class CallBackReply(BaseModel):
    """What became of a call-back. `late` and `duplicate` are acknowledged, so that nobody repeats them."""

    correlationId: str = Field(examples=["482915007734"])
    status: CallBack


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
        served(smt.driver.now),
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
        became = smt.inquiries.call_back(result)
        reply = CallBackReply(correlationId=result.correlationId, status=became)
        return JSONResponse(reply.model_dump(), status_code=404 if became is CallBack.UNKNOWN else 202)

    @app.get(
        "/healthz",
        response_model=SmtHealth,
        responses={200: told(GOOD_HEALTH), 503: told(BAD_HEALTH, "Something it needs is away.", SmtHealth)},
        tags=["Service"],
        summary="Is the service up?",
    )
    async def healthz() -> JSONResponse:
        """Tell whether the database answers, whether a dispatcher works on it, and when it last looked through the queue."""
        health = health_of(smt)
        return JSONResponse(health.model_dump(), status_code=200 if health.status == "ok" else 503)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(smt.metrics.text(), media_type="text/plain; version=0.0.4")

    routes = [*market_api.router.routes, *portal_api.router.routes, *portal_records.router.routes]
    calls = {str(getattr(route, "path", "")).rstrip("/") for route in routes}
    smt.complaints.unmatched = lambda spec: unmatched(spec, smt.registry, calls, smt.driver.now())
    app.include_router(access_log.router(smt.access))
    app.include_router(audit.router(smt.ledger))
    _tell_errors(app)
    _observe(app, smt)
    return app


def _observe(app: FastAPI, smt: Smt) -> None:
    """Count and log every exchange."""

    def before(exchange: Exchange) -> None:
        if exchange.opened:
            boundary("reply.before")

    def after(exchange: Exchange) -> None:
        if exchange.opened:
            boundary("reply.after")
        elif exchange.path == "/callbacks/inquiries":
            boundary("call_back.after")
        smt.metrics.exchanged(exchange)
        tell("http", party="SMT", **exchange.told())

    app.add_middleware(ObserveHttp, before=before, after=after)


def _gateway(name: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    error = GATEWAY[name]
    return JSONResponse({"error": error.message}, status_code=error.status, headers=headers)


def _unrouted(name: str) -> Callable[[Request, Exception], Awaitable[Response]]:
    """What is told of a request that no route takes: below ``/v2`` the gateway's error, elsewhere the framework's."""

    async def unrouted(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if request.url.path.startswith("/v2/"):
            return _gateway(name, error.headers)
        return await http_exception_handler(request, error)

    return unrouted


def _tell_errors(app: FastAPI) -> None:
    @app.exception_handler(BusinessError)
    async def business(_request: Request, error: BusinessError) -> JSONResponse:
        current().outcome = error.code
        return JSONResponse(error.told())

    @app.exception_handler(GatewayRefusal)
    async def gateway(_request: Request, refusal: GatewayRefusal) -> JSONResponse:
        return _gateway(refusal.name)

    @app.exception_handler(InvalidToken)
    async def invalid_token(_request: Request, _error: InvalidToken) -> JSONResponse:
        return JSONResponse({"message": "Invalid Token"}, status_code=401)

    @app.exception_handler(Exception)
    async def broken(_request: Request, error: Exception) -> JSONResponse:
        # The log names the fault and its place; the requester reads the gateway's sentence.
        tell("fault", party="SMT", error=told_of(error))
        # The server drops the connection after a fault; a client that was not told would send its next request into it.
        return _gateway("broken", {"connection": "close"})

    for status, name in ((404, "no_call"), (405, "no_method")):
        app.add_exception_handler(status, _unrouted(name))

    def malformed(place: str, message: str) -> JSONResponse:
        return JSONResponse({"errorCode": BAD_FIELD, "errorMessage": f"{place}: {message}"}, status_code=400)

    tell_malformed(app, malformed)
