"""LSE files (Lodestar Enhanced): names, writer, result files; the reader and the records are passed on from their own modules.

One record is one ESI ID, channel and operating day. Energy is whole Wh here and kWh with three decimals in the file.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from typing import BinaryIO

import numpy as np

from headend.lse.format import MOST_RECORDS, RESULT_CODES, STAMP, LseColumns, LseFile, LseFinding, LseRecord, Severity
from headend.lse.octets import LONGEST, OctetArray, Rows, write_rows
from headend.lse.reader import read
from headend.ports import HeadEndError, total_wh
from headend.vee.quality import Channel, IntervalStatus
from headend.vee.records import VeeDay
from meters.calendar import Seconds, intervals_in, local, seconds

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
    "file_names",
    "from_vee",
    "read",
    "read_result_csv",
    "result_csv",
    "write",
]


#: Records that are written at a time, and the most digits of an ESI ID that there is room for.
_AT_ONCE, _MOST_DIGITS = 1024, 22


def file_name(duns: str, created_at: Seconds, counter: int) -> str:
    """``<DUNS>IntervalData<ccyymmddhhmmss><counter>.lse``. created_at: UTC epoch seconds; counter 0-999 tells files of one second apart."""
    if not re.fullmatch(r"\d{9}|\d{13}", duns, re.ASCII):
        raise HeadEndError("headend.lse.duns", f"'{duns}' is no DUNS number.", mend="Give 9 or 13 digits.")
    if not 0 <= counter <= 999:
        raise HeadEndError("headend.lse.counter", f"Counter {counter} has no three digits.", mend="Use 0 to 999.")
    return f"{duns}IntervalData{_stamp(created_at)}{counter:03d}.lse"


def file_names(duns: str, created_at: Seconds, number: int = 1) -> Iterator[str]:
    """Names to be taken in this order: their three digits count up from the last ones of ``number``, second after second from the one given on."""
    for second in itertools.count(created_at):
        for counter in range(number, number + 1000):
            yield file_name(duns, seconds(second), counter % 1000)


@lru_cache(maxsize=4096)
def _stamp(at: Seconds) -> str:
    return local(at).strftime(STAMP)


def write(records: Iterable[LseRecord] | LseColumns, out: BinaryIO) -> int:
    """Write records, the intervals of each in one row. Returns how many. Raises HeadEndError for a record that is not a full day."""
    count, octets = 0, np.empty(_AT_ONCE * LONGEST, np.uint8)
    for columns in _stretches(records):
        for row in np.flatnonzero((columns.wh < 0).any(axis=1))[:1].tolist():
            (record,) = columns[row : row + 1].records()
            raise HeadEndError("headend.lse.negative", "A negative interval cannot be posted.", place=record.place)
        days, day = np.unique(columns.day, return_inverse=True)
        instants, posted_at = np.unique(columns.posted_at, return_inverse=True)
        digits = np.ascontiguousarray(columns.esiid).view(np.uint8).reshape(len(columns), -1)
        if digits.shape[1] > _MOST_DIGITS:
            esiid = max(columns.esiid.tolist(), key=len).decode()
            raise HeadEndError("headend.lse.esiid", f"'{esiid[:40]}' is no ESI ID.", mend="Give 17 to 22 digits.")
        rows = Rows(
            digits, columns.channel, day, columns.start_wh, columns.stop_wh, columns.wh, columns.estimated, posted_at
        )
        counts = np.array([intervals_in(one) for one in days.tolist()])
        if counts.max() > columns.wh.shape[1]:
            message = f"{columns.wh.shape[1]} intervals given, a day has {counts.max()}."
            raise HeadEndError("headend.lse.not_a_full_day", message)
        texts = _as_octets([one.strftime("%Y%m%d") for one in days.tolist()])
        size = write_rows(rows, counts, texts, _as_octets([_stamp(seconds(one)) for one in instants.tolist()]), octets)
        out.write(octets[:size].data)
        count += len(columns)
    return count


def _stretches(records: Iterable[LseRecord] | LseColumns) -> Iterator[LseColumns]:
    if isinstance(records, LseColumns):
        yield from (records[at : at + _AT_ONCE] for at in range(0, len(records), _AT_ONCE))
        return
    left = iter(records)
    while some := list(islice(left, _AT_ONCE)):
        yield LseColumns.of(some)


def _as_octets(texts: list[str]) -> OctetArray:
    return np.frombuffer("".join(texts).encode(), np.uint8).reshape(len(texts), -1)


def dumps(records: Iterable[LseRecord] | LseColumns) -> bytes:
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
