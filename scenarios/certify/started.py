"""Starting the system under test, and waiting for it: by its command, filled with what it must know, or by hand."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from scenarios.errors import ScenarioError
from simulator.runtime.until_stopped import beginning, even_at_once

#: Where the services of a run may lie from; callers of this machine have theirs from 32768 on.
_BASES = range(21_000, 32_000, 200)
#: Wall seconds between two looks whether it is there, and for a command that is told to end.
_LOOK_S, _END_S = 0.05, 3.0


def filled(words: Sequence[str], known: Mapping[str, str]) -> list[str]:
    """A command with what it must know."""
    found = []
    for word in words:
        for name, value in known.items():
            word = word.replace(f"{{{name}}}", value)
        found.append(word)
    return found


@asynccontextmanager
async def running(
    argv: Sequence[str], log: Path, more: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command that runs in a process group of its own and is ended with what it has begun. more: variables of its environment. Raises ScenarioError if it cannot run."""
    with contextlib.ExitStack() as known:
        with beginning(), log.open("ab") as file:
            try:
                process = await asyncio.create_subprocess_exec(
                    *argv, stdout=file, stderr=file, start_new_session=True, env=os.environ | (more or {})
                )
            except OSError as error:
                text = f"The system's command cannot be run: {error.strerror}."
                mend = "Mend 'start.argv' of the statement."
                raise ScenarioError("certify.start", text, argv[0], mend) from None
            known.enter_context(even_at_once(partial(os.killpg, process.pid, signal.SIGKILL)))
        try:
            yield process
        finally:
            await _ended(process)


async def _ended(process: asyncio.subprocess.Process) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await process.wait()
                return


async def reached(url: str, within_s: float) -> bool:
    """Whether somebody listens at an address, in so many wall seconds."""
    parts = urlsplit(url)
    until = time.monotonic() + within_s
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
            writer.close()
            return True
        if time.monotonic() >= until:
            return False
        await asyncio.sleep(_LOOK_S)


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@contextlib.contextmanager
def free_ports(offsets: Sequence[int]) -> Iterator[int]:
    """A port from which on those at some offsets are free, and no other certification's meanwhile. Raises ScenarioError where there is none."""
    # Below those from which the system takes ports for who calls.
    for base in range(12_000, 32_600, 200):
        with contextlib.ExitStack() as bound, socket.socket(socket.AF_UNIX) as claim:
            try:
                # A name of the kernel's own, which is gone with the process.
                claim.bind(f"\0ami-certify-{base}")
                for offset in offsets:
                    bound.enter_context(socket.socket()).bind(("127.0.0.1", base + offset))
            except OSError:
                continue
            bound.close()
            yield base
            return
    raise ScenarioError("certify.ports", "No ports are free from 12000 to 32599.", "--out", "Stop what uses them.")
