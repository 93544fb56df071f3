"""The file of a party's exchanges, as its option names it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from meters.calendar import iso
from simulator.runtime.driver import Runtime
from simulator.tap.log import WireLog
from simulator.versions import product


def open_wire(path: Path | None, runtime: Runtime, closing: AsyncExitStack, *, ordered: bool = False) -> WireLog | None:
    """Begin it; ``closing`` ends it. None where none is asked for. ordered: see ``WireLog``, which says what it raises."""
    if path is None:
        return None
    about = {"product": product(), "clock": runtime.clock.mode.value, "began": iso(runtime.now())}
    log = WireLog(path, runtime.now_us, about, ordered=ordered)
    closing.callback(log.close)
    return log
