"""Serving until somebody stops it: the ready line or its words for people, Ctrl-C or SIGTERM as the end, and what one part raises as the reason to end."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Coroutine, Sequence
from typing import Any


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


def stopped(as_json: bool) -> None:
    """Tell people that everything is closed."""
    if not as_json:
        print("stopped.", flush=True)
