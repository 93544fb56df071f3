"""SMT's portal API, as customers' clients use it (DOMAIN §4): its shapes, its silences, its stale read. Same store and desk as the market API."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response, Security
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from headend.wire import InquiryKind
from meters.calendar import US, day_of, us_stamp
from simulator.smt.answers import SILENT, wire_refusal
from simulator.smt.auth import LoginFault, TokenKind
from simulator.smt.desk import Asked, digits
from simulator.smt.errors import BusinessError
from simulator.smt.ledger import Entry
from simulator.smt.lifecycle import ENDED, State
from simulator.smt.market_api import dates_asked, smt_of
from simulator.smt.odr_wire import SUBMITTED
from simulator.smt.party import Smt
from simulator.smt.registry import ServicePoint, User
from simulator.smt.throttle import Channel
from simulator.smt.usage_reads import CHANNELS, energy_data, interval_rows, kwh, stored_days

router = APIRouter(tags=["Portal API"])
_bearer = HTTPBearer(auto_error=False, scheme_name="Portal token")

#: Longest range of one request, days.
MOST_DAYS = 30
NO_ENERGY_DATA = "No Energy Data received from the respective TDSP"
#: What the portal says for the hourly limit, whatever the policy's rule says.
_HOURLY = (
    "You have reached the limit of two On Demand Read request for this ESIID per hour, you may try again after one hour"
)
_LOGIN_FAULTS = {
    LoginFault.UNKNOWN_USER: (400, "ERR-USR-USERNOTFOUND"),
    LoginFault.WRONG_PASSWORD: (400, "ERR-USR-INVALIDPASSWORDERROR"),
    # SMT's own text is not known.
    LoginFault.BLOCKED: (403, "ERR-USR-TOOMANYATTEMPTS"),
}
_OTHERS: dict[int | str, dict[str, Any]] = {401: {"description": 'No valid token: `{"message":"Invalid Token"}`'}}


class InvalidToken(Exception):  # noqa: N818 (its text on the wire)
    """A portal request without a valid token."""


class _Asked(BaseModel):
    model_config = ConfigDict(extra="ignore")


class PortalLogin(_Asked):
    """`POST /commonapi/user/authenticate`."""

    username: str = Field(examples=["maria"])
    password: str = Field(examples=["open sesame"])
    rememberMe: str | bool = "true"


class MeterList(_Asked):
    """`POST /api/meter`. `*`: every meter of the account."""

    esiid: str = "*"


class PortalRead(_Asked):
    """`POST /api/ondemandread`."""

    ESIID: str = Field(examples=["10443720000000017"])
    MeterNumber: str | None = Field(default=None, examples=["200000017"])


class LatestRead(_Asked):
    """`POST /api/usage/latestodrread`."""

    ESIID: str = Field(examples=["10443720000000017"])


class IntervalSynch(_Asked):
    """`POST /api/adhoc/intervalsynch`: at most 30 days, one ESI ID."""

    startDate: str = Field(examples=["08/11/2026"])
    endDate: str = Field(examples=["08/11/2026"])
    ESIID: list[str] = Field(min_length=1, examples=[["10443720000000017"]])
    reportFormat: str = "JSON"


class UsageInterval(_Asked):
    """`POST /api/usage/interval`: at most 30 days."""

    esiid: str = Field(examples=["10443720000000017"])
    startDate: str = Field(examples=["08/11/2026"])
    endDate: str = Field(examples=["08/11/2026"])


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


@router.get("/", include_in_schema=False)
async def front() -> Response:
    """Answer what older clients look for before they log in."""
    return Response("Smart Meter Texas (test bed)", media_type="text/plain")


@router.post("/api/user/authenticate", include_in_schema=False)
@router.post("/commonapi/user/authenticate", summary="Log in")
async def authenticate(request: Request, asked: PortalLogin) -> Response:
    """Give a bearer token that lives fifteen minutes from its last use."""
    gatekeeper = smt_of(request).gatekeeper
    user = gatekeeper.login(asked.username, asked.password)
    if isinstance(user, LoginFault):
        status, message = _LOGIN_FAULTS[user]
        return JSONResponse({"errormessage": message}, status_code=status)
    return JSONResponse(
        {
            "usr_id": user.username,
            "is_rgstrd": "Y",
            "usr_type": "RES",
            "usr_frst_nm": user.first_name,
            "usr_lst_nm": user.last_name,
            "usr_eml": user.email,
            "lang_pref": "en",
            "ai": "N",
            "smtStatus": "active",
            "smtStatuskey": "SMTPR_smtStatus",
            "token": gatekeeper.issue(user, TokenKind.PORTAL).text,
        }
    )


@router.post("/api/meter", responses=_OTHERS, summary="List meters")
async def meter(request: Request, user: PortalUser, asked: MeterList) -> Response:
    """List the meters that the account may see today."""
    smt = smt_of(request)
    points = smt.registry.seen_by(user, day_of(smt.driver.now()))
    shown = [point for point in points if asked.esiid in ("*", point.esiid)]
    return JSONResponse({"data": [_meter(point, user) for point in shown]})


@router.post("/api/ondemandread", responses=_OTHERS, summary="Ask for an on-demand read")
async def on_demand_read(request: Request, user: PortalUser, asked: PortalRead) -> Response:
    """Ask for a register read. Turned away: HTTP 200, `RequestStatus` FLR, 5031 by an hourly limit, 5032 by another."""
    smt = smt_of(request)
    now_us = smt.now_us()
    trans_id = digits("portal", user.username, asked.ESIID, now_us)
    try:
        taken = smt.desk.open_request(
            Asked(user, InquiryKind.REGISTER, asked.ESIID, Channel.PORTAL, trans_id, "", asked.MeterNumber), now_us
        )
    except BusinessError as error:
        return _turned_away(error.code, error.message)
    if taken.state is State.REFUSED and taken.refusal is not None:
        told = wire_refusal(taken.refusal)
        hourly = taken.refusal.portal_code == "5031"
        return _turned_away(taken.refusal.portal_code, _HOURLY if hourly else told.reason if told else SILENT)
    answer = {
        "trans_id": trans_id,
        "correlationId": taken.key,
        "statusCode": "0",
        "statusReason": SUBMITTED,
    }
    return JSONResponse({"data": answer})


@router.post("/api/usage/latestodrread", responses=_OTHERS, summary="The latest on-demand read")
async def latest_on_demand_read(request: Request, user: PortalUser, asked: LatestRead) -> Response:
    """Tell the latest register read of the ESI ID, whoever asked for it: `odrstatus` null when there never was one, or it is not yours."""
    smt = smt_of(request)
    entry = None
    if smt.registry.may_see(user, asked.ESIID, day_of(smt.driver.now())):
        entry = shown_read(smt, asked.ESIID, smt.now_us())
    return JSONResponse({"data": _latest(smt, entry)})


@router.post("/api/adhoc/intervalsynch", responses=_OTHERS, summary="15-minute intervals, in slots")
async def interval_synch(request: Request, user: PortalUser, asked: IntervalSynch) -> Response:
    """Give posted VEE intervals in 100 slots a day, consumption and, where posted, surplus generation."""
    smt = smt_of(request)
    esiid = asked.ESIID[0]
    try:
        first, last = _range_asked(smt, asked.startDate, asked.endDate)
    except BusinessError as error:
        return JSONResponse({"data": {"errorCode": error.code, "errorMessage": error.message}})
    stored = [one for channel in CHANNELS["A"] for one in await stored_days(smt, user, esiid, channel, first, last)]
    if not stored:
        return JSONResponse({"data": {"errorCode": "1", "errorMessage": NO_ENERGY_DATA}})
    trans_id = digits("portal", user.username, esiid, asked.startDate, asked.endDate, smt.now_us())
    return JSONResponse({"data": {"trans_id": trans_id, "esiid": esiid, "energyData": energy_data(stored)}})


@router.post("/api/usage/interval", responses=_OTHERS, summary="15-minute intervals, one by one")
async def usage_interval(request: Request, user: PortalUser, asked: UsageInterval) -> Response:
    """Give posted VEE intervals one by one; of an ESI ID that is not yours, none."""
    smt = smt_of(request)
    try:
        first, last = _range_asked(smt, asked.startDate, asked.endDate)
    except BusinessError as error:
        return JSONResponse({"errorCode": error.code, "errorMessage": error.message})
    consumed, generated = [await stored_days(smt, user, asked.esiid, channel, first, last) for channel in CHANNELS["A"]]
    flag = any(one.wh.any() for one in generated)
    return JSONResponse({"intervaldata": interval_rows(consumed, generated), "generationFlag": flag})


def shown_read(smt: Smt, esiid: str, now_us: int) -> Entry | None:
    """The register read that the portal shows: for some seconds after a new request it is still the completed one before."""
    latest = smt.ledger.latest(esiid, InquiryKind.REGISTER)
    if latest is None or now_us - latest.filed.submitted_us >= smt.config.stale_s * US:
        return latest
    return smt.ledger.latest(esiid, InquiryKind.REGISTER, State.COMPLETED) or latest


def _latest(smt: Smt, entry: Entry | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "odrstatus": None,
        "odrread": None,
        "odrusage": None,
        "odrdate": None,
        "responseMessage": "SUCCESS",
    }
    if entry is None:
        return told
    if entry.last.state not in ENDED:
        pending = {"odrstatus": "PENDING", "odrread": "0", "odrusage": "0"}
        return told | pending | {"odrdate": us_stamp(entry.filed.submitted_us // US)}
    read = entry.content.register_read if entry.content is not None else None
    if entry.last.state is not State.COMPLETED or read is None:
        status = "T-FAILED" if entry.last.state is State.T_FAILED else "FAILED"
        return told | {"odrstatus": status, "odrdate": us_stamp(entry.last.at_us // US)}
    at = int(read.at.timestamp())
    midnight = smt.store.last_midnight(entry.filed.esiid, at)
    # From which register SMT counts is unsettled: here the last posted midnight. An exchanged meter may show less.
    used = max(0, read.wh - midnight.wh) if midnight is not None else 0
    return told | {
        "odrstatus": "COMPLETED",
        "odrread": kwh(read.wh),
        "odrusage": kwh(used),
        "odrdate": us_stamp(at),
    }


def _range_asked(smt: Smt, start: str, end: str) -> tuple[date, date]:
    first, last = dates_asked(start, end, day_of(smt.driver.now()))
    if (last - first).days >= MOST_DAYS:
        raise BusinessError("RANGE", MOST_DAYS)
    return first, last


def _turned_away(code: str, reason: str) -> Response:
    return JSONResponse({"data": {"RequestStatus": "FLR", "statusCode": code, "statusReason": reason}})


def _meter(point: ServicePoint, user: User) -> dict[str, Any]:
    place = f"{point.city}, {point.state} {point.zip_code}".strip()
    return {
        "customer": point.customer,
        "email": user.email,
        "description": point.premise_type,
        "address": point.address,
        "city": point.city,
        "state": point.state,
        "zip": f"{point.zip_code}-0.00",
        "esiid": point.esiid,
        "meterNumber": point.meter_number,
        "meterMultiplier": point.multiplier,
        "fullAddress": f"{point.address} {place}",
        "errmsg": "Success",
        "recordStatus": "ESIID-RECORD-EXISTS",
        "statusIndicator": True,
        "dunsNumber": user.duns or "NO_DUNS",
    }
