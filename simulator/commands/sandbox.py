"""The command ``ami sandbox``: every party in one process, up until Ctrl-C. Heavy imports are inside, so that --help is at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meters import SEED
from simulator.commands.options import (
    DatabaseOption,
    DateOption,
    JsonOption,
    LogOption,
    PolicyOption,
    SpeedOption,
    TlsOption,
)

if TYPE_CHECKING:
    from simulator.parties.sandbox import Sandbox, SandboxSettings

#: Journal entries that a sandbox keeps: some ten thousand requests.
JOURNAL_LIMIT = 50_000
#: Posted days behind the beginning, and one for a posting that is still to come.
DAYS_NEEDED = 37


def sandbox(
    meters: Annotated[int, typer.Option(help="How many meters.", min=4, max=10_000)] = 40,
    date: DateOption = "",
    clock: Annotated[str, typer.Option(help="real, scaled or manual.")] = "scaled",
    speed: SpeedOption = None,
    policy: PolicyOption = "smt-today",
    tls: TlsOption = False,
    smt_port: Annotated[
        int, typer.Option(help="SMT's port, wherever the others are; -1 leaves it with them.", max=65535)
    ] = -1,
    database: DatabaseOption = "",
    out: Annotated[Path, typer.Option(help="Folder for databases, certificates and files.")] = Path("ami-out/sandbox"),
    port_base: Annotated[int, typer.Option(help="Moves all ports; 0 takes free ones.", min=0, max=65000)] = 8600,
    log: LogOption = "",
    as_json: JsonOption = False,
) -> None:
    """Start meters, head-end, SMT and its file site, and keep them up until Ctrl-C."""
    import asyncio

    settings = _settings(meters, date, clock, speed, policy, out)
    from dataclasses import replace

    settings = replace(
        settings,
        tls=tls,
        smt_port=None if smt_port < 0 else smt_port,
        database_url=database or None,
        port_base=port_base,
    )
    from headend.http.log import logging_to

    with logging_to(log):
        asyncio.run(_serve(settings, as_json))


def _settings(meters: int, date: str, clock: str, speed: float | None, policy: str, out: Path) -> SandboxSettings:
    from datetime import timedelta

    from headend.day.cycle import DailyTimes
    from meters.calendar import LAST_DAY, US, day_of, epoch
    from meters.load.truth import ERA
    from simulator.errors import SimulatorError
    from simulator.parties.sandbox import SandboxSettings
    from simulator.runtime.clock_options import clock_of
    from simulator.smt.ondemand.middle import LawMiddle, MiddleLaw
    from simulator.smt.throttle.policy import load_policy
    from simulator.world.meters import build, default_world

    running = clock_of(clock, speed, date)
    now = running.epoch_us // US
    times = DailyTimes()
    today = day_of(now)
    if not ERA + timedelta(days=DAYS_NEEDED) <= today < LAST_DAY:
        raise SimulatorError(
            "sandbox.date",
            f"A sandbox cannot begin on {today}.",
            "--date",
            f"Give a date from {ERA + timedelta(days=DAYS_NEEDED)} to before {LAST_DAY}.",
        )
    posted_to = today - timedelta(days=1)
    if now < epoch(f"{today}T{times.post_at.isoformat()}"):
        posted_to -= timedelta(days=1)
    world = build(default_world(today, posted_to, meters, special=True), SEED, now)
    return SandboxSettings(
        world=world,
        clock=running,
        policy=load_policy(policy, place="--policy"),
        middle=LawMiddle(MiddleLaw(), SEED),
        out=out,
        times=times,
        history=True,
        journal_limit=JOURNAL_LIMIT,
    )


async def _serve(settings: SandboxSettings, as_json: bool) -> None:
    import time
    from dataclasses import replace

    from simulator.parties.sandbox import SANDBOX_FILES, Sandbox
    from simulator.runtime.folder import own
    from simulator.runtime.until_stopped import serve_until_stopped, stopped

    with own(settings.out, SANDBOX_FILES):
        # The clock begins to run when the parties do, not when the command was read.
        settings = replace(settings, clock=replace(settings.clock, wall_start=time.time()))
        async with Sandbox(settings) as running:
            ready = running.ready()
            await serve_until_stopped(ready, _told(running, ready), as_json, running.runtime.serve())
    stopped(as_json)


def _told(running: Sandbox, ready: dict[str, Any]) -> list[str]:
    """The addresses, log-ins and special ESI IDs, for people."""
    from simulator.runtime.until_stopped import clock_told

    ror = ready["logins"]["ror"]
    ports = ", ".join(f"{gateway['host']}:{gateway['port']}" for gateway in ready["gateways"])
    trust = f" --cacert {ready['ca_file']}" if running.settings.tls else ""
    return [
        f"ami sandbox: {sum(len(gateway['meters']) for gateway in ready['gateways'])} meters of "
        f"{running.settings.world.tdsp.name}, {clock_told(ready)}, policy {ready['policy']}",
        "",
        f"  SMT        {ready['smt_url']}   (market API /v2, portal API /api and /commonapi, pages /docs)",
        f"  head-end   {ready['headend_url']}   (POST /inquiries, pages /docs)",
        f"  file site  {ready['ftps']['host']}:{ready['ftps']['port']}   (FTP with explicit TLS, CA {ready['ca_file']})",
        f"  gateways   {ports}   (Modbus TCP)",
        "",
        *(
            f"  {role:<9}  {login['username']} / {login['password']}"
            + (f"   DUNS {login['duns']}" if "duns" in login else "")
            for role, login in ready["logins"].items()
        ),
        "",
        *(f"  {one['esiid']}  meter {one['meter_number']}  {one['note']}" for one in ready["esiids"]),
        "",
        "Try:",
        f"  curl -s{trust} -H 'content-type: application/json' {ready['smt_url']}/v2/token/ \\",
        f'    -d \'{{"username":"{ror["username"]}","password":"{ror["password"]}"}}\'',
    ]
