"""The keys of the links between parties: who calls bears the one of its kind, and who is called asks for it before it reads the body."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal

from fastapi import Request
from fastapi.security import HTTPBearer
from pydantic import HttpUrl

#: Whether a service asks for keys, as ``/healthz`` tells it.
Asks = Literal["keyed", "open"]


@dataclass(frozen=True, slots=True)
class LinkKeys:
    """The keys of one SMT, one head-end and its meters: each is borne by what that party sends; ``control`` by who sets things under ``/control``."""

    smt: str = field(repr=False)
    headend: str = field(repr=False)
    meters: str = field(repr=False)
    control: str = field(repr=False)

    @classmethod
    def make(cls) -> LinkKeys:
        """New ones, 256 bits each."""
        return cls(*(secrets.token_urlsafe(32) for _ in fields(cls)))

    def seal(self, correlation_id: str) -> str:
        """What ends the address to which an inquiry's result is called back: HMAC-SHA256 of its id under SMT's key, hexadecimal."""
        return hmac.new(self.smt.encode(), correlation_id.encode(), "sha256").hexdigest()


def bearing(key: str) -> dict[str, str]:
    """Headers of a JSON body that bears a key."""
    return {"content-type": "application/json", "authorization": f"Bearer {key}"}


def borne(request: Request) -> str:
    """The key that came with a request; empty without one."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def same(given: str, expected: str) -> bool:
    """Whether a secret is the one that is expected; how long that takes tells nothing of it."""
    return hmac.compare_digest(given.encode(), expected.encode())


def key_of(sender: str) -> HTTPBearer:
    """How a document says that a call asks for the key of a kind of sender."""
    said = f"The `{sender}` key of the link's keys file. Not asked for with `--open-links`."
    return HTTPBearer(auto_error=False, scheme_name=f"{sender} key", description=said)


@dataclass(frozen=True, slots=True)
class HeadEndLink:
    """A head-end's link with its SMT and its meters."""

    keys: LinkKeys
    #: Base URLs below which SMT may have results called back.
    reply_to: Sequence[str] = ()
    #: Take calls without a key, and call back wherever that is asked for.
    open: bool = False

    @property
    def asks(self) -> Asks:
        """As ``/healthz`` tells it."""
        return "open" if self.open else "keyed"

    def takes(self, request: Request, sender: Literal["smt", "meters"]) -> bool:
        """Whether a request comes from who may send it."""
        return self.open or same(borne(request), getattr(self.keys, sender))

    def is_smt(self, url: HttpUrl) -> bool:
        """Whether an address is one of SMT's."""
        return any(str(url).startswith(str(HttpUrl(base)).rstrip("/") + "/") for base in self.reply_to)

    def headers(self, url: HttpUrl) -> Mapping[str, str]:
        """Of a call-back; the key is for SMT alone."""
        return bearing(self.keys.headend) if self.is_smt(url) else {"content-type": "application/json"}
