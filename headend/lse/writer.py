"""LSE files (Lodestar Enhanced): names, writer, result files; the reader and the records are passed on from their own modules.

One record is one ESI ID, channel and operating day. Energy is whole Wh here and kWh with three decimals in the file.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import BinaryIO

from headend.lse.format import MOST_RECORDS, RESULT_CODES, STAMP, LseFile, LseFinding, LseRecord, Severity
from headend.lse.reader import read
from headend.ports import HeadEndError, total_wh
from headend.vee.quality import Channel, IntervalStatus
from headend.vee.records import VeeDay
from meters.calendar import INTERVAL_S, Seconds, intervals_in, local

__all__ = [
    "MOST_RECORDS",
    "RESULT_CODES",
    "RESULT_SUFFIX",
    "LseFile",
    "LseFinding",
    "LseRecord",
    "ResultRow",
    "Severity",
    "dumps",
    "file_name",
    "from_vee",
    "read",
    "read_result_csv",
    "result_csv",
    "write",
]


def file_name(duns: str, created_at: Seconds, counter: int) -> str:
    """``<DUNS>IntervalData<ccyymmddhhmmss><counter>.lse``. created_at: UTC epoch seconds; counter 0-999 tells files of one second apart."""
    if not re.fullmatch(r"\d{9}|\d{13}", duns, re.ASCII):
        raise HeadEndError("headend.lse.duns", f"'{duns}' is no DUNS number.", mend="Give 9 or 13 digits.")
    if not 0 <= counter <= 999:
        raise HeadEndError("headend.lse.counter", f"Counter {counter} has no three digits.", mend="Use 0 to 999.")
    return f"{duns}IntervalData{_stamp(created_at)}{counter:03d}.lse"


@lru_cache(maxsize=1 << 16)
def _kwh(wh: int) -> str:
    return f"{wh // 1000}.{wh % 1000:03d}"


@lru_cache(maxsize=4096)
def _stamp(at: Seconds) -> str:
    return local(at).strftime(STAMP)


@lru_cache(maxsize=1 << 16)
def _triplet(wh: int, estimated: bool) -> str:
    return f"{_kwh(wh)},{'E' if estimated else 'A'},"


def write(records: Iterable[LseRecord], out: BinaryIO) -> int:
    """Write records, the intervals of each in one row. Returns how many. Raises HeadEndError for a record that is not a full day."""
    count = 0
    for record in records:
        place = f"{record.esiid} channel {int(record.channel)} {record.day}"
        if len(record.wh) != intervals_in(record.day) or len(record.estimated) != len(record.wh):
            message = f"{len(record.wh)} intervals given, the day has {intervals_in(record.day)}."
            raise HeadEndError("headend.lse.not_a_full_day", message, place=place)
        if (record.wh < 0).any():
            raise HeadEndError("headend.lse.negative", "A negative interval cannot be posted.", place=place)
        day = record.day.strftime("%Y%m%d")
        readings = [
            "" if reading is None else _kwh(reading) for reading in (record.start_reading_wh, record.stop_reading_wh)
        ]
        triplets = ",".join(map(_triplet, record.wh.tolist(), record.estimated.tolist()))
        out.write(
            f"00000001,{record.esiid},{int(record.channel)},{day}000000,{day}235900,Y,N\n"
            f"00000002,{readings[0]},{readings[1]},1,0,1,0,{INTERVAL_S},01,,,,\n"
            "00000003,\n"
            f"00000004,{_stamp(record.posted_at)},M\n"
            f"10000000,{triplets}\n".encode("ascii")
        )
        count += 1
    return count


def dumps(records: Iterable[LseRecord]) -> bytes:
    """The content of a file with these records."""
    out = io.BytesIO()
    write(records, out)
    return out.getvalue()


def from_vee(vee: VeeDay, posted_at: Seconds) -> list[LseRecord]:
    """The records of a VEE'd day: per ESI ID the consumption, then the generation channel where there is generation.

    Of several meters at an ESI ID the sum, intervals and readings alike: estimated where one is, without a reading that one lacks.
    """
    records = []
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, meter in enumerate(vee.meters):
        rows_of[meter.esiid].append(row)
    for esiid, rows in rows_of.items():
        for channel in (Channel.LOAD, Channel.GENERATION):
            side = vee.channel(channel)
            shown = (side.wh[rows], side.start_wh[rows], side.stop_wh[rows])
            if channel is Channel.GENERATION and not any(part.any() for part in shown):
                continue
            records.append(
                LseRecord(
                    esiid,
                    channel,
                    vee.day,
                    int(side.start_wh[rows].sum()) if side.have_start[rows].all() else None,
                    int(side.stop_wh[rows].sum()) if side.have_stop[rows].all() else None,
                    total_wh(side.wh[rows]),
                    (side.status[rows] == IntervalStatus.ESTIMATED).any(axis=0),
                    posted_at,
                )
            )
    return records


@dataclass(frozen=True, slots=True)
class ResultRow:
    """SMT's answer to one record, or to the file (line 0)."""

    line: int
    esiid: str
    channel: str
    #: ISO date, empty if it was not legible.
    operating_day: str
    code: str
    text: str
    #: What is doubtful of it and cost it nothing; of the whole file, in its first row.
    warnings: str = ""


_RESULT_COLUMNS = ("line", "esiid", "channel", "operating_day", "code", "text", "warnings")


#: What SMT appends to a file's name for its result codes [D].
RESULT_SUFFIX = ".result.csv"


def result_csv(name: str, rows: Iterable[ResultRow]) -> tuple[str, bytes]:
    """The result file of an LSE file: its name ``<name>.result.csv`` and its content."""
    out = io.StringIO(newline="")
    table = csv.writer(out, lineterminator="\n")
    table.writerow(_RESULT_COLUMNS)
    table.writerows(attrgetter(*_RESULT_COLUMNS)(row) for row in rows)
    # What is quoted of a file of garbage may hold them, and no reader of CSV takes them for a part of a field.
    return name + RESULT_SUFFIX, out.getvalue().translate({0: " ", 13: " "}).encode()


def read_result_csv(content: bytes) -> list[ResultRow]:
    """The rows of a result file, of a site that gives warnings or of one that does not. Raises HeadEndError for one that is none."""
    lines = list(csv.reader(io.StringIO(content.decode(errors="replace"), newline="")))
    columns = tuple(lines[0]) if lines else ()
    if columns not in (_RESULT_COLUMNS, _RESULT_COLUMNS[:-1]):
        mend = f"Its first line must be {','.join(_RESULT_COLUMNS)}."
        raise HeadEndError("headend.lse.result_malformed", "This is no result file.", mend=mend)
    rows = []
    for number, fields in enumerate(lines[1:], 2):
        if len(fields) != len(columns) or not re.fullmatch(r"\d{1,9}", fields[0], re.ASCII):
            raise HeadEndError("headend.lse.result_malformed", "A row is malformed.", place=f"line {number}")
        rows.append(ResultRow(int(fields[0]), *fields[1:]))
    return rows
