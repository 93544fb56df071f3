"""The command ``ami meters serve``: the meters alone, up until Ctrl-C. Heavy imports are inside, so that --help is at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meters import SEED
from simulator.commands.options import (
    ClockOfOption,
    ClockOption,
    DateOption,
    FaultsOption,
    FleetSeedOption,
    HostOption,
    JsonOption,
    LogOption,
    MixOption,
    ReplayOption,
    SpeedOption,
    TdspOption,
    WallStartOption,
)

if TYPE_CHECKING:
    from simulator.parties.clock_sharing import PartyClock
    from simulator.parties.meters import MetersParty, MetersSettings
    from simulator.runtime.clock import Clock

#: Wall seconds between two writings of the ledger.
_LEDGER_EVERY_S = 600.0


def serve(
    count: Annotated[
        int, typer.Option(help="How many meters, at most 247 behind each gateway.", min=1, max=100_000)
    ] = 40,
    tdsp: TdspOption = "ONCOR",
    port: Annotated[
        int, typer.Option(help="The first gateway's port, the others follow; 0 takes free ones.", min=0, max=65535)
    ] = 8700,
    host: HostOption = "127.0.0.1",
    seed: FleetSeedOption = SEED,
    mix: MixOption = "market",
    special: Annotated[bool, typer.Option(help="The magic ESI IDs too, on a gateway of their own.")] = True,
    date: DateOption = "",
    clock: ClockOption = "",
    speed: SpeedOption = None,
    wall_start: WallStartOption = 0.0,
    clock_of: ClockOfOption = "",
    faults: FaultsOption = None,
    replay: ReplayOption = None,
    events_to: Annotated[
        str, typer.Option(help="URL of a head-end's POST /events, told of power failures, switches and clocks.")
    ] = "",
    ledger: Annotated[Path | None, typer.Option(help="Folder for the ledger of faults, JSON and Parquet.")] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            help="File that keeps what is written to the meters (switch, clock), so that a restart goes on with it."
        ),
    ] = None,
    log: LogOption = "",
    as_json: JsonOption = False,
) -> None:
    """Serve emulated meters over Modbus TCP until Ctrl-C."""
    import asyncio

    from headend.http.log import logging_to
    from simulator.parties.clock_sharing import ClockOptions, party_clock

    begins = party_clock(ClockOptions(clock, speed, date, wall_start, clock_of))
    settings = _settings(
        count, tdsp, port, host, seed, mix, special, begins.clock, faults, replay, events_to, ledger, state
    )
    with logging_to(log):
        asyncio.run(_serve(settings, begins, as_json))


def _settings(
    count: int,
    tdsp: str,
    port: int,
    host: str,
    seed: int,
    mix: str,
    special: bool,
    clock: Clock,
    faults: Path | None,
    replay: Path | None,
    events_to: str,
    ledger: Path | None,
    state: Path | None,
) -> MetersSettings:
    from simulator.errors import SimulatorError
    from simulator.parties.meters import MetersSettings
    from simulator.runtime.serving import is_address, is_url
    from simulator.world.fleet_options import fleet_of

    if events_to and not is_url(events_to):
        raise SimulatorError(
            "meters.events_to",
            f"'{events_to}' is no URL.",
            "--events-to",
            "Write the whole of it: http://127.0.0.1:8610/events.",
        )
    if not is_address(host):
        raise SimulatorError(
            "meters.host",
            f"'{host}' is no address to listen on.",
            "--host",
            "Write one of this machine's, as 127.0.0.1.",
        )
    return MetersSettings(
        fleet=fleet_of(tdsp, count, seed, mix, faults, replay),
        clock=clock,
        host=host,
        port=port,
        special=special,
        events_to=events_to,
        ledger=ledger,
        state=state,
    )


async def _serve(settings: MetersSettings, begins: PartyClock, as_json: bool) -> None:
    import contextlib
    from dataclasses import replace

    from simulator.parties.meters import LEDGER_FILES, MetersParty
    from simulator.runtime.folder import own
    from simulator.runtime.until_stopped import serve_until_stopped, stopped

    with contextlib.ExitStack() as held:
        if settings.ledger is not None:
            held.enter_context(own(settings.ledger, LEDGER_FILES, "--ledger"))
        settings = replace(settings, clock=begins.begun())
        async with MetersParty(settings) as party:
            for_ever = (party.runtime.serve(), party.keep_ledger(_LEDGER_EVERY_S))
            await serve_until_stopped(party.ready(), _told(party), as_json, *for_ever)
    stopped(as_json)


def _told(party: MetersParty) -> list[str]:
    """Where the meters are and what is special, for people."""
    from simulator.runtime.until_stopped import clock_told

    ready, settings = party.ready(), party.settings
    gateways = ready["gateways"]
    ports = [gateway["port"] for gateway in gateways]
    run = ports == list(range(ports[0], ports[0] + len(ports)))
    where = f"{ports[0]} to {ports[-1]}" if run and len(ports) > 2 else ", ".join(str(port) for port in ports)
    first = gateways[0]["meters"][0]
    lines = [
        f"ami meters serve: {sum(len(one['meters']) for one in gateways)} meters of {settings.fleet.tdsp.name}, "
        f"{clock_told(ready)}",
        "",
        f"  {len(gateways)} gateways, Modbus TCP, on {settings.host} ports {where}; unit ids from 1 on each",
        f"  the first meter: {first['esiid']}, number {first['meter_number']}, port {ports[0]}, unit {first['unit_id']}",
    ]
    if settings.events_to:
        lines.append(f"  events are sent to {settings.events_to}")
    if settings.state is not None:
        lines.append(f"  what is written to them is kept in {settings.state}")
    if settings.ledger is not None:
        lines.append(f"  ledger of faults in {settings.ledger}")
    if ready["esiids"]:
        units = {one["meter_number"]: one["unit_id"] for one in gateways[-1]["meters"]}
        lines += ["", f"Magic ESI IDs, on port {ports[-1]}:"]
        lines += [f"  unit {units[one['meter_number']]:>2}  {one['esiid']}  {one['note']}" for one in ready["esiids"]]
    return lines
