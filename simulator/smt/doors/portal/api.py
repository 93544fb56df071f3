"""SMT's portal API, as customers' clients use it (DOMAIN §4): its shapes, its silences, its stale read. Same store and desk as the market API."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from headend.http.examples import Replies, documented
from headend.http.exchange import current
from headend.wire import InquiryKind
from meters.calendar import Micros, Seconds, day_of, day_start, seconds, to_s, to_us, us_stamp
from simulator.smt.access.gatekeeper import TokenKind
from simulator.smt.access.log import What
from simulator.smt.correlation import digits
from simulator.smt.doors.both.asked import dates_asked
from simulator.smt.doors.both.bodies import BusinessErrorReply
from simulator.smt.doors.both.refusal import SILENT, STATUS_OF, SUBMITTED, wire_refusal
from simulator.smt.doors.both.served import Peer, ServedSmt
from simulator.smt.doors.both.usage_reads import CHANNELS, energy_data, interval_rows, kwh, stored_days
from simulator.smt.doors.portal.door import Account, call, portal_router
from simulator.smt.doors.portal.wire import (
    IntervalSynch,
    LatestRead,
    LatestReply,
    LoginRefused,
    MeterList,
    OnDemandReply,
    PortalLogin,
    PortalMeters,
    PortalRead,
    PortalToken,
    SynchReply,
    UsageInterval,
    UsageReply,
)
from simulator.smt.errors import BusinessError
from simulator.smt.ondemand.filing import Asked
from simulator.smt.ondemand.ledger import Entry
from simulator.smt.ondemand.lifecycle import ENDED, State
from simulator.smt.party import Smt
from simulator.smt.registry.log_in import LoginFault
from simulator.smt.registry.records import ServicePoint, User
from simulator.smt.throttle.decision import Door

#: Longest range of one request, days.
MOST_DAYS = 30
_LOGIN_FAULTS = {
    LoginFault.UNKNOWN_USER: (400, "ERR-USR-USERNOTFOUND"),
    LoginFault.WRONG_PASSWORD: (400, "ERR-USR-INVALIDPASSWORDERROR"),
    # SMT's own text is not known.
    LoginFault.BLOCKED: (403, "ERR-USR-TOOMANYATTEMPTS"),
}
#: What the portal says when nothing is posted, and for the hourly limit, whatever the policy's rule says.
NO_ENERGY_DATA = "No Energy Data received from the respective TDSP"
HOURLY = (
    "You have reached the limit of two On Demand Read request for this ESIID per hour, you may try again after one hour"
)
_LOGIN_OTHERS: Replies = {
    400: documented(
        "Unknown user, or not the password; or the body is not as documented.", LoginRefused | BusinessErrorReply
    ),
    403: documented("Too many failed log-ins of this user.", LoginRefused),
}


def router() -> APIRouter:
    """The calls of the portal that customers' clients use."""
    routes = portal_router()

    @routes.get("/", include_in_schema=False)
    async def front() -> Response:
        """Answer what older clients look for before they log in."""
        return Response("Smart Meter Texas (test bed)", media_type="text/plain")

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
                "token": smt.gatekeeper.issue(user, TokenKind.PORTAL).text,
            }
        )

    @call(routes, "/api/meter", PortalMeters, "List meters")
    async def meter(asked: MeterList, smt: ServedSmt, user: Account) -> Response:
        """List the meters that the account may see today."""
        points = smt.registry.seen_by(user, day_of(smt.driver.now()))
        shown = [point for point in points if asked.esiid in ("*", point.esiid)]
        for point in shown:
            smt.access.note(user, point.esiid, What.ATTRIBUTES)
        return JSONResponse({"data": [_meter(point, user) for point in shown]})

    @call(routes, "/api/ondemandread", OnDemandReply, "Ask for an on-demand read")
    async def on_demand_read(asked: PortalRead, smt: ServedSmt, user: Account) -> Response:
        """Ask for a register read. Turned away: HTTP 200, `RequestStatus` FLR, 5031 by an hourly limit, 5032 by another."""
        now_us = smt.now_us()
        trans_id = digits("portal", user.username, asked.ESIID, now_us)
        try:
            taken = smt.desk.open_request(
                Asked(user, InquiryKind.REGISTER, asked.ESIID, Door.PORTAL, trans_id, "", asked.MeterNumber), now_us
            )
        except BusinessError as error:
            return _turned_away(error.code, error.message)
        if taken.state is State.REFUSED and taken.refusal is not None:
            refusal = wire_refusal(taken.refusal)
            hourly = taken.refusal.portal_code == "5031"
            return _turned_away(taken.refusal.portal_code, HOURLY if hourly else refusal.reason if refusal else SILENT)
        answer = {
            "trans_id": trans_id,
            "correlationId": taken.key,
            "statusCode": "0",
            "statusReason": SUBMITTED,
        }
        return JSONResponse({"data": answer})

    @call(routes, "/api/usage/latestodrread", LatestReply, "The latest on-demand read")
    async def latest_on_demand_read(asked: LatestRead, smt: ServedSmt, user: Account) -> Response:
        """Tell the latest register read of the ESI ID, whoever asked for it: `odrstatus` null when there never was one, or it is not yours."""
        entry = None
        if smt.registry.may_see(user, asked.ESIID, day_of(smt.driver.now())):
            entry = shown_read(smt, asked.ESIID, smt.now_us())
        # A read of a day before a move or a switch is another's.
        if entry is not None and not smt.registry.may_see(user, asked.ESIID, day_of(to_s(entry.filed.submitted_us))):
            entry = None
        if smt.registry.may_see(user, asked.ESIID, day_of(smt.driver.now())):
            smt.access.note(user, asked.ESIID, What.STATUS, entry.filed.key if entry is not None else "")
        return JSONResponse({"data": latest_shown(smt, user, entry)})

    @call(routes, "/api/adhoc/intervalsynch", SynchReply, "15-minute intervals, in slots")
    async def interval_synch(asked: IntervalSynch, smt: ServedSmt, user: Account) -> Response:
        """Give posted VEE intervals in 100 slots a day, consumption and, where posted, surplus generation."""
        esiid = asked.ESIID[0]
        try:
            first, last = _range_asked(smt, asked.startDate, asked.endDate)
        except BusinessError as error:
            return JSONResponse({"data": error.body()})
        trans_id = digits("portal", user.username, esiid, asked.startDate, asked.endDate, smt.now_us())
        current().trans_id = trans_id
        stored = [day for channel in CHANNELS["A"] for day in await stored_days(smt, user, esiid, channel, first, last)]
        if not stored:
            return JSONResponse({"data": {"errorCode": "1", "errorMessage": NO_ENERGY_DATA}})
        return JSONResponse({"data": {"trans_id": trans_id, "esiid": esiid, "energyData": energy_data(stored)}})

    @call(routes, "/api/usage/interval", UsageReply | BusinessErrorReply, "15-minute intervals, one by one")
    async def usage_interval(asked: UsageInterval, smt: ServedSmt, user: Account) -> Response:
        """Give posted VEE intervals one by one; of an ESI ID that is not yours, none."""
        try:
            first, last = _range_asked(smt, asked.startDate, asked.endDate)
        except BusinessError as error:
            return JSONResponse(error.body())
        consumed, generated = [
            await stored_days(smt, user, asked.esiid, channel, first, last) for channel in CHANNELS["A"]
        ]
        # The head-end posts zeros for a meter without generation; the portal has no mark for what there is none of.
        flag = any(one.wh.any() for one in generated)
        return JSONResponse(
            {"intervaldata": interval_rows(consumed, generated if flag else []), "generationFlag": flag}
        )

    return routes


def shown_read(smt: Smt, esiid: str, now_us: Micros) -> Entry | None:
    """The register read that the portal shows: for some seconds after a new request it is still the completed one before."""
    latest = smt.ledger.latest(esiid, InquiryKind.REGISTER)
    if latest is None or now_us - latest.filed.submitted_us >= to_us(smt.config.stale_s):
        return latest
    return smt.ledger.latest(esiid, InquiryKind.REGISTER, State.COMPLETED) or latest


def latest_shown(smt: Smt, user: User, entry: Entry | None) -> dict[str, Any]:
    """A register read in the portal's words, as a user is told; all null for none."""
    shown: dict[str, Any] = {
        "odrstatus": None,
        "odrread": None,
        "odrusage": None,
        "odrdate": None,
        "responseMessage": "SUCCESS",
    }
    if entry is None:
        return shown
    if entry.last.state not in ENDED:
        pending = {"odrstatus": "PENDING", "odrread": "0", "odrusage": "0"}
        return shown | pending | {"odrdate": us_stamp(to_s(entry.filed.submitted_us))}
    read = entry.content.register_read if entry.content is not None else None
    if entry.last.state is not State.COMPLETED or read is None:
        status = STATUS_OF.get(entry.last.state, "FAILED")
        return shown | {"odrstatus": status, "odrdate": us_stamp(to_s(entry.last.at_us))}
    at = seconds(read.at.timestamp())
    return shown | {
        "odrstatus": "COMPLETED",
        "odrread": kwh(read.wh),
        "odrusage": kwh(_used(smt, user, entry.filed.esiid, read.wh, at)),
        "odrdate": us_stamp(at),
    }


def _used(smt: Smt, user: User, esiid: str, wh: int, at: Seconds) -> int:
    """Wh since the last posted midnight, 0 without one that begins or follows the user's own days.

    From which register SMT counts is unsettled. What was used before a move or a switch is another's.
    """
    midnight = smt.store.last_midnight(esiid, at)
    if midnight is None:
        return 0
    own = smt.registry.seen_since(user, esiid, day_of(at), day_of(midnight.at))
    # An exchanged meter may show less.
    return max(0, wh - midnight.wh) if midnight.at >= day_start(own) else 0


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
