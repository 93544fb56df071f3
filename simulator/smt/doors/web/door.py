"""What every page shares: its site, whose session came with a request, and how what stands against it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from simulator.smt.access.gatekeeper import TokenKind
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.doors.portal.api import PAGES as PAGES
from simulator.smt.errors import BusinessError
from simulator.smt.party import Smt
from simulator.smt.registry.records import User, UserKind
from simulator.web.parts import Problem
from simulator.web.site import Site, wanted_part
from simulator.web.visitors import Fields, SignInError, WebProblem, of_session
from simulator.web.words import instant

SITE = Site("Smart Meter Texas (test bed)", PAGES)
LOGIN = f"{PAGES}login"
#: The session's cookie. Cookies know no port, so another face has another name.
COOKIE = "ami_smt_session"
_ROOM = Path(__file__).parent


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


async def _form(fields: Fields, who: Session) -> dict[str, str]:
    return of_session(fields, who.form_token)


#: The fields of a form of a visitor with a session, which bears its token.
Form = Annotated[dict[str, str], Depends(_form)]


def pages() -> APIRouter:
    """A router of pages, none of which is a call of an API."""
    return APIRouter(include_in_schema=False)


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
