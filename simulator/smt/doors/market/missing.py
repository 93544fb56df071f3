"""What SMT lacks of a day, at the market API: a TDSP is told of its own ESI IDs, a REP of those whose REP of record it was."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from simulator.smt.doors.both.missing import MissingAsked, MissingTold, missing_told
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.doors.market.door import Sender, call, check_onboarded, market_router


def router() -> APIRouter:
    """``GET /v2/missing/``."""
    routes = market_router()

    @call(routes, "/missing/", MissingTold, "ESI IDs that are not loaded for a day", method="GET")
    async def missing(asked: Annotated[MissingAsked, Query()], smt: ServedSmt, user: Sender) -> MissingTold:
        """Tell of which of the sender's ESI IDs nothing is loaded for an operating day, by TDSP and REP of record. SMT has no such call: this is the test bed's."""
        check_onboarded(user)
        return await missing_told(smt, asked.day, user)

    return routes
