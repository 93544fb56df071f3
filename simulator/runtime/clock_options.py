"""The options --clock, --speed and --date of every command that serves: which clock they ask for."""

from __future__ import annotations

import time
from datetime import date as calendar_day

from meters.calendar import LAST_DAY, Seconds, day_of, epoch, seconds, to_us
from meters.load.truth import ERA
from simulator.errors import SimulatorError
from simulator.runtime.clock import Clock, ClockMode

#: Model seconds per wall second of a scaled clock that was told no speed.
SPEED = 60.0
#: Local time of day at which a model begins that was given a bare date.
NOON = "12:00"


def clock_of(mode: str, speed: float | None, date: str, modes: tuple[ClockMode, ...] = tuple(ClockMode)) -> Clock:
    """The clock that was asked for; it begins at the wall's now unless ``date`` says when.

    speed: of a scaled clock, ``SPEED`` unless given; another has none. modes: those that the command can run on. Raises SimulatorError
    naming the option.
    """
    if mode not in modes:
        raise SimulatorError(
            "clock.mode", f"There is no clock '{mode}' here.", "--clock", f"Choose {', '.join(modes)}."
        )
    chosen = ClockMode(mode)
    if speed is not None and chosen is not ClockMode.SCALED:
        raise SimulatorError(
            "clock.speed", f"A {chosen} clock has no speed.", "--speed", "Leave it out, or give --clock scaled."
        )
    now = begin(date) if date else seconds(time.time())
    if not ERA < day_of(now) < LAST_DAY:
        raise SimulatorError(
            "clock.date",
            f"No model begins on {day_of(now)}.",
            "--date",
            f"Give a date after {ERA} and before {LAST_DAY}.",
        )
    return Clock(chosen, to_us(now), 1.0 if chosen is ClockMode.REAL else SPEED if speed is None else speed)


def begin(date: str) -> Seconds:
    """UTC epoch seconds at which ``--date`` lets a model begin."""
    if "T" in date:
        return epoch(date, place="--date")
    try:
        day = calendar_day.fromisoformat(date)
    except ValueError:
        raise SimulatorError(
            "clock.date", f"'{date}' is not a date.", "--date", "Write it as 2026-08-12 (noon) or 2026-08-12T17:40."
        ) from None
    return epoch(f"{day}T{NOON}", place="--date")
