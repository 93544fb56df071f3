"""How this project compiles array kernels: its decorators, so that every kernel is cached, frees the GIL and rounds strictly.

No fastmath: the same inputs must give the same bits whether one meter or a million are computed. Numba is imported by who first calls a kernel:
it and a kernel's machine code are over 100 MB, of which a process that calls none has nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property, update_wrapper
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])
_AS_WRITTEN = ContextVar("_AS_WRITTEN", default=False)


class _Kernel:
    """A kernel before its first call. Kernels that call it see numba's own by ``_numba_type_``, as whoever looks at anything else of it does."""

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        self._function, self._options = function, options
        update_wrapper(self, function)

    @cached_property
    def _compiled(self) -> Any:
        from meters.kernels.machine import compiled

        return compiled(self._function, self._options)

    def __call__(self, *words: Any) -> Any:
        return (self._function if _AS_WRITTEN.get() else self._compiled)(*words)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._compiled, name)


def kernel(function: F) -> F:
    """Compile a function with numba at its first call and keep the machine code on disk. The signature stays."""
    return cast(F, _Kernel(function, {}))


def lean_kernel(function: F) -> F:
    """``kernel`` for what makes no array: nobody counts who holds the ones it is given, which takes longer than a small function itself."""
    return cast(F, _Kernel(function, {"_nrt": False}))


@contextmanager
def as_written() -> Iterator[None]:
    """Run kernels by Python meanwhile, uncompiled: for the few numbers of a process that computes no more. The results are the same."""
    before = _AS_WRITTEN.set(True)
    try:
        yield
    finally:
        _AS_WRITTEN.reset(before)
