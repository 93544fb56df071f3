"""How this project compiles array kernels: its decorators, so that every kernel is cached, frees the GIL and rounds strictly.

No fastmath: the same inputs must give the same bits whether one meter or a million are computed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a function with numba at its first call and keep the machine code on disk. The signature stays."""
    return cast(F, njit(cache=True, nogil=True)(function))


def lean_kernel(function: F) -> F:
    """``kernel`` for what makes no array: nobody counts who holds the ones it is given, which takes longer than a small function itself."""
    return cast(F, njit(cache=True, nogil=True, _nrt=False)(function))  # type: ignore[call-overload]
