"""What every command prints through: one width, the same content on a terminal and in a pipe."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

#: Columns of a page that is not a terminal's, and the most that is used of a wide one.
WIDTH = 100


def console(*, stderr: bool = False) -> Console:
    """Where to print: at most 100 columns, colours only on a terminal."""
    found = Console(stderr=stderr, highlight=False, soft_wrap=False)
    width = min(found.width, WIDTH) if found.is_terminal else WIDTH
    return Console(stderr=stderr, highlight=False, width=width)


class Bar:
    """A progress bar on stderr with rate and time left, drawn when that is a terminal."""

    def __init__(self, what: str, *, hidden: bool) -> None:
        """what: is counted, in the plural."""
        columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
        to = Console(stderr=True)
        left = TimeRemainingColumn()
        self._progress = Progress(*columns, left, console=to, transient=True, disable=hidden or not to.is_terminal)
        self._what, self._began = what, time.monotonic()
        self._task: TaskID | None = None
        self._before = self.done = self.total = 0

    def __enter__(self) -> Bar:
        """Show it."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take it away."""
        self._progress.stop()

    def show(self, done: int, total: int) -> None:
        """So many are done of all. What is done as the first call tells of it, or one that tells of more in all, was there before."""
        if total != self.total:
            self._before += done - self.done
        self.done, self.total = done, total
        if self._task is None:
            self._began = time.monotonic()
            self._task = self._progress.add_task(self._what, total=total, completed=done, rate="")
        self._progress.update(self._task, total=total, completed=done, rate=f"{self.rate:,.0f}/s")

    @property
    def computed(self) -> int:
        """What was not there from a run before."""
        return self.done - self._before

    @property
    def rate(self) -> float:
        """What is done in a second, since the first call."""
        return self.computed / max(time.monotonic() - self._began, 1e-9)
