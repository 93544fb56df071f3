"""Where results of the tester's own inquiries are called back to: each is kept whole, and the first may meet an error or a cut wire."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headend.http.links import same
from headend.wire import InquiryResult
from meters.calendar import Seconds
from simulator.runtime.serving import RESET
from simulator.smt.errors import GATEWAY

#: Below SMT's base URL.
PATH = "/callbacks/inquiries/"
#: Who waits asks what time it is, and is quiet all the same.
CLOCK = "/control/clock"
#: Where a retailer asks what became of its request, and by how much each interval of another request's answer is more. Wh.
POLL, _MORE_WH = "/v2/odrstatus", 500
#: What SMT answers to a token that is not taken.
DEAD = GATEWAY["bad_token"]
#: As SMT takes.
MOST_OCTETS = 2 << 20
#: Wall seconds between two looks for a call-back of SMT's own.
_LOOK_S = 0.01
TAKEN, MALFORMED, NO_KEY, NO_SEAL, TOO_LONG, ERROR = 202, 400, 401, 403, 413, 500


@dataclass(frozen=True, slots=True)
class CalledBack:
    """One call-back. ``status``: what it was answered, None for a wire that was cut."""

    at: Seconds
    keyed: bool
    sealed: bool
    status: int | None
    body: str

    @property
    def final(self) -> bool:
        """Whether it is not to be made again."""
        return self.status is not None and self.status < ERROR


@dataclass(slots=True)
class Awaited:
    """An inquiry whose result is called back here. ``meets``: what becomes of the first call-backs, ``error`` or ``cut``."""

    seal: str
    key: str
    now: Callable[[], Seconds]
    meets: Sequence[str] = ()
    came: list[CalledBack] = field(default_factory=list)
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def answered(self) -> bool:
        """Whether a call-back was taken or refused for good."""
        return any(one.final for one in self.came)

    async def answer(self, patience_s: float) -> bool:
        """Wait so many wall seconds for a call-back that is not to be made again; whether there is one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while not self.answered:
                    await self._next()
        return self.answered

    async def quiet(self, for_s: float) -> None:
        """Wait until nothing has come for so many wall seconds, which are no more than ten times that."""
        with suppress(TimeoutError):
            async with asyncio.timeout(10 * for_s):
                while True:
                    try:
                        async with asyncio.timeout(for_s):
                            await self._next()
                    except TimeoutError:
                        return

    async def _next(self) -> None:
        self.moved.clear()
        await self.moved.wait()

    def take(self, seal: str, bearer: str, body: bytes) -> int | None:
        """Keep a call-back, and say what it is answered; None: its wire is cut."""
        met = self.meets[len(self.came)] if len(self.came) < len(self.meets) else ""
        keyed, sealed = same(bearer, self.key), same(seal, self.seal)
        status: int | None = TAKEN
        if met:
            status = None if met == "cut" else ERROR
        elif len(body) > MOST_OCTETS:
            status = TOO_LONG
        elif not keyed:
            status = NO_KEY
        elif not sealed:
            status = NO_SEAL
        elif read(body) is None:
            status = MALFORMED
        text = body[:MOST_OCTETS].decode("utf-8", "replace")
        self.came.append(CalledBack(self.now(), keyed, sealed, status, text))
        self.moved.set()
        return status


def read(body: bytes | str) -> InquiryResult | None:
    """A result as it is documented; None for anything else."""
    try:
        return InquiryResult.model_validate_json(body)
    except ValidationError:
        return None


class CallBackDoor:
    """Stands before SMT's application, and lets pass what is not for an inquiry of the tester's."""

    def __init__(self) -> None:
        """Expect nothing."""
        self._awaited: dict[str, Awaited] = {}
        #: When something was last asked of SMT but the time, and how much is being answered.
        self._asked, self._busy = time.monotonic(), 0
        #: How often anything was asked but the time.
        self.calls = 0
        #: Tokens of the market API that were borne, and those that are not taken any more.
        self._borne: set[str] = set()
        self._dead: set[str] = set()
        #: How many answers of a poll are yet to be another request's.
        self._stale = 0

    def expect(self, ident: str, awaited: Awaited) -> Awaited:
        """From now on what is called back under an id is kept here; what was expected under it before is expected still."""
        return self._awaited.setdefault(ident, awaited)

    def end_tokens(self) -> None:
        """Take no token of the market API any more that was borne until now, as though each had run out."""
        self._dead |= self._borne

    def answer_with_anothers(self) -> None:
        """Tell who polls next and would have its answer the answer to another request, once."""
        self._stale += 1

    async def begun(self, doing: asyncio.Future[Any], most_s: float) -> bool:
        """Wait until anything was asked of SMT, or something is done, for so many wall seconds at most; whether it is so."""
        began = time.monotonic()
        while not (found := doing.done() or self._asked > began) and time.monotonic() < began + most_s:
            await asyncio.wait([doing], timeout=0.01)
        return found

    async def quiet_or_over(self, doing: asyncio.Future[Any], quiet_s: float, most_s: float) -> bool:
        """Wait until something is done, or until nothing was asked of SMT for so many wall seconds; whether it is done."""
        until = time.monotonic() + most_s
        self._asked = time.monotonic()
        while not doing.done() and (now := time.monotonic()) < until:
            left = self._asked + quiet_s - now
            if left <= 0 and not self._busy:
                break
            await asyncio.wait([doing], timeout=max(left, 0.01))
        return doing.done()

    async def answered(self, asked: frozenset[str], waiting: Callable[[], Sequence[str]], most_s: float) -> None:
        """Wait until nothing is waited for any more of what was asked, so many wall seconds at most."""
        until = time.monotonic() + most_s
        while asked & set(waiting()) and time.monotonic() < until:
            await asyncio.sleep(_LOOK_S)

    def before(self, app: ASGIApp) -> ASGIApp:
        """The application behind it."""

        async def door(scope: Scope, receive: Receive, send: Send) -> None:
            ident, _, seal = str(scope.get("path", "")).removeprefix(PATH).partition("/")
            awaited = self._awaited.get(ident) if scope["type"] == "http" else None
            if awaited is None:
                await self._passed(app, scope, receive, send)
                return
            status = awaited.take(seal, _bearer(scope), await _body(receive))
            if status is None and RESET in scope.get("extensions", {}):
                scope["extensions"][RESET]()
                return
            said = {"correlationId": ident, "status": "accepted" if status == TAKEN else "refused"}
            await _reply(send, status or ERROR, said)

        return door

    async def _passed(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        counts = str(scope.get("path", "")) != CLOCK
        self._busy += counts
        self.calls += counts
        token = _bearer(scope) if scope["type"] == "http" and str(scope["path"]).startswith("/v2/") else ""
        try:
            if token in self._dead:
                await _reply(send, DEAD.status, {"error": DEAD.message})
                return
            self._borne |= {token} - {""}
            if self._stale and str(scope["path"]).rstrip("/") == POLL:
                await self._polled(app, scope, receive, send)
            else:
                await app(scope, receive, send)
        finally:
            self._busy -= counts
            if counts:
                self._asked = time.monotonic()

    async def _polled(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await app(scope, receive, keep)
        told = json.loads(b"".join(one.get("body", b"") for one in messages))
        if told.get("statusCode") != "0":
            for one in messages:
                await send(one)
            return
        self._stale -= 1
        begins = told["gap"]["start"]
        intervals = [one | {"wh": one["wh"] + _MORE_WH, "collectedAt": begins} for one in told["intervals"]]
        await _reply(send, 200, told | {"correlationId": told["correlationId"][::-1], "intervals": intervals})


async def _reply(send: Send, status: int, said: dict[str, Any]) -> None:
    content = json.dumps(said).encode()
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": content})


def _bearer(scope: Mapping[str, Any]) -> str:
    value = next((value for name, value in scope["headers"] if name == b"authorization"), b"").decode("latin-1")
    scheme, _, borne = value.partition(" ")
    return str(borne.strip()) if scheme.lower() == "bearer" else ""


async def _body(receive: Receive) -> bytes:
    """A body, and of one that is too long no more than that it is."""
    found = bytearray()
    while len(found) <= MOST_OCTETS:
        message = await receive()
        found += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body"):
            break
    return bytes(found)
