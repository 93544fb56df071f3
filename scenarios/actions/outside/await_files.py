"""``await_files``: the head-end posts an operating day at SMT's file site; what it posts is kept as it came, with SMT's answers."""

from __future__ import annotations

import asyncio
import shutil
import time
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from headend.lse.writer import RESULT_SUFFIX, read_result_csv
from meters.calendar import Seconds, iso, seconds, to_us
from scenarios.actions.action import Played, Row, Seen
from scenarios.actions.world.tdsp_file import RecordedAnswer, answer_of
from scenarios.outside.party import QUIET_S
from scenarios.parts.expected import COUNT, TEXTS, Fact
from scenarios.parts.setting import Act
from scenarios.parts.written import DAY_S, Day, LocalTime, Spec
from scenarios.records.values import Count, Instant, Record
from simulator.smt.registry.meter_attributes import most_wh

if TYPE_CHECKING:
    from scenarios.stage import Stage

#: Model seconds by which the clock goes on while a file is waited for.
_TICK_S = seconds(300)
#: Wall seconds without a file more after which what came is taken to be all; and between two looks.
_ALL_S, _LOOK_S = 1.0, 0.05
#: Octets of a file that are kept.
_MOST = 4 << 20


class LateSpan(Spec):
    """Quarter hours of a meter that a head-end has later than they ended, as the file of truth tells it."""

    meter: int = Field(ge=1)
    first: LocalTime
    last: LocalTime
    known_from: LocalTime


class AwaitFiles(Act):
    """The head-end posts an operating day at SMT's file site, as it does every day."""

    day: Day
    within_s: Seconds = Field(
        default=seconds(7200), gt=0, le=DAY_S, description="Model seconds until it must be there."
    )
    late: tuple[LateSpan, ...] = Field(default=(), description="What it has not yet when the day is over.")

    @property
    def lasts(self) -> Seconds:
        """What is posted late is waited for to the end."""
        return self.within_s


class RecordedPosting(Record):
    """A file that was posted."""

    at: Instant
    name: str
    content: str
    answers: list[RecordedAnswer]


class RecordedFiles(Record):
    """What was posted until the day was there or its time was over. duns: the TDSP's; esiids: all that it has meters at; most_wh: what each one's service carries in a quarter hour."""

    at: Instant
    until: Instant
    day: str
    duns: str
    esiids: list[str]
    files: list[RecordedPosting]
    most_wh: dict[str, Count] = Field(default_factory=dict)


SeenFiles = Seen[AwaitFiles, RecordedFiles]


def _play(stage: Stage, action: AwaitFiles) -> Played:
    runtime, outside, sandbox = stage.runtime, stage.outside, stage.sandbox
    home, esiids = (
        sandbox.files.home(sandbox.market.tdsp_login.username),
        [one.identity.esiid for one in stage.world.meters],
    )
    known: dict[str, RecordedPosting] = stage.kept.setdefault("files", dict.fromkeys(_answered(home)))
    before, at = set(known), runtime.now()
    until = at + action.within_s
    patience_s = outside.patience_s if outside else 0.0
    if outside and outside.ca:
        # Who posts trusts this run's authority, and may post while it lies there.
        shutil.copyfile(sandbox.ca.ca_file, outside.ca)
    while True:
        yield runtime.io("files", action.ref, partial(_quiet, home, set(known), patience_s, _ALL_S if outside else 0.0))
        for name in sorted(_answered(home) - set(known)):
            known[name] = _posting(home, name, runtime.now())
        came = [one for name, one in known.items() if name not in before]
        if runtime.now() >= until or _there(came, action.day.isoformat(), esiids):
            break
        patience_s = QUIET_S if outside else 0.0
        yield runtime.env.timeout(to_us(_TICK_S))
    if outside and outside.ca:
        outside.ca.unlink()
    return {
        "at": iso(at),
        "until": iso(runtime.now()),
        "day": action.day.isoformat(),
        "duns": stage.world.tdsp.duns,
        "esiids": esiids,
        "files": [one.model_dump(mode="json") for one in came],
        "most_wh": {esiid: _most(stage, esiid, action.day) for esiid in esiids},
    }


def _most(stage: Stage, esiid: str, day: date) -> int:
    registry = stage.sandbox.market.registry
    return sum(most_wh(one.attributes) for one in registry.meters(registry.point(esiid, day)))


def _answered(home: Path) -> set[str]:
    """Files that SMT has answered."""
    return {one.name.removesuffix(RESULT_SUFFIX) for one in home.glob(f"*{RESULT_SUFFIX}")}


def _posting(home: Path, name: str, at: Seconds) -> RecordedPosting:
    answers = [answer_of(row) for row in read_result_csv((home / f"{name}{RESULT_SUFFIX}").read_bytes())]
    content = (home / name).read_bytes()[:_MOST].decode("utf-8", "replace")
    return RecordedPosting.model_validate({"at": iso(at), "name": name, "content": content, "answers": answers})


def _there(files: list[RecordedPosting], day: str, esiids: list[str]) -> bool:
    return {one.esiid for file in files for one in file.answers if (one.day, one.code) == (day, "00")} >= set(esiids)


async def _quiet(home: Path, known: set[str], patience_s: float, all_s: float) -> None:
    """Wait so many wall seconds for a file that is not known; once there is one, until no more come."""
    until, last = time.monotonic() + patience_s, known
    while time.monotonic() < until:
        await asyncio.sleep(_LOOK_S)
        # A file that is being sent, or has no answer yet, is one more.
        there = {one.name for one in home.iterdir()}
        if there - known and _answered(home) > known and there != last:
            until = time.monotonic() + all_s
        last = there


def _tell(seen: SeenFiles) -> str:
    if seen.record is None:
        return "Nothing recorded."
    return f"The head-end posts {len(seen.record.files)} files."


ROWS = (
    Row(
        "await_files",
        "Posting of a day",
        AwaitFiles,
        RecordedFiles,
        _play,
        (
            Fact("files", COUNT, "files that were posted", lambda seen: seen.record and len(seen.record.files)),
            Fact("codes", TEXTS, "result codes of their records", lambda seen: seen.record and tuple(sorted({one.code for file in seen.record.files for one in file.answers}))),
        ),
        _tell,
    ),
)  # fmt: skip
