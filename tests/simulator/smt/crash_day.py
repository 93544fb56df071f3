"""Three days of a head-end's batch as a process that is killed anywhere and started again, beside one that is not. For test_crash.py and ``make crash``."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from headend import boundaries
from headend.boundaries import DAY_BOUNDARIES
from headend.day.posting import FtpsSite, upload
from headend.store.partitions import PARTITIONS
from headend.store.rows import POSTED_FILES, VEE_DAYS, VEE_FINDINGS
from headend.store.store import HeadEndStore
from headend.vee.batch import warm
from meters.calendar import epoch
from simulator.runtime.local_ca import LocalCa
from simulator.smt.database.engine import open_database
from simulator.smt.registry.log_in import LoginGuard
from simulator.smt.usage.postings import Postings
from simulator.smt.usage.site.file_site import FileSite
from tests.headend.day.at_once import DAY, ESIIDS, read, validated_and_posted
from tests.simulator.processes import Forked, ending, patience
from tests.simulator.smt.rig import PASSWORD, registry

#: So often each boundary is passed in the three days: three first runs and two later ones, of three parts and of one.
TURNS = {name: 3 + 2 if "planned" in name else 3 * 3 + 2 for name in DAY_BOUNDARIES}
PASSINGS = [f"{name}:{turn}" for name, turns in TURNS.items() for turn in range(1, turns + 1)]
SECOND, THIRD = date(2026, 8, 13), date(2026, 8, 14)
_TABLES = PARTITIONS, VEE_DAYS, VEE_FINDINGS, POSTED_FILES


@dataclass(frozen=True, slots=True)
class Start:
    """What one process is told. ``crash_at``: where it dies, empty for nowhere."""

    database_url: str
    #: How far it came.
    mark: Path
    site: FtpsSite
    crash_at: str = ""


def work(start: Start) -> None:
    """The three days, from the one on that was under way."""
    os.environ |= {"AMI_TEST_BUILD": "1", "AMI_CRASH_AT": start.crash_at}
    boundaries.arm()
    store = HeadEndStore(start.database_url)

    async def post(name: str, content: bytes) -> None:
        upload(start.site, name, content)

    turn = functools.partial(validated_and_posted, store, post, esiids=ESIIDS)
    came_to = int(start.mark.read_text()) if start.mark.exists() else 1
    # A meter is silent for two days; another lacks a first evening and the morning after it, which leans on that.
    if came_to == 1:
        start.mark.write_text("1")
        read(store, ESIIDS[:5], DAY, "2026-08-13T00:30")
        read(store, ESIIDS[5:6], DAY, "2026-08-13T00:30", until=90)
        turn(at="2026-08-13T07:30", day=DAY)
    if came_to <= 2:
        start.mark.write_text("2")
        read(store, ESIIDS[:5], SECOND, "2026-08-14T00:30")
        read(store, ESIIDS[5:6], SECOND, "2026-08-14T00:30", first=4)
        turn(at="2026-08-14T07:30", day=SECOND)
    start.mark.write_text("3")
    read(store, ESIIDS, THIRD, "2026-08-15T00:30")
    read(store, ESIIDS[6:], DAY, "2026-08-15T00:30")
    read(store, ESIIDS[6:], SECOND, "2026-08-15T00:30")
    read(store, ESIIDS[5:6], DAY, "2026-08-15T00:30", first=90, wh=150)
    turn(at="2026-08-15T07:30", day=THIRD)
    store.close()


@dataclass(frozen=True, slots=True)
class Left:
    """What the days left: whether one was killed, the rows of the batch's tables, the files at SMT's site."""

    killed: bool
    rows: dict[str, list[tuple[Any, ...]]]
    files: dict[str, bytes]


def play_day(crash_at: str = "", url: str = "") -> Left:
    """Let the days begin and die at a boundary, begin again and end."""
    return asyncio.run(_play(crash_at, url))


async def _play(crash_at: str, url: str) -> Left:
    with tempfile.TemporaryDirectory() as folder:
        out, killed = Path(folder), False
        ca = LocalCa.make(out / "ca")
        guard = LoginGuard(registry().users, lambda: 1_000_000.0, lambda *_: None)
        site = FileSite(out / "ftp", registry().users, ca.server_file)
        engine = open_database(f"sqlite:///{out / 'site.db'}")
        site.start(lambda *_: None, Postings(engine, lambda: epoch("2026-08-13T07:30")), guard)
        try:
            url = url or f"sqlite:///{out / 'headend.db'}"
            to = FtpsSite("127.0.0.1", site.port, "wires", PASSWORD, ca.ca_file, timeout_s=patience())
            for dies_at in (crash_at, "") if crash_at else ("",):
                process = Forked(work, Start(url, out / "mark", to, dies_at))
                with ending(process):
                    await asyncio.to_thread(process.join, patience())
                    killed |= process.exitcode == -signal.SIGKILL
                    assert process.exitcode == (-signal.SIGKILL if dies_at else 0), process.exitcode
            return Left(killed, _rows(url), {path.name: path.read_bytes() for path in site.home("wires").iterdir()})
        finally:
            site.stop()
            engine.dispose()


def _rows(url: str) -> dict[str, list[tuple[Any, ...]]]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        tables: Sequence[sa.Table] = _TABLES
        rows = {table.name: connection.execute(sa.select(table)).all() for table in tables}
    engine.dispose()
    return {name: sorted((tuple(row) for row in found), key=repr) for name, found in rows.items()}


@functools.cache
def undisturbed() -> Left:
    """The same days without a kill."""
    left = play_day()
    found = [(row[0].day, *row[1:3], row[5].split(), row[6]) for row in left.rows[PARTITIONS.name]]
    nobody: list[str] = []
    first = [(day, 1, part, nobody, "posted") for day in (12, 13, 14) for part in (1, 2, 3)]
    # What came late is in the third part; of the second day one did, and one leans on the first.
    assert sorted(found) == sorted([*first, *((day, 2, 3, ESIIDS[5:], "posted") for day in (12, 13))])
    assert len(left.files) == len(left.rows[POSTED_FILES.name]) == len(found)
    return left


def check(crash_at: str, url: str = "") -> None:
    """Killed at a boundary and started again, the days leave what they leave undisturbed: the same rows, the same files under the same names."""
    left, twin = play_day(crash_at, url), undisturbed()
    assert left.killed, "it never came to that boundary"
    assert left.files == twin.files
    assert left.rows == twin.rows


warm()
