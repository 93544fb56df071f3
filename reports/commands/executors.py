"""Where a command computes: in this process, in processes of this machine, on a Dask cluster; what goes wrong there is told by the command's own codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import Executor

#: Wall seconds in which a cluster must answer.
_ANSWERS_S = 10


@contextmanager
def executor_of(
    workers: int, address: str, *, room: str, stays: str, warm: Callable[[], None] | None = None
) -> Iterator[Executor | None]:
    """This process (None), a pool of so many, or the cluster at an address.

    room: what errors' codes begin with. stays: what is not lost. warm: has compiled once what every worker would.
    """
    from concurrent.futures import BrokenExecutor

    from meters.errors import UserError
    from simulator.runtime.worker_pool import worker_pool

    if address:
        with _cluster(address, room, stays) as executor:
            yield executor
        return
    if workers == 1:
        yield None
        return
    if warm is not None:
        warm()
    with worker_pool(workers) as pool:
        try:
            yield pool
        except BrokenExecutor:
            mend = f"If memory was short, give fewer --workers; {stays}."
            raise UserError(f"{room}.worker", "A worker process was killed.", "--workers", mend) from None


@contextmanager
def _cluster(address: str, room: str, stays: str) -> Iterator[Executor]:
    import importlib
    from concurrent.futures import CancelledError

    from meters.errors import UserError
    from simulator.versions import product

    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        mend = "Install the package 'distributed' here and on the workers, or leave --dask away."
        raise UserError(f"{room}.dask.missing", "Dask is not installed.", "--dask", mend) from None
    try:
        client = distributed.Client(address, timeout=_ANSWERS_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        mend = "Start one with 'dask scheduler', and give the address that it prints."
        text = f"No scheduler answers: {' '.join(str(error).split()) or type(error).__name__}."
        raise UserError(f"{room}.dask.silent", text, f"--dask {address}", mend) from None
    with client:
        try:
            yield client.get_executor()
        except (distributed.KilledWorker, CancelledError, distributed.comm.CommClosedError) as error:
            mend = f"Look at the workers' and the scheduler's logs, and run the same again; {stays}."
            text = f"The cluster gave up: {type(error).__name__}."
            raise UserError(f"{room}.dask.lost", text, f"--dask {address}", mend) from None
        except RuntimeError as error:
            if "deserialization" not in str(error):
                raise
            mend = f"Install {product()} on each of its machines, and start scheduler and workers again."
            text = "The cluster does not know what it is asked for: it has another ami-testbed, or none."
            raise UserError(f"{room}.dask.other", text, f"--dask {address}", mend) from None
