"""A small sandbox on the manual clock, with posted days behind it, and a retailer's client that asks and follows a request to its end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from headend.day.times import DailyTimes
from meters.calendar import Seconds, day_of, epoch, seconds, to_us
from meters.device.special import special_esiid
from meters.faults.rules import FaultRule
from simulator.parties.sandbox import DeskSettings, Sandbox, SandboxSettings
from simulator.ror.client import SmtClient
from simulator.ror.errors import SmtRefused
from simulator.runtime.clock import Clock, ClockMode
from simulator.smt.doors.market.odr_wire import OdrStatus
from simulator.smt.ondemand.middle import FixedMiddle
from simulator.smt.throttle.policy import preset
from simulator.world.fault_spec import Happenings
from simulator.world.kept_days import KeptDays, kept_days
from simulator.world.market import ROR_LOGIN, Login
from simulator.world.meters import build, default_world

SEED = 3


@dataclass
class Rig:
    """A running sandbox and a retailer's client to it."""

    sandbox: Sandbox
    http: httpx.AsyncClient
    client: SmtClient

    def esiid(self, ordinal: int) -> str:
        return self.sandbox.settings.world.esiid(ordinal)

    def magic(self, number: int) -> str:
        """The magic ESI ID of that number, in a rig with the special meters."""
        return special_esiid(self.sandbox.settings.world.tdsp, number)

    def special(self, word: str) -> str:
        """The ESI ID whose note has that word."""
        return next(esiid for esiid, _, note in self.sandbox.market.notes if word in note)

    async def to(self, instant: str) -> None:
        await self.sandbox.runtime.run_until(epoch(instant))

    async def ask(
        self, esiid: str, call: str = "call-1", read_type: Any = "INTERVALS", wait_s: Seconds = seconds(600)
    ) -> OdrStatus:
        """Ask, let so much model time go by, and give what SMT says then."""
        key = await self.client.odr(esiid, call, read_type)
        await self.sandbox.runtime.run_until(self.sandbox.runtime.now() + wait_s)
        return await self.client.odr_status(key, call)

    async def refused(self, asking: Coroutine[Any, Any, object]) -> SmtRefused:
        """The refusal that asking meets."""
        try:
            await asking
        except SmtRefused as refusal:
            return refusal
        raise AssertionError("it was not refused")


class _Found(Sandbox):
    """A sandbox that finds its posted days, up to the last, where one of the same world and now has been in this run of the tests."""

    def _days_kept(self) -> KeptDays | None:
        settings, now, until = self.settings, self.runtime.now(), self.settings.world.spec.first_day
        while self._times.posted_at(until) <= now:
            until += timedelta(days=1)
        folder = os.environ.get("AMI_KEPT_DAYS")
        if folder is None or until == settings.world.spec.first_day:
            return None
        # Whatever happens by the end of today is in the name.
        of = settings.world, now + 2 * 24 * 3600, self._times, seconds(settings.sweep_every_h * 3600)
        kept = kept_days(Path(folder), *of, self.vee, settings.policy)
        return KeptDays(kept.file.with_stem(f"{kept.file.stem}-{now}"), until) if kept else None


@asynccontextmanager
async def rig(
    out: Path,
    now: str = "2026-08-12T17:40",
    *,
    policy: str = "fr-cr016-1",
    posted_days: int = 4,
    times: DailyTimes | None = None,
    login: Login = ROR_LOGIN,
    special: bool = False,
    open_links: bool = False,
    faults: Sequence[FaultRule] = (),
    desk: DeskSettings | None = None,
    wire: Path | None = None,
) -> AsyncIterator[Rig]:
    times = times or DailyTimes()
    at = epoch(now)
    posted_to = day_of(at) - timedelta(days=1)
    if at < times.posted_at(posted_to):
        posted_to -= timedelta(days=1)
    settings = SandboxSettings(
        world=build(
            default_world(day_of(at), posted_to, 12, posted_days, special), SEED, at, Happenings(tuple(faults))
        ),
        clock=Clock(ClockMode.MANUAL, to_us(at)),
        policy=preset(policy),
        middle=FixedMiddle(18, 52),
        out=out,
        times=times,
        history=True,
        open_links=open_links,
        desk=desk,
        wire=wire,
        wire_ordered=True,
    )
    async with (
        # Faults are a test's own: nobody would find what they leave.
        (Sandbox if faults else _Found)(settings) as sandbox,
        httpx.AsyncClient(base_url=sandbox.smt_server.url, timeout=30.0, trust_env=False) as http,
    ):
        serving = asyncio.get_running_loop().create_task(sandbox.runtime.serve())
        try:
            yield Rig(sandbox, http, SmtClient(http, login.username, login.password, login.duns))
            assert sandbox.faults() == []
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
