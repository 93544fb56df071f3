"""A balance desk on the manual clock before a small portal, and an agent who calls it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from meters.calendar import Seconds, epoch, to_us
from simulator.ror.accounts.book import AccountBook, Customer
from simulator.ror.accounts.written import AccountEntry, PlanSince
from simulator.ror.billing.plan import shipped_plan
from simulator.ror.client import SmtClient
from simulator.ror.desk.app import create_app
from simulator.ror.desk.calls import CallDesk, DeskLimits
from simulator.ror.desk.served import Served
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.driver import Runtime
from simulator.web.frame import served
from simulator.web.visitors import Entry, Sessions
from tests.simulator.ror.support import ACCOUNT, CALL, ESIID, Notes, Portal

PLAN = "longhorn-thousand-24"
READING_DAYS = (date(2026, 7, 16), date(2026, 8, 15), date(2026, 9, 15))


def customer(account_id: str = ACCOUNT.account_id, esiid: str = ESIID, since: date = READING_DAYS[0]) -> Customer:
    """An account with the bill and payment of ``ACCOUNT``."""
    entry = AccountEntry(
        account_id=account_id,
        customer_name=ACCOUNT.customer_name,
        esiid=esiid,
        cycle="07",
        plans=(PlanSince(plan=PLAN, since=since),),
    )
    bills = () if ACCOUNT.last_bill is None else (ACCOUNT.last_bill,)
    return Customer(entry, READING_DAYS, (shipped_plan(PLAN),), bills, ACCOUNT.payments)


@dataclass
class DeskRig:
    """The desk, its portal and an agent at the desk's API."""

    runtime: Runtime
    portal: Portal
    desk: CallDesk
    http: httpx.AsyncClient
    notes: Notes
    app: FastAPI
    #: What sessions of browsers live by, seconds since the epoch.
    wall: list[float]

    async def take(self, **asked: Any) -> str:
        """A call that is taken; its id."""
        reply = await self.http.post("/calls", json={"esiid": ESIID} | asked)
        assert reply.status_code == 202, reply.text
        return str(reply.json()["id"])

    async def to(self, instant: str) -> None:
        await self.runtime.run_until(epoch(instant))

    async def call(self, call_id: str) -> dict[str, Any]:
        told: dict[str, Any] = (await self.http.get(f"/calls/{call_id}")).json()
        return told


@asynccontextmanager
async def desk_rig(
    folder: Path,
    portal: Callable[[Callable[[], Seconds]], Portal] = Portal,
    *,
    limits: DeskLimits | None = None,
    customers: tuple[Customer, ...] | None = None,
    entry: Entry = Entry.IN,
    at: Seconds = CALL,
    password: str = "right",
) -> AsyncIterator[DeskRig]:
    runtime, notes = Runtime(Clock(ClockMode.MANUAL, to_us(at))), Notes()
    its_portal = portal(runtime.now)

    async def log_in(username: str, secret: str, peer: str) -> Entry:
        assert peer
        return entry if (username, secret) == ("desk.agent", "a:secret") else Entry.WRONG

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=its_portal.app), base_url="http://smt.test"
    ) as to_smt:
        client = SmtClient(to_smt, "lonestar.api", password, "1234567890000")
        book = AccountBook(customers if customers is not None else (customer(),))
        desk = CallDesk(runtime, client, book, notes, folder / "calls.jsonl", limits or DeskLimits())
        wall = [1e9]
        app = create_app(Served(desk, log_in, Sessions(lambda: wall[0]), 0), "A desk", served(runtime.now))
        app.listen("127.0.0.1", ["desk.test"])
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://desk.test", auth=("desk.agent", "a:secret")
        ) as http:
            yield DeskRig(runtime, its_portal, desk, http, notes, app, wall)
        await runtime.close()
