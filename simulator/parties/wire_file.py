"""The file of a party's exchanges, as its option names it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import astuple
from pathlib import Path

from headend.http.links import LinkKeys
from meters.calendar import iso
from simulator.runtime.driver import Runtime
from simulator.tap.log import WireLog
from simulator.tap.masked import MOST_BODY
from simulator.versions import product


def open_wire(
    path: Path | None,
    runtime: Runtime,
    closing: AsyncExitStack,
    *,
    ordered: bool = False,
    most_body: int = MOST_BODY,
    keys: Iterable[LinkKeys] = (),
) -> WireLog | None:
    """Begin it; ``closing`` ends it. None where none is asked for. ordered, most_body: see ``WireLog``, which says what it raises. keys: of the links, which nobody finds in it."""
    if path is None:
        return None
    about = {"product": product(), "clock": runtime.clock.mode.value, "began": iso(runtime.now())}
    log = WireLog(path, runtime.now_us, about, ordered=ordered, most_body=most_body)
    log.masker.know(key for one in keys for key in astuple(one))
    closing.callback(log.close)
    return log
