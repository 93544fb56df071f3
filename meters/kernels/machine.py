"""A kernel's machine code: compiled by numba, kept on the disk. Of several processes that need one that is not there one compiles it, and the others wait for that."""

from __future__ import annotations

import fcntl
import os
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache

#: Wall seconds that a kernel in the making is waited for: the longest takes ten CPU seconds. And those between two looks at it.
PATIENCE_S, LOOK_S = 60.0, 0.05
#: Beside the machine code: its octets are locked, one a kernel.
_LOCK = "kernels.lock"


class _MadeOnce(FunctionCache):
    """A kernel's place on the disk. Who finds nothing there has the lock until the kernel is kept; the system takes it from one that ends before.

    No two wait for each other: a kernel calls only such as do not call it.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What is kept, or None: it is to be compiled now, by this process."""
        found = super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        if found is None and self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB):
            # Whoever had the lock has made it meanwhile.
            found = super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
            if found is not None:
                self._lock(fcntl.LOCK_UN)
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled."""
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        finally:
            self._lock(fcntl.LOCK_UN)

    def _lock(self, how: int) -> bool:
        """Take the kernel's lock or give it back; whether that was done in time. Where nothing can be written everybody compiles alone."""
        octet, since = zlib.crc32(self._impl.filename_base.encode()), monotonic()
        while True:
            try:
                fcntl.lockf(_opened(self.cache_path), how, 1, octet)
            except BlockingIOError:
                if monotonic() - since >= PATIENCE_S:
                    return False
                sleep(LOOK_S)
            except OSError:
                return False
            else:
                return True


# It is never closed: closing one handle of a file gives back all locks that the process has there.
@cache
def _opened(folder: str) -> int:
    Path(folder).mkdir(parents=True, exist_ok=True)
    return os.open(Path(folder) / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)


def compiled(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    """A function as numba compiles it, at its first call with types of arguments that are new. options: numba's."""
    made = njit(cache=True, nogil=True, **options)(function)
    # Numba has no hook for it, but asks this alone when it has to compile. Where it is told to compile nothing there is nothing to ask.
    if hasattr(made, "py_func"):
        made._cache = _MadeOnce(made.py_func)  # type: ignore[no-untyped-call]
    return made
