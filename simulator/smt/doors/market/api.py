"""SMT's market API, base ``/v2``: the log-in here, reads, records and on-demand requests in modules of their own, on one router."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Body, Request

from simulator.smt.access.gatekeeper import LoginFault, TokenKind
from simulator.smt.doors.both.asked import smt_of
from simulator.smt.doors.both.examples import told

# Imported for their calls, which they register on the router.
from simulator.smt.doors.market import odr, premise, reads  # noqa: F401
from simulator.smt.doors.market.door import post, router
from simulator.smt.doors.market.examples import LOGIN_OTHERS, TOKEN, TOKEN_ASKED
from simulator.smt.doors.market.wire import TokenReply, TokenRequest
from simulator.smt.errors import GatewayRefusal

__all__ = ["router"]


@post("/token/", response_model=TokenReply, responses={200: told(TOKEN), **LOGIN_OTHERS}, summary="Log in")
async def token(request: Request, asked: Annotated[TokenRequest, Body(openapi_examples=TOKEN_ASKED)]) -> TokenReply:
    """Give a bearer token for an hour. `username` is the `requestorID` of later calls."""
    if not asked.username:
        raise GatewayRefusal("no_username")
    if not asked.password:
        raise GatewayRefusal("no_password")
    gatekeeper = smt_of(request).gatekeeper
    user = gatekeeper.login(asked.username, asked.password)
    if isinstance(user, LoginFault):
        raise GatewayRefusal("blocked" if user is LoginFault.BLOCKED else "bad_login")
    issued = gatekeeper.issue(user, TokenKind.MARKET)
    return TokenReply(
        accessToken=issued.text,
        expiresIn=f"{issued.expires_at - issued.issued_at:.0f}",
        issuedAt=_instant(issued.issued_at),
        expiresAt=_instant(issued.expires_at),
    )


def _instant(wall: float) -> str:
    return datetime.fromtimestamp(int(wall), UTC).isoformat()
