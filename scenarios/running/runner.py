"""Runs a scenario on real parts under the manual clock: builds the sandbox, has the timeline played and recorded."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from meters.calendar import Seconds, day_start, epoch, seconds, to_us
from meters.faults.kinds import Layer
from meters.faults.ledger import write
from scenarios.actions.world.answer_fault import over_headend
from scenarios.file.refusals import policy_of
from scenarios.file.schema import Scenario
from scenarios.outside.call_backs import CallBackDoor
from scenarios.outside.file_drop import FileDrop
from scenarios.outside.party import Outside
from scenarios.recording import WIRE, Recording
from scenarios.running.player import Player
from scenarios.running.recorder import record
from scenarios.stage import Bend, Stage
from simulator.parties.sandbox import HEADEND_PORT, HOST, SANDBOX_FILES, DeskSettings, Sandbox, SandboxSettings
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.driver import Runtime
from simulator.runtime.folder import own
from simulator.runtime.serving import HttpServer, bind
from simulator.smt.access.gatekeeper import TokenLife
from simulator.smt.ondemand.middle import FixedMiddle, LawMiddle, MiddleDraws, MiddleLaw
from simulator.tap.http import tapped
from simulator.tap.masked import MOST_BODY
from simulator.world.market import ROR_LOGIN
from simulator.world.meters import build

#: Model time after the last action that a run goes on, so that what it set going can end.
AFTERMATH_S = 20 * 60
#: Octets of a body that are kept where a verdict cites it.
CITED_BODY = 1 << 20
#: Wall seconds between two looks whether all is over, where the clock runs.
_LOOK_S = 0.1
#: What a run writes into its folder beside the sandbox's own, and clears there before it begins.
WRITTEN = (
    *SANDBOX_FILES,
    "lse",
    "ror",
    "recording.json",
    "result.json",
    "run.json",
    "report.html",
    WIRE,
)


class SoFar(NamedTuple):
    """How far a run is. ``share``: of its model time; ``states``: of its actions (``Player.states``); ``recording``: makes one of what is there by now."""

    at: Seconds
    share: float
    states: Mapping[str, str]
    recording: Callable[[], Recording]


#: Told while a run goes on.
Progress = Callable[[SoFar], None]


@dataclass(slots=True)
class _Wall:
    """The wall of a clock that runs: it stands while the parties start. Seconds."""

    began: float = field(default_factory=time.time)
    since: float | None = None

    def __call__(self) -> float:
        return self.began if self.since is None else self.began + time.monotonic() - self.since

    def go(self) -> None:
        """Run from now on."""
        self.since = time.monotonic()


@dataclass(frozen=True, slots=True)
class Run:
    """What a run gave: the recording, and what differs between runs (addresses, paths)."""

    recording: Recording
    addresses: dict[str, Any]


def begin(scenario: Scenario) -> Seconds:
    """When a run begins in which a party is not ours: a minute before its first action."""
    return epoch(scenario.timeline[0].at) - seconds(60)


def middle_of(scenario: Scenario) -> MiddleDraws:
    """The scenario's middle tier: fixed, or drawn from the law."""
    if scenario.middle is not None:
        return FixedMiddle(scenario.middle.pickup_s, scenario.middle.return_s)
    return LawMiddle(MiddleLaw(), scenario.seed)


async def run(scenario: Scenario, out: Path, progress: Progress | None = None, outside: Outside | None = None) -> Run:
    """Run a scenario that ``lint`` finds sound; its files go to ``out``. Raises a UserError when it cannot run.

    outside: a party that is not ours; the days before the first action are then posted before it begins.
    """
    with own(out, WRITTEN):
        return await _run(scenario, out, progress, outside)


async def _run(scenario: Scenario, out: Path, progress: Progress | None, outside: Outside | None) -> Run:
    world = build(scenario.world, scenario.seed)
    start = day_start(scenario.world.first_day) if outside is None else begin(scenario)
    call_backs = CallBackDoor()
    their = outside.smt if outside else None
    tdsp_port = outside.ports + HEADEND_PORT if outside else 0
    logs_in = outside is not None or any(action.do == "log_in" for action in scenario.timeline)
    bent_acks: list[Bend] = []
    clock, wall = Clock(ClockMode.MANUAL, to_us(start)), _Wall()
    if outside is not None and outside.speed is not None:
        clock = Clock(ClockMode.SCALED, to_us(start), outside.speed, wall, wall.began)
    settings = SandboxSettings(
        world=world,
        clock=clock,
        policy=policy_of(scenario),
        middle=middle_of(scenario),
        out=out,
        sweep_every_h=scenario.sweep_every_h,
        vee=scenario.preset,
        times=scenario.times_in(world),
        wire=out / WIRE,
        wire_ordered=clock.manual,
        wire_body=MOST_BODY if outside is None else CITED_BODY,
        # Where log-ins are played, a token's life and the wait after bad ones are of the day that is played.
        wall=(lambda: float(sandbox.runtime.now())) if logs_in else time.time,
        token_life=TokenLife.MODEL if logs_in else TokenLife.WALL,
        over_headend=over_headend(bent_acks) if any(one.do == "answer_fault" for one in scenario.timeline) else None,
        desk=DeskSettings() if any(getattr(one, "to", None) == "desk" for one in scenario.timeline) else None,
        before_smt=call_backs.before if outside or any(one.do == "inquire" for one in scenario.timeline) else None,
        port_base=0 if outside is None else outside.ports,
        keys=None if outside is None else outside.keys,
        history=outside is not None,
        headend_url=f"http://{HOST}:{tdsp_port}" if their else outside.headend_url if outside else None,
        tell_events=outside is not None and outside.tell_events,
    )
    sandbox = Sandbox(settings)
    async with sandbox, contextlib.AsyncExitStack() as serving:
        for complaint in scenario.complaints:
            sandbox.smt.complaints.declare(complaint.spec(world))
        stage = Stage(scenario, world, sandbox, bent_acks, call_backs, outside)
        if outside and outside.began:
            outside.began(sandbox.runtime.now)
        if stage.drop is not None:
            await serving.enter_async_context(_tdsp(stage, tdsp_port))
            await _posted(stage, stage.drop)
        player = Player(stage)
        last = max(epoch(action.at) + action.lasts for action in scenario.timeline)
        end = last + AFTERMATH_S
        # By halves of a day, so that the one who waits sees it move.
        at = start
        if not clock.manual:
            wall.go()
            await _played(sandbox.runtime, player)
            at = end
        while at < end:
            at = min(at + 12 * 3600, end)
            await sandbox.runtime.run_until(at)
            if progress is not None:
                progress(SoFar(at, (at - start) / (end - start), player.states, lambda: record(stage, [])))
            # What comes after another action may come late; nobody waits longer than a day.
            if at == end and player.waiting and end < last + 24 * 3600:
                end += AFTERMATH_S
        ledger = world.ledger(start, sandbox.runtime.now())
        faults = [entry for entry in ledger if entry.layer != Layer.PREMISE]
        recording = record(stage, faults)
        _keep_files(sandbox, out)
        write(ledger, out)
        addresses = {
            name: value for name, value in sandbox.ready().items() if name not in ("event", "logins", "keys_file")
        }
        await stage.close()
    return Run(recording, addresses)


async def _played(runtime: Runtime, player: Player) -> None:
    """Let the clock run until every action is over. Raises what ended it before."""
    serving = asyncio.ensure_future(runtime.serve())
    try:
        while player.waiting and not serving.done():
            await asyncio.wait([serving], timeout=_LOOK_S)
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving


@contextlib.asynccontextmanager
async def _tdsp(stage: Stage, port: int) -> AsyncIterator[None]:
    """Serve the TDSP that the tester plays."""
    bound = bind(HOST, port, "the TDSP")
    server = HttpServer(tapped(stage.inquiries.app(), stage.sandbox.wire, "TDSP", bound), bound)
    await server.start()
    try:
        yield
    finally:
        await server.stop()


async def _posted(stage: Stage, drop: FileDrop) -> None:
    """Post at an SMT that is not ours what lies at ours: the days before."""
    await stage.move()
    for path in sorted(stage.sandbox.files.home(stage.sandbox.market.tdsp_login.username).glob("*.lse")):
        await drop.post(path.name, path.read_bytes())


def _keep_files(sandbox: Sandbox, out: Path) -> None:
    """Lay the posted files and their result codes, and the retailer's own files, where a reader looks for them."""
    for username, name in ((sandbox.market.tdsp_login.username, "lse"), (ROR_LOGIN.username, "ror")):
        target = out / name
        target.mkdir()
        for path in sorted(sandbox.files.home(username).iterdir()):
            shutil.copyfile(path, target / path.name)
