"""One now for several processes: the clock as a ready line tells it, and the options that join one or go on with it.

A running clock is epoch, speed and wall start, and nothing else; whoever has the three has the same now, also after a restart.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from meters.calendar import LAST_DAY, day_of, epoch, fraction_s, iso, to_s, to_us
from meters.load.truth import ERA
from simulator.errors import SimulatorError
from simulator.parties.options import ClockOptions
from simulator.runtime.clock import Clock, ClockMode
from simulator.runtime.clock_options import clock_of

if TYPE_CHECKING:
    from simulator.parties.ready_line import ReadyClock
    from simulator.runtime.driver import Runtime

#: Clocks that parties in processes of their own can share.
RUNNING = (ClockMode.REAL, ClockMode.SCALED)
#: Clocks of a party that may be all alone with a tester, who moves it.
MOVED = (*RUNNING, ClockMode.MANUAL)
#: Unix seconds below which calendars work.
_MAX_WALL = 10**10
#: Wall seconds that another party has to tell its clock.
_ASK_S = 10.0


@dataclass(frozen=True, slots=True)
class PartyClock:
    """A party's clock before it runs. ``shared``: it runs already, elsewhere or before a restart."""

    clock: Clock
    shared: bool

    def begun(self) -> Clock:
        """The clock as it runs from here on: one of its own begins to run now."""
        return self.clock if self.shared else replace(self.clock, wall_start=time.time())


def party_clock(
    options: ClockOptions, known: ReadyClock | None = None, modes: tuple[ClockMode, ...] = RUNNING
) -> PartyClock:
    """The clock that was asked for. known: of a party that this one was pointed to, taken unless the options say otherwise. modes: those that it can have.

    Raises SimulatorError naming the option.
    """
    if options.clock_of:
        if options.date or options.wall_start:
            raise SimulatorError(
                "clock.twice",
                "The clock is told in two ways.",
                "--clock-of",
                "Leave out --date and --wall-start, or --clock-of.",
            )
        _nothing_else(options)
        return _joined(asked_clock(options.clock_of), options.clock_of)
    if options.silent and known is not None:
        _nothing_else(options)
        return _joined(known, "clock")
    clock = clock_of(options.mode or ClockMode.REAL, options.speed, options.date, modes)
    if not options.wall_start:
        if clock.mode is ClockMode.REAL and not options.date:
            # The wall's own time, which everyone shares without being told.
            return PartyClock(replace(clock, wall_start=fraction_s(clock.epoch_us)), shared=True)
        return PartyClock(clock, shared=False)
    if not options.date:
        raise SimulatorError(
            "clock.epoch",
            "A wall start says nothing without the model's time then.",
            "--wall-start",
            "Give --date too: the ready line's epoch.",
        )
    if not abs(options.wall_start) < _MAX_WALL:
        raise SimulatorError(
            "clock.wall_start", f"{options.wall_start:g} is no wall time.", "--wall-start", "Give Unix seconds."
        )
    return _running(replace(clock, wall_start=options.wall_start), "--wall-start")


def _nothing_else(options: ClockOptions) -> None:
    """Refuse what was told of a clock that is another party's."""
    if options.mode:
        raise SimulatorError("clock.mode", "The clock is another party's, as it runs.", "--clock", "Leave it out.")
    if options.speed is not None:
        raise SimulatorError("clock.speed", "The clock is another party's, with its speed.", "--speed", "Leave it out.")


def asked_clock(where: str) -> ReadyClock:
    """The clock of a party, by its ready line in a file or by its ``GET /control/clock``. Raises SimulatorError."""
    from simulator.parties.ready_line import ReadyClock, read_ready

    if not where.startswith(("http://", "https://")):
        return read_ready(where, "--clock-of").clock
    import httpx

    url = f"{where.rstrip('/')}/control/clock"
    try:
        # What is asked is the time, and no secret is told: a local authority's certificate need not be known for that.
        reply = httpx.get(url, timeout=_ASK_S, trust_env=False, verify=False)
        reply.raise_for_status()
        return ReadyClock.model_validate_json(reply.content)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise SimulatorError(
            "clock.of",
            f"{url} does not tell a running clock: {type(error).__name__}.",
            "--clock-of",
            "Name a party's URL, or a file with its ready line.",
        ) from None


def _joined(known: ReadyClock, place: str) -> PartyClock:
    if known.mode not in RUNNING or known.epoch is None or not abs(known.wall_start or _MAX_WALL) < _MAX_WALL:
        raise SimulatorError(
            "clock.mode", f"A {known.mode} clock cannot be shared between processes.", place, "Start it real or scaled."
        )
    assert known.wall_start is not None
    clock = Clock(
        ClockMode(known.mode), to_us(epoch(known.epoch, place=place)), known.speed, wall_start=known.wall_start
    )
    return _running(clock, place)


def _running(clock: Clock, place: str) -> PartyClock:
    """A clock that runs already. Raises SimulatorError if it has left the years that a model can have."""
    now = to_s(clock.now_us())
    if not abs(now) < _MAX_WALL or not ERA < day_of(now) < LAST_DAY:
        raise SimulatorError(
            "clock.now",
            "By now that clock has left the years that a model can have.",
            place,
            f"It must lie after {ERA} and before {LAST_DAY}: begin a new one.",
        )
    return PartyClock(clock, shared=True)


def clock_entry(runtime: Runtime) -> dict[str, Any]:
    """The clock in a ready line; one that runs with what another party needs to share it."""
    clock = runtime.clock
    entry: dict[str, Any] = {"mode": clock.mode.value, "speed": clock.rate, "now": iso(runtime.now())}
    if not clock.manual:
        entry |= {"epoch": iso(to_s(clock.epoch_us)), "wall_start": clock.wall_start}
    return entry
