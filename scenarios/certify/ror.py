"""What is seen of a retailer, id by id."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scenarios.certify.observed import Observation, Observed

#: By id what is seen of it.
SEEN: dict[str, Callable[[Observed], Iterator[Observation]]] = {}
