"""The meters alone: gateways with a fleet's meters behind them, so that a real head-end can read them, on a clock that runs."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from headend.ports import FAULT
from meters.calendar import Seconds, iso, to_s
from meters.device.command_log import CommandLog
from meters.device.meter import EmulatedMeter
from meters.fleet import Fleet
from meters.shown import Command
from meters.wire.gateway import Gateway
from simulator.errors import SimulatorError
from simulator.parties.clock_sharing import clock_entry
from simulator.parties.fleet.gateways import gateway_entry, open_gateways
from simulator.parties.fleet.ledger import RING_S, FaultLedger
from simulator.parties.fleet.meter_events import MeterEvents, http_sender
from simulator.parties.wire_file import open_wire
from simulator.runtime.clock import Clock
from simulator.runtime.driver import Runtime
from simulator.runtime.journal import RunJournal
from simulator.tap.http import outgoing
from simulator.tap.log import WireLog
from simulator.world.fleet import behind_gateways, fleet_entry

#: What to do about a gateway's port that cannot be had.
_PORT_MEND = "Stop what uses it, or give another --port (0 takes free ones)."
#: What is told to whoever watches: of the events' way, and of a state that cannot be written.
_TROUBLE = ("meter events refused", "meter events given up", "meter events not sent", "state not kept", FAULT)
#: Wall seconds that a head-end has to take events.
_EVENTS_S = 10.0
#: Entries of what was told that are kept.
_JOURNAL_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class MetersSettings:
    """What the party is told. ``port``: the first gateway's, the others follow; 0 takes free ones."""

    fleet: Fleet
    clock: Clock
    host: str
    port: int
    #: With the magic ESI IDs, on a gateway behind the last.
    special: bool
    #: The head-end's ``POST /events``, whole; empty: events are not sent.
    events_to: str
    #: Folder for the ledger of faults.
    ledger: Path | None
    #: File that keeps what is written to the meters; None: a restart forgets it.
    state: Path | None = None
    #: Write every exchange to this file.
    wire: Path | None = None
    #: What events bear.
    event_key: str = field(default="", repr=False)


class MetersParty:
    """The running meters. Use it as an async context manager."""

    def __init__(self, settings: MetersSettings) -> None:
        """Make the meters; nothing is opened before it is entered."""
        self.settings = settings
        self.journal = _ToldJournal(_JOURNAL_LIMIT)
        self.runtime = Runtime(settings.clock, settings.clock.now_us(), journal=self.journal)
        # Of the model and not of this process: after a restart the same faults go on.
        self._began = to_s(settings.clock.epoch_us)
        self._commands: CommandLog | None = None
        self._behind, self.notes = behind_gateways(
            settings.fleet, settings.special, self._began, self._keep if settings.state is not None else None
        )
        self.ledger = (
            FaultLedger(settings.ledger, self.meters, self._began, self.runtime.now)
            if settings.ledger is not None
            else None
        )
        self._closing = contextlib.AsyncExitStack()
        self.gateways: list[Gateway] = []

    @property
    def meters(self) -> list[EmulatedMeter]:
        """Every meter, gateway by gateway."""
        return [meter for units in self._behind for meter in units]

    async def __aenter__(self) -> MetersParty:
        """Open every gateway; what was opened is closed again if one cannot be. Raises SimulatorError for a taken port."""
        try:
            await self._start()
        except BaseException:
            await self._closing.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every gateway; the ledger is written anew, up to now."""
        await self._closing.aclose()
        if self.ledger is not None:
            self.ledger.write()

    async def _start(self) -> None:
        settings = self.settings
        wire = open_wire(settings.wire, self.runtime, self._closing)
        if settings.state is not None:
            self._commands = CommandLog(settings.state)
            self._closing.callback(self._commands.close)
            self._commands.restore(self.meters, self.runtime.now())
        last = settings.port + len(self._behind) - 1
        if settings.port and last > 65_535:
            raise SimulatorError(
                "meters.ports",
                f"{len(self._behind)} gateways from port {settings.port} on end at {last}.",
                "--port",
                _PORT_MEND,
            )
        events = await self._events(wire) if settings.events_to else None
        self.gateways = await open_gateways(
            [dict(enumerate(units, 1)) for units in self._behind],
            self.runtime.now,
            settings.host,
            [settings.port + index if settings.port else 0 for index in range(len(self._behind))],
            "hang",
            None if events is None else events.touched,
            self._closing,
            _PORT_MEND,
            wire,
        )
        self._closing.push_async_callback(self.runtime.close)
        if events is not None:
            self.runtime.env.process(events.run())
        if self.ledger is not None:
            self.ledger.write()

    async def _events(self, wire: WireLog | None) -> MeterEvents:
        """The way of events to the head-end."""
        client = httpx.AsyncClient(timeout=_EVENTS_S, trust_env=False, transport=outgoing(wire, "meters", trust=True))
        http = await self._closing.enter_async_context(client)
        send = http_sender(http, self.settings.events_to, self.settings.event_key)
        return MeterEvents(self.runtime, self.meters, send, self.journal, since=self._began - RING_S)

    def _keep(self, meter: EmulatedMeter, command: Command) -> bool:
        assert self._commands is not None
        number = meter.identity.meter_number
        try:
            self._commands.keep(number, command)
        except OSError as error:
            self.journal.note(self.runtime.now(), "METERS", "state not kept", number, reason=error.strerror)
            return False
        return True

    def ready(self) -> dict[str, Any]:
        """The ready line: the keys of the command contract that the meters have."""
        return {
            "event": "ready",
            "gateways": [gateway_entry(gateway) for gateway in self.gateways],
            "esiids": [
                {"esiid": meter.identity.esiid, "meter_number": number, "note": self.notes[number]}
                for meter in self.meters
                if (number := meter.identity.meter_number) in self.notes
            ],
            "fleet": fleet_entry(self.settings.fleet, self.settings.special),
            "clock": clock_entry(self.runtime),
        }


class _ToldJournal(RunJournal):
    """A journal that tells at once, on standard error, what kept events from the head-end or commands from the file."""

    def note(self, at: Seconds, party: str, kind: str, ident: str, **facts: Any) -> None:
        super().note(at, party, kind, ident, **facts)
        if kind in _TROUBLE:
            kinds = ", ".join(f"{count} {name}" for name, count in facts.get("kinds", {}).items())
            source = "state" if kind == "state not kept" else "events"
            text = ": ".join([kind, kinds or ident, str(facts.get("reason", ""))])
            print(f"meters.{source}: {iso(at)}: {text}", file=sys.stderr, flush=True)
