"""One HTTP exchange as its service sees it: where it came in, how it went, and the ids that a log follows it by.

A handler, or what it calls, adds what it knows to ``current()``; the middleware tells the whole when the reply is out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Endpoint of what no route takes, so that guessed paths do not fill a metric.
UNKNOWN = "unknown"


@dataclass(slots=True)
class Exchange:
    """One request and its reply. ``seconds``: wall time until the reply was out."""

    method: str = ""
    path: str = ""
    endpoint: str = ""
    status: int = 0
    seconds: float = 0.0
    #: In one word or code; from the HTTP status unless somebody knew better.
    outcome: str = ""
    trans_id: str = ""
    correlation_id: str = ""
    call_reference: str = ""
    #: An on-demand request was decided on, or an inquiry accepted.
    opened: bool = False
    #: What the access log has of it already.
    noted: set[tuple[str, ...]] = field(default_factory=set)

    def how(self) -> str:
        """The outcome: what was told, otherwise by the status."""
        return self.outcome or ("ok" if self.status < 400 else f"http_{self.status}")

    def facts(self) -> dict[str, Any]:
        """What a log line says of it."""
        return {
            "method": self.method,
            "endpoint": self.endpoint,
            "status": self.status,
            "outcome": self.how(),
            "ms": round(self.seconds * 1000, 2),
            "correlation_id": self.correlation_id,
            "trans_id": self.trans_id,
            "call_reference": self.call_reference,
        }


_CURRENT: ContextVar[Exchange | None] = ContextVar("http_exchange", default=None)


def current() -> Exchange:
    """The exchange under way; outside of one, one that nobody looks at."""
    return _CURRENT.get() or Exchange()


class ObserveHttp:
    """ASGI middleware. before, after: called when the reply is about to go out, and when it is out."""

    def __init__(self, app: ASGIApp, before: Callable[[Exchange], None], after: Callable[[Exchange], None]) -> None:
        """Wrap an application."""
        self._app = app
        self._before = before
        self._after = after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(scope["method"], scope["path"])
        token = _CURRENT.set(exchange)
        began = time.perf_counter()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                self._before(exchange)
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self._log(exchange, scope, began)

        try:
            await self._app(scope, receive, sending)
        except Exception:
            # What is outside of this answers it.
            exchange.status, exchange.outcome = 500, "broken"
            self._log(exchange, scope, began)
            raise
        finally:
            _CURRENT.reset(token)

    def _log(self, exchange: Exchange, scope: Scope, began: float) -> None:
        exchange.seconds = time.perf_counter() - began
        exchange.endpoint = _endpoint(scope)
        self._after(exchange)


def _endpoint(scope: Scope) -> str:
    """The path of the route that took the request, without its last slash."""
    route: Any = scope.get("route")
    path = getattr(route, "path_format", None) or getattr(route, "path", None)
    return UNKNOWN if path is None else path.rstrip("/") or "/"
