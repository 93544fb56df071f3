"""What every page shares: its site, whose session came with a request, and how what stands against it is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from simulator.smt.access.gatekeeper import TokenKind
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.doors.portal.api import PAGES as PAGES
from simulator.smt.errors import BusinessError
from simulator.smt.party import Smt
from simulator.smt.registry.records import User, UserKind
from simulator.web.parts import Problem
from simulator.web.site import HEADERS, Site, bears, fields_of, of_same_origin, wanted_part
from simulator.web.words import instant

SITE = Site("Smart Meter Texas (test bed)", PAGES)
LOGIN = f"{PAGES}login"
#: The session's cookie. Cookies know no port, so another face has another name.
COOKIE = "ami_smt_session"
_ROOM = Path(__file__).parent
#: Where somebody may be led after the log-in: a path of ours.
_OWN_PATH = re.compile(rf"{PAGES}[\w/?=&.%+-]*", re.ASCII)


class WebProblem(Exception):  # noqa: N818 (it is the visitor's, not an error of ours)
    """What stands against a request, as its page tells it."""

    def __init__(self, status: int, code: str, what: str, mend: str) -> None:
        """status: of HTTP. code: in one word, or the part of the address at fault."""
        super().__init__(code)
        self.status = status
        self.problem = Problem(code, what, mend)


class SignInError(Exception):
    """A request without a session that is alive."""


def unknown() -> WebProblem:
    """There is no such ESI ID, or it is not the visitor's: nobody learns which."""
    return WebProblem(404, "AC1", BusinessError("AC1").message, "See your meters for those that are yours.")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who has a session."""

    user: User
    #: What the forms of the session bear.
    form_token: str


async def _visitor(request: Request, smt: ServedSmt) -> Visitor:
    session = request.cookies.get(COOKIE, "")
    user = smt.gatekeeper.user_of(session, TokenKind.WEB) if session else None
    if user is None:
        raise SignInError
    return Visitor(user, smt.gatekeeper.sealed(session))


#: Of a handler's parameter: whose session came with the request; its life begins anew. SignInError without one.
Session = Annotated[Visitor, Depends(_visitor)]


async def _same_origin(request: Request) -> dict[str, str]:
    if not of_same_origin(request):
        raise WebProblem(
            403, "origin", "This form was not sent by a page of this portal.", "Open the page here, and send its form."
        )
    return await fields_of(request)  # fmt: skip


#: Of a handler's parameter: the fields of a form that a page of ours sent. WebProblem of another's.
Fields = Annotated[dict[str, str], Depends(_same_origin)]


async def _form(fields: Fields, who: Session) -> dict[str, str]:
    if not bears(fields, who.form_token):
        raise WebProblem(
            403, "form_token", "This form is not of your session.", "Load the page anew, and send its form again."
        )
    return fields  # fmt: skip


#: The same of a visitor with a session, whose form bears its token.
Form = Annotated[dict[str, str], Depends(_form)]


def pages() -> APIRouter:
    """A router of pages, none of which is a call of an API."""
    return APIRouter(include_in_schema=False)


def own_path(text: str) -> str:
    """Where to go after a log-in: the path if it is one of ours, otherwise the first page."""
    return text if _OWN_PATH.fullmatch(text) and "//" not in text else PAGES


def show(
    smt: Smt, who: Visitor | None, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **shown: Any
) -> Response:  # fmt: skip
    """A page or part for a visitor."""
    its: dict[str, Any] = {"about": "", "dated": instant(smt.driver.now())}
    if who is not None:
        customer = who.user.kind is UserKind.CUSTOMER
        its |= {"username": who.user.username, "form_token": who.form_token, "customer": customer}
    return SITE.page(template, _ROOM, status, {"x-dated": its["dated"], **(headers or {})}, **(its | shown))


def problem_page(request: Request, smt: Smt, status: int, problem: Problem) -> Response:
    """What is wrong, as a page or in the place of the part that was asked for."""
    part = wanted_part(request)
    if part:
        return show(smt, None, "problem_part.html.j2", status, part=part, problem=problem)
    return show(smt, None, "problem.html.j2", status, title="That did not work", problem=problem)


def page_at_fault(
    smt: Smt, path: str, status: int, code: str, what: str, headers: Mapping[str, str] | None = None
) -> Response | None:
    """What is wrong with a request that no page took, as a page; None for a path that is none of a page."""
    if not f"{path}/".startswith(PAGES):
        return None
    problem = Problem(code, what, "Go back, or begin at your meters.")
    return show(smt, None, "problem.html.j2", status, headers, title="That did not work", problem=problem)


def tell_problems(app: FastAPI, smt: Smt) -> None:
    """Answer what stands against a request for a page by a page."""

    @app.exception_handler(WebProblem)
    async def told(request: Request, error: WebProblem) -> Response:
        return problem_page(request, smt, error.status, error.problem)

    @app.exception_handler(SignInError)
    async def sign_in(request: Request, _error: SignInError) -> Response:
        # A form whose session has ended leads to the page that it was on.
        at = request.url if request.method == "GET" else urlsplit(request.headers.get("referer", ""))
        back = own_path(f"{at.path}?{at.query}" if at.query else at.path)
        if wanted_part(request):
            whole = urlsplit(request.headers.get("referer", ""))
            back = own_path(f"{whole.path}?{whole.query}" if whole.query else whole.path)
            return Response(status_code=401, headers={**HEADERS, "x-location": f"{LOGIN}?next={quote(back)}"})
        return RedirectResponse(LOGIN if back == PAGES else f"{LOGIN}?next={quote(back)}", 303, HEADERS)
