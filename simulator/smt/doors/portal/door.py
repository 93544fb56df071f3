"""What every call of the portal API shares: its router, whose token came, and how a call is registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from headend.http.examples import Replies, documented
from simulator.smt.access.gatekeeper import TokenKind
from simulator.smt.doors.both.bodies import BAD_BODY
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.doors.portal.wire import TokenRefused
from simulator.smt.registry.records import User

_bearer = HTTPBearer(auto_error=False, scheme_name="Portal token")
_OTHERS: Replies = {400: BAD_BODY, 401: documented("No valid token.", TokenRefused)}


class InvalidToken(Exception):  # noqa: N818 (its text on the wire)
    """A portal request without a valid token."""


def portal_router() -> APIRouter:
    """A router of the portal API, without any call yet."""
    return APIRouter(tags=["Portal API"])


async def _user(smt: ServedSmt, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]) -> User:
    found = None if credentials is None else smt.gatekeeper.user_of(credentials.credentials, TokenKind.PORTAL)
    if found is None:
        raise InvalidToken
    return found


#: Of a handler's parameter: whose token came with the request; its life begins anew. InvalidToken without a valid one.
Account = Annotated[User, Security(_user)]


def call(router: APIRouter, path: str, model: Any, summary: str) -> Callable[..., Any]:
    """Register a call of someone who is logged in, and document whatever else it may be answered. model: of the replies."""
    return router.post(path, response_model=model, responses=_OTHERS, summary=summary)
