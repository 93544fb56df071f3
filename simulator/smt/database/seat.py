"""A process's seat at SMT's database: alone, as the dispatcher, or as a worker. Who would sit where another sits is refused.

PostgreSQL: advisory locks of a session of its own, so a process that dies leaves its seat. SQLite: a locked file beside the database; one process alone.
Whoever has lost its seat does not get at the database any more: each connection is looked at before it is used.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine, event, func, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from headend.store.seat import lock_beside
from simulator.errors import SimulatorError

#: Keys of the advisory locks: held by the dispatcher; held by everyone, shared unless alone.
_DISPATCHER, _MEMBERS = 0x0D4, 0x0D5
_HELD = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND classid = 0 AND objid = :key AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)

#: Which backend serves a session, told apart from a later one of the same number; and its end, waited for.
_BACKEND = text("SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()")
_END = text(
    "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE pid = :pid AND backend_start = :backend_start"
)


class Role(StrEnum):
    """What a process does with the database."""

    #: Everything, and nobody else works on it.
    ALONE = "alone"
    #: Answers requests and runs the on-demand processes; workers beside it answer requests too.
    DISPATCHER = "dispatcher"
    #: Answers requests and leaves the on-demand processes to the dispatcher.
    WORKER = "worker"


class Loss(StrEnum):
    """Why a process does not work on its database any more."""

    #: PostgreSQL ended the session that held the seat, and another SMT was quicker. For good: what is in memory here may be old by now.
    TAKEN = "taken"
    #: The SQLite file, or the lock beside it, is not the one that was opened. Until it lies there again.
    REPLACED = "replaced"


_SENTENCES = {
    Loss.TAKEN: "Another SMT has taken this database over: this one does not work on it any more. Stop one of the two; start this one again to go on here.",
    Loss.REPLACED: "The database file was removed or replaced while SMT was working on it: put it back, or start SMT again.",
}


class SeatLostError(SQLAlchemyError):
    """The database is another's, or another one. To whoever works on it that is as good as away."""

    def __init__(self, loss: Loss) -> None:
        """Tell it in a sentence."""
        super().__init__(_SENTENCES[loss])
        self.loss = loss


class Seat:
    """The seat, held until ``release`` or the end of the process."""

    def __init__(self, engine: Engine, role: Role) -> None:
        """Take it. Raises SimulatorError ``smt.database.in_use`` or ``smt.database.workers``."""
        self.role = role
        self._engine = engine
        self._file: IO[str] | None = None
        self._session: Connection | None = None
        self._raw: Any = None
        self._backend: dict[str, Any] = {}
        #: Of the database file and its lock, while they are what was opened.
        self._opened: dict[Path, tuple[int, int]] = {}
        self._taken = False
        #: False from a new connection until the session was looked at: the server may have been started anew.
        self._sure = True
        #: While it is looked: the connection that this may need is not to be looked at in turn.
        self._within = False
        # Held while the session is used: it is one, and the intake has a thread of its own.
        self._looking = threading.RLock()
        if engine.dialect.name == "postgresql":
            self._session = self._locked_session()
            event.listen(engine, "connect", self._on_connect)
        elif role is not Role.ALONE:
            raise SimulatorError(
                "smt.database.workers",
                "Several SMT processes cannot share a SQLite database.",
                place="--database",
                mend="Use PostgreSQL: postgresql://user@host/name.",
            )
        else:
            self._lock_file()
            event.listen(engine, "do_connect", self._before_opening)
        event.listen(engine, "engine_connect", self._before_use)

    def look(self) -> None:
        """See that the seat is held still; take it again where the server has ended its session.

        Raises SeatLostError if it is lost, and what the database raises while it is away.
        """
        with self._looking:
            if self._taken:
                raise SeatLostError(Loss.TAKEN)
            if self._file is not None:
                if {path: _identity(path) for path in self._opened} != self._opened:
                    raise SeatLostError(Loss.REPLACED)
                return
            self._within = True
            try:
                self._look_at_session()
                self._sure = True
            finally:
                self._within = False

    @property
    def met_at_use(self) -> bool:
        """Whether its loss is met at every use of the database; PostgreSQL may end a session that nobody has looked at since."""
        return self._file is not None

    def dispatcher_alive(self) -> bool:
        """Whether a dispatcher (or the one that is alone) holds its seat: this one, or, at a worker, one that the database knows of."""
        self.look()
        if self.role is not Role.WORKER:
            return True
        with self._engine.connect() as connection:
            return bool(connection.scalar(_HELD, {"key": _DISPATCHER}))

    def release(self) -> None:
        """Leave it."""
        event.remove(self._engine, "engine_connect", self._before_use)
        if self._file is not None:
            event.remove(self._engine, "do_connect", self._before_opening)
            self._file.close()
        else:
            event.remove(self._engine, "connect", self._on_connect)
        with self._looking:
            if self._session is not None:
                # An ended session's locks are gone a moment later: who comes at once would be refused.
                with suppress(SQLAlchemyError):
                    self._session.execute(select(func.pg_advisory_unlock_all()))
            self._leave_session()

    def _on_connect(self, *_: Any) -> None:
        self._sure = False

    def _before_use(self, _connection: Connection) -> None:
        with self._looking:
            if not self._within and (self._file is not None or self._taken or not self._sure):
                self.look()

    def _before_opening(self, *_: Any) -> None:
        # SQLite would make an empty database where there is none.
        self.look()

    # -- SQLite -----------------------------------------------------------------------------------------------

    def _lock_file(self) -> None:
        database = str(self._engine.url.database)
        self._file = lock_beside(database)
        if self._file is None:
            raise _in_use(database, "Wait for it to end, or give another database.")
        self._opened = {one: _identity(one) for one in (Path(database), Path(self._file.name))}

    # -- PostgreSQL -------------------------------------------------------------------------------------------

    def _look_at_session(self) -> None:
        if self._session is not None:
            try:
                self._session.scalar(select(1))
                return
            except DBAPIError:
                # Its locks have ended with it, unless the server has not noticed yet.
                self._leave_session()
        with self._engine.connect() as connection, connection.begin():
            connection.execute(_END, self._backend)
        try:
            self._session = self._locked_session()
        except SimulatorError:
            self._taken = True
            raise SeatLostError(Loss.TAKEN) from None

    def _locked_session(self) -> Connection:
        """A session with the locks of the seat, out of the pool. Raises SimulatorError if another has them."""
        session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        session.detach()
        name = self._engine.url.render_as_string(hide_password=True)
        members = func.pg_try_advisory_lock if self.role is Role.ALONE else func.pg_try_advisory_lock_shared
        try:
            if not session.scalar(select(members(_MEMBERS))):
                raise _in_use(name, "Start every process of it as dispatcher or worker, or give another database.")
            if self.role is not Role.WORKER and not session.scalar(select(func.pg_try_advisory_lock(_DISPATCHER))):
                raise _in_use(name, "It has its dispatcher: start this one as a worker, or give another database.")
            self._raw = session.connection.dbapi_connection
            self._backend = dict(session.execute(_BACKEND).mappings().one())
        except BaseException:
            session.close()
            raise
        return session

    def _leave_session(self) -> None:
        if self._session is not None:
            # Out of the pool, it ends with its locks; back in it, it would go on holding them. It may be broken: nothing is said on it any more.
            self._session.invalidate()
            self._session.close()
            self._session = None
            self._raw.close()


def _identity(path: Path) -> tuple[int, int]:
    """Device and inode of a file; zeros where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


def _in_use(place: str, mend: str) -> SimulatorError:
    return SimulatorError("smt.database.in_use", "Another SMT is working on this database.", place, mend)
