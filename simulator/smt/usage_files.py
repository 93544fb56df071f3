"""SMT splits what a TDSP posts per ROR: each ROR of record gets its records as a file in its own folder, in the format that its entity is set to.

A file is owed from the commit that loads the records, is made from what was loaded, and lies in the folder whole or not at all. What a crash or a full
disk has left owed is laid at the next start or posting, under the same name and with the same content.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from sqlalchemy import Connection, Engine, insert, select, update

from headend.boundaries import boundary
from headend.lse import LseRecord, file_name
from headend.lse_format import STAMP
from meters.calendar import local
from simulator.smt.database import writing
from simulator.smt.registry import Registry, UsageFormat
from simulator.smt.report_formats import INTERVAL_STEM, interval_csv, lse_file
from simulator.smt.store import StoredDay, VeeStore
from simulator.smt.tables import usage_file

#: Lays a file into a user's folder: (username, file name, content).
Deliver = Callable[[str, str, bytes], None]
_WRITERS: dict[UsageFormat, Callable[[Iterable[StoredDay]], bytes]] = {
    UsageFormat.LSE: lse_file,
    UsageFormat.CSV: interval_csv,
}


@dataclass(frozen=True, slots=True)
class Laid:
    """A file that was due. ``source``: the posted file that it was split from; ``trouble``: why it does not lie there yet."""

    username: str
    name: str
    duns: str
    source: str
    records: int
    trouble: str = ""


def usage_file_name(form: UsageFormat, sender: str, made_at: int, counter: int) -> str:
    """Name of a ROR's usage file. sender: the TDSP's DUNS number; made_at: UTC epoch seconds; counter: 1-999, of one sender and second.

    LSE: ``<DUNS>IntervalData<ccyymmddhhmmss><counter>.lse``. CSV: ``IntervalMeterUsage<ccyymmddhhmmss>-<DUNS>-<counter>.CSV``; what comes after
    the time is a default of this project.
    """
    if form is UsageFormat.CSV:
        return f"{INTERVAL_STEM}{local(made_at).strftime(STAMP)}-{sender}-{counter:03d}.CSV"
    return file_name(sender, made_at, counter)


class UsageFiles:
    """The usage files of one SMT. Blocking: called in the executor, one call at a time."""

    def __init__(self, engine: Engine, store: VeeStore, registry: Registry) -> None:
        """Nothing is owed or laid yet."""
        self._engine = engine
        self._store = store
        self._registry = registry

    def owe(self, loaded: Sequence[LseRecord], sender: str, source: str, posting: int, at: int) -> None:
        """Note which RORs are owed a file of what is loaded; in the caller's transaction, so that neither is without the other.

        sender: DUNS number of the TDSP. posting: which one under the name ``source``. at: UTC epoch seconds.
        """
        ror_of_record = self._registry.ror_of_record
        rors = sorted({duns for one in loaded if (duns := ror_of_record(one.esiid, one.day)) is not None})
        with writing(self._engine) as connection:
            for duns in rors:
                entity, username = self._registry.entities.get(duns), self._registry.folder_of(duns)
                form = UsageFormat.NONE if entity is None else entity.usage_files
                if username is None or form is UsageFormat.NONE:
                    continue
                name = _free_name(connection, username, form, sender, at)
                row = {"username": username, "name": name, "duns": duns, "format": form.value}
                connection.execute(
                    insert(usage_file), row | {"source": source, "posting": posting, "owed_at": at, "laid_at": None}
                )

    def lay(self, deliver: Deliver, at: int) -> list[Laid]:
        """Make every file that is owed and lay it into its ROR's folder. One that cannot be laid stays owed, and the others are laid all the same."""
        table = usage_file.c
        owed = (
            select(usage_file)
            .where(table.laid_at.is_(None))
            .order_by(table.owed_at, table.source, table.posting, table.username, table.name)
        )
        laid = []
        with self._engine.connect() as connection:
            rows = connection.execute(owed).all()
        for (source, posting), files in groupby(rows, key=lambda row: (row.source, row.posting)):
            of_ror = self._split(source, posting)
            for row in files:
                days = of_ror.get(row.duns, [])
                one = Laid(row.username, row.name, row.duns, source, len(days))
                try:
                    deliver(row.username, row.name, _WRITERS[UsageFormat(row.format)](days))
                except OSError as error:
                    laid.append(replace(one, trouble=type(error).__name__))
                    continue
                boundary("usage_file.laid")
                mine = (table.username == row.username) & (table.name == row.name)
                with writing(self._engine) as connection:
                    connection.execute(update(usage_file).where(mine).values(laid_at=at))
                laid.append(one)
        return laid

    def _split(self, source: str, posting: int) -> dict[str, list[StoredDay]]:
        """What a posting brought, by the ROR of record of each operating day."""
        of_ror: defaultdict[str, list[StoredDay]] = defaultdict(list)
        for one in self._store.posted(source, posting):
            duns = self._registry.ror_of_record(one.esiid, one.day)
            if duns is not None:
                of_ror[duns].append(one)
        return of_ror


def _free_name(connection: Connection, username: str, form: UsageFormat, sender: str, at: int) -> str:
    """The first name of that second that no file of the folder has had."""
    counter = 1
    while True:
        name = usage_file_name(form, sender, at, counter)
        taken = select(usage_file.c.name).where(usage_file.c.username == username, usage_file.c.name == name)
        if connection.scalar(taken) is None:
            return name
        counter += 1
