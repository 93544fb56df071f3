"""The ledgers beside meters that serve: what their faults have done so far, and their look-alikes, in files that are written anew."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from meters.calendar import INTERVAL_S, Seconds
from meters.device.account import ledger_of
from meters.device.meter import EmulatedMeter
from meters.faults.ledger import LedgerEntry, write
from meters.register_map.layout import RING_SLOTS

#: How far back a meter's intervals reach, seconds.
RING_S = RING_SLOTS * INTERVAL_S
#: Wall seconds between two writings.
_EVERY_S = 600.0


class FaultLedger:
    """The ledger of a fleet, from the oldest interval that a meter held at the start up to now."""

    def __init__(
        self, folder: Path, meters: Sequence[EmulatedMeter], began: Seconds, now: Callable[[], Seconds]
    ) -> None:
        """began: the model's beginning, UTC epoch seconds, as ``now`` gives them."""
        self._folder = folder
        self._meters = meters
        self._first = began - RING_S
        self._now = now
        # A party that stops writes once more, and a thread may still be at it.
        self._one_at_a_time = threading.Lock()

    def write(self) -> None:
        """Write it as it is now."""
        self._write([one for ones in self._entries() for one in ones])

    async def keep(self, *, at_once: bool = False) -> None:
        """Write it every ten minutes of wall time, so that who is killed leaves one behind; for ever.

        It is made meter by meter, and the meters answer in between. at_once: nobody has written it yet.
        """
        while True:
            if not at_once:
                await asyncio.sleep(_EVERY_S)
            at_once = False
            entries: list[LedgerEntry] = []
            for ones in self._entries():
                entries += ones
                await asyncio.sleep(0)
            await asyncio.get_running_loop().run_in_executor(None, self._write, entries)

    def _entries(self) -> Iterator[list[LedgerEntry]]:
        run = (self._first, self._now())
        return (ledger_of([meter], *run) for meter in self._meters if meter.faults or meter.lookalikes)

    def _write(self, entries: list[LedgerEntry]) -> None:
        with self._one_at_a_time:
            write(entries, self._folder)
