"""What SMT lacks of an operating day: ESI IDs whose usage it should have and of which nothing was loaded, by TDSP and ROR of record.

The market's own query is like it: ESI IDs whose AMS data are not loaded for a trade date.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from simulator.smt.registry.records import ServicePoint, User
from simulator.smt.registry.registry import Registry
from simulator.smt.usage.store import VeeStore


@dataclass(frozen=True, slots=True)
class MissingOf:
    """Of one TDSP's ESI IDs, those of one ROR. ``ror``: DUNS number; None where no REP is of record."""

    tdsp_key: str
    ror: str | None
    expected: int
    #: Those that are missing, ascending.
    esiids: list[str]


def missing(registry: Registry, store: VeeStore, day: date, user: User | None = None) -> list[MissingOf]:
    """What is missing of a day, by TDSP and ROR. user: who asks, and is told of what they may see on that day; None: of all.

    Expected is what A1 to A4 hold of. One query for every 400 ESI IDs.
    """
    points: Iterable[ServicePoint] = registry.points.values() if user is None else registry.seen_by(user, day)
    groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for point in points:
        if point.ams and point.provisioned and point.receiving and point.lse:
            groups[point.tdsp_key, registry.ror_of_record(point.esiid, day) or ""].append(point.esiid)
    loaded = store.loaded([esiid for esiids in groups.values() for esiid in esiids], day)
    return [
        MissingOf(tdsp_key, ror or None, len(esiids), sorted(set(esiids) - loaded))
        for (tdsp_key, ror), esiids in sorted(groups.items())
    ]
