"""Posted days kept on the disk between two starts: what head-end, SMT and file site held once they were made, for whoever begins with the very same ones.

One file for each beginning, named by a hash of all that its days are a result of: what has changed has another name. The days of yesterday and today are left to
be made anew, since what a magic ESI ID does counts from the start.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import sys
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from headend.day.times import DailyTimes
from headend.ports import MeterKey
from headend.vee.preset import Preset
from meters.calendar import Seconds, day_of, day_start, seconds
from meters.errors import reason
from meters.faults.kinds import FaultKind
from simulator.smt.throttle.limits import Policy
from simulator.versions import code_of_houses, version_of
from simulator.world.history import Progress
from simulator.world.meters import World

#: Of what comes to more, octets, nothing is kept: to write it down would take longer than a stop may. 40 meters come to 24 million.
MOST = 100_000_000
#: What all that is kept may come to, octets, a tenth to a sixth of what was: the days of some fifty sandboxes. The least lately used goes first.
MOST_KEPT = 200_000_000
_SUFFIX, _PART, _PROGRESS = ".days", ".part-", "progress.json"
#: Whose versions days may hang on too.
_PACKAGES = ("numpy", "numba", "SQLAlchemy")
_A_DAY_S = 24 * 3600
#: Faults that show in what was before they began: by when a register rolls over is told where it stood. Of all others nothing does.
_SHOWS = (FaultKind.ROLLOVER,)


@dataclass(frozen=True, slots=True)
class KeptDays:
    """The days of one beginning, as they are or will be kept. ``until``: the first operating day that is not among them."""

    file: Path
    until: date

    def lay(self, out: Path) -> Progress | None:
        """Lay databases and files into a folder, and give how far they go; None where nothing is kept, or cannot be read: then nothing is laid."""
        laid: list[Path] = []
        try:
            with zipfile.ZipFile(self.file) as kept:
                progress = _read(kept.read(_PROGRESS))
                for name in kept.namelist():
                    if name == _PROGRESS:
                        continue
                    path = out / name
                    if not path.resolve().is_relative_to(out.resolve()):
                        raise ValueError(name)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    laid.append(path)
                    # What is read is held against the sum that was kept of it.
                    with kept.open(name) as source, path.open("wb") as to:
                        shutil.copyfileobj(source, to, 1 << 20)
            os.utime(self.file)
        except (OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error):
            for path in laid:
                path.unlink(missing_ok=True)
            return None
        return progress

    def keep(self, out: Path, names: Iterable[str], progress: Progress) -> None:
        """Keep databases and folders of a folder, by their names, in place of what is kept; say so on standard error where that cannot be."""
        folder, sources = self.file.parent, [out / name for name in names]
        try:
            if sum(one.stat().st_size for path in sources for one in (path, *path.rglob("*"))) > MOST:
                return
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with TemporaryDirectory(prefix=_PART, dir=folder) as work:
                part = Path(work, "days")
                with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as kept:
                    kept.writestr(_PROGRESS, _written(progress))
                    for source in sources:
                        for path in _files(source, Path(work)):
                            kept.write(path, path.relative_to(work if path.is_relative_to(work) else out))
                part.replace(self.file)
            # Whoever starts beside this one makes room too.
            with contextlib.suppress(FileNotFoundError):
                _make_room(folder)
        except (OSError, sqlite3.Error) as error:
            why = reason(error) if isinstance(error, OSError) else error
            said = f"The days that were made are not kept: {why}. Name another folder with --kept-days."
            print(f"days.unkept: {folder}: {said}", file=sys.stderr, flush=True)


def kept_days(
    folder: Path, world: World, now: Seconds, times: DailyTimes, every_s: Seconds, preset: Preset, policy: Policy
) -> KeptDays | None:
    """Where the days of a beginning are kept; None for one with files of a tester, or without days that could be.

    now: UTC epoch seconds at which it begins. every_s: from one sweep to the next.
    """
    spec = world.spec
    if spec.market.registry is not None or any(one.replay is not None for one in spec.premises):
        return None
    cut, until = day_start(day_of(now) - timedelta(days=1)), spec.first_day
    while times.posted_at(until) <= cut:
        until += timedelta(days=1)
    if until == spec.first_day:
        return None
    happens = [
        (meter.identity, [one for one in (*meter.faults, *meter.lookalikes) if one.first < cut or one.kind in _SHOWS])
        for meter in world.meters
    ]
    of = [code_of_houses(), sys.version, *map(version_of, _PACKAGES), spec.model_dump(mode="json"), world.seed, until]
    of += [world.weather, happens, times, every_s, preset, policy]
    mark = hashlib.sha256(json.dumps(of, default=_plain).encode()).hexdigest()[:32]
    return KeptDays(folder / f"{mark}{_SUFFIX}", until)


def _plain(one: Any) -> Any:
    """What JSON has no form for, in one that is the same in every process."""
    if is_dataclass(one) and not isinstance(one, type):
        return asdict(one)
    # A set has no order of its own.
    return sorted(map(str, one)) if isinstance(one, (set, frozenset)) else str(one)


def _files(path: Path, work: Path) -> Iterator[Path]:
    """The files of a folder, or a copy of a database as it was last committed, in ``work``."""
    if path.is_dir():
        yield from sorted(one for one in path.rglob("*") if one.is_file())
        return
    copy = work / path.name
    with contextlib.closing(sqlite3.connect(path)) as source, contextlib.closing(sqlite3.connect(copy)) as to:
        source.backup(to)
    yield copy


def _make_room(folder: Path) -> None:
    """Let go of what was used least lately, and of what a start that was killed has left."""
    kept = sorted(folder.glob(f"*{_SUFFIX}"), key=lambda file: file.stat().st_mtime, reverse=True)
    octets = 0
    for file in kept:
        octets += file.stat().st_size
        if octets > MOST_KEPT:
            file.unlink(missing_ok=True)
    for part in folder.glob(f"{_PART}*"):
        if part.stat().st_mtime < time.time() - _A_DAY_S:
            shutil.rmtree(part, ignore_errors=True)


def _written(progress: Progress) -> str:
    places = [[*key, progress.collected[key], progress.midnights[key]] for key in progress.collected]
    return json.dumps([progress.day.isoformat(), progress.swept, progress.sweep, places])


def _read(text: bytes) -> Progress:
    """Raises ValueError, KeyError, TypeError for what ``_written`` has not written."""
    day, swept, sweep, places = json.loads(text)
    collected, midnights = {}, {}
    for esiid, number, end, midnight in places:
        key = MeterKey(esiid, number)
        collected[key], midnights[key] = seconds(end), seconds(midnight)
    return Progress(date.fromisoformat(day), seconds(swept), seconds(sweep), collected, midnights)
