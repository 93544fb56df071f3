"""A TDSP's head-end put together: store, transport, access points, sweeps, daily cycle, the two desks, HTTP service."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import httpx
import simpy

from headend.day.cycle import POSTING_TRIES, DailyCycle, Fetch, Post
from headend.day.times import DailyTimes
from headend.http.api_pages import Frame
from headend.http.links import HeadEndLink
from headend.network.events import EventDesk
from headend.network.law import AccessPoint, LawDraws, NetworkLaw, Span, SweepRule, TryDraws, Workers
from headend.network.sweep import Collection
from headend.network.transport import ModbusTransport, Seen
from headend.ondemand.desk import OnDemandDesk
from headend.ondemand.live import LiveMeters
from headend.ondemand.push import PushDesk
from headend.ports import Driver, Journal
from headend.service.app import Served, create_app
from headend.service.health import HealthDesk, PostingWatch
from headend.service.metrics import HeadEndMetrics
from headend.store.store import HeadEndStore
from headend.vee.preset import Preset
from meters.calendar import Seconds, day_of, days, seconds, to_us

#: Between two sweeps that no meter answers, when a head-end comes up before its meters do.
UNHEARD_WAIT_US = to_us(60)


@dataclass(frozen=True, slots=True)
class HeadEndSettings:
    """What a head-end is told. ``first_day``: the first operating day it collects and posts."""

    name: str
    duns: str
    first_day: date
    #: UTC epoch seconds from which on the sweeps collect what the store lacks, a local midnight.
    collect_from: Seconds
    sweep_every_h: int = 4
    #: As its VEE has them, unless given.
    times: DailyTimes | None = None
    network: NetworkLaw = field(default_factory=NetworkLaw)
    sweep_rule: SweepRule = SweepRule.YIELDS
    #: When access points, by number, have no power: a try there is not heard from the moment that it goes out.
    dark: Mapping[int, Sequence[Span]] = field(default_factory=dict)
    seed: int = 0
    #: Wall seconds after which a silent meter is given up; on the manual clock a silent meter answers at once.
    meter_timeout_s: float = 3.0
    #: Go on from what the store holds: a sweep at once, then the days from ``first_day`` on that are not posted.
    resume: bool = False
    #: So many days back a meter that was silent is caught up, unless it is as its VEE has it.
    catch_up_days: int | None = None
    #: Tries of one posting before it is given up.
    posting_tries: int = POSTING_TRIES
    #: How its VEE goes.
    vee: Preset = field(default_factory=Preset)
    #: Send SMT what each sweep collects from the first one on; else from when SMT says with an inquiry that it takes that.
    push_to_smt: bool = False


class HeadEnd:
    """One head-end. ``start`` begins its processes; what it serves is ``app``."""

    def __init__(
        self,
        driver: Driver,
        settings: HeadEndSettings,
        store: HeadEndStore,
        http: httpx.AsyncClient,
        post: Post,
        fetch: Fetch,
        journal: Journal,
        frame: Frame,
        link: HeadEndLink,
        draws: TryDraws | None = None,
        seen: Seen | None = None,
    ) -> None:
        """http: for call-backs. frame: of its pages. post, fetch: the way to SMT's file site. draws: of the network; from its law unless given. seen: told of each request to a meter."""
        self.settings = settings
        posting = PostingWatch(journal)
        self.metrics = journal = HeadEndMetrics(posting, store.inquiries.count_open, lambda: driver.lag_s)
        self.store = store
        self._driver = driver
        self._transport = ModbusTransport(settings.meter_timeout_s, seen)
        records = store.records
        law = settings.network
        points = {
            number: AccessPoint(
                law.access_point_tps, law.slot_held_s, settings.sweep_rule, settings.dark.get(number, ())
            )
            for number in {address.access_point for address in records.addresses.values()}
        }
        esiids = sorted({meter.esiid for meter in records.addresses})
        self.events = EventDesk(driver, store.events, records, journal)
        reach = store.collected.reach(esiids, settings.collect_from)
        self.push = PushDesk(driver, store, http, journal, link, reach.intervals, asked=settings.push_to_smt)
        self.collection = Collection(
            driver,
            self._transport,
            store,
            points,
            self.events,
            journal,
            first=settings.collect_from,
            every_s=seconds(settings.sweep_every_h * 3600),
            catch_up_days=settings.catch_up_days or settings.vee.over_days,
            attempt_s=settings.vee.attempt_s,
            reach=reach,
            swept=self.push.swept,
        )
        times = settings.times or DailyTimes(post=settings.vee.post, seed=settings.seed)
        self.daily = DailyCycle(
            driver,
            store,
            esiids,
            settings.duns,
            times,
            post,
            fetch,
            journal,
            settings.posting_tries,
            settings.vee,
        )
        meters = LiveMeters(driver, self._transport, store, points, self.events, Workers(law.workers))
        self.desk = OnDemandDesk(
            driver, store, meters, draws or LawDraws(law, settings.seed), http, journal, link, self.push
        )
        self.health = HealthDesk(
            driver, store, posting, times, settings.first_day, seconds(settings.sweep_every_h * 3600), self.push
        )
        served = Served(self.desk, self.events, self.health, frozenset(esiids), self.metrics, link, store)
        self.app = create_app(served, f"{settings.name} head-end", frame)

    def start(self) -> None:
        """Begin the sweeps and the daily cycle, and go on with the inquiries, and what is not at SMT, that an earlier run left."""
        self.desk.recover()
        self.push.go_on()
        if self.settings.resume:
            self._driver.env.process(self._resume())
        else:
            self._begin(self.settings.first_day)

    def _begin(self, first: date) -> None:
        env = self._driver.env
        env.process(self.collection.run())
        env.process(self.daily.run(first))

    def _resume(self) -> Generator[simpy.Event, Any, None]:
        """Catch up, then go on; a simpy process.

        A day is not validated before any meter has been heard: it would be estimated, though its meters have it. Those that were silent
        then are asked once more.
        """
        while not (heard := (yield from self.collection.guarded_sweep())):
            yield self._driver.env.timeout(UNHEARD_WAIT_US)
        if heard < self.collection.meters:
            yield from self.collection.guarded_sweep()
        today = day_of(self._driver.now())
        posted = self.store.posted_days()
        ended = [day for day in days(self.settings.first_day, today - timedelta(days=1)) if day not in posted]
        self._begin(today)
        yield from self.daily.catch_up(ended)

    async def close(self) -> None:
        """Let go of meters and store."""
        await self._transport.close()
        self.store.close()
