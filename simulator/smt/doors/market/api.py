"""SMT's market API, base ``/v2``: the log-in; on-demand requests, records and reads have modules of their own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body

from simulator.smt.access.gatekeeper import Gatekeeper, LoginFault, TokenKind
from simulator.smt.doors.both.examples import told
from simulator.smt.doors.market.door import market_router, post
from simulator.smt.doors.market.examples import LOGIN_OTHERS, TOKEN, TOKEN_ASKED
from simulator.smt.doors.market.wire import TokenReply, TokenRequest
from simulator.smt.errors import GatewayRefusal


def router(gatekeeper: Gatekeeper) -> APIRouter:
    """``POST /v2/token/``."""
    routes = market_router()

    @post(routes, "/token/", response_model=TokenReply, responses={200: told(TOKEN), **LOGIN_OTHERS}, summary="Log in")
    async def token(asked: Annotated[TokenRequest, Body(openapi_examples=TOKEN_ASKED)]) -> TokenReply:
        """Give a bearer token for an hour. `username` is the `requestorID` of later calls."""
        if not asked.username:
            raise GatewayRefusal("no_username")
        if not asked.password:
            raise GatewayRefusal("no_password")
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

    return routes


def _instant(wall: float) -> str:
    return datetime.fromtimestamp(int(wall), UTC).isoformat()
