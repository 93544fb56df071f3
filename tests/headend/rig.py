"""A head-end with one meter on the manual clock, and the SMT that it calls back."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
from fastapi import FastAPI, Request, Response

from headend.http.links import HeadEndLink, LinkKeys, bearing
from headend.network.law import Try
from headend.ports import HeadEndError, MeterAddress, MeterRecords
from headend.store.store import HeadEndStore
from headend.system import HeadEnd, HeadEndSettings
from meters.calendar import Seconds, day_of, epoch, iso, to_us
from meters.wire.gateway import Gateway
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.driver import Runtime
from simulator.runtime.journal import RunJournal
from simulator.web.frame import served
from tests.meters.gateways import home

NOW = epoch("2026-08-12T17:40")
START, END = epoch("2026-08-12T16:00"), epoch("2026-08-12T17:30")
METER = home(1)
ESIID = METER.identity.esiid
LINK = HeadEndLink(LinkKeys.make(), ["http://smt/callbacks"])


def inquiry(key: str = "1", answer_by: Seconds = NOW + 2700, **changed: Any) -> dict[str, Any]:
    asked = {"correlationId": key, "kind": "INTERVALS", "esiid": ESIID, "start": iso(START), "end": iso(END)}
    more = {"meterAllowed": True, "answerBy": iso(answer_by), "replyTo": "http://smt/callbacks/1"}
    return asked | more | changed


def _heard(key: str, attempt: int) -> Try:
    return Try(to_us(2), to_us(1), True)


class Rig:
    """A head-end with one meter, and an SMT that takes call-backs; entered again, it is a head-end that was restarted."""

    def __init__(self, folder: Path, now: Seconds = NOW, *, push: bool = False) -> None:
        self.path = folder / "headend.sqlite"
        self.url = f"sqlite:///{self.path}"
        self.now = now
        self.journal = RunJournal()
        #: What SMT answers to call-backs, one after the other; 202 when there is no more.
        self.answers: list[int] = []
        self.called_back: list[dict[str, Any]] = []
        self.push = push
        #: What was pushed, and what SMT answers to that: 202 when there is no more, 0 breaks the connection.
        self.pushed: list[tuple[Seconds, bytes]] = []
        self.to_pushes: list[int] = []
        self.posting: HeadEndError | None = None
        #: Units behind the gateway that the records name at the ESI ID; at 1 hangs the meter, at others nothing.
        self.units = [1]
        #: Whether it goes on from what its store holds, and its first operating day.
        self.resume, self.first_day = False, day_of(now)

    async def __aenter__(self) -> Rig:
        self._closing = AsyncExitStack()
        smt = FastAPI()

        @smt.post("/callbacks/1")
        async def call_back(request: Request) -> Response:
            self.called_back.append({"at": self.runtime.now() - self.now, **await request.json()})
            return Response(status_code=self.answers.pop(0) if self.answers else 202)

        @smt.post("/callbacks/non-vee")
        async def non_vee(request: Request) -> Response:
            assert request.headers["authorization"] == f"Bearer {LINK.keys.headend}"
            self.pushed.append((self.runtime.now() - self.now, await request.body()))
            status = self.to_pushes.pop(0) if self.to_pushes else 202
            if not status:
                raise httpx.ReadError("the connection broke")
            return Response(status_code=status)

        self.runtime = Runtime(Clock(ClockMode.MANUAL, to_us(self.now)))
        gateway = Gateway({1: METER}, self.runtime.now)
        await gateway.start()
        self._closing.push_async_callback(gateway.stop)
        self._closing.push_async_callback(self.runtime.close)
        http = await self._closing.enter_async_context(httpx.AsyncClient(transport=httpx.ASGITransport(smt)))
        number = int(METER.identity.meter_number)
        addresses = [
            MeterAddress(ESIID, f"{number - 1 + one}", "127.0.0.1", gateway.port, one, 1, 0) for one in self.units
        ]
        self.store = HeadEndStore(self.url, MeterRecords(addresses))
        self.headend = HeadEnd(
            self.runtime,
            HeadEndSettings(
                "a head-end", "9990000000001", self.first_day, START, resume=self.resume, push_to_smt=self.push
            ),
            self.store,
            http,
            self._post,
            self._fetch,
            self.journal,
            served(self.runtime.now),
            LINK,
            _heard,
        )
        self._closing.push_async_callback(self.headend.close)
        transport = httpx.ASGITransport(self.headend.app)
        self.http = await self._closing.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://h", headers=bearing(LINK.keys.smt))
        )
        self.headend.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._closing.aclose()

    async def _post(self, name: str, content: bytes) -> None:
        if self.posting:
            raise self.posting

    async def _fetch(self, name: str) -> bytes:
        raise HeadEndError("headend.posting.rejected", "There is none.")

    async def ask(self, **changed: Any) -> httpx.Response:
        return await self.http.post("/inquiries", json=inquiry(**changed))

    async def wait(self, seconds: int) -> None:
        await self.runtime.run_until(self.runtime.now() + seconds)

    def became(self) -> list[str]:
        with sa.create_engine(self.url, poolclass=sa.NullPool).connect() as connection:
            return list(connection.scalars(sa.text("SELECT became FROM inquiry ORDER BY correlation_id")))
