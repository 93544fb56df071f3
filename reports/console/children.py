"""Commands of this program that run beside the console: each in a group of its own, all of which end with it, however it ends."""

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
#: What a process says, in its folder.
LOG = "console.log"
#: How one begins. A terminal that is closed, or a kill, leaves the console no time to end it: the kernel sends the signal then (PR_SET_PDEATHSIG).
_MAIN = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, {signal:d}); os.getppid() == {console} or sys.exit(); import ami; sys.argv[0] = 'ami'; ami.main()"
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
    """Those that this console has begun, so many at a time."""

    def __init__(self, most: int = MOST) -> None:
        """None yet."""
        self._all: dict[Path, Child] = {}
        #: Of those whose process is being made.
        self._begins: set[Path] = set()
        self.most = most

    def of(self, out: Path) -> Child | None:
        """The one that writes, or has written, into a folder."""
        return self._all.get(out)

    @property
    def folders(self) -> list[Path]:
        """Of all that were begun."""
        return list(self._all)

    @property
    def full(self) -> bool:
        """Whether as many run, or begin, as may at a time."""
        return len(self._begins) + sum(one.running for one in self._all.values()) >= self.most

    def going(self, out: Path) -> bool:
        """Whether one runs, or begins, that writes into a folder."""
        return out in self._begins or (out in self._all and self._all[out].running)

    def room(self) -> None:
        """Raise BedProblem while too many run: before anything is written for one more."""
        if self.full:
            what = f"As many run as may at a time: {self.most}."
            raise BedProblem(409, Problem("console.busy", what, "Wait for one of them, or stop it."))

    async def begin(self, words: Sequence[str], out: Path) -> Child:
        """Run ``ami`` with these words; what it says goes into ``LOG`` of the folder. Raises BedProblem while too many run."""
        self.room()
        out.mkdir(parents=True, exist_ok=True)
        self._begins.add(out)
        main = _MAIN.format(signal=signal.SIGTERM, console=os.getpid())
        try:
            with (out / LOG).open("wb") as said:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-c", main, *words, stdin=asyncio.subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
                )  # fmt: skip
        finally:
            self._begins.discard(out)
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


def free(folder: Path, name: str) -> Path:
    """A folder below a folder that is not there yet: ``name-1``, ``name-2``."""
    number = 1
    while (out := folder / f"{name}-{number}").exists():
        number += 1
    return out


def said_by(out: Path, most: int = 100_000) -> str:
    """What the process of a folder has said, so many characters of its end."""
    try:
        return (out / LOG).read_text(encoding="utf-8", errors="replace")[-most:]
    except OSError:
        return ""
