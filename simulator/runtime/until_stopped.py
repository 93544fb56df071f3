"""Serving until somebody stops it: the ready line or its words for people, Ctrl-C or SIGTERM as the end, and what one part raises as the reason to end."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from headend.http.log import logging_to

#: What a shell gives a command that Ctrl-C ended.
BROKEN_OFF = 130


@dataclass(frozen=True, slots=True)
class Up:
    """A party that is up: its ready line, its words for people (without how to stop it), and what runs for ever."""

    ready: dict[str, Any]
    lines: Sequence[str]
    for_ever: Sequence[Coroutine[Any, Any, None]]


def serve(party: AbstractAsyncContextManager[Up], log: str, *, as_json: bool) -> None:
    """Open a party, tell that it is up, as one line of JSON or in words, and run on until a signal comes."""
    with logging_to(log):
        asyncio.run(_serve(party, as_json))
    if not as_json:
        print("stopped.", flush=True)


async def _serve(party: AbstractAsyncContextManager[Up], as_json: bool) -> None:
    async with party as up:
        print(json.dumps(up.ready) if as_json else "\n".join([*up.lines, "", "Ctrl-C stops it."]), flush=True)
        await until_stopped(*up.for_ever)


def clock_text(ready: dict[str, Any]) -> str:
    """The clock of a ready line, for people."""
    clock = ready["clock"]
    pace = f" x{clock['speed']:g}" if clock["mode"] == "scaled" else ""
    return f"clock {clock['mode']}{pace} from {clock['now']}"


async def until_stopped(*for_ever: Coroutine[Any, Any, None]) -> None:
    """Run coroutines that never end by themselves until a signal comes; raises what one of them raised."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    running = [loop.create_task(one) for one in for_ever]
    stopping = loop.create_task(stop.wait())
    done, _ = await asyncio.wait({*running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (*running, stopping):
        task.cancel()
    await asyncio.gather(*running, stopping, return_exceptions=True)
    for task in running:
        if task in done:
            await task


@contextmanager
def breaking_off(said: str) -> Iterator[None]:
    """Let what has begun close itself on Ctrl-C, then say so in one line on stderr; the front door's own way is to end at once."""
    at_once = signal.getsignal(signal.SIGINT)
    if at_once is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        print(said, file=sys.stderr)
        raise SystemExit(BROKEN_OFF) from None
    finally:
        signal.signal(signal.SIGINT, at_once)
