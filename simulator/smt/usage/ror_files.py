"""SMT splits what a TDSP posts per ROR: each ROR of record gets its records as a file in its own folder, in the format that its entity is set to.

A file is owed from the commit that loads the records, is made from what was loaded, and lies in the folder whole or not at all. What a crash or a full
disk has left owed is laid at the next start or posting, under the same name and with the same content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, exists, insert, select, update

from headend.boundaries import boundary
from headend.lse.format import STAMP
from headend.lse.writer import file_name
from headend.store.statements import Prepared
from meters.calendar import Seconds, local, seconds
from simulator.smt.database.engine import reading, writing
from simulator.smt.database.tables import file_event, usage_file
from simulator.smt.registry.records import UsageFormat
from simulator.smt.registry.registry import Registry
from simulator.smt.usage.formats import INTERVAL_STEM, interval_csv, lse_file
from simulator.smt.usage.postings import Happened, Postings, digest
from simulator.smt.usage.site.folders import Folders
from simulator.smt.usage.store import StoredDay, VeeStore

#: Counters of one second, and how many other names are tried for a file whose own is another's.
_COUNTERS, _NAMES_TRIED = 999, 50
#: Names that are looked for at once; a TDSP posts few files of one second.
_AT_ONCE = 9
_WRITERS: dict[UsageFormat, Callable[[Iterable[StoredDay]], bytes]] = {
    UsageFormat.LSE: lse_file,
    UsageFormat.CSV: interval_csv,
}
# Made once: making a statement takes as long as executing it.
_FILE = usage_file.c
_FETCHED = exists().where(
    file_event.c.username == _FILE.username,
    file_event.c.name == _FILE.name,
    file_event.c.happened == Happened.FETCHED.value,
)
_OWED = (
    select(usage_file)
    .where(_FILE.laid_at.is_(None) | ~_FETCHED)
    .order_by(_FILE.owed_at, _FILE.source, _FILE.posting, _FILE.username, _FILE.name)
)
_TAKEN = select(_FILE.name).where(
    _FILE.username == bindparam("username"), _FILE.name.in_(bindparam("names", expanding=True))
)
_ENTER = Prepared(insert(usage_file))
_LAID = update(usage_file).where(_FILE.username == bindparam("k_username"), _FILE.name == bindparam("k_name"))


@dataclass(frozen=True, slots=True)
class Laid:
    """A file that was due. ``source``: the posted file that it was split from; ``trouble``: why it does not lie there yet."""

    username: str
    name: str
    duns: str
    source: str
    records: int
    trouble: str = ""


def usage_file_name(form: UsageFormat, sender: str, made_at: Seconds, counter: int) -> str:
    """Name of a ROR's usage file. sender: the TDSP's DUNS number; made_at: UTC epoch seconds; counter: 1-999, of one sender and second.

    LSE: ``<DUNS>IntervalData<ccyymmddhhmmss><counter>.lse``. CSV: ``IntervalMeterUsage<ccyymmddhhmmss>-<DUNS>-<counter>.CSV``; what comes after
    the time is a default of this project.
    """
    if form is UsageFormat.CSV:
        return f"{INTERVAL_STEM}{local(made_at).strftime(STAMP)}-{sender}-{counter:03d}.CSV"
    return file_name(sender, made_at, counter)


class UsageFiles:
    """The usage files of one SMT. Blocking: called in the executor, one call at a time."""

    def __init__(self, engine: Engine, store: VeeStore, registry: Registry, postings: Postings) -> None:
        """Nothing is owed or laid yet."""
        self._postings = postings
        self._engine = engine
        self._store = store
        self._registry = registry

    def owe(self, rors: Sequence[str], sender: str, source: str, posting: int, at: Seconds) -> None:
        """Note that RORs (DUNS numbers) are owed a file of what is loaded; in the caller's transaction, so that neither is without the other.

        sender: DUNS number of the TDSP. posting: which one under the name ``source``. at: UTC epoch seconds.
        """
        with writing(self._engine) as connection:
            for duns in rors:
                entity, username = self._registry.entities.get(duns), self._registry.folder_of(duns)
                form = UsageFormat.NONE if entity is None else entity.usage_files
                if username is None or form is UsageFormat.NONE:
                    continue
                name = next(_free_names(connection, username, form, sender, at))
                row = {"username": username, "name": name, "duns": duns, "format": form.value}
                owed = {"source": source, "posting": posting, "owed_at": at, "laid_at": None}
                _ENTER.execute(connection, row | owed)

    def lay(self, folders: Folders, at: Seconds) -> list[Laid]:
        """Make every file that is owed and lay it into its ROR's folder. One that cannot be laid stays owed, and the others are laid all the same.

        A file that was laid and lies there no more, and that its ROR never fetched, is owed still.

        Where another file has the name, it is laid under the next one.
        """
        with reading(self._engine) as connection:
            rows = connection.execute(_OWED).all()
        wanting = (row for row in rows if row.laid_at is None or not folders.has(row.username, row.name))
        return [self._laid(row, folders, at) for row in wanting]

    def _laid(self, row: Row[Any], folders: Folders, at: Seconds) -> Laid:
        days = self._store.posted(row.source, row.posting, row.duns)
        form = UsageFormat(row.format)
        content = _WRITERS[form](days)
        for name in self._names_to_try(row, form):
            try:
                folders.lay(row.username, name, content)
            except FileExistsError:
                continue
            except OSError as error:
                return Laid(row.username, row.name, row.duns, row.source, 0, type(error).__name__)
            boundary("usage_file.laid")
            sha256 = digest(content)
            with writing(self._engine) as connection:
                mine = {"k_username": row.username, "k_name": row.name}
                connection.execute(_LAID, mine | {"laid_at": at, "name": name})
                self._postings.note(Happened.LAID, row.username, name, sha256, len(content), at)
            return Laid(row.username, name, row.duns, row.source, len(days))
        return Laid(row.username, row.name, row.duns, row.source, 0, "FileExistsError")

    def _names_to_try(self, row: Row[Any], form: UsageFormat) -> Iterator[str]:
        """Its own name, and where something else has that the next free ones."""
        yield row.name
        with reading(self._engine) as connection:
            yield from islice(
                _free_names(connection, row.username, form, _sender(row.source), row.owed_at), _NAMES_TRIED
            )


def _sender(source: str) -> str:
    """DUNS number of the TDSP whose posted file it is."""
    return source.partition("IntervalData")[0]


def _free_names(connection: Connection, username: str, form: UsageFormat, sender: str, at: Seconds) -> Iterator[str]:
    """Names that no usage file of the folder has had: of that second by their counters, then of the seconds after it."""
    for second in map(seconds, count(at)):
        for first in range(1, _COUNTERS + 1, _AT_ONCE):
            names = [usage_file_name(form, sender, second, counter) for counter in range(first, first + _AT_ONCE)]
            taken = set(connection.scalars(_TAKEN, {"username": username, "names": names}))
            yield from (name for name in names if name not in taken)
