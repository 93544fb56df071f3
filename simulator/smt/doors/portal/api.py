"""The account at SMT's portal, as customers' clients use it (DOMAIN §4): log-in, its meters, the dashboard."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from headend.http.examples import Replies, documented
from meters.calendar import day_of, us_date
from simulator.smt.access.gatekeeper import TokenKind
from simulator.smt.access.log import What
from simulator.smt.doors.both.bodies import BusinessErrorReply
from simulator.smt.doors.both.served import Peer, ServedSmt
from simulator.smt.doors.portal.door import Account, call, portal_router
from simulator.smt.doors.portal.wire import (
    DashboardMeter,
    DashboardReply,
    LoginRefused,
    MeterList,
    PortalLogin,
    PortalMeters,
    PortalToken,
)
from simulator.smt.party import Smt
from simulator.smt.registry.log_in import LoginFault
from simulator.smt.registry.records import PointMeter, ServicePoint, User

#: Where the portal's pages begin.
PAGES = "/ui/"
#: The cookie that the front page sets. SMT's own have other names.
VISITED = "smt_visited"
#: By what is wrong with a log-in, status and text of the answer.
LOGIN_FAULTS = {
    LoginFault.UNKNOWN_USER: (400, "ERR-USR-USERNOTFOUND"),
    LoginFault.WRONG_PASSWORD: (400, "ERR-USR-INVALIDPASSWORDERROR"),
    # SMT's own text is not known.
    LoginFault.BLOCKED: (403, "ERR-USR-TOOMANYATTEMPTS"),
}
_LOGIN_OTHERS: Replies = {
    400: documented(
        "Unknown user, or not the password; or the body is not as documented.", LoginRefused | BusinessErrorReply
    ),
    403: documented("Too many failed log-ins of this user.", LoginRefused),
}


def router() -> APIRouter:
    """The calls of whoever logs in, before any read."""
    routes = portal_router()

    @routes.get("/", include_in_schema=False)
    async def front(request: Request) -> Response:
        """Send a browser to the pages. To whoever names no HTML, answer what older clients look for before they log in, with the cookie that tells that they did."""
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(PAGES, 303, {"vary": "accept"})
        page = Response(
            f"Smart Meter Texas (test bed)\nPages for a browser: {PAGES}\n",
            media_type="text/plain",
            headers={"vary": "accept"},
        )
        page.set_cookie(VISITED, "1", httponly=True, samesite="lax")
        return page

    @routes.post("/api/user/authenticate", include_in_schema=False)
    @routes.post(
        "/commonapi/user/authenticate",
        response_model=PortalToken,
        responses=_LOGIN_OTHERS,
        summary="Log in",
    )
    async def authenticate(asked: PortalLogin, smt: ServedSmt, peer: Peer) -> Response:
        """Give a bearer token that lives fifteen minutes from its last use."""
        user = await smt.gatekeeper.login(asked.username, asked.password, peer)
        if isinstance(user, LoginFault):
            status, message = LOGIN_FAULTS[user]
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
                "token": smt.gatekeeper.issue(user, TokenKind.PORTAL).text,
            }
        )

    @call(routes, "/api/meter", PortalMeters, "List meters")
    async def meter(asked: MeterList, smt: ServedSmt, user: Account) -> Response:
        """List the meters that the account may see today."""
        shown = [point for point in _seen(smt, user) if asked.esiid in ("*", point.esiid)]
        told = [
            _meter(point, meter, user) for point in _noted(smt, user, shown) for meter in smt.registry.meters(point)
        ]
        return JSONResponse({"data": told})

    @call(routes, "/api/dashboard", DashboardReply, "The meter that the account sees first")
    async def dashboard(smt: ServedSmt, user: Account) -> Response:
        """Give the account's first meter by ESI ID, and its last day that is posted; whatever is sent is left alone. What there is not is null [D]."""
        details = latest = None
        for point in _noted(smt, user, _seen(smt, user)[:1]):
            told = _meter(point, smt.registry.meters(point)[0], user)
            details = {name: told[name] for name in DashboardMeter.model_fields}
            end = smt.store.last_vee_end(point.esiid)
            day = None if end is None else day_of(end - 1)
            latest = us_date(day) if day and smt.registry.may_see(user, point.esiid, day) else None
        return JSONResponse({"data": {"defaultMeterDetails": details, "latestDate": latest}})

    return routes


def _seen(smt: Smt, user: User) -> list[ServicePoint]:
    return smt.registry.seen_by(user, day_of(smt.driver.now()))


def _noted(smt: Smt, user: User, shown: list[ServicePoint]) -> list[ServicePoint]:
    """The same, after it is noted that they were shown."""
    for point in shown:
        smt.access.note(user, point.esiid, What.ATTRIBUTES)
    return shown


def _meter(point: ServicePoint, meter: PointMeter, user: User) -> dict[str, Any]:
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
        "meterNumber": meter.meter_number,
        "meterMultiplier": meter.multiplier,
        "fullAddress": f"{point.address} {place}",
        "errmsg": "Success",
        "recordStatus": "ESIID-RECORD-EXISTS",
        "statusIndicator": True,
        "dunsNumber": user.duns or "NO_DUNS",
    }
