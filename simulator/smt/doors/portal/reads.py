"""On-demand reads at the portal: its silences, its stale read, its two codes for every limit (DOMAIN §4). Same desk as the market API."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from headend.wire import InquiryKind
from meters.calendar import Micros, Seconds, day_of, day_start, seconds, to_s, to_us, us_stamp
from simulator.smt.access.log import What
from simulator.smt.correlation import digits
from simulator.smt.doors.both.refusal import SILENT, STATUS_OF, SUBMITTED, wire_refusal
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.doors.both.usage_reads import kwh
from simulator.smt.doors.portal.door import Account, call, portal_router
from simulator.smt.doors.portal.wire import LatestRead, LatestReply, OnDemandReply, PortalRead
from simulator.smt.errors import BusinessError
from simulator.smt.ondemand.filing import Asked
from simulator.smt.ondemand.ledger import Entry
from simulator.smt.ondemand.lifecycle import ENDED, State
from simulator.smt.party import Smt
from simulator.smt.registry.records import User
from simulator.smt.throttle.decision import Door

#: What the portal says for the hourly limit, whatever the policy's rule says.
HOURLY = (
    "You have reached the limit of two On Demand Read request for this ESIID per hour, you may try again after one hour"
)


def router() -> APIRouter:
    """The calls for on-demand reads."""
    routes = portal_router()

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


def _turned_away(code: str, reason: str) -> Response:
    return JSONResponse({"data": {"RequestStatus": "FLR", "statusCode": code, "statusReason": reason}})
