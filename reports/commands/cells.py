"""How far a study is: a bar on the terminal, and lines in a file for whoever waits elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reports.terminal import Bar
from simulator.runtime.progress_file import ProgressFile


@contextmanager
def cells_told(
    to: Path | None, name: str, title: str, *, hidden: bool
) -> Iterator[tuple[Bar, Callable[[int, int], None]]]:
    """The bar, and what is called with how many cells of how many are done. to: the file of ``--progress``. hidden: without the bar.

    Raises SimulatorError for a file that cannot be written.
    """
    with Bar("cells", hidden=hidden) as bar, ProgressFile(to) as progress:
        progress.tell("begun", name=name, title=title)

        def show(done: int, total: int) -> None:
            bar.show(done, total)
            progress.tell("reached", done=done, of=total)

        yield bar, show
