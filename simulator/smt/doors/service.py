"""SMT's HTTP service: the doors on one ``Smt``, the call-backs of head-ends, and how errors are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from headend.boundaries import boundary
from headend.http.described_api import DescribedApi
from headend.http.examples import documented
from headend.http.exchange import Exchange, ObserveHttp, current
from headend.http.front import FrontRules, Refusal
from headend.http.links import borne, key_of
from headend.http.log import tell
from headend.http.malformed import fault, tell_malformed
from headend.http.unrouted import NO_CALL, tell_unrouted
from headend.ondemand.push import NON_VEE
from headend.ports import fault_text
from headend.wire import InquiryResult
from simulator.runtime.local_ca import SMT_NAMES
from simulator.smt.doors import health, non_vee
from simulator.smt.doors.both.bodies import BAD_BODY
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.doors.complaint_door import ComplaintDoor
from simulator.smt.doors.control import access, audit, complaints, counts, missing, postings, throttle
from simulator.smt.doors.market import login, odr, reads
from simulator.smt.doors.market import missing as market_missing
from simulator.smt.doors.market import premise as market_premise
from simulator.smt.doors.market.wire import GatewayErrorReply
from simulator.smt.doors.portal import api as portal_api
from simulator.smt.doors.portal import premise as portal_premise
from simulator.smt.doors.portal import reads as portal_reads
from simulator.smt.doors.portal import usage as portal_usage
from simulator.smt.doors.portal.door import InvalidToken
from simulator.smt.doors.web import account, meter
from simulator.smt.doors.web import reads as web_reads
from simulator.smt.doors.web import usage as web_usage
from simulator.smt.doors.web.door import FACE
from simulator.smt.errors import BAD_FIELD, GATEWAY, UNROUTED, BusinessError, GatewayRefusal
from simulator.smt.ondemand.inquiries import CALL_BACKS, CallBack
from simulator.smt.party import Smt, SmtConfig
from simulator.web.frame import served

__all__ = ["Smt", "SmtConfig", "create_app"]


class CallBackReply(BaseModel):
    """What became of a call-back. `late`, `duplicate` and `differs` are acknowledged, so that nobody repeats them."""

    correlationId: str = Field(examples=["482915007734"])
    status: CallBack


#: Octets of a body that tells what was read; every other call asks with far less than any body may have.
_LARGEST = {"/callbacks/": 2 << 20, NON_VEE: 2 << 20}
#: What is not held up for work of its own.
_AT_ONCE = (CALL_BACKS, NON_VEE, "/healthz", "/metrics")
#: Captured exchanges of each door.
_EXAMPLES = [Path(__file__).parent / folder / "examples.json" for folder in ("", "market", "portal", "control")]


def create_app(smt: Smt) -> DescribedApi:
    """Make the service: market API, portal API, its pages, call-backs, ``/healthz``, control of what a tester sets, documents under ``/docs``."""

    def refuse(path: str, refusal: Refusal) -> Response:
        smt.metrics.refuse(refusal)
        page = FACE.page_at_fault(smt, path, refusal.status, refusal.code, f"{refusal.place}: {refusal.message}")
        if page is not None:
            return page
        if path.startswith("/v2/"):
            return JSONResponse({"error": refusal.message}, status_code=refusal.status)
        return _at_fault(refusal.status, refusal.code, refusal.place, refusal.message)

    app = DescribedApi(
        served(smt.driver.now),
        _EXAMPLES,
        FrontRules(refuse, _LARGEST, frozenset(SMT_NAMES), origins=frozenset(f"https://{name}" for name in SMT_NAMES)),
        meanings=Path(__file__).with_name("fields.csv"),
        title="Smart Meter Texas (test bed)",
        description="Market API, portal API and the call-back that head-ends use. Energy in extensions is whole Wh.",
        version="2",
        # A redirect would make clients repeat their POST elsewhere; both spellings are served instead.
        redirect_slashes=False,
    )
    app.add_middleware(_OwnFirst, smt=smt)
    app.add_middleware(ComplaintDoor, smt=smt)
    app.serve(_routes(), smt)
    _tell_errors(app, smt)
    _observe(app, smt)
    return app


@cache
def _routes() -> list[BaseRoute]:
    """The routes of every SMT."""
    doors = (odr, market_premise, reads, market_missing, login, portal_api, portal_reads, portal_usage, portal_premise)
    routes = [route for door in doors for route in door.router().routes]
    calls = {str(getattr(route, "path", "")).rstrip("/") for route in routes}
    others = (
        account.router(),
        web_usage.router(),
        web_reads.router(),
        meter.router(),
        _call_backs(),
        non_vee.router(),
        health.router(),
        access.router(),
        audit.router(),
        missing.router(),
        postings.router(),
        counts.router(),
        throttle.router(),
        complaints.router(calls),
    )
    return [*routes, *(route for router in others for route in router.routes)]


class _OwnFirst:
    """ASGI middleware: while SMT has work of its own on a clock that runs, one call is let in in a turn of the event loop, but for call-backs and who looks after it.

    Otherwise a turn has as many calls as there are clients that poll, and what they wait for, which takes many turns, starves.
    """

    def __init__(self, app: ASGIApp, smt: Smt) -> None:
        self._app, self._driver, self._one = app, smt.driver, asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._driver.busy and scope["type"] == "http" and not scope["path"].startswith(_AT_ONCE):
            async with self._one:
                await asyncio.sleep(0)
        await self._app(scope, receive, send)


class _CallBacks(APIRoute):
    """Holds a call-back against its link before it is read, and has one that is no answer noted before it is refused."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See FastAPI."""
        handle = super().get_route_handler()

        async def noted(request: Request) -> Response:
            inquiries, key = request.app.party(Smt).inquiries, request.path_params["correlationId"]
            inquiries.hold(key, request.path_params["seal"], borne(request))
            try:
                return await handle(request)
            except (RequestValidationError, HTTPException) as error:
                told = fault(request, error) if isinstance(error, RequestValidationError) else ("body", error.detail)
                inquiries.rejected(key, *told)
                raise

        return noted


def _call_backs() -> APIRouter:
    """The address that an inquiry names as its ``replyTo``."""
    routes = APIRouter(tags=["Head-end"], route_class=_CallBacks)

    @routes.post(
        CALL_BACKS + "/{correlationId}/{seal}",
        dependencies=[Security(key_of("headend"))],
        status_code=202,
        response_model=CallBackReply,
        responses={
            400: BAD_BODY,
            401: documented("It does not bear a head-end's key.", GatewayErrorReply),
            403: documented(
                "Another head-end was asked, or under another address; or the body is another's.", GatewayErrorReply
            ),
            404: documented("No such inquiry was ever made.", CallBackReply),
        },
        summary="Call the result of an inquiry back",
    )
    async def call_back(
        correlationId: str,
        seal: str,  # noqa: ARG001 (looked at before the body is read)
        result: InquiryResult,
        smt: ServedSmt,
    ) -> JSONResponse:
        """Take in a result at the inquiry's `replyTo`, which ends in its id and in HMAC-SHA256(`smt` key, id).

        Known inquiries are answered 202 whatever their state, unknown ones 404.
        """
        if result.correlationId != correlationId:
            raise GatewayRefusal("link_seal")
        became = smt.inquiries.call_back(result)
        reply = CallBackReply(correlationId=result.correlationId, status=became)
        return JSONResponse(reply.model_dump(), status_code=404 if became is CallBack.UNKNOWN else 202)

    return routes


def _observe(app: FastAPI, smt: Smt) -> None:
    """Count and log every exchange."""

    def before(exchange: Exchange) -> None:
        if exchange.opened:
            boundary("reply.before")

    def after(exchange: Exchange) -> None:
        if exchange.opened:
            boundary("reply.after")
        elif exchange.path.startswith(CALL_BACKS):
            boundary("call_back.after")
        smt.metrics.exchanged(exchange)
        tell("http", party="SMT", **exchange.facts())

    app.add_middleware(ObserveHttp, before=before, after=after)


def _gateway(name: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    error = GATEWAY[name]
    return JSONResponse({"error": error.message}, status_code=error.status, headers=headers)


def _unrouted(smt: Smt, request: Request, status: int, meant: str, headers: Mapping[str, str] | None) -> Response:
    """What is told of a request that no route takes: below ``/v2`` in the gateway's shape, elsewhere in the portal's and the control's; of a page, as one."""
    row = UNROUTED[status]
    told = "There is no such page." if status == NO_CALL else f"This page does not take {request.method}."
    page = FACE.page_at_fault(smt, request.url.path, status, row.code, told, headers)
    if page is not None:
        return page
    if request.url.path.startswith("/v2/"):
        said = next(one for one in GATEWAY.values() if one.status == status)
        return JSONResponse({"error": said.message + meant}, status_code=status, headers=headers)
    body = {"errorCode": row.code, "errorMessage": row.message + meant}
    return JSONResponse(body, status_code=status, headers=headers)


def _tell_errors(app: FastAPI, smt: Smt) -> None:
    FACE.tell_problems(app, smt)

    @app.exception_handler(BusinessError)
    async def business(_request: Request, error: BusinessError) -> JSONResponse:
        current().outcome = error.code
        return JSONResponse(error.body())

    @app.exception_handler(GatewayRefusal)
    async def gateway(_request: Request, refusal: GatewayRefusal) -> JSONResponse:
        return _gateway(refusal.name)

    @app.exception_handler(InvalidToken)
    async def invalid_token(_request: Request, _error: InvalidToken) -> JSONResponse:
        return JSONResponse({"message": "Invalid Token"}, status_code=401)

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        # The log names the fault and its place; the requester reads the gateway's sentence.
        tell("fault", party="SMT", error=fault_text(error))
        # The server drops the connection after a fault; a client that was not told would send its next request into it.
        ended = {"connection": "close"}
        page = FACE.page_at_fault(smt, request.url.path, 500, "broken", GATEWAY["broken"].message, ended)
        return page or _gateway("broken", ended)

    tell_unrouted(app, partial(_unrouted, smt))

    tell_malformed(app, lambda place, message: _at_fault(400, BAD_FIELD, place, message))


def _at_fault(status: int, code: str, place: str, message: str) -> JSONResponse:
    return JSONResponse({"errorCode": code, "errorMessage": f"{place}: {message}"}, status_code=status)
