"""SMT's market API, base ``/v2``: the log-in; on-demand requests, records and reads have modules of their own."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter

from headend.http.examples import Replies, documented
from simulator.smt.access.gatekeeper import TokenKind
from simulator.smt.doors.both.bodies import BusinessErrorReply
from simulator.smt.doors.both.served import Peer, ServedSmt
from simulator.smt.doors.market.door import BROKEN, market_router, post
from simulator.smt.doors.market.wire import GatewayErrorReply, TokenReply, TokenRequest
from simulator.smt.errors import GatewayRefusal
from simulator.smt.registry.log_in import LoginFault

_OTHERS: Replies = {
    400: documented("Something is missing, or the body is not as documented.", GatewayErrorReply | BusinessErrorReply),
    401: documented("Unknown, or not the password.", GatewayErrorReply),
    403: documented("Too many failed log-ins of this user.", GatewayErrorReply),
    500: BROKEN,
}


def router() -> APIRouter:
    """``POST /v2/token/``."""
    routes = market_router()

    @post(routes, "/token/", response_model=TokenReply, responses=_OTHERS, summary="Log in")
    async def token(asked: TokenRequest, smt: ServedSmt, peer: Peer) -> TokenReply:
        """Give a bearer token for an hour. `username` is the `requestorID` of later calls."""
        if not asked.username:
            raise GatewayRefusal("no_username")
        if not asked.password:
            raise GatewayRefusal("no_password")
        user = await smt.gatekeeper.login(asked.username, asked.password, peer)
        if isinstance(user, LoginFault):
            raise GatewayRefusal("blocked" if user is LoginFault.BLOCKED else "bad_login")
        issued = smt.gatekeeper.issue(user, TokenKind.MARKET)
        return TokenReply(
            accessToken=issued.text,
            expiresIn=f"{issued.expires_at - issued.issued_at:.0f}",
            issuedAt=_instant(issued.issued_at),
            expiresAt=_instant(issued.expires_at),
        )

    return routes


def _instant(wall: float) -> str:
    return datetime.fromtimestamp(int(wall), UTC).isoformat()
