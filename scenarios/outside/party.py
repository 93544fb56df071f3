"""A party that is not ours in a run: where it is, and how long is waited for it while the clock stands."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meters.calendar import Seconds
from simulator.tap.log import WireLog

#: Wall seconds without an exchange after which a party that is not ours is taken to be done with what it was asked. A default of this project.
QUIET_S = 0.15
#: How paths of SMT's portal begin.
PORTAL = ("/api/", "/commonapi/")

#: Calls a retailer: told what it must know, the clock, and where what it tells is noted; gives what is recorded of that.
Call = Callable[[dict[str, str], Callable[[], Seconds], WireLog | None], Coroutine[Any, Any, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class OutsideSmt:
    """An SMT that is not ours. url: below which its market API lies, and its portal's unless that is elsewhere (``portal``). moved: whether its clock is moved there (``POST /control/clock/advance``); else it asks what time it is.

    ftps: host and port of its file site, and the authority's certificates; inbox: a folder in its place, where files of the TDSP are laid and answered.
    """

    url: str
    moved: bool
    portal: str | None = None
    ftps: tuple[str, int, Path] | None = None
    inbox: Path | None = None


@dataclass(frozen=True, slots=True)
class OutsideMeter:
    """A meter that is not ours. clock: what its clock must show while ours stands at an instant, UTC epoch seconds; clock_s: and by how much it may be off."""

    host: str
    port: int
    unit: int
    esiid: str
    meter_number: str
    clock_s: float
    clock: Callable[[Seconds], float]


@dataclass(frozen=True, slots=True)
class Outside:
    """What a run knows of it. ``patience_s``: wall seconds for an answer before the clock goes on without.

    headend_url: in the place of our head-end, which is then not there; tell_events: meters tell it their events. by_hand: somebody starts it. ports: where our own services lie from, so that they are the same in every run.
    smt: in the place of ours, which stands by; then the TDSP is a tester's, and there is no head-end. began: told the clock as the run begins.
    esiid: whom it is asked of, where its meters are not ours. speed: model seconds in a wall second of a clock that runs; None for one that stands. call: has a customer call it.
    ca: where the authority of the file site's certificate is laid while files are waited for.
    """

    role: str
    keys: Path
    ports: int
    patience_s: float
    headend_url: str | None = None
    esiid: str | None = None
    speed: float | None = None
    tell_events: bool = False
    by_hand: bool = False
    call: Call | None = None
    smt: OutsideSmt | None = None
    began: Callable[[Callable[[], Seconds]], None] | None = None
    meter: OutsideMeter | None = None
    ca: Path | None = None
