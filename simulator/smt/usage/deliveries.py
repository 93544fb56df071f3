"""Reports that are delivered as files: taken on at once, made and laid into the requester's folder in the background, followed by their correlation id.

A request is a row of the database, so it is there after a restart: one that was not ended by then has failed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any

import simpy
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from headend.ports import Driver, Journal
from meters.calendar import Micros, to_us
from simulator.smt.correlation import digits
from simulator.smt.database.engine import writing
from simulator.smt.database.tables import report_request
from simulator.smt.usage.site.folders import Folders

#: Makes the file, (names, content); None without any data. The first name that is free is its. Its argument is the correlation id.
Make = Callable[[str], Awaitable[tuple[Iterable[str], bytes] | None]]
#: ``statusReason`` of a request that is under way, and of one whose file lies in the folder [D].
PENDING, DELIVERED = "The report is being made", "The report was delivered"
#: What a request may have ended with instead of a file: codes of ``errors.BUSINESS``, and a fault of ours.
NO_DATA, BROKEN = "1", "broken"
#: Until the next try at a database that did not take an end, model time. A default of this project.
_AGAIN_US = to_us(60)


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """A request for a file, and what became of it."""

    key: str
    username: str
    trans_id: str
    kind: str
    submitted_us: Micros
    ended_us: Micros | None = None
    file_name: str = ""
    error: str = ""


class Deliveries:
    """Takes requests for files on and follows them up."""

    def __init__(self, engine: Engine, driver: Driver, journal: Journal, folders: Folders | None) -> None:
        """folders: of the file site; without them nothing can be delivered (``offered``)."""
        self._engine = engine
        self._driver = driver
        self._journal = journal
        self._folders = folders

    @property
    def offered(self) -> bool:
        """Whether there is a file site."""
        return self._folders is not None

    def order(self, username: str, trans_id: str, kind: str, content: str, now_us: Micros, make: Make) -> str:
        """Take a request on and give its correlation id; the file is made after this has returned.

        content: everything that was asked for, which the id follows from.
        """
        ordinal = 0
        with writing(self._engine) as connection:
            # Identical requests of one instant are told apart by the first ordinal that is free.
            while True:
                key = digits("report", username, trans_id, kind, content, now_us, ordinal)
                if connection.scalar(select(report_request.c.key).where(report_request.c.key == key)) is None:
                    break
                ordinal += 1
            row = {"key": key, "username": username, "trans_id": trans_id, "kind": kind, "submitted_us": now_us}
            connection.execute(insert(report_request), row | {"file_name": "", "error": ""})

        async def work() -> str:
            made = await make(key)
            if made is None:
                return ""
            return self._lay(username, *made)

        done = self._driver.io("report", key, work)
        assert done.callbacks is not None
        done.callbacks.append(lambda event: self._made(key, kind, event))
        return key

    def request(self, key: str, username: str) -> ReportRequest | None:
        """A user's own request; None for one that is another's or that there is none of."""
        found = select(report_request).where(report_request.c.key == key, report_request.c.username == username)
        with self._engine.connect() as connection:
            row = connection.execute(found).first()
        return None if row is None else ReportRequest(**row._mapping)

    def recover(self, now_us: Micros) -> None:
        """After a restart: what was being made is not made any more."""
        self._end(report_request.c.ended_us.is_(None), now_us, error=BROKEN)

    def _lay(self, username: str, names: Iterable[str], content: bytes) -> str:
        assert self._folders is not None
        for name in names:
            try:
                self._folders.add(username, name, content)
            except FileExistsError:
                continue
            return name
        raise FileExistsError("every name is taken")

    def _made(self, key: str, kind: str, done: simpy.Event) -> None:
        if not done.ok:
            done.defused = True
        self._driver.env.process(self._note(key, kind, done))

    def _note(self, key: str, kind: str, done: simpy.Event) -> Generator[simpy.Event, Any, None]:
        """Write what became of a request, as soon as the database takes it; a simpy process."""
        name = str(done.value) if done.ok else ""
        error = "" if name else NO_DATA if done.ok else BROKEN
        while True:
            try:
                self._end(report_request.c.key == key, to_us(self._driver.now()), name, error)
                break
            except SQLAlchemyError:
                yield self._driver.env.timeout(_AGAIN_US)
        reason = type(done.value).__name__ if not done.ok else error
        self._journal.note(self._driver.now(), "SMT", "report", key, report=kind, file=name, reason=reason)

    def _end(self, which: object, now_us: Micros, file_name: str = "", error: str = "") -> None:
        with writing(self._engine) as connection:
            ended = update(report_request).values(ended_us=now_us, file_name=file_name, error=error)
            connection.execute(ended.where(which))  # type: ignore[arg-type]
