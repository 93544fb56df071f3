"""On-demand requests of the market API: register reads, the gap's intervals, power status; handlers answer at once, results are polled."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from fastapi import APIRouter, Response

from headend.wire import InquiryKind
from simulator.smt.access.log import What
from simulator.smt.doors.both.asked import asked_by
from simulator.smt.doors.both.refusal import SILENT, SUBMITTED, wire_refusal
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.doors.market.door import Sender, call, check_delivery, check_sender, market_router
from simulator.smt.doors.market.odr_wire import OdrAck, OdrRequest, OdrStatus, OdrStatusRequest
from simulator.smt.doors.market.status import status_json, status_of
from simulator.smt.errors import BusinessError
from simulator.smt.ondemand.filing import Asked
from simulator.smt.ondemand.lifecycle import State
from simulator.smt.ondemand.rules import Finding, finding
from simulator.smt.party import Smt
from simulator.smt.registry.records import User, UserKind
from simulator.smt.throttle.decision import Door


def router() -> APIRouter:
    """The calls for on-demand requests."""
    routes = market_router()

    @call(routes, "/odr/", OdrAck, "Ask for an on-demand read")
    async def odr(asked: OdrRequest, smt: ServedSmt, user: Sender) -> Response:
        """Ask for a register read, or for the non-VEE intervals of the gap (`readType`). Poll `/v2/odrstatus/` with the `correlationId`.

        Refused by a limit: `statusCode` "1" and `refusal`. Anything else that stands against it is a business error.
        """
        return _opened(smt, user, asked, InquiryKind(asked.readType))

    @call(routes, "/powerstatus/", OdrAck, "Ask for a power status")
    async def power_status(asked: OdrRequest, smt: ServedSmt, user: Sender) -> Response:
        """Ask whether the power is on; `readType` is not looked at. The answer is polled at `/v2/odrstatus/`. An extension of this test bed."""
        return _opened(smt, user, asked, InquiryKind.POWER)

    @call(routes, "/odrstatus/", OdrStatus, "Poll an on-demand request")
    async def odr_status(asked: OdrStatusRequest, smt: ServedSmt, user: Sender) -> Response:
        """Tell how a request stands: `PEN` pending, `0` answered, `1` failed or refused. Only who asked may poll."""
        check_sender(user, asked)
        entry = smt.ledger.entry(asked.correlationId)
        if entry is None or entry.filed.door is not Door.API or not asked_by(entry.filed, user):
            raise BusinessError("CORRELATION")
        smt.access.note(user, entry.filed.esiid, What.STATUS, entry.filed.key)
        return Response(status_json(status_of(entry, asked.trans_id)), media_type="application/json")

    return routes


#: Fields that are told of one request at most, when they are not documented.
_MOST_UNKNOWN = 10
#: How a requester of each kind names itself.
_TYPES = {UserKind.ROR: {"REP"}, UserKind.CSP: {"CSP"}, UserKind.TDSP: {"TDSP"}, UserKind.CUSTOMER: {"RES", "BUS"}}


def slips(user: User, asked: OdrRequest) -> Iterator[Finding]:
    """What a request gets wrong and is taken with all the same."""
    if asked.requesterType not in _TYPES[user.kind]:
        yield finding("REQUESTER-TYPE", "requesterType", asked.requesterType)
    for name in [name[:64] for name in asked.model_extra or {}][:_MOST_UNKNOWN]:
        near = get_close_matches(name, OdrRequest.model_fields, 1)
        yield finding("UNKNOWN-FIELD", name, f"{name!a}, perhaps {near[0]}" if near else f"{name!a}")
    if "SMTTermsandConditions" not in asked.model_fields_set:
        yield finding("TERMS-LEFT-OUT", "SMTTermsandConditions", "")


def _opened(smt: Smt, user: User, asked: OdrRequest, kind: InquiryKind) -> Response:
    check_sender(user, asked)
    check_delivery(asked)
    taken = smt.desk.open_request(
        Asked(
            user,
            kind,
            asked.ESIID,
            Door.API,
            asked.trans_id,
            asked.callReference,
            asked.MeterNumber,
            tuple(slips(user, asked)),
        ),
        smt.now_us(),
    )
    if taken.state is not State.REFUSED:
        ack = OdrAck(trans_id=asked.trans_id, correlationId=taken.key, statusCode="0", statusReason=SUBMITTED)
    else:
        refusal = wire_refusal(taken.refusal)
        reason = refusal.reason if refusal else SILENT
        ack = OdrAck(trans_id=asked.trans_id, statusCode="1", statusReason=reason, refusal=refusal)
    return Response(ack.model_dump_json(exclude_none=True), media_type="application/json")
