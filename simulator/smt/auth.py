"""Logins and tokens of both doors. Lives and log-in blocks are wall time on every clock, from an injected wall.

A market token lives an hour from its issue; a portal token fifteen minutes from its last use.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

import jwt
from argon2 import extract_parameters
from argon2.exceptions import InvalidHashError
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from simulator.smt.logins import Logins, MemoryLogins
from simulator.smt.registry import User

# Low cost on purpose: the logins are invented ones that the sandbox prints anyway, and a check runs on the event loop,
# which may not block. One pass over 1 MiB takes about a millisecond; real accounts would need some fifty times that.
_HASHER = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=1024, parallelism=1),))

_ALGORITHM = "HS256"


#: Version, and the most that a hash may cost: 64 MiB, ten passes, eight lanes. A log-in is checked on the event loop. Defaults of this project.
_VERSION, _MOST_KIB, _MOST_PASSES, _MOST_LANES = 19, 65_536, 10, 8


def hash_fault(password_hash: str) -> str:
    """What is wrong with an Argon2 hash that comes from elsewhere; empty if a password can be held against it, in a time to be borne."""
    try:
        told = extract_parameters(password_hash)
    except InvalidHashError:
        return "It is no Argon2 hash."
    if told.version != _VERSION or told.hash_len < 16 or told.salt_len < 8:
        return f"It is not of version {_VERSION}, or its salt or digest is too short."
    if told.memory_cost > _MOST_KIB or told.time_cost > _MOST_PASSES or told.parallelism > _MOST_LANES:
        return f"A log-in would cost too much: at most m={_MOST_KIB}, t={_MOST_PASSES}, p={_MOST_LANES}."
    return ""


def hash_password(password: str) -> str:
    """The Argon2 hash to keep of a password."""
    return _HASHER.hash(password)


def password_is(user: User, password: str) -> bool:
    """Whether the password is the user's. Safe to call from any thread."""
    return _HASHER.verify(password, user.password_hash)


class TokenKind(StrEnum):
    """Which door a token opens."""

    MARKET = "market"
    PORTAL = "portal"


class LoginFault(StrEnum):
    """Why a login failed."""

    UNKNOWN_USER = "unknown_user"
    WRONG_PASSWORD = "wrong_password"
    #: Too many bad logins of late: even the right password is turned away.
    BLOCKED = "blocked"


class Token(NamedTuple):
    """A bearer token and its life in seconds of wall time since the epoch."""

    text: str
    issued_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class AuthLimits:
    """Lives and the block, in seconds of wall time. Those of tokens: DOMAIN §3, §4; the block is a default of this project."""

    market_life_s: float = 3600
    portal_life_s: float = 15 * 60
    #: So many bad logins of one username within the window block it until the first of them is that old.
    bad_logins: int = 5
    bad_window_s: float = 300


class Gatekeeper:
    """Checks logins, issues tokens, knows whose a token is."""

    def __init__(
        self,
        users: Mapping[str, User],
        wall: Callable[[], float],
        limits: AuthLimits | None = None,
        logins: Logins | None = None,
    ) -> None:
        """users: by username. wall: seconds since the epoch.

        logins: of several workers, each of which takes the others' tokens; without them tokens do not outlive this instance.
        """
        self._users = users
        self._wall = wall
        self.limits = limits or AuthLimits()
        self._logins = logins or MemoryLogins()
        self._claims = lru_cache(maxsize=4096)(self._decoded)

    def login(self, username: str, password: str) -> User | LoginFault:
        """Check a login; a bad one is counted."""
        now = self._wall()
        after = now - self.limits.bad_window_s
        with self._logins.turn(username):
            bad = self._logins.faults(username, after)
            if bad >= self.limits.bad_logins:
                return LoginFault.BLOCKED
            user = self._users.get(username)
            if user is not None and password_is(user, password):
                if bad:
                    self._logins.forgive(username)
                return user
            self._logins.fault(username, now, after)
        return LoginFault.UNKNOWN_USER if user is None else LoginFault.WRONG_PASSWORD

    def issue(self, user: User, kind: TokenKind) -> Token:
        """A new token for a user who has logged in."""
        now = self._wall()
        token_id = secrets.token_urlsafe(12)
        expires = now + self._life(kind)
        if kind is TokenKind.PORTAL:
            self._logins.begin(token_id, now, now - self.limits.portal_life_s)
        claims = {"sub": user.username, "aud": kind.value, "iat": int(now), "exp": int(expires), "jti": token_id}
        return Token(jwt.encode(claims, self._logins.key, algorithm=_ALGORITHM), now, expires)

    def user_of(self, text: str, kind: TokenKind) -> User | None:
        """Whose token this is; None if it is none of ours, of the other door, or its life is over. A portal token's life begins anew."""
        claims = self._claims(text, kind)
        if claims is None:
            return None
        now = self._wall()
        if kind is TokenKind.PORTAL:
            if not self._logins.use(claims["jti"], now, now - self.limits.portal_life_s):
                return None
        elif now >= claims["exp"]:
            return None
        return self._users.get(claims["sub"])

    def named(self, text: str) -> User | None:
        """Who a token of ours was issued to, dead or alive, at either door; its life is left alone."""
        for kind in TokenKind:
            claims = self._claims(text, kind)
            if claims is not None:
                return self._users.get(claims["sub"])
        return None

    def _decoded(self, text: str, kind: TokenKind) -> dict[str, Any] | None:
        """What a token says, if we signed it for that door; None otherwise. Kept: clients poll with one token for minutes."""
        try:
            # PyJWT knows only its own clock, so the life is checked by the caller, by the injected one.
            claims: dict[str, Any] = jwt.decode(
                text,
                self._logins.key,
                algorithms=[_ALGORITHM],
                audience=kind.value,
                options={"verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            return None
        return claims

    def _life(self, kind: TokenKind) -> float:
        return self.limits.market_life_s if kind is TokenKind.MARKET else self.limits.portal_life_s
