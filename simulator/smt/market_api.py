"""SMT's market API, base ``/v2``: token, reads, on-demand requests. Handlers answer at once; results are polled.

Business errors come with HTTP 200, the gateway's with their own status. Every path answers with and without its last slash.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response, Security
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from headend.wire import InquiryKind
from meters.calendar import day_of, parse_us_date, us_date
from simulator.smt.access_log import What
from simulator.smt.answers import SILENT, status_json, status_of, wire_refusal
from simulator.smt.auth import LoginFault, TokenKind
from simulator.smt.desk import Asked
from simulator.smt.errors import BusinessError, GatewayRefusal
from simulator.smt.lifecycle import State
from simulator.smt.market_examples import (
    DAILY_READS,
    INTERVAL_READS,
    INTERVALS_ASKED,
    LOGIN_OTHERS,
    ODR,
    ODR_ASKED,
    ODR_STATUS,
    OTHERS,
    POWER_ASKED,
    POWER_STATUS,
    READS_ASKED,
    STATUS_ASKED,
    TOKEN,
    TOKEN_ASKED,
    told,
)
from simulator.smt.market_wire import (
    BusinessErrorReply,
    DailyReads,
    IntervalReads,
    ReadsRequest,
    TokenReply,
    TokenRequest,
)
from simulator.smt.odr_wire import SUBMITTED, OdrAck, OdrRequest, OdrStatus, OdrStatusRequest
from simulator.smt.party import Smt
from simulator.smt.registry import User, UserKind
from simulator.smt.throttle import Channel
from simulator.smt.usage_reads import CHANNELS, energy_data, registered_reads, sees_any, stored_days

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


def _post(path: str, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a handler under a path with and without its last slash; the documents show the first."""

    def register(handler: Callable[..., Any]) -> Callable[..., Any]:
        router.post(path, **options)(handler)
        router.post(path.rstrip("/"), include_in_schema=False, **options)(handler)
        return handler

    return register


@_post("/token/", response_model=TokenReply, responses={200: told(TOKEN), **LOGIN_OTHERS}, summary="Log in")
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


@_post(
    "/15minintervalreads/",
    response_model=IntervalReads | BusinessErrorReply,
    responses={200: told(INTERVAL_READS), **OTHERS},
    summary="VEE 15-minute intervals",
)
async def interval_reads(
    request: Request, user: MarketUser, asked: Annotated[ReadsRequest, Body(openapi_examples=INTERVALS_ASKED)]
) -> Response:
    """Give posted VEE intervals, at most 24 months back. Only `API` and `JSON` are answered so far."""
    smt = smt_of(request)
    esiid, first, last = _reads_asked(smt, user, asked)
    stored = [
        one
        for channel in CHANNELS[asked.readingType]
        for one in await stored_days(smt, user, esiid, channel, first, last, asked.version)
    ]
    if not stored:
        raise BusinessError("1")
    return JSONResponse({"trans_id": asked.trans_id, "esiid": esiid, "energyData": energy_data(stored)})


@_post(
    "/dailyreads/",
    response_model=DailyReads | BusinessErrorReply,
    responses={200: told(DAILY_READS), **OTHERS},
    summary="Daily register reads",
)
async def daily_reads(
    request: Request, user: MarketUser, asked: Annotated[ReadsRequest, Body(openapi_examples=READS_ASKED)]
) -> Response:
    """Give the registers at both midnights of each posted day; `readingType` `A` means consumption, as the reply has no field for it."""
    smt = smt_of(request)
    esiid, first, last = _reads_asked(smt, user, asked)
    channel = CHANNELS[asked.readingType][0]
    reads = registered_reads(await stored_days(smt, user, esiid, channel, first, last, asked.version))
    if not reads:
        raise BusinessError("1")
    return JSONResponse({"trans_id": asked.trans_id, "esiid": esiid, "registeredReads": reads})


@_post(
    "/odr/",
    response_model=OdrAck | BusinessErrorReply,
    responses={200: told(ODR), **OTHERS},
    summary="Ask for an on-demand read",
)
async def odr(
    request: Request, user: MarketUser, asked: Annotated[OdrRequest, Body(openapi_examples=ODR_ASKED)]
) -> Response:
    """Ask for a register read, or for the non-VEE intervals of the gap (`readType`). Poll `/v2/odrstatus/` with the `correlationId`.

    Refused by a limit: `statusCode` "1" and `refusal`. Anything else that stands against it is a business error.
    """
    return _opened(smt_of(request), user, asked, InquiryKind(asked.readType))


@_post(
    "/powerstatus/",
    response_model=OdrAck | BusinessErrorReply,
    responses={200: told(POWER_STATUS), **OTHERS},
    summary="Ask for a power status",
)
async def power_status(
    request: Request, user: MarketUser, asked: Annotated[OdrRequest, Body(openapi_examples=POWER_ASKED)]
) -> Response:
    """Ask whether the power is on; `readType` is not looked at. The answer is polled at `/v2/odrstatus/`. An extension of this test bed."""
    return _opened(smt_of(request), user, asked, InquiryKind.POWER)


@_post(
    "/odrstatus/",
    response_model=OdrStatus | BusinessErrorReply,
    responses={200: told(ODR_STATUS), **OTHERS},
    summary="Poll an on-demand request",
)
async def odr_status(
    request: Request, user: MarketUser, asked: Annotated[OdrStatusRequest, Body(openapi_examples=STATUS_ASKED)]
) -> Response:
    """Tell how a request stands: `PEN` pending, `0` answered, `1` failed or refused. Only who asked may poll."""
    _check_sender(user, asked.requestorID, asked.requesterAuthenticationID, asked.SMTTermsandConditions)
    entry = smt_of(request).ledger.entry(asked.correlationId)
    if entry is None or (entry.filed.duns, entry.filed.door) != (user.duns, Channel.API):
        raise BusinessError("CORRELATION")
    smt_of(request).access.note(user, entry.filed.esiid, What.STATUS, entry.filed.key, asked.trans_id)
    return Response(status_json(status_of(entry, asked.trans_id)), media_type="application/json")


def _opened(smt: Smt, user: User, asked: OdrRequest, kind: InquiryKind) -> Response:
    _check_sender(user, asked.requestorID, asked.requesterAuthenticationID, asked.SMTTermsandConditions)
    _check_delivery(asked.deliveryMode, asked.reportFormat)
    taken = smt.desk.open_request(
        Asked(user, kind, asked.ESIID, Channel.API, asked.trans_id, asked.callReference, asked.MeterNumber),
        smt.now_us(),
    )
    if taken.state is not State.REFUSED:
        ack = OdrAck(trans_id=asked.trans_id, correlationId=taken.key, statusCode="0", statusReason=SUBMITTED)
    else:
        refusal = wire_refusal(taken.refusal)
        reason = refusal.reason if refusal else SILENT
        ack = OdrAck(trans_id=asked.trans_id, statusCode="1", statusReason=reason, refusal=refusal)
    return Response(ack.model_dump_json(exclude_none=True), media_type="application/json")


def _reads_asked(smt: Smt, user: User, asked: ReadsRequest) -> tuple[str, date, date]:
    """ESI ID, first and last day of a request for reads, after everything that can stand against it."""
    _check_sender(user, asked.requestorID, asked.requesterAuthenticationID, asked.SMTTermsandConditions)
    _check_delivery(asked.deliveryMode, asked.reportFormat)
    if len(asked.esiid) != 1:
        raise BusinessError("ONE-ESIID", len(asked.esiid))
    first, last = dates_asked(asked.startDate, asked.endDate, day_of(smt.driver.now()))
    if not sees_any(smt, user, asked.esiid[0], first, last):
        raise BusinessError("AC1")
    return asked.esiid[0], first, last


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


def _check_sender(user: User, requestor: str, duns: str | None, terms: str) -> None:
    if user.kind is UserKind.CUSTOMER:
        raise BusinessError("2076")
    if requestor != user.username:
        raise BusinessError("REQUESTOR")
    if duns is not None and duns != user.duns:
        raise BusinessError("DUNS")
    if terms != "Y":
        raise BusinessError("TERMS")


def _check_delivery(mode: str, form: str) -> None:
    if mode != "API":
        raise BusinessError("DELIVERY", mode)
    if form != "JSON":
        raise BusinessError("FORMAT", form)


def _instant(wall: float) -> str:
    return datetime.fromtimestamp(int(wall), UTC).isoformat()
