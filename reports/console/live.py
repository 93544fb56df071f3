"""Counts as they change, told to whoever looks: asked for once a second for all lookers together, and only while there are any."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress

#: Wall seconds between two looks at the bed.
EVERY_S = 1.0
#: Wall seconds after which a looker that nothing is told hears a word all the same: so one that has gone is noticed.
ALIVE_S = 15.0


class Live:
    """One part of a page for all who look at it. Each has room for one state: an old one makes way."""

    def __init__(self, render: Callable[[], Awaitable[str]]) -> None:
        """render: makes the part as it is now."""
        self._render = render
        self._lookers: set[asyncio.Queue[str]] = set()
        self._task: asyncio.Task[None] | None = None
        self._last = ""

    @property
    def lookers(self) -> int:
        """How many look now."""
        return len(self._lookers)

    async def events(self) -> AsyncGenerator[str, None]:
        """The part as server-sent events, whenever it has changed; ends when the looker goes."""
        mine: asyncio.Queue[str] = asyncio.Queue(maxsize=1)
        self._lookers.add(mine)
        if self._task is None:
            self._last = ""
            self._task = asyncio.get_running_loop().create_task(self._look())
        elif self._last:
            mine.put_nowait(self._last)
        try:
            while True:
                try:
                    async with asyncio.timeout(ALIVE_S):
                        part = await mine.get()
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                yield "".join(f"data: {line}\n" for line in part.splitlines()) + "\n"
        finally:
            self._lookers.discard(mine)
            if not self._lookers:
                await self.close()

    async def close(self) -> None:
        """Look no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _look(self) -> None:
        while True:
            part = await self._render()
            if part != self._last:
                self._last = part
                for queue in self._lookers:
                    if queue.full():
                        queue.get_nowait()
                    queue.put_nowait(part)
            await asyncio.sleep(EVERY_S)
