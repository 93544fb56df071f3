"""The usual test bed of this machine: found where there is one, else begun from the first page as a process that ends with the console."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from reports.console.bed import Bed, BedProblem
from reports.console.children import Child, Children, free, said_by
from simulator.errors import SimulatorError
from simulator.web.parts import Problem

#: How its clock goes, by what the form says of it.
CLOCKS = {
    "scaled": "runs 60 times as fast as the wall's",
    "manual": "is moved by hand, on the Clock page",
    "real": "is the wall's",
}


class OwnBed:
    """What the first page begins with. ``usual``: where a test bed is looked for."""

    def __init__(self, usual: str, root: Path, connect: Callable[[str], Awaitable[Bed]]) -> None:
        """root: folder of runs. connect: the bed at an address; raises SimulatorError if nothing answers there."""
        self.usual, self._root, self._connect = usual, root, connect
        self.children = Children(1)
        self._child: Child | None = None

    @property
    def running(self) -> bool:
        """Whether one was begun here that has not ended."""
        return self.children.full

    @property
    def ended(self) -> bool:
        """Whether one was begun here that has ended, by itself or not."""
        return self._child is not None and not self._child.running

    @property
    def said(self) -> str:
        """What the one that has ended said, the end of it; empty while none has."""
        return said_by(self._child.out, 2000) if self._child is not None and self.ended else ""

    async def begin(self, clock: str, date: str) -> None:
        """Begin one at free ports, unless one runs. Raises BedProblem for a clock that there is none of."""
        if clock not in CLOCKS:
            raise BedProblem(400, Problem("clock", "There is no such clock.", "Choose one of the list."))
        if self.running:
            return
        out = free(self._root / "beds", "bed")
        when = [f"--date={date}"] if date else []
        words = ["sandbox", "--json", "--port-base=0", f"--clock={clock}", *when, f"--out={out}"]
        self._child = await self.children.begin(words, out)

    async def stop(self) -> None:
        """End the one that was begun here, and forget it."""
        child, self._child = self._child, None
        if child is not None:
            await self.children.stop(child)

    async def found(self) -> Bed | None:
        """The one that was begun here, once it is ready, else the usual one; None where nothing answers."""
        url = self.usual if self._child is None or self.ended else _ready_at(self._child.out)
        try:
            return await self._connect(url) if url else None
        except SimulatorError as error:
            if error.code == "console.no_bed":
                return None
            raise


def _ready_at(out: Path) -> str:
    """The address that its ready line tells; empty before it is ready."""
    for line in said_by(out).splitlines():
        if line.startswith('{"event": "ready"'):
            return str(json.loads(line)["smt_url"])
    return ""
