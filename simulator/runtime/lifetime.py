"""A driver of one party among several: what the party has begun can be ended at once, as a kill of its own process would, and the others go on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, cast
from weakref import WeakSet

import simpy

from meters.calendar import Micros, Seconds
from simulator.runtime.driver import Runtime


class _Env:
    """The environment of all, which remembers who of its processes are the party's."""

    def __init__(self, env: simpy.Environment, begun: WeakSet[simpy.Process]) -> None:
        self._env, self._begun = env, begun

    def process(self, generator: Generator[simpy.Event, Any, Any]) -> simpy.Process:
        process = self._env.process(generator)
        self._begun.add(process)
        return process

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)


class Lifetime:
    """The driver (``headend.ports.Driver``) of one party, until it is ended."""

    def __init__(self, runtime: Runtime) -> None:
        """Nothing has begun."""
        self._runtime = runtime
        self._begun: WeakSet[simpy.Process] = WeakSet()
        self._over = False
        self.env = cast(simpy.Environment, _Env(runtime.env, self._begun))

    def end(self) -> None:
        """Let none of its processes go on, and take in nothing more of it."""
        self._over = True
        for process in self._begun:
            if process.is_alive and process.target is not None and process.target.callbacks is not None:
                # As an interrupt does it, but for what it would throw.
                process.target.callbacks.remove(process._resume)

    @property
    def rate(self) -> float:
        """See ``headend.ports.Driver``."""
        return self._runtime.rate

    @property
    def lag_s(self) -> float:
        """See ``headend.ports.Driver``."""
        return self._runtime.lag_s

    @property
    def busy(self) -> bool:
        """See ``headend.ports.Driver``."""
        return self._runtime.busy

    def behind_since(self, at_us: Micros) -> bool:
        """See ``headend.ports.Driver``."""
        return self._runtime.behind_since(at_us)

    def now(self) -> Seconds:
        """See ``headend.ports.Driver``."""
        return self._runtime.now()

    def io(self, kind: str, ident: str, call: Callable[[], Awaitable[Any]], *, lane: str = "") -> simpy.Event:
        """See ``headend.ports.Driver``."""
        return self._runtime.io(kind, ident, call, lane=lane)

    def inject(self, kind: str, ident: str, deliver: Callable[[], object]) -> None:
        """See ``headend.ports.Driver``."""
        self._runtime.inject(kind, ident, lambda: None if self._over else deliver())
