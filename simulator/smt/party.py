"""SMT as one party: its records, repository, ledger, desk, intake and logins, wired once. The doors (HTTP) work on this."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx
from sqlalchemy.exc import SQLAlchemyError

from headend.http.links import LinkKeys
from headend.ports import Driver, Journal
from meters.calendar import Micros, Seconds, micros, rounded_us, seconds, to_us
from simulator.smt.access.gatekeeper import AuthLimits, Gatekeeper, TokenLife
from simulator.smt.access.log import AccessLog
from simulator.smt.access.logins import DatabaseLogins
from simulator.smt.complaints.book import ComplaintBook
from simulator.smt.complaints.declared import Complaints, Sought
from simulator.smt.complaints.hooks import ComplaintMiddle, refusal_of
from simulator.smt.database.engine import open_database, writing
from simulator.smt.database.seat import Role, Seat
from simulator.smt.metrics import ObservedJournal, SmtMetrics
from simulator.smt.ondemand.desk import LiveDesk
from simulator.smt.ondemand.dispatch import Dispatcher
from simulator.smt.ondemand.filing import Filing
from simulator.smt.ondemand.inquiries import Inquiries
from simulator.smt.ondemand.ledger import Ledger
from simulator.smt.ondemand.lifecycle import EXPIRY_US
from simulator.smt.ondemand.middle import MiddleDraws
from simulator.smt.ondemand.non_vee import NonVee
from simulator.smt.registry.log_in import DatabaseBadLogins, LoginGuard
from simulator.smt.registry.registry import Registry
from simulator.smt.terms import Terms
from simulator.smt.throttle.admission import DatabaseAdmission
from simulator.smt.throttle.decision import Policy
from simulator.smt.usage.deliveries import Deliveries
from simulator.smt.usage.intake import Intake
from simulator.smt.usage.posting_list import PostingList
from simulator.smt.usage.site.folders import Folders
from simulator.smt.usage.store import VeeStore


@dataclass(frozen=True, slots=True)
class SmtConfig:
    """The settings of one SMT."""

    seed: int
    policy: Policy
    #: SQLAlchemy URL; SQLite needs a file.
    database_url: str
    #: Base URL of the head-end by TDSP key.
    links: Mapping[str, str] = field(default_factory=dict)
    #: Keys of each link, by TDSP key, linked or not: a worker asks for them too.
    keys: Mapping[str, LinkKeys] = field(default_factory=dict)
    #: Take call-backs without a key.
    open_links: bool = False
    #: Base URL under which head-ends reach this SMT, without a slash at its end.
    reply_to: str = ""
    #: Wall clock of token lives and log-in blocks, seconds since the epoch.
    wall: Callable[[], float] = time.time
    auth: AuthLimits = field(default_factory=AuthLimits)
    token_life: TokenLife = TokenLife.WALL
    #: After so long without an answer a request expires, microseconds of model time.
    expiry_us: Micros = EXPIRY_US
    #: For so long after a new request the portal still returns the previous completed read, seconds of model time. A default of this
    #: project: DOMAIN §4 says "some seconds".
    stale_s: Seconds = seconds(5)
    #: One process alone; or the dispatcher, or a worker, of several at one PostgreSQL database.
    role: Role = Role.ALONE
    #: The dispatcher looks through the queue so often, seconds of model time: what workers took on begins no later than that. Alone there is
    #: nothing to find but what a fault has dropped, and a database that is back; on a file it looks when it was told of one of these.
    #: Defaults of this project.
    sweep_s: float | None = None
    #: What dispatcher and workers have to have in common; None: nobody looks.
    terms: Terms | None = None

    @property
    def control_key(self) -> str:
        """The key for ``/control``: that of the first TDSP's link; empty without one."""
        return next((keys.control for keys in self.keys.values()), "")

    @property
    def sweep_every_us(self) -> Micros:
        """How often the queue is looked through, microseconds of model time."""
        return rounded_us(self.sweep_s or (60 if self.role is Role.ALONE else 5))


class Smt:
    """One SMT. ``create_app`` (doors/service.py) puts the doors on it."""

    def __init__(
        self,
        driver: Driver,
        config: SmtConfig,
        registry: Registry,
        middle: MiddleDraws,
        journal: Journal,
        http: httpx.AsyncClient,
        folders: Folders | None = None,
    ) -> None:
        """Open the database, take the seat at it, and go on with, or end, what an earlier run left under way.

        http: towards the head-ends. folders: of the file site; without them nothing is laid.
        """
        self.driver = driver
        self.config = config
        self.registry = registry
        with contextlib.ExitStack() as closing:
            self._engine = open_database(config.database_url)
            closing.callback(self._engine.dispose)
            self.seat = Seat(self._engine, config.role)
            closing.callback(self.seat.release)
            if config.terms is not None:
                # Before anything is made that would make what lies in the database its own.
                config.terms.hold(self._engine, config.role)
            self._wire(middle, journal, http, folders)
            self._closing = closing.pop_all()

    def _wire(self, middle: MiddleDraws, journal: Journal, http: httpx.AsyncClient, folders: Folders | None) -> None:
        """Make the parts, and go on with what an earlier run left."""
        driver, config, registry = self.driver, self.config, self.registry
        self.store = VeeStore(self._engine)
        shared = config.role is not Role.ALONE
        self.ledger = Ledger(self._engine, shared=shared)
        self.metrics = SmtMetrics(self.ledger, config.policy.name, lambda: driver.lag_s)
        self.access = AccessLog(self._engine, self.now_us)
        journal = ObservedJournal(journal, self.metrics.noted)
        bad, logins = (DatabaseBadLogins(self._engine), DatabaseLogins(self._engine)) if shared else (None, None)
        guard = LoginGuard(registry.users, config.wall, self.metrics.blocked, bad)
        lives_by = config.wall if config.token_life is TokenLife.WALL else driver.now
        self.gatekeeper = Gatekeeper(registry.users, lives_by, guard, config.auth, logins)
        #: What a tester has switched on.
        self.complaints = Complaints(driver.now, journal, ComplaintBook(self._engine), shared=shared)
        self.admission = admission = DatabaseAdmission(self._engine, config.policy)
        self.inquiries = Inquiries(
            driver,
            registry,
            self.ledger,
            journal,
            http,
            config.links,
            config.keys,
            open_links=config.open_links,
            reply_to=config.reply_to,
            policy=config.policy,
            here=config.role is not Role.WORKER,
            overdue=lambda entry, found, octets: self.desk.overdue(entry, found, octets),
        )
        keys = None if config.open_links else config.keys
        self.non_vee = NonVee(driver, self._engine, registry, journal, keys, taken=config.policy.push_to_smt)
        self.desk = LiveDesk(
            driver,
            registry,
            Filing(registry, self.store, self.ledger, config.seed),
            self.ledger,
            admission,
            ComplaintMiddle(middle, self.complaints, self._sought),
            self.inquiries,
            self.non_vee,
            journal,
            engine=self._engine,
            policy=config.policy,
            expiry_us=config.expiry_us,
            closed=functools.partial(refusal_of, self.complaints),
        )
        self.posting_list = PostingList(self._engine)
        self.intake = Intake(driver, self._engine, self.store, registry, journal, folders)
        self.deliveries = Deliveries(self._engine, driver, journal, folders)
        self.dispatcher: Dispatcher | None = None
        if self.inquiries.here:
            self.dispatcher = Dispatcher(
                self.desk,
                self.inquiries,
                registry,
                self.ledger,
                admission,
                self.seat,
                driver,
                journal,
                config.sweep_every_us,
            )
            self.dispatcher.recover()
            self.deliveries.recover(self.now_us())
            self.ledger.note_sweep(self.now_us())
            driver.env.process(self.dispatcher.run())

    def now_us(self) -> Micros:
        """Model time of a request that has just come in, microseconds."""
        env_us = micros(self.driver.env.now)
        # Between two steps a running clock is ahead of the environment; a manual one never is.
        return max(env_us, to_us(self.driver.now()))

    def swept_us(self) -> Micros | None:
        """When the queue was last looked through, microseconds of model time; None if it never was. Raises SQLAlchemyError."""
        if self.config.role is Role.ALONE and self.dispatcher is not None:
            return self.dispatcher.looked_us()
        return self.ledger.swept_us()

    def held_to(self) -> str | None:
        """Why this worker may not answer as its dispatcher would, if that was started after it by other terms."""
        if self.config.role is not Role.WORKER or self.config.terms is None:
            return None
        differs = self.config.terms.difference(self._engine)
        return None if differs is None else str(differs)

    def _sought(self, key: str) -> Sought:
        entry = self.ledger.entry(key)
        return Sought() if entry is None else Sought(entry.filed.username, entry.filed.duns, (entry.filed.esiid,))

    def together(self) -> contextlib.AbstractContextManager[object]:
        """What is written within is one transaction."""
        return writing(self._engine)

    def close(self) -> None:
        """Write what waits, leave the seat and let go of the database."""
        self.intake.close()
        with self._closing, contextlib.suppress(SQLAlchemyError):
            # A database that is away keeps nobody from stopping; it loses the last half second of that log.
            self.access.flush()
