"""Interval data as the California Metering Exchange Protocol has it: a MEPMD01 record a line, its fourteen fields, then time, flag and value of each interval.

Sources: *California Metering Exchange Protocol* (1997; Southern California Edison's V4.1, 2013) as public readers and writers of its files have it. Times are
UTC and end their interval; a time that is left out is an interval after the one before it. Flags: none of validated values, R raw, E estimated, A adjusted, N no
value; digits after one are a vendor's. Units: KWH delivered, GKWH received, and with REG behind them the registers, which are none of an engine's answers.
The ESI ID is the sender's customer id, or the receiver's.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from meters.calendar import INTERVAL_S
from meters.errors import UserError

VERSION = "19970819"
_INTERVAL = "00000015"
_FIELDS = 14
#: LSE channel of a unit, and its Wh.
_UNITS = {"KWH": (4, 1000.0), "WH": (4, 1.0), "GKWH": (1, 1000.0), "GWH": (1, 1.0)}
UNIT_OF = {4: "KWH", 1: "GKWH"}
#: What an adjusted value was is not what was measured.
_STATUS = {"": "A", "R": "A", "E": "E", "A": "E"}
_CODE = "vee.score.cmep"


class Series(NamedTuple):
    """Values of a meter that follow one another: energy of intervals, or what its register showed at some instants."""

    esiid: str
    meter: str
    #: As in CMEP: KWH, GKWH, KWHREG, GKWHREG.
    unit: str
    #: UTC epoch seconds at which each value stands: the end of its interval.
    at: Sequence[int]
    #: Wh; None: no value.
    wh: Sequence[int | None]


def is_cmep(path: Path) -> bool:
    """Whether a file begins as one of these records does."""
    with path.open("rb") as file:
        return file.read(8).upper() == b"MEPMD01,"


def lines(sender: str, made: int, series: Iterable[Series]) -> Iterator[str]:
    """Raw values as records. sender: who sends them. made: UTC epoch seconds at which the file was made."""
    for one in series:
        times = map(_time, one.at)
        values = (",".join(("N", "") if wh is None else ("R", f"{wh / 1000:.3f}")) for wh in one.wh)
        data = ",".join(f"{time},{value}" for time, value in zip(times, values, strict=True))
        interval = "" if one.unit.endswith("REG") else _INTERVAL
        head = f"MEPMD01,{VERSION},{sender},{one.esiid},,,{_time(made)},{one.meter},OK,E,{one.unit},1.0,{interval}"
        yield f"{head},{len(one.wh)},{data}\n"


def read(path: Path) -> Any:
    """What an engine says of intervals, as a table: esiid, channel, start (UTC), wh, status (A or E). Raises UserError with the line of what is no record."""
    import pyarrow as pa

    esiids: list[str] = []
    channels: list[int] = []
    starts: list[int] = []
    energy: list[float] = []
    statuses: list[str] = []
    # It is ASCII: what is not stands in no field that counts, or is no number there.
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = csv.reader(file)
        try:
            for row in filter(None, rows):
                for channel, start, wh, status in _intervals(row):
                    esiids.append(row[3] or row[5])
                    channels.append(channel)
                    starts.append(start)
                    energy.append(wh)
                    statuses.append(status)
        except (ValueError, csv.Error) as error:
            mend = "Write MEPMD01 records of 15-minute intervals, with UTC times that end them."
            raise UserError(_CODE, f"{error}.", f"{path}, line {rows.line_num}", mend) from None
    columns = {"esiid": pa.array(esiids, pa.string()), "channel": pa.array(channels, pa.int64())}
    columns |= {"start": pa.array(starts, pa.int64()).cast(pa.timestamp("s", "UTC"))}
    columns |= {"wh": pa.array(energy, pa.float64()), "status": pa.array(statuses, pa.string())}
    return pa.table(columns)


def _intervals(row: list[str]) -> Iterator[tuple[int, int, float, str]]:
    """Channel, start, Wh and status of each value of a record. Raises ValueError with what is wrong with it."""
    if len(row) < _FIELDS or row[0].upper() != "MEPMD01":
        raise ValueError("This is no MEPMD01 record of fourteen fields and its values")
    unit = row[10].upper()
    if unit.endswith("REG"):
        return
    if unit not in _UNITS:
        raise ValueError(f"The unit '{row[10]}' is none of {', '.join(_UNITS)}, with or without REG")
    if row[12] not in ("", _INTERVAL):
        raise ValueError(f"The interval '{row[12]}' is not 15 minutes, {_INTERVAL}")
    data = row[_FIELDS:]
    if not row[13].isdigit() or len(data) != 3 * int(row[13]):
        raise ValueError(f"The count '{row[13]}' is not that of the values, of three fields each, that follow")
    channel, times = _UNITS[unit]
    constant = float(row[11] or 1)
    at: int | None = None
    for time, flag, value in zip(data[::3], data[1::3], data[2::3], strict=True):
        if time:
            at = int(datetime.strptime(time, "%Y%m%d%H%M").replace(tzinfo=UTC).timestamp())
        elif at is None:
            raise ValueError("The first value has no time")
        else:
            at += INTERVAL_S
        letter = flag[:1].upper()
        if letter == "N":
            continue
        if letter not in _STATUS:
            raise ValueError(f"The flag '{flag}' is none of R, E, A and N, nor empty")
        yield channel, at - INTERVAL_S, float(value) * constant * times, _STATUS[letter]


def _time(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y%m%d%H%M}"
