"""Serving until somebody stops it: Ctrl-C or SIGTERM ends what runs for ever, and what one of it raises is the reason to end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any


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
