"""The three clocks. A scaled (or real) now is one pure function of (epoch, speed, wall start) that all parties share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from meters.calendar import Micros, fraction_s, rounded_us
from simulator.errors import SimulatorError

#: Model seconds in a wall second, at least and at most: a second in a quarter hour, a day in a second.
MIN_SPEED, MAX_SPEED = 0.001, 86_400.0


class ClockMode(StrEnum):
    """How model time moves."""

    REAL = "real"
    SCALED = "scaled"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Clock:
    """Model time from wall time. Manual clocks do not run: the driver moves them.

    epoch_us: model instant at ``wall_start``. speed: model seconds per wall second.
    """

    mode: ClockMode
    epoch_us: Micros
    speed: float = 1.0
    wall: Callable[[], float] = time.time
    wall_start: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        """Refuse a speed at which time stands, goes back, or cannot be followed."""
        if not MIN_SPEED <= self.speed <= MAX_SPEED or (self.mode is ClockMode.REAL and self.speed != 1.0):
            raise SimulatorError(
                "clock.speed",
                f"A {self.mode.value} clock cannot run at speed {self.speed:g}.",
                place="--speed",
                mend=f"Give a speed of at least {MIN_SPEED:g} and at most {MAX_SPEED:,.0f}, with --clock scaled.",
            )

    @property
    def manual(self) -> bool:
        """Whether only the driver moves the time."""
        return self.mode is ClockMode.MANUAL

    @property
    def rate(self) -> float:
        """Model seconds that go by in a wall second of their own accord: none on a manual clock."""
        return 0.0 if self.manual else self.speed

    def now_us(self) -> Micros:
        """Model time in microseconds; a manual clock's is the driver's affair."""
        return self.epoch_us + rounded_us((self.wall() - self.wall_start) * self.speed)

    def wall_seconds_until(self, at_us: Micros) -> float:
        """Wall seconds until a model instant."""
        return max(0.0, fraction_s(at_us - self.now_us()) / self.speed)
