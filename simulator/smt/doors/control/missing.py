"""The control API's part for what SMT lacks of a day: of every TDSP and ROR."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from simulator.smt.doors.both.missing import MissingAsked, MissingTold, missing_told
from simulator.smt.doors.both.served import ServedSmt


def router() -> APIRouter:
    """``GET /control/missing``."""
    routes = APIRouter(prefix="/control", tags=["Control"])

    @routes.get("/missing", summary="ESI IDs that are not loaded for a day")
    async def missing(asked: Annotated[MissingAsked, Query()], smt: ServedSmt) -> MissingTold:
        """Tell of which ESI IDs nothing is loaded for an operating day, by TDSP and REP of record."""
        return await missing_told(smt, asked.day)

    return routes
