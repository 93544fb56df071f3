"""The doors' side of complaints: one ASGI middleware before portal and market API; without a complaint it is one look.

It answers in SMT's place, changes SMT's answer, or leaves the client without one.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headend.http.front import name_of
from headend.wire import InquiryKind
from meters.calendar import Seconds, seconds, to_us
from simulator.runtime.serving import RESET
from simulator.smt.complaints.declared import HANG_S, STALE_S, Complaint, Sought
from simulator.smt.complaints.hooks import maintenance, until_told
from simulator.smt.complaints.kinds import CHANGES, LATEST_PATH, LOGINS, REPLIES, ComplaintKind, Reply, acts_at
from simulator.smt.doors.portal.reads import latest_shown
from simulator.smt.ondemand.lifecycle import State
from simulator.smt.party import Smt

#: The longest body that is looked into; every documented one is far shorter.
_LONGEST_BODY = 1_000_000
_READ = re.compile(r'"registeredRead":[^,}]+')


class ComplaintDoor:
    """The middleware."""

    def __init__(self, app: ASGIApp, smt: Smt) -> None:
        """app: what it stands before."""
        self._app = app
        self._smt = smt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through, or do to it what the first complaint that hits it does."""
        # Polls are most of the traffic: without a complaint they pay for this look alone.
        if not self._smt.complaints or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = str(scope.get("path", "")).rstrip("/")
        likely = [
            complaint
            for complaint in self._smt.complaints.on()
            if acts_at(complaint.spec.kind, path) and _on_path(complaint, path)
        ]
        if not likely:
            await self._app(scope, receive, send)
            return
        body, receive = await _read(receive)
        asked = _object(body)
        sought = self._sought(scope, path, asked)
        for complaint in likely:
            if not complaint.hits(sought):
                continue
            if complaint.spec.kind in CHANGES:
                await self._change(complaint, path, asked, sought, scope, receive, send)
                return
            if self._smt.complaints.count(complaint):
                await self._replace(complaint, path, sought, scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _sought(self, scope: Scope, path: str, asked: dict[str, Any]) -> Sought:
        """Who calls, by token (dead or alive) or by the log-in's own words, and about which ESI IDs."""
        headers: dict[str, str] = {}
        for name, value in scope.get("headers", ()):
            # What comes twice has both.
            before = headers.get(key := name.decode("latin-1"))
            headers[key] = value.decode("latin-1") if before is None else f"{before}, {value.decode('latin-1')}"
        if path in LOGINS:
            name = asked.get("username")
            user = self._smt.registry.users.get(name) if isinstance(name, str) else None
        else:
            scheme, _, token = headers.get("authorization", "").partition(" ")
            user = self._smt.gatekeeper.named(token) if scheme.lower() == "bearer" else None
        host = name_of(headers.get("host", ""))
        return Sought(
            user.username if user else "",
            user.duns if user else "",
            self._esiids(asked),
            host,
            headers,
        )

    def _esiids(self, asked: dict[str, Any]) -> tuple[str, ...]:
        named = asked.get("ESIID", asked.get("esiid"))
        if isinstance(named, str):
            return (named,)
        if isinstance(named, list):
            return tuple(complaint for complaint in named if isinstance(complaint, str))
        key = asked.get("correlationId")
        entry = self._smt.ledger.entry(key) if isinstance(key, str) and key.isascii() else None
        return () if entry is None else (entry.filed.esiid,)

    # -- in SMT's place ------------------------------------------------------------------------------------------

    async def _replace(
        self, complaint: Complaint, path: str, sought: Sought, scope: Scope, receive: Receive, send: Send
    ) -> None:
        kind = complaint.spec.kind
        if complaint.spec.taken:
            await self._app(scope, receive, _nowhere)
        self._smt.complaints.struck(
            complaint, path=path, username=sought.username, taken=complaint.spec.taken, did=_did(kind)
        )
        if kind is ComplaintKind.SMT_MAINTENANCE:
            await self._closed(complaint, path, send)
            return
        if kind is ComplaintKind.CONNECTION_RESET:
            reset: Callable[[], None] | None = scope.get("extensions", {}).get(RESET)
            if reset is None:
                raise ConnectionResetError("this server cannot reset its connections")
            reset()
            # The server must have heard of the end before the call is over.
            await _patient(receive, 1)
            return
        if kind is ComplaintKind.HANG and not await _patient(receive, complaint.spec.seconds or HANG_S):
            return
        await _send(send, REPLIES[kind])

    async def _closed(self, complaint: Complaint, path: str, send: Send) -> None:
        """503 with the time to come back, in JSON, and in seconds of model time as ``Retry-After``."""
        code, reason = maintenance(complaint)
        until = until_told(complaint)
        refusal = {"code": code, "reason": reason, "retryAt": until.isoformat()}
        field = "error" if path.startswith("/v2") else "errormessage"
        body = json.dumps({field: reason, "refusal": refusal})
        wait = max(0, seconds(until.timestamp()) - self._smt.driver.now())
        await _send(send, Reply(503, "application/json", body), (b"retry-after", str(wait).encode()))

    # -- SMT's answer, changed -----------------------------------------------------------------------------------

    async def _change(
        self,
        complaint: Complaint,
        path: str,
        asked: dict[str, Any],
        sought: Sought,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await self._app(scope, receive, keep)
        start = next(one for one in kept if one["type"] == "http.response.start")
        text = b"".join(one.get("body", b"") for one in kept if one["type"] == "http.response.body").decode()
        changed = self._changed(complaint, path, asked, sought, text) if start["status"] == 200 else None
        if changed is None or not self._smt.complaints.count(complaint):
            for message in kept:
                await send(message)
            return
        self._smt.complaints.struck(complaint, path=path, did=_did(complaint.spec.kind))
        await _send(send, Reply(200, "application/json", changed))

    def _changed(self, complaint: Complaint, path: str, asked: dict[str, Any], sought: Sought, text: str) -> str | None:
        """The answer as the complaint has it; None where it has nothing to change."""
        body = _object(text.encode())
        if path != LATEST_PATH:
            done = body.get("statusCode") == "0" and "odrRead" in body
            return _READ.sub('"registeredRead":0E+0', text) if done else None
        latest = body.get("data")
        if not isinstance(latest, dict) or latest.get("odrstatus") is None:
            return None
        if complaint.spec.kind is ComplaintKind.ZERO_READ:
            done = latest["odrstatus"] == "COMPLETED"
            return json.dumps({"data": latest | {"odrread": "0", "odrusage": "0"}}) if done else None
        stale = self._stale(sought.username, asked.get("ESIID"), complaint.spec.seconds or STALE_S)
        if stale is None:
            return None
        return json.dumps({"data": stale | ({"odrdate": latest["odrdate"]} if complaint.spec.restamp else {})})

    def _stale(self, username: str, esiid: object, seconds: Seconds) -> dict[str, Any] | None:
        """The completed read before the newest request, if that request is not older than ``seconds``."""
        ledger = self._smt.ledger
        newest = ledger.latest(str(esiid), InquiryKind.REGISTER)
        if newest is None or self._smt.now_us() - newest.filed.submitted_us >= to_us(seconds):
            return None
        before = ledger.latest(str(esiid), InquiryKind.REGISTER, State.COMPLETED, before_us=newest.filed.submitted_us)
        return None if before is None else latest_shown(self._smt, self._smt.registry.users[username], before)


def _did(kind: ComplaintKind) -> str:
    reply = REPLIES.get(kind)
    if kind is ComplaintKind.SMT_MAINTENANCE:
        return "HTTP 503"
    return kind.value if reply is None else f"HTTP {reply.status} {reply.content_type.split(';')[0]}"


def _on_path(complaint: Complaint, path: str) -> bool:
    return (
        not complaint.spec.paths or path.startswith(complaint.spec.paths) or f"{path}/".startswith(complaint.spec.paths)
    )


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body; empty for anything else."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


async def _read(receive: Receive) -> tuple[bytes, Receive]:
    """The request's body, and a ``receive`` that gives it again."""
    messages: list[Message] = []
    size = 0
    while size < _LONGEST_BODY:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            break
    body = b"".join(one.get("body", b"") for one in messages)

    async def again() -> Message:
        return messages.pop(0) if messages else await receive()

    return body, again


async def _nowhere(_message: Message) -> None:
    """Where an answer goes that is lost."""


async def _patient(receive: Receive, seconds: float) -> bool:
    """Hold the client; False once it has gone away."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return True
    return False


async def _send(send: Send, reply: Reply, *headers: tuple[bytes, bytes]) -> None:
    body = reply.body.encode()
    lines = [(b"content-type", reply.content_type.encode()), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": lines})
    await send({"type": "http.response.body", "body": body})
