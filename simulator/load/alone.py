"""Plays a workload at an SMT elsewhere: on its own clock where it tells one, else at a speed of one's own, from now on."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np

from meters.calendar import micros, rounded_us
from simulator.capacity.workload.columns import Workload
from simulator.capacity.workload.draw import draw
from simulator.capacity.workload.plan import Plan
from simulator.errors import SimulatorError
from simulator.load.cast import Cast
from simulator.load.player import LoadPlayer
from simulator.parties.clock_sharing import party_clock
from simulator.parties.headend import trusting
from simulator.parties.options import ClockOptions
from simulator.ror.client import SmtClient
from simulator.ror.errors import SmtError
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.clock_options import clock_of
from simulator.runtime.driver import Runtime
from simulator.world.callers import CUSTOMER, Right, read_rights

#: Wall seconds that an SMT has for an answer.
ANSWER_S = 30.0
#: Wall seconds between two looks at how a play stands.
LOOK_S = 2.0
#: Wall seconds between the last preparation and the first request.
_LEAD_S = 0.5
#: Codes of an SMT that answers a log-in, and lets nobody in.
_NOT_LET_IN = ("smt.http_401", "smt.http_403")


def part_of(plan: Plan, replication: int, hours: str, limit: int | None) -> Workload:
    """One draw of a workload, or some hours of it (``17``, ``17-18``); of more requests than ``limit`` so many, evenly spread.

    Raises SimulatorError ``load.hours``, ``load.empty``.
    """
    first, _, last = hours.partition("-")
    span = range(len(plan.hours))
    if hours:
        try:
            span = range(int(first), int(last or first) + 1)
        except ValueError:
            span = range(0)
        if not span or span[0] < 0 or span[-1] >= len(plan.hours):
            raise SimulatorError(
                "load.hours",
                f"'{hours}' are no hours of the workload, which has {len(plan.hours)}.",
                "--hours",
                "Write one, or the first and the last of several, counted from the first midnight: 17-18.",
            )
    drawn = draw(plan, replication, span)
    count = len(drawn.requests)
    if not count:
        raise SimulatorError("load.empty", "Nobody asks in that time.", "--hours", "Name other hours.")
    if limit is None or limit >= count:
        return drawn
    return replace(drawn, requests=drawn.requests.take(np.linspace(0, count - 1, limit).astype(np.int64)))


def callers_in(path: Path) -> list[Right]:
    """The rights of a file. Raises its first mistake, with what else there is."""
    rights, faults = read_rights(path)
    for fault in faults:
        more = f" Another {len(faults) - 1} like it." if len(faults) > 1 else ""
        raise SimulatorError(fault.code, f"{fault.message}{more}", fault.place, fault.mend)
    return rights


def clock_at(url: str, speed: float | None) -> Clock:
    """The clock that an SMT tells, or the wall's, so many times as fast. Raises SimulatorError for one that stands still, and for what is no address."""
    if not url.startswith(("http://", "https://")):
        raise SimulatorError("load.smt", f"'{url}' is no address.", "--smt", "Write it as http://127.0.0.1:8600.")
    if speed is None:
        try:
            return party_clock(ClockOptions(clock_of=url)).clock
        except SimulatorError as error:
            if error.code != "clock.of":
                raise
    return clock_of(ClockMode.REAL if speed is None else ClockMode.SCALED, speed, "")


async def play_at(
    urls: Sequence[str],
    ca: Path | None,
    clock: Clock,
    cast: Cast,
    begun: Callable[[LoadPlayer], None],
    progress: Callable[[int, int], None],
    looked: Callable[[LoadPlayer], None] = lambda _: None,
) -> None:
    """Play it to its end. ca: PEM file of the authority behind SMT's certificate. begun: told the player before the first request.

    looked: told the player again every ``LOOK_S``, whether or not anything ends.

    Raises a UserError if SMT cannot be reached or does not let somebody in; after that, what SMT does is in the rows.
    """
    trust: ssl.SSLContext | bool = trusting(ca, "load") if ca is not None else True
    async with contextlib.AsyncExitStack() as closing:
        lines = [
            await closing.enter_async_context(
                httpx.AsyncClient(
                    base_url=url,
                    timeout=ANSWER_S,
                    verify=trust,
                    trust_env=False,
                    limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
                )
            )
            for url in urls
        ]
        used = {cast.rights[place].login for place in np.unique(cast.right) if cast.rights[place].requester != CUSTOMER}
        for login in sorted(used, key=lambda one: one.username):
            for url, line in zip(urls, lines, strict=True):
                try:
                    await SmtClient(line, login.username, login.password, login.duns).token()
                except SmtError as error:
                    if error.code not in _NOT_LET_IN:
                        raise
                    mend = "Write the log-in as SMT knows it into the file of callers."
                    raise SimulatorError(error.code, f"{login.username}: {error.message}", url, mend) from None
        runtime = Runtime(clock, clock.now_us())
        closing.push_async_callback(runtime.close)
        shift = clock.now_us() + rounded_us(_LEAD_S * clock.speed) - micros(cast.workload.requests.planned_us[0])
        player = LoadPlayer(runtime, lines, cast, shift_us=shift, progress=progress)
        begun(player)
        over = asyncio.Event()
        runtime.env.process(player.run()).callbacks.append(lambda _: over.set())
        waiting = [asyncio.ensure_future(one) for one in (runtime.serve(), over.wait(), _looking(player, looked))]
        try:
            ended, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for one in ended:
                # What has broken the play off.
                one.result()
        finally:
            for one in waiting:
                one.cancel()


async def _looking(player: LoadPlayer, looked: Callable[[LoadPlayer], None]) -> None:
    while True:
        looked(player)
        await asyncio.sleep(LOOK_S)
