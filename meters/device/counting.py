"""What the meters at one place count: who hangs there, pulses from the energy that flows, and the dials that show them.

A place is the same premise over meter exchanges; ``after`` is how many exchanges there have been.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from meters.calendar import Seconds, seconds
from meters.device.energy import Energy
from meters.faults.fault import Fault
from meters.faults.kinds import FaultKind
from meters.identity import MeterIdentity


class Counting:
    """The meters at a place. Instants are true UTC epoch seconds."""

    def __init__(self, identity: MeterIdentity, faults: Sequence[Fault], energy: Energy) -> None:
        """identity: as the records have it. Faults other than of identity and registers are left alone."""
        self._programmed = identity
        for fault in faults:
            if fault.kind is FaultKind.MULTIPLIER:
                self._programmed = replace(self._programmed, multiplier=int(fault.params["value"]))
            elif fault.kind is FaultKind.ROLLOVER:
                self._programmed = replace(self._programmed, dials=int(fault.params["dials"]))
        self._energy = energy
        by_time = sorted(faults, key=lambda fault: fault.first)
        self._exchanges = [exchange for exchange in by_time if exchange.kind is FaultKind.EXCHANGE]
        self._new_starts = [exchange for exchange in by_time if exchange.kind in (FaultKind.RESET, FaultKind.ROLLOVER)]

    @property
    def multiplier(self) -> int:
        """The multiplier that the meter is programmed with."""
        return self._programmed.multiplier

    def exchanges(self, now: Seconds) -> int:
        """How many exchanges there have been."""
        return sum(exchange.first <= now for exchange in self._exchanges)

    def installed(self, after: int) -> Seconds:
        """When the meter was put in; 0 for the first."""
        return self._exchanges[after - 1].first if after else seconds(0)

    def identity(self, after: int) -> MeterIdentity:
        """Who hangs there, as programmed."""
        if not after:
            return self._programmed
        initial = int(self._exchanges[after - 1].params["initial_wh"])
        return replace(
            self._programmed,
            meter_number=exchanged_number(self._programmed.meter_number, after),
            initial_delivered_wh=initial,
            initial_received_wh=initial,
        )

    def pulses(self, at: NDArray[np.int64], after: int) -> NDArray[np.int64]:
        """(2, k) raw pulses that the meter has counted at the instants (k,), from its initial registers on, never reset.

        What a register could not yet count carries over, so raw intervals add up to raw registers.
        """
        began = self._initial(after)
        if after:
            installed = self.installed(after)
            at = np.maximum(at, installed)
            began = began - self._energy.flowed(np.array([installed]))
        counted: NDArray[np.int64] = (self._energy.flowed(at) + began) // self.multiplier
        return counted

    def pulses_of(self, flowed: NDArray[np.int64]) -> NDArray[np.int64]:
        """(2, k) pulses of the first meter at instants of which the energy that has flowed is known."""
        counted: NDArray[np.int64] = (flowed + self._initial(0)) // self.multiplier
        return counted

    def totals(self, at: Seconds, after: int) -> tuple[int, int]:
        """``pulses`` at one instant: delivered and received."""
        delivered, received = self.pulses(np.array([at]), after)[:, 0].tolist()
        return delivered, received

    def registers(self, at: Seconds, after: int, totals: tuple[int, int]) -> tuple[int, int]:
        """The dials, delivered and received, raw: what was counted since the last new start, and around at the last dial. totals: of then."""
        here = [fault for fault in self._new_starts if fault.first >= self.installed(after)]
        resets = [fault.first for fault in here if fault.kind is FaultKind.RESET and fault.first <= at]
        rollovers = [fault.first for fault in here if fault.kind is FaultKind.ROLLOVER]
        delivered, received = totals
        if resets:
            # A register that began again is far from its last dial, whatever was declared for later.
            zero = self.totals(resets[-1], after)
            delivered, received = delivered - zero[0], received - zero[1]
        elif rollovers:
            # It is known beforehand, so that the register shows its highest just before. It comes there a second time when it has counted so far.
            delivered -= self.totals(rollovers[0], after)[0]
        around = 10**self._programmed.dials * 1000
        return delivered % around, received % around

    def _initial(self, after: int) -> NDArray[np.int64]:
        identity = self.identity(after)
        return np.array([[identity.initial_delivered_wh], [identity.initial_received_wh]])


def exchanged_number(meter_number: str, after: int) -> str:
    """The invented number of the meter that comes to a place after so many exchanges."""
    # Never the first one's digit again: the records know that number.
    return f"{(int(meter_number[0]) - 1 - (after - 1) % 9) % 10}{meter_number[1:]}"
