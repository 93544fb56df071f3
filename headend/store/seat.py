"""A head-end's seat at its database: one process works on it, by whatever URL another names it.

SQLite: a locked file beside it. PostgreSQL: an advisory lock of a session of its own. Both end with the process.
"""

from __future__ import annotations

import fcntl
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import sqlalchemy as sa

from headend.ports import HeadEndError

#: Key of the advisory lock.
_HEAD_END = 0x0D6


def lock_beside(database: str) -> IO[str] | None:
    """Lock the file beside a SQLite file, by whichever link that is named; None where another has it locked.

    It is a file of its own: closing a second handle of the database's would drop SQLite's own locks. Raises HeadEndError for a file that has
    two names, of which no lock beside one would tell the other.
    """
    path = Path(database).resolve()
    if path.exists() and path.stat().st_nlink > 1:
        raise HeadEndError(
            "database.linked",
            "The database has another name too (a hard link), under which another process may be working on it.",
            str(path),
            "Remove one of the names, or copy the file.",
        )
    file = Path(f"{path}.lock").open("a")  # noqa: SIM115 - held as long as the seat
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def take_seat(engine: sa.Engine) -> ExitStack:
    """Take it; closing what is returned leaves it. Raises HeadEndError ``headend.store.in_use``."""
    held = ExitStack()
    if engine.dialect.name == "postgresql":
        session = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        # Out of the pool: back in it, it would go on holding the lock.
        session.detach()
        held.callback(session.close)
        free = session.scalar(sa.select(sa.func.pg_try_advisory_lock(_HEAD_END)))
    elif engine.url.database in (None, "", ":memory:"):
        free = True
    else:
        file = lock_beside(str(engine.url.database))
        free = file is not None and held.enter_context(file)
    if not free:
        held.close()
        raise HeadEndError(
            "headend.store.in_use",
            "Another head-end is working on this database.",
            engine.url.render_as_string(hide_password=True),
            "Wait for it to end, or give this one another database.",
        )
    return held
