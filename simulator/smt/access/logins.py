"""What a gatekeeper remembers between calls: the key of its tokens, and when each token of the portal was last used. Of one process in memory, of several in the database."""

from __future__ import annotations

import secrets
from typing import Protocol

from sqlalchemy import Engine, delete, insert, update

from meters.calendar import rounded_us
from simulator.smt.database.engine import shared_token_key, writing
from simulator.smt.database.tables import portal_token

#: Octets of a key that signs tokens.
KEY_OCTETS = 32
#: Several processes know of a token's uses to so many seconds of wall time: a storm of calls writes no more often. A default of this project.
USE_S = 1.0


class Logins(Protocol):
    """Instants are seconds of wall time."""

    #: What tokens are signed with.
    key: bytes

    def begin(self, token_id: str, now: float, after: float) -> None:
        """A token is issued; those last used before ``after`` may be forgotten."""

    def use(self, token_id: str, now: float, after: float) -> bool:
        """Whether a token was issued or used after an instant; if so it is used now."""

    def end(self, token_id: str) -> None:
        """It was never used."""


class MemoryLogins:
    """Those of one process: nothing of it outlives the instance."""

    def __init__(self) -> None:
        """Draw the key."""
        self.key = secrets.token_bytes(KEY_OCTETS)
        self._used: dict[str, float] = {}

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

    def end(self, token_id: str) -> None:
        """See ``Logins``."""
        self._used.pop(token_id, None)


class DatabaseLogins:
    """Those of several processes at one database."""

    def __init__(self, engine: Engine) -> None:
        """Take the key that the first of them drew."""
        self.key = shared_token_key(engine, KEY_OCTETS)
        self._engine = engine
        #: Uses that this process has written.
        self._written: dict[str, float] = {}

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

    def end(self, token_id: str) -> None:
        """See ``Logins``: other processes know of it ``USE_S`` later."""
        with writing(self._engine) as connection:
            connection.execute(delete(portal_token).where(portal_token.c.id == token_id))
        self._written.pop(token_id, None)
