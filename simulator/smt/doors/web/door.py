"""What every page shares: its face, with the sessions of its browsers, and what is told of an ESI ID that nobody may see."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends

from simulator.smt.access.gatekeeper import TokenKind
from simulator.smt.doors.portal.api import PAGES as PAGES
from simulator.smt.errors import BusinessError
from simulator.smt.party import Smt
from simulator.smt.registry.log_in import LoginFault
from simulator.smt.registry.records import User, UserKind
from simulator.web.site import Site
from simulator.web.visitors import Entry, Face, Visitor, WebProblem
from simulator.web.words import instant


def unknown() -> WebProblem:
    """There is no such ESI ID, or it is not the visitor's: nobody learns which."""
    return WebProblem(404, "AC1", BusinessError("AC1").message, "See your meters for those that are yours.")


class _Browsers(NamedTuple):
    """The sessions of browsers, each a token of the gatekeeper's."""

    smt: Smt

    def begin(self, name: str) -> str:
        return self.smt.gatekeeper.issue(self.smt.registry.users[name], TokenKind.WEB).text

    def whose(self, number: str) -> User | None:
        return self.smt.gatekeeper.user_of(number, TokenKind.WEB)

    def end(self, number: str) -> None:
        self.smt.gatekeeper.end(number, TokenKind.WEB)

    def seal(self, number: str) -> str:
        return self.smt.gatekeeper.sealed(number)

    async def log_in(self, name: str, password: str, peer: str) -> Entry:
        found = await self.smt.gatekeeper.login(name, password, peer)
        if isinstance(found, User):
            return Entry.IN
        return Entry.BLOCKED if found is LoginFault.BLOCKED else Entry.WRONG


def _says(smt: Smt, user: User | None) -> dict[str, Any]:
    its = {"dated": instant(smt.driver.now())}
    return its | {"username": user.username, "customer": user.kind is UserKind.CUSTOMER} if user else its


FACE: Face[Smt, User] = Face(
    Site("Smart Meter Texas (test bed)", PAGES),
    "ami_smt_session",
    Path(__file__).parent,
    "your meters",
    lambda request: request.app.party(Smt),
    lambda smt: _Browsers(smt).log_in,
    _Browsers,
    _says,
)
#: Of a handler's parameter: whose session came with the request. SignInError without one.
Session = Annotated[Visitor[User], Depends(FACE.visitor)]
#: The fields of a form of a visitor with a session, which bears its token.
Form = Annotated[dict[str, str], FACE.form()]


def pages() -> APIRouter:
    """A router of pages, none of which is a call of an API."""
    return APIRouter(include_in_schema=False)
