"""Takes posted LSE files in: each record answered with its result code, what is good loaded and split per ROR, in the executor.

The decision is a pure function; reading, loading and the result file are around it. A bad record costs itself, nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import simpy
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from headend.boundaries import boundary
from headend.lse.format import DayKey, Held
from headend.lse.warned import warnings_of
from headend.lse.writer import (
    RESULT_CODES,
    RESULT_SUFFIX,
    LseFile,
    LseFinding,
    LseRecord,
    ResultRow,
    Severity,
    read,
    result_csv,
)
from headend.ports import Driver, Journal
from meters.calendar import Seconds, day_end, iso
from simulator.smt.database.engine import writing
from simulator.smt.registry.records import UserKind
from simulator.smt.registry.registry import Registry
from simulator.smt.usage.postings import Happened, Postings, digest
from simulator.smt.usage.ror_files import Laid, UsageFiles
from simulator.smt.usage.site.folders import Folders
from simulator.smt.usage.store import VeeStore

_FILE_NAME = "file name"
#: Warnings of a record that are told; of a row per interval each might have one.
_MOST_WARNINGS = 3
_Done = TypeVar("_Done")
#: By how much the clock of a TDSP may be ahead of SMT's, seconds. A default of this project.
CLOCK_TOLERANCE_S = 300
#: Wall seconds between tries at a database that is away or locked. Defaults of this project.
_WAITS_S = (1, 2, 4)


@dataclass(frozen=True, slots=True)
class Decided:
    """What is to be loaded, and the answer to each record and to the file."""

    load: list[LseRecord]
    rows: list[ResultRow]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file: its answers, how many of each result code, and the files of it that RORs were due."""

    name: str
    rows: list[ResultRow]
    counts: dict[str, int]
    usage_files: list[Laid]


def decide(
    parsed: LseFile,
    duns: str,
    is_ours: Callable[[str], bool],
    held: Mapping[DayKey, Held],
    now: Seconds,
    warned: Iterable[LseFinding] = (),
) -> Decided:
    """Decide on every record of a file. Pure.

    duns: of the TDSP that posted it. is_ours: whether an ESI ID is one of that TDSP's. held: what is held of the days of
    the records. now: UTC epoch seconds. warned: what else is doubtful of it. Rows come in the order of the file; a record with several faults has one row, under the first one's code.
    Source: DOMAIN §5. The code for a foreign ESI ID is not in the documents read: 01 [D].
    """
    rows = _faulty(parsed.findings)
    if not parsed.name.startswith(f"{duns}IntervalData"):
        rows.append(ResultRow(0, "", "", "", "F2", f"{_FILE_NAME}: it does not begin with {duns}IntervalData"))
    if any(row.text.startswith(_FILE_NAME) for row in rows):
        return Decided([], [row for row in rows if row.line == 0])
    newest = {key: one.posted_at for key, one in held.items()}
    load = []
    for record in parsed.records:
        key = record.key
        code, text = "00", RESULT_CODES["00"]
        if not is_ours(record.esiid):
            code, text = "01", "ESI ID is not known for this TDSP"
        elif day_end(record.day) > now:
            code, text = "04", f"{RESULT_CODES['04']}: the operating day is not over"
        elif record.posted_at > now + CLOCK_TOLERANCE_S:
            # Held under a time to come, it would stand in the way of every correction until then.
            code, text = "04", f"{RESULT_CODES['04']}: the record's own timestamp lies ahead"
        elif newest.get(key, record.posted_at) > record.posted_at:
            code, text = "05", RESULT_CODES["05"]
        else:
            newest[key] = record.posted_at
            load.append(record)
        day = record.day.isoformat()
        rows.append(ResultRow(record.line, record.esiid, str(int(record.channel)), day, code, text))
    rows.sort(key=lambda row: row.line)
    return Decided(load, _with_warnings(rows, [*parsed.findings, *warned]))


def _with_warnings(rows: list[ResultRow], findings: Iterable[LseFinding]) -> list[ResultRow]:
    """The rows with the warnings of their records; the first bears those of the file too."""
    told: defaultdict[int, list[str]] = defaultdict(list)
    for finding in findings:
        if finding.severity is Severity.WARNING:
            at = finding.record_line or rows[0].line
            where = f" (line {finding.line})" if finding.line not in (0, at) else ""
            told[at].append(f"{finding.field}: {finding.message}{where}")
    return [replace(row, warnings=_told(told[row.line])) if row.line in told else row for row in rows]


def _told(warnings: list[str]) -> str:
    left = len(warnings) - _MOST_WARNINGS
    return "; ".join(warnings[:_MOST_WARNINGS]) + (f"; {left} more" if left > 0 else "")


def _faulty(findings: tuple[LseFinding, ...]) -> list[ResultRow]:
    """One row per record with an error, and one per error outside any record."""
    by_record: defaultdict[int, list[LseFinding]] = defaultdict(list)
    rows = []
    for finding in findings:
        if finding.severity is not Severity.ERROR:
            continue
        if finding.record_line:
            by_record[finding.record_line].append(finding)
        else:
            rows.append(_row(finding.line, [finding]))
    return rows + [_row(line, faults) for line, faults in by_record.items()]


def _row(line: int, faults: list[LseFinding]) -> ResultRow:
    first = faults[0]
    text = f"{first.field}: {first.message}"
    if first.line not in (0, line):
        text += f" (line {first.line})"
    if len(faults) > 1:
        text += f"; {len(faults) - 1} more"
    return ResultRow(line, first.esiid, first.channel, first.operating_day, first.code, text)


class Intake:
    """The intake of one SMT: files of a TDSP's folder into the repository."""

    def __init__(
        self,
        driver: Driver,
        engine: Engine,
        store: VeeStore,
        registry: Registry,
        journal: Journal,
        folders: Folders | None,
    ) -> None:
        """folders: where result files go, and RORs' usage files; nowhere without them."""
        self._driver = driver
        self._engine = engine
        self._store = store
        self.postings = Postings(engine, driver.now)
        self._usage_files = UsageFiles(engine, store, registry, self.postings)
        #: A running clock may start a file while another is taken in; each is to see what the one before it left, and to keep no thread waiting.
        self._turn = asyncio.Lock()
        #: Of the thread that works on the database, which nobody can break off.
        self._at_work, self._closed = threading.Lock(), False
        self._registry = registry
        self._journal = journal
        self._folders = folders

    def on_file(self, username: str, path: Path) -> None:
        """A file has arrived: take it in, in the executor; for the file site's call-back. Files of one instant go one after the other."""
        user = self._registry.users[username]
        if user.kind is not UserKind.TDSP or path.name.endswith(RESULT_SUFFIX):
            return
        # Fixed here, so that what is decided does not hang on when the executor gets to it.
        now = self._driver.now()

        def take_in() -> Taken:
            return self.take_in(username, path.name, path.read_bytes(), now)

        async def work() -> Taken:
            for wait_s in _WAITS_S:
                try:
                    return await self._apart(take_in)
                except OperationalError:
                    # The executor can wait longer for the database than those who ask. All or none of a file is loaded.
                    await asyncio.sleep(wait_s)
            return await self._apart(take_in)

        done = self._driver.io("intake", f"{username}/{path.name}", work, lane="intake")
        assert done.callbacks is not None
        done.callbacks.append(lambda event: self._note(username, path.name, event))

    def take_in(self, username: str, name: str, content: bytes, now: Seconds) -> Taken:
        """Read, decide, load, answer, split per ROR. Blocking: runs in the executor, one at a time. Never raises for what is in the file."""
        sender = self._registry.users[username].duns
        decided = self._decided(username, name, content, now)
        loading = self._store.prepared(decided.load, now, name, self._registry.ror_of_record)
        # All that takes long comes before the one transaction by which the file is loaded.
        rors, sha256 = sorted({ror for ror in loading.rors if ror is not None}), digest(content)
        noted = self.postings.posted_digest(username, name) == sha256
        if not noted:
            self.postings.note_refused(username, name, now, decided.rows)
        self._store.stage(loading)
        with writing(self._engine):
            if not noted:
                self.postings.note(Happened.POSTED, username, name, sha256, len(content), now)
            self._store.show(loading)
            if self._folders is not None:
                self._usage_files.owe(rors, sender, name, loading.posting, now)
        boundary("intake.loaded")
        laid = []
        if self._folders is not None:
            self._folders.put(username, *result_csv(name, decided.rows))
            laid = self._usage_files.lay(self._folders, now)
        counts = Counter(row.code for row in decided.rows)
        return Taken(name, decided.rows, dict(sorted(counts.items())), laid)

    def _decided(self, username: str, name: str, content: bytes, now: Seconds) -> Decided:
        sender, points = self._registry.users[username].duns, self._registry.points
        key = self._registry.tdsp_key(sender)

        def is_ours(esiid: str) -> bool:
            return esiid in points and points[esiid].tdsp_key == key

        def multiplier_of(esiid: str) -> int:
            return sum(meter.multiplier for meter in self._registry.meters(points[esiid])) if is_ours(esiid) else 1

        # What a loading that was cut off has left is no part of what is held.
        self._store.sweep()
        parsed = read(content, name)
        held = self._store.held(parsed.records)
        warned = warnings_of(parsed.records, held, multiplier_of)
        sent = self.postings.posted_before(username, name, digest(content))
        if sent is not None:
            says = f"the same octets were posted as {sent[0]} at {iso(sent[1])}"
            warned.insert(0, LseFinding("00", 0, "file", says, Severity.WARNING))
        return decide(parsed, sender, is_ours, held, now, warned)

    def answer_late(self, username: str, path: Path) -> None:
        """Answer a file that an earlier run loaded and then ended before it had answered, in the executor; nothing of it is loaded again."""
        folders, now = self._folders, self._driver.now()
        if folders is None:
            return

        def answer() -> Taken:
            rows = self._decided(username, path.name, path.read_bytes(), now).rows
            loaded = {(day.esiid, str(int(day.channel)), day.day.isoformat()) for day in self._store.days_of(path.name)}
            # Whatever is held since, of these it is known that they were loaded.
            rows = [
                replace(row, code="00", text=RESULT_CODES["00"])
                if (row.esiid, row.channel, row.operating_day) in loaded
                else row
                for row in rows
            ]
            folders.put(username, *result_csv(path.name, rows))
            return Taken(path.name, rows, dict(sorted(Counter(row.code for row in rows).items())), [])

        done = self._driver.io("intake", f"{username}/{path.name}", lambda: self._apart(answer), lane="intake")
        assert done.callbacks is not None
        done.callbacks.append(lambda event: self._note(username, path.name, event))

    def make_up(self) -> None:
        """Lay the usage files that RORs are still owed from an earlier run, in the executor."""
        folders, now = self._folders, self._driver.now()
        if folders is None:
            return

        async def work() -> list[Laid]:
            return await self._apart(lambda: self._usage_files.lay(folders, now))

        done = self._driver.io("intake", "usage files owed", work, lane="intake")
        assert done.callbacks is not None
        done.callbacks.append(self._note_made_up)

    async def _apart(self, work: Callable[[], _Done]) -> _Done:
        """Do blocking work in the executor, one after the other."""

        def alone() -> _Done:
            with self._at_work:
                if self._closed:
                    raise RuntimeError("SMT is closed")
                return work()

        async with self._turn:
            return await asyncio.get_running_loop().run_in_executor(None, alone)

    def close(self) -> None:
        """Wait for what is at work, and begin nothing more: its connection would keep the database open."""
        self._closed = True
        with self._at_work:
            pass

    def _note(self, username: str, name: str, done: simpy.Event) -> None:
        if not done.ok:
            # Ours, not the file's: it is told, also to the one who posted it, and the rest goes on.
            done.defused = True
            self._journal.note(self._driver.now(), "SMT", "intake failed", name, reason=type(done.value).__name__)
            if self._folders is not None:
                row = ResultRow(0, "", "", "", "F2", "the file could not be taken in: nothing of it is loaded")
                with contextlib.suppress(OSError, ValueError):
                    self._folders.put(username, *result_csv(name, [row]))
            return
        taken = done.value
        assert isinstance(taken, Taken)
        self._journal.note(self._driver.now(), "SMT", "intake", name, results=taken.counts)
        self._note_files(taken.usage_files)

    def _note_made_up(self, done: simpy.Event) -> None:
        if done.ok:
            self._note_files(done.value or [])
            return
        done.defused = True
        self._journal.note(
            self._driver.now(), "SMT", "intake failed", "usage files owed", reason=type(done.value).__name__
        )

    def _note_files(self, files: list[Laid]) -> None:
        for file in files:
            kind, trouble = ("usage file", {}) if not file.trouble else ("usage file owed", {"reason": file.trouble})
            facts = {"duns": file.duns, "source": file.source, "records": file.records} | trouble
            self._journal.note(self._driver.now(), "SMT", kind, f"{file.username}/{file.name}", **facts)
