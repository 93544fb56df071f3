"""What both doors tell of the repository: interval days and daily registers, in SMT's own words and shapes.

One source, so that the market API and the portal give the same answers (AC2).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from headend.vee.quality import Channel
from meters.calendar import INTERVAL_S, Seconds, day_start, days, local, us_date, us_stamp
from simulator.smt.access.log import What
from simulator.smt.doors.both.rd import rd_format
from simulator.smt.party import Smt
from simulator.smt.registry.records import User
from simulator.smt.usage.billing_periods import BilledPeriod, billed, billing_periods
from simulator.smt.usage.kwh import kwh as kwh
from simulator.smt.usage.store import StoredDay, Version

#: ``readingType`` and the channels that it names, consumption first.
CHANNELS: dict[str, tuple[Channel, ...]] = {
    "C": (Channel.LOAD,),
    "G": (Channel.GENERATION,),
    "A": (Channel.LOAD, Channel.GENERATION),
}
_READING_TYPE = {Channel.LOAD: "C", Channel.GENERATION: "G"}
#: Days that are read and written before other requests get their turn: a few milliseconds.
_BATCH_DAYS = 31


async def stored_days(
    smt: Smt, user: User, esiid: str, channel: Channel, first: date, last: date, version: Version = "L"
) -> list[StoredDay]:
    """Days from first to last that the user may see, by day and revision. Long ranges let other requests in between."""
    found: list[StoredDay] = []
    for begin, end in _batches(first, last):
        found += smt.store.range(esiid, channel, begin, end, version)
        if end != last:
            await asyncio.sleep(0)
    given = [day for day in found if smt.registry.may_see(user, esiid, day.day)]
    if given:
        smt.access.note(user, esiid, What.USAGE)
    return given


async def apart(write: Callable[[], bytes]) -> bytes:
    """Write a long report in the executor, so that other requests get their turn."""
    return await asyncio.get_running_loop().run_in_executor(None, write)


def sees_any(smt: Smt, user: User, esiid: str, first: date, last: date) -> bool:
    """Whether there is a day of the range on which the user may see the ESI ID (AC1)."""
    return any(smt.registry.may_see(user, esiid, day) for day in days(first, last))


async def billed_periods(
    smt: Smt, user: User, esiid: str, channel: Channel, first: date, last: date
) -> list[BilledPeriod]:
    """The billing periods that end within first..last; one with a day that is not posted, or not the user's, is left out."""
    point = smt.registry.points[esiid]
    periods = billing_periods(point.read_day, smt.registry.final_read_days(esiid), first, last)
    if not periods:
        return []
    stored = await stored_days(smt, user, esiid, channel, periods[0][0], periods[-1][1] - timedelta(days=1))
    return billed(periods, {day.day: day for day in stored}, demand_billed=point.premise_type != "Residential")


def energy_data(stored: list[StoredDay]) -> list[dict[str, str]]:
    """Give the ``energyData`` of interval replies: per day, revision and channel the 100 slots."""
    ordered = sorted(stored, key=lambda day: (day.day, -day.channel, day.revision))
    return [
        {
            "DT": us_date(stored.day),
            "RevTS": us_stamp(stored.loaded_at),
            "RT": _READING_TYPE[stored.channel],
            "RD": rd_format(stored.wh, stored.estimated, stored.day),
        }
        for stored in ordered
    ]


def registered_reads(stored: list[StoredDay]) -> list[dict[str, str]]:
    """Give the ``registeredReads`` of the daily reply; days without a register at both midnights are left out."""
    return [
        {
            "readDate": us_date(day.day),
            "revisionDate": us_stamp(day.loaded_at),
            "startReading": kwh(day.start_wh),
            "endReading": kwh(day.stop_wh),
            "energyDataKwh": kwh(int(day.wh.sum())),
        }
        for day in stored
        if day.start_wh is not None and day.stop_wh is not None
    ]


def interval_rows(consumed: list[StoredDay], surplus: Mapping[date, StoredDay]) -> list[dict[str, Any]]:
    """Give the ``intervaldata`` of the portal's interval reply. surplus: generation, by day."""
    rows = []
    for day in consumed:
        other = surplus.get(day.day)
        for index, wh in enumerate(day.wh.tolist()):
            start = day_start(day.day) + index * INTERVAL_S
            rows.append(
                {
                    "starttime": _clock(start),
                    "endtime": _clock(start + INTERVAL_S),
                    "date": day.day.isoformat(),
                    "consumption": wh / 1000,
                    "consumption_est_act": _mark(day, index),
                    "generation": 0 if other is None else int(other.wh[index]) / 1000,
                    "generation_est_act": None if other is None else _mark(other, index),
                }
            )
    return rows


def _mark(day: StoredDay, index: int) -> str:
    return "E" if day.estimated[index] else "A"


def _clock(ts: Seconds) -> str:
    """The portal's ``' 12:15 am'``, leading blank included."""
    return local(ts).strftime(" %I:%M %p").lower()


def _batches(first: date, last: date) -> Iterator[tuple[date, date]]:
    while first <= last:
        end = min(last, first + timedelta(days=_BATCH_DAYS - 1))
        yield first, end
        first = end + timedelta(days=1)
