"""HTTP services of this process: one uvicorn server each, in the running loop, on a port bound beforehand."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import struct
from pathlib import Path

import httpx
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from meters.errors import reason
from simulator.errors import SimulatorError

#: Key of the ASGI extension by which an application resets its connection in place of an answer.
RESET = "ami.reset"
#: What to do about a port that cannot be had.
PORT_MEND = "Stop what uses it, or give another: --port, of a sandbox --port-base (0 takes a free one)."
#: Of a party alone, where one option is one port.
_ONE_PORT_MEND = "Stop what uses it, or give another {option} (0 takes a free one)."
#: Most octets of a request's line and headers that are waited for, after those that came first.
MOST_HEAD = 65_536
#: Wall seconds between two looks whether a server has begun, or has no more to answer.
_LOOK_S = 0.005


def bind(host: str, port: int, what: str, option: str = "") -> socket.socket:
    """Bind a listening port (0: a free one). Raises SimulatorError ``http.port_taken`` naming the port, and the option that moves it."""
    # The protocol must be named: asyncio switches Nagle's delay (40 ms a reply) off only on sockets that say they are TCP.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise port_taken(host, port, what, error, option) from None
    return bound


def url_of(bound: socket.socket, tls: bool = False) -> str:
    """Where a service on a bound port is reached."""
    host, port = bound.getsockname()[:2]
    return f"{'https' if tls else 'http'}://{host}:{port}"


def port_taken(host: str, port: int, what: str, error: OSError, option: str = "") -> SimulatorError:
    """The message for a port that cannot be had."""
    return SimulatorError(
        "http.port_taken",
        f"Port {port} cannot be opened for {what} ({reason(error)}).",
        place=f"{host}:{port}",
        mend=_ONE_PORT_MEND.format(option=option) if option else PORT_MEND,
    )


class _Quiet(uvicorn.Server):
    """uvicorn without its own signal handlers: Ctrl-C is the command's affair. It ends when it is told, not at the third tenth of a second after."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    def end(self) -> None:
        """Answer what is under way, and serve nothing more."""
        self.should_exit = True
        self._told.set()

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield

    async def main_loop(self) -> None:
        """See ``uvicorn.Server``, whose every tenth tick has the date of answers set."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See ``uvicorn.Server``."""
        for server in self.servers:
            server.close()
        for bound in sockets or ():
            bound.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                while state.connections or state.tasks:
                    await asyncio.sleep(_LOOK_S)
        for task in state.tasks:
            task.cancel()


class _BoundedHead(HttpToolsProtocol):
    """uvicorn's quick parser, which by itself would keep a head, a trailer or a chunk's extension that never ends."""

    _since, _moved = 0, False

    def on_message_begin(self) -> None:
        self._moved = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._moved = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._moved = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._moved = True
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        self._moved = False
        super().data_received(data)
        # Octets that came to nothing: no request has begun with them, no head has ended, no body has grown.
        self._since = 0 if self._moved else self._since + len(data)
        if self._since > MOST_HEAD and not self.transport.is_closing():
            self.send_400_response("The request's line and headers are too long.")


def _resettable(app: ASGIApp) -> ASGIApp:
    """Offer the application to reset the connection of a request instead of answering it."""

    async def offering(scope: Scope, receive: Receive, send: Send) -> None:
        # uvicorn's send is a method of the request's cycle, which has the transport; there is no public way to it.
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is not None:
            scope.setdefault("extensions", {})[RESET] = functools.partial(_reset, transport)
        await app(scope, receive, send)

    return offering


def _reset(transport: asyncio.Transport) -> None:
    # Lingering for no time makes the kernel send RST in place of FIN.
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class HttpServer:
    """One served application."""

    def __init__(
        self, app: ASGIApp, bound: socket.socket, *, certificate: Path | None = None, key: Path | None = None
    ) -> None:
        """bound: from ``bind``. certificate, key: serve TLS with them."""
        self.host, self.port = bound.getsockname()[:2]
        #: Where it is reached.
        self.url = url_of(bound, certificate is not None)
        self._bound = bound
        self._config = uvicorn.Config(
            _resettable(app),
            http=_BoundedHead,
            log_config=None,
            log_level="critical",
            access_log=False,
            lifespan="off",
            # Who asks is who is connected: a header that names another would let a guesser be somebody else each time.
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=3600,
            ssl_certfile=str(certificate) if certificate else None,
            ssl_keyfile=str(key) if key else None,
        )
        self._server = _Quiet(self._config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Serve, after a stop again at the same port; returns when requests are answered."""
        if self._bound.fileno() < 0:
            self._bound, self._server = bind(self.host, self.port, "the service"), _Quiet(self._config)
        self._task = asyncio.get_running_loop().create_task(self._server.serve(sockets=[self._bound]))
        while not self._server.started:
            if self._task.done():
                await self._task
                raise SimulatorError("http.not_serving", "The HTTP service ended before it began.", place=self.url)
            await asyncio.sleep(_LOOK_S)

    async def stop(self) -> None:
        """Answer what is under way and close."""
        self._server.end()
        if self._task is not None:
            await self._task
        self._bound.close()


def is_url(text: str) -> bool:
    """Whether a text is the whole of an HTTP address: scheme, host, a port that there can be."""
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        return False
    return url.scheme in ("http", "https") and bool(url.host) and (url.port is None or 0 < url.port < 65_536)


def base_url(url: str, option: str, code: str) -> str:
    """What an option says where SMT is called back, without its last slash. Raises SimulatorError."""
    if url and (not is_url(url) or "?" in url or "#" in url):
        raise SimulatorError(
            code, "Nothing can be called back at what this says.", option, "Write it as http://127.0.0.1:8600."
        )
    return url.rstrip("/")


def is_address(host: str) -> bool:
    """Whether a host can be listened on, as far as its form and a look-up of its name tell."""
    try:
        return bool(host) and bool(socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE))
    except OSError:
        return False
