"""VEE's work over an operating day, cut into partitions, a row each: the first run is over all meters, later ones over those of which something came late."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from headend.boundaries import boundary
from headend.ports import HeadEndError
from headend.store.rows import INTERVAL_DAYS, POSTED_FILES, Database
from meters.calendar import Seconds


class State(StrEnum):
    """How far a partition is, in this order; each is one commit."""

    PENDING = "pending"
    #: What VEE gave is kept.
    VALIDATED = "validated"
    #: Its file has a name, which is kept before it is sent: ended in the middle, the same is sent again.
    NAMED = "named"
    #: SMT's site has it.
    POSTED = "posted"


PARTITIONS = sa.Table(
    "vee_partition",
    INTERVAL_DAYS.metadata,
    sa.Column("operating_day", sa.Date, primary_key=True),
    sa.Column("run", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
    #: ESI IDs from this one on, and below that one; empty: without a bound.
    sa.Column("from_esiid", sa.String(22), nullable=False),
    sa.Column("to_esiid", sa.String(22), nullable=False),
    #: Of a later run whose are looked at and, once it is validated, whose changed: ascending, with blanks between them.
    sa.Column("esiids", sa.Text, nullable=False),
    sa.Column("state", sa.String(9), nullable=False),
    #: UTC epoch seconds before which what it sees was collected.
    sa.Column("began_at", sa.BigInteger, nullable=False),
    #: Its file's, and when that was made.
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("created_at", sa.BigInteger),
    sa.Column("posted_at", sa.BigInteger),
    #: What is told of it, JSON.
    sa.Column("report", sa.Text, nullable=False),
    #: The classes' profiles, which what comes late is estimated by too.
    sa.Column("profiles", sa.LargeBinary, nullable=False),
    sa.Index("vee_partition_state", "state"),
)
_ROWS = PARTITIONS.c
_TO_POST = State.VALIDATED, State.NAMED
# Made once: making a statement takes as long as executing it.
_IN_ORDER = sa.select(PARTITIONS).order_by(_ROWS.operating_day, _ROWS.run, _ROWS.part)
_OVER = _IN_ORDER.where(_ROWS.operating_day.between(sa.bindparam("first"), sa.bindparam("last")))
_NEXT_TO_POST = _OVER.where(_ROWS.state.in_(_TO_POST)).limit(1)
_DAYS_TO_POST = sa.select(_ROWS.operating_day).where(_ROWS.state.in_(_TO_POST)).distinct()
_UNPOSTED_DAYS = sa.select(_ROWS.operating_day).where(_ROWS.state != State.POSTED).distinct()
_CHANGED = sa.select(_ROWS.esiids).where(
    _ROWS.operating_day >= sa.bindparam("first"),
    _ROWS.operating_day < sa.bindparam("before"),
    _ROWS.began_at > sa.bindparam("since"),
    _ROWS.esiids != "",
)
_MINE = (
    _ROWS.operating_day == sa.bindparam("k_day"),
    _ROWS.run == sa.bindparam("k_run"),
    _ROWS.part == sa.bindparam("k_part"),
)
_CHANGE, _LET_GO = sa.update(PARTITIONS).where(*_MINE), sa.delete(PARTITIONS).where(*_MINE)


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition. Instants in UTC epoch seconds; the columns' comments hold."""

    operating_day: date
    run: int
    part: int
    from_esiid: str
    to_esiid: str
    esiids: str
    state: State
    began_at: Seconds
    name: str = ""
    created_at: Seconds | None = None
    posted_at: Seconds | None = None
    report: str = ""
    profiles: bytes = b""

    def holds(self, esiid: str) -> bool:
        """Whether an ESI ID is in its range."""
        return self.from_esiid <= esiid and (not self.to_esiid or esiid < self.to_esiid)

    def among(self, esiids: Iterable[str]) -> list[str]:
        """Whose results it is about: of those of the head-end's ESI IDs, or of a later run."""
        return [esiid for esiid in esiids if self.holds(esiid)] if self.run == 1 else self.esiids.split()

    @property
    def key(self) -> dict[str, Any]:
        """Its row, as statements name it."""
        return {"k_day": self.operating_day, "k_run": self.run, "k_part": self.part}


class PartitionStore:
    """The partitions of a head-end. Methods are synchronous; each is one transaction, or a part of the caller's."""

    def __init__(self, database: Database) -> None:
        """Use the store's database; its tables are made with the others."""
        self._database = database

    def begin(self, day: date, esiids: Sequence[str], most: int, began_at: Seconds) -> list[Partition]:
        """Cut an operating day's first run: ranges of about equal length, of ``most`` ESI IDs (ascending) at most. Gives its partitions."""
        parts = max(1, -(-len(esiids) // most))
        cuts = ["", *(esiids[len(esiids) * part // parts] for part in range(1, parts)), ""]
        return self._plan(
            Partition(day, 1, part, *between, "", State.PENDING, began_at)
            for part, between in enumerate(pairwise(cuts), 1)
        )

    def again(self, day: date, esiids: Collection[str], began_at: Seconds) -> list[Partition]:
        """Begin a later run of a day, over some ESI IDs, in the parts of the first. Gives its partitions."""
        before = self.of_day(day)
        run = before[-1].run + 1
        looked_at = [
            Partition(day, run, one.part, one.from_esiid, one.to_esiid, " ".join(some), State.PENDING, began_at)
            for one in before
            if one.run == 1 and (some := sorted(filter(one.holds, esiids)))
        ]
        return self._plan(looked_at)

    def _plan(self, partitions: Iterable[Partition]) -> list[Partition]:
        planned = list(partitions)
        with self._database.writing() as connection:
            rows = [{name: getattr(one, name) for name in Partition.__slots__} for one in planned]
            connection.execute(sa.insert(PARTITIONS), rows)
            boundary("headend.planned.before_commit")
        boundary("headend.planned.after_commit")
        return planned

    def validated(
        self, connection: sa.Connection, partition: Partition, changed: Iterable[str], report: str, profiles: bytes
    ) -> None:
        """In the transaction that keeps its results. changed: ESI IDs whose are others.

        What changed nothing is no correction, but has seen what there was.
        """
        esiids = " ".join(sorted(set(changed))) if partition.run > 1 else ""
        if esiids or partition.run == 1:
            told = {"esiids": esiids, "state": State.VALIDATED, "report": report, "profiles": profiles}
            connection.execute(_CHANGE, partition.key | told)
            return
        connection.execute(_LET_GO, partition.key)
        of_day = _ROWS.operating_day == partition.operating_day
        latest = sa.select(sa.func.max(_ROWS.run)).where(of_day).scalar_subquery()
        seen = sa.update(PARTITIONS).where(of_day, _ROWS.run == latest)
        connection.execute(seen.values(began_at=partition.began_at))

    def named(self, partition: Partition, name: str, at: Seconds) -> Partition:
        """Keep the name of its file, which is made at an instant (UTC epoch seconds), before it is sent."""
        with self._database.writing() as connection:
            told = {"state": State.NAMED, "name": name, "created_at": at}
            connection.execute(_CHANGE, partition.key | told)
            boundary("headend.named.before_commit")
        boundary("headend.named.after_commit")
        return replace(partition, state=State.NAMED, name=name, created_at=at)

    def posted(self, partition: Partition, at: Seconds, records: int) -> None:
        """SMT's site has its file. at: UTC epoch seconds. Raises HeadEndError if one of that name was posted before."""
        day = partition.operating_day
        file = {"name": partition.name, "operating_day": day, "posted_at": at, "records": records}
        told = {"state": State.POSTED, "posted_at": at}
        try:
            with self._database.writing() as connection:
                connection.execute(sa.insert(POSTED_FILES), [file])
                connection.execute(_CHANGE, partition.key | told)
                boundary("headend.posted.before_commit")
        except sa.exc.IntegrityError:
            mend = "A correction is a new file with a new counter."
            raise HeadEndError(
                "headend.store.posted_twice", "This file was posted before.", place=partition.name, mend=mend
            ) from None
        boundary("headend.posted.after_commit")

    def of_day(self, day: date) -> list[Partition]:
        """The partitions of an operating day, by run and part."""
        return self.of_days(day, day).get(day, [])

    def of_days(self, first: date, last: date) -> dict[date, list[Partition]]:
        """The partitions of the operating days from first to last that have some, by run and part."""
        found: dict[date, list[Partition]] = {}
        for one in self._found(_OVER, first, last):
            found.setdefault(one.operating_day, []).append(one)
        return found

    def next_to_post(self, day: date) -> Partition | None:
        """The first of a day that is validated and that SMT's site does not have."""
        return next(iter(self._found(_NEXT_TO_POST, day, day)), None)

    def days_to_post(self) -> list[date]:
        """Operating days of which such are there."""
        return self._days(_DAYS_TO_POST)

    def unposted_days(self) -> list[date]:
        """Operating days of which SMT's site does not have all."""
        return self._days(_UNPOSTED_DAYS)

    def _days(self, query: sa.Select[date]) -> list[date]:
        with self._database.reading() as connection:
            return sorted(connection.scalars(query))

    def revised(self, first: date, before: date, since: Seconds) -> set[str]:
        """ESI IDs that later runs changed of operating days from the first to one, runs that began after an instant (UTC epoch seconds)."""
        with self._database.reading() as connection:
            found = connection.scalars(_CHANGED, {"first": first, "before": before, "since": since})
            return {esiid for esiids in found for esiid in esiids.split()}

    def names(self) -> set[str]:
        """Every name that a file was to be posted under, or was."""
        with self._database.reading() as connection:
            return set(connection.scalars(sa.union(sa.select(POSTED_FILES.c.name), sa.select(_ROWS.name))))

    def _found(self, query: sa.Select[Any], first: date, last: date) -> list[Partition]:
        with self._database.reading() as connection:
            rows = connection.execute(query, {"first": first, "last": last}).mappings()
            return [Partition(**{**row, "state": State(row["state"])}) for row in rows]
