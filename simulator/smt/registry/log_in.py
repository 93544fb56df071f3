"""Log-ins at every door, HTTP and FTPS: whether name and password are right, and how soon the next guess is looked at.

Bad log-ins count by name and peer, so a stranger's guesses never touch an owner who comes from elsewhere. On one machine all have one peer: there the right
password is taken once the delay is over, which grows with every bad log-in and is bounded.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from ipaddress import ip_address, ip_network
from typing import Protocol

from sqlalchemy import Engine, delete, func, insert, select

from meters.calendar import fraction_s, micros, rounded_us
from simulator.smt.database.engine import reading, writing
from simulator.smt.database.tables import login_fault
from simulator.smt.registry.passwords import password_is
from simulator.smt.registry.records import User

#: First key of the advisory locks under which log-ins of one name and peer take turns.
_LOGIN_LOCK = 0x0D6
#: Of so many names and peers the bad log-ins are kept in memory; beyond, those are forgotten that were last heard of first. A default of this project.
MOST_KEPT = 10_000


class LoginFault(StrEnum):
    """Why a login failed."""

    UNKNOWN_USER = "unknown_user"
    WRONG_PASSWORD = "wrong_password"
    #: Too soon after bad ones: even the right password is not looked at.
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """When a log-in is looked at, in seconds of wall time. Defaults of this project."""

    #: So many bad ones of a name and peer are free;
    free: int = 5
    #: after them the next is looked at so much later, after each further bad one twice as much,
    first_s: float = 2
    #: and at most this.
    longest_s: float = 60
    #: A bad one counts for so long.
    window_s: float = 300

    def wait_s(self, bad: int) -> float:
        """Seconds from the last of so many bad ones until the next is looked at."""
        doubled = min(bad - self.free, 60)
        return min(self.first_s * 2**doubled, self.longest_s) if doubled >= 0 else 0


@dataclass(frozen=True, slots=True)
class Bad:
    """Bad log-ins of a name and peer: how many, and when the last one was."""

    many: int = 0
    last: float = 0


class BadLogins(Protocol):
    """Bad log-ins by a key, which is a digest: what was typed as a name may be anything. Instants are seconds of wall time."""

    def turn(self, key: str) -> AbstractContextManager[object]:
        """One log-in of a key at a time, in any thread."""

    def of(self, key: str, after: float) -> Bad:
        """Those that came after an instant."""

    def add(self, key: str, now: float, after: float) -> None:
        """Remember one; what came before ``after`` may be forgotten."""

    def forget(self, key: str) -> None:
        """Forget those of a key."""


class MemoryBadLogins:
    """Those of one process: nothing of it outlives the instance."""

    def __init__(self) -> None:
        """Begin with none."""
        self._one_at_a_time = threading.Lock()
        #: Latest last.
        self._bad: OrderedDict[str, list[float]] = OrderedDict()

    def turn(self, key: str) -> AbstractContextManager[object]:  # noqa: ARG002
        """See ``BadLogins``: and of all keys together, each takes milliseconds."""
        return self._one_at_a_time

    def of(self, key: str, after: float) -> Bad:
        """See ``BadLogins``."""
        late = [at for at in self._bad.get(key, ()) if at > after]
        return Bad(len(late), late[-1]) if late else Bad()

    def add(self, key: str, now: float, after: float) -> None:
        """See ``BadLogins``."""
        self._bad[key] = [*(at for at in self._bad.pop(key, ()) if at > after), now]
        if len(self._bad) > MOST_KEPT:
            self._bad.popitem(last=False)

    def forget(self, key: str) -> None:
        """See ``BadLogins``."""
        self._bad.pop(key, None)


class DatabaseBadLogins:
    """Those of several processes at one database."""

    def __init__(self, engine: Engine) -> None:
        """Nothing is read yet."""
        self._engine = engine

    @contextmanager
    def turn(self, key: str) -> Iterator[None]:
        """See ``BadLogins``: guesses at several processes at once are not one more than are free."""
        second = int.from_bytes(bytes.fromhex(key[:8]), signed=True)
        with writing(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_LOGIN_LOCK, second)))
            yield

    def of(self, key: str, after: float) -> Bad:
        """See ``BadLogins``."""
        table = login_fault.c
        wanted = select(func.count(), func.max(table.at_us))
        with reading(self._engine) as connection:
            count, last_us = connection.execute(
                wanted.where(table.name_hash == key, table.at_us > rounded_us(after))
            ).one()
        return Bad(count, fraction_s(micros(last_us))) if count else Bad()

    def add(self, key: str, now: float, after: float) -> None:
        """See ``BadLogins``."""
        with writing(self._engine) as connection:
            connection.execute(delete(login_fault).where(login_fault.c.at_us <= rounded_us(after)))
            connection.execute(insert(login_fault), {"name_hash": key, "at_us": rounded_us(now)})

    def forget(self, key: str) -> None:
        """See ``BadLogins``."""
        with writing(self._engine) as connection:
            connection.execute(delete(login_fault).where(login_fault.c.name_hash == key))


def _whence(peer: str) -> str:
    """Whom an address stands for: all of an IPv6 network of 64 bits are one, for that is what one subscriber has."""
    try:
        address = ip_address(peer)
    except ValueError:
        return peer
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


class LoginGuard:
    """Checks log-ins of all doors."""

    def __init__(
        self,
        users: Mapping[str, User],
        wall: Callable[[], float],
        told: Callable[[str, str, float], None],
        bad: BadLogins | None = None,
        limits: LoginLimits | None = None,
    ) -> None:
        """users: by username. wall: seconds since the epoch.

        told: of each block that begins: the user's name, empty where there is no such user, the peer, seconds. bad: of several processes.
        """
        self._users = users
        self._wall = wall
        self._told = told
        self._bad = bad or MemoryBadLogins()
        self._limits = limits or LoginLimits()

    def opens_at(self, username: str, peer: str) -> float | None:
        """Until when not even the right password of a name from an address is looked at; None if it is."""
        now = self._wall()
        bad = self._bad.of(self._key(username, peer), now - self._limits.window_s)
        until = bad.last + self._limits.wait_s(bad.many)
        return until if now < until else None

    def _key(self, username: str, peer: str) -> str:
        user = self._users.get(username)
        # Names that nobody has are one: whoever makes them up could have what is kept of others forgotten.
        named = "" if user is None else user.username
        return sha256(f"{_whence(peer)} {named}".encode()).hexdigest()

    def check(self, username: str, password: str, peer: str) -> User | LoginFault:
        """Check a log-in from an address; a bad one is counted. Takes as long as a hash; in any thread."""
        now = self._wall()
        after = now - self._limits.window_s
        user = self._users.get(username)
        key = self._key(username, peer)
        with self._bad.turn(key):
            bad = self._bad.of(key, after)
            if now < bad.last + self._limits.wait_s(bad.many):
                return LoginFault.BLOCKED
            if user is not None and password_is(user, password):
                if bad.many:
                    self._bad.forget(key)
                return user
            self._bad.add(key, now, after)
        wait_s = self._limits.wait_s(bad.many + 1)
        if wait_s:
            self._told(user.username if user else "", peer, wait_s)
        return LoginFault.UNKNOWN_USER if user is None else LoginFault.WRONG_PASSWORD
