"""LSE files read once more, from ``docs/lse-format.md`` alone: which records are right, and what they hold. It explains nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

CENTRAL = ZoneInfo("America/Chicago")
_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)", re.ASCII)
_MOST = Fraction("2147483.647")


class PlainRecord(NamedTuple):
    """A right record; kWh as they stand, readings multiplied."""

    esiid: str
    channel: str
    day: str
    readings: tuple[Fraction | None, Fraction | None]
    kwh: list[Fraction]
    statuses: list[str]


def right_records(content: bytes) -> dict[int, PlainRecord]:
    """The right records of a file by the lines at which they begin. content: at most 50,000 records."""
    found = {}
    blocks = list(_blocks(content))
    if blocks and not content.endswith(b"\n") and _record(blocks[-1][1]) is None:
        # What a cut has left of a line costs no record that is whole before it.
        blocks[-1][1].pop()
    for line, rows in blocks:
        record = _record(rows)
        if record is not None:
            found[line] = record
    return found


def _blocks(content: bytes) -> Iterator[tuple[int, list[list[str]]]]:
    """The rows of each record, and its first line."""
    line, rows = 0, list[list[str]]()
    text = content.removeprefix(b"\xef\xbb\xbf").decode("ascii", "replace")
    for number, row in enumerate(text.split("\n"), 1):
        fields = row.rstrip("\r\n").split(",")
        if fields[0].strip() == "00000001":
            if rows:
                yield line, rows
            line, rows = number, [fields]
        elif rows and row.strip():
            rows.append(fields)
    if rows:
        yield line, rows


def _record(rows: list[list[str]]) -> PlainRecord | None:
    kinds = [fields[0].strip() for fields in rows]
    if kinds[:4] != ["00000001", "00000002", "00000003", "00000004"] or len(rows) < 5:
        return None
    intervals = rows[4:]
    if not all(re.fullmatch(r"[1-9][0-9]{7}", kind) for kind in kinds[4:]):
        return None
    if [len(rows[at]) for at in (0, 1, 3)] != [7, 13, 3]:
        return None
    if not all(4 <= len(fields) <= 301 and len(fields) % 3 == 1 for fields in intervals):
        return None
    _, esiid, channel, start, stop, local, validated = rows[0]
    if not (re.fullmatch(r"[0-9]{17,22}", esiid) and channel in ("1", "4") and (local, validated) == ("Y", "N")):
        return None
    count = _count(start, stop)
    readings = _readings(*rows[1][1:4])
    triplets = [fields[at : at + 3] for fields in intervals for at in range(1, len(fields), 3)]
    if (
        count is None
        or readings is None
        or rows[1][7] != "900"
        or _instant(rows[3][1]) is None
        or len(triplets) != count
    ):
        return None
    kwh = [_kwh(value) for value, _, _ in triplets]
    if any(one is None or one > _MOST for one in kwh) or any(status not in ("A", "E") for _, status, _ in triplets):
        return None
    if any(begins and _instant(begins) is None for _, _, begins in triplets):
        return None
    return PlainRecord(
        esiid, channel, start[:8], readings, [one for one in kwh if one is not None], [one[1] for one in triplets]
    )


def _count(start: str, stop: str) -> int | None:
    """How many quarter hours the day has; None for what is no day."""
    begins = _instant(start)
    if begins is None or not start.endswith("000000") or stop not in (f"{start[:8]}235900", f"{start[:8]}235959"):
        return None
    day = datetime.strptime(start[:8], "%Y%m%d")
    midnights = [(day + timedelta(days=after)).replace(tzinfo=CENTRAL).astimezone(UTC) for after in (0, 1)]
    return (midnights[1] - midnights[0]) // timedelta(minutes=15)


def _instant(text: str) -> datetime | None:
    """A local time that there is, of this market's years."""
    if not re.fullmatch(r"[0-9]{14}", text):
        return None
    try:
        at = datetime.strptime(text, "%Y%m%d%H%M%S")
    except ValueError:
        return None
    there = at.replace(tzinfo=CENTRAL).astimezone(UTC).astimezone(CENTRAL).replace(tzinfo=None)
    return at if there == at and 2000 <= at.year <= 2099 else None


def _readings(start: str, stop: str, multiplier: str) -> tuple[Fraction | None, Fraction | None] | None:
    if not re.fullmatch(r"([0-9]{1,6}(\.0*)?)?", multiplier):
        return None
    found = []
    for text in (start, stop):
        kwh = _kwh(text) if text else None
        if text and (kwh is None or kwh * Fraction(multiplier or 1) > 10**12):
            return None
        found.append(None if kwh is None else kwh * Fraction(multiplier or 1))
    return found[0], found[1]


def _kwh(text: str) -> Fraction | None:
    """Whole watt-hours that are not negative; None for anything else."""
    if not _NUMBER.fullmatch(text.strip()):
        return None
    kwh = Fraction(text.strip())
    return kwh if kwh >= 0 and (kwh * 1000).denominator == 1 else None
