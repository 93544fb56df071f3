"""The head-end as a party: its processes, its HTTP service and its way to SMT's file site, on a runtime that it may share with others."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
from starlette.types import ASGIApp

from headend.day import posting
from headend.day.cycle import Post
from headend.http.links import HeadEndLink
from headend.network.law import TRY_TIMEOUT_US, TryDraws
from headend.ports import Driver, Journal, MeterAddress, MeterRecords
from headend.store.store import HeadEndStore
from headend.system import HeadEnd, HeadEndSettings
from headend.vee.preset import Preset
from meters.calendar import Seconds, day_of, day_start, fraction_s, iso
from meters.errors import reason
from meters.identity import Tdsp
from simulator.errors import SimulatorError
from simulator.parties import control
from simulator.parties.clock_sharing import clock_entry
from simulator.parties.wire_file import open_wire
from simulator.runtime.clock import Clock
from simulator.runtime.driver import Runtime
from simulator.runtime.serving import HttpServer
from simulator.tap.ftp import fetched, posted
from simulator.tap.http import outgoing, tapped
from simulator.tap.log import WireLog
from simulator.tap.modbus import modbus_seen
from simulator.web.frame import served

#: Wall seconds of one exchange between parties; below the runtime's barrier, so that a silent one fails alone.
EXCHANGE_S = 10.0
#: Operating days that a meter's ring holds whole.
RING_DAYS = 35
#: A posting that fails is tried again for as long as it takes: alone, a head-end outlives an SMT that is down.
POST_FOR_EVER = 10**9

T = TypeVar("T")


def meter_timeout_s(clock: Clock) -> float:
    """Wall seconds for a silent meter: what a try has in model time, but no less than a busy machine needs to answer.

    And no more than three: until then it keeps its gateway's connection to itself.
    """
    return 3.0 if not clock.rate else min(3.0, max(1.0, fraction_s(TRY_TIMEOUT_US) / clock.rate))


async def in_thread(call: Callable[[], T]) -> T:
    """Make a blocking call in the loop's executor."""
    return await asyncio.get_running_loop().run_in_executor(None, call)


class HeadEndParty:
    """A head-end with its service. Who makes it starts and stops ``server`` and ``headend``."""

    def __init__(
        self,
        runtime: Runtime,
        settings: HeadEndSettings,
        store: HeadEndStore,
        site: posting.FtpsSite,
        http: httpx.AsyncClient,
        journal: Journal,
        bound: socket.socket,
        link: HeadEndLink,
        *,
        post: Post | None = None,
        draws: TryDraws | None = None,
        host: str = "",
        wire: WireLog | None = None,
        driver: Driver | None = None,
        over: Callable[[ASGIApp], ASGIApp] | None = None,
    ) -> None:
        """bound: from ``serving.bind``. host: as it was named there. wire: has every exchange. post: uploads a file and returns when SMT has it; when its site has said so, unless given.

        driver: of its processes; the runtime unless given. over: laid over its application, below the wire.
        """
        self.runtime = runtime

        async def upload(name: str, content: bytes) -> bool:
            return await in_thread(functools.partial(posting.upload, site, name, content))

        async def download(name: str) -> bytes:
            return await in_thread(functools.partial(posting.download, site, name))

        # A site in this process notes by itself what is sent to it.
        alone = wire if post is None else None
        self.headend = HeadEnd(
            driver or runtime,
            settings,
            store,
            http,
            post or (upload if alone is None else posted(alone, site.username, upload)),
            download if alone is None else fetched(alone, site.username, download),
            journal,
            served(runtime.now),
            link,
            draws,
            None if wire is None else modbus_seen(wire),
        )
        self.headend.app.listen(bound.getsockname()[0], [host, socket.gethostname()], link.keys.control)
        app = self.headend.app if over is None else over(self.headend.app)
        self.server = HttpServer(tapped(app, wire, "TDSP", bound), bound)
        self.meters = len(store.records.addresses)

    def ready(self) -> dict[str, Any]:
        """The ready line of a head-end alone."""
        return {
            "event": "ready",
            "headend_url": self.server.url,
            "clock": clock_entry(self.runtime),
            "vee_preset": self.headend.settings.vee.name,
        }


@dataclass(frozen=True, slots=True)
class AloneSettings:
    """What a head-end alone is told. ``backfill``: operating days before now that it reads from its meters and posts."""

    company: Tdsp
    addresses: Sequence[MeterAddress]
    site: posting.FtpsSite
    database_url: str
    backfill: int = RING_DAYS
    sweep_every_h: int = 4
    seed: int = 0
    #: Wall seconds for a silent meter; by the clock's speed unless given.
    meter_timeout_s: float | None = None
    #: What its service was told to listen on.
    host: str = ""
    #: Write every exchange to this file.
    wire: Path | None = None
    #: How its VEE goes.
    vee: Preset = field(default_factory=Preset)


@contextlib.asynccontextmanager
async def head_end_alone(
    settings: AloneSettings, clock: Clock, bound: socket.socket, journal: Journal, link: HeadEndLink
) -> AsyncIterator[HeadEndParty]:
    """A head-end in a process of its own; it goes on from what its store holds.

    Raises SimulatorError if the store has days that are still to come on this clock.
    """
    async with contextlib.AsyncExitStack() as closing:
        runtime = Runtime(clock, clock.now_us(), journal=journal)
        wire = open_wire(settings.wire, runtime, closing, keys=[link.keys])
        store = HeadEndStore(settings.database_url, MeterRecords(settings.addresses))
        closing.callback(store.close)
        _not_ahead(store, runtime.now())
        closing.push_async_callback(runtime.close)
        trust = trusting(settings.site.ca_file)
        http = await closing.enter_async_context(
            httpx.AsyncClient(
                timeout=EXCHANGE_S,
                verify=trust,
                trust_env=False,
                transport=outgoing(wire, "TDSP", trust),
            )
        )
        first = day_of(runtime.now()) - timedelta(days=settings.backfill)
        party = HeadEndParty(
            runtime,
            HeadEndSettings(
                name=settings.company.name,
                duns=settings.company.duns,
                first_day=first,
                collect_from=day_start(first),
                sweep_every_h=settings.sweep_every_h,
                seed=settings.seed,
                meter_timeout_s=settings.meter_timeout_s or meter_timeout_s(clock),
                resume=True,
                catch_up_days=max(1, settings.backfill),
                posting_tries=POST_FOR_EVER,
                vee=settings.vee,
            ),
            store,
            settings.site,
            http,
            journal,
            bound,
            link,
            host=settings.host,
            wire=wire,
        )
        closing.push_async_callback(party.headend.close)
        party.headend.app.serve(control.router().routes, runtime)
        closing.push_async_callback(party.server.stop)
        await party.server.start()
        party.headend.start()
        yield party


def trusting(ca_file: Path, party: str = "headend") -> ssl.SSLContext:
    """TLS towards SMT, whose certificates come from the authority in a PEM file. Raises SimulatorError, of a party, if that cannot be read."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SimulatorError(
            f"{party}.ca_file",
            f"The authority's certificate cannot be read: {reason(error)}.",
            f"--ca {ca_file}",
            "Name the PEM file of SMT's authority; 'ami smt serve' makes one when it starts.",
        ) from None


def _not_ahead(store: HeadEndStore, now: Seconds) -> None:
    newest = store.collected.newest_day()
    if newest is not None and newest > now:
        raise SimulatorError(
            "headend.store.ahead",
            f"The store has intervals of {iso(newest)[:10]}, which on this clock is still to come ({iso(now)}).",
            "--out",
            "Give the clock that it was filled on (--date, --wall-start or --clock-of), or --fresh.",
        )
