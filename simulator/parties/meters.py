"""The meters alone: gateways with a fleet's meters behind them, so that a real head-end can read them, on a clock that runs."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from headend.ports import FAULT
from meters.calendar import INTERVAL_S, Seconds, iso, to_s
from meters.device.command_log import CommandLog
from meters.device.meter import EmulatedMeter, ledger_of
from meters.faults.ledger import LedgerEntry, ordered, write_json, write_parquet
from meters.fleet import Fleet
from meters.register_map.layout import RING_SLOTS
from meters.shown import Command
from meters.wire.gateway import Gateway
from simulator.errors import SimulatorError
from simulator.parties.clock_sharing import clock_entry
from simulator.parties.gateways import gateway_entry, open_gateways
from simulator.parties.meter_events import MeterEvents, http_sender
from simulator.runtime.clock import Clock
from simulator.runtime.driver import Runtime
from simulator.runtime.journal import RunJournal
from simulator.world.fleet import behind_gateways, fleet_entry

#: What to do about a gateway's port that cannot be had.
_PORT_MEND = "Stop what uses it, or give another --port (0 takes free ones)."
#: What is told to whoever watches: of the events' way, and of a state that cannot be written.
_TROUBLE = ("meter events refused", "meter events given up", "meter events not sent", "state not kept", FAULT)
#: Wall seconds that a head-end has to take events.
_EVENTS_S = 10.0
#: Entries of what was told that are kept.
_JOURNAL_LIMIT = 10_000
LEDGER_FILES = ("faults.json", "faults.parquet")
#: How far back a meter's intervals reach, seconds.
RING_S = RING_SLOTS * INTERVAL_S


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
        self.write_ledger()

    async def _start(self) -> None:
        settings = self.settings
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
        events = await self._events() if settings.events_to else None
        self.gateways = await open_gateways(
            [dict(enumerate(units, 1)) for units in self._behind],
            self.runtime.now,
            settings.host,
            [settings.port + index if settings.port else 0 for index in range(len(self._behind))],
            "hang",
            None if events is None else events.touched,
            self._closing,
            _PORT_MEND,
        )
        self._closing.push_async_callback(self.runtime.close)
        if events is not None:
            self.runtime.env.process(events.run())
        self.write_ledger()

    async def _events(self) -> MeterEvents:
        """The way of events to the head-end."""
        http = await self._closing.enter_async_context(httpx.AsyncClient(timeout=_EVENTS_S, trust_env=False))
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

    def _entries(self) -> Iterator[list[LedgerEntry]]:
        """What the faults have done from the oldest interval that a meter held at the start up to now, meter by meter."""
        run = (self._began - RING_S, self.runtime.now())
        return (ledger_of([meter], *run) for meter in self.meters if meter.faults)

    def write_ledger(self) -> None:
        """Write the ledger as it is now."""
        if self.settings.ledger is not None:
            _write([one for ones in self._entries() for one in ones], self.settings.ledger)

    async def keep_ledger(self, every_s: float) -> None:
        """Write the ledger every so many wall seconds, so that a party that is killed leaves one behind; for ever.

        It is made meter by meter, and the meters answer in between.
        """
        while self.settings.ledger is not None:
            await asyncio.sleep(every_s)
            entries: list[LedgerEntry] = []
            for ones in self._entries():
                entries += ones
                await asyncio.sleep(0)
            await asyncio.get_running_loop().run_in_executor(None, _write, entries, self.settings.ledger)
        await asyncio.Event().wait()

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


def _write(entries: list[LedgerEntry], folder: Path) -> None:
    for write, name in zip((write_json, write_parquet), LEDGER_FILES, strict=True):
        write(ordered(entries), folder / name)
