"""Central Prevailing Time at the edges, UTC epoch seconds inside, microseconds in simpy: the one place that converts.

An operating day is a local calendar day of 92, 96 or 100 intervals; an interval is named by its UTC end. An instant or a span is
``Seconds`` or ``Micros`` in every signature: ints as it runs, and two kinds of int to the type checker, which lets nobody take
one for the other. Both are made by ``seconds`` and ``micros``, of what has no unit yet.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NewType, Protocol, Self, TypeVar, overload
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from meters.errors import MeterError

if TYPE_CHECKING:
    # A NewType's sums would be bare ints again. These keep their unit, and take a bare number beside them but not each other.
    class _Number(Protocol):
        def conjugate(self) -> object: ...

    class _Whole(Protocol):
        def conjugate(self) -> int: ...

    class _Unit(int):
        conjugate: None  # type: ignore[assignment]  # which makes it neither of the two above

        def __add__(self, other: Self | _Whole, /) -> Self: ...
        def __radd__(self, other: Self | _Whole, /) -> Self: ...
        def __sub__(self, other: Self | _Whole, /) -> Self: ...
        def __rsub__(self, other: Self | _Whole, /) -> Self: ...
        def __mul__(self, other: _Whole, /) -> Self: ...
        def __rmul__(self, other: _Whole, /) -> Self: ...
        def __truediv__(self, other: Self | _Whole, /) -> float: ...
        def __rtruediv__(self, other: Self | _Whole, /) -> float: ...
        def __mod__(self, other: Self | _Whole, /) -> Self: ...
        def __rmod__(self, other: Self | _Whole, /) -> Self: ...
        def __neg__(self) -> Self: ...
        def __abs__(self) -> Self: ...
        def __lt__(self, other: Self | _Whole, /) -> bool: ...
        def __le__(self, other: Self | _Whole, /) -> bool: ...
        def __gt__(self, other: Self | _Whole, /) -> bool: ...
        def __ge__(self, other: Self | _Whole, /) -> bool: ...
        @overload  # type: ignore[override]
        def __floordiv__(self, other: Self, /) -> int: ...
        @overload
        def __floordiv__(self, other: _Whole, /) -> Self: ...
        def __floordiv__(self, other: Any, /) -> Any: ...
        def __rfloordiv__(self, other: Self | _Whole, /) -> int: ...

    class Seconds(_Unit): ...

    class Micros(_Unit): ...

    _U = TypeVar("_U", Seconds, Micros)

    def seconds(value: _Number, /) -> Seconds: ...
    def micros(value: _Number, /) -> Micros: ...
    def instants(first: _U, until: _U, step: _U, /) -> Sequence[_U]: ...
else:
    #: Whole seconds: an instant since the UTC epoch, or a span.
    Seconds = NewType("Seconds", int)
    #: Whole microseconds, which simpy counts: an instant since the UTC epoch, or a span.
    Micros = NewType("Micros", int)
    #: Of a bare number, cut to a whole one.
    seconds = micros = int
    #: Every ``step`` from ``first`` on, before ``until``.
    instants = range

#: Central Prevailing Time.
CPT = ZoneInfo("America/Chicago")
#: Length of an interval in seconds.
INTERVAL_S = seconds(900)
#: Years in which an instant that a user gives can lie.
YEARS = range(2000, 2100)
#: No world reaches so far.
LAST_DAY = date(2099, 12, 31)
_US = 1_000_000
_Array = TypeVar("_Array", bound=NDArray[Any])


@overload
def to_us(span: Seconds | _Whole) -> Micros: ...
@overload
def to_us(span: _Array) -> _Array: ...
def to_us(span: Any) -> Any:
    """Seconds, or a bare count or an array of them, in microseconds."""
    return span * _US


@overload
def to_s(span: Micros) -> Seconds: ...
@overload
def to_s(span: _Array) -> _Array: ...
def to_s(span: Any) -> Any:
    """Microseconds in whole seconds, rounded down."""
    return span // _US


def rounded_us(span: float) -> Micros:
    """A fraction of seconds in the nearest microsecond."""
    return micros(round(span * _US))


@overload
def fraction_s(span: Micros) -> float: ...
@overload
def fraction_s(span: NDArray[np.int64]) -> NDArray[np.float64]: ...
def fraction_s(span: Any) -> Any:
    """Microseconds in seconds and their fraction."""
    return span / _US


@lru_cache(maxsize=8192)
def day_start(day: date) -> Seconds:
    """UTC epoch seconds of the local midnight at which an operating day begins."""
    return seconds(datetime(day.year, day.month, day.day, tzinfo=CPT).timestamp())


@lru_cache(maxsize=8192)
def day_end(day: date) -> Seconds:
    """UTC epoch seconds of the local midnight at which an operating day ends."""
    return day_start(day + timedelta(days=1))


@lru_cache(maxsize=8192)
def intervals_in(day: date) -> int:
    """Count of 15-minute intervals of an operating day: 92, 96 or 100."""
    return (day_end(day) - day_start(day)) // INTERVAL_S


def interval_ends(day: date) -> NDArray[np.int64]:
    """(n,) UTC epoch seconds at which the day's intervals end, ascending."""
    return np.arange(day_start(day) + INTERVAL_S, day_end(day) + 1, INTERVAL_S, dtype=np.int64)


def ends_within(start: Seconds, end: Seconds) -> Sequence[Seconds]:
    """Where the intervals of [start, end), whole ones, end, ascending."""
    return instants(start + INTERVAL_S, end + 1, INTERVAL_S)


def local(ts: Seconds) -> datetime:
    """The instant as an aware datetime in Central Prevailing Time."""
    return _local(ts)


# The ends of a day's intervals are told of every meter.
@lru_cache(maxsize=1 << 14)
def _local(ts: int) -> datetime:
    return datetime.fromtimestamp(ts, CPT)


def day_of(ts: Seconds) -> date:
    """The operating day that contains an instant (midnight belongs to the day it begins)."""
    return local(ts).date()


def day_of_interval(end: Seconds) -> date:
    """The operating day of the interval that ends at ``end`` (midnight ends the day before)."""
    return day_of(end - INTERVAL_S)


def floor_interval(ts: Seconds) -> Seconds:
    """The instant rounded down to a whole interval."""
    return ts - ts % INTERVAL_S


def iso(ts: Seconds) -> str:
    """ISO 8601 in Central Prevailing Time with its offset, ``2026-08-12T17:40:00-05:00``."""
    return local(ts).isoformat()


def instant_us(when: datetime) -> Micros:
    """Microseconds since the epoch of an aware datetime, exact (a float of seconds would round)."""
    return to_us(seconds(when.replace(microsecond=0).timestamp())) + when.microsecond


def local_us(at_us: Micros) -> datetime:
    """The instant in microseconds as an aware datetime in Central Prevailing Time, exact."""
    return local(to_s(at_us)).replace(microsecond=at_us % _US)


def days(first: date, last: date) -> list[date]:
    """Every operating day from first to last, both included."""
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


def both(when: datetime) -> list[datetime]:
    """The two instants of a local time without an offset that an autumn night has twice; none of any other."""
    if when.tzinfo is not None:
        return []
    first, second = (when.replace(tzinfo=CPT, fold=fold) for fold in (0, 1))
    # In spring it is the other way round: there it is in neither.
    return [first, second] if first.timestamp() < second.timestamp() else []


def epoch(when: datetime | str, *, place: str = "") -> Seconds:
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
        return seconds(when.timestamp())
    aware = when.replace(tzinfo=CPT)
    ts = seconds(aware.timestamp())
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


def us_stamp(ts: Seconds) -> str:
    """MM/DD/YYYY HH:MM:SS in Central Prevailing Time, without an offset (two instants of the repeated hour share one)."""
    return local(ts).strftime("%m/%d/%Y %H:%M:%S")
