"""What happened to the files of the file site: posted, cut off, laid, fetched. Append-only."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Engine, bindparam, func, insert, select

from headend.lse.writer import ResultRow
from headend.store.statements import Prepared
from meters.calendar import Seconds
from simulator.smt.database.engine import add_rows, reading, writing
from simulator.smt.database.tables import file_event, posting_refusal

#: Result code of a record that was loaded.
LOADED = "00"
#: Rows that one transaction writes.
_AT_ONCE = 300
#: What is kept of a result's row, by the field it comes from.
_WRITTEN = {"esiid": "esiid", "channel": "channel", "day": "operating_day"}


class Happened(StrEnum):
    """What happened to a file."""

    #: It got its name, and was taken in or lies there to be.
    POSTED = "posted"
    #: Its name was given again, with the same octets.
    REPEATED = "repeated"
    #: Its upload ended before it had said so; kept apart.
    CUT = "cut"
    #: SMT laid it into a user's folder.
    LAID = "laid"
    #: Its user fetched it.
    FETCHED = "fetched"


# Made once: making a statement takes as long as executing it.
_EVENT, _REFUSAL = file_event.c, posting_refusal.c
_POSTED = (_EVENT.username == bindparam("username"), _EVENT.happened == Happened.POSTED.value)
_ENTER = Prepared(insert(file_event))
_DIGEST = select(_EVENT.sha256).where(*_POSTED, _EVENT.name == bindparam("posted")).limit(1)
_SAME = (
    select(_EVENT.name, _EVENT.at)
    .where(*_POSTED, _EVENT.name != bindparam("posted"), _EVENT.sha256 == bindparam("octets"))
    .order_by(_EVENT.at.desc())
    .limit(1)
)
_REFUSED = (
    select(func.count())
    .select_from(posting_refusal)
    .where(
        _REFUSAL.username == bindparam("username"),
        _REFUSAL.name == bindparam("posted"),
        _REFUSAL.at == bindparam("instant"),
    )
)


def digest(content: bytes) -> str:
    """SHA-256 of octets, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Postings:
    """The record of one SMT. Blocking, from any thread; every method is one transaction, or part of the one around it."""

    def __init__(self, engine: Engine, now: Callable[[], Seconds]) -> None:
        """now: model time, UTC epoch seconds."""
        self._engine = engine
        self._now = now

    def posted_digest(self, username: str, name: str) -> str | None:
        """SHA-256 of what a user has posted under a name; None if nothing. Raises SQLAlchemyError."""
        with reading(self._engine) as connection:
            found: str | None = connection.scalar(_DIGEST, {"username": username, "posted": name})
        return found

    def posted_before(self, username: str, name: str, sha256: str) -> tuple[str, Seconds] | None:
        """The latest other name under which a user has posted the same octets, and when. Raises SQLAlchemyError."""
        with reading(self._engine) as connection:
            found = connection.execute(_SAME, {"username": username, "posted": name, "octets": sha256}).first()
        return None if found is None else (found.name, found.at)

    def note(
        self, happened: Happened, username: str, name: str, sha256: str, octets: int, at: Seconds | None = None
    ) -> None:
        """Note what happened to a file, now or at an instant. Raises SQLAlchemyError."""
        row = {"happened": happened.value, "username": username, "name": name, "sha256": sha256, "octets": octets}
        with writing(self._engine) as connection:
            _ENTER.execute(connection, row | {"at": self._now() if at is None else at})

    def note_refused(self, username: str, name: str, at: Seconds, rows: Sequence[ResultRow]) -> None:
        """Note result codes and warnings of a file that is not noted as posted yet, some in each transaction; what an earlier try of this instant has noted stands."""
        refusals = [
            {"at": at, "username": username, "name": name, "code": code, "text": text.replace("\0", "")}
            | {part: getattr(row, field).replace("\0", "") for part, field in _WRITTEN.items()}
            for row in rows
            for code, text in ((row.code, "" if row.code == LOADED else row.text), (LOADED, row.warnings))
            if text
        ]
        with reading(self._engine) as connection:
            there = connection.scalar(_REFUSED, {"username": username, "posted": name, "instant": at}) or 0
        for begin in range(there, len(refusals), _AT_ONCE):
            with writing(self._engine) as connection:
                add_rows(connection, posting_refusal, refusals[begin : begin + _AT_ONCE])
