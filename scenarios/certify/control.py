"""The small endpoint of a certification: what is to be done now, ``POST /next`` when that is done, ``POST /bill`` with what a retailer tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from headend.http.foreign import document
from meters.calendar import Seconds, iso, seconds
from scenarios.outside.call_backs import CLOCK
from simulator.runtime.serving import HttpServer, bind
from simulator.tap.http import tapped
from simulator.tap.log import WireLog

#: Where a retailer tells a bill.
BILL = "/bill"
#: Octets of a bill, at most.
_MOST = 1 << 20


class Control:
    """What the endpoint serves. ``url``: where; set while it is served."""

    def __init__(self) -> None:
        """Nothing is to be done yet."""
        self.brief: dict[str, Any] = {"do": "wait"}
        self.bills: list[tuple[Seconds, dict[str, Any]]] = []
        self._clock: Callable[[], Seconds] | None = None
        self._log: WireLog | None = None
        #: The model's time, where a system asks for it that has no SMT of ours to ask.
        self.now: Callable[[], Seconds] = lambda: seconds(0)
        self.url = ""
        self._next = asyncio.Event()

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Serve it on a free port of this machine."""
        routes = [
            Route("/", self._tell),
            Route("/next", self._go_on, methods=["POST"]),
            Route(BILL, self._bill, methods=["POST"]),
            Route(CLOCK, self._time),
        ]
        app, bound = Starlette(routes=routes), bind("127.0.0.1", 0, "the certification")

        async def door(scope: Scope, receive: Receive, send: Send) -> None:
            """What is billed is an exchange of the step; what time it is, and that it goes on, is none."""
            heard: ASGIApp = tapped(app, self._log, "tester", bound) if scope.get("path") == BILL else app
            await heard(scope, receive, send)

        server = HttpServer(door, bound)
        self.url = server.url
        await server.start()
        try:
            yield
        finally:
            await server.stop()

    @contextmanager
    def hears(self, clock: Callable[[], Seconds], log: WireLog | None) -> Iterator[None]:
        """Forget earlier bills, and take those that come meanwhile with the model's time. log: where they are noted."""
        self.bills, self._clock, self._log = [], clock, log
        try:
            yield
        finally:
            self._clock, self._log = None, None

    async def done(self, brief: dict[str, Any]) -> None:
        """Say what is to be done, and wait for ``POST /next``."""
        self.brief = brief
        self._next.clear()
        try:
            await self._next.wait()
        finally:
            # The caller may have hung up before.
            self.brief = {"do": "wait"}

    async def _tell(self, _: Request) -> JSONResponse:
        return JSONResponse(self.brief)

    async def _time(self, _: Request) -> JSONResponse:
        return JSONResponse({"mode": "manual", "now": iso(self.now()), "speed": 0})

    async def _go_on(self, _: Request) -> JSONResponse:
        self._next.set()
        return JSONResponse({"status": "going on"}, 202)

    async def _bill(self, request: Request) -> JSONResponse:
        body = await request.body()
        try:
            bill = document(body) if len(body) <= _MOST else None
        except ValueError:
            bill = None
        if not isinstance(bill, dict):
            told = {"errorCode": "certify.bill", "errorMessage": "A bill is a JSON object of at most 1 MiB."}
            return JSONResponse(told, 400)
        if self._clock is not None:
            self.bills.append((self._clock(), bill))
        return JSONResponse({"status": "taken"}, 202)
