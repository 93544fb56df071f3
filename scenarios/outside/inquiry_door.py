"""Where an SMT that is not ours inquires of the TDSP that the tester plays: each inquiry is kept whole, and accepted; what is called back for it is an action's affair."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from headend.http.foreign import document
from headend.http.links import LinkKeys, borne, same
from meters.calendar import Seconds


@dataclass(slots=True)
class Inquired:
    """An inquiry as it came. keyed: whether it bears SMT's key; said: its members, none of what is no JSON object; taken: whether an action has it."""

    at: Seconds
    keyed: bool
    said: dict[str, Any]
    taken: bool = False


@dataclass(slots=True)
class InquiryDoor:
    """The TDSP's service. It accepts whatever bears the key, and leaves it to a verdict what is wrong with it."""

    keys: LinkKeys
    now: Callable[[], Seconds]
    came: list[Inquired] = field(default_factory=list)
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self) -> Starlette:
        """The application: POST /inquiries."""
        return Starlette(routes=[Route("/inquiries", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> JSONResponse:
        try:
            said = document(await request.body())
        except ValueError:
            said = None
        keyed, said = same(borne(request), self.keys.smt), said if isinstance(said, dict) else {}
        self.came.append(Inquired(self.now(), keyed, said))
        self.moved.set()
        told = {"correlationId": str(said.get("correlationId", "")), "status": "accepted"}
        return JSONResponse(told, 202)

    async def inquired(self, esiid: str, for_s: float) -> Inquired | None:
        """The first inquiry for an ESI ID that nobody has yet; waits so many wall seconds for it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(for_s):
                while True:
                    for one in self.came:
                        if not one.taken and one.said.get("esiid") == esiid:
                            one.taken = True
                            return one
                    self.moved.clear()
                    await self.moved.wait()
        return None
