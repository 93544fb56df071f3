"""SMT as a party: its file site, its service, and the control API, on a runtime that it may share with others."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.types import ASGIApp

from headend.lse.writer import RESULT_SUFFIX
from headend.ports import Driver, Journal
from meters.calendar import Seconds, day_of
from simulator.errors import SimulatorError
from simulator.parties import control
from simulator.parties.clock_sharing import clock_entry
from simulator.parties.fleet import routes
from simulator.parties.fleet.control import FleetControl
from simulator.parties.headend import EXCHANGE_S
from simulator.parties.wire_file import open_wire
from simulator.runtime.clock import Clock
from simulator.runtime.driver import Runtime
from simulator.runtime.local_ca import LocalCa
from simulator.runtime.serving import HttpServer, url_of
from simulator.smt.access.gatekeeper import TokenLife
from simulator.smt.doors.service import Smt, SmtConfig, create_app
from simulator.smt.ondemand.middle import MiddleDraws
from simulator.smt.registry.records import User, UserKind
from simulator.smt.registry.registry import Registry
from simulator.smt.terms import ClockNumbers, Terms
from simulator.smt.usage.postings import digest_of
from simulator.smt.usage.site.file_site import FileSite
from simulator.smt.usage.site.folders import PART, Homes
from simulator.smt.usage.site.ftps import Seen
from simulator.smt.usage.site.rights import CUT, with_folder
from simulator.tap.ftp import ftp_seen
from simulator.tap.http import outgoing, tapped
from simulator.tap.log import WireLog
from simulator.world.market import Market

#: Where SMT's files lie in its folder.
FTPS_FOLDER, TLS_FOLDER = "ftps", "tls"


class SmtParty:
    """SMT with its doors: ``start`` serves, ``stop`` ends that. Who makes it closes ``smt`` and the file site."""

    def __init__(
        self,
        runtime: Runtime,
        config: SmtConfig,
        registry: Registry,
        middle: MiddleDraws,
        journal: Journal,
        http: httpx.AsyncClient,
        homes: Homes,
        ca: LocalCa,
        bound: socket.socket,
        *,
        tls: bool = False,
        arrived: Callable[[str], None] = lambda _name: None,
        host: str = "",
        wire: WireLog | None = None,
        driver: Driver | None = None,
        before: Callable[[ASGIApp], ASGIApp] | None = None,
        fleet: FleetControl | None = None,
    ) -> None:
        """Open the database and put the doors on it.

        http: towards the head-ends. homes: the file site, or the folders of one that another process serves. bound: of the HTTP service, from
        ``serving.bind``, and ``host`` as it was named there. tls: serve HTTPS there. arrived: told the name of each file that the intake has been told of.
        wire: has every exchange. driver: of its processes; the runtime unless given. before: stands before the application. fleet: meters of the same process, whose faults are set here too.
        """
        self.runtime = runtime
        self.ca = ca
        self.homes = homes
        self._site = homes if isinstance(homes, FileSite) else None
        self._arrived = arrived
        config = replace(config, reply_to=config.reply_to or url_of(bound, tls))
        self.smt = Smt(driver or runtime, config, registry, middle, journal, http, homes)
        app = create_app(self.smt)
        app.serve(control.router().routes, runtime)
        if fleet is not None:
            app.serve(routes.router().routes, fleet)
        names = [host, socket.gethostname(), urlsplit(config.reply_to).hostname or ""]
        app.listen(bound.getsockname()[0], names, config.control_key)
        served = app if before is None else before(app)
        self.server = HttpServer(tapped(served, wire, "SMT", bound), bound, certificate=ca.server_file if tls else None)

    async def start(self) -> None:
        """Serve both doors, lay what RORs are still owed, and take in what was posted while nobody looked."""
        await self.server.start()
        if self._site is None:
            return
        self._site.start(self._on_file, self.smt.intake.postings, self.smt.gatekeeper.guard)
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
            for path in sorted(self.homes.home(user.username).iterdir()):
                if path.name.endswith((RESULT_SUFFIX, PART, CUT)) or path.with_name(path.name + RESULT_SUFFIX).exists():
                    continue
                if path.is_file():
                    found.append(path)
        return found

    async def stop(self) -> None:
        """Answer what is under way and close the HTTP service and the file site, which writes to the database until then."""
        await self.server.stop()
        if self._site is not None:
            self._site.stop()

    def _on_file(self, username: str, path: Path) -> None:
        self.smt.intake.on_file(username, path)
        self._arrived(path.name)

    def ready(self, market: Market | None) -> dict[str, Any]:
        """The ready line of an SMT alone. market: with the log-ins and special ESI IDs, where the records were made here."""
        ready: dict[str, Any] = {
            "event": "ready",
            "smt_url": self.server.url,
            "ca_file": str(self.ca.ca_file.resolve()),
            "reply_to": self.smt.config.reply_to,
            "policy": self.smt.config.policy.name,
            "clock": clock_entry(self.runtime),
        }
        if self._site is not None:
            ready["ftps"] = {"host": self._site.host, "port": self._site.port, "ca_file": ready["ca_file"]}
        return ready if market is None else ready | market_entries(market)


def token_life(told: str) -> TokenLife:
    """What ``--token-life`` says. Raises SimulatorError."""
    if told not in tuple(TokenLife):
        raise SimulatorError(
            "smt.token_life", f"There is no token life '{told}'.", "--token-life", f"Choose {', '.join(TokenLife)}."
        )
    return TokenLife(told)


def market_entries(market: Market) -> dict[str, Any]:
    """Log-ins and special ESI IDs in a ready line."""
    return {
        "logins": {
            role: {"username": login.username, "password": login.password}
            | ({"duns": login.duns} if login.duns else {})
            for role, login in market.logins.items()
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
    #: What its service was told to listen on.
    host: str = ""
    #: Write every exchange to this file.
    wire: Path | None = None


@contextlib.asynccontextmanager
async def smt_alone(
    settings: AloneSettings, clock: Clock, bound: socket.socket, journal: Journal
) -> AsyncIterator[SmtParty]:
    """SMT in a process of its own; it goes on from what its database and its folders hold.

    Raises SimulatorError if the database has days that are still to come on this clock, and at a worker that its dispatcher does not match.
    """
    async with contextlib.AsyncExitStack() as closing:
        runtime = Runtime(clock, clock.epoch_us if clock.manual else clock.now_us(), journal=journal)
        wire = open_wire(settings.wire, runtime, closing, keys=settings.config.keys.values())
        ca, folder, users = LocalCa.kept(settings.out / TLS_FOLDER), settings.out / FTPS_FOLDER, settings.registry.users
        if settings.ftps_port is None:
            homes = Homes(folder, with_folder(users.values()))
        else:
            host = bound.getsockname()[0]
            seen = file_site_seen(wire, users)
            homes = site = FileSite(
                folder, users, ca.server_file, host, settings.ftps_port, settings.passive_ports, seen=seen
            )
            closing.callback(site.stop)
        closing.push_async_callback(runtime.close)
        trust = _trusting(ca)
        http = await closing.enter_async_context(
            httpx.AsyncClient(
                timeout=EXCHANGE_S,
                verify=trust,
                trust_env=False,
                transport=outgoing(wire, "SMT", trust),
            )
        )
        terms = Terms(
            settings.config.policy,
            settings.registry,
            ClockNumbers(clock.epoch_us, clock.speed, clock.wall_start),
            folder,
            settings.config.keys,
            settings.config.token_life,
        )
        config = replace(settings.config, terms=terms)
        party = SmtParty(
            runtime,
            config,
            settings.registry,
            settings.middle,
            journal,
            http,
            homes,
            ca,
            bound,
            tls=settings.tls,
            host=settings.host,
            wire=wire,
        )
        closing.callback(party.smt.close)
        _not_ahead(party.smt, runtime.now())
        closing.push_async_callback(party.stop)
        await party.start()
        yield party


def file_site_seen(wire: WireLog | None, users: Mapping[str, User]) -> Seen | None:
    """What a file site tells its commands to; None without a file for them."""

    def role_of(username: str) -> str:
        user = users.get(username)
        return "visitor" if user is None else "customer" if user.kind is UserKind.CUSTOMER else user.kind.upper()

    return None if wire is None else ftp_seen(wire, role_of, digest_of)


def _trusting(ca: LocalCa) -> ssl.SSLContext:
    """TLS towards head-ends: the local authority's, and those that the machine knows."""
    context = ca.client_context()
    context.load_default_certs()
    return context


def _not_ahead(smt: Smt, now: Seconds) -> None:
    newest = smt.store.newest_day()
    if newest is not None and newest > day_of(now):
        raise SimulatorError(
            "smt.database.ahead",
            f"The database has the operating day {newest}, and on this clock it is {day_of(now)}.",
            "--out",
            "Give the clock that it was filled on (--date, --wall-start or --clock-of), or --fresh.",
        )
