"""Every fault and warning of a file, as SMT would find them: by the same reader, decision and warnings, without a site."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headend.lse.format import DayKey, Held, LseFile, LseFinding, LseRecord, Severity
from headend.lse.reader import read
from headend.lse.warned import warnings_of
from headend.ports import HeadEndError
from meters.calendar import Seconds, epoch, seconds
from meters.errors import reason
from simulator.smt.registry.registry import Registry
from simulator.smt.usage.intake import decide

#: By which name standard input is told.
STDIN = Path("-")
_FILE_NAME = "file name"
#: The field that a site's refusal of a record is about, by its code.
_FIELDS = {"01": "ESIID", "04": "stop, timestamp", "05": "timestamp"}


@dataclass(frozen=True, slots=True)
class Holds:
    """What is held already: of which days, and which octets under which name."""

    days: Mapping[DayKey, Held]
    octets: Mapping[bytes, str]


@dataclass(frozen=True, slots=True)
class Checked:
    """A file, its right records and all that was found."""

    file: str
    right: int
    findings: list[LseFinding]

    @property
    def faults(self) -> int:
        """How many cost their record, or the file."""
        return sum(one.severity is Severity.ERROR for one in self.findings)

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "file": self.file,
            "right_records": self.right,
            "faults": self.faults,
            "warnings": len(self.findings) - self.faults,
            "findings": [
                {
                    "severity": one.severity.value,
                    "code": one.code,
                    "line": one.line,
                    "field": one.field,
                    "record_line": one.record_line,
                    "esiid": one.esiid,
                    "channel": one.channel,
                    "operating_day": one.operating_day,
                    "message": one.message,
                    "mend": one.mend,
                }
                for one in self.findings
            ],
        }

    def lines(self) -> Iterator[str]:
        """A line for each finding, then what it comes to."""
        for one in self.findings:
            about = [f"ESI ID {one.esiid}"] * bool(one.esiid) + [f"channel {one.channel}"] * bool(one.channel)
            words = ", ".join([one.field, *about, *[one.operating_day] * bool(one.operating_day)])
            code = one.code if one.severity is Severity.ERROR else "warning"
            yield f"{self.file}:{one.line}: {code} {words}: {_sentence(one.message)} {one.mend}"
        faults, warnings = self.faults, len(self.findings) - self.faults
        yield f"{self.file}: {_count(self.right, 'right record')}, {_count(faults, 'fault')}, {_count(warnings, 'warning')}"


def content_of(path: Path) -> bytes:
    """The octets of a file, of standard input for ``-``. Raises HeadEndError if it cannot be read."""
    mend = "Check the path and its permissions."
    if path.is_char_device() or path.is_block_device():
        raise HeadEndError("lse.unreadable", "It is a device, no file.", str(path), mend)
    try:
        return sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        raise HeadEndError("lse.unreadable", f"{reason(error)}.", str(path), mend) from None


def read_file(path: Path, name: str = "") -> tuple[bytes, LseFile]:
    """A file's octets and what they hold. name: what it is called; its own unless given, and that of standard input is not looked at."""
    content = content_of(path)
    found = read(content, name or path.name)
    if path == STDIN and not name:
        found = replace(found, findings=tuple(one for one in found.findings if one.field != _FILE_NAME))
    return content, found


def held_by(files: Iterable[Path]) -> Holds:
    """What is held once files have been loaded, the later made ones last."""
    octets: dict[bytes, str] = {}
    records: list[LseRecord] = []
    for path in files:
        content, found = read_file(path)
        octets[content] = path.name
        records += found.records
    days: dict[DayKey, Held] = {}
    for one in sorted(records, key=lambda record: record.posted_at):
        days[one.key] = Held(1, one.posted_at, one.start_reading_wh, one.stop_reading_wh)
    return Holds(days, octets)


def check(path: Path, name: str, now: Seconds, registry: Registry | None, holds: Holds) -> Checked:
    """Check a file. name: see ``read_file``. now: when SMT would get it, UTC epoch seconds; 0: when its name says that it was made.

    registry: whose ESI IDs there are; any unless given. Raises HeadEndError if it cannot be read.
    """
    content, parsed = read_file(path, name)
    duns, _, made = parsed.name.partition("IntervalData")
    named = not any(one.field == _FILE_NAME for one in parsed.findings) and bool(made)
    if not now:
        now = epoch(f"{made[:8]}T{made[8:14]}") if named else _latest(parsed.records)
    findings = list(parsed.findings)
    ours = registry.tdsp_key(duns) if registry is not None and named else ""
    if registry is not None and named and not ours:
        findings.append(LseFinding("F2", 0, _FILE_NAME, f"{duns} is no TDSP of these records"))

    def is_ours(esiid: str) -> bool:
        return registry is None or (esiid in registry.points and ours in ("", registry.points[esiid].tdsp_key))

    def multiplier_of(esiid: str) -> int:
        assert registry is not None
        return sum(meter.multiplier for meter in registry.meters(registry.points[esiid])) if is_ours(esiid) else 1

    # That its name is wrong keeps nobody from being told of its records.
    decided = decide(replace(parsed, name="IntervalData", findings=()), "", is_ours, holds.days, now)
    findings += [
        LseFinding(
            row.code,
            row.line,
            _FIELDS[row.code],
            row.text,
            Severity.ERROR,
            row.line,
            row.esiid,
            row.channel,
            row.operating_day,
        )
        for row in decided.rows
        if row.code != "00"
    ]
    findings += warnings_of(parsed.records, holds.days, None if registry is None else multiplier_of)
    if content in holds.octets:
        says = f"the same octets are held already, as {holds.octets[content]}"
        findings.append(LseFinding("00", 0, "file", says, Severity.WARNING))
    findings.sort(key=lambda one: (one.line, one.record_line))
    return Checked(str(path), len(decided.load), findings)


def _latest(records: Iterable[LseRecord]) -> Seconds:
    """Of a file without a name: when its latest record was made."""
    return max((record.posted_at for record in records), default=seconds(0))


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
