"""Central Prevailing Time at the edges, UTC epoch seconds inside: the one place that converts.

An operating day is a local calendar day of 92, 96 or 100 intervals; an interval is named by its UTC end.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from meters.errors import MeterError

#: Central Prevailing Time.
CPT = ZoneInfo("America/Chicago")
#: Length of an interval in seconds.
INTERVAL_S = 900
#: Years in which an instant that a user gives can lie.
YEARS = range(2000, 2100)
#: No world reaches so far.
LAST_DAY = date(2099, 12, 31)
#: simpy counts integer microseconds.
US = 1_000_000


@lru_cache(maxsize=8192)
def day_start(day: date) -> int:
    """UTC epoch seconds of the local midnight at which an operating day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=CPT).timestamp())


def day_end(day: date) -> int:
    """UTC epoch seconds of the local midnight at which an operating day ends."""
    return day_start(day + timedelta(days=1))


def intervals_in(day: date) -> int:
    """Count of 15-minute intervals of an operating day: 92, 96 or 100."""
    return (day_end(day) - day_start(day)) // INTERVAL_S


def interval_ends(day: date) -> NDArray[np.int64]:
    """(n,) UTC epoch seconds at which the day's intervals end, ascending."""
    return np.arange(day_start(day) + INTERVAL_S, day_end(day) + 1, INTERVAL_S, dtype=np.int64)


def local(ts: int) -> datetime:
    """The instant as an aware datetime in Central Prevailing Time."""
    return datetime.fromtimestamp(ts, UTC).astimezone(CPT)


def day_of(ts: int) -> date:
    """The operating day that contains an instant (midnight belongs to the day it begins)."""
    return local(ts).date()


def day_of_interval(end: int) -> date:
    """The operating day of the interval that ends at ``end`` (midnight ends the day before)."""
    return day_of(end - INTERVAL_S)


def floor_interval(ts: int) -> int:
    """The instant rounded down to a whole interval."""
    return ts - ts % INTERVAL_S


def iso(ts: int) -> str:
    """ISO 8601 in Central Prevailing Time with its offset, ``2026-08-12T17:40:00-05:00``."""
    return local(ts).isoformat()


def instant_us(when: datetime) -> int:
    """Microseconds since the epoch of an aware datetime, exact (a float of seconds would round)."""
    whole = int(when.replace(microsecond=0).timestamp())
    return whole * US + when.microsecond


def local_us(at_us: int) -> datetime:
    """The instant in microseconds as an aware datetime in Central Prevailing Time, exact."""
    return local(at_us // US).replace(microsecond=at_us % US)


def days(first: date, last: date) -> list[date]:
    """Every operating day from first to last, both included."""
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


def epoch(when: datetime | str, *, place: str = "") -> int:
    """UTC epoch seconds of a local or offset-carrying instant.

    when: an ISO 8601 text (``2026-08-12T17:40``; with an offset if given) or a datetime; without an offset it is Central
    Prevailing Time, the first of two in the repeated hour. Raises MeterError for text that is no instant, and for a local
    time that the spring-forward night skips.
    """
    if isinstance(when, str):
        try:
            when = datetime.fromisoformat(when.strip())
        except ValueError:
            raise MeterError(
                "calendar.instant.malformed",
                f"'{when}' is not a date and time.",
                place=place,
                mend="Write it as 2026-08-12T17:40 (Central Prevailing Time) or with an offset.",
            ) from None
    if when.year not in YEARS:
        raise MeterError(
            "calendar.instant.range",
            f"{when.isoformat()} is out of range.",
            place=place,
            mend=f"Give a year from {YEARS.start} to {YEARS.stop - 1}.",
        )
    if when.tzinfo is not None:
        return int(when.timestamp())
    aware = when.replace(tzinfo=CPT)
    ts = int(aware.timestamp())
    if local(ts).replace(tzinfo=None) != when.replace(microsecond=0):
        raise MeterError(
            "calendar.instant.skipped",
            f"{when.isoformat()} does not exist: clocks go forward over it.",
            place=place,
            mend="Give a time outside 02:00-02:59 of that night.",
        )
    return ts


_US_DATE = re.compile(r"(\d{2})/(\d{2})/(\d{4})", re.ASCII)


def parse_us_date(text: str) -> date:
    """A date written MM/DD/YYYY as the SMT interfaces want it. Raises ValueError for anything else."""
    found = _US_DATE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    month, day, year = (int(part) for part in found.groups())
    return date(year, month, day)


def us_date(day: date) -> str:
    """MM/DD/YYYY."""
    return day.strftime("%m/%d/%Y")


def us_stamp(ts: int) -> str:
    """MM/DD/YYYY HH:MM:SS in Central Prevailing Time, without an offset (two instants of the repeated hour share one)."""
    return local(ts).strftime("%m/%d/%Y %H:%M:%S")
