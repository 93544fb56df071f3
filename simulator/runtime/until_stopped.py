"""Serving until somebody stops it: the ready line or its words for people, Ctrl-C or SIGTERM as the end, and what one part raises as the reason to end."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

#: What a shell gives a command that Ctrl-C ended.
BROKEN_OFF = 130


async def serve_until_stopped(
    ready: dict[str, Any], lines: Sequence[str], as_json: bool, *for_ever: Coroutine[Any, Any, None]
) -> None:
    """Tell that all is up, as one line of JSON or in words, and run on. lines: for people, without how to stop it."""
    print(json.dumps(ready) if as_json else "\n".join([*lines, "", "Ctrl-C stops it."]), flush=True)
    await until_stopped(*for_ever)


def clock_told(ready: dict[str, Any]) -> str:
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
    at_once = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        print(said, file=sys.stderr)
        raise SystemExit(BROKEN_OFF) from None
    finally:
        signal.signal(signal.SIGINT, at_once)


def stopped(as_json: bool) -> None:
    """Tell people that everything is closed."""
    if not as_json:
        print("stopped.", flush=True)
