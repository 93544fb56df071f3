"""Every party in one process: gateways with their meters, the head-end, SMT with its file site, on one runtime; started and stopped together."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

import httpx
from starlette.types import ASGIApp

from headend.day import posting
from headend.day.times import DailyTimes
from headend.http.links import HeadEndLink
from headend.lse.warm import warm
from headend.network.law import NetworkLaw, SweepRule, TryDraws
from headend.ports import FAULT, HeadEndError, MeterRecords
from headend.store.store import HeadEndStore
from headend.system import HeadEndSettings
from headend.vee.preset import Preset
from meters.calendar import INTERVAL_S, Seconds, day_start, floor_interval, seconds
from meters.faults.ledger import FILES
from meters.wire.gateway import Silence
from simulator.input.vee_preset import preset_of
from simulator.parties.fleet.control import FleetControl
from simulator.parties.fleet.gateways import gateway_entry, open_gateways
from simulator.parties.fleet.meter_events import MeterEvents, http_sender
from simulator.parties.headend import EXCHANGE_S, HeadEndParty, in_thread, meter_timeout_s
from simulator.parties.keys_file import KEYS, kept_keys
from simulator.parties.made_accounts import made_accounts
from simulator.parties.ror import AGENT, RorParty, RorSettings
from simulator.parties.smt import FTPS_FOLDER, TLS_FOLDER, SmtParty, file_site_seen
from simulator.parties.wire_file import open_wire
from simulator.ror.accounts.book import AccountBook
from simulator.ror.desk.calls import DeskLimits
from simulator.runtime.clock import Clock
from simulator.runtime.driver import Runtime
from simulator.runtime.journal import RunJournal
from simulator.runtime.lifetime import Lifetime
from simulator.runtime.local_ca import LocalCa
from simulator.runtime.serving import PORT_MEND, bind, url_of
from simulator.smt.access.gatekeeper import TokenLife
from simulator.smt.doors.service import SmtConfig
from simulator.smt.ondemand.middle import MiddleDraws
from simulator.smt.throttle.decision import Policy
from simulator.smt.usage.site.file_site import FileSite
from simulator.tap.http import outgoing
from simulator.tap.log import WireLog
from simulator.tap.masked import MOST_BODY
from simulator.world.history import Progress, make_history
from simulator.world.kept_days import KeptDays, kept_days
from simulator.world.market import ROR_LOGIN, Market, build_market
from simulator.world.meters import World

#: Wall seconds between the file site's 226 and the intake's hearing of the file, at most.
INTAKE_WAIT_S = 5.0

#: Exchanges between its parties: what the model says of them is in the draws of middle tier and radio.
INSTANT = frozenset({"inquiry", "meter", "call-back"})

HOST = "127.0.0.1"
#: Where the ports lie from the base on; 0 as base takes free ones.
SMT_PORT, HEADEND_PORT, FTPS_PORT, PASSIVE_PORTS, ROR_PORT, GATEWAY_PORTS = 0, 10, 21, range(30, 50), 50, 100
#: Who can be dropped and made anew.
Rebuilt = Literal["smt", "headend"]
#: The ledger of the retailer's calls.
CALLS = "calls.jsonl"
#: Who may ask for what, for whoever plays a load.
CALLERS = "callers.csv"
SMT_DATABASE, HEADEND_DATABASE = "smt.sqlite", "headend.sqlite"
#: What a sandbox writes into its folder.
SANDBOX_FILES = (
    *(f"{database}{part}" for database in (SMT_DATABASE, HEADEND_DATABASE) for part in ("", "-wal", "-shm")),
    FTPS_FOLDER,
    TLS_FOLDER,
    KEYS,
    CALLS,
    CALLERS,
    *FILES,
)


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """What a sandbox's retailer is told."""

    #: Its accounts; made for the ESI IDs that it is of record for, unless given.
    book: AccountBook | None = None
    limits: DeskLimits = field(default_factory=DeskLimits)


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """What a sandbox is told. ``out``: folder for databases, certificates and files, cleared of an earlier run's (``folder.own``)."""

    world: World
    clock: Clock
    policy: Policy
    middle: MiddleDraws
    out: Path
    port_base: int = 0
    #: SMT's port alone, wherever the base is.
    smt_port: int | None = None
    tls: bool = False
    #: File with the keys of the links; made in ``out`` unless given.
    keys: Path | None = None
    open_links: bool = False
    sweep_every_h: int = 4
    #: How VEE goes, and when: as its TDSP's preset has it, unless given.
    vee: Preset | None = None
    times: DailyTimes | None = None
    network: NetworkLaw = field(default_factory=NetworkLaw)
    sweep_rule: SweepRule = SweepRule.YIELDS
    #: Draws of the network for a test; from its law unless given.
    draws: TryDraws | None = None
    #: Make the posted days before the clock's now on the modelled transport; else the clock begins at the world's first day.
    history: bool = False
    #: Where made days are kept for the next start, and whether what is kept there is made anew; None: nowhere.
    kept_days: Path | None = None
    fresh: bool = False
    database_url: str | None = None
    #: Journal entries kept, the latest; None: all, as a recording needs.
    journal_limit: int | None = None
    #: Wall clock of SMT's token lives and log-in blocks.
    wall: Callable[[], float] = time.time
    #: Which clock tokens live by.
    token_life: TokenLife = TokenLife.WALL
    #: Laid over the head-end's application, so that a test can have it answer as ours does not.
    over_headend: Callable[[ASGIApp], ASGIApp] | None = None
    #: Serve the first retailer's balance desk.
    desk: DeskSettings | None = None
    #: Write every exchange to this file: as they end, or by instants of the manual clock.
    wire: Path | None = None
    wire_ordered: bool = False
    #: Octets of a body that are written as they are.
    wire_body: int = MOST_BODY
    #: Address of a head-end in the place of ours, which there is none of then; and whether meters tell it their events.
    headend_url: str | None = None
    tell_events: bool = False
    #: Stands before SMT's application.
    before_smt: Callable[[ASGIApp], ASGIApp] | None = None

    def port(self, offset: int) -> int:
        """The port at an offset, or 0 for a free one."""
        return self.port_base + offset if self.port_base else 0


class Sandbox:
    """The running test bed. Use it as an async context manager."""

    def __init__(self, settings: SandboxSettings) -> None:
        """Nothing is opened before it is entered."""
        self.settings = settings
        self.vee = settings.vee or preset_of(settings.world.tdsp.key)
        self._times = settings.times or DailyTimes(post=self.vee.post, seed=settings.world.seed)
        self.journal = RunJournal(settings.journal_limit)
        self.runtime = Runtime(settings.clock, journal=self.journal, instant=INSTANT, whole=True)
        self.market: Market = build_market(settings.world)
        self._closing = contextlib.AsyncExitStack()
        self._arrivals: dict[str, asyncio.Future[None]] = {}
        #: What each party's processes end with.
        self._lives: dict[Rebuilt, Lifetime] = {}
        self.ror: RorParty | None = None
        self.wire: WireLog | None = None

    async def __aenter__(self) -> Sandbox:
        """Start every party; what was opened is closed again if one cannot start."""
        try:
            await self._start()
        except BaseException:
            await self._closing.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop every party, the last started first."""
        await self._closing.aclose()

    async def _start(self) -> None:
        settings, world = self.settings, self.settings.world
        out = settings.out
        self.wire = open_wire(
            settings.wire, self.runtime, self._closing, ordered=settings.wire_ordered, most_body=settings.wire_body
        )
        self.ca = LocalCa.make(out / TLS_FOLDER)
        self.keys_file = settings.keys or out / KEYS
        self.keys = kept_keys(self.keys_file)
        if self.wire is not None:
            self.wire.masker.know(astuple(self.keys))
        if settings.keys is None:
            # They are of this sandbox alone, and its folder may be handed on.
            self._closing.callback(self.keys_file.unlink, missing_ok=True)
        # Ports first: a taken one must be told before anything is made.
        smt_port = settings.smt_port if settings.smt_port is not None else settings.port(SMT_PORT)
        smt_socket = bind(HOST, smt_port, "SMT")
        self._closing.callback(smt_socket.close)
        headend_socket = None if settings.headend_url else bind(HOST, settings.port(HEADEND_PORT), "the head-end")
        if headend_socket:
            self._closing.callback(headend_socket.close)
        ror_socket = bind(HOST, settings.port(ROR_PORT), "the retailer's desk") if settings.desk else None
        if ror_socket:
            self._closing.callback(ror_socket.close)
        self.files = self._make_files(settings.port(FTPS_PORT))
        self._kept = self._days_kept()
        # Before a database is opened.
        self._begun = self._kept.lay(out) if self._kept and not settings.fresh else None
        # What is closed is what is there then: a party may have been rebuilt.
        self._closing.callback(lambda: self.files.stop())
        self.http = await self._closing.enter_async_context(self.client(EXCHANGE_S, "TDSP"))
        self.headend_url = url_of(headend_socket) if headend_socket else f"{settings.headend_url}"
        # What happened in the days before is told too: a head-end must know of an outage that lasts.
        events = MeterEvents(
            self.runtime,
            world.meters,
            http_sender(self.http, f"{self.headend_url}/events", self.keys.meters),
            self.journal,
            since=day_start(world.spec.first_day),
        )
        # Kernels are compiled, or loaded, before anybody waits for a meter or a posted file: on a busy machine that outlasts the barrier.
        now = self.runtime.now()
        world.meters[0].window(floor_interval(now) - INTERVAL_S, floor_interval(now), now)
        warm()
        silence: Silence = "exception" if settings.clock.manual else "hang"
        self._fleet = FleetControl(self.runtime, world.gateways, world.special, events.touched, self.ready)
        self.gateways = await open_gateways(
            world.gateways,
            self.runtime.now,
            HOST,
            [settings.port(GATEWAY_PORTS + index) for index in range(len(world.gateways))],
            silence,
            events.touched,
            self._closing,
            PORT_MEND,
            # Ours notes what it asks of a meter; of another one the meters' end of the line alone tells.
            self.wire if settings.headend_url else None,
        )
        self._closing.push_async_callback(self.runtime.close)

        self._make_smt(smt_socket)
        self._closing.callback(lambda: self.smt.close())
        self.headend_store = self._open_store()
        self._closing.callback(lambda: self.headend_store.close())
        self._first_day = await self._history()
        if headend_socket:
            self._make_headend(headend_socket)
            self._closing.push_async_callback(lambda: self.headend.close())
            self._closing.push_async_callback(lambda: self.headend_server.stop())
            await self.headend_server.start()
        self._closing.push_async_callback(lambda: self._smt_party.stop())
        await self._smt_party.start()
        if headend_socket:
            self.headend.start()
        if headend_socket or settings.tell_events:
            self.runtime.env.process(events.run())
        if settings.desk and ror_socket:
            self.ror = self._make_ror(settings.desk, ror_socket)
            self._closing.push_async_callback(self.ror.stop)
            await self.ror.start()

    async def drop(self, party: Rebuilt) -> int:
        """Let a party end as a kill would end it: its service closes, its processes go no further. Gives the requests, or inquiries, that it leaves open."""
        if party == "smt":
            left = sum(self.smt.ledger.open_counts().values())
            await self._smt_party.stop()
            self._lives[party].end()
            self.smt.close()
        else:
            left = self.headend_store.inquiries.count_open()
            await self.headend_server.stop()
            self._lives[party].end()
            await self.headend.close()
        return left

    async def rebuild(self, party: Rebuilt) -> None:
        """Make a party that was dropped anew, over its database and at its address; it goes on with what it finds there."""
        if party == "smt":
            self.files = self._make_files(self.files.port)
            self._make_smt(bind(HOST, self.smt_server.port, "SMT"))
            await self._smt_party.start()
        else:
            self.headend_store = self._open_store()
            self._make_headend(bind(HOST, self.headend_server.port, "the head-end"), resume=True)
            await self.headend_server.start()
            self.headend.start()

    def client(
        self, timeout_s: float, party: str, base_url: str = "", before: Sequence[Callable[[httpx.Request], Any]] = ()
    ) -> httpx.AsyncClient:
        """A client of a party here, which trusts the sandbox's authority. before: what is awaited before each request."""
        trust = self.ca.client_context()
        return httpx.AsyncClient(
            base_url=base_url,
            timeout=timeout_s,
            verify=trust,
            trust_env=False,
            transport=outgoing(self.wire, party, trust),
            event_hooks={"request": list(before)},
        )

    def _make_ror(self, desk: DeskSettings, bound: socket.socket) -> RorParty:
        """The first retailer, which knows of SMT its address, its authority and its own log-in."""
        made = made_accounts(self.market.registry, ROR_LOGIN.duns, self.runtime.now())
        settings = RorSettings(
            smt_url=self.smt_server.url,
            login=ROR_LOGIN,
            book=made if desk.book is None else desk.book,
            ledger=self.settings.out / CALLS,
            agents={AGENT.username: AGENT.password},
            trust=self.ca.client_context(),
            limits=desk.limits,
            seed=self.settings.world.seed,
        )
        return RorParty(self.runtime, settings, self.journal, bound, self.wire)

    def _make_files(self, port: int) -> FileSite:
        settings, users = self.settings, self.market.registry.users
        passive = range(settings.port_base + PASSIVE_PORTS.start, settings.port_base + PASSIVE_PORTS.stop)
        return FileSite(
            settings.out / FTPS_FOLDER,
            users,
            self.ca.server_file,
            HOST,
            port,
            passive if settings.port_base else None,
            seen=file_site_seen(self.wire, users),
        )

    def _make_smt(self, bound: socket.socket) -> None:
        settings = self.settings
        config = SmtConfig(
            seed=settings.world.seed,
            policy=settings.policy,
            database_url=settings.database_url or f"sqlite:///{settings.out / SMT_DATABASE}",
            links={settings.world.tdsp.key: self.headend_url},
            keys={settings.world.tdsp.key: self.keys},
            open_links=settings.open_links,
            wall=settings.wall,
            token_life=settings.token_life,
        )
        life = self._lives["smt"] = Lifetime(self.runtime)
        self._smt_party = SmtParty(
            self.runtime,
            config,
            self.market.registry,
            settings.middle,
            self.journal,
            self.http,
            self.files,
            self.ca,
            bound,
            tls=settings.tls,
            arrived=self._arrived,
            fleet=self._fleet,
            wire=self.wire,
            driver=life,
            before=settings.before_smt,
        )
        self.smt, self.smt_server = self._smt_party.smt, self._smt_party.server

    def _open_store(self) -> HeadEndStore:
        addresses = self.settings.world.addresses(HOST, [gateway.port for gateway in self.gateways])
        return HeadEndStore(f"sqlite:///{self.settings.out / HEADEND_DATABASE}", MeterRecords(addresses))

    async def _history(self) -> date:
        settings = self.settings
        first = settings.world.spec.first_day
        if not settings.history:
            return first
        tdsp = self.market.tdsp_login.username

        def take_in(name: str, content: bytes, at: Seconds) -> None:
            # The file lies on the file site as a posted one does (PRE1); its result codes go beside it.
            self.files.put(tdsp, name, content)
            # A database that is given may hold these days from a sandbox before.
            if not self.smt.store.has_file(name):
                self.smt.intake.take_in(tdsp, name, content, at)

        def reached(progress: Progress) -> None:
            if self._kept and progress.day == self._kept.until:
                self._kept.keep(settings.out, (HEADEND_DATABASE, SMT_DATABASE, FTPS_FOLDER), progress)

        return await make_history(
            settings.world,
            self.headend_store,
            self.runtime.now(),
            seconds(settings.sweep_every_h * 3600),
            self._times,
            take_in,
            self.vee,
            self.smt.together,
            self._begun,
            reached,
        )

    def _days_kept(self) -> KeptDays | None:
        """Where these days are kept between starts. What lies in a database that is given is not of this start alone."""
        settings = self.settings
        if settings.kept_days is None or settings.database_url or not settings.history:
            return None
        every_s = seconds(settings.sweep_every_h * 3600)
        now, times, policy = self.runtime.now(), self._times, settings.policy
        return kept_days(settings.kept_days, settings.world, now, times, every_s, self.vee, policy)

    def _make_headend(self, bound: socket.socket, *, resume: bool = False) -> None:
        settings, login = self.settings, self.market.tdsp_login
        life = self._lives["headend"] = Lifetime(self.runtime)
        self.site = posting.FtpsSite(
            HOST, self.files.port, login.username, login.password, self.ca.ca_file, timeout_s=EXCHANGE_S
        )
        party = HeadEndParty(
            self.runtime,
            HeadEndSettings(
                name=settings.world.tdsp.name,
                duns=settings.world.tdsp.duns,
                first_day=self._first_day,
                collect_from=day_start(settings.world.spec.first_day),
                sweep_every_h=settings.sweep_every_h,
                times=self._times,
                network=settings.network,
                sweep_rule=settings.sweep_rule,
                dark=settings.world.dark(),
                seed=settings.world.seed,
                meter_timeout_s=meter_timeout_s(settings.clock),
                vee=self.vee,
                push_to_smt=settings.policy.push_to_smt,
                resume=resume,
            ),
            self.headend_store,
            self.site,
            self.http,
            self.journal,
            bound,
            HeadEndLink(self.keys, [self.smt.config.reply_to], settings.open_links),
            post=self.post,
            draws=settings.draws,
            wire=self.wire,
            driver=life,
            over=settings.over_headend,
        )
        self.headend, self.headend_server = party.headend, party.server

    async def post(self, name: str, content: bytes) -> None:
        """Upload as the TDSP, and wait until SMT's intake has been told: the server's 226 comes earlier than that."""
        arrived = self._arrivals[name] = asyncio.get_running_loop().create_future()
        try:
            if not await in_thread(functools.partial(posting.upload, self.site, name, content)):
                return
            async with asyncio.timeout(INTAKE_WAIT_S):
                await arrived
        except TimeoutError:
            raise HeadEndError(
                "headend.posting.not_taken", "SMT's intake was not told of the file.", name, "It is posted again."
            ) from None
        finally:
            del self._arrivals[name]

    def _arrived(self, name: str) -> None:
        arrived = self._arrivals.get(name)
        if arrived is not None and not arrived.done():
            arrived.set_result(None)

    def faults(self) -> list[str]:
        """Faults of ours that ended a process, as the journal has them; none, one hopes."""
        return [
            f"{entry['party']} {entry['ident']}: {entry['error']}"
            for entry in self.journal.entries()
            if entry["kind"] == FAULT
        ]

    def ready(self) -> dict[str, Any]:
        """The ready line of the command contract."""
        ready = self._smt_party.ready(self.market)
        if self.ror is not None:
            ready["logins"]["desk"] = {"username": AGENT.username, "password": AGENT.password}
            ready |= {"ror_url": self.ror.server.url, "desk_url": self.ror.desk_url}
        return ready | {
            "headend_url": self.headend_url,
            "vee_preset": self.vee.name,
            "days": "made" if self._begun is None else "kept",
            "keys_file": str(self.keys_file.resolve()),
            "gateways": [gateway_entry(gateway) for gateway in self.gateways],
        }
