"""A sandbox with TLS as clients of the portal find it: noon of today, yesterday posted, the first meter the customer's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from meters.calendar import day_of, epoch, seconds, to_us
from simulator.parties.sandbox import Sandbox, SandboxSettings
from simulator.runtime.clock import Clock, ClockMode
from simulator.smt.ondemand.middle import FixedMiddle
from simulator.smt.throttle.policy import preset
from simulator.world.meters import PremiseSpec, build, default_world

SPEED = 600.0
#: The clients' own pause between polls is 15 s; here it is as much shorter as the clock is quicker.
PAUSE_S = 15 / SPEED


@asynccontextmanager
async def portal_sandbox(
    out: Path,
    wall: Callable[[], float] = time.time,
    premises: tuple[PremiseSpec, ...] = (),
    policy: str = "smt-today",
    speed: float = SPEED,
) -> AsyncIterator[Sandbox]:
    """wall: of SMT's token lives. premises: what is special about some."""
    # Clients ask for date.today() - 1 by the wall.
    noon = epoch(f"{day_of(seconds(time.time()))}T12:00")
    spec = default_world(day_of(noon), day_of(noon) - timedelta(days=1), 12, posted_days=3)
    settings = SandboxSettings(
        world=build(spec.model_copy(update={"premises": premises}), 11),
        clock=Clock(ClockMode.SCALED, to_us(noon), speed),
        policy=preset(policy),
        middle=FixedMiddle(18, 52),
        out=out,
        tls=True,
        history=True,
        wall=wall,
    )
    async with Sandbox(settings) as sandbox:
        serving = asyncio.get_running_loop().create_task(sandbox.runtime.serve())
        try:
            yield sandbox
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
