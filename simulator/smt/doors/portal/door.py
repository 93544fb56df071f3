"""What every call of the portal API shares: whose token came, and how a call is registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from simulator.smt.access.gatekeeper import TokenKind
from simulator.smt.doors.both.asked import smt_of
from simulator.smt.doors.both.examples import Examples, told
from simulator.smt.doors.portal.examples import OTHERS
from simulator.smt.registry.records import User

_bearer = HTTPBearer(auto_error=False, scheme_name="Portal token")


class InvalidToken(Exception):  # noqa: N818 (its text on the wire)
    """A portal request without a valid token."""


async def portal_user(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> User:
    """Whose token came with the request; its life begins anew. Raises InvalidToken without a valid one."""
    user = None
    if credentials is not None:
        user = smt_of(request).gatekeeper.user_of(credentials.credentials, TokenKind.PORTAL)
    if user is None:
        raise InvalidToken
    return user


PortalUser = Annotated[User, Security(portal_user)]


def call(router: APIRouter, path: str, model: Any, examples: Examples, summary: str) -> Callable[..., Any]:
    """Register a call of someone who is logged in, and document whatever else it may be answered. model, examples: of the replies."""
    return router.post(path, response_model=model, responses={200: told(examples), **OTHERS}, summary=summary)
