"""Tokens of both doors, for whom the log-in guard lets in. Lives are wall time on every clock, from an injected wall.

A market token lives an hour from its issue; a portal token fifteen minutes from its last use, and so does the session of a browser, which ends some
hours after its log-in in any case.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

import jwt

from simulator.smt.access.logins import Logins, MemoryLogins
from simulator.smt.registry.log_in import LoginFault, LoginGuard
from simulator.smt.registry.records import User

_ALGORITHM = "HS256"
#: One thread of this process, whatever it serves: guesses do not take more than one core.
_CHECKING = ThreadPoolExecutor(max_workers=1, thread_name_prefix="log-in")


class TokenKind(StrEnum):
    """Which door a token opens."""

    MARKET = "market"
    PORTAL = "portal"
    #: The portal's pages: the session of a browser.
    WEB = "web"


#: Those whose life begins anew with each use.
_SLIDING = frozenset({TokenKind.PORTAL, TokenKind.WEB})


class TokenLife(StrEnum):
    """Which clock a token's life is counted by."""

    #: Of a client that is not told of the model's, and counts its token's life by itself.
    WALL = "wall"
    #: Who comes once an hour of the model logs in anew each time, as at SMT.
    MODEL = "model"


class Token(NamedTuple):
    """A bearer token and its life, seconds since the epoch."""

    text: str
    issued_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class AuthLimits:
    """Lives of tokens in seconds (DOMAIN §3, §4)."""

    market_life_s: float = 3600
    portal_life_s: float = 15 * 60
    #: From a browser's log-in to its session's end, however much it is used. A default of this project.
    web_life_s: float = 8 * 3600


class Gatekeeper:
    """Has log-ins checked, issues tokens, knows whose a token is."""

    def __init__(
        self,
        users: Mapping[str, User],
        now: Callable[[], float],
        guard: LoginGuard,
        limits: AuthLimits | None = None,
        logins: Logins | None = None,
    ) -> None:
        """users: by username. now: what tokens live by, seconds since the epoch. guard: of every door, the file site's too.

        logins: of several workers, each of which takes the others' tokens; without them tokens do not outlive this instance.
        """
        self._users = users
        self._now = now
        self.guard = guard
        self.limits = limits or AuthLimits()
        self._logins = logins or MemoryLogins()
        self._signed = lru_cache(maxsize=4096)(self._decoded)

    async def login(self, username: str, password: str, peer: str) -> User | LoginFault:
        """Check a login from an address, one after the other in a thread: a hash is meant to take long, and the event loop is everyone's."""
        return await asyncio.get_running_loop().run_in_executor(_CHECKING, self.guard.check, username, password, peer)

    def issue(self, user: User, kind: TokenKind) -> Token:
        """A new token for a user who has logged in."""
        now = self._now()
        token_id = secrets.token_urlsafe(12)
        expires = now + self._life(kind)
        if kind in _SLIDING:
            self._logins.begin(token_id, now, now - self.limits.portal_life_s)
        claims = {"sub": user.username, "aud": kind.value, "iat": int(now), "exp": int(expires), "jti": token_id}
        return Token(jwt.encode(claims, self._logins.key, algorithm=_ALGORITHM), now, expires)

    def user_of(self, text: str, kind: TokenKind) -> User | None:
        """Whose token this is; None if it is none of ours, of the other door, or its life is over. That of a portal's, and of a session, begins anew."""
        claims = self._claims(text, kind)
        if claims is None:
            return None
        now = self._now()
        # A portal token has no end but that of its last use.
        if kind is not TokenKind.PORTAL and now >= claims["exp"]:
            return None
        if kind in _SLIDING and not self._logins.use(claims["jti"], now, now - self.limits.portal_life_s):
            return None
        return self._users.get(claims["sub"])

    def end(self, text: str, kind: TokenKind) -> None:
        """End the life of a token that has one to be ended: of a portal's, of a session."""
        claims = self._claims(text, kind)
        if claims is not None and kind in _SLIDING:
            self._logins.end(claims["jti"])

    def sealed(self, text: str) -> str:
        """What only who has the key of the tokens can make of a text: 32 hexadecimal digits."""
        return hmac.new(self._logins.key, f"seal {text}".encode(), sha256).hexdigest()[:32]

    def named(self, text: str) -> User | None:
        """Who a token of ours was issued to, dead or alive, at either door; its life is left alone."""
        for kind in TokenKind:
            claims = self._claims(text, kind)
            if claims is not None:
                return self._users.get(claims["sub"])
        return None

    def _claims(self, text: str, kind: TokenKind) -> dict[str, Any] | None:
        """What a token says, if we signed it for that door; None otherwise, which is not kept: anybody may send what he likes."""
        try:
            return self._signed(text, kind)
        except jwt.InvalidTokenError:
            return None

    def _decoded(self, text: str, kind: TokenKind) -> dict[str, Any]:
        """What a token of ours says. Kept: clients poll with one token for minutes. Raises InvalidTokenError."""
        # PyJWT knows only its own clock, so the life is checked by the caller, by the injected one.
        claims: dict[str, Any] = jwt.decode(
            text,
            self._logins.key,
            algorithms=[_ALGORITHM],
            audience=kind.value,
            options={"verify_exp": False, "verify_iat": False},
        )
        return claims

    def _life(self, kind: TokenKind) -> float:
        lives = {TokenKind.MARKET: self.limits.market_life_s, TokenKind.WEB: self.limits.web_life_s}
        return lives.get(kind, self.limits.portal_life_s)
