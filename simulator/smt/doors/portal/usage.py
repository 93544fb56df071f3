"""Posted usage at the portal: the market API's figures in the portal's words (AC2); of an ESI ID that is not yours, none."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from headend.http.exchange import current
from headend.vee.quality import Channel
from meters.calendar import day_of
from simulator.smt.correlation import digits
from simulator.smt.doors.both.asked import dates_asked
from simulator.smt.doors.both.bodies import BusinessErrorReply
from simulator.smt.doors.both.served import ServedSmt
from simulator.smt.doors.both.usage_reads import (
    CHANNELS,
    billed_periods,
    energy_data,
    interval_rows,
    registered_reads,
    sees_any,
    stored_days,
)
from simulator.smt.doors.portal.door import Account, call, portal_router
from simulator.smt.doors.portal.wire import DailyReply, IntervalSynch, MonthlyReply, SynchReply, UsageAsked, UsageReply
from simulator.smt.errors import BusinessError
from simulator.smt.party import Smt

#: Longest range of ``intervalsynch``, days; the other calls go back as far as the history.
MOST_DAYS = 30
#: What the portal says when nothing is posted.
NO_ENERGY_DATA = "No Energy Data received from the respective TDSP"
#: Days whose rows are written before other requests get their turn.
_BATCH_DAYS = 31


def router() -> APIRouter:
    """The calls for posted usage."""
    routes = portal_router()

    @call(routes, "/api/adhoc/intervalsynch", SynchReply, "15-minute intervals, in slots")
    async def interval_synch(asked: IntervalSynch, smt: ServedSmt, user: Account) -> Response:
        """Give posted VEE intervals in 100 slots a day, consumption and, where posted, surplus generation."""
        esiid = asked.ESIID[0]
        try:
            first, last = _range_asked(smt, asked)
            if (last - first).days >= MOST_DAYS:
                raise BusinessError("RANGE", MOST_DAYS)
        except BusinessError as error:
            return JSONResponse({"data": error.body()})
        trans_id = digits("portal", user.username, esiid, asked.startDate, asked.endDate, smt.now_us())
        current().trans_id = trans_id
        stored = [day for channel in CHANNELS["A"] for day in await stored_days(smt, user, esiid, channel, first, last)]
        if not stored:
            return JSONResponse({"data": {"errorCode": "1", "errorMessage": NO_ENERGY_DATA}})
        return JSONResponse({"data": {"trans_id": trans_id, "esiid": esiid, "energyData": energy_data(stored)}})

    @call(routes, "/api/usage/interval", UsageReply | BusinessErrorReply, "15-minute intervals, one by one")
    async def usage_interval(asked: UsageAsked, smt: ServedSmt, user: Account) -> Response:
        """Give posted VEE intervals one by one."""
        first, last = _range_asked(smt, asked)
        consumed, generated = [
            await stored_days(smt, user, asked.esiid, channel, first, last) for channel in CHANNELS["A"]
        ]
        # The head-end posts zeros for a meter without generation; the portal has no mark for what there is none of.
        flag = any(one.wh.any() for one in generated)
        surplus = {one.day: one for one in generated} if flag else {}
        written = []
        for begin in range(0, len(consumed), _BATCH_DAYS):
            rows = interval_rows(consumed[begin : begin + _BATCH_DAYS], surplus)
            written.append(json.dumps(rows, separators=(",", ":"))[1:-1])
            await asyncio.sleep(0)
        content = f'{{"intervaldata":[{",".join(written)}],"generationFlag":{json.dumps(flag)}}}'
        return Response(content, media_type="application/json")

    @call(routes, "/api/usage/daily", DailyReply | BusinessErrorReply, "Daily register reads")
    async def usage_daily(asked: UsageAsked, smt: ServedSmt, user: Account) -> Response:
        """Give the consumption of each posted day, and its registers at both midnights."""
        stored = await stored_days(smt, user, asked.esiid, Channel.LOAD, *_range_asked(smt, asked))
        return JSONResponse({"dailyData": [_day(row) for row in registered_reads(stored)]})

    @call(routes, "/api/usage/monthly", MonthlyReply | BusinessErrorReply, "Monthly billing information")
    async def usage_monthly(asked: UsageAsked, smt: ServedSmt, user: Account) -> Response:
        """Give the billing periods that ended within the days asked for, consumption."""
        first, last = _range_asked(smt, asked)
        periods = []
        if sees_any(smt, user, asked.esiid, first, last):
            periods = await billed_periods(smt, user, asked.esiid, Channel.LOAD, first, last)
        return JSONResponse({"monthlyData": [_month(period.body()) for period in periods]})

    return routes


def _range_asked(smt: Smt, asked: UsageAsked | IntervalSynch) -> tuple[date, date]:
    return dates_asked(asked.startDate, asked.endDate, day_of(smt.driver.now()))


def _day(row: dict[str, str]) -> dict[str, Any]:
    """A row of the market API's ``registeredReads`` in the portal's words."""
    return {
        "date": row["readDate"],
        "reading": float(row["energyDataKwh"]),
        "startreading": row["startReading"],
        "endreading": row["endReading"],
    }


def _month(row: dict[str, str]) -> dict[str, Any]:
    """A row of the market API's ``billingData`` in the portal's words; what ends in ``kwh`` is a number, what ends in ``kva`` text."""
    return {
        "startdate": row["startDate"],
        "enddate": row["endDate"],
        "actl_kwh_usg": float(row["actualkWh"]),
        "mtrd_kwh_usg": float(row["meteredKW"]),
        "blld_kwh_usg": float(row["billedKW"]),
        "mtrd_kva_usg": row["meteredKVA"],
        "blld_kva_usg": row["billedKVA"],
        "lastupdate": row["revisionDate"],
        "errmsg": "Success",
    }
