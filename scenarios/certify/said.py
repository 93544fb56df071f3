"""What was asked at SMT's market API and how it was answered, read."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple, overload

from headend.http.foreign import document
from meters.calendar import Micros, Seconds, micros
from scenarios.actions.market.exchange import code_of
from scenarios.certify.observed import Lines, within
from scenarios.records.values import MOST_USD
from simulator.tap.chain import Exchange, exchanges_at

TOKEN, READS, ODR, STATUS, POWER = (
    f"/v2/{name}/" for name in ("token", "15minintervalreads", "odr", "odrstatus", "powerstatus")
)
#: At the portal.
PORTAL_ODR, LATEST, SYNCH, INTERVAL, DAILY, MONTHLY = (
    f"/api/{name}/"
    for name in (
        "ondemandread",
        "usage/latestodrread",
        "adhoc/intervalsynch",
        "usage/interval",
        "usage/daily",
        "usage/monthly",
    )
)


class Request(NamedTuple):
    """What a request at the meter asks for, for which call, and by what it is followed; empty for what it does not say."""

    kind: str
    esiid: str
    reference: str
    key: str


class Kind(NamedTuple):
    """What an exchange has in common with others.

    path: what was asked, with a slash at its end. status: HTTP, 0 for none. code: of what was wrong. paged: there was no JSON in the reply. request:
    at the meter, that SMT took, or refused by its throttle.
    """

    path: str
    status: int
    code: str | None
    paged: bool
    request: Request | None


class Said(NamedTuple):
    """An exchange with SMT's market API, read: as ``Kind`` has it. source: itself, or the file that it is in from an octet on."""

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
        return self.source if isinstance(self.source, Exchange) else next(exchanges_at(self.source, [self.offset]))

    @property
    def ask(self) -> dict[str, Any]:
        """The body of what was asked."""
        return object_of(self.exchange.ask.get("body")) or {}

    @property
    def reply(self) -> dict[str, Any] | None:
        """The body of the reply; None where that is no JSON."""
        return object_of(self.exchange.reply.get("body"))


class _Columns:
    """What was said between two instants, in its order: a row of numbers each, since there may be a million."""

    def __init__(self, those: Iterable[Exchange], first: Seconds, last: Seconds) -> None:
        """those: a file's, which are read there again, or exchanges."""
        self.file = those.path if isinstance(those, Lines) else None
        self.held: list[Exchange] = []
        self.n, self.at_us, self.offset, self.kind = array("q"), array("q"), array("q"), array("I")
        known: dict[Kind, int] = {}
        for one in within(those, first, last):
            read = said_of(one)
            self.n.append(one.n)
            self.at_us.append(read.at_us)
            self.offset.append(one.offset)
            self.kind.append(known.setdefault(Kind(*read[2:7]), len(known)))
            if self.file is None:
                self.held.append(one)
        self.kinds = list(known)

    def said(self, row: int) -> Said:
        """One of them, read."""
        source = self.held[row] if self.file is None else self.file
        kind = self.kinds[self.kind[row]]
        return Said(self.n[row], micros(self.at_us[row]), *kind, source, self.offset[row])


class Heard(Sequence[Said]):
    """What was said, all or some of it, each read when it is looked at."""

    def __init__(self, columns: _Columns, rows: Sequence[int]) -> None:
        """rows: which of them."""
        self._columns, self._rows = columns, rows

    def where(self, fits: Callable[[Kind], bool]) -> Heard:
        """Those of some kinds."""
        wanted = [fits(kind) for kind in self._columns.kinds]
        return Heard(self._columns, array("I", (row for row in self._rows if wanted[self._columns.kind[row]])))

    def __len__(self) -> int:
        """How many there are."""
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> Said: ...

    @overload
    def __getitem__(self, at: slice) -> list[Said]: ...

    def __getitem__(self, at: int | slice) -> Said | list[Said]:
        """One, or a list of some."""
        said = self._columns.said
        return said(self._rows[at]) if isinstance(at, int) else [said(row) for row in self._rows[at]]

    def __iter__(self) -> Iterator[Said]:
        """One after the other."""
        return map(self._columns.said, self._rows)


def heard(those: Iterable[Exchange], first: Seconds, last: Seconds) -> Heard:
    """What was said between two instants, UTC epoch seconds. those: a file's, which are read there again, or exchanges."""
    columns = _Columns(those, first, last)
    return Heard(columns, range(len(columns.n)))


def said_of(one: Exchange) -> Said:
    """An exchange read."""
    path, reply = f"{one.ask['path']}".rstrip("/") + "/", object_of(one.reply.get("body"))
    status, request = int(one.reply.get("status", 0)), None
    if path in (ODR, POWER) and status == 200 and reply and (reply.get("correlationId") or reply.get("refusal")):
        ask = object_of(one.ask.get("body")) or {}
        told = (ask.get("readType"), ask.get("ESIID"), ask.get("callReference"), reply.get("correlationId"))
        request = Request(*(str(value or "") for value in told))
    return Said(one.n, one.at_us, path, status, code_of(reply), reply is None, request, one, one.offset)


def data_of(told: dict[str, Any] | None) -> dict[str, Any]:
    """What the portal tells, out of what it stands in."""
    data = (told or {}).get("data")
    return data if isinstance(data, dict) else {}


def rows_of(told: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of a list that is told; a stranger's may be none, or hold anything."""
    its = told.get(name)
    return [row for row in its if isinstance(row, dict)] if isinstance(its, list) else []


def dollars(told: Any) -> Decimal:
    """An amount that is told, as text or as a number. Raises ValueError for what is none."""
    try:
        amount = Decimal(str(told))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not (amount.is_finite() and abs(amount) < MOST_USD):
        raise ValueError("no amount of dollars")
    return amount


def object_of(body: Any) -> dict[str, Any] | None:
    """A JSON object; None for anything else."""
    try:
        told = document(body) if isinstance(body, str) else None
    except ValueError:
        return None
    return told if isinstance(told, dict) else None
