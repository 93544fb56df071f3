"""What was asked at SMT's market API and how it was answered, read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from meters.calendar import Micros, Seconds
from scenarios.actions.exchange import code_of
from scenarios.certify.observed import Lines, within
from simulator.tap.chain import Exchange, exchange_at

TOKEN, READS, ODR, STATUS, POWER = (
    f"/v2/{name}/" for name in ("token", "15minintervalreads", "odr", "odrstatus", "powerstatus")
)


class Request(NamedTuple):
    """What a request at the meter asks for, for which call, and by what it is followed; empty for what it does not say."""

    kind: str
    esiid: str
    reference: str
    key: str


@dataclass(frozen=True, slots=True)
class Said:
    """An exchange with SMT's market API, read. What it holds beside is in its file still: there may be a million.

    path: what was asked, with a slash at its end. status: HTTP, 0 for none. code: of what was wrong. paged: there was no JSON in the reply. request:
    at the meter, that SMT took, or refused by its throttle. source: itself, or the file that it is in from an octet on.
    """

    n: int
    at_us: Micros
    path: str
    status: int
    code: str | None
    paged: bool
    request: Request | None
    source: Exchange | Path
    offset: int

    @property
    def exchange(self) -> Exchange:
        """As it was recorded."""
        return self.source if isinstance(self.source, Exchange) else exchange_at(self.source, self.offset)

    @property
    def ask(self) -> dict[str, Any]:
        """The body of what was asked."""
        return object_of(self.exchange.ask.get("body")) or {}

    @property
    def reply(self) -> dict[str, Any] | None:
        """The body of the reply; None where that is no JSON."""
        return object_of(self.exchange.reply.get("body"))


def said_between(those: Iterable[Exchange], first: Seconds, last: Seconds) -> Iterator[Said]:
    """What was said between two instants; of what lies in a file, the rest is read from there."""
    file = those.path if isinstance(those, Lines) else None
    # One text, and one instant, for all that have the same.
    same: dict[Any, Any] = {}
    for one in within(those, first, last):
        read = said_of(one)
        at_us: Micros = same.setdefault(read.at_us, read.at_us)
        path, code, request = (same.setdefault(it, it) for it in (read.path, read.code, read.request))
        yield Said(one.n, at_us, str(path), read.status, code, read.paged, request, file or one, one.offset)


def said_of(one: Exchange) -> Said:
    """An exchange read."""
    path, reply = f"{one.ask['path']}".rstrip("/") + "/", object_of(one.reply.get("body"))
    status, request = int(one.reply.get("status", 0)), None
    if path in (ODR, POWER) and status == 200 and reply and (reply.get("correlationId") or reply.get("refusal")):
        ask = object_of(one.ask.get("body")) or {}
        told = (ask.get("readType"), ask.get("ESIID"), ask.get("callReference"), reply.get("correlationId"))
        request = Request(*(str(value or "") for value in told))
    return Said(one.n, one.at_us, path, status, code_of(reply), reply is None, request, one, one.offset)


def object_of(body: Any) -> dict[str, Any] | None:
    """A JSON object; None for anything else."""
    try:
        told = json.loads(body) if isinstance(body, str) else None
    except ValueError:
        return None
    return told if isinstance(told, dict) else None
