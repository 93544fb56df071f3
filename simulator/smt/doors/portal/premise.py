"""Meter attributes, premise and HAN devices at the portal: what the market API tells, for the account's own ESI IDs (AC2).

The paths are defaults of this project [D]: what the portal's pages ask is not published.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from simulator.smt.doors.both.asked import point_seen
from simulator.smt.doors.both.bodies import ESIID, BusinessErrorReply
from simulator.smt.doors.both.premise import devices_of, meters_of, premise_of
from simulator.smt.doors.both.premise_wire import HanDeviceInfo, MeterInfo, PremiseInfo
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.doors.portal.door import Account, call, portal_router
from simulator.smt.errors import BusinessError
from simulator.smt.party import Smt
from simulator.smt.registry.records import ServicePoint, User
from simulator.smt.registry.registry import Registry


class PortalRecordAsked(BaseModel):
    """`POST /api/meterattributes`, `/api/premise` and `/api/handevices`."""

    model_config = ConfigDict(extra="ignore")

    esiid: str = Field(examples=[ESIID])


class PortalMeterInfo(BaseModel):
    """Reply of `/api/meterattributes`."""

    data: list[MeterInfo] | BusinessErrorReply


class PortalPremiseInfo(BaseModel):
    """Reply of `/api/premise`."""

    data: PremiseInfo | BusinessErrorReply


class PortalHanDevices(BaseModel):
    """Reply of `/api/handevices`."""

    data: list[HanDeviceInfo] | BusinessErrorReply


def router() -> APIRouter:
    """The calls for what SMT has on record of a premise."""
    routes = portal_router()

    @call(routes, "/api/meterattributes", PortalMeterInfo, "Meter attributes")
    async def meter_attributes(asked: PortalRecordAsked, smt: ServedSmt, user: Account) -> Response:
        """Give what `/v2/meterInfo/` gives."""
        return _answered(smt, user, asked, meters_of)

    @call(routes, "/api/premise", PortalPremiseInfo, "Premise")
    async def premise(asked: PortalRecordAsked, smt: ServedSmt, user: Account) -> Response:
        """Give what `/v2/premiseInfo/` gives."""
        return _answered(smt, user, asked, lambda _registry, point: premise_of(point))

    @call(routes, "/api/handevices", PortalHanDevices, "HAN devices")
    async def han_devices(asked: PortalRecordAsked, smt: ServedSmt, user: Account) -> Response:
        """Give what `/v2/hanDevices/` gives."""
        return _answered(smt, user, asked, devices_of)

    return routes


def _answered(
    smt: Smt, user: User, asked: PortalRecordAsked, tell: Callable[[Registry, ServicePoint], Any]
) -> Response:
    try:
        point = point_seen(smt, user, asked.esiid)
    except BusinessError as error:
        return JSONResponse({"data": error.body()})
    return JSONResponse({"data": tell(smt.registry, point)})
