"""What every call of the market API shares: its router, whose token came, how a call is registered, what can stand against its sender.

Business errors come with HTTP 200, the gateway's with their own status. Every path answers with and without its last slash.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from headend.http.examples import Replies, documented
from headend.http.exchange import current
from simulator.smt.access.gatekeeper import TokenKind
from simulator.smt.doors.both.bodies import BAD_BODY, BusinessErrorReply
from simulator.smt.doors.both.premise_wire import RecordsRequest
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.doors.market.odr_wire import OdrRequest, OdrStatusRequest
from simulator.smt.doors.market.wire import GatewayErrorReply, ReadsRequest, ReportStatusRequest
from simulator.smt.errors import BusinessError, GatewayRefusal
from simulator.smt.registry.records import User, UserKind

_bearer = HTTPBearer(auto_error=False, scheme_name="Market token")

#: What registers a handler.
Registering = Callable[[Callable[..., Any]], Callable[..., Any]]
#: What orders something, and what asks how that stands: each says whom it is from.
Order = ReadsRequest | RecordsRequest | OdrRequest
Poll = OdrStatusRequest | ReportStatusRequest


BROKEN = documented("A fault of the service's own.", GatewayErrorReply)
#: What every call but the log-in may be answered instead.
_OTHERS: Replies = {
    400: BAD_BODY,
    401: documented("The token is not valid or has expired.", GatewayErrorReply),
    403: documented("No token came with the request.", GatewayErrorReply),
    500: BROKEN,
}


def market_router() -> APIRouter:
    """A router of the market API, without any call yet."""
    return APIRouter(prefix="/v2", tags=["Market API"])


async def _user(smt: ServedSmt, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]) -> User:
    if credentials is None:
        raise GatewayRefusal("no_credentials")
    found = smt.gatekeeper.user_of(credentials.credentials, TokenKind.MARKET)
    if found is None:
        raise GatewayRefusal("bad_token")
    return found


#: Of a handler's parameter: whose token came with the request, which is refused without a valid one.
Sender = Annotated[User, Security(_user)]


def post(router: APIRouter, path: str, method: str = "POST", **options: Any) -> Registering:
    """Register a handler under a path with and without its last slash; the documents show the first."""

    def register(handler: Callable[..., Any]) -> Callable[..., Any]:
        router.api_route(path, methods=[method], **options)(handler)
        router.api_route(path.rstrip("/"), methods=[method], include_in_schema=False, **options)(handler)
        return handler

    return register


def call(
    router: APIRouter, path: str, model: Any, summary: str, files: Sequence[str] = (), method: str = "POST"
) -> Registering:
    """Register a call of someone who is logged in, and document whatever else it may be answered. model: of the replies in JSON. files: other media types."""
    content = {media: {"schema": {"type": "string"}} for media in files}
    responses: Replies = {200: {"content": content} if files else {}, **_OTHERS}
    return post(router, path, method, response_model=model | BusinessErrorReply, responses=responses, summary=summary)


def check_onboarded(user: User) -> None:
    """Refuse a customer who may not use the API."""
    if user.kind is UserKind.CUSTOMER and not user.onboarded:
        raise BusinessError("2076")


def check_sender(user: User, asked: Order | Poll) -> None:
    """Refuse who is not onboarded for the API, speaks in another's name, or does not accept the terms.

    Every call begins here, so its log lines bear the sender's ``trans_id`` from here on, however it ends.
    """
    current().trans_id = asked.trans_id
    check_onboarded(user)
    # Public clients write it in capitals, whatever the log-in is [S].
    if asked.requestorID.casefold() != user.username.casefold():
        raise BusinessError("REQUESTOR")
    if asked.requesterAuthenticationID not in (None, user.duns) and user.kind is not UserKind.CUSTOMER:
        raise BusinessError("DUNS")
    if asked.SMTTermsandConditions != "Y":
        raise BusinessError("TERMS")


def check_delivery(asked: Order, forms: tuple[str, ...] = ("JSON",), *, by_file: bool = False) -> None:
    """Refuse a delivery or format that a call does not have. forms: what it has; by_file: whether it also lays files into the sender's folder."""
    modes = ("API", "FTP") if by_file else ("API",)
    if asked.deliveryMode not in modes:
        raise BusinessError("DELIVERY", asked.deliveryMode, " or ".join(modes))
    if asked.reportFormat not in forms:
        raise BusinessError("FORMAT", asked.reportFormat, " or ".join(forms))
