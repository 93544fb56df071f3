"""Meter attributes, premise and HAN devices at the market API, for whoever may see the ESI ID today."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, Request, Response
from fastapi.responses import JSONResponse

from meters.calendar import day_of
from simulator.smt.access_log import What
from simulator.smt.errors import BusinessError
from simulator.smt.market_door import MarketUser, check_delivery, check_sender, post, smt_of
from simulator.smt.market_examples import OTHERS, told
from simulator.smt.market_wire import BusinessErrorReply
from simulator.smt.party import Smt
from simulator.smt.records import devices_of, meter_of, premise_of
from simulator.smt.records_examples import HAN_DEVICES, METER_INFO, PREMISE_INFO, RECORDS_ASKED
from simulator.smt.records_wire import HanDevicesReply, MeterInfoReply, PremiseInfoReply, RecordsRequest
from simulator.smt.registry import ServicePoint, User

RecordsAsked = Annotated[RecordsRequest, Body(openapi_examples=RECORDS_ASKED)]


def point_seen(smt: Smt, user: User, esiid: str) -> ServicePoint:
    """The service point, if the user may see it today. Raises BusinessError AC1, whether there is such an ESI ID or not."""
    today = day_of(smt.driver.now())
    if not smt.registry.may_see(user, esiid, today):
        raise BusinessError("AC1")
    smt.access.note(user, esiid, What.ATTRIBUTES)
    return smt.registry.point(esiid, today)


@post(
    "/meterInfo/",
    response_model=MeterInfoReply | BusinessErrorReply,
    responses={200: told(METER_INFO), **OTHERS},
    summary="Meter attributes",
)
async def meter_info(request: Request, user: MarketUser, asked: RecordsAsked) -> Response:
    """Give the attributes of the meter at an ESI ID."""
    point = _asked(smt_of(request), user, asked)
    return _told(asked, point, "meterInfo", [meter_of(smt_of(request).registry, point)])


@post(
    "/premiseInfo/",
    response_model=PremiseInfoReply | BusinessErrorReply,
    responses={200: told(PREMISE_INFO), **OTHERS},
    summary="Premise",
)
async def premise_info(request: Request, user: MarketUser, asked: RecordsAsked) -> Response:
    """Give address, zones, type and status of a premise. SMT's own fields are not published: these are this test bed's."""
    point = _asked(smt_of(request), user, asked)
    return _told(asked, point, "premiseInfo", premise_of(point))


@post(
    "/hanDevices/",
    response_model=HanDevicesReply | BusinessErrorReply,
    responses={200: told(HAN_DEVICES), **OTHERS},
    summary="HAN devices",
)
async def han_devices(request: Request, user: MarketUser, asked: RecordsAsked) -> Response:
    """Give the devices behind the meter. SMT's own path and fields are not published: these are this test bed's."""
    point = _asked(smt_of(request), user, asked)
    return _told(asked, point, "hanDevices", devices_of(smt_of(request).registry, point))


def _asked(smt: Smt, user: User, asked: RecordsRequest) -> ServicePoint:
    check_sender(user, asked.requestorID, asked.requesterAuthenticationID, asked.SMTTermsandConditions)
    check_delivery(asked.deliveryMode, asked.reportFormat)
    if len(asked.esiid) != 1:
        raise BusinessError("ONE-ESIID", len(asked.esiid))
    return point_seen(smt, user, asked.esiid[0])


def _told(asked: RecordsRequest, point: ServicePoint, field: str, value: Any) -> Response:
    return JSONResponse({"trans_id": asked.trans_id, "esiid": point.esiid, field: value})
