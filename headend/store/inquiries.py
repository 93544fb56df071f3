"""The inquiries that the head-end has accepted: each a row before it is answered 202, open until its result was taken or given up.

What is called back is kept with it from the moment it is known, so that a head-end that comes up again calls back the same and reads no meter twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from headend.boundaries import boundary
from headend.store.rows import INQUIRIES, Database
from headend.store.statements import Prepared
from headend.wire import InquiryRequest
from meters.calendar import Seconds

# Made once: making a statement takes as long as executing it.
_HELD = sa.select(INQUIRIES.c.request).where(INQUIRIES.c.correlation_id == sa.bindparam("key"))
_CHANGE = Prepared(sa.update(INQUIRIES).where(INQUIRIES.c.correlation_id == sa.bindparam("key")))
_ENTER = Prepared(sa.insert(INQUIRIES))


class Acceptance(StrEnum):
    """What became of an inquiry that was posted."""

    TAKEN = "taken"
    #: Posted before: it was taken then, and is not taken again.
    KNOWN = "known"
    #: Another inquiry has its correlation id.
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class OpenInquiry:
    """An accepted inquiry that has not ended. ``result``: what is to be called back, JSON; empty while it is not known."""

    request: InquiryRequest
    result: str


class InquiryStore:
    """The head-end's inquiries. Methods are synchronous; each is one transaction between its two boundaries."""

    def __init__(self, database: Database) -> None:
        """Use the store's database; its tables are made with the others."""
        self._database = database

    def accept(self, request: InquiryRequest, at: Seconds) -> Acceptance:
        """Keep an inquiry unless it is there already. at: UTC epoch seconds."""
        with self._database.writing() as connection:
            held = connection.scalar(_HELD, {"key": request.correlationId})
            if held is not None:
                same = InquiryRequest.model_validate_json(held) == request
                return Acceptance.KNOWN if same else Acceptance.OTHER
            row = {
                "correlation_id": request.correlationId,
                "request": request.model_dump_json(exclude_none=True),
                "accepted_at": at,
                "result": "",
                "became": "",
            }
            _ENTER.execute(connection, row)
            boundary("headend.accept.before_commit")
        boundary("headend.accept.after_commit")
        return Acceptance.TAKEN

    def keep_result(self, correlation_id: str, result: str) -> None:
        """Keep what is to be called back, JSON."""
        with self._database.writing() as connection:
            _CHANGE.execute(connection, {"key": correlation_id, "result": result})
            boundary("headend.answer.before_commit")
        boundary("headend.answer.after_commit")

    def end(self, correlation_id: str, at: Seconds, became: str) -> None:
        """The result was taken, or will not be. at: UTC epoch seconds. became: how, in a few words; the result itself is let go."""
        with self._database.writing() as connection:
            _CHANGE.execute(connection, {"key": correlation_id, "ended_at": at, "became": became, "result": ""})
            boundary("headend.end.before_commit")
        boundary("headend.end.after_commit")

    def unended(self) -> Sequence[OpenInquiry]:
        """The open inquiries, in the order of acceptance."""
        rows = INQUIRIES.c
        query = sa.select(rows.request, rows.result).where(rows.ended_at.is_(None))
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(rows.accepted_at, rows.correlation_id))
            return [OpenInquiry(InquiryRequest.model_validate_json(request), result) for request, result in found]

    def count_open(self) -> int:
        """How many are open."""
        with self._database.reading() as connection:
            query = sa.select(sa.func.count()).select_from(INQUIRIES).where(INQUIRIES.c.ended_at.is_(None))
            return connection.scalar(query) or 0
