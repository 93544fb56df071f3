"""How far a party is behind its clock, in wall seconds, whatever the clock's speed: what it has seen of that lately, and when it told so."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from meters.calendar import Micros, micros

#: Behind by more wall seconds than this, a clock was not kept: what took place then shows nothing. A default of this project.
LAG_S = 1.0
#: The most of so many wall seconds is told, and noted once in as many. A default of this project.
LATELY_S = 10.0


class ClockLag:
    """Of one party."""

    def __init__(self, note: Callable[[float], None]) -> None:
        """note: told the wall seconds when they are more than ``LAG_S``, once in ``LATELY_S``."""
        self._note = note
        self._noted_at = -LATELY_S
        #: When something was late, and by how much: only what nothing later has exceeded.
        self._seen: deque[tuple[float, float]] = deque()
        #: Model instant at which the clock was last not kept.
        self.behind_us: Micros = micros(-1)

    def seen(self, lag_s: float, at_us: Micros) -> None:
        """Something is done so many wall seconds late, at a model instant."""
        now = time.monotonic()
        while self._seen and self._seen[-1][1] <= lag_s:
            self._seen.pop()
        self._seen.append((now, lag_s))
        self._forget(now)
        if lag_s > LAG_S:
            self.behind_us = at_us
            if now - self._noted_at >= LATELY_S:
                self._noted_at = now
                self._note(lag_s)

    def lately_s(self) -> float:
        """The most of the last ``LATELY_S``."""
        self._forget(time.monotonic())
        return self._seen[0][1] if self._seen else 0.0

    def _forget(self, now: float) -> None:
        while self._seen and self._seen[0][0] < now - LATELY_S:
            self._seen.popleft()
