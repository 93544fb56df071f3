"""What each request is in HTTP at SMT's doors: the call that asks, the polls, the answer; and how many come and go in five minutes.

Octets are those of bodies as SMT and its clients write them, and of heads; log-ins at the market API, of which one serves an hour, are left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headend.ondemand.gap import GAP_LIMIT
from meters.calendar import INTERVAL_S, Micros, floor_interval, micros, rounded_us, to_s, to_us
from meters.kernels.jit import kernel
from simulator.capacity.ends import COMPLETED, REFUSED
from simulator.capacity.engine.law import Assumptions, Longs
from simulator.capacity.engine.rows import Rows
from simulator.capacity.engine.use import BIN_US, Use
from simulator.capacity.workload.columns import BEFORE_POLLS, DOORS, POLL_US, POLLS
from simulator.smt.throttle.limits import Door

#: Octets of the heads of a call with a token and of its reply, as counted on the wire between httpx and a sandbox; of a log-in at the portal, bodies and all.
HEADS, LOG_IN = 444 + 126, 222 + 75 + 126 + 439
#: Octets of bodies at the market API by ``InquiryKind``, call and reply together where both are alike each time: ``simulator/smt/doors/market/examples.json``.
MARKET = {
    "taken": (271 + 144, 220 + 144, 248 + 144),
    "turned_away": (271 + 369, 220 + 369, 248 + 373),
    "pending": (157 + 287, 157 + 183, 157 + 183),
    "answered": (157 + 501, 157 + 189, 157 + 251),
    "refused": (157 + 606, 157 + 606, 157 + 606),
    "failed": (157 + 131, 157 + 131, 157 + 131),
}
#: One interval of an answer, with the comma that parts it from the next.
INTERVAL = 118
#: The same at the portal, whatever is read: ``simulator/smt/doors/portal/examples.json``, and the meter's number beside the ESI ID where a read is asked for.
PORTAL = {"taken": 55 + 155, "turned_away": 55 + 184, "pending": 29 + 121, "answered": 29 + 136, "failed": 29 + 122}


class AtTheDoors(NamedTuple):
    """HTTP of each row, (n,), and of each span of the ``Use``, (spans,): the last has everything later too."""

    calls: Longs
    octets: Longs
    span_calls: Longs
    span_octets: Longs
    #: Requests that came, and that ended.
    arrivals: Longs
    ends: Longs


def at_the_doors(rows: Rows, use: Use, assumptions: Assumptions) -> AtTheDoors:
    """What played rows are in HTTP.

    A portal's client logs in, asks, and polls as public ones do, 3 to 22 calls in all; it does not see that it is turned away, and polls on (DOMAIN §4). At the
    market API whoever is not turned away polls each ``market_poll_s`` until there is an answer, or it gives up.
    """
    # What is compiled does not look where it writes.
    assert not len(rows) or rows.planned_us.min() >= use.begins_us, "these rows are not of this use"
    portal = rows.door == DOORS.index(Door.PORTAL)
    waited_us = rows.done_us - rows.planned_us
    refused, done = rows.end == REFUSED, rows.end == COMPLETED
    away = refused & (waited_us == 0)
    every_us = np.where(portal, POLL_US, rounded_us(assumptions.market_poll_s))
    most = np.where(portal, POLLS, int(assumptions.market_give_up_s // assumptions.market_poll_s))
    polls = np.where(away, most * portal, np.clip(-(-waited_us // every_us), 1, most))

    def bodies(*said: tuple[NDArray[np.bool_], str]) -> Longs:
        """(n,) octets of what is said, the first that holds."""
        which = [of for of, _ in said]
        at_market = np.select(which, [np.asarray(MARKET[name])[rows.kind] for _, name in said])
        at_portal = np.select(which, [np.full(len(rows), PORTAL.get(name, 0)) for _, name in said])
        return np.where(portal, at_portal, at_market).astype(np.int64) + HEADS

    every = np.ones(len(rows), np.bool_)
    asking = bodies((away, "turned_away"), (every, "taken")) + LOG_IN * portal
    # To whom the portal has turned away it tells the read before.
    pending = bodies((away, "answered"), (every, "pending"))
    answer = bodies((done, "answered"), (refused, "refused"), (every, "failed"))
    answer += INTERVAL * np.where(portal, 0, quarter_hours(rows, assumptions))
    last = np.where(away | (waited_us > polls * every_us), pending, answer)
    before = np.where(portal, BEFORE_POLLS, 1)
    span = np.zeros((4, len(use.tries)), np.int64)
    _spread(rows.planned_us, rows.done_us, every_us, polls, before, asking, pending, last, use.begins_us, span)
    octets = asking + np.where(polls > 0, (polls - 1) * pending + last, 0)
    return AtTheDoors(before + polls, octets, *span)


def quarter_hours(rows: Rows, assumptions: Assumptions) -> Longs:
    """(n,) intervals of each answer: from the last midnight that was posted when it was asked for, or what the gap's limit leaves, to its reach."""
    if not len(rows):
        return np.zeros(0, np.int64)
    asked = to_s(rows.planned_us)
    first, last = (to_s(micros(at)) for at in (rows.planned_us.min(), rows.planned_us.max()))
    days = np.asarray(assumptions.days(first, last), dtype=np.int64)
    at = np.searchsorted(days, asked, side="right") - 1
    posted = days[np.where(rows.planned_us >= to_us(days[at]) + to_us(assumptions.posted_s), at, at - 1)]
    begins = np.maximum(posted, floor_interval(asked) - GAP_LIMIT * INTERVAL_S)
    found: Longs = np.maximum(rows.reach.astype(np.int64) - begins, 0) // INTERVAL_S
    return found


@kernel
def _spread(
    planned_us: Longs,
    done_us: Longs,
    every_us: Longs,
    polls: Longs,
    before: Longs,
    asking: Longs,
    pending: Longs,
    last: Longs,
    begins_us: Micros,
    span: Longs,
) -> None:
    """Add each call to the span that it is made in: calls, octets, arrivals, ends."""
    end = span.shape[1] - 1
    for row in range(len(planned_us)):
        at = min((planned_us[row] - begins_us) // BIN_US, end)
        span[0, at] += before[row]
        span[1, at] += asking[row]
        span[2, at] += 1
        span[3, min((done_us[row] - begins_us) // BIN_US, end)] += 1
        for poll in range(1, polls[row] + 1):
            at = min((planned_us[row] + poll * every_us[row] - begins_us) // BIN_US, end)
            span[0, at] += 1
            span[1, at] += pending[row] if poll < polls[row] else last[row]
