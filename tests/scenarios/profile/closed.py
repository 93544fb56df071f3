"""What the vectors of time come to, in closed form: the calendar of the standard library and whole seconds, nothing of the product."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

CENTRAL = ZoneInfo("America/Chicago")
QUARTER_S, HOURS_48_S = 900, 48 * 3600


def central(instant: int) -> str:
    return datetime.fromtimestamp(instant, CENTRAL).isoformat()


def gap(vee_to: str, now: str) -> dict[str, Any]:
    """From where VEE data end to the last whole quarter hour, the latest 48 hours of elapsed time of it."""
    vee = round(datetime.fromisoformat(vee_to).timestamp())
    end = int(datetime.fromisoformat(now).timestamp()) // QUARTER_S * QUARTER_S
    if end <= vee:
        return {"intervals": 0, "uncovered": []}
    start = max(vee, end - HOURS_48_S)
    uncovered = [{"start": central(vee), "end": central(start)}] if start > vee else []
    edges = {"start": central(start), "end": central(end)}
    return edges | {"intervals": (end - start) // QUARTER_S, "uncovered": uncovered}


def midnight(day: date) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=CENTRAL).timestamp())


def slots(day: date) -> list[int]:
    """By the wall's clock: four of an hour that is there once, eight of one that comes twice, none of one that is left out.

    Four slots lie behind those of 01:00 for the hour that comes again (docs/portal-api.md).
    """
    hours = [datetime.fromtimestamp(at, CENTRAL) for at in range(midnight(day), midnight(day + timedelta(1)), 3600)]
    firsts = [hour.hour * 4 + (4 if hour.hour >= 2 or hour.fold else 0) for hour in hours]
    return [first + number for first in firsts for number in range(4)]


def day(on: str) -> dict[str, Any]:
    first = date.fromisoformat(on)
    begins, ends = midnight(first), midnight(first + timedelta(1))
    edges = {"begins": central(begins), "ends": central(ends)}
    return edges | {"intervals": (ends - begins) // QUARTER_S, "slots": slots(first)}


def quarter(on: str, number: int) -> dict[str, Any]:
    """Of a day's quarter hours one, from 1: where it ends, and its slot."""
    first = date.fromisoformat(on)
    return {"end": central(midnight(first) + number * QUARTER_S), "slot": slots(first)[number - 1]}


#: id, requirements, end of the VEE data, now.
GAPS: Sequence[tuple[str, str, str, str]] = (
    ("afternoon", "UC-N4", "2026-08-12T00:00:00-05:00", "2026-08-12T17:40:21-05:00"),
    ("afternoon-in-utc", "UC-N4", "2026-08-12T05:00:00+00:00", "2026-08-12T22:40:21+00:00"),
    ("on-the-quarter", "AMB-6", "2026-08-12T00:00:00-05:00", "2026-08-12T17:30:00-05:00"),
    ("a-second-before-it", "AMB-6", "2026-08-12T00:00:00-05:00", "2026-08-12T17:29:59-05:00"),
    ("a-microsecond-before-it", "AMB-6", "2026-08-12T00:00:00-05:00", "2026-08-12T17:29:59.999999-05:00"),
    ("one-quarter-hour", "AMB-6 UC-N4", "2026-08-12T17:30:00-05:00", "2026-08-12T17:45:00-05:00"),
    ("none-yet", "AMB-8", "2026-08-12T17:30:00-05:00", "2026-08-12T17:44:59-05:00"),
    ("posted-ahead", "AMB-8", "2026-08-13T00:00:00-05:00", "2026-08-12T17:40:00-05:00"),
    ("48-hours", "UC-N3 AMB-7", "2026-08-10T17:30:00-05:00", "2026-08-12T17:44:00-05:00"),
    ("a-quarter-hour-more", "UC-N3 AMB-7", "2026-08-10T17:15:00-05:00", "2026-08-12T17:44:00-05:00"),
    ("five-days", "UC-N3 AMB-7", "2026-08-08T00:00:00-05:00", "2026-08-12T17:40:00-05:00"),
    ("spring-day", "UC-N4", "2026-03-08T00:00:00-06:00", "2026-03-08T17:40:00-05:00"),
    ("spring-before-the-jump", "UC-N4 AMB-6", "2026-03-08T00:00:00-06:00", "2026-03-08T01:59:59-06:00"),
    ("spring-at-the-jump", "UC-N4 AMB-6", "2026-03-08T00:00:00-06:00", "2026-03-08T03:00:00-05:00"),
    ("spring-48-hours", "AMB-4 AMB-7", "2026-03-07T03:00:00-06:00", "2026-03-09T04:00:00-05:00"),
    ("spring-two-days-by-the-wall", "AMB-4 AMB-7", "2026-03-07T12:00:00-06:00", "2026-03-09T12:00:00-05:00"),
    ("spring-49-hours", "AMB-4 AMB-7", "2026-03-07T11:00:00-06:00", "2026-03-09T13:00:00-05:00"),
    ("autumn-day", "UC-N4", "2026-11-01T00:00:00-05:00", "2026-11-01T17:40:00-06:00"),
    ("autumn-hour-first", "UC-N4 AMB-6", "2026-11-01T00:00:00-05:00", "2026-11-01T01:20:00-05:00"),
    ("autumn-hour-again", "UC-N4 AMB-6", "2026-11-01T00:00:00-05:00", "2026-11-01T01:20:00-06:00"),
    ("autumn-48-hours", "AMB-4 AMB-7", "2026-10-31T13:00:00-05:00", "2026-11-02T12:00:00-06:00"),
    ("autumn-two-days-by-the-wall", "AMB-4 AMB-7", "2026-10-31T12:00:00-05:00", "2026-11-02T12:00:00-06:00"),
    ("autumn-from-within-the-hour", "AMB-4 UC-N4", "2026-11-01T01:30:00-06:00", "2026-11-01T09:07:00-06:00"),
)
#: Plain ones, both changes of the clocks in three years, a leap day, the year's last.
DAYS = (
    *("2026-08-12", "2024-02-29", "2026-12-31"),
    *("2026-03-08", "2026-11-01", "2025-03-09", "2025-11-02", "2027-03-14", "2027-11-07"),
)
#: By day the quarter hours around a change of the clocks, from 1.
QUARTERS = {
    "2026-08-12": (1, 8, 9, 96),
    "2026-03-08": (1, 8, 9, 12, 92),
    "2026-11-01": (1, 4, 5, 8, 9, 12, 13, 100),
}
