"""By id what is seen of a meter."""

from __future__ import annotations

from collections.abc import Callable

from scenarios.certify.meter import before, power, registers, requests, ring, written
from scenarios.certify.meter.before import Readings, Seen

#: By id what is seen of it.
SEEN: dict[str, Callable[[Readings], Seen]] = (
    before.SEEN | requests.SEEN | ring.SEEN | registers.SEEN | power.SEEN | written.SEEN
)
