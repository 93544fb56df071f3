"""Bodies, headers and paths without their secrets: each stands as a keyed hash, so that equal ones are seen equal and none can be guessed.

The key is drawn for one file and written nowhere.
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import b64encode
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Any

#: Octets of a body that are kept as they are; of a longer one its size and digest. A default of this project.
MOST_BODY = 16 << 10
#: Characters of a secret that is no word of something else. A default of this project.
_LEAST = 12
#: Members of JSON and of forms whose values are secrets.
_MEMBER = re.compile(rb'("(?:password|\w*token)"\s*:\s*)("(?:[^"\\]|\\.)*|[^\s,}\]"]+)', re.IGNORECASE)
_FIELD = re.compile(rb"(\b(?:password|\w*token)=)([^&\s\"]+)", re.IGNORECASE)
#: The address that a result is called back to ends in a seal, which is a secret.
_SEAL = re.compile(rb"(/callbacks/inquiries/[^/\"\s]+/)([^/?\"\s]+)")
_COOKIE = re.compile(r"(?<==)[^;,\s]+")


class Masker:
    """Replaces the secrets of one file."""

    def __init__(self) -> None:
        """Draw the key."""
        key = secrets.token_bytes(32)
        self._known: tuple[bytes, ...] = ()
        self.hashed = lru_cache(maxsize=4096)(lambda secret: "hmac:" + hmac.digest(key, secret, "sha256").hex()[:32])

    def know(self, known: Iterable[str]) -> None:
        """Secrets that are masked wherever they stand, as where somebody says again what he was sent; of a short one that would be chance."""
        self._known += tuple(one.encode() for one in known if len(one) >= _LEAST)

    def _second(self, found: re.Match[bytes]) -> bytes:
        value = found[2]
        quote = value[:1] if value[:1] == b'"' else b""
        return found[1] + quote + self.hashed(value[len(quote) :]).encode()

    def octets(self, written: bytes) -> bytes:
        """A body or a path."""
        # Most have none of them, and cost no more than these looks.
        for known in self._known:
            if known in written:
                written = written.replace(known, self.hashed(known).encode())
        low = written.lower()
        if b"token" in low or b"password" in low:
            written = _FIELD.sub(self._second, _MEMBER.sub(self._second, written))
        return _SEAL.sub(self._second, written) if b"/callbacks/inquiries/" in written else written

    def header(self, name: str, value: str) -> str:
        """A header's value."""
        if name == "authorization":
            scheme, _, borne = value.partition(" ")
            return f"{scheme} {self.hashed(borne.strip().encode())}"
        if name == "cookie":
            return _COOKIE.sub(lambda found: self.hashed(found[0].encode()), value)
        if name == "set-cookie":
            set_to, semicolon, rest = value.partition(";")
            return _COOKIE.sub(lambda found: self.hashed(found[0].encode()), set_to) + semicolon + rest
        return value

    def headers(self, head: Iterable[tuple[bytes, bytes]], wanted: frozenset[bytes]) -> dict[str, str]:
        """The wanted ones of a head, those that come more than once in one line each."""
        found: dict[str, str] = {}
        for raw, value in head:
            if raw in wanted:
                name = raw.decode("latin-1")
                text = self.header(name, value.decode("latin-1"))
                found[name] = f"{found[name]}\n{text}" if name in found else text
        return found


class Body:
    """What comes of a body, kept to its bound."""

    def __init__(self, most: int = MOST_BODY) -> None:
        """Begin empty. most: octets that are kept as they are."""
        self._most = most
        self._kept = bytearray()
        self._digest: Any = None
        self.octets = 0

    def add(self, octets: bytes) -> None:
        """Take the next part."""
        self.octets += len(octets)
        if self._digest is None:
            self._kept += octets
            if self.octets > self._most:
                self._digest = sha256(self._kept)
        else:
            self._digest.update(octets)

    @property
    def head(self) -> bytes:
        """What is kept of it: all, or its beginning."""
        return bytes(self._kept)

    def told(self, masker: Masker) -> Any:
        """Its text, secrets masked; of octets that are none base64, of a long one size and digest."""
        if self._digest is not None:
            return {"octets": self.octets, "sha256": self._digest.hexdigest()}
        written = masker.octets(self.head)
        try:
            return written.decode()
        except UnicodeDecodeError:
            return {"base64": b64encode(written).decode()}
