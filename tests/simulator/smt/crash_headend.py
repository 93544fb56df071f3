"""The head-end as a process that is killed: its real service, store and Modbus transport on a scaled clock, over a database that outlives it."""

from __future__ import annotations

from dataclasses import dataclass
from multiprocessing.connection import Connection

import httpx

from headend.http.links import HeadEndLink
from headend.network.law import Try
from headend.ports import MeterAddress, MeterRecords
from headend.store.store import HeadEndStore
from headend.system import HeadEnd, HeadEndSettings
from meters.calendar import Micros, day_of, day_start, to_us
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.driver import Runtime
from simulator.runtime.serving import HttpServer, bind
from simulator.web.frame import served
from tests.simulator.smt.rig import KEYS, NEIGHBOUR, PLAIN, TDSP_DUNS, Notes

#: Unit id and number of each meter behind the gateway.
METERS = {PLAIN: (1, "200000017"), NEIGHBOUR: (2, "200000018")}


@dataclass(frozen=True, slots=True)
class Start:
    """What one process is told. ``crash_at``: where it dies, empty for nowhere."""

    database_url: str
    port: int
    gateway: int
    epoch_us: Micros
    wall_start: float
    speed: float
    #: SMT's base URL.
    reply_to: str
    crash_at: str = ""
    push: bool = False


async def _nothing(*_: object) -> bytes:
    # No day ends in a play, so nothing is posted.
    raise AssertionError


def _heard(key: str, attempt: int) -> Try:
    return Try(to_us(2), to_us(1), True)


async def serve(start: Start, ready: Connection) -> None:
    """Serve until killed; tells the port when inquiries are answered."""
    clock = Clock(ClockMode.SCALED, start.epoch_us, start.speed, wall_start=start.wall_start)
    runtime = Runtime(clock, clock.now_us())
    bound = bind("127.0.0.1", start.port, "the head-end")
    today = day_of(runtime.now())
    addresses = [
        MeterAddress(esiid, number, "127.0.0.1", start.gateway, unit, 1, 0) for esiid, (unit, number) in METERS.items()
    ]
    async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
        head_end = HeadEnd(
            runtime,
            HeadEndSettings("Coastal Wires", TDSP_DUNS, today, day_start(today), meter_timeout_s=2.0, resume=True, push_to_smt=start.push),
            HeadEndStore(start.database_url, MeterRecords(addresses)),
            http,
            _nothing,
            _nothing,
            Notes(),
            served(runtime.now),
            HeadEndLink(KEYS, [start.reply_to]),
            _heard,
        )  # fmt: skip
        server = HttpServer(head_end.app, bound)
        await server.start()
        head_end.start()
        ready.send(server.port)
        await runtime.serve()
