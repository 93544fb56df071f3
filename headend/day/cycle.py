"""The TDSP's day: when an operating day has ended its VEE batch runs, its LSE file is written, posted, and SMT's result codes are fetched."""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Sequence
from datetime import date, timedelta
from typing import Any

import simpy

from headend.day.due import Done, validate_due
from headend.day.posting import NAME_USED
from headend.day.times import DailyTimes
from headend.lse import writer as lse
from headend.ports import FAULT, Driver, HeadEndError, Journal, fault_text, guarded
from headend.store.partitions import Partition, State
from headend.store.store import HeadEndStore
from headend.vee.batch import warm
from headend.vee.preset import Preset
from meters.calendar import Seconds, day_start, micros, to_us

#: After a failed posting the file is tried again this often, so many times.
POSTING_RETRY_US = to_us(15 * 60)
POSTING_TRIES = 8
#: Time that SMT is given before the result codes are fetched.
RESULT_WAIT_US = to_us(5 * 60)

Post = Callable[[str, bytes], Awaitable[object]]
Fetch = Callable[[str], Awaitable[bytes]]


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
        self._named = store.partitions.names()
        self._posting: set[date] = set()
        self._validating = asyncio.Lock()
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
        yield from self._until(self._times.validated_at(day))
        done: list[Done] = yield self._driver.io("vee", day.isoformat(), functools.partial(self.validated, day))
        for one in done:
            kind = "VEE revision" if one.again else "VEE batch"
            facts = {name: one.told[name] for name in ("meters", "actual", "estimated", "findings")}
            self._journal.note(self._driver.now(), "TDSP", kind, one.day.isoformat(), **facts)
        yield from self._until(self._times.posted_at(day))
        for due in self._store.partitions.days_to_post():
            # One that is held has its own time.
            is_due = due <= day and self._times.posted_at(due) <= self._driver.now()
            for name in (yield from self.post(due)) if is_due else ():
                self._driver.env.process(guarded(self._results(name), functools.partial(self._fault, day)))

    def catch_up(self, ended: Sequence[date]) -> Generator[simpy.Event, Any, None]:
        """Validate and post operating days that ended before this head-end came up, one after the other; a simpy process.

        In their order, because a day's estimates look back at the days before it; nobody waits for a day's result codes.
        """
        for day in ended:
            yield self._driver.env.process(guarded(self.operating_day(day), functools.partial(self._fault, day)))

    async def validated(self, day: date) -> list[Done]:
        """``validate`` in a thread, one day at a time: where several were missed (a machine slept), each looks at the same days before it, and leans on them."""
        async with self._validating:
            return await asyncio.get_running_loop().run_in_executor(None, self.validate, day)

    def validate(self, day: date) -> list[Done]:
        """Validate, edit and estimate one operating day, and those before it of which something came late, and keep the results. Blocking."""
        return validate_due(self._store, self._esiids, day, self._preset, self._driver.now)

    def post(self, day: date) -> Generator[simpy.Event, Any, list[str]]:
        """Write and post the files of an operating day, one a partition, until SMT's site has all of them or one is given up. A sub-generator that returns their
        names; none while another posts that day, which takes in what has come meanwhile."""
        names: list[str] = []
        if day in self._posting:
            return names
        self._posting.add(day)
        try:
            while due := self._store.partitions.next_to_post(day):
                name = yield from self._post_partition(due)
                if not name:
                    break
                names.append(name)
        finally:
            self._posting.discard(day)
        return names

    def _post_partition(self, partition: Partition) -> Generator[simpy.Event, Any, str]:
        day = partition.operating_day
        if partition.state is State.VALIDATED:
            partition = self._name(partition)
        # What a later run has found since is its file's: this one has the same octets whenever it is sent.
        batch = self._store.vee.day(partition.among(self._esiids), day, partition.run)
        for attempt in range(1, self._tries + 1):
            made = lse.from_vee(batch, partition.created_at or self._driver.now())
            records = [one for one in made if not self._times.withholds(day, one.esiid, one.channel)]
            content = lse.dumps(records)
            try:
                # Ended in the middle, it may be posted without being known to be: the same file again is taken for that.
                post = functools.partial(self._post, partition.name, content)
                yield self._driver.io("posting", partition.name, post)
            except HeadEndError as error:
                facts = {"code": error.code, "attempt": attempt}
                self._journal.note(self._driver.now(), "TDSP", "posting failed", partition.name, **facts)
                if error.code == NAME_USED:
                    # By somebody else: SMT does not have this one.
                    partition = self._name(partition)
                yield self._driver.env.timeout(POSTING_RETRY_US)
            else:
                break
        else:
            return ""
        self._store.partitions.posted(partition, self._driver.now(), len(records))
        facts = {"operating_day": day.isoformat(), "octets": len(content)}
        self._journal.note(self._driver.now(), "TDSP", "posted", partition.name, **facts)
        return partition.name

    def _results(self, name: str) -> Generator[simpy.Event, Any, None]:
        """Fetch SMT's result codes of a posted file, once it has had its time."""
        yield self._driver.env.timeout(RESULT_WAIT_US)
        try:
            answered = yield self._driver.io("results", name, lambda: self._fetch(name + lse.RESULT_SUFFIX))
            rows = lse.read_result_csv(answered)
        except HeadEndError as error:
            self._journal.note(self._driver.now(), "TDSP", "no result codes", name, code=error.code)
            return
        codes = Counter(row.code for row in rows)
        warned = sum(bool(row.warnings) for row in rows)
        facts = {"codes": dict(sorted(codes.items()))} | ({"warnings": warned} if warned else {})
        self._journal.note(self._driver.now(), "TDSP", "result codes", name, **facts)

    def _name(self, partition: Partition) -> Partition:
        """A new name for a file that is made now, kept before it is sent."""
        now = self._driver.now()
        return self._store.partitions.named(partition, self._file_name(now), now)

    def _file_name(self, created: Seconds) -> str:
        """A name that no file had: days that are posted late may be written in one second, and the counter tells them apart."""
        name = next(name for name in lse.file_names(self._duns, created) if name not in self._named)
        self._named.add(name)
        return name

    def _until(self, at: Seconds) -> Generator[simpy.Event, Any, None]:
        yield self._driver.env.timeout(max(0, to_us(at) - micros(self._driver.env.now)))
