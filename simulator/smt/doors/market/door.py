"""What every call of the market API shares: the router, whose token came, how a call is registered, what can stand against its sender.

Business errors come with HTTP 200, the gateway's with their own status. Every path answers with and without its last slash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from headend.http.exchange import current
from simulator.smt.access.gatekeeper import TokenKind
from simulator.smt.doors.both.asked import smt_of
from simulator.smt.doors.both.bodies import BusinessErrorReply
from simulator.smt.doors.both.examples import Examples, also, told
from simulator.smt.doors.both.premise_wire import RecordsRequest
from simulator.smt.doors.market.examples import OTHERS
from simulator.smt.doors.market.odr_wire import OdrRequest, OdrStatusRequest
from simulator.smt.doors.market.wire import ReadsRequest, ReportStatusRequest
from simulator.smt.errors import BusinessError, GatewayRefusal
from simulator.smt.registry.records import User, UserKind

router = APIRouter(prefix="/v2", tags=["Market API"])
_bearer = HTTPBearer(auto_error=False, scheme_name="Market token")


async def market_user(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> User:
    """Whose token came with the request. Raises GatewayRefusal without a valid one."""
    if credentials is None:
        raise GatewayRefusal("no_credentials")
    user = smt_of(request).gatekeeper.user_of(credentials.credentials, TokenKind.MARKET)
    if user is None:
        raise GatewayRefusal("bad_token")
    return user


MarketUser = Annotated[User, Security(market_user)]


#: What registers a handler.
Registering = Callable[[Callable[..., Any]], Callable[..., Any]]
#: What orders something, and what asks how that stands: each says whom it is from.
Order = ReadsRequest | RecordsRequest | OdrRequest
Poll = OdrStatusRequest | ReportStatusRequest


def post(path: str, **options: Any) -> Registering:
    """Register a handler under a path with and without its last slash; the documents show the first."""

    def register(handler: Callable[..., Any]) -> Callable[..., Any]:
        router.post(path, **options)(handler)
        router.post(path.rstrip("/"), include_in_schema=False, **options)(handler)
        return handler

    return register


def call(
    path: str, model: Any, examples: Examples, summary: str, files: Mapping[str, str] | None = None
) -> Registering:
    """Register a call of someone who is logged in, and document whatever else it may be answered.

    model, examples: of the replies in JSON, business errors among the examples. files: an example of each other media type.
    """
    responses = {200: also(told(examples), files or {}), **OTHERS}
    return post(path, response_model=model | BusinessErrorReply, responses=responses, summary=summary)


def check_sender(user: User, asked: Order | Poll) -> None:
    """Refuse who is not onboarded for the API, speaks in another's name, or does not accept the terms.

    Every call begins here, so its log lines bear the sender's ``trans_id`` from here on, however it ends.
    """
    current().trans_id = asked.trans_id
    if user.kind is UserKind.CUSTOMER:
        raise BusinessError("2076")
    if asked.requestorID != user.username:
        raise BusinessError("REQUESTOR")
    if asked.requesterAuthenticationID not in (None, user.duns):
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
