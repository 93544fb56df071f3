"""The TDSP's day: when an operating day has ended its VEE batch runs, its LSE file is written, posted, and SMT's result codes are fetched."""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

import simpy

from headend.boundaries import boundary
from headend.day.due import validate_due
from headend.day.posting import NAME_USED
from headend.day.summary import summary
from headend.lse import writer as lse
from headend.ports import FAULT, Driver, HeadEndError, Journal, fault_text, guarded
from headend.store.runs import Run
from headend.store.store import Begun, HeadEndStore, PostedFile
from headend.vee.batch import warm
from headend.vee.preset import Preset
from headend.vee.records import VeeDay
from meters.calendar import Seconds, day_start, epoch, micros, to_us

#: After a failed posting the file is tried again this often, so many times.
POSTING_RETRY_US = to_us(15 * 60)
POSTING_TRIES = 8
#: Time that SMT is given before the result codes are fetched.
RESULT_WAIT_US = to_us(5 * 60)

Post = Callable[[str, bytes], Awaitable[object]]
Fetch = Callable[[str], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class DailyTimes:
    """Local times on the day after the operating day."""

    vee_at: time = time(1, 0)
    post_at: time = time(7, 30)


class DailyCycle:
    """VEE and posting, one process per operating day."""

    def __init__(
        self,
        driver: Driver,
        store: HeadEndStore,
        esiids: Sequence[str],
        duns: str,
        times: DailyTimes,
        post: Post,
        fetch: Fetch,
        journal: Journal,
        tries: int = POSTING_TRIES,
        preset: Preset | None = None,
    ) -> None:
        """post: uploads a file under a name and returns when SMT has it. fetch: downloads one of the TDSP's own files.

        tries: of one posting. preset: of its VEE; the usual one unless given.
        """
        self._driver = driver
        self._store = store
        self._esiids = sorted(esiids)
        self._preset = preset or Preset()
        self._duns = duns
        self._times = times
        self._post = post
        self._fetch = fetch
        self._journal = journal
        self._tries = tries
        self._named = store.posting_names()
        self._posting: set[date] = set()
        warm()

    def run(self, first: date) -> Generator[simpy.Event, Any, None]:
        """Begin one process for every operating day that ends, from ``first`` on; a simpy process."""
        env = self._driver.env
        day = first
        while True:
            ended = to_us(day_start(day + timedelta(days=1)))
            yield env.timeout(max(0, ended - micros(env.now)))
            env.process(guarded(self.operating_day(day), functools.partial(self._fault, day)))
            day += timedelta(days=1)

    def _fault(self, day: date, error: Exception) -> None:
        self._journal.note(self._driver.now(), "TDSP", FAULT, f"operating day {day}", error=fault_text(error))

    def operating_day(self, day: date) -> Generator[simpy.Event, Any, None]:
        """Run the batch of one ended day at its time, then post its file at its time."""
        yield from self._until(day, self._times.vee_at)
        batches: list[VeeDay] = yield self._driver.io(
            "vee", day.isoformat(), lambda: asyncio.get_running_loop().run_in_executor(None, self.validate, day)
        )
        for batch in batches:
            kind = "VEE batch" if batch.day == day else "VEE revision"
            self._journal.note(self._driver.now(), "TDSP", kind, batch.day.isoformat(), **summary(batch))
        yield from self._until(day, self._times.post_at)
        # What is being posted already takes in what has changed meanwhile.
        due = [run for run in self._store.runs.unposted() if run.operating_day <= day]
        for run in due:
            if run.operating_day not in self._posting:
                for name in (yield from self.post(run)):
                    self._driver.env.process(guarded(self._results(name), functools.partial(self._fault, day)))

    def catch_up(self, ended: Sequence[date]) -> Generator[simpy.Event, Any, None]:
        """Validate and post operating days that ended before this head-end came up, one after the other; a simpy process.

        In their order, because a day's estimates look back at the days before it; nobody waits for a day's result codes.
        """
        for day in ended:
            yield self._driver.env.process(guarded(self.operating_day(day), functools.partial(self._fault, day)))

    def validate(self, day: date) -> list[VeeDay]:
        """Validate, edit and estimate one operating day, and those before it of which something came late, and keep the results. Blocking."""
        return validate_due(self._store, self._esiids, day, self._preset, self._driver.now)

    def post(self, run: Run) -> Generator[simpy.Event, Any, list[str]]:
        """Write a run's LSE files and post them, again after a failure. A sub-generator that returns their names, none if one was given up."""
        self._posting.add(run.operating_day)
        try:
            while names := (yield from self._post_run(run)):
                if self._store.runs.end(run, self._driver.now()):
                    return names
                run = self._store.runs.latest(run.operating_day) or run
            return []
        finally:
            self._posting.discard(run.operating_day)

    def _post_run(self, run: Run) -> Generator[simpy.Event, Any, list[str]]:
        batch = self._store.vee_day(run.changed or self._esiids, run.operating_day)
        begun = self._store.begun_parts(run)
        names: list[str] = []
        for part in range(1, len(lse.parts(lse.from_vee(batch, run.began_at))) + 1):
            # Ended in the middle, it may be posted without being known to be: the same file again is taken for that.
            named = begun.get(part) or self._begun(run, part)
            name = named.name if named.posted else (yield from self._post_part(run, part, named, batch))
            if not name:
                return []
            names.append(name)
        return names

    def _post_part(self, run: Run, part: int, named: Begun, batch: VeeDay) -> Generator[simpy.Event, Any, str]:
        boundary("headend.named")
        for attempt in range(1, self._tries + 1):
            records = lse.parts(lse.from_vee(batch, named.created_at))[part - 1]
            content = lse.dumps(records)
            try:
                yield self._driver.io("posting", named.name, functools.partial(self._post, named.name, content))
            except HeadEndError as error:
                self._journal.note(
                    self._driver.now(), "TDSP", "posting failed", named.name, code=error.code, attempt=attempt
                )
                if error.code == NAME_USED:
                    # By what the day was before it was validated again: this is its correction.
                    named = self._begun(run, part)
                yield self._driver.env.timeout(POSTING_RETRY_US)
            else:
                break
        else:
            return ""
        boundary("headend.posted")
        self._store.keep_posted(PostedFile(named.name, batch.day, self._driver.now(), len(records)))
        day = batch.day.isoformat()
        self._journal.note(self._driver.now(), "TDSP", "posted", named.name, operating_day=day, octets=len(content))
        return named.name

    def _results(self, name: str) -> Generator[simpy.Event, Any, None]:
        """Fetch SMT's result codes of a posted file, once it has had its time."""
        yield self._driver.env.timeout(RESULT_WAIT_US)
        try:
            answered = yield self._driver.io("results", name, lambda: self._fetch(name + lse.RESULT_SUFFIX))
            codes = Counter(row.code for row in lse.read_result_csv(answered))
        except HeadEndError as error:
            self._journal.note(self._driver.now(), "TDSP", "no result codes", name, code=error.code)
            return
        self._journal.note(self._driver.now(), "TDSP", "result codes", name, codes=dict(sorted(codes.items())))

    def _begun(self, run: Run, part: int) -> Begun:
        """A new name for a file that is made now, kept before it is sent."""
        named = Begun(self._file_name(self._driver.now()), self._driver.now(), False)
        self._store.begin_posting(named.name, run.operating_day, named.created_at, run.run, part)
        return named

    def _file_name(self, created: Seconds) -> str:
        """A name that no file had: days that are posted late may be written in one second, and the counter tells them apart."""
        for counter in range(1, 1000):
            name = lse.file_name(self._duns, created, counter)
            if name not in self._named:
                self._named.add(name)
                return name
        raise HeadEndError("headend.day.posting.names", "A thousand files cannot be named in one second.", place=name)

    def _until(self, day: date, at: time) -> Generator[simpy.Event, Any, None]:
        due = to_us(epoch(f"{day + timedelta(days=1)}T{at.isoformat()}"))
        yield self._driver.env.timeout(max(0, due - micros(self._driver.env.now)))
