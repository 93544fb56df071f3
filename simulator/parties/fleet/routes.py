"""The control API's part for meters of the same process."""

from __future__ import annotations

from functools import cache
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from headend.http.described_api import party_of
from headend.http.examples import Replies, documented
from meters.errors import MeterError
from meters.faults.kinds import KINDS
from simulator.parties.fleet.control import FleetControl
from simulator.parties.fleet.wire import NEVER, BedTold, FaultAsked, FaultList, FaultState, MeterList, MetersAsked
from simulator.smt.doors.both.bodies import BusinessErrorReply

_ServedFleet = Annotated[FleetControl, party_of(FleetControl)]
_REFUSED: Replies = {
    400: documented("The body is not as documented, or the fault cannot be.", BusinessErrorReply),
    404: documented("There is no such meter, or no such fault.", BusinessErrorReply),
}
_KINDS_TOLD = "\n".join(
    f"* `{kind.value}` ({row.layer.value}): {row.does}"
    + "".join(f" `{name}`: {one.unit}, {one.least:g} to {one.most:g}." for name, one in row.parameters.items())
    for kind, row in KINDS.items()
    if row.span not in NEVER
)


@cache
def router() -> APIRouter:
    """``GET /control/bed``, and the routes under ``/control/meters`` and ``/control/faults``."""
    routes = APIRouter(prefix="/control", tags=["Control"])

    @routes.get("/bed", summary="Where each part of the test bed is")
    async def bed(fleet: _ServedFleet) -> BedTold:
        """Tell addresses, log-ins and the ESI IDs with something special, as the test bed printed them when it was ready."""
        return fleet.bed()

    @routes.get("/meters", summary="The meters, and how each does")
    async def meters(asked: Annotated[MetersAsked, Query()], fleet: _ServedFleet) -> MeterList:
        """Tell by the truth of the emulated meters, whatever the head-end has heard: how many are ok, flaky, dead, faulty, and which."""
        return fleet.listed(asked)

    @routes.get("/faults", summary="Faults of meters that are or will be")
    async def listed(fleet: _ServedFleet) -> FaultList:
        return FaultList(faults=fleet.faults())

    @routes.post(
        "/faults",
        status_code=201,
        response_model=FaultState,
        responses=_REFUSED,
        summary="Switch a fault of a meter on",
        description=f"From now on, or from a later instant: what a meter has shown stays as it was.\n\n{_KINDS_TOLD}",
    )
    async def switch_on(asked: FaultAsked, fleet: _ServedFleet) -> FaultState | JSONResponse:
        try:
            return fleet.switch_on(asked)
        except KeyError:
            return _refuse(404, "control.faults.meter", f"There is no meter at {asked.esiid}.")
        except MeterError as error:
            return _refuse(400, error.code, f"{error.message} {error.mend}".strip())

    @routes.delete(
        "/faults/{ident}", response_model=FaultState, responses=_REFUSED, summary="Switch a fault of a meter off"
    )
    async def switch_off(ident: str, fleet: _ServedFleet) -> FaultState | JSONResponse:
        """End it now, or with the running quarter hour where it takes whole ones."""
        try:
            return fleet.switch_off(ident)
        except KeyError:
            return _refuse(404, "control.faults.unknown", f"No fault {ident[:40]} is on.")
        except MeterError as error:
            return _refuse(400, error.code, f"{error.message} {error.mend}".strip())

    return routes


def _refuse(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"errorCode": code, "errorMessage": message}, status_code=status)
