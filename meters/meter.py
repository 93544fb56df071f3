"""One emulated AMS meter: the premise's truth seen through a register, a multiplier and faults, at whatever instant one asks.

It has no state of its own: a day is computed when asked for and kept only while it is among the last few.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meters.calendar import INTERVAL_S, day_of, day_start, floor_interval, interval_ends, local
from meters.errors import MeterError
from meters.faults import Fault, answers, overlay
from meters.identity import MeterIdentity, Premise
from meters.load import ERA, day_intervals, registers
from meters.philox import philox4x32, words
from meters.premises import PremiseArrays
from meters.status import Channel, Common, status_word

#: Days a meter remembers: a sweep needs yesterday and today, a catch-up walks forward.
_REMEMBERED_DAYS = 4
#: Counter word of the voltage draw, which the load's blocks never use.
_VOLTAGE = np.uint64(0xFF)


class Window(NamedTuple):
    """Complete intervals in raw units (energy = raw x multiplier), each (n,)."""

    delivered: NDArray[np.int32]
    received: NDArray[np.int32]
    #: Words as in ``meters.status``.
    status: NDArray[np.uint16]
    #: False where the meter has no value; the two channels hold 0 there.
    present: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Live:
    """What a meter shows at an instant. Energy in raw units."""

    #: The meter's clock, UTC epoch seconds.
    time: int
    delivered_register: int
    received_register: int
    #: Since the last interval end.
    partial_delivered: int
    partial_received: int
    partial_seconds: int
    #: Mean power of the running interval, W.
    watts: int
    #: Sum of the two legs, tenths of a volt.
    decivolts: int
    #: Service switch.
    switch_closed: bool


class EmulatedMeter:
    """A meter at a premise. Instants are UTC epoch seconds; nothing here knows what time it is."""

    def __init__(self, identity: MeterIdentity, premise: Premise, seed: int, faults: Sequence[Fault] = ()) -> None:
        """Raises MeterError when identity, premise and faults are not of one ESI ID, or the premise has no load curve."""
        strangers = {esiid for esiid in (premise.esiid, *(fault.esiid for fault in faults)) if esiid != identity.esiid}
        if strangers:
            raise MeterError(
                "meters.meter.mixed",
                f"Meter {identity.meter_number} is at {identity.esiid}, but its premise or faults are at {min(strangers)}.",
                place=identity.esiid,
            )
        self.identity = identity
        self.premise = premise
        self.seed = seed
        self.faults = tuple(faults)
        self._columns = PremiseArrays.of([premise])
        self._days: OrderedDict[date, tuple[Window, NDArray[np.int64]]] = OrderedDict()

    def window(self, start: int, end: int) -> Window:
        """The intervals of [start, end), whether they have come yet or not; the caller knows what time it is."""
        if start % INTERVAL_S or end % INTERVAL_S or start > end:
            raise MeterError("meters.window.unaligned", f"[{start}, {end}) is not a span of whole intervals.")
        parts = []
        at = start
        while at < end:
            day = day_of(at)
            begins = day_start(day)
            shown, _ = self._day(day)
            low = (at - begins) // INTERVAL_S
            high = min((end - begins) // INTERVAL_S, len(shown.delivered))
            cut = slice(low, high)
            parts.append(Window(shown.delivered[cut], shown.received[cut], shown.status[cut], shown.present[cut]))
            at = begins + high * INTERVAL_S
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return Window(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.uint16), np.empty(0, np.bool_))
        return Window(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def midnight(self, day: date) -> tuple[int, int]:
        """The registers, delivered and received, raw, at the local midnight that begins ``day``."""
        wh = int(registers(self.seed, self._columns, day)[0]) + self.identity.initial_delivered_wh
        return wh // self.identity.multiplier, self._received_register

    def live(self, now: int) -> Live:
        """What the meter shows at ``now``. Within the running interval energy grows linearly."""
        day = day_of(now)
        began = floor_interval(now)
        index = (began - day_start(day)) // INTERVAL_S
        _, cumulative = self._day(day)
        before, after = int(cumulative[index]), int(cumulative[index + 1])
        elapsed = now - began
        at_now = before + (after - before) * elapsed // INTERVAL_S
        multiplier = self.identity.multiplier
        return Live(
            time=now,
            delivered_register=at_now // multiplier,
            received_register=self._received_register,
            partial_delivered=at_now // multiplier - before // multiplier,
            partial_received=0,
            partial_seconds=elapsed,
            watts=(after - before) * 3600 // INTERVAL_S,
            decivolts=self._decivolts(began),
            switch_closed=True,
        )

    def answers(self, now: int) -> bool:
        """False while the meter is dead on the wire."""
        return answers(self.faults, now)

    @property
    def _received_register(self) -> int:
        # Premises only use energy as yet, so what the meter has received stays where it began.
        return self.identity.initial_received_wh // self.identity.multiplier

    def _day(self, day: date) -> tuple[Window, NDArray[np.int64]]:
        """The day as shown, and (n+1,) Wh of the delivered register at each of its interval bounds, faults or not."""
        if day in self._days:
            self._days.move_to_end(day)
            return self._days[day]
        made = self._make_day(day)
        self._days[day] = made
        if len(self._days) > _REMEMBERED_DAYS:
            self._days.popitem(last=False)
        return made

    def _make_day(self, day: date) -> tuple[Window, NDArray[np.int64]]:
        begins = interval_ends(day) - INTERVAL_S
        n = len(begins)
        received = np.zeros(n, np.int32)
        if day < ERA:
            stopped = np.full(n, status_word(0, Channel.STOPPED), np.uint16)
            none = Window(received, received, stopped, np.zeros(n, np.bool_))
            return none, np.full(n + 1, self.identity.initial_delivered_wh, np.int64)
        wh = day_intervals(self.seed, self._columns, day)[0]
        cumulative = np.zeros(n + 1, np.int64)
        np.cumsum(wh, out=cumulative[1:])
        cumulative += int(registers(self.seed, self._columns, day)[0]) + self.identity.initial_delivered_wh
        # The pulses that a register could not yet count carry over, so raw intervals add up to raw registers.
        raw = np.diff(cumulative // self.identity.multiplier).astype(np.int32)
        delivered, status, present = overlay(self.faults, int(begins[0]), raw, good_status(day))
        for column in (delivered, received, status, present, cumulative):
            column.flags.writeable = False
        return Window(delivered, received, status, present), cumulative

    def _decivolts(self, began: int) -> int:
        """236.0 to 244.0 V, another value each interval."""
        low, high = words(int(self._columns.hashes[0]))
        word = philox4x32(low, high, np.uint64(began // INTERVAL_S), _VOLTAGE, *words(self.seed))[0]
        return 2360 + int(word) % 81


@lru_cache(maxsize=128)
def good_status(day: date) -> NDArray[np.uint16]:
    """(n,) status words of a day on which nothing is wrong: only whether saving time is in effect."""
    begins = interval_ends(day) - INTERVAL_S
    return np.array([status_word(Common.DST if local(int(at)).dst() else 0, Channel.OK) for at in begins], np.uint16)
