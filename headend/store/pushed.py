"""To where SMT has taken what sweeps collected, by ESI ID: so nothing is lost, and little sent again, by who comes up after a kill."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from headend.boundaries import boundary
from headend.store.rows import PUSHED, Database, chunks
from meters.calendar import Seconds


class PushedStore:
    """What was pushed. Methods are synchronous; each is one transaction."""

    def __init__(self, database: Database) -> None:
        """Use the store's database; its tables are made with the others."""
        self._database = database

    def reach(self) -> dict[str, Seconds]:
        """UTC epoch seconds to where each ESI ID was pushed that was."""
        with self._database.reading() as connection:
            return {row.esiid: row.pushed_to for row in connection.execute(sa.select(PUSHED))}

    def note(self, reach: Mapping[str, Seconds]) -> None:
        """SMT has taken these, to there."""
        rows = [{"esiid": esiid, "pushed_to": to} for esiid, to in sorted(reach.items())]
        with self._database.writing() as connection:
            for some in chunks(sorted(reach)):
                connection.execute(sa.delete(PUSHED).where(PUSHED.c.esiid.in_(some)))
            connection.execute(sa.insert(PUSHED), rows)
            boundary("headend.pushed.before_commit")
        boundary("headend.pushed.after_commit")

    def forget(self) -> None:
        """SMT takes none, and would have to be told all."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(PUSHED))
