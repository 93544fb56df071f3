"""Plays a load through the compiled engine: columns of requests in, a row for each and for everyone who asked again out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from meters.calendar import Micros, Seconds, micros, seconds, to_s
from simulator.capacity.engine.kernel import COUNTS, HEAP_MORE, MOST_ROWS, OWN, OWN_SPAN, TOO_MANY, play
from simulator.capacity.engine.law import Assumptions, Longs
from simulator.capacity.engine.rows import GIVEN, ROW, Rows, fill
from simulator.capacity.engine.table import table_of
from simulator.capacity.engine.use import BIN_US, COUNTED, NO_USE, Use, use_of
from simulator.errors import SimulatorError
from simulator.smt.ondemand.lifecycle import STORE_ONLY
from simulator.smt.throttle.limits import Policy, RequesterClass

_NONE = np.zeros(0, dtype=np.int64)


class Requests(Protocol):
    """(n,) each, ascending in ``planned_us``."""

    @property
    def planned_us(self) -> Longs:
        """Microseconds since the epoch."""

    @property
    def call(self) -> Longs:
        """No two have the same, and what is drawn of a request is keyed by it."""

    @property
    def esi(self) -> NDArray[np.int32]:
        """Number of the meter's ESI ID."""

    @property
    def ror(self) -> NDArray[np.int16]:
        """Number of the retailer."""

    @property
    def requester_class(self) -> NDArray[np.int8]:
        """Position in ``RequesterClass``."""

    @property
    def kind(self) -> NDArray[np.int8]:
        """Position in ``InquiryKind``."""

    @property
    def door(self) -> NDArray[np.int8]:
        """Position in ``Door``."""

    @property
    def access_point(self) -> NDArray[np.int16]:
        """Number of the access point."""

    @property
    def tdsp(self) -> NDArray[np.int8]:
        """Number of the TDSP."""

    @property
    def patience_us(self) -> Longs:
        """Microseconds from the planned arrival to the hang-up."""


class Outages(Protocol):
    """(m,) each: the spans in which an access point has no power, with all its meters. Microseconds since the epoch."""

    @property
    def access_point(self) -> NDArray[np.int16]:
        """Number of the access point."""

    @property
    def from_us(self) -> Longs:
        """When power fails."""

    @property
    def to_us(self) -> Longs:
        """When it is back, and the head-end told so."""

    @property
    def told_us(self) -> Longs:
        """From when on the head-end knows, of a meter whose last gasp it hears."""

    def gasped(self, esi: NDArray[np.int32]) -> NDArray[np.bool_]:
        """(n,) whether the head-end hears the last gasps of these meters."""


class NoOutages(NamedTuple):
    """The power is never out."""

    access_point: NDArray[np.int16] = _NONE.astype(np.int16)
    from_us: Longs = _NONE
    to_us: Longs = _NONE
    told_us: Longs = _NONE

    def gasped(self, esi: NDArray[np.int32]) -> NDArray[np.bool_]:
        """See ``Outages``."""
        return np.zeros(len(esi), dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a load."""

    #: The planned requests in their order, then those that were asked again as they came to be.
    rows: Rows
    #: What ``rows.code`` numbers.
    codes: tuple[str, ...]
    #: Octets of all arrays together while it was played.
    octets: int
    use: Use = NO_USE


#: An exponential draw is no more than so many means: the least number that is drawn is 2^-33.
_MOST_MEANS = 23
#: Of so many rows one is under way at once, and so many more; if there are more, the load is played again.
_UNDER_WAY, _LEAST_UNDER_WAY = 16, 4096


def play_load(requests: Requests, outages: Outages, policy: Policy, assumptions: Assumptions, seed: int) -> Played:
    """Play a load under a policy. Whatever the policy, all that is drawn is the same. Raises SimulatorError ``capacity.load``."""
    n = len(requests.planned_us)
    by_class = np.bincount(requests.requester_class, minlength=len(RequesterClass))
    again = sum(int(of) for of, one in zip(by_class, RequesterClass, strict=True) if one in assumptions.again_classes)
    room = n + int(1.2 * assumptions.again_share * again) + 1000
    events = room // _UNDER_WAY + _LEAST_UNDER_WAY
    while True:
        if room > MOST_ROWS:
            raise SimulatorError(
                "capacity.load", f"{n:,} requests are too many.", mend="Play fewer days or a part of them."
            )
        rows, esiids = _rows(requests, outages, room)
        ground = ground_of(requests, outages, policy, assumptions, seed, esiids, min(events, room))
        needed = play(ground.law, ground.tables, ground.memory, rows, n)
        if ground.memory[ground.law[0].counts_place + TOO_MANY]:
            events *= 4
        elif needed <= room:
            octets = rows.nbytes + ground.tables.nbytes + ground.memory.nbytes
            return Played(rows[:needed], ground.codes, octets, use_of(ground.law[0], ground.memory))
        else:
            room = int(1.5 * needed)


class Ground(NamedTuple):
    """What a load is played on: see ``Law``."""

    law: np.recarray[Any, Any]
    tables: Longs
    memory: Longs
    codes: tuple[str, ...]


def ground_of(
    requests: Requests, outages: Outages, policy: Policy, assumptions: Assumptions, seed: int, esiids: int, events: int
) -> Ground:
    """The law with its tables and an empty memory. esiids: how many occur. events: so many requests are under way at once."""
    days = assumptions.days(*_span(requests, assumptions))
    points = int(max(requests.access_point.max(initial=-1), outages.access_point.max(initial=-1))) + 1
    rors, tdsps = (int(of.max(initial=-1)) + 1 for of in (requests.ror, requests.tdsp))
    values = (esiids, rors, len(RequesterClass), tdsps, points)
    own = OWN if policy.reuse_s else OWN_SPAN
    table = table_of(policy, values, days, longest_s=to_s(assumptions.expiry_us), own=own)
    tables = [table.numbers]
    law = assumptions.law(seed, days, tables)
    order = np.lexsort((outages.from_us, outages.access_point))
    placed = sum(map(len, tables))
    begins = placed + points + 1 + 3 * np.searchsorted(outages.access_point[order], np.arange(points + 1))
    spans = np.stack([outages.from_us[order], outages.to_us[order], outages.told_us[order]], axis=1)
    tables += [begins, spans.ravel()]
    use_from_us, use_spans = _use_spans(requests, assumptions)
    sizes = {
        "points_place": points,
        "workers_place": assumptions.network.workers,
        "batch_place": 2,
        "cursors_place": 2,
        "counts_place": COUNTS,
        # Each row that is under way has one event.
        "heap_place": events + HEAP_MORE,
        "events_place": events + HEAP_MORE,
        "pickups_place": 2 * events,
        "use_place": COUNTED * use_spans,
        "held_place": points * use_spans,
    }
    size = table.size
    for name, count in sizes.items():
        law[name] = size
        size += count
    law["own_place"], law["own_apart"], law["most_events"] = table.own_place, table.own_apart, events
    law["outages_place"], law["source"], law["reuse_us"] = placed, table.source, table.reuse_us
    law["store_within"], law["last_gasp_answers"] = policy.store_within_s, policy.last_gasp_answers
    law["push_to_smt"] = policy.push_to_smt
    law["use_from_us"], law["use_spans"], law["use_points"] = use_from_us, use_spans, points
    law["store_only_code"] = table.codes.index(STORE_ONLY.code)
    return Ground(law, np.concatenate(tables), np.zeros(size, np.int64), table.codes)


def _span(requests: Requests, assumptions: Assumptions) -> tuple[Seconds, Seconds]:
    """From the first request to when the last that anybody can ask again is over, UTC epoch seconds."""
    if not len(requests.planned_us):
        return seconds(86400), seconds(86400)
    first, last = (to_s(micros(requests.planned_us[at])) for at in (0, -1))
    again = assumptions.most_again * (to_s(assumptions.expiry_us) + math.ceil(_MOST_MEANS * assumptions.again_mean_s))
    return first, last + again + 2 * to_s(assumptions.expiry_us)


def _use_spans(requests: Requests, assumptions: Assumptions) -> tuple[Micros, int]:
    """When the first span of the use begins, microseconds since the epoch, and how many there are: to when the last planned request is over, and one."""
    if not len(requests.planned_us):
        return micros(0), 1
    first, last = (micros(requests.planned_us[at]) // BIN_US for at in (0, -1))
    return first * BIN_US, last - first + -(-assumptions.expiry_us // BIN_US) + 2


def _rows(requests: Requests, outages: Outages, room: int) -> tuple[Rows, int]:
    """Rows for a load, with room for so many altogether, and how many ESI IDs there are."""
    occurs = np.zeros(int(requests.esi.max(initial=-1)) + 1, np.bool_)
    occurs[requests.esi] = True
    number = np.cumsum(occurs, dtype=np.int32) - np.int32(1)
    rows: Rows = np.empty(room, ROW).view(np.recarray)
    fill(rows, number, outages.gasped(requests.esi), *(getattr(requests, name) for name in GIVEN))
    return rows, int(np.count_nonzero(occurs))
