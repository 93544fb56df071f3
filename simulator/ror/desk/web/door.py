"""What every page of the desk shares: its site, whose session came with a request, and how what stands against it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from simulator.ror.desk.served import STATUS, Served, ServedDesk
from simulator.ror.errors import RorError
from simulator.web.parts import Problem
from simulator.web.site import Site, wanted_part
from simulator.web.visitors import Fields, SignInError, WebProblem, of_session
from simulator.web.words import instant

PAGES = "/desk/"
#: An account lies one floor below the other pages, so that it can have any name.
ACCOUNTS = f"{PAGES}accounts/"
SITE = Site("Balance desk (test bed)", PAGES)
#: The session's cookie. Cookies know no port, so another face has another name.
COOKIE = "ami_desk_session"
_ROOM = Path(__file__).parent
_NOT_DONE = "That did not work"


@dataclass(frozen=True, slots=True)
class Agent:
    """Who has a session."""

    name: str
    #: What the forms of the session bear.
    form_token: str


async def _agent(request: Request, here: ServedDesk) -> Agent:
    number = request.cookies.get(COOKIE, "")
    name = here.sessions.whose(number)
    if name is None:
        raise SignInError
    return Agent(name, here.sessions.seal(number))


#: Of a handler's parameter: whose session came with the request; its life begins anew. SignInError without one.
Session = Annotated[Agent, Depends(_agent)]


async def _form(fields: Fields, who: Session) -> dict[str, str]:
    return of_session(fields, who.form_token)


#: The fields of a form of an agent with a session, which bears its token.
Form = Annotated[dict[str, str], Depends(_form)]


def pages() -> APIRouter:
    """A router of pages, none of which is a call of the API."""
    return APIRouter(include_in_schema=False)


def problem_of(error: RorError) -> WebProblem:
    """What the desk says against a request."""
    return WebProblem(STATUS.get(error.code, 409), error.code, error.message, _MENDS.get(error.code, error.mend))


#: The API's mends name its own calls.
_MENDS = {
    "ror.account.unknown": "See the accounts for those that are yours.",
    "ror.call.unknown": "See the calls of the account.",
}


def show(
    here: Served, who: Agent | None, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **shown: Any
) -> Response:  # fmt: skip
    """A page or part for an agent."""
    its: dict[str, Any] = {"about": "", "dated": instant(here.desk.driver.now()), "of_accounts": ACCOUNTS}
    if who is not None:
        its |= {"username": who.name, "form_token": who.form_token}
    return SITE.page(template, _ROOM, status, headers, **(its | shown))


def problem_page(request: Request, here: Served, status: int, problem: Problem) -> Response:
    """What is wrong, as a page or in the place of the part that was asked for."""
    part = wanted_part(request)
    if part:
        return show(here, None, "problem_part.html.j2", status, part=part, problem=problem)
    return show(here, None, "problem.html.j2", status, title=_NOT_DONE, problem=problem)


def page_at_fault(
    here: Served, path: str, status: int, code: str, what: str, headers: Mapping[str, str] | None = None
) -> Response | None:
    """What is wrong with a request that no page took, as a page; None for a path that is none of a page."""
    if not f"{path}/".startswith(PAGES):
        return None
    problem = Problem(code, what, "Go back, or begin at the accounts.")
    return show(here, None, "problem.html.j2", status, headers, title=_NOT_DONE, problem=problem)
