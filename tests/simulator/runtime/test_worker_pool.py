import multiprocessing
import os
import signal

import pytest

from simulator.runtime.worker_pool import worker_pool

pytestmark = pytest.mark.process


def test_a_pool_broken_off_leaves_no_worker_and_the_signals_as_they_were() -> None:
    def answered(*_: object) -> None: ...

    begun_with = {one: signal.signal(one, answered) for one in (signal.SIGINT, signal.SIGTERM)}
    workers: set[multiprocessing.process.BaseProcess] = set()

    def broken_off() -> None:
        with worker_pool(2) as pool:
            assert pool.submit(os.getpid).result() != os.getpid()
            workers.update(multiprocessing.active_children())
            raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            broken_off()
        assert workers
        assert not workers & set(multiprocessing.active_children())
        assert {signal.getsignal(one) for one in begun_with} == {answered}
    finally:
        for one, handler in begun_with.items():
            signal.signal(one, handler)
