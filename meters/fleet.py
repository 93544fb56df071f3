"""A company's meters without an object each: premises by ordinal, a day of all of them in partitions of arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from meters.calendar import day_start
from meters.errors import MeterError
from meters.faults import Fault, overlay
from meters.identity import MeterIdentity, Tdsp, make_esiid, make_meter_number, ordinal_of
from meters.load import day_intervals, registers
from meters.meter import EmulatedMeter, good_status
from meters.premises import PremiseArrays, make_premise


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """One operating day of the meters with ordinals first .. first + m - 1. Energy in Wh."""

    day: date
    first: int
    #: (m, n) delivered (LSE channel 4) as the meters show it, faults and all.
    delivered: NDArray[np.int32]
    #: (m, n) received (LSE channel 1): a view on one zero, since premises only use energy as yet.
    received: NDArray[np.int32]
    #: (m, n) status words as in ``meters.status``.
    status: NDArray[np.uint16]
    #: (m, n) False where the meter has no value.
    present: NDArray[np.bool_]
    #: (m,) delivered registers at the midnights that begin and end the day.
    r0: NDArray[np.int64]
    r1: NDArray[np.int64]


@dataclass(frozen=True)
class Fleet:
    """The meters 0 .. count - 1 of a company, multiplier 1, made by seed and ordinal."""

    tdsp: Tdsp
    seed: int
    count: int
    faults: Sequence[Fault] = ()

    def __post_init__(self) -> None:
        """Refuse an empty fleet, and a fault at an ESI ID that is not in it."""
        if self.count < 1:
            raise MeterError("meters.fleet.empty", f"A fleet of {self.count} meters has nothing to show.")
        for ordinal, faults in self._faults_by_ordinal.items():
            if ordinal >= self.count:
                raise MeterError("meters.fleet.unknown", "A fault is outside the fleet.", place=faults[0].esiid)

    def identity(self, ordinal: int) -> MeterIdentity:
        """Who the meter of that ordinal is."""
        return MeterIdentity(make_meter_number(self.seed, ordinal), make_esiid(self.tdsp, self.seed, ordinal))

    def meter(self, ordinal: int) -> EmulatedMeter:
        """The one-meter emulator of that ordinal: it shows what the partitions show."""
        premise = make_premise(self.tdsp, self.seed, ordinal)
        return EmulatedMeter(self.identity(ordinal), premise, self.seed, self._faults_by_ordinal.get(ordinal, ()))

    def day(self, day: date, size: int = 10_000) -> Iterator[Partition]:
        """The operating day in partitions of at most ``size`` meters, in order of their ordinals."""
        after = day + timedelta(days=1)
        for first in range(0, self.count, size):
            premises = PremiseArrays.generate(self.seed, self.tdsp, min(size, self.count - first), first)
            delivered = day_intervals(self.seed, premises, day)
            status = np.tile(good_status(day), (len(premises), 1))
            present = np.ones(delivered.shape, np.bool_)
            for ordinal, faults in self._faults_by_ordinal.items():
                row = ordinal - first
                if 0 <= row < len(premises):
                    delivered[row], status[row], present[row] = overlay(
                        faults, day_start(day), delivered[row], status[row]
                    )
            yield Partition(
                day,
                first,
                delivered,
                np.broadcast_to(np.int32(0), delivered.shape),
                status,
                present,
                registers(self.seed, premises, day),
                registers(self.seed, premises, after),
            )

    @cached_property
    def _faults_by_ordinal(self) -> dict[int, list[Fault]]:
        found: dict[int, list[Fault]] = {}
        for fault in self.faults:
            found.setdefault(ordinal_of(self.tdsp, self.seed, fault.esiid), []).append(fault)
        return found
