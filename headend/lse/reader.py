"""The reader of LSE files: each fault told with its line, field and result code; nothing in a file makes it raise.

Records that are canonical go through ``octets``, many at a time; whatever is not is taken in line by line, up to where the next one begins.
"""

from __future__ import annotations

import io
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np

from headend.lse.format import (
    MOST_RECORDS,
    MOST_TRIPLETS,
    RESULT_CODES,
    ROWS,
    STAMP,
    LseColumns,
    LseFile,
    LseFinding,
    LseRecord,
    Severity,
    name_findings,
    wh_of,
)
from headend.lse.octets import FIRST, LONGEST, MOST_WH, Rows, calendar, learn, read_rows
from headend.ports import HeadEndError
from headend.vee.quality import Channel
from meters.calendar import INTERVAL_S, Seconds, day_start, epoch, intervals_in, local
from meters.errors import MeterError, reason

_MOST_WH = np.iinfo(np.int32).max
#: Octets that are read at a time.
_CHUNK = 1 << 17
#: Octets of a line that are looked at.
_MOST_LINE = 1 << 23
#: Lines of a canonical record.
_LINES = 5
#: Records that were taken in line by line and are not handed on yet.
_KEPT_AT_MOST = 500


class _FaultError(Exception):
    """A field that is not right: result code, field, sentence."""

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(code, field, message)
        self.code, self.field, self.message = code, field, message


def _register(text: str, field: str) -> int | None:
    if not text:
        return None
    try:
        wh = wh_of(text)
    except ValueError as fault:
        raise _FaultError(fault.args[0], field, fault.args[1]) from None
    if wh < 0:
        raise _FaultError("01", field, f"'{text}' is no reading")
    return wh


def _multiplied(reading: int | None, multiplier: int, field: str) -> int | None:
    if reading is None:
        return None
    wh = reading * multiplier
    if wh > MOST_WH:
        raise _FaultError("01", field, f"{wh} Wh with the multiplier is more than any meter has counted")
    return wh


@lru_cache(maxsize=4096)
def _instant(text: str, field: str) -> Seconds:
    """UTC epoch seconds of a local YYYYMMDDHHMMSS."""
    try:
        if not re.fullmatch(r"\d{14}", text, re.ASCII):
            raise ValueError(text)
        return epoch(datetime.strptime(text, STAMP))
    except (ValueError, MeterError):
        raise _FaultError("02", field, f"'{text}' is no local time written YYYYMMDDHHMMSS") from None


@lru_cache(maxsize=4096)
def _full_day(start: str, stop: str) -> date:
    """The operating day from a start and a stop; the count of intervals is taken after conversion to UTC."""
    begins, ends = _instant(start, "start"), _instant(stop, "stop")
    ends += 1 if stop.endswith("59") else 60
    day = local(begins).date()
    if begins != day_start(day) or ends - begins != intervals_in(day) * INTERVAL_S:
        raise _FaultError("03", "start, stop", f"{start} to {stop} is not one operating day")
    return day


@dataclass(slots=True)
class _Draft:
    """A record while its rows come in."""

    line: int
    esiid: str = ""
    channel: str = ""
    operating_day: str = ""
    day: date | None = None
    readings: tuple[int | None, int | None] = (None, None)
    multiplier: int = 1
    posted_at: Seconds | None = None
    wh: list[int] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    #: The header row that was read last, 1 to 4.
    header: int = 1
    sort_code: int = 0
    faulty: bool = False


class _Reader:
    """The state of a reading: the record that is open, the finished ones, the findings."""

    def __init__(self, findings: list[LseFinding]) -> None:
        #: Those that were taken in line by line and not handed on yet.
        self.records: list[LseRecord] = []
        self.findings = findings
        self.draft: _Draft | None = None
        self.begun = 0
        #: Rows without a record are told once, then skipped up to the next 00000001.
        self.lost = False

    def tell(self, code: str, line: int, field: str, message: str, severity: Severity = Severity.ERROR) -> None:
        draft = self.draft
        about = (draft.line, draft.esiid, draft.channel, draft.operating_day) if draft else (0, "", "", "")
        # A file of garbage may have a line of megabytes.
        self.findings.append(LseFinding(code, line, field, message[:200], severity, *about))
        if draft and severity is Severity.ERROR:
            draft.faulty = True

    def blocks(self, stream: BinaryIO) -> Iterator[LseColumns]:
        """Take in a file: its records in their order, some at a time. What came before an F1 is void."""
        ahead, number = _Ahead(stream), 0
        while ahead.more():
            canonical = ahead.canonical(number, MOST_RECORDS - self.begun)
            if canonical is not None:
                self.finish(number + 1)
                yield from self._kept()
                self.begun += len(canonical)
                number += _LINES * len(canonical)
                yield canonical
                continue
            number += 1
            raw = ahead.line()
            if number == 1 and raw.startswith(BOM_UTF8):
                raw = raw.removeprefix(BOM_UTF8)
                self.tell("00", number, "file", "a byte order mark is left out", Severity.WARNING)
            text = raw.decode("ascii", errors="replace").rstrip("\r\n")
            if not raw.endswith(b"\n"):
                self._last_line(number, text)
                break
            if text.strip():
                self.row(number, text)
            if len(self.records) == _KEPT_AT_MOST:
                yield from self._kept()
            if self.begun > MOST_RECORDS:
                self.draft = None
                self.records.clear()
                # The file is refused whole: what single records lack does not matter any more.
                self.findings[:] = [one for one in self.findings if not one.record_line]
                self.tell("F1", number, "file", f"holds {RESULT_CODES['F1']}")
                return
        self.finish(number)
        yield from self._kept()
        if not self.begun and all(one.severity is Severity.WARNING for one in self.findings):
            self.tell("F2", number, "file", "holds no record")

    def _kept(self) -> Iterator[LseColumns]:
        """What was taken in line by line since the last time."""
        if self.records:
            yield LseColumns.of(self.records)
            self.records.clear()

    def _last_line(self, number: int, text: str) -> None:
        """Take in a last line without its line end: the record it ends may be whole, otherwise the file was cut here."""
        if self.whole():
            self.finish(number)
        before = len(self.findings)
        kept = len(self.records)
        about = self.draft
        self.row(number, text)
        about = self.draft or about
        self.finish(number)
        if len(self.records) == kept:
            del self.findings[before:]
            self.draft = about
            self.tell("F2", number, "file", "the file is cut inside a record")
            self.draft = None

    def row(self, line: int, text: str) -> None:
        """Take in one line."""
        fields = text.split(",")
        kind = fields[0].strip()
        try:
            if kind == "00000001":
                self.finish(line)
                self.draft, self.lost = _Draft(line), False
                self.begun += 1
                self._recorder(self.draft, line, fields)
            elif self.draft is None:
                if not self.lost:
                    self.lost = True
                    self.tell("F2", line, "sort code", f"row '{kind[:20]}' comes before any 00000001 row")
            elif kind in ("00000002", "00000003", "00000004"):
                self._header(self.draft, line, int(kind), fields)
            elif ROWS.fullmatch(kind):
                self._intervals(self.draft, line, int(kind), fields)
            else:
                raise _FaultError("02", "sort code", f"'{kind[:20]}' is no sort code")
        except _FaultError as fault:
            self.tell(fault.code, line, fault.field, fault.message)

    def _recorder(self, draft: _Draft, line: int, fields: list[str]) -> None:
        draft.esiid, draft.channel = [*fields[1:3], "", ""][:2]
        _count("00000001", fields, 7)
        for value, name in zip(fields[1:], ("ESIID", "channel", "start", "stop", "Y", "N"), strict=True):
            if not value:
                raise _FaultError("F2", name, "is empty")
        if not re.fullmatch(r"\d{17,22}", draft.esiid, re.ASCII):
            self.tell("01", line, "ESIID", f"'{draft.esiid}' is no ESI ID of 17 to 22 digits")
        if draft.channel not in ("1", "4"):
            self.tell("01", line, "channel", f"'{draft.channel}' is neither 1 (generation) nor 4 (load)")
        for value, flag in ((fields[5], "Y"), (fields[6], "N")):
            if value != flag:
                self.tell("01", line, flag, f"'{value}' must be {flag}")
        draft.operating_day = _iso_day(fields[3])
        draft.day = _full_day(fields[3], fields[4])

    def _header(self, draft: _Draft, line: int, kind: int, fields: list[str]) -> None:
        if kind != draft.header + 1:
            # The rows that follow belong to nothing.
            wanted = f"0000000{draft.header + 1} is missing or" if draft.header < 4 else f"0000000{kind} is"
            self.tell("F2", line, "sort code", f"row {wanted} out of its place")
            self.draft, self.lost = None, True
            return
        draft.header = kind
        if kind == 2:
            _count("00000002", fields, 13)
            if not fields[7]:
                raise _FaultError("F2", "interval length", "is empty")
            if fields[7] != str(INTERVAL_S):
                self.tell("01", line, "interval length", f"'{fields[7]}' must be {INTERVAL_S}")
            if fields[8] != "01":
                self.tell("00", line, "unit of measure", f"'{fields[8]}' should be 01 (kWh)", Severity.WARNING)
            if not re.fullmatch(r"(\d{1,6}(\.0*)?)?", fields[3], re.ASCII):
                raise _FaultError("01", "meter multiplier", f"'{fields[3]}' is no whole number")
            multiplier = draft.multiplier = int(fields[3].split(".")[0] or "1")
            start, stop = _register(fields[1], "start reading"), _register(fields[2], "stop reading")
            draft.readings = (
                _multiplied(start, multiplier, "start reading"),
                _multiplied(stop, multiplier, "stop reading"),
            )
        elif kind == 4:
            _count("00000004", fields, 3)
            if not fields[1]:
                raise _FaultError("F2", "timestamp", "is empty")
            draft.posted_at = _instant(fields[1], "timestamp")
            if fields[2] != "M":
                self.tell("00", line, "origin", f"'{fields[2]}' should be M", Severity.WARNING)

    def _intervals(self, draft: _Draft, line: int, sort_code: int, fields: list[str]) -> None:
        if draft.header != 4:
            self.tell("F2", line, "sort code", f"row 0000000{draft.header + 1} is missing")
            self.draft, self.lost = None, True
            return
        if sort_code <= draft.sort_code:
            self.tell("00", line, "sort code", f"{sort_code} does not ascend", Severity.WARNING)
        draft.sort_code = sort_code
        triplets, rest = divmod(len(fields) - 1, 3)
        if rest or not 1 <= triplets <= MOST_TRIPLETS:
            message = f"{len(fields) - 1} fields are not 1 to {MOST_TRIPLETS} times value,status,start-time"
            raise _FaultError("02", "intervals", message)
        already = len(draft.wh)
        try:
            wh = list(map(wh_of, fields[1::3]))
        except ValueError:
            wh = []
            for number, text in enumerate(fields[1::3], already + 1):
                try:
                    wh.append(wh_of(text))
                except ValueError as fault:
                    wh.append(0)
                    self.tell(fault.args[0], line, f"value {number}", fault.args[1])
        if min(wh) < 0 or max(wh) > _MOST_WH:
            at = next(index for index, one in enumerate(wh) if not 0 <= one <= _MOST_WH)
            self.tell("01", line, f"value {already + at + 1}", f"'{fields[1 + 3 * at]}' cannot be an interval's energy")
        marks = fields[2::3]
        if not {"A", "E"}.issuperset(marks):
            at = next(index for index, mark in enumerate(marks) if mark not in ("A", "E"))
            self.tell("01", line, f"status {already + at + 1}", f"'{marks[at]}' is neither A nor E")
        for index, text in enumerate(fields[3::3]):
            if text:
                _instant(text, f"start-time {already + index + 1}")
        draft.wh += wh
        draft.marks += marks

    def whole(self) -> bool:
        """Whether the open record lacks nothing."""
        draft = self.draft
        return (
            draft is not None
            and not draft.faulty
            and draft.header == 4
            and draft.day is not None
            and len(draft.wh) == intervals_in(draft.day)
        )

    def finish(self, line: int) -> None:
        """Close the open record: keep it if it is whole, tell what it lacks otherwise. line: where its end was seen."""
        draft = self.draft
        if draft is None:
            return
        if self.whole():
            assert draft.day is not None
            assert draft.posted_at is not None
            wh = np.array(draft.wh, dtype=np.int32)
            late = np.array([mark == "E" for mark in draft.marks], dtype=np.bool_)
            channel = Channel(int(draft.channel))
            made = (*draft.readings, wh, late, draft.posted_at, draft.line, draft.multiplier)
            self.records.append(LseRecord(draft.esiid, channel, draft.day, *made))
        elif not draft.faulty:
            if draft.header < 4 or not draft.wh:
                lacks = f"0000000{draft.header + 1}" if draft.header < 4 else "10000000"
                self.tell("F2", line, "sort code", f"row {lacks} is missing")
            elif draft.day is not None:
                message = f"{len(draft.wh)} intervals, {draft.day} has {intervals_in(draft.day)}"
                self.tell("03", draft.line, "intervals", message)
        self.draft = None


def _count(kind: str, fields: list[str], wanted: int) -> None:
    if len(fields) != wanted:
        raise _FaultError("02", "fields", f"row {kind} has {len(fields)} fields instead of {wanted}")


@lru_cache(maxsize=4096)
def _iso_day(stamp: str) -> str:
    try:
        return datetime.strptime(stamp[:8], "%Y%m%d").date().isoformat()
    except ValueError:
        return ""


class _Ahead:
    """A file's octets, some of them in memory: canonical records, or a line, are taken from where it stands."""

    def __init__(self, stream: BinaryIO) -> None:
        """Stand at the beginning, before the first is read."""
        self._stream = stream
        # The zeros behind are what the kernel may look at beyond the end.
        self._octets = bytearray(_CHUNK + LONGEST)
        self._at = self._end = 0
        self._ended = False
        self._rows = Rows.room(_CHUNK // LONGEST)

    def more(self) -> bool:
        """Whether there is anything yet; as much of it then lies in memory as a canonical record has."""
        if self._end - self._at < LONGEST:
            self._fill()
        return self._at < self._end

    def _fill(self) -> None:
        """Read on, behind what was not yet taken; where that leaves no room, in twice as much of it."""
        if self._ended:
            return
        left = self._octets[self._at : self._end]
        if len(left) + LONGEST > len(self._octets) // 2:
            self._octets = bytearray(2 * len(self._octets))
        self._octets[: len(left)] = left
        self._at, self._end, most = 0, len(left), len(self._octets) - LONGEST
        while self._end < most and not self._ended:
            some = self._stream.read(most - self._end)
            self._octets[self._end : self._end + len(some)] = some
            self._end, self._ended = self._end + len(some), not some
        self._octets[self._end : self._end + LONGEST] = bytes(LONGEST)

    def canonical(self, lines_before: int, most: int) -> LseColumns | None:
        """The canonical records that come next and lie in memory, at most so many; None: what comes next is none. lines_before: of the file."""
        if not self._octets.startswith(FIRST, self._at):
            return None
        octets, days, rows = np.frombuffer(self._octets, np.uint8), calendar(), self._rows
        count, most = 0, min(most, len(rows.day))
        while True:
            count, at, unknown = read_rows(octets, self._at, self._end, self._ended, days, rows, count, most)
            self._at = int(at)
            if unknown < 0:
                break
            learn(days, int(unknown))
        if not count:
            return None
        # What is handed on is nobody else's, for the room is used again.
        kept = Rows._make(column[:count].copy() for column in rows)
        esiid, day = kept.esiid.view("S22")[:, 0], kept.day.view("datetime64[D]")
        lines = lines_before + 1 + _LINES * np.arange(count)
        return LseColumns(esiid, kept.channel, day, *kept[3:], lines, np.ones(count, np.int64))

    def line(self) -> bytes:
        """The next line with its end; the last one may have none. Of one that is longer than any that could be right, its beginning."""
        beginning = b""
        end = self._octets.find(b"\n", self._at, self._end)
        while end < 0 and not self._ended:
            if self._end - self._at > _MOST_LINE:
                beginning = beginning or bytes(self._octets[self._at : self._at + _MOST_LINE])
                self._at = self._end
            looked = self._end - self._at
            self._fill()
            end = self._octets.find(b"\n", self._at + looked, self._end)
        end = self._end if end < 0 else end + 1
        line, self._at = bytes(self._octets[self._at : end]), end
        return beginning + line[-2:] if beginning else line


def blocks(stream: BinaryIO, name: str, findings: list[LseFinding]) -> Iterator[LseColumns]:
    """Read a file a stretch at a time, in constant memory: its right records in their order; what is wrong is put to ``findings`` as it is found.

    After an F1 among them, none of the file's records counts.
    """
    reader = _Reader(findings)
    findings.extend(name_findings(name))
    return reader.blocks(stream)


def read(source: Path | bytes, name: str) -> LseFile:
    """Read a whole file; never raises for what is in it.

    source: a path, or the content. A record with an error is not among ``records``; the file's other records are. A cut file is F2 at its
    last line, unless it was cut exactly between two records, which this format cannot show. Raises HeadEndError if the file cannot be opened.
    """
    findings: list[LseFinding] = []
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb", buffering=0) as stream:
            parts = [LseColumns.of([]), *blocks(stream, name, findings)]
    except OSError as error:
        mend = "Check the path and its permissions."
        raise HeadEndError("headend.lse.unreadable", f"{reason(error)}.", place=str(source), mend=mend) from None
    void = any(finding.code == "F1" for finding in findings)
    return LseFile(name, LseColumns.joined(parts[:1] if void else parts), tuple(findings))
