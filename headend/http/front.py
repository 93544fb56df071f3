"""What stands before every HTTP service: the name it is called by, the page that asks, the key of ``/control``, how long a body is, one spelling of paths.

A name that somebody else owns may lead a browser here (DNS rebinding): its pages would read and move what is the tester's. So a service answers to
loopback, to the address at which it is reached, and to the names that it was given, and to no other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hmac import compare_digest
from ipaddress import ip_address
from typing import NamedTuple

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Octets of a body at most, where a service has no row of its own for the path. A default of this project.
LARGEST = 64 << 10
#: Octets of a longer one that are taken and thrown away, so that who sends before he reads gets his answer; one that is longer is cut off.
DRAINED = 4 << 20
#: What a tester sets: no page of another origin calls it.
CONTROL = "/control"
_SLASHES = re.compile("/{2,}")
_PORT = re.compile(r":\d*$")


def name_of(host: str) -> str:
    """The name or address of a ``Host`` header, without its port, in small letters; an IPv6 address in its brackets."""
    return _PORT.sub("", host.lower())


class Refusal(NamedTuple):
    """Why a request went no further than here."""

    #: In one word, for a metric.
    reason: str
    status: int
    #: The part of the request at fault.
    place: str
    message: str

    @property
    def code(self) -> str:
        """As the services' own codes are written."""
        return f"http.{self.reason}"


WRONG_HOST = Refusal(
    "host",
    421,
    "Host",
    "The service is not called by this name: use its address; a party alone is called by what --host names too.",
)
FOREIGN_ORIGIN = Refusal("origin", 403, "Origin", "No page of another origin may call this.")
NO_KEY = Refusal(
    "control_key", 401, "Authorization", "Beyond loopback /control needs Authorization: Bearer and its key."
)
TOO_LARGE = Refusal("too_large", 413, "body", "It is too long: {} octets are taken here at most.")


def _plain(_path: str, refusal: Refusal) -> Response:
    return JSONResponse({"detail": refusal.message}, refusal.status)


@dataclass(frozen=True, slots=True)
class FrontRules:
    """What one service is held to."""

    #: Counts a refusal, and puts it into the shape of the API that a path belongs to; the framework's unless given.
    refuse: Callable[[str, Refusal], Response] = _plain
    #: Octets of a body at most, by the beginning of the path.
    largest: Mapping[str, int] = field(default_factory=dict)
    #: Names and addresses that it is called by, in small letters, beside loopback and the address of the connection.
    names: frozenset[str] = frozenset()
    #: Whose pages may call with cookies, beside its own.
    origins: frozenset[str] = frozenset()
    #: What ``/control`` is asked with; empty: nothing.
    control_key: str = ""


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own; a name never is, but for ``localhost``."""
    try:
        return "%" not in host and ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def is_address(host: str) -> bool:
    """Whether a host is an address, this machine's or another's, as a ``Host`` header has it; or ``localhost``."""
    try:
        return bool(ip_address(host.strip("[]"))) and (":" not in host or host.startswith("["))
    except ValueError:
        return host == "localhost"


def _bodiless(send: Send) -> Send:
    async def without_body(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return without_body


class Front:
    """The ASGI middleware, outermost."""

    def __init__(self, app: ASGIApp, rules: FrontRules) -> None:
        """app: what it stands before."""
        self._app = app
        self._rules = rules
        self._key = rules.control_key.encode()
        self._ours = lru_cache(maxsize=64)(self._is_ours)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, its path in one spelling, or refuse it unread."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            # As its GET, but for the body.
            scope, send = {**scope, "method": "GET"}, _bodiless(send)
        if "//" in scope["path"]:
            scope["path"] = _SLASHES.sub("/", scope["path"])
        head: dict[bytes, bytes] = dict(scope["headers"])
        refusal = self._stranger(scope, head)
        # Most bodies say that they are short, and cost no more than this look.
        if refusal is None and b"transfer-encoding" in head:
            await self._counted(scope, receive, send)
            return
        if refusal is None and len(head.get(b"content-length", b"")) > 4:
            refusal = await self._too_long(scope["path"], int(head[b"content-length"]), receive)
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await self._refuse(refusal, scope, receive, send)

    async def _refuse(self, refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
        response = self._rules.refuse(scope["path"], refusal)
        # What is left of the body is nobody's next request.
        response.headers["connection"] = "close"
        await response(scope, receive, send)

    def _stranger(self, scope: Scope, head: Mapping[bytes, bytes]) -> Refusal | None:
        """What is wrong with where a request comes from."""
        host = head.get(b"host", b"")
        if not self._ours(host, (scope.get("server") or ("",))[0]):
            return WRONG_HOST
        control = scope["path"].startswith(CONTROL)
        if not control and b"cookie" not in head:
            return None
        scheme, _, token = head.get(b"authorization", b"").partition(b" ")
        bearer = scheme.lower() == b"bearer" and bool(token.strip())
        if control and self._key and not (bearer and compare_digest(token.strip(), self._key)):
            return NO_KEY
        # A browser adds cookies by itself, a token never: who has one is no page that was led here.
        own = scope["scheme"].encode() + b"://" + host.lower()
        origin = head.get(b"origin", own).lower()
        known = origin == own or (not control and origin.decode("latin-1") in self._rules.origins)
        return None if bearer or known else FOREIGN_ORIGIN

    def _is_ours(self, host: bytes, reached_at: str) -> bool:
        name = name_of(host.decode("latin-1"))
        return name == reached_at or name in self._rules.names or is_loopback(name)

    def _most(self, path: str) -> tuple[int, Refusal]:
        """How long a body may be here, and what is said of one that is longer."""
        most = next((octets for start, octets in self._rules.largest.items() if path.startswith(start)), LARGEST)
        return most, TOO_LARGE._replace(message=TOO_LARGE.message.format(most))

    async def _too_long(self, path: str, declared: int, receive: Receive) -> Refusal | None:
        """Refuse a body that says that it is too long before anybody reads it."""
        most, refusal = self._most(path)
        if declared <= most:
            return None
        while declared <= DRAINED and (await receive()).get("more_body"):
            pass
        return refusal

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a body that does not say how long it is come in as it is asked for: whoever looks at a key first has nothing of it in memory.

        What reads past its limit finds the client gone, and whatever it says of that is replaced by the refusal.
        """
        most, refusal = self._most(scope["path"])
        came, over, answering = 0, False, False

        async def counting() -> Message:
            nonlocal came, over
            message = await receive()
            came += len(message.get("body", b""))
            over = over or came > most
            return {"type": "http.disconnect"} if over else message

        async def unless_refused(message: Message) -> None:
            nonlocal answering
            answering = answering or not over
            if answering:
                await send(message)

        try:
            await self._app(scope, counting, unless_refused)
        except Exception:
            # Whoever read on found the client gone.
            if not over:
                raise
        if over and not answering:
            await self._refuse(refusal, scope, receive, send)
