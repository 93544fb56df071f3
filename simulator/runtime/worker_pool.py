"""Processes to compute in, for whatever takes a standard executor."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from types import FrameType

_Handler = Callable[[int, FrameType | None], object] | int | None
#: Signals that the parent of workers answers to.
_PARENTS = {signal.SIGINT, signal.SIGTERM}


@contextmanager
def worker_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of started workers. They leave signals to the parent, and end with what they are at where that is broken off."""
    others = multiprocessing.active_children()
    before: dict[signal.Signals, _Handler] = {}
    # Spawned, not forked: a fork copies the locks of whatever threads the parent runs (a progress bar has one).
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(workers, mp_context=context, initializer=_begun) as pool:
            try:
                # A worker is started by a submission and inherits the mask: a signal must not meet one that is still importing.
                masked = signal.pthread_sigmask(signal.SIG_BLOCK, _PARENTS)
                try:
                    for _ in range(workers):
                        pool.submit(os.getpid)
                finally:
                    signal.pthread_sigmask(signal.SIG_SETMASK, masked)
                yield pool
            except BaseException:
                # What they would bring is not kept any more, and to wait for them may take long. A second signal would leave them behind.
                before = _leave_signals()
                for worker in multiprocessing.active_children():
                    if worker not in others:
                        worker.kill()
                raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _begun() -> None:
    _leave_signals()
    # As in the command's own process: the libraries' half a million objects are not looked through for each few that come and go.
    gc.set_threshold(50_000, 20, 100)


def _leave_signals() -> dict[signal.Signals, _Handler]:
    return {number: signal.signal(number, signal.SIG_IGN) for number in _PARENTS}
