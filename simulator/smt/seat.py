"""A process's seat at SMT's database: alone, as the dispatcher, or as a worker. Who would sit where another sits is refused.

PostgreSQL: advisory locks of a session of its own, so a process that dies leaves its seat. SQLite: a locked file beside the database; one process alone.
"""

from __future__ import annotations

import fcntl
from enum import StrEnum
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import DBAPIError

from simulator.errors import SimulatorError

#: Keys of the advisory locks: held by the dispatcher; held by everyone, shared unless alone.
_DISPATCHER, _MEMBERS = 0x0D4, 0x0D5
_HELD = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND classid = 0 AND objid = :key AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class Role(StrEnum):
    """What a process does with the database."""

    #: Everything, and nobody else works on it.
    ALONE = "alone"
    #: Answers requests and runs the on-demand processes; workers beside it answer requests too.
    DISPATCHER = "dispatcher"
    #: Answers requests and leaves the on-demand processes to the dispatcher.
    WORKER = "worker"


class Seat:
    """The seat, held until ``release`` or the end of the process."""

    def __init__(self, engine: Engine, role: Role) -> None:
        """Take it. Raises SimulatorError ``smt.database.in_use`` or ``smt.database.workers``."""
        self.role = role
        self._engine = engine
        self._file: IO[str] | None = None
        self._session: Connection | None = None
        if engine.dialect.name == "postgresql":
            self._take_locks()
        elif role is not Role.ALONE:
            raise SimulatorError(
                "smt.database.workers",
                "Several SMT processes cannot share a SQLite database.",
                place="--database",
                mend="Use PostgreSQL: postgresql://user@host/name.",
            )
        else:
            self._lock_file()

    def dispatcher_alive(self) -> bool:
        """Whether a dispatcher (or the one that is alone) holds its seat. Asks the database."""
        if self._file is not None:
            return True
        with self._engine.connect() as connection:
            return bool(connection.scalar(_HELD, {"key": _DISPATCHER}))

    def release(self) -> None:
        """Leave it."""
        if self._file is not None:
            self._file.close()
        if self._session is not None:
            # The session ends with its locks; back in the pool it would go on holding them.
            self._session.detach()
            self._session.close()

    def _lock_file(self) -> None:
        path = Path(f"{self._engine.url.database}.lock")
        # A file of its own: closing a second handle of the database's would drop SQLite's own locks.
        self._file = path.open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise _in_use(str(self._engine.url.database), "Wait for it to end, or give another database.") from None

    def _take_locks(self) -> None:
        session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        name = self._engine.url.render_as_string(hide_password=True)
        members = func.pg_try_advisory_lock if self.role is Role.ALONE else func.pg_try_advisory_lock_shared
        try:
            if not session.scalar(select(members(_MEMBERS))):
                raise _in_use(name, "Start every process of it as dispatcher or worker, or give another database.")
            if self.role is not Role.WORKER and not session.scalar(select(func.pg_try_advisory_lock(_DISPATCHER))):
                raise _in_use(name, "It has its dispatcher: start this one as a worker, or give another database.")
        except (SimulatorError, DBAPIError):
            session.detach()
            session.close()
            raise
        self._session = session


def _in_use(place: str, mend: str) -> SimulatorError:
    return SimulatorError("smt.database.in_use", "Another SMT is working on this database.", place, mend)
