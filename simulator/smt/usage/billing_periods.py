"""Monthly billing information: the periods between two reads for billing, and what was used and demanded in each. Pure.

SMT gets these from the TDSP's billing; here they follow from the posted days, by the read day of the premise [D]. A switch of retailer or a
move ends a period too. Demand is the highest quarter hour; homes are billed none, and apparent power equals real power, since the emulated
meters measure no other (power factor 1) [D].
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from meters.calendar import Seconds, days, us_date, us_stamp
from simulator.smt.usage.kwh import kwh
from simulator.smt.usage.store import StoredDay

#: No billing period is longer.
LONGEST = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class BilledPeriod:
    """One period, from the midnight that begins ``start`` to the one that begins ``end``."""

    start: date
    end: date
    #: Of the latest day of the period that came in, UTC epoch seconds.
    revised_at: Seconds
    wh: int
    #: W, the mean over the highest quarter hour.
    demand_w: int
    demand_billed: bool
    #: Whether any quarter hour of it is.
    estimated: bool

    def body(self) -> dict[str, str]:
        """Give the fields of ``billingData``."""
        metered = kwh(self.demand_w)
        billed = metered if self.demand_billed else kwh(0)
        return {
            "startDate": us_date(self.start),
            "endDate": us_date(self.end),
            "revisionDate": us_stamp(self.revised_at),
            "actualkWh": kwh(self.wh),
            "meteredKW": metered,
            "billedKW": billed,
            "meteredKVA": metered,
            "billedKVA": billed,
        }


def billing_periods(read_day: int, out_of_cycle: Collection[date], first: date, last: date) -> list[tuple[date, date]]:
    """The periods ``(start, end)`` that end on one of the days first to last, both included; the end of one is the start of the next.

    read_day: day of the month, 1 to 28. out_of_cycle: other days that begin with a read for billing.
    """
    reads = [day for day in days(first - LONGEST, last) if day.day == read_day or day in out_of_cycle]
    return [(start, end) for start, end in pairwise(reads) if end >= first]


def billed(
    periods: list[tuple[date, date]], posted: Mapping[date, StoredDay], *, demand_billed: bool
) -> list[BilledPeriod]:
    """What was used in each period; one with a day that is not among the posted ones is left out."""
    found = []
    for start, end in periods:
        inside = days(start, end - timedelta(days=1))
        if not all(day in posted for day in inside):
            continue
        own = [posted[day] for day in inside]
        found.append(
            BilledPeriod(
                start,
                end,
                max(day.loaded_at for day in own),
                sum(int(day.wh.sum()) for day in own),
                4 * max(int(day.wh.max()) for day in own),
                demand_billed,
                any(bool(day.estimated.any()) for day in own),
            )
        )
    return found
