"""What sweeps collected, on its way to SMT: after each sweep in batches, tried again until SMT has them, begun again after a restart. Only where SMT asks for it."""

from __future__ import annotations

import asyncio
import functools
import hashlib
from collections.abc import Generator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import httpx
import numpy as np
import simpy

from headend.boundaries import boundary
from headend.http.links import HeadEndLink, bearing
from headend.ondemand.gap import GAP_LIMIT
from headend.ports import FAULT, Driver, Journal, MeterKey, fault_text, guarded
from headend.store.store import HeadEndStore
from headend.wire import NonVeeTaken, PushedInterval, PushedMeter
from meters.calendar import INTERVAL_S, Seconds, day_end, floor_interval, local, seconds, to_us

#: Where SMT takes it, below its base URL.
NON_VEE = "/non-vee"
#: Octets of a batch at most: far less than the 2 MiB that SMT takes, so that nothing else waits there for long [D].
LARGEST = 64 << 10
#: Waits before a batch that was not taken is sent again; then the next sweep does. Defaults of this project.
WAITS_US = (to_us(1), to_us(5), to_us(30), to_us(60), to_us(300), to_us(600))
#: What SMT says of a batch that it would never take: it is not sent again.
_NEVER = (400, 409, 413)
_NOT_ASKED_FOR = 403
_AROUND = b'{"batchId":"%s","meters":[%s]}'


class Batch(NamedTuple):
    """What is posted at once. ``reach``: by ESI ID, UTC epoch seconds to where SMT has it then."""

    key: str
    body: bytes
    reach: Mapping[str, Seconds]


class PushDesk:
    """Sends SMT what sweeps collected. One batch is under way at a time."""

    def __init__(
        self,
        driver: Driver,
        store: HeadEndStore,
        http: httpx.AsyncClient,
        journal: Journal,
        link: HeadEndLink,
        reach: Mapping[MeterKey, Seconds],
        *,
        asked: bool,
    ) -> None:
        """reach: UTC epoch seconds to where each meter was swept before. asked: for its SMT's policy; else as SMT asks with an inquiry, or has before a restart."""
        self._driver = driver
        self._store = store
        self._http = http
        self._journal = journal
        self._link = link
        self._reach = dict(reach)
        self._asked = asked or bool(store.pushed.reach())
        self._under_way = False
        #: Something has come since the batches were made.
        self._again = False
        self._failing = False

    @property
    def state(self) -> Literal["off", "ok", "failing"]:
        """Whether SMT takes it, and took the latest batch."""
        return "off" if not self._asked else "failing" if self._failing else "ok"

    def asked(self) -> None:
        """SMT has said that it takes them."""
        if not self._asked:
            self._asked = True
            self.go_on()

    def swept(self, reach: Mapping[MeterKey, Seconds]) -> None:
        """A sweep has ended, and is kept. reach: UTC epoch seconds to where each meter has been swept."""
        self._reach = dict(reach)
        self.go_on()

    def go_on(self) -> None:
        """Send what SMT has not, if it takes it."""
        if not self._asked or not self._link.reply_to:
            return
        self._again = True
        if not self._under_way:
            self._under_way = True
            self._driver.env.process(guarded(self._send(), self._broke))

    def _broke(self, error: Exception) -> None:
        self._under_way = False
        self._journal.note(self._driver.now(), "TDSP", FAULT, "push", error=fault_text(error))

    def _send(self) -> Generator[simpy.Event, Any, None]:
        """Send all, and what comes meanwhile; a simpy process."""
        while self._again:
            self._again = False
            made = functools.partial(batches, self._store, self._reach, self._driver.now())
            ident = str(self._driver.now())
            for batch in (
                yield self._driver.io("push", ident, lambda: asyncio.get_running_loop().run_in_executor(None, made))  # noqa: B023
            ):
                self._failing = not (yield from self._sent(batch))
                if self._failing:
                    self._again = False
                    break
        self._under_way = False

    def _sent(self, batch: Batch) -> Generator[simpy.Event, Any, bool]:
        """Send one batch until SMT has it, or will never have it; False: the next sweep tries again."""
        url, headers = f"{self._link.reply_to[0].rstrip('/')}{NON_VEE}", bearing(self._link.keys.headend)
        facts: dict[str, Any] = {"meters": len(batch.reach), "octets": len(batch.body)}
        for wait_us in (*WAITS_US, None):
            boundary("headend.push.before")
            try:
                reply: httpx.Response = yield self._driver.io(
                    "push", batch.key, lambda: self._http.post(url, content=batch.body, headers=headers)
                )
            except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
                status, what = 0, type(error).__name__
            else:
                status, what = reply.status_code, f"HTTP {reply.status_code}"
            boundary("headend.push.after")
            if 200 <= status < 300:
                self._store.pushed.note(batch.reach)
                self._journal.note(self._driver.now(), "TDSP", "pushed", batch.key, **facts, **_told(reply))
                return True
            if status in _NEVER:
                self._store.pushed.note(batch.reach)
            if wait_us is None or 300 <= status < 500:
                self._journal.note(self._driver.now(), "TDSP", "push failed", batch.key, **facts, reason=what)
                break
            yield self._driver.env.timeout(wait_us)
        if status == _NOT_ASKED_FOR:
            self._asked = False
            self._store.pushed.forget()
        return status in _NEVER


def batches(store: HeadEndStore, reach: Mapping[MeterKey, Seconds], now: Seconds) -> list[Batch]:
    """What SMT has not of the days that are not posted and the 48 h that a gap has at most. Blocking. reach: to where each meter was swept. Instants: UTC epoch seconds."""
    oldest = max(
        [floor_interval(now) - GAP_LIMIT * INTERVAL_S, *(day_end(day) for day in store.posted_days())],
    )
    pushed = store.pushed.reach()
    made: list[Batch] = []
    parts: list[bytes] = []
    reaches: dict[str, Seconds] = {}
    length = 0
    for esiid in sorted({meter.esiid for meter in reach}):
        to = min(reach[meter] for meter in store.records.places(esiid) if meter in reach)
        start = max(oldest, pushed.get(esiid, oldest))
        told = b",".join(one.model_dump_json(exclude_defaults=True).encode() for one in _of(store, esiid, start, to))
        if not told:
            continue
        if length + len(told) + 200 > LARGEST:
            made.append(_batch(parts, reaches))
            parts, reaches, length = [], {}, 0
        parts.append(told)
        reaches[esiid] = to
        length += len(told) + 1
    return [*made, _batch(parts, reaches)] if parts else made


def _of(store: HeadEndStore, esiid: str, start: Seconds, end: Seconds) -> list[PushedMeter]:
    """What the store has of [start, end), each time of collection apart."""
    if end <= start:
        return []
    window = store.window(esiid, start, end)
    found = []
    for at in np.unique(window.collected_at).tolist():
        of = window.collected_at == at
        columns = (window.ends[of], window.wh[of], window.present[of], window.status[of])
        intervals = [
            PushedInterval(end=local(end), wh=wh if present else None, status=status)
            for end, wh, present, status in zip(*(one.tolist() for one in columns), strict=True)
        ]
        found.append(PushedMeter(esiid=esiid, collectedAt=local(seconds(at)), intervals=intervals))
    return found


def _batch(parts: Sequence[bytes], reach: Mapping[str, Seconds]) -> Batch:
    key = hashlib.blake2b(b",".join(parts), digest_size=8).hexdigest()
    return Batch(key, _AROUND % (key.encode(), b",".join(parts)), reach)


def _told(reply: httpx.Response) -> dict[str, Any]:
    """What SMT says of a batch, as far as it can be read."""
    try:
        taken = NonVeeTaken.model_validate_json(reply.content)
    except ValueError:
        return {}
    return {"status": taken.status, "accepted": taken.accepted, "posted": taken.posted, "refused": taken.refused}
