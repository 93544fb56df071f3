"""A retailer as a party: its balance desk, who may log in there, and its way to SMT's market API, on a runtime that it may share with others."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from headend.ports import Journal
from simulator.parties.clock_sharing import clock_entry
from simulator.parties.headend import EXCHANGE_S
from simulator.parties.wire_file import open_wire
from simulator.ror.accounts.book import AccountBook
from simulator.ror.client import SmtClient
from simulator.ror.desk.app import create_app
from simulator.ror.desk.calls import CallDesk, DeskLimits
from simulator.ror.desk.served import Served
from simulator.ror.desk.web.door import PAGES
from simulator.ror.pattern import weather_of
from simulator.runtime.clock import Clock
from simulator.runtime.driver import Runtime
from simulator.runtime.serving import HttpServer
from simulator.smt.registry.log_in import LoginFault, LoginGuard
from simulator.smt.registry.passwords import hash_password
from simulator.smt.registry.records import User, UserKind
from simulator.tap.http import outgoing, tapped
from simulator.tap.log import WireLog
from simulator.web.frame import served
from simulator.web.visitors import Entry
from simulator.world.market import Login

#: The desk's agent unless told. Invented, and printed.
AGENT = Login("desk.agent", "pecan-desk-1")
#: One thread: guesses do not take more than one core.
_CHECKING = ThreadPoolExecutor(max_workers=1, thread_name_prefix="desk-log-in")


class Agents:
    """Who may log in at a desk: looked at by the guard of every door."""

    def __init__(self, agents: Mapping[str, str], journal: Journal, runtime: Runtime) -> None:
        """agents: passwords by name."""

        def told(username: str, peer: str, wait_s: float) -> None:  # noqa: ARG001 (a peer stands in no journal)
            journal.note(runtime.now(), "ROR", "log-in blocked", username, seconds=wait_s)

        users = {name: User(name, hash_password(password), UserKind.ROR) for name, password in agents.items()}
        self._guard = LoginGuard(users, time.time, told)

    async def log_in(self, username: str, password: str, peer: str) -> Entry:
        """See ``simulator.web.visitors.LogIn``: one after the other in a thread, for a hash takes long."""
        loop = asyncio.get_running_loop()
        looked = await loop.run_in_executor(_CHECKING, self._guard.check, username, password, peer)
        if isinstance(looked, User):
            return Entry.IN
        return Entry.BLOCKED if looked is LoginFault.BLOCKED else Entry.WRONG


@dataclass(frozen=True, slots=True)
class RorSettings:
    """What a retailer is told."""

    #: The base URL of SMT, and its own log-in there.
    smt_url: str
    login: Login
    book: AccountBook
    #: JSON Lines of its calls.
    ledger: Path
    #: Passwords by name of who may log in at the desk.
    agents: Mapping[str, str]
    #: TLS towards SMT.
    trust: ssl.SSLContext
    limits: DeskLimits = field(default_factory=DeskLimits)
    #: Whose weather it knows of zones: the meters' seed; None: nobody's.
    seed: int | None = None
    #: What its service was told to listen on.
    host: str = ""
    #: Write every exchange to this file, where it is alone.
    wire: Path | None = None


class RorParty:
    """A retailer with its desk's service: ``start`` serves, ``stop`` ends that and hangs up on SMT."""

    def __init__(
        self,
        runtime: Runtime,
        settings: RorSettings,
        journal: Journal,
        bound: socket.socket,
        wire: WireLog | None = None,
    ) -> None:
        """Go on from what the ledger holds. bound: from ``serving.bind``. wire: has every exchange."""
        self.runtime = runtime
        self._http = httpx.AsyncClient(
            base_url=settings.smt_url,
            timeout=EXCHANGE_S,
            verify=settings.trust,
            trust_env=False,
            transport=outgoing(wire, "ROR", settings.trust),
        )
        login = settings.login
        client = SmtClient(self._http, login.username, login.password, login.duns)
        weather = None if settings.seed is None else functools.partial(weather_of, seed=settings.seed)
        self.desk = CallDesk(runtime, client, settings.book, journal, settings.ledger, settings.limits, weather)
        agents = Agents(settings.agents, journal, runtime)
        app = create_app(Served(self.desk, agents.log_in), "Balance desk (test bed)", served(runtime.now))
        app.listen(bound.getsockname()[0], [settings.host, socket.gethostname()])
        self.server = HttpServer(tapped(app, wire, "ROR", bound), bound)

    async def start(self) -> None:
        """Serve the desk."""
        await self.server.start()

    async def stop(self) -> None:
        """Answer what is under way at the service, and hang up."""
        await self.server.stop()
        await self._http.aclose()

    @property
    def desk_url(self) -> str:
        """Where its agents' call screen begins."""
        return f"{self.server.url}{PAGES}"

    def ready(self) -> dict[str, Any]:
        """The ready line of a retailer alone."""
        return {
            "event": "ready",
            "ror_url": self.server.url,
            "desk_url": self.desk_url,
            "accounts": len(self.desk.book),
            "lost_calls": self.desk.lost,
            "clock": clock_entry(self.runtime),
        }


@contextlib.asynccontextmanager
async def ror_alone(
    settings: RorSettings, clock: Clock, bound: socket.socket, journal: Journal
) -> AsyncIterator[RorParty]:
    """A retailer in a process of its own; it goes on from what its ledger holds. Raises a UserError if that is ahead of the clock."""
    async with contextlib.AsyncExitStack() as closing:
        runtime = Runtime(clock, clock.now_us(), journal=journal)
        closing.push_async_callback(runtime.close)
        party = RorParty(runtime, settings, journal, bound, open_wire(settings.wire, runtime, closing))
        closing.push_async_callback(party.stop)
        await party.start()
        yield party
