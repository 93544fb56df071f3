"""Who read which ESI ID, when, through which door: usage, attributes, the status of a request. An append-only table.

Status polls are most of the traffic, so what is read is written in batches: half a second of wall time after the first of a batch at the latest,
and before anybody looks. A process that is killed loses that half second; the request ledger, which decides, loses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum

from pydantic import BaseModel, Field
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import SQLAlchemyError

from headend.http.exchange import current
from meters.calendar import Micros, local_us
from simulator.smt.database.engine import reading, writing
from simulator.smt.database.tables import data_access
from simulator.smt.registry.records import User

#: Wall seconds that a read waits to be written with others, and how many wait at most. Defaults of this project.
WAIT_S, MOST_WAITING = 0.5, 1000
#: Entries that one request gives at most.
MOST_GIVEN = 1000


class What(StrEnum):
    """What was read."""

    USAGE = "usage"
    ATTRIBUTES = "attributes"
    STATUS = "status"


class Access(BaseModel):
    """One read."""

    at: str = Field(description="Model time.", examples=["2026-08-12T17:41:05.250000-05:00"])
    username: str = Field(examples=["pecanbend.api"])
    duns: str = Field(description="Of the entity that the user speaks for; a customer has none.")
    esiid: str
    door: str = Field(description="`market`, `portal`, or empty for a read by SMT's own pages or a test.")
    what: What
    correlationId: str = Field(description="Of the on-demand request whose status was read.")
    transId: str = Field(description="As the reader sent it; at the portal as SMT answered it, where it has one.")


class AccessLog:
    """The log of one SMT process."""

    def __init__(self, engine: Engine, now_us: Callable[[], Micros]) -> None:
        """now_us: model time, microseconds."""
        self._engine = engine
        self._now_us = now_us
        self._waiting: list[tuple[Micros, str, str, str, str, What, str, str]] = []
        self._timer: asyncio.TimerHandle | None = None

    def note(self, user: User, esiid: str, what: What, request_key: str = "") -> None:
        """A user was given something of an ESI ID, in the exchange under way."""
        exchange = current()
        exchange.correlation_id = exchange.correlation_id or request_key
        door = "market" if exchange.path.startswith("/v2") else "portal" if exchange.path else ""
        # Both channels of a day, or a day's usage and its registers, are one read.
        if (esiid, what, request_key) in exchange.noted:
            return
        exchange.noted.add((esiid, what, request_key))
        row = (self._now_us(), user.username, user.duns, esiid, door, what, request_key, exchange.trans_id)
        self._waiting.append(row)
        if len(self._waiting) >= MOST_WAITING:
            self.flush()
        elif self._timer is None:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                self.flush()
                return
            self._timer = loop.call_later(WAIT_S, self._in_time)

    def flush(self) -> None:
        """Write what waits. Raises what the database raises; nothing is lost then."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiting:
            return
        names = ("at_us", "username", "duns", "esiid", "door", "what", "request_key", "trans_id")
        rows = [dict(zip(names, row, strict=True)) for row in self._waiting]
        with writing(self._engine) as connection:
            connection.execute(insert(data_access), rows)
        self._waiting.clear()

    def of(self, esiid: str, most: int = MOST_GIVEN) -> list[Access]:
        """The latest reads of an ESI ID, the latest first."""
        self.flush()
        table = data_access.c
        wanted = select(data_access).where(table.esiid == esiid).order_by(table.at_us.desc()).limit(most)
        with reading(self._engine) as connection:
            rows = connection.execute(wanted).all()
        return [
            Access(
                at=local_us(row.at_us).isoformat(),
                username=row.username,
                duns=row.duns,
                esiid=row.esiid,
                door=row.door,
                what=What(row.what),
                correlationId=row.request_key,
                transId=row.trans_id,
            )
            for row in rows
        ]

    def _in_time(self) -> None:
        self._timer = None
        try:
            self.flush()
        except SQLAlchemyError:
            # The database is away: they are written with the next ones. /healthz tells that it is.
            if len(self._waiting) > 100 * MOST_WAITING:
                del self._waiting[:MOST_WAITING]
