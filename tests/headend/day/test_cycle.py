"""What a posting that ended in the middle leaves for the next start."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import simpy

from headend.boundaries import DAY_BOUNDARIES
from headend.day.cycle import DailyCycle, DailyTimes
from headend.ports import HeadEndError
from headend.store.store import HeadEndStore, PostedFile
from meters.calendar import Micros, Seconds, epoch, seconds

DAY, DUNS = date(2026, 8, 12), "1039940674000"


class _Driver:
    """Does at once what is asked for, at an instant of its own."""

    rate = lag_s = 0.0
    busy = False

    def __init__(self, now: Seconds) -> None:
        self.env = simpy.Environment()
        self._now = now

    def behind_since(self, at_us: Micros) -> bool:
        raise AssertionError(at_us)

    def now(self) -> Seconds:
        return self._now

    def io(self, _kind: str, _ident: str, call: Callable[[], Awaitable[Any]], *, lane: str = "") -> simpy.Event:
        done = self.env.event()
        try:
            done.succeed(asyncio.run(call()))  # type: ignore[arg-type]
        except HeadEndError as error:
            done.fail(error)
        return done

    def inject(self, *_: object) -> None:
        raise NotImplementedError


class _Site:
    """A site that knows a few names already, and notes; no journal keeps the notes."""

    def __init__(self, *used: str) -> None:
        self.used = set(used)
        self.asked: list[str] = []

    async def post(self, name: str, _content: bytes) -> None:
        self.asked.append(name)
        if name in self.used:
            raise HeadEndError("headend.posting.name_used", "Other octets were posted.", "site", "Take another.")

    async def fetch(self, _name: str) -> bytes:
        raise NotImplementedError

    def note(self, *_: object, **__: object) -> None:
        pass


def posted(store: HeadEndStore, site: _Site, at: str) -> str:
    """Post the day; the name that it was posted under."""
    driver = _Driver(epoch(at))
    cycle = DailyCycle(driver, store, [], DUNS, DailyTimes(), site.post, site.fetch, site)
    names = []

    def run() -> Generator[simpy.Event, Any, None]:
        cycle.validate(DAY)
        for due in store.runs.unposted():
            names.extend((yield from cycle.post(due)))

    driver.env.run(driver.env.process(run()))
    return " ".join(names)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HeadEndStore]:
    kept = HeadEndStore(f"sqlite:///{tmp_path / 'headend.db'}")
    yield kept
    kept.close()


def test_a_posting_that_ended_in_the_middle_is_sent_again_under_its_name(store: HeadEndStore) -> None:
    site = _Site()
    kept = f"{DUNS}IntervalData20260813073000001.lse"
    store.begin_posting(kept, DAY, epoch("2026-08-13T07:30"))
    assert posted(store, site, "2026-08-13T09:00") == kept
    assert [file.name for file in store.posted_files()] == site.asked == [kept]
    assert store.runs.unposted() == []


def test_where_other_octets_were_posted_under_its_name_a_day_goes_under_another(store: HeadEndStore) -> None:
    kept, new = (f"{DUNS}IntervalData202608130{stamp}001.lse" for stamp in ("73000", "90000"))
    site = _Site(kept)
    store.begin_posting(kept, DAY, epoch("2026-08-13T07:30"))
    assert posted(store, site, "2026-08-13T09:00") == new
    assert site.asked == [kept, new]


def test_a_name_that_was_begun_is_no_other_days(store: HeadEndStore) -> None:
    at = epoch("2026-08-13T07:30")
    store.begin_posting(f"{DUNS}IntervalData20260813073000001.lse", date(2026, 8, 11), at)
    store.keep_posted(PostedFile(f"{DUNS}IntervalData20260813073000002.lse", date(2026, 8, 10), at, seconds(0)))
    assert posted(store, _Site(), "2026-08-13T07:30").endswith("003.lse")


@pytest.mark.parametrize("state", DAY_BOUNDARIES)
def test_a_day_that_was_killed_between_two_states_goes_on_and_is_posted_once(
    store: HeadEndStore, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    site = _Site()

    def dies(name: str) -> None:
        if name == state:
            raise KeyboardInterrupt(name)

    with monkeypatch.context() as killed:
        for module in ("headend.day.cycle", "headend.store.store"):
            killed.setattr(f"{module}.boundary", dies)
        with pytest.raises(KeyboardInterrupt):
            posted(store, site, "2026-08-13T07:30")
    assert store.posted_days() == set()
    # What was not committed was named by nobody; a name that was begun stays the day's.
    again = "73000" if state != "headend.validated.before_commit" else "90000"
    assert posted(store, site, "2026-08-13T09:00") == f"{DUNS}IntervalData202608130{again}001.lse"
    assert len(set(site.asked)) == 1
    assert store.posted_days() == {DAY}
    # Run once more, nothing is validated and nothing posted.
    assert posted(store, site, "2026-08-13T10:00") == ""
    assert [run.run for run in (store.runs.latest(DAY),) if run] == [1]
