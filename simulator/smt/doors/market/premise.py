"""Meter attributes, premise and HAN devices at the market API, for whoever may see the ESI ID today."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from simulator.smt.doors.both.asked import point_seen
from simulator.smt.doors.both.premise import devices_of, meters_of, premise_of
from simulator.smt.doors.both.premise_wire import HanDevicesReply, MeterInfoReply, PremiseInfoReply, RecordsRequest
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.doors.market.door import Sender, call, check_delivery, check_sender, market_router
from simulator.smt.errors import BusinessError
from simulator.smt.party import Smt
from simulator.smt.registry.records import ServicePoint, User


def router() -> APIRouter:
    """The calls for what SMT has on record of a premise."""
    routes = market_router()

    @call(routes, "/meterInfo/", MeterInfoReply, "Meter attributes")
    async def meter_info(asked: RecordsRequest, smt: ServedSmt, user: Sender) -> Response:
        """Give the attributes of each meter at an ESI ID."""
        point = _asked(smt, user, asked)
        return _reply(asked, point, "MeterData", meters_of(smt.registry, point))

    @call(routes, "/premiseInfo/", PremiseInfoReply, "Premise")
    async def premise_info(asked: RecordsRequest, smt: ServedSmt, user: Sender) -> Response:
        """Give address, zones, type and status of a premise. SMT's own fields are not published: these are this test bed's."""
        point = _asked(smt, user, asked)
        return _reply(asked, point, "premiseInfo", premise_of(point))

    @call(routes, "/hanDevices/", HanDevicesReply, "HAN devices")
    async def han_devices(asked: RecordsRequest, smt: ServedSmt, user: Sender) -> Response:
        """Give the devices behind the meter. SMT's own path and fields are not published: these are this test bed's."""
        point = _asked(smt, user, asked)
        return _reply(asked, point, "hanDevices", devices_of(smt.registry, point))

    return routes


def _asked(smt: Smt, user: User, asked: RecordsRequest) -> ServicePoint:
    check_sender(user, asked)
    check_delivery(asked)
    if len(asked.esiid) != 1:
        raise BusinessError("ONE-ESIID", len(asked.esiid))
    return point_seen(smt, user, asked.esiid[0])


def _reply(asked: RecordsRequest, point: ServicePoint, field: str, value: Any) -> Response:
    return JSONResponse({"trans_id": asked.trans_id, "esiid": point.esiid, field: value})
