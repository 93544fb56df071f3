"""How pages write energy, money and Central time. Pure; used by code and, as filters, by templates."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal

from meters.calendar import INTERVAL_S, Seconds, day_start, intervals_in, local, seconds

#: Intervals of the day on which the clocks go back, which has its second hour twice.
_LONG_DAY = 100
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d:\d\d")


def kwh(wh: int) -> str:
    """Whole Wh as kWh with three decimals, thousands apart: ``1,234.500``; nothing is rounded."""
    sign, rest = ("-", -wh) if wh < 0 else ("", wh)
    return f"{sign}{rest // 1000:,}.{rest % 1000:03d}"


def money(dollars: Decimal) -> str:
    """Dollars to the cent: ``$1,234.50``, ``-$0.20``."""
    return f"{'-' if dollars < 0 else ''}${abs(dollars):,.2f}"


def dollars(value: float) -> str:
    """Dollars beside a line of a chart, without noughts at their end: ``$150``, ``-$0.5``."""
    return f"{'-' if value < 0 else ''}${abs(value):,g}"


def instant(ts: Seconds) -> str:
    """An instant in Central time with its zone: ``Wed Aug 12 17:40 CDT``. ts: UTC epoch seconds."""
    return f"{local(ts):%a %b %d %H:%M %Z}"


def by_the_clock(text: str) -> str:
    """A sentence whose instants of ISO 8601 are written as ``instant`` does."""
    return _ISO.sub(lambda found: instant(_ts(found[0])), text)


def stamp(text: str) -> str:
    """A text whose instants of ISO 8601 are written in Central time to the second, by date: ``2026-08-12 17:40:05 CDT``."""
    return _ISO.sub(lambda found: f"{local(_ts(found[0])):%Y-%m-%d %H:%M:%S %Z}", text)


def _ts(iso: str) -> Seconds:
    return seconds(datetime.fromisoformat(iso).timestamp())


def clock(ts: Seconds) -> str:
    """The time of day, to the second: ``17:40:05 CDT``. ts: UTC epoch seconds."""
    return f"{local(ts):%H:%M:%S %Z}"


def named_day(day: date) -> str:
    """A day: ``Wed Aug 12 2026``."""
    return f"{day:%a %b %d %Y}"


def begins(day: date) -> list[str]:
    """When each interval of a day begins, in order of time: ``17:15``; with its zone in the hour that comes twice."""
    count = intervals_in(day)
    starts = (local(day_start(day) + index * INTERVAL_S) for index in range(count))
    return [f"{at:%H:%M %Z}" if count == _LONG_DAY and at.hour == 1 else f"{at:%H:%M}" for at in starts]


def spaced(name: str) -> str:
    """A field's name as words: ``meterSerialNumber`` is ``Meter serial number``, ``esiid`` is ``ESI ID``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("esiid", "ESI ID").split(" ")
    first, *rest = (word if word.isupper() or word[:2].isupper() else word.lower() for word in words)
    return " ".join([first[0].upper() + first[1:], *rest])


FILTERS = {"kwh": kwh, "money": money, "instant": instant, "stamp": stamp, "clock": clock, "named_day": named_day, "spaced": spaced}  # fmt: skip
