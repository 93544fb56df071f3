"""Partitions over a standard executor. What they come to is told by the files that are there, never by who says that he is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import contextmanager
from functools import reduce
from pathlib import Path

from headend.market.partition import Totals, totals, work
from headend.market.plan import Task
from headend.market.published import sweep, told
from headend.ports import HeadEndError

#: Told with meters done and meters in all, first with those that were done before.
Progress = Callable[[int, int], None]


def run(
    tasks: Sequence[Task],
    executor: Executor | None,
    progress: Progress | None = None,
    make: Callable[[Task], int] | None = None,
) -> dict[str, Totals]:
    """Make every partition that is not there yet, and add up what is published, by company. executor: None runs in this process.

    make: what is called of each where the executor is; ``partition.work`` unless given. What breaks it off leaves the partitions that are done, and nothing half. Raises OSError of whoever could not write.
    """
    tell = progress or (lambda _done, _all: None)
    everyone = sum(task.count for task in tasks)
    with _swept(tasks):
        to_do = [task for task in tasks if totals(task) is None]
        done = everyone - sum(task.count for task in to_do)
        tell(done, everyone)
        for count in _counts(to_do, executor, make or work):
            done += count
            tell(done, everyone)
    return added_up(tasks)


def _counts(tasks: Sequence[Task], executor: Executor | None, make: Callable[[Task], int]) -> Iterator[int]:
    if executor is None:
        yield from map(make, tasks)
        return
    futures = [executor.submit(make, task) for task in tasks]
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:
        for future in futures:
            future.cancel()


def added_up(tasks: Sequence[Task]) -> dict[str, Totals]:
    """By company, from what is published. Raises HeadEndError if a partition is not."""
    found: dict[str, list[Totals]] = {}
    for task in tasks:
        one = totals(task)
        if one is None:
            mend = "Run the same again: what is done stays."
            raise HeadEndError("market.incomplete", "A partition is not published.", str(task.intervals), mend)
        found.setdefault(task.tdsp.key, []).append(one)
    return {key: reduce(Totals.plus, ones) for key, ones in found.items()}


@contextmanager
def _swept(tasks: Sequence[Task]) -> Iterator[None]:
    """Without what killed writers left, before and after; and without what is of another run, which whoever reads the folder would count too."""
    for path in others(tasks):
        path.unlink()
    for task in tasks:
        for path in (task.intervals, task.findings):
            path.parent.mkdir(parents=True, exist_ok=True)
    roots = {task.folder for task in tasks}
    try:
        for root in roots:
            sweep(root)
        yield
    finally:
        for root in roots:
            sweep(root)


def others(tasks: Sequence[Task]) -> list[Path]:
    """What lies where these are published and is of another run: of another cut, or with another key."""
    keys = {path: task.key for task in tasks for path in (task.intervals, task.findings)}
    there = (path for folder in {path.parent for path in keys} for path in folder.glob("*.parquet"))
    return [path for path in there if path not in keys or told(path, keys[path]) is None]
