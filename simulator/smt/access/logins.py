"""What a gatekeeper remembers between calls: bad log-ins, and when each portal token was last used. Of one process in memory, of several in the database."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from hashlib import sha256
from typing import Protocol

from sqlalchemy import Engine, delete, func, insert, select, update

from meters.calendar import rounded_us
from simulator.smt.database.engine import reading, shared_token_key, writing
from simulator.smt.database.tables import login_fault, portal_token

#: Octets of a key that signs tokens.
KEY_OCTETS = 32
#: First key of the advisory locks under which log-ins of one name take turns.
_LOGIN_LOCK = 0x0D6
#: Several processes know of a token's uses to so many seconds of wall time: a storm of calls writes no more often. A default of this project.
USE_S = 1.0


class Logins(Protocol):
    """Instants are seconds of wall time."""

    #: What tokens are signed with.
    key: bytes

    def turn(self, username: str) -> AbstractContextManager[object]:
        """One log-in of a name at a time."""

    def faults(self, username: str, after: float) -> int:
        """How many bad log-ins of a name came after an instant."""

    def fault(self, username: str, now: float, after: float) -> None:
        """Remember a bad one; what came before ``after`` may be forgotten."""

    def forgive(self, username: str) -> None:
        """Forget the bad ones of a name."""

    def begin(self, token_id: str, now: float, after: float) -> None:
        """A token is issued; those last used before ``after`` may be forgotten."""

    def use(self, token_id: str, now: float, after: float) -> bool:
        """Whether a token was issued or used after an instant; if so it is used now."""


class MemoryLogins:
    """Those of one process: nothing of it outlives the instance."""

    def __init__(self) -> None:
        """Draw the key."""
        self.key = secrets.token_bytes(KEY_OCTETS)
        self._used: dict[str, float] = {}
        self._bad: dict[str, deque[float]] = {}

    def turn(self, username: str) -> AbstractContextManager[object]:  # noqa: ARG002
        """See ``Logins``: a log-in is checked in one go."""
        return nullcontext()

    def faults(self, username: str, after: float) -> int:
        """See ``Logins``."""
        bad = self._bad.get(username, deque())
        while bad and bad[0] <= after:
            bad.popleft()
        return len(bad)

    def fault(self, username: str, now: float, after: float) -> None:
        """See ``Logins``."""
        # Guessed usernames must not pile up.
        if len(self._bad) > 1000:
            self._bad = {name: times for name, times in self._bad.items() if times and times[-1] > after}
        self._bad.setdefault(username, deque()).append(now)

    def forgive(self, username: str) -> None:
        """See ``Logins``."""
        self._bad.pop(username, None)

    def begin(self, token_id: str, now: float, after: float) -> None:
        """See ``Logins``."""
        self._used = {one: used for one, used in self._used.items() if used > after}
        self._used[token_id] = now

    def use(self, token_id: str, now: float, after: float) -> bool:
        """See ``Logins``."""
        used = self._used.get(token_id)
        if used is None or used <= after:
            return False
        self._used[token_id] = now
        return True


class DatabaseLogins:
    """Those of several processes at one database."""

    def __init__(self, engine: Engine) -> None:
        """Take the key that the first of them drew."""
        self.key = shared_token_key(engine, KEY_OCTETS)
        self._engine = engine
        #: Uses that this process has written.
        self._written: dict[str, float] = {}

    @contextmanager
    def turn(self, username: str) -> Iterator[None]:
        """See ``Logins``: guesses at several processes at once are not one more than a block allows."""
        second = int.from_bytes(sha256(_octets(username)).digest()[:4], signed=True)
        with writing(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_LOGIN_LOCK, second)))
            yield

    def faults(self, username: str, after: float) -> int:
        """See ``Logins``."""
        table = login_fault.c
        mine = (table.name_hash == _hash(username), table.at_us > rounded_us(after))
        with reading(self._engine) as connection:
            return connection.scalar(select(func.count()).select_from(login_fault).where(*mine)) or 0

    def fault(self, username: str, now: float, after: float) -> None:
        """See ``Logins``."""
        with writing(self._engine) as connection:
            connection.execute(delete(login_fault).where(login_fault.c.at_us <= rounded_us(after)))
            connection.execute(insert(login_fault), {"name_hash": _hash(username), "at_us": rounded_us(now)})

    def forgive(self, username: str) -> None:
        """See ``Logins``."""
        with writing(self._engine) as connection:
            connection.execute(delete(login_fault).where(login_fault.c.name_hash == _hash(username)))

    def begin(self, token_id: str, now: float, after: float) -> None:
        """See ``Logins``."""
        with writing(self._engine) as connection:
            connection.execute(delete(portal_token).where(portal_token.c.used_us <= rounded_us(after)))
            connection.execute(insert(portal_token), {"id": token_id, "used_us": rounded_us(now)})
        self._written = {one: used for one, used in self._written.items() if used > now - USE_S}

    def use(self, token_id: str, now: float, after: float) -> bool:
        """See ``Logins``."""
        written = self._written.get(token_id)
        if written is not None and written > after and 0 <= now - written < USE_S:
            return True
        table = portal_token.c
        using = update(portal_token).where(table.id == token_id, table.used_us > rounded_us(after))
        with writing(self._engine) as connection:
            alive = connection.execute(using.values(used_us=rounded_us(now))).rowcount == 1
        if alive:
            self._written[token_id] = now
        return alive


def _octets(username: str) -> bytes:
    # Whatever was typed as a name: a name that no database can hold, or a password by mistake.
    return username.encode("utf-8", "surrogatepass")


def _hash(username: str) -> str:
    return sha256(_octets(username)).hexdigest()
