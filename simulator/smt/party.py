"""SMT as one party: its records, repository, ledger, desk, intake and logins, wired once. The doors (HTTP) work on this."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from headend.ports import Driver, Journal
from meters.calendar import US
from simulator.smt.admission import DatabaseAdmission
from simulator.smt.auth import AuthLimits, Gatekeeper
from simulator.smt.complaints import ComplaintMiddle, Complaints, Sought, refusal_of
from simulator.smt.database import open_database
from simulator.smt.deliveries import Deliveries
from simulator.smt.desk import LiveDesk
from simulator.smt.intake import Deliver, Intake
from simulator.smt.ledger import Ledger
from simulator.smt.lifecycle import EXPIRY_US
from simulator.smt.middle import MiddleDraws
from simulator.smt.registry import Registry
from simulator.smt.store import VeeStore
from simulator.smt.throttle import Policy


@dataclass(frozen=True, slots=True)
class SmtConfig:
    """The settings of one SMT."""

    seed: int
    policy: Policy
    #: SQLAlchemy URL; SQLite needs a file.
    database_url: str
    #: Base URL of the head-end by TDSP key.
    links: Mapping[str, str] = field(default_factory=dict)
    #: Wall clock of token lives and log-in blocks, seconds since the epoch.
    wall: Callable[[], float] = time.time
    auth: AuthLimits = field(default_factory=AuthLimits)
    #: After so long without an answer a request is T-FAILED, microseconds of model time.
    expiry_us: int = EXPIRY_US
    #: For so long after a new request the portal still returns the previous completed read, seconds of model time. A default of this
    #: project: DOMAIN §4 says "some seconds".
    stale_s: int = 5


class Smt:
    """One SMT. ``create_app`` (service.py) puts the doors on it."""

    def __init__(
        self,
        driver: Driver,
        config: SmtConfig,
        registry: Registry,
        middle: MiddleDraws,
        journal: Journal,
        http: httpx.AsyncClient,
        deliver: Deliver | None = None,
    ) -> None:
        """Open the database and end what an earlier run left under way.

        http: towards the head-ends. deliver: where result files go (``FileSite.put``). ``desk.reply_to``, the base URL of
        this SMT, must be set before the first request.
        """
        self.driver = driver
        self.config = config
        self.registry = registry
        self._engine = open_database(config.database_url)
        self.store = VeeStore(self._engine)
        self.ledger = Ledger(self._engine)
        self.gatekeeper = Gatekeeper(registry.users, config.wall, config.auth)
        #: What a tester has switched on.
        self.complaints = Complaints(driver.now, journal)
        self.desk = LiveDesk(
            driver,
            registry,
            self.store,
            self.ledger,
            DatabaseAdmission(self._engine, config.policy),
            ComplaintMiddle(middle, self.complaints, self._sought),
            journal,
            http,
            seed=config.seed,
            policy=config.policy,
            links=config.links,
            expiry_us=config.expiry_us,
        )
        self.desk.closed = lambda user, esiid, now: refusal_of(self.complaints, user, esiid, now)
        self.intake = Intake(driver, self.store, registry, journal, deliver)
        self.deliveries = Deliveries(self._engine, driver, journal, deliver)
        self.desk.recover(self.now_us())
        self.deliveries.recover(self.now_us())

    def now_us(self) -> int:
        """Model time of a request that has just come in, microseconds."""
        env_us = int(self.driver.env.now)
        # Between two steps a running clock is ahead of the environment; a manual one never is.
        return max(env_us, self.driver.now() * US)

    def _sought(self, key: str) -> Sought:
        entry = self.ledger.entry(key)
        return Sought() if entry is None else Sought(entry.filed.username, entry.filed.duns, (entry.filed.esiid,))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()
