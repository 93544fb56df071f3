"""The meters alone: a fleet and its faults as they were asked for, served until it is stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from meters.faults.ledger import FILES
from simulator.errors import SimulatorError
from simulator.parties.clock_sharing import PartyClock, party_clock
from simulator.parties.keys_file import KEYS, kept_keys
from simulator.parties.meters import MetersParty, MetersSettings
from simulator.parties.options import MetersOptions
from simulator.runtime.folder import own
from simulator.runtime.serving import is_address, is_url
from simulator.runtime.until_stopped import Up, clock_text, serve
from simulator.world.fleet_options import fleet_of

_KEYS = Path("ami-out/meters") / KEYS


def serve_meters(options: MetersOptions) -> None:
    """Serve meters as they were asked for. Raises a UserError naming the option."""
    begins = party_clock(options.clock)
    if options.events_to and not is_url(options.events_to):
        raise SimulatorError(
            "meters.events_to",
            f"'{options.events_to}' is no URL.",
            "--events-to",
            "Write the whole of it: http://127.0.0.1:8610/events.",
        )
    if not is_address(options.host):
        raise SimulatorError(
            "meters.host",
            f"'{options.host}' is no address to listen on.",
            "--host",
            "Write one of this machine's, as 127.0.0.1.",
        )
    keys = options.keys or _KEYS
    settings = MetersSettings(
        fleet=fleet_of(options.tdsp, options.count, options.seed, options.mix, options.faults, options.replay),
        clock=begins.clock,
        host=options.host,
        port=options.port,
        special=options.special,
        events_to=options.events_to,
        ledger=options.ledger,
        state=options.state,
        wire=options.wire,
        event_key=kept_keys(keys).meters if options.events_to else "",
    )
    serve(_up(settings, begins, keys), options.tell.log, as_json=options.tell.as_json)


@asynccontextmanager
async def _up(settings: MetersSettings, begins: PartyClock, keys: Path) -> AsyncIterator[Up]:
    with own(settings.ledger, FILES, "--ledger") if settings.ledger is not None else nullcontext():
        async with MetersParty(replace(settings, clock=begins.begun())) as party:
            ready = party.ready() | ({"keys_file": str(keys.resolve())} if settings.events_to else {})
            ledger = [party.ledger.keep()] if party.ledger is not None else []
            yield Up(ready, _lines(party, ready), [party.runtime.serve(), *ledger])


def _lines(party: MetersParty, ready: dict[str, Any]) -> list[str]:
    """Where the meters are and what is special, for people."""
    settings = party.settings
    gateways = ready["gateways"]
    ports = [gateway["port"] for gateway in gateways]
    run = ports == list(range(ports[0], ports[0] + len(ports)))
    where = f"{ports[0]} to {ports[-1]}" if run and len(ports) > 2 else ", ".join(str(port) for port in ports)
    first = gateways[0]["meters"][0]
    lines = [
        f"ami meters serve: {sum(len(gateway['meters']) for gateway in gateways)} meters of {settings.fleet.tdsp.name}, "
        f"{clock_text(ready)}",
        "",
        f"  {len(gateways)} gateways, Modbus TCP, on {settings.host} ports {where}; unit ids from 1 on each",
        f"  the first meter: {first['esiid']}, number {first['meter_number']}, port {ports[0]}, unit {first['unit_id']}",
    ]
    if settings.events_to:
        lines.append(f"  events are sent to {settings.events_to}, with the key in {ready['keys_file']}")
    if settings.state is not None:
        lines.append(f"  what is written to them is kept in {settings.state}")
    if settings.ledger is not None:
        lines.append(f"  ledger of faults in {settings.ledger}")
    if ready["esiids"]:
        units = {gateway["meter_number"]: gateway["unit_id"] for gateway in gateways[-1]["meters"]}
        lines += ["", f"Magic ESI IDs, on port {ports[-1]}:"]
        lines += [f"  unit {units[row['meter_number']]:>2}  {row['esiid']}  {row['note']}" for row in ready["esiids"]]
    return lines
