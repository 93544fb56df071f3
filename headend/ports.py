"""What the head-end is handed from outside and the records that cross its ports: driver, journal, meter addresses, readings.

A port with a latency is a sub-generator (``yield from``), so that the same process runs over sockets and over draws.
"""

from __future__ import annotations

import logging
import traceback
from collections import defaultdict
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import simpy
from numpy.typing import NDArray

from meters.calendar import INTERVAL_S, Micros, Seconds
from meters.errors import UserError

IntArray = NDArray[np.int32]
LongArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
StatusArray = NDArray[np.uint16]


class HeadEndError(UserError):
    """A bad input to the head-end: a file, an inquiry, a setting."""


class Driver(Protocol):
    """How a process reaches the world. Model time is ``env.now`` in integer microseconds since the epoch (UTC)."""

    env: simpy.Environment

    @property
    def rate(self) -> float:
        """Model seconds that go by in a wall second of their own accord; 0 where somebody moves the time."""

    @property
    def lag_s(self) -> float:
        """Wall seconds that it was behind its clock lately, at most; 0 where somebody moves the time."""

    @property
    def busy(self) -> bool:
        """Whether, on a clock that runs, something real is in flight or due: whoever can wait lets it go first."""

    def behind_since(self, at_us: Micros) -> bool:
        """Whether the clock was not kept at some time since a model instant, in microseconds."""

    def now(self) -> Seconds:
        """Model time in whole UTC epoch seconds."""

    def io(self, kind: str, ident: str, call: Callable[[], Awaitable[Any]], *, lane: str = "") -> simpy.Event:
        """Start a real exchange; the event carries its value, or fails with its exception.

        kind, ident: order completions of one instant, so they must follow from content alone. lane: calls of one lane
        and instant are made one at a time, by ident.
        """

    def inject(self, kind: str, ident: str, deliver: Callable[[], object]) -> None:
        """Hand something from outside to the model: ``deliver`` runs in simpy's turn, sorted by (kind, ident)."""


class Journal(Protocol):
    """Where a party notes what a reader of the recording must know."""

    def note(self, at: Seconds, party: str, kind: str, ident: str, **facts: Any) -> None:
        """Keep one entry. at: UTC epoch seconds of model time. facts: JSON values, no path, port, token or wall time."""


def guarded(
    process: Generator[simpy.Event, Any, Any], fault: Callable[[Exception], None]
) -> Generator[simpy.Event, Any, Any]:
    """Run a process so that what it raises ends it alone: simpy would end the whole environment, every party with it.

    fault: told the exception; it keeps what a reader must know and puts right what the process leaves behind. What it raises itself goes to the log.
    """
    try:
        return (yield from process)
    except Exception as error:
        try:
            fault(error)
        except Exception as another:
            logging.getLogger("ami").error(
                f"{FAULT}: {fault_text(error)}, and in putting it right: {fault_text(another)}"
            )


#: Kinds of the journal entries of a process that a fault has ended, and of a clock that was not kept. A scenario in whose journal one of them stands
#: has not run.
FAULT, BEHIND = "internal fault", "clock not kept"


def fault_text(error: Exception) -> str:
    """An exception for the journal: its type and the line of ours that raised it, the same on every machine."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


class MeterKey(NamedTuple):
    """A meter's place at an ESI ID, which has as many as meters measure it at once. ``number``: of the place's first meter by the records."""

    esiid: str
    number: str


@dataclass(frozen=True, slots=True)
class MeterAddress:
    """Where a meter of the head-end's is reached, and what its records say about it."""

    esiid: str
    #: Digits only; how Oncor prints it (suffix) is the portal's affair.
    meter_number: str
    host: str
    port: int
    unit_id: int
    #: Energy in Wh = raw value on the wire x multiplier.
    multiplier: int
    #: The radio resource the meter hangs on.
    access_point: int
    #: Meters that come to the place later: from when the records know it (UTC epoch seconds, ascending), and its number.
    exchanges: tuple[tuple[Seconds, str], ...] = ()
    #: Of the service: 1, two legs; 3.
    phases: int = 1

    @property
    def key(self) -> MeterKey:
        """The place, whatever meter hangs there."""
        return MeterKey(self.esiid, self.meter_number)

    def number_at(self, at: Seconds) -> str:
        """Number of the meter that hangs there by the records at an instant, UTC epoch seconds."""
        return next((number for known, number in reversed(self.exchanges) if known <= at), self.meter_number)


class MeterRecords:
    """A head-end's records: which meters hang at each ESI ID. One that is not in them has one place, for meters of any number."""

    def __init__(self, addresses: Sequence[MeterAddress] = ()) -> None:
        """addresses: one for each place; those of an ESI ID in the order in which its meters are told."""
        self.addresses = {address.key: address for address in addresses}
        self._places: dict[str, list[MeterKey]] = defaultdict(list)
        self._keys: dict[tuple[str, str], MeterKey] = {}
        for key, address in self.addresses.items():
            self._places[key.esiid].append(key)
            for number in (address.meter_number, *(number for _, number in address.exchanges)):
                self._keys[key.esiid, number] = key

    def __contains__(self, esiid: object) -> bool:
        """Whether a meter hangs at an ESI ID."""
        return esiid in self._places

    def places(self, esiid: str) -> Sequence[MeterKey]:
        """The meters that measure an ESI ID at once, one at least."""
        return self._places[esiid] if esiid in self._places else (MeterKey(esiid, ""),)

    def places_of(self, esiids: Iterable[str]) -> list[MeterKey]:
        """The meters at several ESI IDs, in their order."""
        return [key for esiid in esiids for key in self.places(esiid)]

    def place(self, esiid: str, number: str) -> MeterKey | None:
        """Where a meter of that number hangs, or hung. One that the records do not name was at the only place, before the meter there now.

        None: there are several, and it may have been at any of them. Without a number it was told when there was one, the first.
        """
        places = self.places(esiid)
        return self._keys.get((esiid, number)) or (places[0] if len(places) == 1 or not number else None)

    def named_place(self, esiid: str, number: str) -> MeterKey | None:
        """The same, but that a number which the records do not name is nobody's."""
        stranger = bool(number) and esiid in self and (esiid, number) not in self._keys
        return None if stranger else self.place(esiid, number)

    def hangs_at(self, esiid: str, number: str, at: Seconds) -> bool:
        """Whether a meter of that number hangs at an ESI ID at an instant, UTC epoch seconds."""
        return any(self.addresses[key].number_at(at) == number for key in self._places.get(esiid, ()))


def total_wh(of_meters: IntArray) -> IntArray:
    """(n,) Wh of an ESI ID by its meters' (m, n), as far as the arrays can hold it."""
    most = np.iinfo(np.int32).max
    total: LongArray = of_meters.sum(axis=0, dtype=np.int64)
    return np.clip(total, -most, most).astype(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class MeterReading:
    """What one exchange with a meter gave: complete intervals, the running one, the registers. Energy in Wh, multiplied."""

    esiid: str
    #: The meter's own, as it told it.
    meter_number: str
    #: UTC epoch seconds at which the first interval of the arrays begins.
    start: Seconds
    #: (n,) Wh delivered to the premise (LSE channel 4), 0 where not ``present``.
    delivered: IntArray
    #: (n,) Wh received from the premise (LSE channel 1).
    received: IntArray
    #: (n,) status words as in ``meters.register_map.layout``.
    status: StatusArray
    #: (n,) False where the meter itself has no value (skipped, stopped).
    present: BoolArray
    #: The meter's own clock at the read, UTC epoch seconds.
    meter_time: Seconds
    #: Wh delivered since the last interval end, by the meter's clock.
    partial_wh: int
    #: Cumulative register, Wh delivered, at the read.
    register_wh: int
    #: Octets of Modbus payload both ways.
    octets: int
    #: As its header tells it; 0: it told nothing.
    multiplier: int = 0
    #: Of an interval, by its header.
    interval_s: Seconds = INTERVAL_S
    #: Of its display, by its header; 0: not told.
    dials: int = 0

    @property
    def end(self) -> Seconds:
        """UTC epoch seconds at which the last interval of the arrays ends."""
        return self.start + INTERVAL_S * len(self.delivered)

    def until(self, end: Seconds) -> MeterReading:
        """The same reading without the intervals that end after an instant (UTC epoch seconds, a whole interval)."""
        cut = slice(0, max(0, (end - self.start) // INTERVAL_S))
        return replace(
            self,
            delivered=self.delivered[cut],
            received=self.received[cut],
            status=self.status[cut],
            present=self.present[cut],
        )


@dataclass(frozen=True, slots=True)
class RegisterSnapshot:
    """A meter's cumulative registers at the local midnight that begins ``day_start``. Wh, multiplied."""

    esiid: str
    meter_number: str
    #: UTC epoch seconds of that midnight.
    day_start: Seconds
    delivered_wh: int
    received_wh: int


@dataclass(frozen=True, slots=True)
class PowerReading:
    """A meter's answer to a power status request."""

    esiid: str
    meter_time: Seconds
    #: Sum of the two legs, volt.
    voltage: float
    #: Service switch closed.
    switch_closed: bool
    #: What the header told beside, as of ``MeterReading``.
    multiplier: int = 0
    interval_s: Seconds = INTERVAL_S
    dials: int = 0
