"""The runs of VEE over an operating day: the first over all meters, later ones over those of which something came late; each posted once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from headend.store.rows import INTERVAL_DAYS, Database
from meters.calendar import Seconds

RUNS = sa.Table(
    "vee_run",
    INTERVAL_DAYS.metadata,
    sa.Column("operating_day", sa.Date, primary_key=True),
    sa.Column("run", sa.Integer, primary_key=True, autoincrement=False),
    #: UTC epoch seconds before which what it saw was collected, and at which SMT's site had all of it.
    sa.Column("began_at", sa.BigInteger, nullable=False),
    sa.Column("posted_at", sa.BigInteger),
    #: Whose results it changed, ascending, with blanks between them; empty: everybody's.
    sa.Column("esiids", sa.Text, nullable=False),
    #: What is told of it, JSON.
    sa.Column("report", sa.Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run. Instants in UTC epoch seconds."""

    operating_day: date
    run: int
    began_at: Seconds
    #: None until SMT's site has all of it.
    posted_at: Seconds | None
    esiids: str
    report: str

    @property
    def changed(self) -> list[str]:
        """ESI IDs whose results it changed; none of the first, which is everybody's."""
        return self.esiids.split()


class RunStore:
    """The runs of a head-end. Methods are synchronous; each is one transaction, or a part of the caller's."""

    def __init__(self, database: Database) -> None:
        """Use the store's database; its tables are made with the others."""
        self._engine, self._writing = database

    def enter(
        self, connection: sa.Connection, day: date, changed: Iterable[str], began_at: Seconds, report: str
    ) -> None:
        """In the transaction that keeps a run's results: begin the first run or a correction, or take more into the latest one while it is not posted.

        changed: ESI IDs. report: of the run that begins; what is taken in later does not change it. A run that changed nothing is no correction, but it has seen what there was.
        """
        runs, latest = RUNS.c, self.latest(day, connection)
        ids = set(changed)
        if latest is None or (latest.posted_at is not None and ids):
            row = {"operating_day": day, "began_at": began_at, "posted_at": None, "report": report}
            row |= {"run": latest.run + 1, "esiids": " ".join(sorted(ids))} if latest else {"run": 1, "esiids": ""}
            connection.execute(sa.insert(RUNS), row)
            return
        if latest.esiids and latest.posted_at is None:
            ids |= set(latest.changed)
        else:
            ids = set(latest.changed)
        this = (runs.operating_day == day) & (runs.run == latest.run)
        connection.execute(sa.update(RUNS).where(this).values(began_at=began_at, esiids=" ".join(sorted(ids))))

    def latest(self, day: date, connection: sa.Connection | None = None) -> Run | None:
        """The latest run of a day."""
        if connection is None:
            with self._engine.connect() as connected:
                return self.latest(day, connected)
        query = sa.select(RUNS).where(RUNS.c.operating_day == day).order_by(RUNS.c.run.desc()).limit(1)
        found = connection.execute(query).mappings().first()
        return None if found is None else Run(**found)

    def of_day(self, day: date) -> list[Run]:
        """The runs of a day, in their order."""
        with self._engine.connect() as connection:
            query = sa.select(RUNS).where(RUNS.c.operating_day == day).order_by(RUNS.c.run)
            return [Run(**row) for row in connection.execute(query).mappings()]

    def unposted(self) -> list[Run]:
        """The runs that SMT's site does not have all of, by day."""
        runs = RUNS.c
        query = sa.select(RUNS).where(runs.posted_at.is_(None)).order_by(runs.operating_day, runs.run)
        with self._engine.connect() as connection:
            return [Run(**row) for row in connection.execute(query).mappings()]

    def end(self, run: Run, at: Seconds) -> bool:
        """SMT's site has all of a run. at: UTC epoch seconds. False if it has taken more in meanwhile, and is to be posted again."""
        runs = RUNS.c
        this = (runs.operating_day == run.operating_day) & (runs.run == run.run) & (runs.began_at == run.began_at)
        with self._writing.begin() as connection:
            return connection.execute(sa.update(RUNS).where(this).values(posted_at=at)).rowcount == 1
