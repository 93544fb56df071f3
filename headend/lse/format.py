"""What an LSE file is made of: its name, its records, its result codes, its faults.

The file is Lodestar Enhanced; ``headend.lse.writer`` writes it, ``headend.lse.reader`` reads it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headend.ports import BoolArray, HeadEndError, IntArray, LongArray
from headend.vee.quality import Channel
from meters.calendar import Seconds, intervals_in, seconds

#: What SMT answers. File level F1, F2; per record 00 to 05. 04 and 05 need SMT's own state, so only SMT gives them.
RESULT_CODES: dict[str, str] = {
    "F1": f"more than {50_000:,} data records",
    "F2": "mandatory element missing",
    "00": "loaded",
    "01": "bad value",
    "02": "bad format",
    "03": "not a full day",
    "04": "future-dated",
    "05": "a more recent read is already held",
}
#: Most records of a file before it is refused as a whole (F1).
MOST_RECORDS = 50_000
#: Most intervals in one row.
MOST_TRIPLETS = 100
#: Local time without an offset.
STAMP = "%Y%m%d%H%M%S"

#: Sort codes of rows of intervals.
ROWS = re.compile(r"[1-9]\d{7}", re.ASCII)


@lru_cache(maxsize=1 << 16)
def wh_of(text: str) -> int:
    """Whole Wh of a kWh text. Raises ValueError whose argument is (result code, sentence)."""
    found = re.fullmatch(r"(-?)(\d*)(?:\.(\d*))?", text.strip(), re.ASCII)
    if not text.strip():
        raise ValueError("01", "there is no value; nulls are refused")
    if found is None or not (found[2] or found[3]):
        raise ValueError("02", f"'{text}' is not a number")
    thousandths = (found[3] or "").rstrip("0")
    if len(thousandths) > 3:
        raise ValueError("01", f"'{text}' is finer than a watt-hour")
    whole = found[2].lstrip("0")
    if len(whole) > 15:
        raise ValueError("01", "the number is beyond any meter")
    wh = int(whole + thousandths.ljust(3, "0"))
    return -wh if found[1] else wh


class FaultKind(NamedTuple):
    """What can be wrong with a field, and the mend. Under code 00 it is a warning."""

    field: str
    code: str
    what: str
    mend: str


def _fault_kinds() -> dict[tuple[str, str], FaultKind]:
    with Path(__file__).with_name("faults.csv").open(encoding="utf-8", newline="") as file:
        rows = [FaultKind(**row) for row in csv.DictReader(file)]
    return {(row.field, row.code): row for row in rows}


#: Every kind of fault and warning, by field and code.
FAULT_KINDS = _fault_kinds()


class Severity(StrEnum):
    """An error costs the record; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class DayKey(NamedTuple):
    """What a record is about."""

    esiid: str
    channel: Channel
    day: date


class Held(NamedTuple):
    """The latest revision that is held of a day, when that was made, and its registers in Wh."""

    revision: int
    posted_at: Seconds
    start_wh: int | None = None
    stop_wh: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LseRecord:
    """One operating day of one channel of one ESI ID, as SMT and ERCOT get it."""

    esiid: str
    channel: Channel
    day: date
    #: Registers at the two midnights in Wh, multiplied; None where none was read.
    start_reading_wh: int | None
    stop_reading_wh: int | None
    #: (92, 96 or 100,) Wh.
    wh: IntArray
    #: (intervals,) True for ``E``, False for ``A``.
    estimated: BoolArray
    #: When the record was made, UTC epoch seconds. The file holds it without an offset: in the repeated hour it reads as the first of two.
    posted_at: Seconds
    #: Line of the file at which it begins; 0 if it was not read from one.
    line: int = 0
    #: By which the file's readings were multiplied.
    multiplier: int = 1

    @property
    def key(self) -> DayKey:
        """What it is about."""
        return DayKey(self.esiid, self.channel, self.day)

    @property
    def place(self) -> str:
        """What names it in an error."""
        return f"{self.esiid} channel {int(self.channel)} {self.day}"


@dataclass(frozen=True, slots=True, eq=False)
class LseColumns:
    """Records as columns, (m,) each but for the intervals: what a file of 50,000 is read and written by. Units as of ``LseRecord``."""

    #: Digits as octets.
    esiid: NDArray[np.bytes_]
    channel: NDArray[np.uint8]
    #: datetime64[D]
    day: NDArray[np.datetime64]
    #: -1 where none was read.
    start_wh: LongArray
    stop_wh: LongArray
    #: (m, n) the day's own intervals, then zeros; n: 100, or as many as the longest of the days has.
    wh: IntArray
    estimated: BoolArray
    posted_at: LongArray
    line: LongArray
    multiplier: LongArray

    def __len__(self) -> int:
        """How many records."""
        return len(self.day)

    def __getitem__(self, rows: slice) -> LseColumns:
        """Some of them, as views."""
        return LseColumns(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})

    @classmethod
    def joined(cls, parts: Sequence[LseColumns]) -> LseColumns:
        """Parts behind each other, each with 100 columns of intervals; at least one part."""
        return cls(**{one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)})

    @classmethod
    def of(cls, records: Sequence[LseRecord]) -> LseColumns:
        """Records as columns. Raises HeadEndError for one that is not a full day."""
        shape = (len(records), MOST_TRIPLETS)
        wh, estimated = np.zeros(shape, np.int32), np.zeros(shape, np.bool_)
        for row, record in enumerate(records):
            count = len(record.wh)
            if count != intervals_in(record.day) or len(record.estimated) != count:
                message = f"{count} intervals given, the day has {intervals_in(record.day)}."
                raise HeadEndError("headend.lse.not_a_full_day", message, place=record.place)
            wh[row, :count], estimated[row, :count] = record.wh, record.estimated
        return cls(
            np.array([record.esiid.encode() for record in records], np.bytes_),
            np.array([record.channel for record in records], np.uint8),
            np.array([record.day for record in records], "datetime64[D]"),
            _readings(record.start_reading_wh for record in records),
            _readings(record.stop_reading_wh for record in records),
            wh,
            estimated,
            np.array([record.posted_at for record in records], np.int64),
            np.array([record.line for record in records], np.int64),
            np.array([record.multiplier for record in records], np.int64),
        )

    def records(self) -> Iterator[LseRecord]:
        """Each as a record, whose arrays are views."""
        columns = (
            self.esiid.astype(str),
            self.channel,
            self.day,
            self.start_wh,
            self.stop_wh,
            self.posted_at,
            self.line,
            self.multiplier,
        )
        for row, (esiid, channel, day, start, stop, at, *last) in enumerate(
            zip(*(one.tolist() for one in columns), strict=True)
        ):
            count = intervals_in(day)
            yield LseRecord(
                esiid,
                Channel(channel),
                day,
                None if start < 0 else start,
                None if stop < 0 else stop,
                self.wh[row, :count],
                self.estimated[row, :count],
                seconds(at),
                *last,
            )


def _readings(wh: Iterable[int | None]) -> LongArray:
    return np.array([-1 if one is None else one for one in wh], np.int64)


@dataclass(frozen=True, slots=True)
class LseFinding:
    """A fault of a file. What of the record was legible is beside it, for the result file."""

    code: str
    #: 1 is the first line; 0 is the file as a whole.
    line: int
    field: str
    message: str
    severity: Severity = Severity.ERROR
    #: Line at which the faulty record begins; 0 outside any record.
    record_line: int = 0
    esiid: str = ""
    channel: str = ""
    operating_day: str = ""

    @property
    def mend(self) -> str:
        """What its sender can do about it."""
        return FAULT_KINDS[self.field.rstrip("0123456789 "), self.code].mend


@dataclass(frozen=True, eq=False)
class LseFile:
    """What a file held: its whole and right records, and what was wrong. After F1 there are no records."""

    name: str
    columns: LseColumns
    findings: tuple[LseFinding, ...]

    @cached_property
    def records(self) -> tuple[LseRecord, ...]:
        """Each record by itself."""
        return tuple(self.columns.records())


def name_findings(name: str) -> Iterator[LseFinding]:
    """What is wrong with a file's name: F2, an error, whichever part it is.

    The name is a mandatory element like any other: it tells whose file it is, and a correction from what it corrects. DOMAIN §5 gives its
    parts without a doubt, so a bench that let a shorter counter pass would hide what SMT turns away.
    """
    fault = _name_fault(name)
    if fault:
        sentence = f"'{name[:120]}' {fault}; it must be <DUNS>IntervalData<ccyymmddhhmmss><3-digit counter>.lse"
        yield LseFinding("F2", 0, "file name", sentence)


def _name_fault(name: str) -> str:
    if ".lse" not in name or "csv" in name.lower():
        return "must contain .lse and must not contain csv"
    parts = re.fullmatch(r"(\d*)IntervalData(\d*)\.lse", name, re.ASCII)
    if parts is None:
        return "has other parts"
    duns, digits = parts[1], parts[2]
    if len(duns) not in (9, 13):
        return f"has a DUNS number of {len(duns)} digits instead of 9 or 13"
    if len(digits) != 17:
        return f"has {len(digits)} digits of time and counter instead of 14 and 3"
    try:
        datetime.strptime(digits[:14], STAMP)
    except ValueError:
        return f"has {digits[:14]} for a time"
    return ""
