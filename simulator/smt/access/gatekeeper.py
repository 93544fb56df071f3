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

from simulator.smt.access.logins import Logins, MemoryLogins
from simulator.smt.registry.passwords import password_is
from simulator.smt.registry.records import User

_ALGORITHM = "HS256"


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
