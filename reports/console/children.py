"""Commands of this program that run beside the console: each in a group of its own, all of which end with it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reports.console.bed import BedProblem
from simulator.web.parts import Problem

#: So many at a time. A default of this project.
MOST = 2
#: Wall seconds that one has to end by itself.
_ENDS_S = 10.0


@dataclass(slots=True)
class Child:
    """One command. ``out``: its folder."""

    words: Sequence[str]
    out: Path
    process: asyncio.subprocess.Process

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.returncode is None


class Children:
    """Those that this console has begun."""

    def __init__(self) -> None:
        """None yet."""
        self._all: dict[Path, Child] = {}

    def of(self, out: Path) -> Child | None:
        """The one that writes, or has written, into a folder."""
        return self._all.get(out)

    @property
    def folders(self) -> list[Path]:
        """Of all that were begun."""
        return list(self._all)

    def room(self) -> None:
        """Raise BedProblem while too many run: before anything is written for one more."""
        if sum(one.running for one in self._all.values()) >= MOST:
            what = f"{MOST} runs go on."
            raise BedProblem(409, Problem("console.busy", what, "Wait for one of them, or stop it."))

    async def begin(self, words: Sequence[str], out: Path) -> Child:
        """Run ``ami`` with these words; what it says goes into ``console.log`` of the folder. Raises BedProblem while too many run."""
        self.room()
        out.mkdir(parents=True, exist_ok=True)
        with (out / "console.log").open("wb") as said:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ami", *words, stdin=asyncio.subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
            )  # fmt: skip
        child = self._all[out] = Child(words, out, process)
        return child

    async def ended(self, out: Path) -> None:
        """Wait until the one of a folder has ended."""
        if child := self._all.get(out):
            await child.process.wait()

    async def stop(self, child: Child) -> None:
        """End one, and what it has begun."""
        if not child.running:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(child.process.pid, number)
            with suppress(TimeoutError):
                async with asyncio.timeout(_ENDS_S):
                    await child.process.wait()
                    return

    async def close(self) -> None:
        """End all of them."""
        await asyncio.gather(*(self.stop(one) for one in self._all.values()))
