"""SMT as a process that is killed: real HTTP on a scaled clock, over a database that outlives it. For test_crash.py, which plays the head-end."""

from __future__ import annotations

from dataclasses import dataclass
from multiprocessing.connection import Connection

import httpx

from meters.calendar import Micros
from simulator.parties import control
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.driver import Runtime
from simulator.runtime.serving import HttpServer, bind, url_of
from simulator.smt.database.seat import Role
from simulator.smt.doors.service import Smt, SmtConfig, create_app
from simulator.smt.ondemand.middle import FixedMiddle
from simulator.smt.throttle.policy import preset
from tests.simulator.smt.rig import KEYS, Notes, registry

PICKUP_S, RETURN_S = 10, 20


@dataclass(frozen=True, slots=True)
class Start:
    """What one process is told. ``crash_at``: where it dies, empty for nowhere."""

    database_url: str
    port: int
    head_end: str
    epoch_us: Micros
    wall_start: float
    speed: float
    policy: str = "fr-cr016-1"
    crash_at: str = ""
    role: Role = Role.ALONE
    reply_port: int = 0


async def serve(start: Start, ready: Connection) -> None:
    """Serve until killed; tells the port when requests are answered."""
    clock = Clock(ClockMode.SCALED, start.epoch_us, start.speed, wall_start=start.wall_start)
    runtime = Runtime(clock)
    bound = bind("127.0.0.1", start.port, "SMT")
    async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
        config = SmtConfig(
            seed=1,
            policy=preset(start.policy),
            database_url=start.database_url,
            links={"coastal": start.head_end},
            keys={"coastal": KEYS},
            role=start.role,
            reply_to=f"http://127.0.0.1:{start.reply_port}" if start.reply_port else url_of(bound),
        )
        smt = Smt(runtime, config, registry(), FixedMiddle(PICKUP_S, RETURN_S), Notes(), http)
        app = create_app(smt)
        app.serve(control.router().routes, runtime)
        server = HttpServer(app, bound)
        await server.start()
        ready.send(server.port)
        await runtime.serve()
