"""A premise of steady habits, its account, and a small portal that speaks the market API, for tests of the retailer alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any, TypeVar, cast

import httpx
import numpy as np
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from headend.ondemand.gap import gap
from meters.calendar import (
    INTERVAL_S,
    Seconds,
    day_end,
    days,
    ends_within,
    epoch,
    interval_ends,
    iso,
    local,
    parse_us_date,
    seconds,
    to_us,
    us_date,
)
from simulator.ror.account import Account, LastBill, Payment
from simulator.ror.client import SmtClient
from simulator.ror.usage import UsageRecord, from_vee
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.driver import Runtime
from simulator.smt.doors.both.rd import rd_format

T = TypeVar("T")

ESIID = "10443720000000017"
CALL = epoch("2026-08-12T17:40")
PATIENCE_S = seconds(180)
ACCOUNT = Account.model_validate(
    {
        "account_id": "A-1001",
        "customer_name": "Wilhelmina Tarbush",
        "esiid": ESIID,
        "plan": "longhorn-thousand-24",
        "cycle_first": date(2026, 7, 16),
        "cycle_last": date(2026, 8, 14),
        "last_bill": LastBill(amount="131.07", billed=date(2026, 7, 17), due=date(2026, 8, 2)),
        "payments": (Payment(received=date(2026, 7, 30), amount="131.07"),),
    }
)


@cache
def wh_of(end: Seconds) -> int:
    """About 33.5 kWh a day: 246 Wh by night, 440 Wh from 10:00 to 22:00, a little different each day, more at weekends."""
    begins = local(end - INTERVAL_S)
    base = 440 if 10 <= begins.hour < 22 else 246
    return base + 6 * ((begins.day * 7) % 11 - 5) + (20 if begins.weekday() >= 5 else 0)


def vee_record(first: date, last: date) -> UsageRecord:
    ends = np.concatenate([interval_ends(day) for day in days(first, last)])
    wh = np.array([wh_of(end) for end in ends.tolist()], dtype=np.int32)
    return from_vee(ends, wh, np.zeros(len(ends), dtype=np.bool_))


@dataclass
class Portal:
    """What the portal has and how it behaves; ``app`` speaks for it."""

    now: Callable[[], Seconds]
    #: Last day with posted VEE data.
    posted: date = date(2026, 8, 11)
    #: Seconds from a request to its answer.
    takes_s: Seconds = seconds(70)
    #: What ``/odr/`` answers instead of taking the request.
    ack: dict[str, Any] | None = None
    #: Fields that override the answer of ``/odrstatus/``.
    ending: dict[str, Any] = field(default_factory=dict)
    #: Ends at which the store's intervals stop; the meter gives the rest.
    swept_to: Seconds = epoch("2026-08-12T16:00")
    #: Status polls that meet a page instead of JSON.
    bad_polls: int = 0
    #: Reads answered with 401 before the token counts again.
    dead_tokens: int = 0
    vee_error: dict[str, Any] | None = None
    seen: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    asked_at: Seconds = seconds(0)

    @property
    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/{path:path}")
        async def handle(path: str, request: Request) -> Response:
            body = await request.json()
            self.seen.append((path, body))
            if path == "v2/token/":
                if body["password"] != "right":
                    return JSONResponse({"error": "Incorrect username or password."}, 401)
                return JSONResponse({"statusCode": 200, "accessToken": "a-token", "tokenType": "Bearer"})
            if request.headers.get("authorization") != "Bearer a-token" or self.dead_tokens > 0:
                self.dead_tokens -= 1
                return JSONResponse({"message": "Invalid Token"}, 401)
            return self.answer(path, body)

        return app

    def answer(self, path: str, body: dict[str, Any]) -> Response:
        if path == "v2/15minintervalreads/":
            if self.vee_error is not None:
                return JSONResponse(self.vee_error)
            return JSONResponse({"trans_id": body["trans_id"], "esiid": ESIID, "energyData": self.rows(body)})
        if path == "v2/dailyreads/":
            read = {"startReading": "24002.915", "endReading": "24039.407", "energyDataKwh": "36.492"}
            return JSONResponse({"registeredReads": [read | {"readDate": "08/11/2026", "revisionDate": "08/12/2026"}]})
        if path in ("v2/odr/", "v2/powerstatus/"):
            self.asked_at = self.now()
            taken = {"correlationId": "482915007734", "statusCode": "0", "statusReason": "Request submitted"}
            return JSONResponse({"trans_id": body["trans_id"]} | (self.ack or taken))
        if self.bad_polls > 0:
            self.bad_polls -= 1
            return PlainTextResponse("Service Unavailable", 503)
        reply = {"trans_id": body["trans_id"], "correlationId": body["correlationId"]}
        if self.now() < self.asked_at + self.takes_s:
            odr_read = {"registeredRead": 0e0, "readDate": "08/12/2026 17:40:00"}
            return JSONResponse(reply | {"statusCode": "PEN", "statusReason": "Pending", "odrRead": odr_read})
        return JSONResponse(reply | self.fulfilled() | self.ending)

    def rows(self, body: dict[str, Any]) -> list[dict[str, str]]:
        first, last = parse_us_date(body["startDate"]), min(parse_us_date(body["endDate"]), self.posted)
        rows = []
        for day in days(first, last):
            ends = interval_ends(day)
            wh = np.array([wh_of(end) for end in ends.tolist()], dtype=np.int32)
            rd = rd_format(wh, np.zeros(len(ends), dtype=np.bool_), day)
            stamp = us_date(day + timedelta(days=1)) + " 07:41:22"
            rows.append({"DT": us_date(day), "RevTS": stamp, "RT": "C", "RD": rd})
        return rows

    def fulfilled(self) -> dict[str, Any]:
        vee_end = day_end(self.posted)
        served = gap(vee_end, self.asked_at)
        intervals = self.served(served.start, served.end)
        spans = [] if served.uncovered is None else [served.uncovered]
        return {
            "statusCode": "0",
            "statusReason": "ODR retreived successfully",
            "quality": "non-VEE",
            "gap": {"start": iso(served.start), "end": iso(served.end)},
            "intervals": intervals,
            "missing": [],
            "partial": {"from": iso(served.end), "asOf": iso(served.end + 621), "seconds": 621, "wh": 288},
            "uncovered": [{"start": iso(start), "end": iso(end)} for start, end in spans],
            "holes": [],
            "meterReads": 1,
        }

    def served(self, start: Seconds, end: Seconds) -> list[dict[str, Any]]:
        return [
            {
                "end": iso(instant),
                "wh": wh_of(instant),
                "source": "store" if instant <= self.swept_to else "meter",
                "collectedAt": iso(min(instant + 600, self.now())),
            }
            for instant in ends_within(start, end)
        ]


class Notes:
    """A journal that keeps its entries."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, str, str, str, dict[str, Any]]] = []

    def note(self, at: Seconds, party: str, kind: str, ident: str, **facts: Any) -> None:
        self.entries.append((at, party, kind, ident, facts))

    def kinds(self) -> list[str]:
        return [kind for _, _, kind, _, _ in self.entries]


def run_call(
    process: Callable[[Runtime, SmtClient, Notes], Generator[Any, Any, T]],
    portal: Callable[[Callable[[], Seconds]], Portal] = Portal,
    *,
    at: Seconds = CALL,
    hours: int = 2,
    password: str = "right",
) -> tuple[T, Portal, Notes]:
    """Run one process on the manual clock against the portal; gives its value."""

    async def run() -> tuple[T, Portal, Notes]:
        runtime = Runtime(Clock(ClockMode.MANUAL, to_us(at)))
        notes = Notes()
        its_portal = portal(runtime.now)
        transport = httpx.ASGITransport(app=its_portal.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://smt.test") as http:
            client = SmtClient(http, "lonestar.api", password, "1234567890000")
            running = runtime.env.process(process(runtime, client, notes))
            await runtime.run_until(at + hours * 3600)
            assert running.triggered
            return cast(T, running.value), its_portal, notes

    return asyncio.run(run())
