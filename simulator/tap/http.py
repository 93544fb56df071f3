"""What comes in at an application of ours, and what a client of ours sends to others."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Iterable
from typing import Any

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.tap.log import Began, Wire, WireLog, encoded
from simulator.tap.masked import Body

#: Octets that a stranger's answer may have, many times what the longest of those documented has. A default of this project.
MOST_ANSWER = 16 * 2**20
#: Headers that matter.
ASKED = frozenset({b"authorization", b"content-type", b"cookie", b"origin"})
TOLD = frozenset({b"content-type", b"location", b"retry-after", b"set-cookie", b"www-authenticate"})
#: Members by which an exchange is found again, in what is asked or answered.
_IDS = re.compile(rb'"(correlationId|callReference|trans_id|ESIID|esiid|requesterType)"\s*:\s*\[?\s*"([^"\\]{1,100})"')
_WIRES = {
    "/inquiries": Wire("inquiries", "SMT", "TDSP"),
    "/callbacks": Wire("call-backs", "TDSP", "SMT"),
    "/events": Wire("events", "meters", "TDSP"),
    "/v2/": Wire("market", "ROR", "SMT"),
    "/api/": Wire("portal", "customer", "SMT"),
    "/commonapi/": Wire("portal", "customer", "SMT"),
    "/calls": Wire("desk", "agent", "ROR"),
    "/accounts": Wire("desk", "agent", "ROR"),
    "/bill": Wire("bills", "ROR", "tester"),
}
#: Who asks at the market API, by what it says that it is.
_REQUESTERS = {"CSP": "CSP", "CUST": "customer", "TDSP": "TDSP"}


def _wire_of(path: str, party: str) -> Wire:
    """The wire that a path belongs to. party: whose application has it."""
    if path.startswith("/control"):
        return Wire("control", "tester", party)
    return next((wire for start, wire in _WIRES.items() if path.startswith(start)), Wire("pages", "visitor", party))


def tapped(app: ASGIApp, log: WireLog | None, party: str, bound: socket.socket) -> ASGIApp:
    """An application whose exchanges are noted; itself without a log. bound: where it is served."""
    if log is None:
        return app
    host, port = bound.getsockname()[:2]
    log.own.add(f"{host}:{port}")
    return _Tapped(app, log, party)


def outgoing(log: WireLog | None, party: str, trust: ssl.SSLContext | bool) -> httpx.AsyncBaseTransport | None:
    """The transport of a client whose exchanges with others are noted; None, httpx's own, without a log. trust: its ``verify``."""
    return None if log is None else _Outgoing(httpx.AsyncHTTPTransport(verify=trust), log, party)


class _Tapped:
    def __init__(self, app: ASGIApp, log: WireLog, party: str) -> None:
        self._app, self._log, self._party = app, log, party

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        log, began = self._log, self._log.begin()
        asked, told, noted = Body(log.most_body), Body(log.most_body), False
        # The front spells the path anew.
        path, head = scope["raw_path"], scope["headers"]
        start: Message = {}

        def note() -> None:
            nonlocal noted
            noted = True
            reply: dict[str, Any] = {"error": "none was sent"}
            if start:
                reply = {"status": start["status"], "headers": log.masker.headers(start["headers"], TOLD)}
                if told.octets:
                    reply["body"] = told.told(log.masker)
            ask = _ask(log, scope["method"], path, scope["query_string"], head, asked)
            _note(log, _wire_of(scope["path"], self._party), began, ask, reply, asked.head, told.head)

        async def receiving() -> Message:
            message = await receive()
            asked.add(message.get("body", b""))
            return message

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                told.add(message.get("body", b""))
                if not message.get("more_body"):
                    # Before it is out: who gets it may go on, and the clock with him.
                    note()
            await send(message)

        try:
            await self._app(scope, receiving, sending)
        finally:
            if not noted:
                note()


class _Outgoing(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncHTTPTransport, log: WireLog, party: str) -> None:
        self._inner, self._log, self._party = inner, log, party

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        own = f"{request.url.host}:{request.url.port or 80}" in self._log.own
        began = self._log.begin()
        try:
            response = await self._inner.handle_async_request(request)
            if own:
                return response
            raw = await _whole(request, response)
        except httpx.HTTPError as error:
            self._tell(request, began, {"error": type(error).__name__}, b"")
            raise
        told = Body(self._log.most_body)
        told.add(raw)
        masker = self._log.masker
        reply = {"status": response.status_code, "headers": masker.headers(_small(response.headers.raw), TOLD)}
        self._tell(request, began, reply | ({"body": told.told(masker)} if raw else {}), told.head)
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=httpx.ByteStream(raw),
            extensions=response.extensions,
        )

    def _tell(self, request: httpx.Request, began: Began, reply: dict[str, Any], told: bytes) -> None:
        url, asked = request.url, Body(self._log.most_body)
        asked.add(request.content)
        ask = _ask(
            self._log, request.method, url.raw_path.partition(b"?")[0], url.query, _small(request.headers.raw), asked
        )
        wire = _wire_of(url.path, "outside")
        wire = wire if wire.target != "outside" else wire._replace(source=self._party)
        _note(self._log, wire, began, ask, reply, asked.head, told)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _whole(request: httpx.Request, response: httpx.Response) -> bytes:
    """What somebody answers, which has an end: in octets, and in the time that each part of it may take. Raises httpx.HTTPError."""
    parts, octets = [], 0
    try:
        async with asyncio.timeout(request.extensions.get("timeout", {}).get("read")):
            async for part in response.aiter_raw():
                parts.append(part)
                octets += len(part)
                if octets > MOST_ANSWER:
                    raise httpx.RemoteProtocolError(f"An answer of more than {MOST_ANSWER} octets.", request=request)
    except TimeoutError:
        raise httpx.ReadTimeout("The answer did not end.", request=request) from None
    finally:
        await response.aclose()
    return b"".join(parts)


def _small(head: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in head]


def _ask(
    log: WireLog, method: str, path: bytes, query: bytes, head: Iterable[tuple[bytes, bytes]], body: Body
) -> dict[str, Any]:
    masker = log.masker
    ask: dict[str, Any] = {"method": method, "path": masker.octets(path).decode("latin-1")}
    if query:
        ask["query"] = masker.octets(query).decode("latin-1")
    ask["headers"] = masker.headers(head, ASKED)
    if body.octets:
        ask["body"] = body.told(masker)
    return ask


def _note(
    log: WireLog, wire: Wire, began: Began, ask: dict[str, Any], reply: dict[str, Any], asked: bytes, told: bytes
) -> None:
    ids: dict[str, str] = {}
    for name, value in (*_IDS.findall(asked), *_IDS.findall(told)):
        ids.setdefault(name.decode(), value.decode("utf-8", "replace"))
    requester = ids.pop("requesterType", "")
    if "ESIID" in ids:
        ids.setdefault("esiid", ids.pop("ESIID"))
    if wire.name == "market":
        wire = wire._replace(source=_REQUESTERS.get(requester, wire.source))
    # On the other wires one asks after the other; these may be busy several times in one instant.
    stream = ids.get("correlationId", "") if wire.name in ("inquiries", "call-backs") else ""
    log.note(wire, began, f'"ids":{encoded(ids)},"ask":{encoded(ask)},"reply":{encoded(reply)}', stream)
