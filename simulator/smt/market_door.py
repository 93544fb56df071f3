"""What every call of the market API shares: the router, whose token came, how a call is registered, what can stand against its sender.

Business errors come with HTTP 200, the gateway's with their own status. Every path answers with and without its last slash.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from meters.calendar import parse_us_date, us_date
from simulator.smt.auth import TokenKind
from simulator.smt.errors import BusinessError, GatewayRefusal
from simulator.smt.party import Smt
from simulator.smt.registry import User, UserKind

#: History goes back 24 months.
_HISTORY_YEARS = 2

router = APIRouter(prefix="/v2", tags=["Market API"])
_bearer = HTTPBearer(auto_error=False, scheme_name="Market token")


def smt_of(request: Request) -> Smt:
    """The party behind the application."""
    smt = request.app.state.smt
    assert isinstance(smt, Smt)
    return smt


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


def post(path: str, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a handler under a path with and without its last slash; the documents show the first."""

    def register(handler: Callable[..., Any]) -> Callable[..., Any]:
        router.post(path, **options)(handler)
        router.post(path.rstrip("/"), include_in_schema=False, **options)(handler)
        return handler

    return register


def dates_asked(start: str, end: str, today: date) -> tuple[date, date]:
    """First and last day of a request. Raises BusinessError for a malformed date, a wrong order, or too long ago."""
    found = []
    for name, text in (("startDate", start), ("endDate", end)):
        try:
            found.append(parse_us_date(text))
        except ValueError:
            raise BusinessError("INVALID-DATE", name) from None
    first, last = found
    if first > last:
        raise BusinessError("DATE-ORDER", start, end)
    # Of 29 February there is none two years ago.
    earliest = today.replace(year=today.year - _HISTORY_YEARS, day=min(today.day, 28))
    if first < earliest:
        raise BusinessError("HISTORY", us_date(earliest))
    # No day of the future has data; a far one would only be counted through. A question about the future is one about today.
    return min(first, today), min(last, today)


def check_sender(user: User, requestor: str, duns: str | None, terms: str) -> None:
    """Refuse who is not onboarded for the API, speaks in another's name, or does not accept the terms."""
    if user.kind is UserKind.CUSTOMER:
        raise BusinessError("2076")
    if requestor != user.username:
        raise BusinessError("REQUESTOR")
    if duns is not None and duns != user.duns:
        raise BusinessError("DUNS")
    if terms != "Y":
        raise BusinessError("TERMS")


def check_delivery(mode: str, form: str, forms: tuple[str, ...] = ("JSON",), *, by_file: bool = False) -> None:
    """Refuse a delivery or format that a call does not have. forms: what it has; by_file: whether it also lays files into the sender's folder."""
    modes = ("API", "FTP") if by_file else ("API",)
    if mode not in modes:
        raise BusinessError("DELIVERY", mode, " or ".join(modes))
    if form not in forms:
        raise BusinessError("FORMAT", form, " or ".join(forms))
