"""SMT as a party: its file site, its service, and the control API, on a runtime that it may share with others."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from headend.lse.writer import RESULT_SUFFIX
from headend.ports import Journal
from meters.calendar import day_of
from simulator.errors import SimulatorError
from simulator.parties import control
from simulator.parties.clock_sharing import clock_entry
from simulator.parties.headend import EXCHANGE_S
from simulator.runtime.clock import Clock
from simulator.runtime.driver import Runtime
from simulator.runtime.local_ca import LocalCa
from simulator.runtime.serving import HttpServer
from simulator.smt.doors.service import Smt, SmtConfig, create_app
from simulator.smt.ondemand.middle import MiddleDraws
from simulator.smt.registry.records import User, UserKind
from simulator.smt.registry.registry import Registry
from simulator.smt.terms import ClockNumbers, Terms
from simulator.smt.usage.file_site import PART, FileSite, Homes
from simulator.world.market import CUSTOMER_LOGIN, ROR_LOGIN, Login, Market

#: Where SMT's files lie in its folder.
FTPS_FOLDER, TLS_FOLDER = "ftps", "tls"


class SmtParty:
    """SMT with its doors: ``open`` makes it, ``start`` serves, ``stop`` and ``close`` end both."""

    smt: Smt
    server: HttpServer

    def __init__(
        self,
        runtime: Runtime,
        journal: Journal,
        users: Mapping[str, User],
        ca: LocalCa,
        folder: Path,
        bound: socket.socket,
        *,
        ftps_port: int | None = 0,
        passive_ports: range | None = None,
        tls: bool = False,
    ) -> None:
        """Bind the file site's port, unless ``ftps_port`` is None: then the folder is another process's, which serves it.

        folder: of the homes. bound: of the HTTP service, from ``serving.bind``. tls: serve HTTPS there.
        """
        self.runtime = runtime
        self.ca = ca
        #: Told the name of each file that the intake has been told of.
        self.on_arrival: Callable[[str], None] | None = None
        self._journal = journal
        self._bound = bound
        self._tls = tls
        host = bound.getsockname()[0]
        self._homes = Homes(folder, users)
        self._site: FileSite | None = None
        if ftps_port is not None:
            self._homes = self._site = FileSite(
                folder, users, ca.server_file, self._on_file, host=host, port=ftps_port, passive_ports=passive_ports
            )

    @property
    def files(self) -> FileSite:
        """The file site of a party that serves one."""
        assert self._site is not None
        return self._site

    def open(self, config: SmtConfig, registry: Registry, middle: MiddleDraws, http: httpx.AsyncClient) -> None:
        """Open the database and put the doors on it. http: towards the head-ends."""
        self.smt = Smt(self.runtime, config, registry, middle, self._journal, http, self._homes.put)
        self.smt.deliveries.deliver = self._homes.add
        self.smt.intake.lay = self._homes.lay
        app = create_app(self.smt)
        app.include_router(control.router(self.runtime))
        self.server = HttpServer(app, self._bound, certificate=self.ca.server_file if self._tls else None)
        self.smt.inquiries.reply_to = self.server.url

    async def start(self) -> None:
        """Serve both doors, lay what RORs are still owed, and take in what was posted while nobody looked."""
        await self.server.start()
        if self._site is None:
            return
        self._site.start()
        if self.smt.inquiries.here:
            self.smt.intake.make_up()
        intake, store = self.smt.intake, self.smt.store
        for path in self._unanswered():
            take = intake.answer_late if store.has_file(path.name) else intake.on_file
            take(path.parent.name, path)

    def _unanswered(self) -> list[Path]:
        """Files of TDSPs that an earlier run was told of, and ended before it had answered them."""
        found = []
        for user in self.smt.registry.users.values():
            if user.kind is not UserKind.TDSP:
                continue
            for path in sorted(self._homes.home(user.username).iterdir()):
                if path.name.endswith((RESULT_SUFFIX, PART)) or path.with_name(path.name + RESULT_SUFFIX).exists():
                    continue
                if path.is_file():
                    found.append(path)
        return found

    async def stop(self) -> None:
        """Answer what is under way and close the HTTP service."""
        await self.server.stop()

    def close(self) -> None:
        """Close the file site."""
        if self._site is not None:
            self._site.stop()

    def _on_file(self, username: str, path: Path) -> None:
        self.smt.intake.on_file(username, path)
        if self.on_arrival is not None:
            self.on_arrival(path.name)

    def ready(self, market: Market | None) -> dict[str, Any]:
        """The ready line of an SMT alone. market: with the log-ins and special ESI IDs, where the records were made here."""
        told: dict[str, Any] = {
            "event": "ready",
            "smt_url": self.server.url,
            "ca_file": str(self.ca.ca_file.resolve()),
            "policy": self.smt.config.policy.name,
            "clock": clock_entry(self.runtime),
        }
        if self._site is not None:
            told["ftps"] = {"host": self._site.host, "port": self._site.port, "ca_file": told["ca_file"]}
        return told if market is None else told | market_entries(market)


def market_entries(market: Market) -> dict[str, Any]:
    """Log-ins and special ESI IDs in a ready line."""
    logins: dict[str, Login] = {"ror": ROR_LOGIN, "customer": CUSTOMER_LOGIN, "tdsp": market.tdsp_login}
    return {
        "logins": {
            role: {"username": login.username, "password": login.password}
            | ({"duns": login.duns} if login.duns else {})
            for role, login in logins.items()
        },
        "esiids": [{"esiid": esiid, "meter_number": number, "note": note} for esiid, number, note in market.notes],
    }


@dataclass(frozen=True, slots=True)
class AloneSettings:
    """What an SMT alone is told."""

    config: SmtConfig
    registry: Registry
    middle: MiddleDraws
    out: Path
    #: None at a worker: the folder is its dispatcher's, which serves the files.
    ftps_port: int | None = 0
    passive_ports: range | None = None
    tls: bool = False
    #: Base URL under which head-ends reach it; its own unless given. Without a slash at its end.
    reply_to: str = ""


@contextlib.asynccontextmanager
async def smt_alone(
    settings: AloneSettings, clock: Clock, bound: socket.socket, journal: Journal
) -> AsyncIterator[SmtParty]:
    """SMT in a process of its own; it goes on from what its database and its folders hold.

    Raises SimulatorError if the database has days that are still to come on this clock, and at a worker that its dispatcher does not match.
    """
    async with contextlib.AsyncExitStack() as closing:
        runtime = Runtime(clock, clock.now_us())
        party = SmtParty(
            runtime,
            journal,
            settings.registry.users,
            LocalCa.kept(settings.out / TLS_FOLDER),
            settings.out / FTPS_FOLDER,
            bound,
            ftps_port=settings.ftps_port,
            passive_ports=settings.passive_ports,
            tls=settings.tls,
        )
        closing.callback(party.close)
        closing.push_async_callback(runtime.close)
        http = await closing.enter_async_context(
            httpx.AsyncClient(timeout=EXCHANGE_S, verify=_trusting(party.ca), trust_env=False)
        )
        terms = Terms(
            settings.config.policy,
            settings.registry,
            ClockNumbers(clock.epoch_us, clock.speed, clock.wall_start),
            settings.out / FTPS_FOLDER,
        )
        party.open(replace(settings.config, terms=terms), settings.registry, settings.middle, http)
        closing.callback(party.smt.close)
        _not_ahead(party.smt, runtime.now())
        if settings.reply_to:
            party.smt.inquiries.reply_to = settings.reply_to
        closing.push_async_callback(party.stop)
        await party.start()
        yield party


def _trusting(ca: LocalCa) -> ssl.SSLContext:
    """TLS towards head-ends: the local authority's, and those that the machine knows."""
    context = ca.client_context()
    context.load_default_certs()
    return context


def _not_ahead(smt: Smt, now: int) -> None:
    newest = smt.store.newest_day()
    if newest is not None and newest > day_of(now):
        raise SimulatorError(
            "smt.database.ahead",
            f"The database has the operating day {newest}, and on this clock it is {day_of(now)}.",
            "--out",
            "Give the clock that it was filled on (--date, --wall-start or --clock-of), or --fresh.",
        )
