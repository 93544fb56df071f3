"""The balance desk's HTTP service: calls are taken (202) and asked for by their ids; accounts and what the books say of them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Coroutine, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request, Response, Security
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.security import HTTPBasic
from starlette.routing import BaseRoute

from headend.http.api_pages import Frame
from headend.http.described_api import DescribedApi
from headend.http.examples import Replies, documented
from headend.http.exchange import Exchange, ObserveHttp, current
from headend.http.front import FrontRules, Refusal
from headend.http.log import tell
from headend.http.malformed import tell_malformed
from headend.http.unrouted import NO_CALL, NO_METHOD, tell_unrouted
from meters.calendar import Seconds
from simulator.ror.account import Account, balance
from simulator.ror.desk.calls import CallDesk
from simulator.ror.desk.health import DeskHealth
from simulator.ror.desk.served import STATUS, Served, ServedDesk
from simulator.ror.desk.web import calls as web_calls
from simulator.ror.desk.web import door
from simulator.ror.desk.web.door import FACE
from simulator.ror.desk.wire import (
    AccountList,
    AccountsAsked,
    AccountSummary,
    BooksReply,
    Call,
    CallAccepted,
    CallList,
    CallRequest,
    CallsAsked,
    CallSummary,
    DeskError,
)
from simulator.ror.errors import RorError
from simulator.web.visitors import Entry

_REFUSED = {
    Entry.WRONG: (401, DeskError(code="ror.log_in", message="Name or password is wrong: no agent of this desk.", place="authorization", mend="Send name and password as HTTP Basic.")),
    Entry.BLOCKED: (403, DeskError(code="ror.log_in_blocked", message="Too many failed log-ins: this one was not looked at.", place="authorization", mend="Wait a minute.")),
}  # fmt: skip
_SHOWN = "/docs shows each call with examples."
_UNROUTED = {
    NO_CALL: ("ror.http.no_call", "There is no such call."),
    NO_METHOD: ("ror.http.no_method", "This method is not offered here."),
}
_GUARDED: Replies = {
    401: documented("Name or password is wrong: no agent of this desk.", DeskError),
    403: documented("Too many failed log-ins.", DeskError),
}
_MALFORMED: Replies = {400: documented("The request is not as documented; `place` names the field.", DeskError)}
_NO_ACCOUNT: Replies = {404: documented("No account of ours is there.", DeskError)}
_NO_CYCLE: Replies = {409: documented("The accounts know of no cycle, or of no plan, at this instant.", DeskError)}
_MANY: Replies = {429: documented("As many calls are under way as the desk works at once.", DeskError)}
_TAKEN: Replies = _MANY | {
    503: documented("The ledger takes no line: the call is not taken.", DeskError),
}


class _Guarded(APIRoute):
    """Asks for the log-in before the body is read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See FastAPI."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            served: Served = request.app.party(Served)
            peer = request.client.host if request.client else ""
            entry = await served.log_in(*_basic(request), peer)
            if entry is not Entry.IN:
                status, error = _REFUSED[entry]
                return _refuse(status, error, {"www-authenticate": 'Basic realm="balance desk"'})
            return await handle(request)

        return guarded


def _basic(request: Request) -> tuple[str, str]:
    """Name and password of a request; empty ones where it has none."""
    scheme, _, told = request.headers.get("authorization", "").partition(" ")
    try:
        name, _, password = base64.b64decode(told, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return (name, password) if scheme.lower() == "basic" else ("", "")


def create_app(served: Served, title: str, frame: Frame) -> DescribedApi:
    """Make the service. title: whose desk it is."""

    def refuse(path: str, refusal: Refusal) -> Response:
        page = FACE.page_at_fault(served, path, refusal.status, refusal.code, f"{refusal.place}: {refusal.message}")
        if page is not None:
            return page
        return _refuse(refusal.status, DeskError(code=refusal.code, message=refusal.message, place=refusal.place))

    app = DescribedApi(
        frame,
        [Path(__file__).with_name("examples.json")],
        FrontRules(refuse),
        Path(__file__).with_name("fields.csv"),
        title=title,
        description="A retailer's balance desk: a customer calls about their balance, the desk asks SMT and tells.",
        version="1",
        redirect_slashes=False,
    )
    _tell_errors(app, served)
    app.serve(_routes(), served)
    app.add_middleware(ObserveHttp, before=lambda _: None, after=_observed)
    return app


@cache
def _routes() -> list[BaseRoute]:
    """The routes of every desk."""
    routers = (_router(), _health(), door.router(), web_calls.router())
    return [route for router in routers for route in router.routes]


def _router() -> APIRouter:
    """The calls of every desk that ask for a log-in."""
    agent = HTTPBasic(auto_error=False, scheme_name="agent", description="An agent of the desk.")
    routes = APIRouter(route_class=_Guarded, dependencies=[Security(agent)])

    @routes.post(
        "/calls",
        status_code=202,
        responses=_MALFORMED | _GUARDED | _NO_ACCOUNT | _NO_CYCLE | _TAKEN,
        summary="A customer calls",
    )
    async def take(asked: CallRequest, here: ServedDesk) -> CallAccepted:
        """Take a call, and answer with its id at once; the desk asks SMT meanwhile."""
        call = here.desk.take(asked)
        current().call_reference = call.id
        return CallAccepted(id=call.id, state=call.state, asked_at=call.asked_at)

    @routes.get("/calls", responses=_MALFORMED | _GUARDED, summary="The latest calls")
    async def latest(asked: Annotated[CallsAsked, Query()], here: ServedDesk) -> CallList:
        """Tell how far each is and whether it satisfies."""
        found = here.desk.latest(asked.most, asked.account_id)
        return CallList(calls=[CallSummary.model_validate(one, from_attributes=True) for one in found])

    @routes.get(
        "/calls/{call_id}",
        responses=_GUARDED | {404: documented("The desk knows of no call of that id.", DeskError)},
        summary="How a call is",
    )
    async def one_call(call_id: str, here: ServedDesk) -> Call:
        """Tell its steps while it is under way, then the answer, and once VEE data are in whether it was right."""
        return here.desk.call(call_id)

    @routes.post(
        "/calls/{call_id}/ask",
        status_code=202,
        responses=_GUARDED
        | {404: documented("The desk knows of no call of that id.", DeskError)}
        | {409: documented("In this call the meter cannot be asked.", DeskError)}
        | _MANY,
        summary="Ask the meter all the same",
    )
    async def ask(call_id: str, here: ServedDesk) -> CallAccepted:
        """Ask the meter in a call that was told without, since a read was not worth it, and tell again what it brings."""
        call = here.desk.ask(call_id)
        return CallAccepted(id=call.id, state=call.state, asked_at=call.asked_at)

    @routes.get("/accounts", responses=_MALFORMED | _GUARDED, summary="The accounts")
    async def accounts(asked: Annotated[AccountsAsked, Query()], here: ServedDesk) -> AccountList:
        """List them as they were written."""
        entries = (one.entry for one in islice(here.desk.book, asked.skip, asked.skip + asked.most))
        return AccountList(accounts=[AccountSummary.model_validate(one, from_attributes=True) for one in entries])

    @routes.get("/accounts/{account_id}", responses=_GUARDED | _NO_ACCOUNT | _NO_CYCLE, summary="An account")
    async def account(account_id: str, here: ServedDesk) -> Account:
        """Tell its plan and cycle as of now, its last bill and the payments."""
        return _as_of_now(account_id, here.desk)[0]

    @routes.get(
        "/accounts/{account_id}/bill",
        responses=_GUARDED | _NO_ACCOUNT | _NO_CYCLE,
        summary="What the books say is owed",
    )
    async def bill(account_id: str, here: ServedDesk) -> BooksReply:
        """Tell the last bill less the payments since. SMT and the meter are not asked: what is owed by now is a call."""
        found, now = _as_of_now(account_id, here.desk)
        return BooksReply(account_id=account_id, **balance(found, now).to_dict())

    return routes


def _as_of_now(account_id: str, desk: CallDesk) -> tuple[Account, Seconds]:
    now = desk.driver.now()
    return desk.book.account(account_id).at(now)[0], now


def _health() -> APIRouter:
    routes = APIRouter()

    @routes.get(
        "/healthz",
        response_model=DeskHealth,
        responses={503: documented("It cannot do all of its work.", DeskHealth)},
        summary="Is the service up?",
    )
    async def healthz(here: ServedDesk) -> JSONResponse:
        """Tell how SMT was when a call last asked it, whether the ledger takes lines, how many calls are under way."""
        health = here.desk.health()
        return JSONResponse(health.model_dump(), status_code=200 if health.status == "ok" else 503)

    return routes


def _observed(exchange: Exchange) -> None:
    tell("http", party="ROR", **exchange.facts())


def _tell_errors(app: FastAPI, served: Served) -> None:
    @app.exception_handler(RorError)
    async def refused(_request: Request, error: RorError) -> JSONResponse:
        told = DeskError(code=error.code, message=error.message, place=error.place, mend=error.mend)
        return _refuse(STATUS.get(error.code, 409), told)

    def malformed(place: str, message: str) -> JSONResponse:
        return _refuse(400, DeskError(code="ror.http.malformed", message=f"{message}.", place=place, mend=_SHOWN))

    def unrouted(request: Request, status: int, meant: str, headers: Mapping[str, str] | None) -> Response:
        code, message = _UNROUTED[status]
        page = FACE.page_at_fault(served, request.url.path, status, code, "There is no such page.", headers)
        if page is not None:
            return page
        return _refuse(status, DeskError(code=code, message=message + meant, mend=_SHOWN), headers)

    tell_malformed(app, malformed)
    tell_unrouted(app, unrouted)
    FACE.tell_problems(app, served)


def _refuse(status: int, error: DeskError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(error.model_dump(), status_code=status, headers=headers)
