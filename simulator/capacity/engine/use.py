"""What a load took of each resource, by spans of five minutes: how long requests were where, and how long each access point was held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meters.calendar import Micros, micros, to_us
from meters.kernels.jit import lean_kernel
from simulator.capacity.engine.law import Law, Longs

#: A span.
BIN_US = to_us(300)
#: Where an accepted request is, one after the other: at the middle tier, on its way in or back; waiting for a worker, then for its access point; on air,
#: a try's time-out included; between two tries. Of what the kernel counts by span there are also the tries that begin.
MIDDLE, QUEUED, WAITING, ON_AIR, RESTING, TRIES, COUNTED = range(7)
_BIN: Any = BIN_US


@lean_kernel
def span_of(law: Law, at_us: Micros) -> int:
    """The span that an instant lies in; the last one has all that comes later."""
    return int(min((at_us - law.use_from_us) // _BIN, law.use_spans - 1))


@lean_kernel
def spend(law: Law, m: Longs, first: int, width: int, from_us: Micros, to_us: Micros) -> None:
    """Add [from_us, to_us) to the spans that it lies in. first, width: where in the memory is the first span's number, and how far from it the next one's."""
    at = span_of(law, from_us)
    while from_us < to_us:
        over_us = law.use_from_us + (at + 1) * _BIN if at < law.use_spans - 1 else to_us
        m[first + at * width] += min(over_us, to_us) - from_us
        from_us, at = over_us, at + 1


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """What a load took, span by span, (spans,) each unless said. Times are summed over requests, microseconds: by the span's length they are how many there were on average.

    The last span has everything that came after it too. ``middle_us`` to ``resting_us`` together are all rows' times from arrival to end.
    """

    #: Microseconds since the epoch; each span begins ``BIN_US`` after the one before.
    begins_us: Micros
    #: Workers at the head-end, 0: any number.
    workers: int
    middle_us: Longs
    #: Waiting for a worker, and with a worker for the access point.
    queued_us: Longs
    waiting_us: Longs
    on_air_us: Longs
    resting_us: Longs
    #: Tries at meters that began.
    tries: Longs
    #: (spans, access points) how long each was held.
    points_us: Longs

    @property
    def workers_us(self) -> Longs:
        """How long workers were busy: each is with one try, its wait for the access point included."""
        return self.waiting_us + self.on_air_us

    def points_busy(self, *quantiles: float) -> NDArray[np.float64]:
        """(quantiles, spans) the busy share of the access points; 0.5 is the median one, 1 the busiest."""
        found: NDArray[np.float64] = np.quantile(self.points_us / BIN_US, quantiles, axis=1)
        return found


def use_of(law: Any, m: Longs) -> Use:
    """What stands in a memory once a load is played, no longer a part of it."""
    spans, points = int(law.use_spans), int(law.use_points)
    counted = m[law.use_place : law.use_place + spans * COUNTED].reshape(spans, COUNTED)
    held = m[law.held_place : law.held_place + spans * points].reshape(spans, points)
    return _use(micros(law.use_from_us), int(law.workers), counted, held)


def _use(begins_us: Micros, workers: int, counted: Longs, held: Longs) -> Use:
    middle, queued, waiting, on_air, resting, tries = counted.T.copy()
    return Use(begins_us, workers, middle, queued, waiting, on_air, resting, tries, held.copy())


#: Nothing was played.
NO_USE = _use(micros(0), 0, *(np.zeros((0, width), np.int64) for width in (COUNTED, 0)))
