"""What every page of the desk shares: its face, and how what stands against it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from headend.http.unrouted import NO_CALL
from simulator.ror.desk.served import STATUS, Served
from simulator.ror.errors import RorError
from simulator.web.site import Site
from simulator.web.visitors import Face, Visitor, WebProblem
from simulator.web.words import instant

PAGES = "/desk/"
#: An account lies one floor below the other pages, so that it can have any name.
ACCOUNTS = f"{PAGES}accounts/"


def _says(here: Served, name: str | None) -> dict[str, Any]:
    return {"dated": instant(here.desk.driver.now()), "username": name, "of_accounts": ACCOUNTS}


FACE: Face[Served, str] = Face(
    Site("Balance desk (test bed)", PAGES),
    "ami_desk_session",
    Path(__file__).parent,
    "the accounts",
    lambda request: request.app.party(Served),
    lambda here: here.log_in,
    lambda here: here.sessions,
    _says,
)
#: Of a handler's parameter: whose session came with the request. SignInError without one.
Session = Annotated[Visitor[str], Depends(FACE.visitor)]
#: The fields of a form of an agent with a session, which bears its token.
Form = Annotated[dict[str, str], FACE.form()]


def pages() -> APIRouter:
    """A router of pages, none of which is a call of the API."""
    return APIRouter(include_in_schema=False)


def router() -> APIRouter:
    """The pages of whoever comes in."""
    routes = FACE.router()

    @routes.get("/")
    async def first(request: Request) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            raise HTTPException(NO_CALL)
        return RedirectResponse(PAGES, 303, {"vary": "accept"})

    return routes


def problem_of(error: RorError) -> WebProblem:
    """What the desk says against a request."""
    return WebProblem(STATUS.get(error.code, 409), error.code, error.message, _MENDS.get(error.code, error.mend))


#: The API's mends name its own calls.
_MENDS = {
    "ror.account.unknown": "See the accounts for those that are yours.",
    "ror.call.unknown": "See the calls of the account.",
}
