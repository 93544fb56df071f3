"""A TDSP's head-end put together: store, transport, access points, sweeps, daily cycle, the two desks, HTTP service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import httpx
from fastapi import FastAPI

from headend.collection import Collection
from headend.daily import DailyCycle, DailyTimes, Fetch, Post
from headend.events import EventDesk
from headend.live import LiveMeters, OnDemandDesk
from headend.metrics import HeadEndMetrics
from headend.network import AccessPoint, LawDraws, NetworkLaw, TryDraws
from headend.ports import Driver, Journal, MeterAddress
from headend.service import create_app
from headend.store import HeadEndStore
from headend.transport import ModbusTransport


@dataclass(frozen=True, slots=True)
class HeadEndSettings:
    """What a head-end is told. ``first_day``: the first operating day it collects and posts."""

    name: str
    duns: str
    first_day: date
    #: UTC epoch seconds from which on the sweeps collect.
    collect_from: int
    sweep_every_h: int = 4
    times: DailyTimes = field(default_factory=DailyTimes)
    network: NetworkLaw = field(default_factory=NetworkLaw)
    seed: int = 0
    #: Wall seconds after which a silent meter is given up; on the manual clock a silent meter answers at once.
    meter_timeout_s: float = 3.0


class HeadEnd:
    """One head-end. ``start`` begins its processes; what it serves is ``app``."""

    def __init__(
        self,
        driver: Driver,
        settings: HeadEndSettings,
        addresses: Sequence[MeterAddress],
        store: HeadEndStore,
        http: httpx.AsyncClient,
        post: Post,
        fetch: Fetch,
        journal: Journal,
        draws: TryDraws | None = None,
    ) -> None:
        """http: for call-backs. post, fetch: the way to SMT's file site. draws: of the network; from its law unless given."""
        self.settings = settings
        self.metrics = journal = HeadEndMetrics(journal)
        self.store = store
        self._driver = driver
        self._transport = ModbusTransport(settings.meter_timeout_s)
        points = {one.access_point: AccessPoint(settings.network.access_point_tps) for one in addresses}
        by_esiid = {one.esiid: one for one in addresses}
        self.events = EventDesk(driver, store.events, {one.esiid: one.meter_number for one in addresses}, journal)
        self.collection = Collection(
            driver,
            self._transport,
            store,
            addresses,
            points,
            self.events,
            journal,
            first=settings.collect_from,
            every_s=settings.sweep_every_h * 3600,
        )
        self.daily = DailyCycle(driver, store, list(by_esiid), settings.duns, settings.times, post, fetch, journal)
        meters = LiveMeters(driver, self._transport, store, by_esiid, points, self.events)
        self.desk = OnDemandDesk(
            driver, store, meters, draws or LawDraws(settings.network, settings.seed), http, journal
        )
        self.app: FastAPI = create_app(self.desk, self.events, by_esiid, f"{settings.name} head-end", self.metrics)

    def start(self) -> None:
        """Begin the sweeps and the daily cycle."""
        env = self._driver.env
        env.process(self.collection.run())
        env.process(self.daily.run(self.settings.first_day))

    async def close(self) -> None:
        """Let go of meters and store."""
        await self._transport.close()
        self.store.close()
