"""Files that a load is replayed from: a customer's SMT interval CSV (portal export or delivery) or a plain CSV profile.

Both give quarter hours by their UTC start. Local times name the repeated autumn hour twice: there the order of the rows decides.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple, NoReturn

from meters.calendar import INTERVAL_S, Seconds, epoch, local, parse_us_date
from meters.errors import MeterError

#: The columns of an SMT file that are read here.
SMT_COLUMNS = (
    "ESIID",
    "USAGE_DATE",
    "USAGE_START_TIME",
    "USAGE_END_TIME",
    "USAGE_KWH",
    "CONSUMPTION_SURPLUSGENERATION",
)
#: What an SMT row says that it counts, by channel: delivered, received.
_SMT_KINDS = {"consumption": 0, "surplus generation": 1}
#: Units of a plain profile's columns: Wh of one.
_UNITS = {"wh": 1, "kwh": 1000}
#: Years that are taken, as everywhere at the wire.
_YEARS = (2000, 2099)
#: Most Wh of a quarter hour: 4 GW, and two of them still fit the arrays.
_MOST_WH = 1_000_000_000


class Quarters(NamedTuple):
    """Wh by the UTC start of each quarter hour."""

    delivered: dict[Seconds, int]
    received: dict[Seconds, int]


class _Row(NamedTuple):
    """One row: which channel (0 delivered, 1 received) had how many Wh, at a time with an offset or a local one."""

    line: int
    channel: int
    start: datetime
    wh: int


def read_quarters(path: Path) -> Quarters:
    """Read a file of either kind. Raises MeterError that names file and line for whatever it cannot take."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _collected(path, _rows(path, file))
    except OSError as error:
        raise MeterError(
            "meters.replay.unreadable",
            f"The file cannot be read: {error.strerror}.",
            place=str(path),
            mend="Name a CSV file that is there.",
        ) from None
    except (UnicodeDecodeError, csv.Error):
        raise MeterError(
            "meters.replay.not_csv", "This is not a CSV text.", place=str(path), mend="Save it as CSV in UTF-8."
        ) from None


def _collected(path: Path, rows: Iterator[_Row]) -> Quarters:
    """Put rows in their places: local times to instants, no quarter hour twice."""
    found = Quarters({}, {})
    for row in rows:
        ts = epoch(row.start, place=f"{path}:{row.line}")
        if ts % INTERVAL_S or row.start.microsecond:
            _refuse(
                path, row.line, "unaligned", f"{row.start} does not begin a quarter hour.", "Give 15-minute values."
            )
        channel = found[row.channel]
        if ts in channel and row.start.tzinfo is None and local(ts + 3600).time() == row.start.time():
            ts += 3600
        if ts in channel:
            _refuse(
                path, row.line, "duplicate", f"The interval of {row.start} has come before.", "Leave one of the two."
            )
        channel[ts] = row.wh
    return found


def _rows(path: Path, file: Iterable[str]) -> Iterator[_Row]:
    reader = csv.reader(file)
    header = [name.strip().upper() for name in next(reader, [])]
    if len({*header}) < len([name for name in header if name]):
        _refuse(path, 1, "header", "A column is there twice.", "Keep one of them.")
    filled = ((reader.line_num, row) for row in reader if any(cell.strip() for cell in row))
    if set(SMT_COLUMNS) <= set(header):
        return _smt_rows(path, filled, [header.index(name) for name in SMT_COLUMNS])
    if header[:1] == ["START"] and {"WH", "KWH"} & set(header):
        return _plain_rows(path, filled, [name.lower() for name in header])
    lacking = [name for name in SMT_COLUMNS if name not in header]
    if len(lacking) <= len(SMT_COLUMNS) // 2:
        _refuse(path, 1, "header", f"The SMT file lacks {', '.join(lacking)}.", "Export it anew, with every column.")
    if header[:1] == ["START"]:
        _refuse(path, 1, "header", "The profile has no energy.", "Name a column wh or kwh.")
    return _refuse(
        path,
        1,
        "header",
        "This is neither an SMT interval file nor a profile.",
        f"The first line is {','.join(SMT_COLUMNS[:3])},... or start,wh or start,kwh with received_wh or received_kwh.",
    )


def _smt_rows(path: Path, filled: Iterator[tuple[int, list[str]]], columns: list[int]) -> Iterator[_Row]:
    """Rows such as ``'10..,05/06/2026,05/07/2026 07:40:29, 00:00, 00:15,0.859,A,Consumption``."""
    esiid = ""
    for line, row in filled:
        owner, day, start, end, kwh, kind = _cells(path, line, row, columns)
        # Spreadsheets leave digits alone behind an apostrophe.
        owner = owner.lstrip("'")
        if esiid not in ("", owner):
            _refuse(path, line, "esiids", "The file has more than one ESI ID.", "Keep the rows of one.")
        esiid = owner
        if kind.lower() not in _SMT_KINDS:
            _refuse(path, line, "kind", f"'{kind}' is no channel.", "Write Consumption or Surplus Generation.")
        try:
            begins, ends = datetime.combine(parse_us_date(day), time.fromisoformat(start)), time.fromisoformat(end)
        except ValueError:
            _refuse(
                path, line, "time", f"'{day} {start} {end}' is no date and times.", "Write MM/DD/YYYY, HH:MM, HH:MM."
            )
        _check_year(path, line, begins)
        # Where the clock is changed, a file may count on or show the clock.
        if ends != (begins + timedelta(seconds=INTERVAL_S)).time():
            shown = local(epoch(begins, place=f"{path}:{line}") + INTERVAL_S).time()
            if ends != shown:
                _refuse(path, line, "unaligned", f"{start} to {end} is no quarter hour.", "Give 15-minute values.")
        yield _Row(line, _SMT_KINDS[kind.lower()], begins, _wh(path, line, kwh, 1000))


def _plain_rows(path: Path, filled: Iterator[tuple[int, list[str]]], names: list[str]) -> Iterator[_Row]:
    """Rows such as ``2026-05-06T00:00,859`` or, with an offset and both channels, ``2026-05-06T00:00-05:00,0.859,0``."""
    columns: list[int] = []
    factors: list[int] = []
    for prefix in ("", "received_"):
        units = [unit for unit in _UNITS if prefix + unit in names]
        if len(units) > 1:
            _refuse(path, 1, "header", "A channel is there in two units.", "Keep one of them.")
        columns += [names.index(prefix + unit) for unit in units]
        factors += [_UNITS[unit] for unit in units]
    for line, row in filled:
        start, *energies = _cells(path, line, row, [0, *columns])
        try:
            begins = datetime.fromisoformat(start)
        except ValueError:
            _refuse(path, line, "time", f"'{start}' is no date and time.", "Write it as 2026-05-06T00:00.")
        _check_year(path, line, begins)
        for channel, (energy, factor) in enumerate(zip(energies, factors, strict=True)):
            yield _Row(line, channel, begins, _wh(path, line, energy, factor))


def _check_year(path: Path, line: int, begins: datetime) -> None:
    if not _YEARS[0] <= begins.year <= _YEARS[1]:
        _refuse(path, line, "time", f"{begins} is not of {_YEARS[0]} to {_YEARS[1]}.", "Look at the date.")


def _cells(path: Path, line: int, row: list[str], columns: list[int]) -> list[str]:
    if len(row) <= max(columns):
        _refuse(path, line, "columns", f"There are {len(row)} columns.", f"{max(columns) + 1} are needed.")
    return [row[column].strip() for column in columns]


def _wh(path: Path, line: int, text: str, factor: int) -> int:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite():
        _refuse(
            path, line, "number", f"'{text}' is not a number.", "Write energy in digits, with a point for decimals."
        )
    if value < 0:
        _refuse(path, line, "negative", f"{text} is negative.", "A channel counts one direction: use the received one.")
    if value > _MOST_WH // factor:
        _refuse(path, line, "number", f"{text} is more than a quarter hour can hold.", "Look at the unit.")
    return round(value * factor)


def _refuse(path: Path, line: int, code: str, message: str, mend: str) -> NoReturn:
    raise MeterError(f"meters.replay.{code}", message, place=f"{path}:{line}", mend=mend)
